"""What the names of a network's matrices and cells depend on: identifiers taken apart, and its sizes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, TypeAlias

Place: TypeAlias = tuple[int, int] | None
"""Row and column of a cell, counted from 0, or None for the whole matrix."""

_PLAIN_KINDS = frozenset({"X", "Y", "L", "E", "learning_rate"})
_NUMBERED_KINDS = frozenset({"W", "b", "Z", "A", "S", "D", "E", "J", "dW", "db", "W_next", "b_next"})


class Identifier(NamedTuple):
    """`kind` is the identifier without its number, `layer` that number (for J the sample's), 0 for none."""

    text: str
    kind: str
    layer: int


@cache
def parse(text: str) -> Identifier:
    found = re.fullmatch(r"([A-Za-z]+)([1-9][0-9]*)(_next)?", text)
    kind, layer = (found[1] + (found[3] or ""), int(found[2])) if found else (text, 0)
    if kind not in (_NUMBERED_KINDS if layer else _PLAIN_KINDS):
        raise KeyError(f"{text!r} is not the identifier of a matrix")
    return Identifier(text, kind, layer)


@dataclass(frozen=True, slots=True)
class Network:
    """As much of a network as its names depend on."""

    sizes: tuple[int, ...]  # inputs, then the units of each layer
    rows: int
    shared_bias: tuple[bool, ...]
    has_bias: tuple[bool, ...]
    leading: int = 0  # cells before the units' in what a layer takes in
    turned: bool = False  # a sample in each column

    @property
    def layers(self) -> int:
        return len(self.sizes) - 1

    def is_output(self, layer: int) -> bool:
        return layer == self.layers

    def bias_width(self, layer: int) -> int:
        if not self.has_bias[layer - 1]:
            return 0
        return 1 if self.shared_bias[layer - 1] else self.sizes[layer]

    def index(self, identifier: Identifier, place: Place) -> str:
        """How a cell is told from the others of its matrix: "1,2"; "2" in a row; nothing in a 1×1."""
        if place is None or identifier.kind in ("L", "learning_rate"):
            return ""
        row, column = place
        if identifier.kind in ("b", "db", "b_next"):
            return "" if self.shared_bias[identifier.layer - 1] else position(row if self.turned else column)
        return f"{position(row)},{position(column)}"

    def unit(self, layer: int, place: int | None) -> int | None:
        """The unit of a layer (0: inputs) at a place of what it gives on; −1 where that is the bias's 1."""
        return place if place is None or self.is_output(layer) else place - self.leading

    def given_on(self, layer: int, place: Place) -> Place:
        """Where in what a layer gives on the cell of a unit stands."""
        if place is None or self.is_output(layer):
            return place
        row, column = place
        return (row + self.leading, column) if self.turned else (row, column + self.leading)

    def by_rows(self, place: Place) -> Place:
        """A place as it is where a sample stands in each row."""
        return place[::-1] if place is not None and self.turned else place

    def sample(self, place: Place) -> str:
        """The mark of a sample, where there are several: "(2)"."""
        return f"({place[0] + 1})" if place and self.rows > 1 else ""


def position(number: int | None) -> str:
    """A position as it is shown, counted from 1; nothing for a whole matrix."""
    return "" if number is None else str(number + 1)


def span(before: int, count: int) -> str:
    """Numbers of several things that follow `before` others: 5…8, or 5 where there is one."""
    return f"{before + 1}…{before + count}" if count > 1 else f"{before + 1}"
