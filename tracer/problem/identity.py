"""What makes two problems the same: their names and all that a file of them would say."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tracer import display
from tracer.display import View
from tracer.expression.arrays import Array

UNHASHED = ("title", "description", "source", "names", "marks", "variants")  # they change no number


PlaceNumbers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Placement:
    """Where a tensor of a model is: of each matrix that it is made of the name, which of the flattened tensor's numbers
    it has, and where in the flattened matrix they stand."""

    shape: tuple[int, ...]
    parts: tuple[tuple[str, PlaceNumbers, PlaceNumbers], ...]

    @classmethod
    def of_matrix(cls, name: str, shape: tuple[int, ...], turned: bool) -> Placement:
        """One matrix, or its transpose."""
        numbers = np.arange(int(np.prod(shape)))
        return cls(shape, ((name, (numbers.reshape(shape).T if turned else numbers).ravel(), numbers),))

    @classmethod
    def of_row(cls, name: str, length: int) -> Placement:
        """One row."""
        return cls((length,), ((name, np.arange(length), np.arange(length)),))

    def gathered(self, matrices: Mapping[str, Array]) -> Array:
        """The tensor, of matrices by the names of its parts."""
        found = np.empty(int(np.prod(self.shape, dtype=int)))
        for name, of_tensor, of_matrix in self.parts:
            found[of_tensor] = matrices[name].ravel()[of_matrix]
        return found.reshape(self.shape)


class Identified(ABC):
    """A problem with a name and a canonical document."""

    name: str

    @abstractmethod
    def to_document(self) -> dict[str, Any]:
        """The problem as a file with every choice and number written out."""

    def save(self, path: str | Path) -> Path:
        """Write the problem as a file (.toml, .json) that explains itself and reads back the same; returns its path."""
        from tracer.problem.saving import write_problem

        return write_problem(self.to_document(), Path(path))

    def walkthrough(self) -> View:
        """The page that steps through the epoch, for a notebook to show."""
        return display.views().walkthrough(self)

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

    def take_over(self, other: Identified) -> None:
        """Take over what was built for a problem that differs in its numbers alone."""
        self.built.update({what: made for what, made in other.built.items() if what != "batches"})

    @cached_property
    def origin(self) -> dict[str, Placement]:
        """Where each parameter of the model is that the problem was taken over from; empty where it was written."""
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
