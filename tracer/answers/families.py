"""Names of single units and weights, placed a family at a time: z1, z2; w1 … w8; dL_dw5 … dL_dw8.

Which way of counting a family uses, its numbers tell together. Where they tell none, and more than one is left, none
is taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tracer.answers.agreement import SURE, Agreement, weight
from tracer.answers.counting import Counted, CountedCell, Counting
from tracer.answers.identifiers import BIAS, THETA, WEIGHT, UnitName
from tracer.answers.numbers import Entry

FROM_0 = ("from 0", "layer0")  # ways of counting that begin with 0, of a family that has one


@dataclass(frozen=True)
class NamedNumber:
    """A number under a name of a unit, or several under each other; `own` is its cell by the problem's own names."""

    name: str
    unit: UnitName
    entries: tuple[Entry, ...]
    where: str
    order: int
    own: CountedCell | None = None


@dataclass(frozen=True)
class Placed:
    """A scalar with its cell; `certain` where numbers said so, or nothing else was left."""

    scalar: NamedNumber
    cell: CountedCell


Mapped = tuple[CountedCell, ...]


class Families:
    """Places scalars; `unplaced` are those that nothing is known of, `shares` the parts of the loss."""

    def __init__(
        self, scalars: Iterable[NamedNumber], counted: Counted, agreement: Agreement, updated: Mapping[str, str]
    ) -> None:
        self.counted, self.agreement, self.updated = counted, agreement, updated
        self.placed: list[Placed] = []
        self.unplaced: list[NamedNumber] = []
        self.shares: list[NamedNumber] = []
        groups: dict[tuple[str, str, int], list[NamedNumber]] = {}
        for each in scalars:
            stem, tags, _, count = each.unit.family
            groups.setdefault((stem, tags, count), []).append(each)
        for group in groups.values():
            self._place(group)

    @property
    def agreed(self) -> float:
        """What all placed numbers say for their cells."""
        return math.fsum(self._agrees(each.scalar, each.cell) for each in self.placed)

    def _place(self, group: Sequence[NamedNumber]) -> None:
        """All changes of a stem count alike (w1, w1_new, dE/dw1); where they do not, each change for itself."""
        mapping = self._mapping(group)
        changes = {each.unit.change for each in group}
        if mapping is None and len(changes) > 1:
            for change in changes:
                self._place([each for each in group if each.unit.change == change])
        elif mapping is None:
            self._leave(group)
        else:
            self.placed += map(Placed, group, mapping)

    def _leave(self, group: Sequence[NamedNumber]) -> None:
        share = "error" in group[0].unit.kinds and not group[0].unit.change
        if share and self.agreement.share(tuple(each.entries[0] for each in group)):
            self.shares += group
        else:
            self.unplaced += group

    def _mapping(self, group: Sequence[NamedNumber]) -> Mapped | None:
        """The cells of a group: those that its numbers agree with, or by the only way of counting that there is."""
        mappings = dict.fromkeys(self._mappings(group))
        scores = {each: self._score(group, each) for each in mappings}
        best = max(scores.values(), default=0.0)
        own = tuple(each.own for each in group if each.own is not None)
        if len(own) == len(group) and (best < SURE or self._score(group, own) >= best - 1e-9):
            return own
        found = [each for each, score in scores.items() if score >= best - 1e-9]
        all_agree = best >= math.fsum(weight(each.entries[0]) for each in group) - 1e-9
        if best >= SURE and (len(found) == 1 or all_agree):
            return found[0]
        only = len(mappings) == 1 and group[0].unit.change != "change" and (group[0].unit.tags or len(group) > 1)
        return next(iter(mappings)) if only and not self._may_be_units(group) else None

    def _may_be_units(self, group: Sequence[NamedNumber]) -> bool:
        """Whether numbers that would be of one sample each may as well be units of a sample: z1, z2."""
        unit = group[0].unit
        counted = not {WEIGHT, BIAS, THETA} & set(unit.kinds) and unit.tags != "s" and len(unit.numbers) == 1
        return counted and self.counted.samples > 1 and all(len(each.entries) == 1 for each in group)

    def _mappings(self, group: Sequence[NamedNumber]) -> Iterator[Mapped]:
        """The cells of a group in every way of counting that places all of it, none twice."""
        cells = [self.counted.cells(each.unit) for each in group]
        from_0 = any(0 in each.unit.numbers for each in group)
        for counting in cells[0]:
            if from_0 != _is_from_0(counting) and not _is_theta(counting):
                continue
            if all(counting in each for each in cells) and self._fits(group, counting):
                found = tuple(each[counting] for each in cells)
                keys = {(cell, scalar.unit.change, scalar.name) for cell, scalar in zip(found, group, strict=True)}
                names = {(scalar.unit.change, scalar.name) for scalar in group}
                if len({key[:2] for key in keys}) >= len(names):
                    yield found

    def _fits(self, group: Sequence[NamedNumber], counting: Counting) -> bool:
        """Whether a column has a number for every sample, where there are several, and one sample's cell has not."""
        samples = self.counted.samples
        for each in group:
            a_column, as_many = self.counted.cells(each.unit)[counting].row is None, len(each.entries) == samples
            if (a_column and not as_many) or (as_many and counting[0] == "sample" and samples > 1):
                return False
        return True

    def _score(self, group: Sequence[NamedNumber], mapping: Mapped) -> float:
        return math.fsum(self._agrees(each, cell) for each, cell in zip(group, mapping, strict=True))

    def _agrees(self, scalar: NamedNumber, cell: CountedCell) -> float:
        """What a scalar says for its cell; an old name may stand for the updated one."""
        if cell.row is None:
            at = enumerate(scalar.entries)
            found = [self.agreement.at(entry, cell.identifier, i, cell.column) for i, entry in at]
            return math.fsum(found) / len(found)
        identifiers = [cell.identifier, *filter(None, [self.updated.get(cell.identifier)])]
        return max(self.agreement.at(scalar.entries[0], each, cell.row, cell.column) for each in identifiers)


def _is_from_0(counting: Counting) -> bool:
    return any(each in FROM_0 for each in counting)


def _is_theta(counting: Counting) -> bool:
    return counting == ("theta",)
