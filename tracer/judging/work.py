"""A learner's work so far: every matrix as bounds and values, each made when it is first asked for.

A number may stand for anything that rounds to it; a matrix that was left out follows by the right rule
from the learner's own earlier cells, and is rounded in the head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.dependents import Marked, dependents
from tracer.expression.interval import Interval, bound
from tracer.judging.sheet import Sheet, WrittenMatrix

SLACK = 1e-9  # of a unit: a tie is a tie (expression/digits.py)
ROUNDING = 4 * np.finfo(np.float64).eps  # of a value: float64's own

Array = NDArray[np.float64]
Made = TypeVar("Made")


class OnDemand(dict[str, Made]):
    """Things by identifier, each made when it is first asked for."""

    def __init__(self, make: Callable[[str], Made]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, identifier: str) -> Made:
        made = self[identifier] = self._make(identifier)
        return made


class MadeAnew(dict[str, Made]):
    """Things by identifier, made anew whenever they are asked for."""

    def __init__(self, make: Callable[[str], Made]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, identifier: str) -> Made:
        return self._make(identifier)


class Work:
    """What a learner has, with marks on their cells: `bad` are wrong, `carried` follow from such.

    `behind` are those both, and all that depends on them in matrices left out; `void` are wrong and say nothing.
    `past` has the matrices that come before the one being judged.
    `own` are the bounds of each matrix as it stands, `mended` with the wrong cells put right, `cut` of
    a learner who cuts digits off; `values` and `mended_values` are the numbers themselves. `replaced`
    has bounds of left-out matrices that were likely made by a wrong rule, `plain` is `own` without them;
    `reading` has the bounds of any matrix.
    """

    def __init__(self, sheet: Sheet) -> None:
        self.sheet, self.key = sheet, sheet.key
        self.marked: dict[str, dict[str, Marked]] = {name: {} for name in ("bad", "carried", "behind", "void")}
        self.bad, self.carried, self.behind, self.void = self.marked.values()
        self.coarse: dict[str, Marked] = {}
        self.replaced: dict[str, Interval] = {}
        self.past: set[str] = set()
        self.coarsest = _coarsest(sheet)
        self.reading = MadeAnew(self.ahead)
        self.own = OnDemand(self._own)
        self.plain = OnDemand(self._plain)
        self.mended = OnDemand(self._mended)
        self.cut = OnDemand(self._cut)
        self.values = OnDemand(self._values)
        self.mended_values = OnDemand(self._mended_values)

    def rule(self, identifier: str) -> m.Matrix | None:
        """The right rule; None for what is given, or was printed."""
        printed = identifier == self.key.program.rate or identifier in self.key.printed
        return None if printed else self.key.program.assignments[identifier].expression

    def left_out(self, identifier: str) -> bool:
        """Whether a matrix is to be computed and was not written down."""
        return identifier not in self.sheet.written and self.rule(identifier) is not None

    def jumps(self, identifier: str) -> bool:
        """Whether a matrix was left out that holds the values of a step function."""
        expression = self.rule(identifier)
        return expression is not None and is_step(expression) and self.left_out(identifier)

    def left_out_before(self, identifier: str) -> list[str]:
        """The left-out matrices that a matrix is made from through left-out ones alone, the nearest first."""
        found: list[str] = []
        waiting = [identifier]
        while waiting:
            for each in self.symbols(waiting.pop(0)):
                if self.left_out(each) and each not in found:
                    found.append(each)
                    waiting.append(each)
        return found

    def dependents(self, identifier: str, marked: dict[str, Marked]) -> Marked:
        """The cells of a matrix that marked ones go into."""
        expression = self.rule(identifier)
        if expression is None or not marked:
            return np.zeros(self.key.values[identifier].shape, dtype=bool)
        return dependents(expression, marked)

    def replace(self, identifier: str, interval: Interval) -> None:
        """Take other bounds for a left-out matrix from here on, and for what follows from it."""
        self.replaced[identifier] = interval
        self.bad[identifier] = self.behind[identifier] = np.ones(interval.low.shape, dtype=bool)
        for each in [identifier, *self._left_out_after(identifier)]:
            for made in (self.own, self.cut, self.values):
                made.pop(each, None)
            if each != identifier:
                self.behind[each] = self.dependents(each, self.behind)

    def ahead(self, identifier: str) -> Interval:
        """Bounds of any matrix, though it may come later in time than what is being judged."""
        written, expression = self.sheet.written.get(identifier), self.rule(identifier)
        if expression is None or identifier in self.past:
            return self.own[identifier]
        if written is not None and written.complete:
            return Interval.around(written.values, written.units / 2)
        return self.made(expression, self.reading)

    def _left_out_after(self, identifier: str) -> Iterator[str]:
        reached_by = {identifier}
        for each in self.key.program.computed:
            if self.left_out(each) and each not in reached_by and reached_by & set(self.symbols(each)):
                reached_by.add(each)
                yield each

    def symbols(self, identifier: str) -> list[str]:
        """The matrices that one is made from."""
        expression = self.rule(identifier)
        names = () if expression is None else (symbol.name for symbol in traversal.symbols(expression))
        return [name for name in dict.fromkeys(names) if name != self.key.program.rate]

    def by_right_rule(self, identifier: str, bounds: Mapping[str, Interval]) -> Interval:
        """The bounds of a left-out matrix, given those of the ones before it."""
        expression = self.rule(identifier)
        assert expression is not None  # it is computed
        return self.made(expression, bounds)

    # The bounds

    def _own(self, identifier: str) -> Interval:
        written, expression = self.sheet.written.get(identifier), self.rule(identifier)
        if identifier in self.replaced:
            return self.replaced[identifier]
        if written is None or expression is None:
            return self._given(identifier, written) if expression is None else self.made(expression, self.own)
        coarse = self.coarse.get(identifier)
        halves = written.units / 2 if coarse is None else np.where(coarse, _own_halves(written), written.units / 2)
        own = Interval.around(written.values, halves)
        return own if written.complete else where(written.present, own, self.made(expression, self.own))

    def _plain(self, identifier: str) -> Interval:
        """As `own`, with nothing replaced."""
        expression = self.rule(identifier)
        if expression is None or not self.left_out(identifier):
            return self.own[identifier]
        return self.made(expression, self.plain)

    def _mended(self, identifier: str) -> Interval:
        if identifier not in self.behind:
            return self.own[identifier]
        expression, bad = self.rule(identifier), self.bad.get(identifier)
        if expression is None:
            right = Interval.exactly(self.key.values[identifier])
        elif bad is None and not self.left_out(identifier) and self.sheet.written[identifier].complete:
            return self.own[identifier]
        else:
            right = self.made(expression, self.mended)
        if self.left_out(identifier):
            return right
        missing = ~self.sheet.written[identifier].present
        return where(missing if bad is None else bad | missing, right, self.own[identifier])

    def _cut(self, identifier: str) -> Interval:
        own, written = self.own[identifier], self.sheet.written.get(identifier)
        expression = self.rule(identifier)
        if expression is None or identifier in self.replaced:
            return own
        if written is None:
            return wider(bound(expression, self.cut), self.coarsest)
        more = np.where(written.present, written.units / 2, 0.0)
        low = np.where(written.values < 0, own.low - more, own.low)
        return Interval(low, np.where(written.values > 0, own.high + more, own.high))

    def _given(self, identifier: str, written: WrittenMatrix | None) -> Interval:
        """Given numbers as the learner has them: those of the problem stand for all their digits."""
        value, half = self.key.values[identifier], self.key.halves[identifier]
        if written is None:
            return Interval.around(value, half)
        other = written.present & (written.values != value)
        return Interval.around(np.where(other, written.values, value), np.where(other, written.units / 2, half))

    def made(self, expression: m.Matrix, bounds: Mapping[str, Interval]) -> Interval:
        """By the right rule, rounded in the head; the values of a step function need no rounding."""
        made = bound(expression, bounds)
        return made if is_step(expression) else wider(made, self.coarsest / 2)

    # The numbers

    def _values(self, identifier: str) -> Array:
        written = self.sheet.written.get(identifier)
        if identifier in self.replaced:
            return middle(self.replaced[identifier])
        if written is not None and written.complete:
            return written.values
        there = self._computed(identifier, self.values)
        return there if written is None else np.where(written.present, written.values, there)

    def _mended_values(self, identifier: str) -> Array:
        bad = self.bad.get(identifier)
        if identifier not in self.behind or (bad is None and not self.left_out(identifier)):
            return self.values[identifier]
        right = self._computed(identifier, self.mended_values)
        return right if self.left_out(identifier) or bad is None else np.where(bad, right, self.values[identifier])

    def _computed(self, identifier: str, values: dict[str, Array]) -> Array:
        given = self.rule(identifier) is None
        return self.key.values[identifier] if given else self.key.compute(identifier, values)


def is_step(expression: m.Matrix) -> bool:
    """Whether a matrix holds nothing but the values of a step function, such as the slope of ReLU."""
    if isinstance(expression, m.Rounded):
        expression = expression.operand
    if not isinstance(expression, m.Apply) or not isinstance(expression.template, s.Where):
        return False
    return isinstance(expression.template.then, s.Number) and isinstance(expression.template.otherwise, s.Number)


def tolerance(written: WrittenMatrix) -> Array:
    """What a number may be off the value that it stands for."""
    return np.asarray((0.5 + SLACK) * written.units + ROUNDING * np.abs(written.values))


def own_units(written: WrittenMatrix) -> Array:
    """One in the last place that was written, of each cell."""
    rows = ([entry.own_unit() if entry.kind == "number" else 0.0 for entry in row] for row in written.entries)
    return np.array(list(rows))


def _coarsest(sheet: Sheet) -> float:
    """One in the last place of the fewest digits that a learner works with: those asked for, or fewer throughout.

    Zeros that are dropped here and there make none: one number with more digits tells, and one digit less is the most.
    """
    asked = [written.units[written.present] for written in sheet.written.values() if written.present.any()]
    own = [own_units(written)[written.present] for written in sheet.written.values() if written.present.any()]
    if not asked:
        return 0.0
    most, finest = max(each.max() for each in asked), min(each.min() for each in own)
    return float(max(most, min(finest, 10 * most)))


def _own_halves(written: WrittenMatrix) -> Array:
    return np.asarray(np.maximum(own_units(written), written.units) / 2)


def inside(values: Array, interval: Interval, tolerance: Array) -> Marked:
    """Whether numbers lie within bounds, give or take their rounding."""
    with np.errstate(invalid="ignore"):
        return np.asarray((values >= interval.low - tolerance) & (values <= interval.high + tolerance))


def close(values: Array, others: Array, tolerance: Array) -> Marked:
    """Whether numbers are rounded from others."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(values - others) <= tolerance)


def wider(interval: Interval, half: float) -> Interval:
    return Interval(interval.low - half, interval.high + half)


def where(cells: Marked, yes: Interval, no: Interval) -> Interval:
    """Bounds of one in some cells, of the other elsewhere."""
    return Interval(np.where(cells, yes.low, no.low), np.where(cells, yes.high, no.high))


def middle(interval: Interval) -> Array:
    with np.errstate(invalid="ignore"):
        return np.asarray((interval.low + interval.high) / 2)
