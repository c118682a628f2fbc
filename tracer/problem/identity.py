"""What makes two problems the same: their names and all that a file of them would say."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

UNHASHED = ("title", "description", "source", "names", "marks", "variants")  # they change no number


class Identified(ABC):
    """A problem with a name and a canonical document."""

    name: str

    @abstractmethod
    def to_document(self) -> dict[str, Any]:
        """The problem as a file with every choice and number written out."""

    def hashed(self) -> dict[str, Any]:
        """What of the document changes a number."""
        return {key: value for key, value in self.to_document().items() if key not in UNHASHED}

    @cached_property
    def sha256(self) -> str:
        """Of the canonical JSON of what changes a number."""
        canonical = json.dumps(self.hashed(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @cached_property
    def built(self) -> dict[int | str, Any]:
        """What was built for it so far, to be built once: programs by their rows, and batches of them."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """All but what was made of it: functions that were compiled go to no other process."""
        return {key: value for key, value in self.__dict__.items() if key not in ("built", "parameters")}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self.name == other.name and self.to_document() == other.to_document()

    def __hash__(self) -> int:
        return hash((self.name, self.sha256))
