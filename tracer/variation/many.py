"""Many variants worked at once: every matrix, and what every slip would make of it, along one axis more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.arrays import Array
from tracer.expression.interval import Interval, bound
from tracer.judging.slips.forms import SlipForm
from tracer.program.program import Program

BEYOND = 1e30  # stands for what is no number


@dataclass(frozen=True, eq=False)
class Many:
    """The matrices of many variants, each (variants, rows, columns); given ones that all share are (rows, columns)."""

    program: Program
    values: Mapping[str, Array]
    count: int

    def form(self, form: SlipForm) -> Array:
        """What a slip makes of its matrix in every variant; what is no number is `BEYOND`."""
        intervals = {each: Interval.exactly(value) for each, value in self.values.items()}
        if self.program.turned:
            intervals = {each: interval.transposed for each, interval in intervals.items()}
        shape = self.program.assignments[form.matrix].shape
        by_rows = shape[::-1] if self.program.turned else shape
        made = _middle(bound(form.expression, intervals), (self.count, *by_rows))
        return np.swapaxes(made, -1, -2) if self.program.turned else made

    def carried(self, form: SlipForm) -> dict[str, Array]:
        """Every matrix that comes out otherwise after a slip, made by the right rules from there on."""
        changed = {form.matrix: self.form(form)}
        intervals = {each: Interval.exactly(value) for each, value in self.values.items()}
        for identifier in self.program.computed:
            expression = self.program.assignments[identifier].expression
            assert expression is not None  # it is computed
            if identifier == form.matrix:
                intervals[identifier] = Interval.exactly(changed[identifier])
            elif any(symbol.name in changed for symbol in traversal.symbols(expression)):
                changed[identifier] = _middle(bound(expression, intervals), (self.count, *expression.shape))
                intervals[identifier] = Interval.exactly(changed[identifier])
        return changed

    def only(self, chosen: NDArray[np.intp]) -> Many:
        """Those of some numbers alone."""
        values = {each: value[chosen] if value.ndim > 2 else value for each, value in self.values.items()}
        return Many(self.program, values, len(chosen))


def work_many(program: Program, inputs: Mapping[str, Array], count: int) -> Many:
    """Work many variants; `inputs` has every input of the program."""
    values = dict(inputs)
    intervals = {each: Interval.exactly(value) for each, value in values.items()}
    for identifier in program.computed:
        expression = program.assignments[identifier].expression
        assert expression is not None  # it is computed
        values[identifier] = _middle(bound(expression, intervals), (count, *expression.shape))
        intervals[identifier] = Interval.exactly(values[identifier])
    return Many(program, values, count)


def _middle(interval: Interval, shape: tuple[int, ...]) -> Array:
    with np.errstate(all="ignore"):
        middle = np.asarray((interval.low + interval.high) / 2)
    return np.broadcast_to(np.where(np.abs(middle) < BEYOND, middle, BEYOND), shape)


def is_finite(many: Many) -> NDArray[np.bool_]:
    """Whether every matrix of a variant is made of numbers, (variants,) of bool."""
    found = np.ones(many.count, dtype=bool)
    for each in many.program.computed:
        found &= (np.abs(many.values[each]) < BEYOND).all(axis=(-2, -1))
    return found


def effort(many: Many) -> tuple[Array, Array]:
    """How many products and quotients, and how many exponentials, each variant takes; times 0, 1 or −1 is no work."""
    products, exponentials = np.zeros(many.count), np.zeros(many.count)
    intervals = {each: Interval.exactly(value) for each, value in many.values.items()}
    for identifier in many.program.computed:
        expression = many.program.assignments[identifier].expression
        assert expression is not None  # it is computed
        for part in traversal.parts(expression):
            if isinstance(part, m.MatMul):
                left, right = (_is_work(bound(side, intervals).low) for side in (part.left, part.right))
                products = products + (left.sum(-2) * right.sum(-1)).sum(-1)
            elif isinstance(part, m.Broadcast) and part.operator in "*/":
                left, right = (_is_work(bound(side, intervals).low) for side in (part.left, part.right))
                products = products + (left * right).sum((-2, -1))
            elif isinstance(part, m.Apply):
                cells = part.shape[0] * part.shape[1]
                counts = [_count(part.template, kinds) * cells for kinds in (_PRODUCTS, _EXPONENTIALS)]
                products, exponentials = products + counts[0], exponentials + counts[1]
    return products, exponentials


def exponentials_in(rule: m.Matrix) -> int:
    """How many exponentials, logarithms and the like a cell of a function of cells takes."""
    return _count(rule.template, _EXPONENTIALS) if isinstance(rule, m.Apply) else 0


_PRODUCTS = (s.Product, s.Quotient, s.Power)
_EXPONENTIALS = (s.Exp, s.Log, s.Tanh, s.Function, s.Raised)


def _count(template: s.Scalar, kinds: tuple[type, ...]) -> int:
    return isinstance(template, kinds) + sum(_count(each, kinds) for each in s.children(template))


def _is_work(values: Array) -> Array:
    sizes = np.abs(values)
    return ((sizes > 1e-12) & (np.abs(sizes - 1.0) > 1e-12)).astype(float)


def digits_to_write(many: Many, decimals: Mapping[str, int]) -> Array:
    """How many digits each variant takes to write down, without zeros before the first."""
    total = np.zeros(many.count)
    for identifier in many.program.computed:
        sizes = np.abs(many.values[identifier]) * (1 + 1e-9)
        with np.errstate(divide="ignore"):
            places = np.where(sizes > 0, np.floor(np.log10(sizes)) + 1, 0) + decimals[identifier]
        total = total + np.maximum(places, 1).sum((-2, -1))
    return total
