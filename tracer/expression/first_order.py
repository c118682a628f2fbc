"""The first-order reading: how far a matrix moves, to the first order, when the cells that it is made from do.

Every source of error is a name with so many cells, and a matrix carries what each of them adds to each of its own
cells, with its sign: what cancels, cancels, over any number of matrices. What jumps (a comparison that could go either
way) or has too many cells to be told apart is added up by size. The bound is Σ |∂v/∂cell| · error of the cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from tracer.expression import matrix as m
from tracer.expression import picking
from tracer.expression import scalar as s
from tracer.expression.digits import round_half_away

Array: TypeAlias = NDArray[np.float64]
_AXES: Mapping[m.Axis, tuple[int, ...]] = {"rows": (-2,), "columns": (-1,), "all": (-2, -1)}
MOST_TOLD_APART = 150  # cells of one source; nobody works larger matrices by hand
NOTHING = np.zeros((1, 1))


@dataclass(frozen=True, slots=True)
class Moved:
    """A value, what the errors of each source add to it (an axis in front for its cells), and the rest by size."""

    value: Array
    parts: Mapping[str, Array]
    rest: Array

    @classmethod
    def exactly(cls, value: Array) -> Moved:
        return cls(value, {}, NOTHING)

    @classmethod
    def by_each(cls, value: Array, source: str, half: Array) -> Moved:
        """Each cell may be off by its own `half`."""
        return cls(value, {}, NOTHING).off_by(source, half)

    def off_by(self, source: str, half: Array) -> Moved:
        """The same, and each cell may be off by so much besides."""
        half = np.broadcast_to(half, self.value.shape)
        if not half.any():
            return self
        if half.size > MOST_TOLD_APART:
            return Moved(self.value, self.parts, self.rest + half)
        alone = np.diag(half.ravel()).reshape(half.size, *half.shape)
        return Moved(self.value, {**self.parts, source: alone}, self.rest)

    @property
    def reach(self) -> Array:
        """How far the value can move."""
        sizes = (np.abs(part).sum(axis=0) for part in self.parts.values())
        return np.asarray(np.broadcast_to(sum(sizes, self.rest), self.value.shape))


def moved(expression: m.Matrix, values: Mapping[str, Moved]) -> Moved:
    """A matrix expression, given its symbols; infinite or no number where float64 ends."""
    with np.errstate(all="ignore"):
        return _matrix(expression, values)


def _matrix(expression: m.Matrix, values: Mapping[str, Moved]) -> Moved:
    def of(operand: m.Matrix) -> Moved:
        return _matrix(operand, values)

    match expression:
        case m.Symbol(name):
            return values[name]
        case m.Constant(value):
            return Moved.exactly(np.full((1, 1), value))
        case m.Identity(size):
            return Moved.exactly(np.eye(size))
        case m.MatMul(left, right):
            return _product(of(left), of(right), np.matmul, left.shape, right.shape)
        case m.Transpose(operand):
            return _picked(of(operand), lambda each: np.swapaxes(each, -1, -2), operand.shape)
        case m.Repeat(operand, _, shape):
            return _whole(of(operand), shape)
        case m.Broadcast(operator, left, right):
            return _combine(operator, of(left), of(right))
        case m.Apply(template, arguments):
            return _whole(_scalar(template, {name: of(each) for name, each in arguments}), expression.shape)
        case m.Reduce(operation, operand, over):
            return _reduced(of(operand), operation, _AXES[over], operand.shape)
        case m.Row(operand, index):
            return _picked(of(operand), lambda each: each[..., index : index + 1, :], operand.shape)
        case m.Stack(parts, over):
            return _stacked([_whole(of(part), part.shape) for part in parts], _AXES[over][0])
        case m.Part(operand, rows, columns):
            return _picked(of(operand), lambda each: picking.part(each, rows, columns), operand.shape)
        case m.Scatter(operand, rows, columns, shape):
            return _picked(of(operand), lambda each: picking.scatter(each, rows, columns, shape), operand.shape)
        case m.Reshape(operand, shape):
            return _picked(of(operand), lambda each: each.reshape(*each.shape[:-2], *shape), operand.shape)
        case m.Correlation() | m.Spread():
            return _of_kernels(expression, of(expression.image), of(expression.kernel))
        case m.Pool(operation, operand, tile):
            tiles = _picked(of(operand), lambda each: picking.tiles(each, tile), operand.shape)
            return _picked(_reduced(tiles, operation, (-1,), tiles.value.shape), lambda each: each[..., 0], None)
        case m.FirstMaximum(operand, tile):
            first = picking.first_maximum(of(operand).value, tile)
            return Moved(first, {}, np.where(of(operand).reach > 0, 1.0, 0.0).max() + 0.0 * first)
        case m.Detached(operand):
            return of(operand)
        case m.Rounded(operand, decimals):
            return _rounded(of(operand), decimals)
        case m.StableForm(_, computed):
            return of(computed)
        case _:
            assert_never(expression)


def _scalar(expression: s.Scalar, values: Mapping[str, Moved]) -> Moved:
    def of(part: s.Scalar) -> Moved:
        return _scalar(part, values)

    match expression:
        case s.Number(value) | s.Value(value) | s.Omitted(_, value):
            return Moved.exactly(np.full((1, 1), value))
        case s.Variable(name):
            return values[name]
        case s.Negative(operand):
            return _scaled(of(operand), -1.0)
        case s.Sum(terms):
            return reduce(_plus, map(of, terms))
        case s.Product(factors):
            return reduce(_times, map(of, factors))
        case s.Quotient(numerator, denominator):
            return _over(of(numerator), of(denominator))
        case s.Power(base, exponent):
            return _through(of(base), lambda x: (x**exponent, exponent * x ** (exponent - 1)))
        case s.Exp(argument):
            return _through(of(argument), lambda x: (np.exp(x), np.exp(x)))
        case s.Log(argument):
            return _through(of(argument), lambda x: (np.log(x), 1 / x))
        case s.Tanh(argument):
            return _through(of(argument), lambda x: (np.tanh(x), 1 - np.tanh(x) ** 2))
        case s.Function(name, argument):
            return _through(of(argument), _FUNCTIONS[name])
        case s.Absolute(operand):
            return _through(of(operand), lambda x: (np.abs(x), np.sign(x)))
        case s.Maximum(operands):
            return reduce(lambda one, other: _branches(one, ">=", other, one, other, jumps=False), map(of, operands))
        case s.Where(left, relation, right, then, otherwise):
            return _branches(of(left), relation, of(right), of(then), of(otherwise), jumps=True)
        case s.Round(operand, decimals):
            return _rounded(of(operand), decimals)
        case s.Stable(_, computed):
            return of(computed)
        case s.Cell() | s.Fold():
            raise TypeError(f"a template holds no cells: {expression}")
        case _:
            assert_never(expression)


_FUNCTIONS: Mapping[s.FunctionName, Callable[[Array], tuple[Array, Array]]] = {
    "sqrt": lambda x: (np.sqrt(x), 0.5 / np.sqrt(x)),
    "sin": lambda x: (np.sin(x), np.cos(x)),
    "cos": lambda x: (np.cos(x), -np.sin(x)),
    "normal_cdf": lambda x: (picking.normal_cdf(x), np.exp(-x * x / 2) / np.sqrt(2 * np.pi)),
}


def _combine(operator: m.Operator, left: Moved, right: Moved) -> Moved:
    match operator:
        case "+":
            return _plus(left, right)
        case "-":
            return _plus(left, _scaled(right, -1.0))
        case "*":
            return _times(left, right)
        case "/":
            return _over(left, right)
        case _:
            assert_never(operator)


def _added(one: Mapping[str, Array], other: Mapping[str, Array]) -> dict[str, Array]:
    return {**one, **{name: one[name] + part if name in one else part for name, part in other.items()}}


def _plus(a: Moved, b: Moved) -> Moved:
    return Moved(a.value + b.value, _added(a.parts, b.parts), a.rest + b.rest)


def _scaled(a: Moved, by: Array | float) -> Moved:
    return Moved(a.value * by, {name: part * by for name, part in a.parts.items()}, a.rest * np.abs(by))


def _times(a: Moved, b: Moved) -> Moved:
    one, other = _scaled(a, b.value), _scaled(b, a.value)
    return Moved(one.value, _added(one.parts, other.parts), one.rest + other.rest)


def _over(a: Moved, b: Moved) -> Moved:
    return _times(a, _through(b, lambda x: (1 / x, -1 / x**2)))


def _through(a: Moved, function: Callable[[Array], tuple[Array, Array]]) -> Moved:
    """A function of one number, with its derivative."""
    value, slope = function(a.value)
    return Moved(value, {name: part * slope for name, part in a.parts.items()}, a.rest * np.abs(slope))


def _rounded(a: Moved, decimals: int) -> Moved:
    """Where the value can move, it can come to the next unit."""
    return Moved(round_half_away(a.value, decimals), a.parts, a.rest + (a.reach > 0) * 10.0**-decimals)


def _branches(left: Moved, relation: s.Relation, right: Moved, then: Moved, otherwise: Moved, jumps: bool) -> Moved:
    """The branch that counts; where it could be either, the one that moves further, and the jump between them."""
    apart = _plus(left, _scaled(right, -1.0))
    gap, reach = apart.value, apart.reach
    holds = gap > 0 if relation == ">" else gap >= 0 if relation == ">=" else gap == 0
    open_ = (reach > 0) & (reach >= np.abs(gap))
    first = np.where(open_, then.reach >= otherwise.reach, holds)
    names = {**then.parts, **otherwise.parts}
    parts = {name: np.where(first, then.parts.get(name, 0.0), otherwise.parts.get(name, 0.0)) for name in names}
    jump = np.where(open_, np.abs(then.value - otherwise.value), 0.0) if jumps else 0.0
    value = np.where(holds, then.value, otherwise.value)
    return Moved(value, parts, np.where(first, then.rest, otherwise.rest) + jump)


def _whole(a: Moved, shape: tuple[int, ...]) -> Moved:
    """With all its cells, where those of a row, a column or a number were not written out."""
    parts = {name: np.broadcast_to(part, (len(part), *shape)) for name, part in a.parts.items()}
    return Moved(np.broadcast_to(a.value, shape), parts, np.broadcast_to(a.rest, shape))


def _picked(a: Moved, pick: Callable[[Array], Array], shape: tuple[int, ...] | None) -> Moved:
    """Cells picked, moved or added up in the last axes, alike in value and parts."""
    a = _whole(a, a.value.shape if shape is None else shape)
    return Moved(pick(a.value), {name: pick(part) for name, part in a.parts.items()}, pick(a.rest))


def _reduced(a: Moved, operation: s.Operation, axes: tuple[int, ...], shape: tuple[int, ...]) -> Moved:
    if operation == "sum":
        return _picked(a, lambda each: np.asarray(each.sum(axis=axes, keepdims=True)), shape)
    a = _whole(a, shape)
    largest = a.value == a.value.max(axis=axes, keepdims=True)
    first = largest / largest.sum(axis=axes, keepdims=True)
    return _picked(_scaled(a, first), lambda each: np.asarray(each.sum(axis=axes, keepdims=True)), shape)


def _product(
    a: Moved, b: Moved, by: Callable[[Array, Array], Array], left: tuple[int, ...], right: tuple[int, ...]
) -> Moved:
    """What is linear in each of two matrices."""
    a, b = _whole(a, left), _whole(b, right)
    one = {name: by(part, b.value) for name, part in a.parts.items()}
    other = {name: by(a.value, part) for name, part in b.parts.items()}
    rest = by(a.rest, np.abs(b.value)) + by(np.abs(a.value), b.rest)
    return Moved(by(a.value, b.value), _added(one, other), rest)


def _of_kernels(node: m.Correlation | m.Spread, image: Moved, kernel: Moved) -> Moved:
    combine = picking.correlate if isinstance(node, m.Correlation) else picking.spread
    settings = (node.shape, node.step, node.spacing, node.padding)

    def by(one: Array, other: Array) -> Array:
        if other.ndim > 2:
            return np.array([combine(one, each, *settings) for each in other])
        return combine(one, other, *settings)

    return _product(image, kernel, by, node.image.shape, node.kernel.shape)


def _stacked(parts: list[Moved], axis: int) -> Moved:
    names = {name: part.shape[0] for each in parts for name, part in each.parts.items()}

    def part(each: Moved, name: str, count: int) -> Array:
        return each.parts.get(name, np.zeros((count, *each.value.shape)))

    return Moved(
        np.concatenate([each.value for each in parts], axis=axis),
        {name: np.concatenate([part(each, name, count) for each in parts], axis=axis) for name, count in names.items()},
        np.concatenate([each.rest for each in parts], axis=axis),
    )
