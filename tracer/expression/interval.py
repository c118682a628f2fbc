"""The interval reading: between which bounds a matrix lies, given bounds of those before it.

Natural interval extension, rounded outward at every operation, so that the true value for any
choice of inputs within their bounds is inside the result. A branch that could go either way
gives the hull of both sides; what has no bound gets an infinite one. Bounds are never cut to an
activation's range: a learner's own cell may lie outside it. Bounds of a symbol may have axes in
front of its rows and columns, as many matrices of one name; then the result has them too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from tracer.expression import matrix as m
from tracer.expression import picking
from tracer.expression import scalar as s
from tracer.expression.arrays import Array
from tracer.expression.digits import round_half_away

_AXES: Mapping[m.Axis, tuple[int, ...]] = {"rows": (-2,), "columns": (-1,), "all": (-2, -1)}


@dataclass(frozen=True, slots=True)
class Interval:
    """Lower and upper bounds, two arrays of one shape; low <= high, infinite where unbounded."""

    low: Array
    high: Array

    @classmethod
    def around(cls, values: Array, half_width: float | Array) -> Interval:
        """values ± half_width."""
        return cls(values - half_width, values + half_width)

    @classmethod
    def exactly(cls, values: Array) -> Interval:
        """Bounds that meet at the values."""
        return cls(values, values)

    @property
    def transposed(self) -> Interval:
        return Interval(np.swapaxes(self.low, -1, -2), np.swapaxes(self.high, -1, -2))


def bound(expression: m.Matrix, values: Mapping[str, Interval]) -> Interval:
    """The bounds of a matrix expression, given those of its symbols."""
    with np.errstate(all="ignore"):
        return _matrix(expression, values)


def _matrix(expression: m.Matrix, values: Mapping[str, Interval]) -> Interval:
    def of(operand: m.Matrix) -> Interval:
        return _matrix(operand, values)

    match expression:
        case m.Symbol(name):
            return values[name]
        case m.Constant(value):
            return Interval.exactly(np.full((1, 1), value))
        case m.Identity(size):
            return Interval.exactly(np.eye(size))
        case m.MatMul(left, right):
            a, b = of(left), of(right)
            wide = Interval(a.low[..., None], a.high[..., None])
            return _sum(_times(wide, Interval(b.low[..., None, :, :], b.high[..., None, :, :])), (-2,), keepdims=False)
        case m.Transpose(operand):
            return of(operand).transposed
        case m.Repeat(operand, _, shape):
            return _spread_out(of(operand), shape)
        case m.Broadcast(operator, left, right):
            return _combine(operator, of(left), of(right))
        case m.Apply(template, arguments):
            return _spread_out(_scalar(template, {name: of(each) for name, each in arguments}), expression.shape)
        case m.Reduce(operation, operand, over):
            axis, inner = _AXES[over], of(operand)
            if operation == "sum":
                return _sum(inner, axis)
            return Interval(inner.low.max(axis, keepdims=True), inner.high.max(axis, keepdims=True))
        case m.Row(operand, index):
            inner = of(operand)
            return Interval(inner.low[..., index : index + 1, :], inner.high[..., index : index + 1, :])
        case m.Stack(parts, over):
            return _stacked([of(part) for part in parts], _AXES[over][0])
        case m.Part(operand, rows, columns):
            return _both(of(operand), lambda end: picking.part(end, rows, columns))
        case m.Scatter(operand, rows, columns, shape):
            inner = _both(of(operand), lambda end: picking.scatter(end, rows, columns, shape))
            return _outward(inner.low, inner.high)
        case m.Reshape(operand, shape):
            return _both(of(operand), lambda end: end.reshape(*end.shape[:-2], *shape))
        case m.Correlation() | m.Spread():
            return _of_kernels(expression, of(expression.image), of(expression.kernel))
        case m.Pool(operation, operand, tile):
            tiles = _both(of(operand), lambda end: picking.tiles(end, tile))
            if operation == "sum":
                return _sum(tiles, (-1,), keepdims=False)
            return _both(tiles, lambda end: np.asarray(end.max(axis=-1)))
        case m.FirstMaximum(operand, tile):
            return _first_maximum(of(operand), tile)
        case m.Detached(operand):
            return of(operand)
        case m.Rounded(operand, decimals):
            inner = of(operand)
            return Interval(round_half_away(inner.low, decimals), round_half_away(inner.high, decimals))
        case m.StableForm(shown, computed):
            return _tighter(of(shown), of(computed))
        case _:
            assert_never(expression)


def _spread_out(inner: Interval, shape: m.Shape) -> Interval:
    """Bounds of a single row, column or number for every row, column or cell."""
    if inner.low.shape[-2:] == shape:
        return inner
    whole = (*inner.low.shape[:-2], *shape)
    return Interval(np.broadcast_to(inner.low, whole), np.broadcast_to(inner.high, whole))


def _scalar(expression: s.Scalar, values: Mapping[str, Interval]) -> Interval:
    def of(part: s.Scalar) -> Interval:
        return _scalar(part, values)

    match expression:
        case s.Number(value) | s.Value(value) | s.Omitted(_, value):
            return Interval.exactly(np.full((1, 1), value))
        case s.Variable(name):
            return values[name]
        case s.Negative(operand):
            return _opposite(of(operand))
        case s.Sum(terms):
            return reduce(_plus, map(of, terms))
        case s.Product(factors):
            return reduce(_times, map(of, factors))
        case s.Quotient(numerator, denominator):
            return _times(of(numerator), _reciprocal(of(denominator)))
        case s.Power(base, exponent):
            return _power(of(base), exponent)
        case s.Raised(base, exponent):
            return _raised(base, of(exponent))
        case s.Exp(argument):
            return _increasing(np.exp, of(argument), floor=0.0)
        case s.Log(argument):
            return _log(of(argument))
        case s.Tanh(argument):
            return _increasing(np.tanh, of(argument))
        case s.Function(name, argument):
            return _FUNCTIONS[name](of(argument))
        case s.Absolute(operand):
            return _absolute(of(operand))
        case s.Maximum(operands):
            return reduce(_larger, map(of, operands))
        case s.Where(left, relation, right, then, otherwise):
            return _where(of(left), relation, of(right), of(then), of(otherwise))
        case s.Round(operand, decimals):
            inner = of(operand)
            return Interval(round_half_away(inner.low, decimals), round_half_away(inner.high, decimals))
        case s.Stable(shown, computed):
            return _tighter(of(shown), of(computed))
        case s.Cell() | s.Fold():
            raise TypeError(f"a template holds no cells: {expression}")
        case _:
            assert_never(expression)


def _combine(operator: m.Operator, left: Interval, right: Interval) -> Interval:
    match operator:
        case "+":
            return _plus(left, right)
        case "-":
            return _plus(left, _opposite(right))
        case "*":
            return _times(left, right)
        case "/":
            return _times(left, _reciprocal(right))
        case _:
            assert_never(operator)


def _outward(low: Array, high: Array) -> Interval:
    """One step of float64 outward; what is not a number has no bound."""
    low, high = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
    if _all_numbers(low) and _all_numbers(high):
        return Interval(low, high)
    return Interval(np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high))


def _all_numbers(values: Array) -> bool:
    """Whether none is "not a number"; quick, and False too where infinities meet."""
    total = values.sum()
    return bool(total == total)


def _opposite(a: Interval) -> Interval:
    return Interval(-a.high, -a.low)


def _plus(a: Interval, b: Interval) -> Interval:
    return _outward(a.low + b.low, a.high + b.high)


def _both(a: Interval, pick: Callable[[Array], Array]) -> Interval:
    """The same cells of both ends."""
    return Interval(pick(a.low), pick(a.high))


def _stacked(parts: Sequence[Interval], axis: int) -> Interval:
    front = np.broadcast_shapes(*(part.low.shape[:-2] for part in parts))
    whole = [_both(part, lambda end: np.broadcast_to(end, (*front, *end.shape[-2:]))) for part in parts]
    return Interval(*(np.concatenate([getattr(each, end) for each in whole], axis=axis) for end in ("low", "high")))


def _of_kernels(node: m.Correlation | m.Spread, image: Interval, kernel: Interval) -> Interval:
    """Cell by cell of the kernel, each over all places at once: products of bounds, added up."""
    total = Interval.exactly(np.zeros(node.shape))
    settings = (node.shape, node.step, node.spacing, node.padding)
    combine = picking.correlate if isinstance(node, m.Correlation) else picking.spread
    for u, v in product(*map(range, node.kernel.shape)):
        alone = np.zeros(node.kernel.shape)
        alone[u, v] = 1.0
        under = _both(image, lambda end, alone=alone: combine(end, alone, *settings))  # type: ignore[misc]
        one = _both(kernel, lambda end, u=u, v=v: end[..., u : u + 1, v : v + 1])  # type: ignore[misc]
        total = _plus(total, _times(under, one))
    return total


def _first_maximum(a: Interval, size: m.Shape) -> Interval:
    """0 or 1 where the bounds meet; where they leave room, either."""
    first = picking.first_maximum(a.low + a.high, size)
    if a.low is a.high or np.array_equal(a.low, a.high):
        return Interval.exactly(first)
    either = picking.open_maximum(a.low, a.high, size)
    return Interval(first * (1.0 - either), np.maximum(first, either))


def _sum(a: Interval, axis: tuple[int, ...], keepdims: bool = True) -> Interval:
    """A sum of n terms is off by less than n steps of its largest partial sum."""
    low, high = (np.asarray(end.sum(axis, keepdims=keepdims)) for end in (a.low, a.high))
    terms = math.prod(a.low.shape[each] for each in axis)
    size = np.maximum(np.abs(a.low), np.abs(a.high)).sum(axis, keepdims=keepdims)
    slack = terms * np.finfo(np.float64).eps * size
    return _outward(low - slack, high + slack)


def _times(a: Interval, b: Interval) -> Interval:
    corners = [x * y for x in _ends(a) for y in _ends(b)]
    low, high = reduce(np.minimum, corners), reduce(np.maximum, corners)
    if not _all_numbers(low):
        # 0 · ∞ counts as 0: the factor that is 0 is exactly 0, the other only has no bound
        corners = [np.where(np.isnan(corner), 0.0, corner) for corner in corners]
        low, high = reduce(np.minimum, corners), reduce(np.maximum, corners)
    return _outward(low, high)


def _ends(a: Interval) -> tuple[Array, ...]:
    return (a.low,) if a.low is a.high else (a.low, a.high)


def _reciprocal(a: Interval) -> Interval:
    through_zero = (a.low <= 0) & (a.high >= 0)
    low = np.where(through_zero, -np.inf, 1.0 / np.where(through_zero, 1.0, a.high))
    high = np.where(through_zero, np.inf, 1.0 / np.where(through_zero, 1.0, a.low))
    return _outward(low, high)


def _absolute(a: Interval) -> Interval:
    sizes = np.abs(a.low), np.abs(a.high)
    inside = (a.low <= 0) & (a.high >= 0)
    return Interval(np.where(inside, 0.0, np.minimum(*sizes)), np.maximum(*sizes))


def _power(a: Interval, exponent: float) -> Interval:
    if exponent % 1:  # of a base that is not negative
        a = _both(a, lambda end: np.maximum(end, 0.0))
    base = _absolute(a) if exponent % 2 == 0 else a
    raised = _outward(base.low**exponent, base.high**exponent)
    return Interval(np.maximum(raised.low, 0.0), raised.high) if exponent % 2 == 0 else raised


def _increasing(function: Callable[[Array], Array], a: Interval, floor: float = -np.inf) -> Interval:
    """Two steps outward: the functions of the C library are not rounded correctly."""
    once = _outward(function(a.low), function(a.high))
    twice = _outward(once.low, once.high)
    return Interval(np.maximum(twice.low, floor), twice.high)


def _raised(base: float, a: Interval) -> Interval:
    if base >= 1:
        return _increasing(lambda x: np.power(base, x), a, floor=0.0)
    return _increasing(lambda x: np.power(base, -x), Interval(-a.high, -a.low), floor=0.0)


def _log(a: Interval) -> Interval:
    return _increasing(lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), -np.inf), a)


def _wave(a: Interval, peak: float) -> Interval:
    """A cosine whose peaks lie at `peak` + 2πk, and its lowest points half a turn on."""

    def meets(place: float) -> NDArray[np.bool_]:
        turns = (np.floor((end - place) / (2 * math.pi)) for end in (a.low, a.high))
        return np.asarray(np.subtract(*reversed(list(turns))) > 0)

    ends = [np.cos(end - peak) for end in (a.low, a.high)]
    low = np.where(meets(peak + math.pi), -1.0, np.minimum(*ends))
    inner = _outward(low, np.where(meets(peak), 1.0, np.maximum(*ends)))
    return Interval(np.maximum(inner.low - 1e-15, -1.0), np.minimum(inner.high + 1e-15, 1.0))


_FUNCTIONS: dict[s.FunctionName, Callable[[Interval], Interval]] = {
    "sqrt": lambda a: _increasing(lambda x: np.sqrt(np.maximum(x, 0.0)), a, floor=0.0),
    "sin": lambda a: _wave(a, math.pi / 2),
    "cos": lambda a: _wave(a, 0.0),
    "arctan": lambda a: _increasing(np.arctan, a),
    "normal_cdf": lambda a: _increasing(picking.normal_cdf, a, floor=0.0),
}


def _larger(a: Interval, b: Interval) -> Interval:
    return Interval(np.maximum(a.low, b.low), np.maximum(a.high, b.high))


def _where(left: Interval, relation: s.Relation, right: Interval, yes: Interval, no: Interval) -> Interval:
    match relation:
        case ">":
            always, never = left.low > right.high, left.high <= right.low
        case ">=":
            always, never = left.low >= right.high, left.high < right.low
        case "=":
            always = (left.low == left.high) & (right.low == right.high) & (left.low == right.low)
            never = (left.high < right.low) | (left.low > right.high)
        case _:
            assert_never(relation)
    low = np.where(always, yes.low, np.where(never, no.low, np.minimum(yes.low, no.low)))
    high = np.where(always, yes.high, np.where(never, no.high, np.maximum(yes.high, no.high)))
    return Interval(low, high)


def _tighter(a: Interval, b: Interval) -> Interval:
    """Both forms bound the same quantity, so what lies in both does."""
    return Interval(np.maximum(a.low, b.low), np.minimum(a.high, b.high))
