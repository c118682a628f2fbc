"""The identifiers of matrices, made in one place."""

from __future__ import annotations

RATE = "learning_rate"
