"""Ways to make a wrong rule of a right one, and words that several slips share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal

RATE_MISSING = {"what": "was left out", "idea": "rate-missing"}
RATE_TWICE = {"what": "was applied twice", "idea": "rate-twice"}
RATE_AGAIN = {"what": "was applied again", "idea": "rate-twice"}


def rate_divides(what: str) -> Mapping[str, str]:
    """The words of a rule in which the learning rate divides."""
    return {"what": f"divides {what}", "idea": "rate-divides"}


def times(factor: float, matrix: m.Matrix) -> m.Matrix:
    return m.multiply(m.Constant(factor), matrix)


def over(matrix: m.Matrix, divisor: float) -> m.Matrix:
    return m.divide(matrix, m.Constant(divisor))


def inverse(matrix: m.Matrix) -> m.Matrix:
    """1 over every cell."""
    return m.divide(m.Constant(1.0), matrix)


def column(matrix: m.Matrix, index: int) -> m.Matrix:
    return m.Transpose(m.Row(m.Transpose(matrix), index))


def replaced(matrix: m.Matrix, old: m.Matrix, new: m.Matrix) -> m.Matrix:
    """The same expression with another in the place of `old`, wherever it stands."""
    return traversal.rewrite(matrix, lambda part: new if part == old else None)


def products(matrix: m.Matrix) -> Iterator[m.MatMul]:
    """The matrix products in an expression."""
    return (part for part in traversal.parts(matrix) if isinstance(part, m.MatMul))


def rewritten(rule: s.Scalar, change: Callable[[s.Scalar], s.Scalar | None]) -> s.Scalar:
    """A scalar rule with every part for which `change` has another one replaced, outermost first."""
    other = change(rule)
    if other is not None:
        return other
    parts = s.children(rule)
    return s.rebuild(rule, tuple(rewritten(part, change) for part in parts)) if parts else rule
