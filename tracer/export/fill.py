"""Filling a formula down a column, as a spreadsheet does: one template in place of a formula per row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

MARK = 0xE000  # private-use characters stand for row numbers; no formula of ours holds one

Formula: TypeAlias = Callable[[int, int], str]
"""The formula of a cell of a matrix, by row and column counted from 0."""

_ADDRESS = re.compile(r"(?<![A-Za-z0-9_.])([A-Z]{1,3})([0-9]+)(?![0-9A-Za-z_(])")


@dataclass(frozen=True)
class Filled:
    """A column's formula: text between row numbers, each of which stays or moves with the row."""

    pieces: tuple[str, ...]
    numbers: tuple[int, ...]
    moves: tuple[bool, ...]

    @property
    def bases(self) -> set[int]:
        """What the moving row numbers are in the first row."""
        return {number for number, moves in zip(self.numbers, self.moves, strict=True) if moves}

    def text(self, marks: Mapping[int, str]) -> str:
        """The formula with marks in place of the row numbers that move."""
        parts = [self.pieces[0]]
        for number, moves, piece in zip(self.numbers, self.moves, self.pieces[1:], strict=True):
            parts += [marks[number] if moves else str(number), piece]
        return "".join(parts)

    def at(self, row: int) -> str:
        """The formula of one row."""
        return self.text({base: str(base + row) for base in self.bases})


def fill_down(formula: Callable[[int], str], rows: int) -> Filled | None:
    """The template of a column's formulas, from its first two rows; None where the last is not of it."""
    pieces, numbers = _split(formula(0))
    if rows == 1:
        return Filled(pieces, numbers, (False,) * len(numbers))
    next_pieces, next_numbers = _split(formula(1))
    steps = [after - before for before, after in zip(numbers, next_numbers, strict=False)]
    if next_pieces != pieces or len(next_numbers) != len(numbers) or not set(steps) <= {0, 1}:
        return None
    filled = Filled(pieces, numbers, tuple(step == 1 for step in steps))
    return filled if filled.at(rows - 1) == formula(rows - 1) else None


def _split(formula: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """A formula as the text around its row numbers, and the row numbers."""
    pieces, numbers, end = [], [], 0
    for found in _ADDRESS.finditer(formula):
        pieces.append(formula[end : found.start(2)])
        numbers.append(int(found[2]))
        end = found.end()
    return (*pieces, formula[end:]), tuple(numbers)
