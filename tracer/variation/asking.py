"""Which cells to ask for: the few that tell most slips apart, each slip carried through the whole sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tracer.expression.arrays import Array
from tracer.variation.lots import Lots
from tracer.variation.many import Many, work_many
from tracer.variation.telling import Telling

AskedCell: TypeAlias = tuple[str, int, int]
"""A cell: its matrix, row and column from 0."""

LOOKED_AT = 4  # variants that the cells are chosen for
Labels: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sheets:
    """What is written after each slip: of each cell (1 + slips, variants) numbers in units of its last place.

    The first is the right sheet.
    """

    cells: Mapping[AskedCell, Labels]

    @cached_property
    def order(self) -> Sequence[AskedCell]:
        """The cells, each the one that tells most apart of what those before it leave together."""
        return list(self._order())

    def _order(self) -> Iterator[AskedCell]:
        slips, variants = next(iter(self.cells.values())).shape
        groups: Labels = np.zeros((slips, variants), dtype=np.int64)
        left = dict(self.cells)
        before = together(groups)
        while left:
            counts = {place: together(refined(groups, labels)) for place, labels in left.items()}
            best = min(counts, key=lambda place: counts[place])
            if counts[best] == before:
                return
            groups, before = refined(groups, left.pop(best)), counts[best]
            yield best

    @cached_property
    def fewest(self) -> Sequence[AskedCell]:
        """Cells that tell all apart that the whole sheet does, and none of which could be left out."""
        kept, wanted = list(self.order), self.left_together(self.order)
        for place in list(kept):
            rest = [each for each in kept if each != place]
            if self.left_together(rest) == wanted:
                kept = rest
        return kept

    def best_of(self, identifier: str) -> AskedCell:
        """The cell of a matrix that alone tells most apart."""
        own = [place for place in self.cells if place[0] == identifier]
        return min(own, key=lambda place: self.left_together([place]))

    def left_together(self, places: Sequence[AskedCell]) -> int:
        """How many pairs, of slips and the right sheet, some cells do not tell apart."""
        return together(self._groups(places))

    def unseen(self, places: Sequence[AskedCell]) -> int:
        """How many slips some cells do not tell from the right sheet, in the variant where most are."""
        groups = self._groups(places)
        return int((groups[1:] == groups[0]).sum(axis=0).max())

    def _groups(self, places: Sequence[AskedCell]) -> Labels:
        groups: Labels = np.zeros_like(next(iter(self.cells.values())))
        for place in places:
            groups = refined(groups, self.cells[place])
        return groups

    @property
    def pairs(self) -> int:
        slips, variants = next(iter(self.cells.values())).shape
        return int(variants * slips * (slips - 1) // 2)


def refined(groups: Labels, labels: Labels) -> Labels:
    """The groups of each variant, told apart further by labels."""
    found = np.empty_like(groups)
    for k in range(groups.shape[1]):
        pairs = np.stack([groups[:, k], labels[:, k]], axis=1)
        found[:, k] = np.unique(pairs, axis=0, return_inverse=True)[1].ravel()
    return found


def together(groups: Labels) -> int:
    """How many pairs are in one group, all variants together."""
    total = 0
    for column in groups.T:
        sizes = np.bincount(column)
        total += int((sizes * (sizes - 1) // 2).sum())
    return total


def sheets_of(telling: Telling, lots: Lots, drawn: Mapping[str, Array], count: int) -> Sheets:
    """The sheets after every slip of some variants."""
    many = work_many(lots.program, lots.inputs(drawn), count)
    right = {each: _labels(many.values[each], telling.unit(each)) for each in lots.program.computed}
    changed = [
        {each: _labels(value, telling.unit(each)) for each, value in many.carried(group.first).items()}
        for group in telling.all
    ]
    return Sheets({place: _stacked(place, right, changed) for place in _places(many)})


def _labels(values: Array, unit: float) -> Labels:
    """Numbers in units of their last place, half away from zero."""
    limited = np.clip(values / unit, -1e17, 1e17)
    return np.asarray(np.sign(limited) * np.floor(np.abs(limited) * (1 + 1e-12) + 0.5), dtype=np.int64)


def _places(many: Many) -> Iterator[AskedCell]:
    for each in many.program.computed:
        rows, columns = many.program.assignments[each].shape
        yield from ((each, row, column) for row in range(rows) for column in range(columns))


def _stacked(place: AskedCell, right: Mapping[str, Labels], changed: Sequence[Mapping[str, Labels]]) -> Labels:
    identifier, row, column = place
    return np.stack([each.get(identifier, right[identifier])[:, row, column] for each in (right, *changed)])
