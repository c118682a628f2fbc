"""When two right evaluations of one expression agree: to 1e-12 of the largest term summed.

Two sums of the same terms in another order differ by a few roundings of the *terms*, not of the
result, which may be far smaller. `sizes` bounds the terms: the expression evaluated with every
number made positive and every difference made a sum.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.interval import Interval

Array = NDArray[np.float64]
SizeRule = Callable[..., Any]
AGREES = 1e-12
NORMSDIST_AGREES = 1e-9  # ironcalc has ten digits of it


def assert_agrees(found: Any, expected: Any, largest: Any = None, what: object = "", to: float = AGREES) -> None:
    """Every cell of `found` is `expected` to `to` of the largest term (default: of `expected`)."""
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    size = np.maximum(np.abs(expected), 0.0 if largest is None else largest)
    off = np.abs(found - expected)
    wrong = ~(off <= to * size)
    if wrong.any():
        place = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise AssertionError(
            f"{what}: at {place} found {found[place]!r}, expected {expected[place]!r}, "
            f"off by {off[place]:.3g} with terms up to {np.broadcast_to(size, off.shape)[place]:.3g}"
        )


def sizes(expression: m.Matrix, values: Mapping[str, Array], rules: Mapping[s.Scalar, SizeRule]) -> Array:
    """A bound of the terms of every cell; `rules` gives the bound of each template used."""

    def of(operand: m.Matrix) -> Array:
        return sizes(operand, values, rules)

    match expression:
        case m.Symbol(name):
            return np.abs(values[name])
        case m.Constant(value):
            return np.full((1, 1), abs(value))
        case m.Identity(size):
            return np.eye(size)
        case m.MatMul(left, right):
            return of(left) @ of(right)
        case m.Transpose(operand):
            return of(operand).T
        case m.Repeat(operand):
            return np.broadcast_to(of(operand), expression.shape)
        case m.Broadcast("+" | "-", left, right):
            return of(left) + of(right)
        case m.Broadcast(_, left, right):  # denominators of the strategies are at least 1
            return of(left) * of(right)
        case m.Apply(template, arguments):
            bound = rules[template](*(of(argument) for _, argument in arguments))
            return np.broadcast_to(bound, expression.shape)
        case m.Reduce(operation, operand, over):
            reduce = np.sum if operation == "sum" else np.max
            return reduce(of(operand), axis={"rows": 0, "columns": 1, "all": None}[over], keepdims=True)
        case m.Row(operand, index):
            return of(operand)[index : index + 1]
        case m.Stack(rows):
            return np.concatenate([of(row) for row in rows])
        case m.Rounded(operand, _):
            return of(operand) + 1
        case m.StableForm(_, computed):
            return of(computed)
    raise TypeError(expression)


def within(bounds: Interval, values: Array) -> NDArray[np.bool_]:
    """Cell by cell, whether a value lies within its bounds; nan lies within none."""
    return np.asarray((bounds.low <= values) & (values <= bounds.high))
