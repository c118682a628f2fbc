"""The cells of a matrix that are not the key's: lines 5 to 11 of DESIGN.md's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tracer.answers.key import Key
from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.expression.arrays import Array
from tracer.expression.dependents import Marked
from tracer.expression.interval import Interval, bound
from tracer.judging.numbers import (
    DIGIT_FEWER,
    OUT_OF_REACH,
    close,
    cut_off,
    farthest_told,
    half,
    inside,
    least_own,
    stands_for,
    tolerance,
    too_wide,
)
from tracer.judging.sheet import WrittenMatrix
from tracer.judging.site import Site
from tracer.judging.verdicts import Verdict
from tracer.judging.work import Reading, Work, is_step


class Judging(Protocol):
    """The judging of a sheet, as far as it has come."""

    key: Key
    work: Work
    verdicts: dict[str, NDArray[np.object_]]
    on_own: dict[str, Array]
    empty: dict[str, Marked]
    cuts_off: bool

    def before(self, identifier: str) -> Mapping[str, Marked]:
        """The cells that wrong, carried or coarse ones go into, of each kind of mark that there is."""

    def cut(self, identifier: str, cells: Marked, verdict: Verdict) -> None:
        """A verdict to cells that were cut off where they should be rounded."""

    def name_slips(self, site: Site) -> None:
        """Line 10."""


@dataclass(eq=False)
class OpenCells:
    """The cells of a matrix that are not the key's: lines 5 to 11.

    `lost` are cells of line 4 in which a spreadsheet may have lost zeros at the end.
    """

    judging: Judging
    identifier: str
    written: WrittenMatrix
    lost: Marked

    def __post_init__(self) -> None:
        self.work, self.key = self.judging.work, self.judging.key
        self.verdicts, self.on_own = self.judging.verdicts[self.identifier], self.judging.on_own[self.identifier]
        rule = self.work.rule(self.identifier) or self.key.program.assignments[self.identifier].expression
        assert rule is not None  # it is computed
        self.rule, self.is_step = rule, is_step(rule)
        self.untold = np.zeros(self.on_own.shape, dtype=bool)
        self.doubtful = self.untold
        self.right = self.key.values[self.identifier]
        self.bounds: dict[Reading, tuple[Interval, Marked]] = {}
        before = self.judging.before(self.identifier)
        self.behind, self.wrong, self.coarse = (before.get(each, self.untold) for each in ("behind", "wrong", "coarse"))

    def judge(self) -> None:
        if self.lost.any():
            self._with_zeros()
        self._empty()
        if self._is_open:
            self._follows()
        if self._is_open:
            self._by_a_slip()

    @property
    def _is_open(self) -> bool:
        return is_open(self.verdicts)

    def _with_zeros(self) -> None:
        """Line 7, or else line 4: with a zero behind it the number is what the right rule gives, to its digits."""
        rounded, cut, _ = self._as_it_stands()
        right = self.lost & ~self.behind & ~self.coarse
        give(self.verdicts, rounded & right, "rounded")
        self.judging.cut(self.identifier, cut & right, "rounded")
        give(self.verdicts, self.lost, "too_coarse")

    def _empty(self) -> None:
        """Line 5: what the right rule makes of such cells says nothing."""
        if not (self.wrong | self.coarse).any():
            return
        cells = self._says_nothing() & (self.wrong | self.coarse) & (self.verdicts == "")
        give(self.verdicts, cells & self.wrong, "wrong")
        give(self.verdicts, cells, "too_coarse")
        if cells.any():
            self.judging.empty[self.identifier] = cells

    def _says_nothing(self) -> Marked:
        """Whether the right rule gives 0, 1, −1 or the very number that is updated, and the key is another number.

        Of a step function 0 and 1 are all that there is.
        """
        own = self._constants(self.on_own, self.work.own.values)
        key = self._constants(self.right, self.key.values)
        if self.is_step:
            return np.asarray(np.logical_or.reduce(own) & ~np.logical_or.reduce(key))
        return np.asarray(np.any([one & ~other for one, other in zip(own, key, strict=True)], axis=0))

    def _constants(self, values: Array, before: Mapping[str, Array]) -> list[Marked]:
        """Where values are, at the digits asked for, 0, 1, −1 and the very number that they update."""
        assignment = self.key.program.assignments[self.identifier]
        others: list[Array | float] = [0.0, 1.0, -1.0]
        if assignment.role == "updated" and assignment.of is not None:
            others.append(before[assignment.of])
        return [close(values, each, self.written.units / 2) for each in others]

    def _follows(self) -> None:
        """Lines 6 to 8, and where there is no bound what is said in its place."""
        verdicts, work = self.verdicts, self.work
        rounded, cut, wide = self._as_it_stands()
        alone = ~self.behind & ~self.coarse
        give(verdicts, (rounded | cut) & self.coarse & ~self.behind, "too_coarse")
        give(verdicts, rounded & alone, "rounded")
        self.judging.cut(self.identifier, cut & alone, "rounded")
        if (self.behind & (verdicts == "")).any():
            if self._may_follow_mended(rounded | cut):
                self._mended()
            give(verdicts, rounded, "carried")
            self.judging.cut(self.identifier, cut, "carried")
        if work.replaced and self._is_open:
            plain = work.plain.made[self.identifier]
            give(verdicts, np.logical_or(*self._by(work.plain, plain, *self._bounds(work.plain))), "carried")
        if not self._is_open:
            return
        coarse = self.written.coarse & stands_for(self.written, self.written.own, Interval.exactly(self.on_own))
        give(verdicts, wide & coarse, "too_coarse")
        if wide.any():
            self.doubtful = self._doubtful(wide)
            give(verdicts, wide & self.written.present & ~self.doubtful, "not_read")
        if self.untold.any():
            give(verdicts, self._may_be_mended(), "not_read")

    def _as_it_stands(self) -> tuple[Marked, Marked, Marked]:
        """The cells that follow from the work as it stands, rounded and cut off, and where there is no bound.

        Where all are as near to the right rule's value as a number may be, no bound is worked out.
        """
        near = close(self.written.values, self.on_own, tolerance(self.written))
        if near[self.verdicts == ""].all():
            nothing = np.zeros(near.shape, dtype=bool)
            return near, nothing, nothing
        bounds, wide = self._bounds(self.work.own)
        return *self._by(self.work.own, self.on_own, bounds, wide), wide

    def _may_follow_mended(self, follows: Marked) -> bool:
        """Whether a cell is near enough to what it would be with the wrong cells put right, or in need of that."""
        written, slack = self.written, tolerance(self.written)
        mended = self.work.mended.made[self.identifier]
        near = close(written.values, mended, farthest_told(written.units, self.right) + slack)
        near |= close(written.values, self.right, 2 * slack)
        return bool(((self.verdicts == "") & (near | ~follows)).any())

    def _mended(self) -> None:
        """As it would be with the wrong cells before it put right: an error in copying that was not used further."""
        mended = self.work.mended
        bounds, self.untold = self._bounds(mended)
        values = mended.made[self.identifier]
        follows = np.logical_or(*self._by(mended, values, bounds, self.untold))
        carries = self.work.dependents(self.identifier, self.work.carried)
        give(self.verdicts, follows & ~carries & ~self.coarse, "rounded")
        give(self.verdicts, follows & ~carries, "too_coarse")
        give(self.verdicts, follows, "carried")

    def _may_be_mended(self) -> Marked:
        """Where so much was put right that it cannot be told whether a number follows from that."""
        return self.untold & self._within_reach(1.0, self.work.mended)

    def _at_own_digits(self) -> Marked:
        """Cells that are too coarse, and right at the digits that they have; the 0 and 1 of a step are exact."""
        right = self._bounds(self.work.own)[0]
        coarse = self.written.coarse & stands_for(self.written, self.written.own, right)
        return np.asarray(coarse & (not self.is_step))

    def _doubtful(self, wide: Marked) -> Marked:
        """Cells without a bound, where some cannot be right however it is worked: a wrong rule may tell of them all."""
        cells = wide & (self.verdicts == "")
        wrong = (self.verdicts == "") & ~(cells & self._within_reach(OUT_OF_REACH)) & ~self._at_own_digits()
        return np.asarray(cells & (np.count_nonzero(wrong) > 1))

    def _within_reach(self, times: float, reading: Reading | None = None) -> Marked:
        """Whether a number may follow by the right rule at all, where the bound is too wide to say that it does."""
        value, reach = (reading or self.work.own).by_right_rule(self.identifier)
        near = inside(self.written.values, Interval.around(value, times * reach), tolerance(self.written))
        return np.asarray(near | ~np.isfinite(value) | ~np.isfinite(reach))

    def _bounds(self, reading: Reading) -> tuple[Interval, Marked]:
        """Between what the right rule's value lies, and where that is so wide that it says nothing."""
        if reading not in self.bounds:
            self.bounds[reading] = self._bounds_by(reading)
        return self.bounds[reading]

    def _bounds_by(self, reading: Reading) -> tuple[Interval, Marked]:
        if self.is_step:
            found = bound(self.rule, reading.bounds)
            return found, np.zeros(found.low.shape, dtype=bool)
        value, reach = reading.by_right_rule(self.identifier)
        wide = too_wide(reach, self.written.units, self.right) | ~np.isfinite(value)
        return Interval.around(value, np.where(wide, 0.0, reach)), wide

    def _by(self, reading: Reading, values: Array, bounds: Interval, wide: Marked) -> tuple[Marked, Marked]:
        """The cells that the right rule on these earlier cells explains, rounded and cut off."""
        written, units = self.written, self.written.units
        slack = tolerance(written)
        if self.is_step:
            ends = [close(written.values, each, slack) for each in (values, bounds.low, bounds.high)]
            return np.logical_or.reduce(ends), np.zeros(wide.shape, dtype=bool)
        near = np.logical_or(*(close(written.values, each, 2 * slack) for each in (self.right, values)))
        rounded = np.where(wide, near, inside(written.values, bounds, slack))
        cut = cut_off(written, units, bounds) & ~wide
        for value, reach in self._at_a_jump(reading):
            either = Interval.around(value, reach)
            rounded, cut = rounded | inside(written.values, either, slack), cut | cut_off(written, units, either)
        return rounded, cut

    def _at_a_jump(self, reading: Reading) -> Iterator[tuple[Array, Array]]:
        """Where a left-out slope jumps within its bounds: the right rule with either value, and none between."""
        if not self._jumping or not isinstance(self.rule, m.Broadcast):
            return
        for end in ("low", "high"):
            other = reading.with_values({name: getattr(reading.bounds[name], end) for name in self._jumping})
            yield other.by_right_rule(self.identifier)

    @cached_property
    def _jumping(self) -> list[str]:
        jumping = self.work.jumping
        return [each.name for each in traversal.symbols(self.rule) if each.name in jumping] if jumping else []

    def _by_a_slip(self) -> None:
        """Lines 9 to 11."""
        verdicts, judging = self.verdicts, self.judging
        right, failing = self._bounds(self.work.own)[0], verdicts == ""
        coarse = failing & self._at_own_digits()
        if self.doubtful.any():
            value, reach = self.work.own.by_right_rule(self.identifier)
            right = Interval.around(value, np.where(self.doubtful & self._within_reach(OUT_OF_REACH), 0.0, reach))
        site = Site(
            self.identifier, self.rule, self.work, self.written, right, self.on_own, self._slack(), failing, coarse,
            self.doubtful, self._last_place,
        )  # fmt: skip
        if (failing & ~coarse).any():
            judging.name_slips(site)
            empty = (verdicts == "slip") & np.logical_or.reduce(
                self._constants(self.written.values, self.work.own.values)
            )
            judging.empty[self.identifier] = judging.empty.get(self.identifier, False) | empty
        give(verdicts, coarse, "too_coarse")
        give(verdicts, self.doubtful, "not_read")
        give(verdicts, failing, "wrong")

    def _slack(self) -> Array:
        """What a number may be off a wrong rule's value: a digit is missing where none of the matrix has it."""
        units = np.minimum(self.written.units, least_own(self.written))
        units = np.maximum(units, min(self._last_place, DIGIT_FEWER * float(units.max())))
        return half(self.written, units * (2 if self.judging.cuts_off else 1))

    @cached_property
    def _last_place(self) -> float:
        """Where all numbers of a matrix end too early, and it has no exact values that end there; else 0."""
        finest = self.written.finest
        if finest <= 1.5 * self.written.units.max():
            return 0.0
        ends = np.abs(self.on_own / finest - np.round(self.on_own / finest)) * finest < self.written.units / 2
        return 0.0 if ends.all() else finest


def is_open(verdicts: NDArray[np.object_]) -> bool:
    """Whether a cell has no verdict yet."""
    return "" in verdicts.ravel().tolist()


def give(verdicts: NDArray[np.object_], cells: Marked, verdict: Verdict) -> None:
    """A verdict to the cells that have none yet."""
    verdicts[(verdicts == "") & cells] = verdict
