"""The first-order reading: how far a matrix moves, to the first order, when the cells that it is made from do.

Every source of error is a name with so many cells, and a matrix carries what each of them adds to each of its own
cells, with its sign: what cancels, cancels, over any number of matrices. What jumps (a comparison that could go either
way) or has too many cells to be told apart is added up by size. The bound is Σ |∂v/∂cell| · error of the cell, with the
derivatives of differentiate.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import assert_never

import numpy as np

from tracer.calculus.differentiate import derivative
from tracer.expression import matrix as m
from tracer.expression import picking
from tracer.expression import scalar as s
from tracer.expression.arrays import Array
from tracer.expression.digits import round_half_away
from tracer.expression.numpy_source import SCOPE, scalar_source, variable
from tracer.expression.rounding_error import branches, rounding_error

_AXES: Mapping[m.Axis, tuple[int, ...]] = {"rows": (-2,), "columns": (-1,), "all": (-2, -1)}
MOST_TOLD_APART = 150  # cells of one source; nobody works larger matrices by hand
NOTHING = np.zeros((1, 1))
_OFF = "off_"  # before a variable: how far it can move


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
        if half.shape != self.value.shape:
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
        reach = np.asarray(sum((np.abs(part).sum(axis=0) for part in self.parts.values()), self.rest))
        return reach if reach.shape == self.value.shape else np.broadcast_to(reach, self.value.shape)


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
            rule, given = _rule(template), dict(arguments)
            return _whole(rule.moved([of(given[name]) for name in rule.names]), expression.shape)
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
            inner = _whole(of(operand), operand.shape)
            first = picking.first_maximum(inner.value, tile)
            return Moved(first, {}, picking.open_maximum(inner.value - inner.reach, inner.value + inner.reach, tile))
        case m.Detached(operand):
            return of(operand)
        case m.Rounded(operand, decimals):
            return _rounded(of(operand), decimals)
        case m.StableForm(_, computed):
            return of(computed)
        case _:
            assert_never(expression)


@dataclass(frozen=True)
class _Rule:
    """A rule of a cell, its slope in each of its variables and, where it has kinks or jumps, its reach.

    `reach` takes the value of each variable and then how far each can move.
    """

    names: tuple[str, ...]
    value: Callable[..., Array]
    slopes: tuple[Callable[..., Array], ...]
    reach: Callable[..., Array] | None

    def moved(self, arguments: Sequence[Moved]) -> Moved:
        values = [each.value for each in arguments]
        made = Moved.exactly(np.asarray(self.value(*values)))
        for slope, each in zip(self.slopes, arguments, strict=True):
            made = replace(_plus(made, _scaled(each, slope(*values))), value=made.value)
        if self.reach is None:
            return made
        reach = self.reach(*values, *(each.reach for each in arguments))  # with the other side of a kink
        return replace(made, rest=made.rest + np.maximum(reach - made.reach, 0.0))


@lru_cache(maxsize=1024)
def _rule(template: s.Scalar) -> _Rule:
    names = tuple(sorted(s.variables(template)))
    slopes = tuple(_compiled(derivative(template, name), names) for name in names)
    return _Rule(names, _compiled(template, names), slopes, _reach(template, names) if branches(template) else None)


def _reach(template: s.Scalar, names: Sequence[str]) -> Callable[..., Array] | None:
    """How far a rule can move by size, over the values of its variables and how far these can; None where it cannot."""
    cells = s.substitute(template, {name: s.Cell(name, 0, 0) for name in names})
    found = rounding_error(cells, lambda cell: s.Variable(_OFF + cell.matrix))
    return None if found is None else _compiled(found, (*names, *(_OFF + name for name in names)))


def _compiled(rule: s.Scalar, names: Sequence[str]) -> Callable[..., Array]:
    """A rule as a function of the values of these variables, or of the cells that stand for them."""
    source = scalar_source(
        s.substitute(rule, {name: s.Variable(variable(name)) for name in names}),
        lambda leaf: variable(leaf.matrix) if isinstance(leaf, s.Cell) else repr(leaf.value),
    )
    function: Callable[..., Array] = eval(f"lambda {', '.join(map(variable, names))}: {source}", dict(SCOPE))
    return function


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
    inverse = _scaled(b, -1 / b.value**2)
    return _times(a, replace(inverse, value=1 / b.value))


def _rounded(a: Moved, decimals: int) -> Moved:
    """Where the value can move, it can come to the next unit."""
    return Moved(round_half_away(a.value, decimals), a.parts, a.rest + (a.reach > 0) * 10.0**-decimals)


def _whole(a: Moved, shape: tuple[int, ...]) -> Moved:
    """With all its cells, where those of a row, a column or a number were not written out."""
    parts = {name: part if part.shape[1:] == shape else np.broadcast_to(part, (len(part), *shape))
             for name, part in a.parts.items()}  # fmt: skip
    value = a.value if a.value.shape == shape else np.broadcast_to(a.value, shape)
    return Moved(value, parts, a.rest if a.rest.shape == shape else a.rest + np.zeros(shape))


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
