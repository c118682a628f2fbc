"""Frameworks are optional: imported when they are called for, with one message that says what to install."""

from __future__ import annotations

import importlib
from types import ModuleType

from tracer.errors import TracerError


def framework(module: str, extra: str) -> ModuleType:
    """The module of a framework. Raises TracerError, saying what to install, where it is not there."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as wrong:
        if wrong.name != module.partition(".")[0]:
            raise
        says = f'{module.partition(".")[0]} is not installed: pip install "backprop-tracer[{extra}]"'
        raise TracerError(says) from None
