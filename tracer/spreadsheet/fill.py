"""Filling a formula down a column, as a spreadsheet does: one template in place of a formula per row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from tracer.spreadsheet.columns import column_letters, column_number

MARKS = [chr(k) for k in range(1, 32) if chr(k) not in "\t\n\r"]
"""Characters that stand for rows and columns that move: XML forbids them, so nothing else can hold one."""

CellFormula: TypeAlias = Callable[[int, int], str]
"""The formula of a cell of a matrix, by row and column counted from 0."""

_ADDRESS = re.compile(r"(?<![A-Za-z0-9_.])([A-Z]{1,3})([0-9]+)(?![0-9A-Za-z_(])")


class Coordinate(NamedTuple):
    """The column or the row of an address, counted from 1."""

    is_column: bool
    number: int

    def moved(self, by: int) -> Coordinate:
        return Coordinate(self.is_column, self.number + by)

    def text(self) -> str:
        return column_letters(self.number) if self.is_column else str(self.number)


@dataclass(frozen=True)
class Filled:
    """A column's formula: text between coordinates, each of which stays or moves on by one with every row.

    Down a column of X W the row of X moves; down one of Xᵀ D it is the column of X.
    """

    pieces: tuple[str, ...]
    coordinates: tuple[Coordinate, ...]
    moves: tuple[bool, ...]

    @property
    def moving(self) -> set[Coordinate]:
        """The coordinates that move, as they are in the first row."""
        return {each for each, moves in zip(self.coordinates, self.moves, strict=True) if moves}

    def text(self, marks: Mapping[Coordinate, str]) -> str:
        """The formula with marks in place of what moves."""
        parts = [self.pieces[0]]
        for coordinate, moves, piece in zip(self.coordinates, self.moves, self.pieces[1:], strict=True):
            parts += [marks[coordinate] if moves else coordinate.text(), piece]
        return "".join(parts)


def fill_down(formula: Callable[[int], str], rows: int) -> Filled | None:
    """The template of a column's formulas, from its first two rows; None where the last is not of it."""
    pieces, first = _split(formula(0))
    if rows == 1:
        return Filled(pieces, first, (False,) * len(first))
    (same, second), (also, last) = _split(formula(1)), _split(formula(rows - 1))
    if not pieces == same == also:
        return None
    steps = [after.number - before.number for before, after in zip(first, second, strict=True)]
    expected = tuple(each.moved(step * (rows - 1)) for each, step in zip(first, steps, strict=True))
    if not set(steps) <= {0, 1} or last != expected:
        return None
    return Filled(pieces, first, tuple(step == 1 for step in steps))


def _split(formula: str) -> tuple[tuple[str, ...], tuple[Coordinate, ...]]:
    """A formula as the text around its coordinates, and the coordinates."""
    pieces, coordinates, end = [], [], 0
    for found in _ADDRESS.finditer(formula):
        pieces += [formula[end : found.start()], ""]
        coordinates += [Coordinate(True, column_number(found[1])), Coordinate(False, int(found[2]))]
        end = found.end()
    return (*pieces, formula[end:]), tuple(coordinates)
