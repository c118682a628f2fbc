"""Scalar expressions over cells at several points at once: their values, and their slopes in every cell they use.

A value is a row of K numbers, one for each point; what is undefined at a point is not a number there. At a kink the
slope is the calculus's: equal operands of a maximum share it, a condition is held fixed, rounding has slope 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import log
from typing import TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from tracer.expression import scalar as s
from tracer.expression.digits import round_half_away
from tracer.expression.function_slopes import slope_of
from tracer.expression.picking import normal_cdf

PointRow: TypeAlias = NDArray[np.float64]
Values: TypeAlias = Mapping[s.Cell, PointRow]
_NAMED: dict[s.FunctionName, Callable[[PointRow], PointRow]] = {
    "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "arctan": np.arctan, "normal_cdf": normal_cdf,
}  # fmt: skip


def value(node: s.Scalar, values: Values) -> PointRow:
    """The numbers of an expression; those of its cells are in `values`. Call it where numpy's warnings are off."""
    match node:
        case s.Cell():
            return values[node]
        case s.Number(number) | s.Value(number) | s.Omitted(_, number):
            return np.float64(number)  # type: ignore[return-value]
        case s.Sum(terms):
            total = value(terms[0], values)
            for term in terms[1:]:
                total = total + value(term, values)
            return total
        case s.Product(factors):
            total = value(factors[0], values)
            for factor in factors[1:]:
                total = total * value(factor, values)
            return total
        case s.Negative(operand):
            return -value(operand, values)
        case s.Quotient(above, below):
            return value(above, values) / value(below, values)
        case s.Power(base, exponent):
            return np.power(value(base, values), exponent)
        case s.Raised(base, exponent):
            return np.power(base, value(exponent, values))
        case s.Where(left, relation, right, then, otherwise):
            holds = _holds(value(left, values), relation, value(right, values))
            return np.where(holds, value(then, values), value(otherwise, values))
        case s.Stable(_, computed):
            return value(computed, values)
        case s.Fold():
            return value(s.expand(node), values)
        case s.Variable(name):
            raise KeyError(name)
        case _:
            return _function(node, values)


def _function(node: s.OfNumbers, values: Values) -> PointRow:
    match node:
        case s.Exp(argument):
            return np.exp(value(argument, values))
        case s.Log(argument):
            return np.log(value(argument, values))
        case s.Tanh(argument):
            return np.tanh(value(argument, values))
        case s.Function(name, argument):
            found: PointRow = np.asarray(_NAMED[name](value(argument, values)))
            return found
        case s.Absolute(operand):
            return np.absolute(value(operand, values))
        case s.Maximum(operands):
            rows = np.broadcast_arrays(*[value(each, values) for each in operands])
            largest: PointRow = np.maximum.reduce([np.asarray(each) for each in rows])
            return largest
        case s.Round(operand, decimals):
            return round_half_away(np.asarray(value(operand, values)), decimals)
        case _:
            assert_never(node)


def _holds(left: PointRow, relation: s.Relation, right: PointRow) -> NDArray[np.bool_]:
    found = left > right if relation == ">" else left >= right if relation == ">=" else left == right
    return np.asarray(found)


def slopes(node: s.Scalar, values: Values) -> dict[s.Cell, PointRow]:
    """∂expression/∂cell for every cell in it, at every point."""
    found: dict[s.Cell, PointRow] = {}
    _send(node, np.float64(1.0), values, found)  # type: ignore[arg-type]
    return found


def _send(node: s.Scalar, along: PointRow, values: Values, found: dict[s.Cell, PointRow]) -> None:
    """Add what a part of the expression hands on to its cells, `along` times its own slope."""
    if isinstance(node, s.Cell):
        found[node] = found[node] + along if node in found else along
        return
    for part, local in _parts(node, values):
        if not isinstance(part, s.Number):
            _send(part, along * local, values, found)


def _parts(node: s.Scalar, values: Values) -> Iterator[tuple[s.Scalar, PointRow]]:
    """The parts directly inside that matter to the value, each with the slope in it."""
    one = np.float64(1.0)
    match node:
        case s.Number() | s.Value() | s.Omitted() | s.Cell() | s.Variable():
            return
        case s.Sum(terms):
            yield from ((each, one) for each in terms)  # type: ignore[misc]
        case s.Negative(operand):
            yield operand, -one  # type: ignore[misc]
        case s.Product(factors):
            yield from _of_product(factors, values)
        case s.Quotient(above, below):
            under = value(below, values)
            yield above, 1.0 / under
            yield below, -value(above, values) / under**2
        case s.Power(base, exponent):
            yield base, exponent * np.power(value(base, values), exponent - 1.0)
        case s.Raised(base, exponent):
            yield exponent, log(base) * np.power(base, value(exponent, values))
        case s.Where(left, relation, right, then, otherwise):
            holds = _holds(value(left, values), relation, value(right, values))
            yield then, np.where(holds, 1.0, 0.0)
            yield otherwise, np.where(holds, 0.0, 1.0)
        case s.Stable(_, computed):
            yield computed, one  # type: ignore[misc]
        case s.Fold():
            yield s.expand(node), one  # type: ignore[misc]
        case _:
            yield from _of_function(node, values)


def _of_product(factors: Sequence[s.Scalar], values: Values) -> Iterator[tuple[s.Scalar, PointRow]]:
    rows = [value(each, values) for each in factors]
    for k, factor in enumerate(factors):
        if isinstance(factor, s.Number):
            continue
        others = np.float64(1.0)
        for j, row in enumerate(rows):
            if j != k:
                others = others * row  # type: ignore[assignment]
        yield factor, others  # type: ignore[misc]


def _of_function(node: s.OfNumbers, values: Values) -> Iterator[tuple[s.Scalar, PointRow]]:
    match node:
        case s.Exp(argument):
            yield argument, value(node, values)
        case s.Log(argument):
            yield argument, 1.0 / value(argument, values)
        case s.Tanh(argument):
            yield argument, 1.0 - value(node, values) ** 2
        case s.Function(_, argument):
            yield argument, value(slope_of(node), values)
        case s.Absolute(operand):
            yield operand, np.sign(value(operand, values))
        case s.Maximum(operands):
            rows = np.broadcast_arrays(*[value(each, values) for each in operands])
            largest = [np.asarray(each == np.maximum.reduce(rows), dtype=float) for each in rows]
            for each, share in zip(operands, largest, strict=True):
                yield each, share / np.add.reduce(largest)
        case s.Round(operand):
            yield operand, np.float64(1.0)  # type: ignore[misc]
        case _:
            assert_never(node)


def cells_of(node: s.Scalar) -> dict[s.Cell, None]:
    """The cells of an expression, each once, in the order in which they stand; a condition's too."""
    found: dict[s.Cell, None] = {}
    left = [node]
    while left:
        each = left.pop()
        if isinstance(each, s.Cell):
            found.setdefault(each)
        else:
            left.extend(reversed(s.children(s.expand(each) if isinstance(each, s.Fold) else each)))
    return found
