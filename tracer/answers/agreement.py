"""How far numbers agree with the key: evidence for where they belong, no verdict on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tracer.answers.handed_in import Grid
from tracer.answers.key import Key
from tracer.answers.numbers import Entry
from tracer.expression.arrays import Array

SLACK = 3e-4  # of a number's size: what rounding on the way may have moved it
NO_CELLS = np.zeros((0, 0))
SURE = 1.0  # of the weight of numbers that agree: a number of two digits


@dataclass(frozen=True, eq=False)
class Agreement:
    """Holds numbers against the cells of a key's matrices."""

    key: Key

    @cached_property
    def values(self) -> dict[str, Array]:
        return dict(self.key.values)

    @cached_property
    def changes(self) -> dict[str, Array]:
        """What is added to each parameter, by its gradient, which many take it for."""
        program = self.key.program
        return {
            program.gradients[each]: self.values[new] - self.values[each]
            for each, new in program.updated.items()
            if each in program.gradients
        }

    def at(self, entry: Entry, identifier: str, row: int, column: int) -> float:
        """How much a number says for a cell: nothing where there is another or none, more the more digits agree."""
        for values in (self.values.get(identifier, NO_CELLS), self.changes.get(identifier, NO_CELLS)):
            if entry.kind == "number" and row < values.shape[0] and column < values.shape[1]:
                value = float(values[row, column])
                unit = 1e-12 if entry.decimals is None else 10.0**-entry.decimals
                if abs(entry.value - value) <= max(unit, SLACK * abs(value)):
                    return weight(entry)
        return 0.0

    def of(self, grid: Grid, identifier: str) -> float:
        """What all numbers of a matrix in its shape say together."""
        cells = ((entry, i, j) for i, row in enumerate(grid) for j, entry in enumerate(row))
        return math.fsum(self.at(entry, identifier, i, j) for entry, i, j in cells)

    def share(self, entries: tuple[Entry, ...]) -> bool:
        """Whether numbers are the parts of the loss: one for each output, and together what it is."""
        total = float(np.ravel(self.values[self.key.program.loss])[0])
        unit = max((10.0 ** -(each.decimals or 0) for each in entries), default=1.0)
        return abs(math.fsum(each.value for each in entries) - total) <= unit * len(entries) + SLACK * abs(total)


def weight(entry: Entry) -> float:
    """What a number says if it agrees: little with one digit, and next to nothing where it is 0 or 1."""
    if entry.kind != "number":
        return 0.0
    if entry.value in (0.0, 1.0, -1.0):
        return 0.05
    size = math.floor(math.log10(abs(entry.value)))
    digits = 6 if entry.decimals is None else max(0, size + entry.decimals + 1)
    return {0: 0.05, 1: 0.3, 2: 1.0}.get(digits, 2.0)


def total(grid: Grid) -> float:
    """What all numbers of a grid could say."""
    return math.fsum(weight(entry) for row in grid for entry in row)
