"""A learner's work so far: every matrix as values, and how far each can be off, made when it is first asked for.

A number may stand for anything that rounds to it; a matrix that was left out follows by the right rule
from the learner's own earlier cells, and may have been rounded on scratch paper.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from functools import cached_property
from typing import TypeVar

import numpy as np

from tracer.answers.key import Key
from tracer.calculus.first_order import Moved, moved
from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.expression.arrays import Array
from tracer.expression.dependents import Marked, dependents
from tracer.expression.interval import Interval, bound
from tracer.expression.rounding_error import step_values
from tracer.judging.by_key import cuts_off
from tracer.judging.numbers import FARTHEST, LEAST_DIGITS, MARGIN, ROUNDING
from tracer.judging.sheet import Sheet
from tracer.judging.verdicts import Idea

Made = TypeVar("Made")


class OnDemand(dict[str, Made]):
    """Things by identifier, each made when it is first asked for."""

    def __init__(self, make: Callable[[str], Made]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, identifier: str) -> Made:
        made = self[identifier] = self._make(identifier)
        return made


class Reading:
    """A learner's matrices, read one way: the numbers, and how what they stand for can move.

    `put_right` are cells that are made anew by the right rule, `replaced` bounds of left-out matrices that were
    likely made by a wrong one.
    """

    def __init__(self, work: Work, put_right: Mapping[str, Marked], replaced: Mapping[str, Interval]) -> None:
        self.work, self.put_right, self.replaced = work, put_right, replaced
        self.values = OnDemand(self._values)
        self.made = OnDemand(lambda each: work.key.compute(each, self.values))  # by the right rule, all cells
        self.moved = OnDemand(self._moved)
        self.bounds = OnDemand(self._bounds)

    def forget(self, identifier: str) -> None:
        """Make a matrix anew when it is next asked for."""
        for made in (self.values, self.made, self.moved, self.bounds):
            made.pop(identifier, None)

    def _missing(self, identifier: str) -> Marked:
        """The cells that are made by the right rule."""
        written, shape = self.work.sheet.written.get(identifier), self.work.key.values[identifier].shape
        missing = np.ones(shape, dtype=bool) if written is None else ~written.present
        return np.asarray(missing | self.put_right.get(identifier, False))

    def _values(self, identifier: str) -> Array:
        work, key, missing = self.work, self.work.key, self._missing(identifier)
        if identifier in self.replaced:
            return middle(self.replaced[identifier])
        if not missing.any():
            return work.sheet.written[identifier].values
        made = key.values[identifier] if work.rule(identifier) is None else self.made[identifier]
        return np.where(missing, made, work.sheet.written[identifier].values) if not missing.all() else made

    def _moved(self, identifier: str) -> Moved:
        """With a source of error for each cell."""
        work, values, rule = self.work, self.values[identifier], self.work.rule(identifier)
        if identifier in self.replaced:
            low, high = self.replaced[identifier].low, self.replaced[identifier].high
            return Moved.by_each(values, identifier, (high - low) / 2)
        missing = self._missing(identifier)
        if rule is None:
            given = np.broadcast_to(work.key.halves[identifier], values.shape)
            return Moved.by_each(values, identifier, np.where(missing, given, work.given_half(identifier)))
        if not missing.any():
            return Moved.by_each(values, identifier, work.half(identifier))
        made = moved(rule, self.moved)
        exact = is_step(rule) or work.counts(identifier)
        in_the_head = np.zeros_like(values) if exact else work.scratch(identifier, values)
        if missing.all():
            return made.off_by(identifier, in_the_head)
        parts = {name: part * missing for name, part in made.parts.items()}
        half = np.where(missing, in_the_head, work.half(identifier))
        return Moved(values, parts, made.rest * missing).off_by(identifier, half)

    def _bounds(self, identifier: str) -> Interval:
        rule = self.work.rule(identifier)
        if identifier in self.replaced:
            return self.replaced[identifier]
        if rule is not None and is_step(rule) and self.work.left_out(identifier):
            return bound(rule, self.bounds)
        return Interval.around(self.values[identifier], self.moved[identifier].reach)

    def with_values(self, others: Mapping[str, Array]) -> Reading:
        """The same, with other values of some matrices that stand exactly."""
        changed = Reading(self.work, self.put_right, self.replaced)
        changed.values = OnDemand(lambda each: others[each] if each in others else self.values[each])
        changed.moved = OnDemand(lambda each: Moved.exactly(others[each]) if each in others else self.moved[each])
        return changed

    def by_right_rule(self, identifier: str) -> tuple[Array, Array]:
        """The right rule on these, and how far it can move."""
        rule = self.work.rule(identifier)
        assert rule is not None  # it is computed
        return self.made[identifier], moved(rule, self.moved).reach * (1 + MARGIN)


class Work:
    """What a learner has, with marks on their cells.

    `right` are correct or rounded, `bad` wrong or slips, `carried` follow from such. Of `marked` "behind" are all of
    these and what depends on them in matrices left out, "wrong" the same of wrong ones, "coarse" of cells that are too
    coarse. `known` are wrong rules that explain whole matrices so far. `reading` has the bounds of each matrix. `own`
    reads the work as it stands, `mended` with the wrong cells put right, `plain` without the wrong rules that were
    likely used in left-out matrices.
    """

    def __init__(self, sheet: Sheet) -> None:
        self.sheet, self.key = sheet, sheet.key
        self.bad: dict[str, Marked] = {}
        self.carried: dict[str, Marked] = {}
        self.marked: dict[str, dict[str, Marked]] = {"behind": {}, "wrong": {}, "coarse": {}}
        self.fewest = _finest(sheet, self.key)
        self.replaced: dict[str, Interval] = {}
        self.known: list[Idea] = []  # wrong rules that explain whole matrices so far
        self.right: dict[str, Marked] = {}
        self.own = Reading(self, {}, self.replaced)
        self.plain = Reading(self, {}, {})
        self.mended = Reading(self, self.bad, {})
        self.reading = self.own.bounds

    def rule(self, identifier: str) -> m.Matrix | None:
        """The right rule; None for what is given, or was printed."""
        printed = identifier == self.key.program.rate or identifier in self.key.printed
        return None if printed else self.key.program.assignments[identifier].expression

    def left_out(self, identifier: str) -> bool:
        """Whether a matrix is to be computed and was not written down."""
        return identifier not in self.sheet.written and self.rule(identifier) is not None

    def half(self, identifier: str) -> Array:
        """What each cell of a written matrix may be off: half of its last place, or its distance from the key.

        Of a right cell the last place is the one asked for, or a coarser one where no cell of the matrix is written
        finer and the key has more digits: else a zero behind it was left out.
        """
        written = self.sheet.written[identifier]
        if self.counts(identifier):
            return np.zeros_like(written.values)
        part = 1.0 if self.cuts_off else 0.5  # of the last place
        as_written = np.maximum(written.units, written.own) * part
        if identifier not in self.right:
            return as_written
        distance = np.abs(written.values - self.key.values[identifier])
        exact = distance <= ROUNDING * np.abs(written.values)  # what has no more digits needs no zeros behind it
        least, most = np.where(exact, 0.0, written.finest * part), 2 * part * FARTHEST * written.units
        off = np.maximum(np.minimum(distance, most), least)
        half = np.where(self.right[identifier], np.maximum(written.units * part, off), as_written)
        return np.where(written.present, half, 0.0)

    def counts(self, identifier: str) -> bool:
        """Whether a matrix holds a whole number that nobody rounds: of the passes so far."""
        return self.key.program.assignments[identifier].kind == "count"

    def scratch(self, identifier: str, values: Array) -> Array:
        """What cells that were left out may be off: rounded as asked for, or to what the learner works with at most."""
        decimals, digits = self.fewest
        with np.errstate(divide="ignore"):
            places = np.floor(np.log10(np.abs(values))) + 1 - digits
        least = np.maximum(self.key.units(identifier), 10.0**-decimals)
        return np.asarray(np.maximum(least, 10.0**places))

    def given_half(self, identifier: str) -> Array:
        """What given numbers that the learner wrote may be off: those of the problem stand for all their digits."""
        written = self.sheet.written.get(identifier)
        half = np.broadcast_to(self.key.halves[identifier], self.key.values[identifier].shape)
        if written is None:
            return half
        return np.where(written.values != self.key.values[identifier], self.half(identifier), half)

    @cached_property
    def cuts_off(self) -> bool:
        """Whether the learner cuts off, so that a number stands for anything up to a whole unit beyond it."""
        return cuts_off(self.sheet)

    @cached_property
    def jumping(self) -> frozenset[str]:
        """The matrices that were left out and hold the values of a step function."""
        left_out = (each for each in self.key.program.computed if self.left_out(each))
        return frozenset(each for each in left_out if is_step(self.rule(each)))

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
        behind = self.marked["behind"]
        self.bad[identifier] = behind[identifier] = np.ones(interval.low.shape, dtype=bool)
        for each in [identifier, *self._left_out_after(identifier)]:
            self.own.forget(each)
            if each != identifier:
                behind[each] = self.dependents(each, behind)
        self.own.made.clear()

    def supposing(self, left_out: Mapping[str, Interval]) -> Work:
        """The same work, supposing that these left-out matrices were made by wrong rules."""
        supposed = copy(self)
        supposed.replaced = {**self.replaced, **left_out}
        supposed.own = Reading(supposed, {}, supposed.replaced)
        supposed.reading = supposed.own.bounds
        return supposed

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

    def in_the_head(self, identifier: str, bounds: Mapping[str, Interval]) -> Interval:
        """The bounds of a left-out matrix, given those of the ones before it."""
        expression = self.rule(identifier)
        assert expression is not None  # it is computed
        made = bound(expression, bounds)
        exact = is_step(expression) or self.counts(identifier)
        return made if exact else wider(made, self.scratch(identifier, middle(made)))

    def unit(self, identifier: str) -> float:
        """The coarsest last place that a matrix is asked for."""
        return float(self.key.units(identifier).max())


def _finest(sheet: Sheet, key: Key) -> tuple[float, float]:
    """The most decimals and the most significant digits that a learner writes anywhere.

    At least one decimal fewer than the sheet asks for and three digits: coarser scratch paper would excuse anything.
    """
    entries = [entry for each in sheet.written.values() for row in each.entries for entry in row]
    numbers = [entry for entry in entries if entry.kind == "number" and entry.value != 0]
    if not numbers:
        return math.inf, math.inf
    decimals = (math.inf if entry.decimals is None else entry.decimals for entry in numbers)
    asked = min(key.asked[each] for each in key.program.computed)
    return max(asked - 1, *decimals), max(LEAST_DIGITS, *(entry.digits for entry in numbers))


def is_step(expression: m.Matrix | None) -> bool:
    """Whether a matrix holds nothing but the values of a step function, such as the slope of ReLU."""
    if isinstance(expression, m.Rounded):
        expression = expression.operand
    return isinstance(expression, m.Apply) and step_values(expression.template) is not None


def wider(interval: Interval, half: Array | float) -> Interval:
    return Interval(interval.low - half, interval.high + half)


def middle(interval: Interval) -> Array:
    with np.errstate(invalid="ignore"):
        return np.asarray((interval.low + interval.high) / 2)
