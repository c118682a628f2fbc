"""The verdict on every cell: fair to rounding, an error marked once and carried after that.

The first line of DESIGN.md's table that fits holds; the numbers at the lines here are those of the table. Every matrix
is judged by the right rule on the learner's own earlier cells, and on what rounding leaves open of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.expression.dependents import Marked
from tracer.expression.interval import Interval, bound
from tracer.judging.numbers import (
    Array,
    close,
    cut_off,
    equals,
    farthest_told,
    half,
    inside,
    least_own,
    stands_for,
    tolerance,
    too_wide,
)
from tracer.judging.sheet import Sheet, WrittenMatrix
from tracer.judging.verdicts import COUNTS, Mark, Slip, Verdict
from tracer.judging.work import Reading, Work, is_step
from tracer.program.roles import WEIGHTS_GRADIENT

_TURNED = "rows and columns are swapped: a gradient has the shape of what it is the gradient of"
_CUT_OFF = "this was cut off after the last digit; round it instead"
TURNED, TRUNCATED = Slip("gradient-transposed", _TURNED, _TURNED), Slip("truncated", _CUT_OFF, _CUT_OFF)


@dataclass(eq=False)
class Site:
    """A matrix with cells that the right rule does not explain, for those who look for wrong ones.

    `right` are the right rule's bounds on the learner's own work and `on_own` its values, `tolerance` what
    every bound is widened by; `failing` has the cells to be explained, and `coarse` those among them
    that are right at the digits written, of which there are too few.
    """

    id: str
    expression: m.Matrix
    work: Work
    written: WrittenMatrix
    right: Interval
    on_own: Array
    tolerance: Array
    failing: Marked
    coarse: Marked


@dataclass(frozen=True)
class Explained:
    """A slip and the cells that it explains; `left_out` has bounds of left-out matrices as the slip makes them."""

    slip: Slip
    cells: Marked
    left_out: tuple[tuple[str, Interval], ...] = ()


RIGHT = frozenset({"correct", "rounded"})
Explain = Callable[[Site], Iterable[Explained]]
"""Names the slips that explain cells of a site, the likeliest first."""


def no_slips(site: Site) -> Sequence[Explained]:
    return ()


def judge(sheet: Sheet, explain: Explain = no_slips) -> list[Mark]:
    """The verdicts on all cells of a sheet's matrices, in order of time."""
    judging = _Judging(sheet, explain)
    with np.errstate(all="ignore"):  # what is no number explains nothing
        for identifier in sheet.key.program.assignments:
            judging.matrix(identifier)
    return [mark for identifier in sheet.written for mark in judging.marks(identifier)]


@dataclass(eq=False)
class _Judging:
    """Goes through the matrices in order of time."""

    sheet: Sheet
    explain: Explain
    verdicts: dict[str, NDArray[np.object_]] = field(default_factory=dict)
    on_own: dict[str, Array] = field(default_factory=dict)
    slips: dict[str, dict[tuple[int, int], list[Slip]]] = field(default_factory=dict)
    empty: dict[str, Marked] = field(default_factory=dict)
    cuts_off: bool = False

    def __post_init__(self) -> None:
        self.key = self.sheet.key
        self.work = Work(self.sheet)

    def matrix(self, identifier: str) -> None:
        expression = self.key.program.assignments[identifier].expression
        written = self.sheet.written.get(identifier)
        if written is not None:
            self.verdicts[identifier] = _unwritten(written)
            if expression is None:
                self._given(identifier, written)
            else:
                self._computed(identifier, written)
            if written.turned:
                self._turned(identifier)
        self._note(identifier, written)

    def _given(self, identifier: str, written: WrittenMatrix) -> None:
        """Numbers that were copied: right as they stand, or a copying error."""
        key = self.on_own[identifier] = self.key.values[identifier]
        verdicts = self.verdicts[identifier]
        _give(verdicts, equals(written, key), "correct")
        _give(verdicts, written.present, "wrong")

    def _computed(self, identifier: str, written: WrittenMatrix) -> None:
        """Lines 2 to 4, which look at the key alone."""
        verdicts, key = self.verdicts[identifier], self.key.values[identifier]
        self.on_own[identifier] = self.key.compute(identifier, self.work.own.values)
        _give(verdicts, equals(written, key), "correct")
        if _open(verdicts):
            _give(verdicts, close(written.values, key, tolerance(written)), "rounded")
        if _open(verdicts):
            exactly = Interval.exactly(key)
            self._cut(identifier, cut_off(written, written.units, exactly), "rounded")
            if not is_step(self.key.program.assignments[identifier].expression):  # whose 0 and 1 are exact
                _give(verdicts, written.coarse & stands_for(written, written.own, exactly), "too_coarse")
        if _open(verdicts):
            _Open(self, identifier, written).judge()

    def _cut(self, identifier: str, cells: Marked, verdict: Verdict) -> None:
        """A verdict to cells that were cut off where they should be rounded."""
        cells = cells & (self.verdicts[identifier] == "")
        _give(self.verdicts[identifier], cells, verdict)
        self.cuts_off |= bool(cells.any())
        for row, column in np.argwhere(cells).tolist():
            self.slips.setdefault(identifier, {})[row, column] = [TRUNCATED]

    def _turned(self, identifier: str) -> None:
        """Rows and columns are exchanged in the whole matrix: nothing in it is where it belongs."""
        verdicts = self.verdicts[identifier]
        for row, column in np.argwhere(np.isin(verdicts, list(COUNTS))).tolist():
            gradient = self.key.program.quantity(identifier) == WEIGHTS_GRADIENT
            verdicts[row, column] = "slip" if gradient else "wrong"
            self.slips.setdefault(identifier, {})[row, column] = [TURNED] if gradient else []

    def _note(self, identifier: str, written: WrittenMatrix | None) -> None:
        """What stands behind the cells that are made of these, and what these may be off."""
        work = self.work
        nothing_behind = not work.behind and not work.coarse_behind
        if written is not None and nothing_behind and RIGHT.issuperset(self.verdicts[identifier].ravel().tolist()):
            work.right[identifier] = np.ones(written.values.shape, dtype=bool)
            return
        marked = {"behind": work.behind, "wrong": work.wrong_behind, "coarse": work.coarse_behind}
        before = {name: work.dependents(identifier, marks) for name, marks in marked.items()}
        if written is not None:
            verdicts = self.verdicts[identifier]
            wrong, slip, carried, coarse = (verdicts == each for each in ("wrong", "slip", "carried", "too_coarse"))
            work.right[identifier] = (verdicts == "correct") | (verdicts == "rounded")
            on = wrong | slip | carried | ~written.present | (coarse & ~self._right(identifier, written))
            before = {name: cells & on for name, cells in before.items()}
            before["behind"] |= wrong | slip | carried
            before["wrong"] |= wrong
            before["coarse"] |= coarse
            for marks, cells in ((work.bad, wrong | slip), (work.carried, carried)):
                if cells.any():
                    marks[identifier] = cells
            for reading in (work.own, work.plain, work.mended):
                reading.forget(identifier)
        for name, cells in before.items():
            if cells.any():
                marked[name][identifier] = cells
        if written is None and (carried := work.dependents(identifier, work.carried)).any():
            work.carried[identifier] = carried

    def _right(self, identifier: str, written: WrittenMatrix) -> Marked:
        """Whether cells are the key's at their own digits."""
        return stands_for(
            written, np.maximum(written.own, written.units), Interval.exactly(self.key.values[identifier])
        )

    def name_slips(self, site: Site) -> None:
        """Line 10."""
        verdicts, replaced = self.verdicts[site.id], False
        for found in self.explain(site):
            cells = found.cells & site.failing
            for row, column in np.argwhere(cells).tolist():
                self.slips.setdefault(site.id, {}).setdefault((row, column), []).append(found.slip)
            verdicts[cells] = "slip"
            if found.left_out and not replaced:
                replaced = True
                for each, interval in found.left_out:
                    self.work.replace(each, interval)

    # The result

    def marks(self, identifier: str) -> Iterator[Mark]:
        entries, expected = self.sheet.written[identifier].entries, self.key.values[identifier].tolist()
        own, slips = self.on_own[identifier].tolist(), self.slips.get(identifier, {})
        empty = self.empty.get(identifier, np.zeros(self.key.values[identifier].shape, dtype=bool))
        for row, verdicts in enumerate(self.verdicts[identifier].tolist()):
            for column, verdict in enumerate(verdicts):
                entry = entries[row][column]
                yield Mark(
                    identifier, row, column, entry.text, verdict, expected[row][column], own[row][column],
                    tuple(slips.get((row, column), ())), entry.digits, bool(empty[row, column]),
                )  # fmt: skip


@dataclass(eq=False)
class _Open:
    """The cells of a matrix that are not the key's: lines 5 to 11."""

    judging: _Judging
    identifier: str
    written: WrittenMatrix

    def __post_init__(self) -> None:
        self.work, self.key = self.judging.work, self.judging.key
        self.verdicts, self.on_own = self.judging.verdicts[self.identifier], self.judging.on_own[self.identifier]
        rule = self.work.rule(self.identifier) or self.key.program.assignments[self.identifier].expression
        assert rule is not None  # it is computed
        self.rule = rule
        self.untold = np.zeros(self.on_own.shape, dtype=bool)
        self.right = self.key.values[self.identifier]
        self.behind, self.wrong, self.coarse = (
            self.work.dependents(self.identifier, marks)
            for marks in (self.work.behind, self.work.wrong_behind, self.work.coarse_behind)
        )

    def judge(self) -> None:
        self._empty()
        if self._is_open:
            self._follows()
        if self._is_open:
            self._by_a_slip()

    @property
    def _is_open(self) -> bool:
        return _open(self.verdicts)

    def _empty(self) -> None:
        """Line 5: what the right rule makes of such cells says nothing."""
        if not (self.wrong | self.coarse).any():
            return
        cells = self._says_nothing() & (self.wrong | self.coarse) & (self.verdicts == "")
        _give(self.verdicts, cells & self.wrong, "wrong")
        _give(self.verdicts, cells, "too_coarse")
        if cells.any():
            self.judging.empty[self.identifier] = cells

    def _says_nothing(self) -> Marked:
        """Whether the right rule gives 0, 1, −1 or the very number that is updated, and the key is another number.

        Of a step function 0 and 1 are all that there is.
        """
        own = self._constants(self.on_own, self.work.own.values)
        key = self._constants(self.right, self.key.values)
        if is_step(self.rule):
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
        bounds, wide = self._bounds(work.own)
        rounded, cut = self._by(work.own, self.on_own, bounds, wide)
        alone = ~self.behind & ~self.coarse
        _give(verdicts, (rounded | cut) & self.coarse & ~self.behind, "too_coarse")
        _give(verdicts, rounded & alone, "rounded")
        self.judging._cut(self.identifier, cut & alone, "rounded")
        if (self.behind & (verdicts == "")).any():
            if self._may_follow_mended(rounded | cut):
                self._mended()
            _give(verdicts, rounded, "carried")
            self.judging._cut(self.identifier, cut, "carried")
        if work.replaced and self._is_open:
            plain = self.key.compute(self.identifier, work.plain.values)
            _give(verdicts, np.logical_or(*self._by(work.plain, plain, *self._bounds(work.plain))), "carried")
        coarse = self.written.coarse & stands_for(self.written, self.written.own, Interval.exactly(self.on_own))
        _give(verdicts, wide & coarse, "too_coarse")
        _give(verdicts, wide & self.written.present, "not_read")
        if self.untold.any():
            _give(verdicts, self._may_be_mended(), "not_read")

    def _may_follow_mended(self, follows: Marked) -> bool:
        """Whether a cell is near enough to what it would be with the wrong cells put right, or in need of that."""
        written, slack = self.written, tolerance(self.written)
        mended = self.key.compute(self.identifier, self.work.mended.values)
        near = close(written.values, mended, farthest_told(written.units, self.right) + slack)
        near |= close(written.values, self.right, 2 * slack)
        return bool(((self.verdicts == "") & (near | ~follows)).any())

    def _mended(self) -> None:
        """As it would be with the wrong cells before it put right: an error in copying that was not used further."""
        mended = self.work.mended
        bounds, self.untold = self._bounds(mended)
        values = self.key.compute(self.identifier, mended.values)
        follows = np.logical_or(*self._by(mended, values, bounds, self.untold))
        carries = self.work.dependents(self.identifier, self.work.carried)
        _give(self.verdicts, follows & ~carries & ~self.coarse, "rounded")
        _give(self.verdicts, follows & ~carries, "too_coarse")
        _give(self.verdicts, follows, "carried")

    def _may_be_mended(self) -> Marked:
        """Where so much was put right that it cannot be told whether a number follows from that."""
        value, reach = self.work.mended.by_right_rule(self.identifier)
        return self.untold & inside(self.written.values, Interval.around(value, reach), tolerance(self.written))

    def _bounds(self, reading: Reading) -> tuple[Interval, Marked]:
        """Between what the right rule's value lies, and where that is so wide that it says nothing."""
        if is_step(self.rule):
            found = bound(self.rule, reading.bounds)
            return found, np.zeros(found.low.shape, dtype=bool)
        value, reach = reading.by_right_rule(self.identifier)
        wide = too_wide(reach, self.written.units, self.right) | ~np.isfinite(value)
        return Interval.around(value, np.where(wide, 0.0, reach)), wide

    def _by(self, reading: Reading, values: Array, bounds: Interval, wide: Marked) -> tuple[Marked, Marked]:
        """The cells that the right rule on these earlier cells explains, rounded and cut off."""
        written, units = self.written, self.written.units
        slack = tolerance(written)
        if is_step(self.rule):
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
        jumping = [each.name for each in traversal.symbols(self.rule) if self.work.jumps(each.name)]
        if not jumping or not isinstance(self.rule, m.Broadcast):
            return
        for end in ("low", "high"):
            other = reading.with_values({name: getattr(reading.bounds[name], end) for name in jumping})
            yield other.by_right_rule(self.identifier)

    def _by_a_slip(self) -> None:
        """Lines 9 to 11."""
        verdicts, judging = self.verdicts, self.judging
        right = self._bounds(self.work.own)[0]
        failing = verdicts == ""
        coarse = failing & self.written.coarse & stands_for(self.written, self.written.own, right)
        coarse &= not is_step(self.rule)  # whose 0 and 1 are exact
        units = np.minimum(self.written.units, least_own(self.written))
        slack = half(self.written, units * (2 if judging.cuts_off else 1))
        site = Site(self.identifier, self.rule, self.work, self.written, right, self.on_own, slack, failing, coarse)
        if (failing & ~coarse).any():
            judging.name_slips(site)
            empty = (verdicts == "slip") & np.logical_or.reduce(
                self._constants(self.written.values, self.work.own.values)
            )
            judging.empty[self.identifier] = judging.empty.get(self.identifier, False) | empty
        _give(verdicts, coarse, "too_coarse")
        _give(verdicts, failing, "wrong")


def _unwritten(written: WrittenMatrix) -> NDArray[np.object_]:
    """The verdicts on a matrix, to begin with: none but on cells that hold no number."""
    verdicts = np.full(written.values.shape, "", dtype=object)
    for row, column in np.argwhere(~written.present).tolist():
        verdicts[row, column] = written.entries[row][column].kind
    return verdicts


def _open(verdicts: NDArray[np.object_]) -> bool:
    """Whether a cell has no verdict yet."""
    return "" in verdicts.ravel().tolist()


def _give(verdicts: NDArray[np.object_], cells: Marked, verdict: Verdict) -> None:
    """A verdict to the cells that have none yet."""
    verdicts[(verdicts == "") & cells] = verdict
