"""The verdict on every cell: fair to rounding, an error marked once and carried after that.

Every matrix is judged by the right rule on the learner's own earlier cells, as intervals: each
number may stand for anything that rounds to it. Nothing is computed for a matrix that is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tracer.check.sheet import Key, Sheet, Written
from tracer.expression import matrix as m
from tracer.expression.evaluate import evaluate
from tracer.expression.interval import Interval, bound
from tracer.expression.reach import Marked, reached

Verdict: TypeAlias = Literal["correct", "rounded", "carried", "slip", "too_coarse", "wrong", "blank", "unreadable"]
VERDICTS: tuple[Verdict, ...] = (
    "correct", "rounded", "carried", "slip", "wrong", "blank", "unreadable", "too_coarse",
)  # fmt: skip
COUNTS: frozenset[Verdict] = frozenset({"correct", "rounded", "carried"})
SLACK = 1e-9  # of a unit: a tie is a tie (expression/digits.py)
ROUNDING = 4 * np.finfo(np.float64).eps  # of a value: float64's own

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Slip:
    """A wrong rule that explains a cell, and a sentence about it."""

    slug: str
    says: str


@dataclass(frozen=True)
class Mark:
    """The verdict on a cell; rows and columns count from 0, `on_own_work` is the right rule on the learner's cells."""

    id: str
    row: int
    column: int
    answer: str
    verdict: Verdict
    expected: float
    on_own_work: float
    slips: tuple[Slip, ...] = ()


@dataclass(eq=False)
class Site:
    """A matrix that is being judged, for the rules of wrong turns: its right rule and the learner's own cells.

    `failing` has the cells that the right rule does not explain; `own` and `values` are bounds and values of
    everything before; `right` is the right rule's bounds and `tolerance` what every bound is widened by.
    """

    id: str
    expression: m.Matrix
    key: Key
    written: Written
    own: Mapping[str, Interval]
    values: Mapping[str, Array]
    right: Interval
    tolerance: Array
    failing: Marked
    left_out: Sequence[str]

    def explains(self, interval: Interval) -> Marked:
        """The cells whose number lies within the bounds."""
        return _inside(self.written.values, interval, self.tolerance)


Explain: TypeAlias = Callable[[Site], Iterable[tuple[Slip, Marked]]]
"""Names the slips that explain cells of a site, the likeliest first, each with the cells that it explains."""


def no_slips(site: Site) -> Iterable[tuple[Slip, Marked]]:
    return ()


def judge(sheet: Sheet, explain: Explain = no_slips) -> list[Mark]:
    """The verdicts on all cells of a sheet's matrices, in order of time."""
    judging = _Judging(sheet, explain)
    for identifier in sheet.key.program.assignments:
        judging.matrix(identifier)
    return [mark for identifier in sheet.written for mark in judging.marks(identifier)]


@dataclass(eq=False)
class _Judging:
    """Goes through the matrices in order of time; `own` has the bounds of each as the learner has it.

    `mended` is the same with the wrong cells put right, `bad` has the wrong cells, `void` the matrices
    whose wrong numbers carry no information.
    """

    sheet: Sheet
    explain: Explain
    own: dict[str, Interval] = field(default_factory=dict)
    mended: dict[str, Interval] = field(default_factory=dict)
    values: dict[str, Array] = field(default_factory=dict)
    behind: dict[str, Marked] = field(default_factory=dict)
    void: dict[str, Marked] = field(default_factory=dict)
    verdicts: dict[str, NDArray[np.object_]] = field(default_factory=dict)
    slips: dict[str, dict[tuple[int, int], list[Slip]]] = field(default_factory=dict)
    truncates: bool = False

    def __post_init__(self) -> None:
        self.key = self.sheet.key
        units = [written.units[written.present] for written in self.sheet.written.values()]
        used = np.concatenate([each.ravel() for each in units]) if units else np.array([])
        self.coarsest = float(used.max()) if used.size else 0.0
        for identifier in self.key.program.inputs:
            value = self.key.values[identifier]
            self.own[identifier] = self.mended[identifier] = Interval.around(value, self.key.halves[identifier])
            self.values[identifier] = value

    # What the learner has by now

    def matrix(self, identifier: str) -> None:
        expression = self.key.program.assignments[identifier].expression
        written = self.sheet.written.get(identifier)
        if expression is None:
            if written is not None:
                self._given(identifier, written)
        elif written is None:
            self._left_out(identifier, expression)
        else:
            self._computed(identifier, expression, written)

    def _given(self, identifier: str, written: Written) -> None:
        """Numbers that were copied: right as they stand, or a copying error."""
        key = self.key.values[identifier]
        right = self._equals(written, key)
        self.verdicts[identifier] = np.where(right, "correct", "wrong").astype(object)
        self._mark_unwritten(identifier, written)
        wrong = written.present & ~right
        exact = written.present & (written.values == key)
        half = np.where(written.present & ~exact, written.units / 2, self.key.halves[identifier])
        values = np.where(written.present, written.values, key)
        self.own[identifier], self.values[identifier] = Interval.around(values, half), values
        self.mended[identifier] = Interval.around(np.where(wrong, key, values), np.where(wrong, 0.0, half))
        self._note(identifier, wrong, wrong)

    def _left_out(self, identifier: str, expression: m.Matrix) -> None:
        """By the right rule from what is there; the learner had it rounded in the head."""
        self.own[identifier] = _wider(bound(expression, self.own), self.coarsest / 2)
        self.mended[identifier] = (
            _wider(bound(expression, self.mended), self.coarsest / 2) if self.behind else self.own[identifier]
        )
        self.values[identifier] = self._value(expression)
        self._note(identifier, reached(expression, self.behind) if self.behind else None, None)
        if self.void:
            self.void[identifier] = reached(expression, self.void)

    def _computed(self, identifier: str, expression: m.Matrix, written: Written) -> None:
        right = self._equals(written, self.key.values[identifier])
        verdicts = np.where(right, "correct", "").astype(object)
        self.verdicts[identifier] = verdicts
        self._mark_unwritten(identifier, written)
        open_cells = verdicts == ""
        behind = reached(expression, self.behind) if self.behind else np.zeros(right.shape, dtype=bool)
        if open_cells.any():
            self._judge_open(identifier, expression, written, behind)
        self._keep(identifier, expression, written, behind)

    def _judge_open(self, identifier: str, expression: m.Matrix, written: Written, behind: Marked) -> None:
        """The cells that do not equal the key."""
        verdicts, tolerance = self.verdicts[identifier], _tolerance(written)
        own = bound(expression, self.own)
        by_own = _inside(written.values, own, tolerance)
        by_mended = _inside(written.values, bound(expression, self.mended), tolerance) if behind.any() else by_own
        void = reached(expression, self.void) if self.void else np.zeros(behind.shape, dtype=bool)
        _give(verdicts, by_mended | (by_own & ~behind), "rounded")
        _give(verdicts, by_own & ~void, "carried")
        self._truncated(identifier, expression, written)
        if not (verdicts == "").any():
            return
        self._name_slips(identifier, expression, written, own, tolerance)
        _give(verdicts, self._coarse(identifier, written, own), "too_coarse")
        _give(verdicts, np.ones(verdicts.shape, dtype=bool), "wrong")

    def _truncated(self, identifier: str, expression: m.Matrix, written: Written) -> None:
        """Cells cut off where they should be rounded; believed of a learner who plainly does so somewhere."""
        verdicts, key = self.verdicts[identifier], self.key.values[identifier]
        if not (verdicts == "").any():
            return
        cut = _cut_off(written, Interval.exactly(key))
        self.truncates |= bool((cut & (verdicts == "")).any())
        if self.truncates:
            cut |= _cut_off(written, bound(expression, {each: self._cut_own(each) for each in self.own}))
        cut &= verdicts == ""
        _give(verdicts, cut, "rounded")
        for place in np.argwhere(cut).tolist():
            slip = Slip("truncated", "cut off after the last digit; it should be rounded")
            self.slips.setdefault(identifier, {})[place[0], place[1]] = [slip]

    def _cut_own(self, identifier: str) -> Interval:
        """Bounds of cells that may have been cut off."""
        own, written = self.own[identifier], self.sheet.written.get(identifier)
        if written is None or self.key.program.assignments[identifier].expression is None:
            return own
        more = np.where(written.present, written.units / 2, 0.0)
        return Interval(
            np.where(written.values < 0, own.low - more, own.low),
            np.where(written.values > 0, own.high + more, own.high),
        )

    def _name_slips(
        self, identifier: str, expression: m.Matrix, written: Written, right: Interval, tolerance: Array
    ) -> None:
        verdicts = self.verdicts[identifier]
        left_out = [
            each for each in self.values if each not in self.sheet.written and each in self.key.program.computed
        ]
        site = Site(
            identifier, expression, self.key, written, self.own, self.values, right, tolerance, verdicts == "", left_out
        )
        for slip, explained in self.explain(site):
            for row, column in np.argwhere(explained & site.failing).tolist():
                self.slips.setdefault(identifier, {}).setdefault((row, column), []).append(slip)
                verdicts[row, column] = "slip"

    def _coarse(self, identifier: str, written: Written, own: Interval) -> Marked:
        """Right at the digits written, of which there are fewer than asked for."""
        asked = self.key.problem.decimals.of(identifier)
        units = np.array([[entry.own_unit() if entry.kind == "number" else 0.0 for entry in row]
                          for row in written.entries])  # fmt: skip
        fewer = units > 1.5 * 10.0**-asked
        half = (0.5 + SLACK) * units
        right = np.abs(written.values - self.key.values[identifier]) <= half
        return fewer & (right | _inside(written.values, own, half))

    # What later matrices are judged on

    def _keep(self, identifier: str, expression: m.Matrix, written: Written, behind: Marked) -> None:
        verdicts = self.verdicts[identifier]
        bad = (verdicts == "wrong") | (verdicts == "slip")
        coarse = verdicts == "too_coarse"
        half = np.where(coarse, _own_halves(written), written.units / 2)
        own = Interval.around(written.values, half)
        if not written.present.all():
            there = _wider(bound(expression, self.own), self.coarsest / 2)
            own = _where(written.present, own, there)
        self.own[identifier] = self.mended[identifier] = own
        if bad.any():
            self.mended[identifier] = _where(bad, _wider(bound(expression, self.mended), self.coarsest / 2), own)
        self.values[identifier] = self._filled(identifier, expression, written)
        self._note(identifier, behind | bad, bad)

    def _filled(self, identifier: str, expression: m.Matrix, written: Written) -> Array:
        if written.present.all():
            return written.values
        return np.where(written.present, written.values, self._value(expression))

    def _note(self, identifier: str, behind: Marked | None, bad: Marked | None) -> None:
        """Which cells are wrong or have a wrong one behind them, and whether they say nothing."""
        if behind is not None and behind.any():
            self.behind[identifier] = behind
        written = self.sheet.written.get(identifier)
        if written is None or bad is None or not bad.any():
            return
        numbers = written.values[written.present]
        if numbers.size > 1 and (numbers == numbers[0]).all():
            self.void[identifier] = np.ones(bad.shape, dtype=bool)

    def _mark_unwritten(self, identifier: str, written: Written) -> None:
        for row, entries in enumerate(written.entries):
            for column, entry in enumerate(entries):
                if entry.kind != "number":
                    self.verdicts[identifier][row, column] = entry.kind

    def _equals(self, written: Written, key: Array) -> Marked:
        """Equal to the digits written."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.abs(written.values - key) <= (0.5 + SLACK) * written.units + ROUNDING * np.abs(key))

    def _value(self, expression: m.Matrix) -> Array:
        with np.errstate(all="ignore"):
            return evaluate(expression, self.values)

    # The result

    def marks(self, identifier: str) -> Iterator[Mark]:
        written, expected = self.sheet.written[identifier], self.key.values[identifier]
        expression = self.key.program.assignments[identifier].expression
        own = expected if expression is None else self._value(expression)
        slips = self.slips.get(identifier, {})
        for (row, column), verdict in np.ndenumerate(self.verdicts[identifier]):
            yield Mark(
                identifier, row, column, written.entries[row][column].text, verdict, float(expected[row, column]),
                float(own[row, column]), tuple(slips.get((row, column), ())),
            )  # fmt: skip


def _give(verdicts: NDArray[np.object_], cells: Marked, verdict: Verdict) -> None:
    """A verdict to the cells that have none yet."""
    verdicts[(verdicts == "") & cells] = verdict


def _tolerance(written: Written) -> Array:
    """What a number may be off the value that it stands for."""
    return np.asarray((0.5 + SLACK) * written.units + ROUNDING * np.abs(written.values))


def _own_halves(written: Written) -> Array:
    halves = [[entry.own_unit() / 2 for entry in row] for row in written.entries]
    return np.asarray(np.maximum(np.array(halves), written.units / 2))


def _inside(values: Array, interval: Interval, tolerance: Array) -> Marked:
    with np.errstate(invalid="ignore"):
        return np.asarray((values >= interval.low - tolerance) & (values <= interval.high + tolerance))


def _cut_off(written: Written, interval: Interval) -> Marked:
    """Whether a value within the bounds gives the number when its further digits are cut off."""
    values, units = written.values, written.units
    slack = SLACK * units + ROUNDING * np.abs(values)
    with np.errstate(invalid="ignore"):
        low = np.where(values <= 0, values - units, values) - slack
        high = np.where(values >= 0, values + units, values) + slack
        return np.asarray((interval.high >= low) & (interval.low <= high))


def _wider(interval: Interval, half: float) -> Interval:
    return Interval(interval.low - half, interval.high + half)


def _where(cells: Marked, yes: Interval, no: Interval) -> Interval:
    return Interval(np.where(cells, yes.low, no.low), np.where(cells, yes.high, no.high))
