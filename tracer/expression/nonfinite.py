"""The reading "what infinity or NaN goes on into": whether a matrix with one can make a matrix without."""

from __future__ import annotations

from typing import assert_never

from tracer.expression import matrix as m
from tracer.expression import scalar as s


def propagates_nonfinite(expression: m.Matrix, name: str) -> bool:
    """Whether a number beyond float64 in the matrix `name` always leaves one in the expression's value.

    It goes on through +, −, ×, a numerator, a sum and a rounding (∞ − ∞ and ∞ · 0 are NaN). It may get lost in a
    denominator, a comparison, a maximum and e^z, and in matrix products, which are looked at themselves: not every BLAS
    multiplies by a zero.
    """
    match expression:
        case m.Symbol(own, _):
            return own == name
        case m.Broadcast("/", left, _):
            return propagates_nonfinite(left, name)
        case m.Broadcast(_, left, right):
            return propagates_nonfinite(left, name) or propagates_nonfinite(right, name)
        case m.Apply(template, arguments):
            return any(
                propagates_nonfinite(operand, name) and _template_propagates(template, variable)
                for variable, operand in arguments
            )
        case m.Reduce(operation, operand, _):
            return operation == "sum" and propagates_nonfinite(operand, name)
        case m.Transpose(operand) | m.Repeat(operand) | m.Rounded(operand) | m.Reshape(operand) | m.Detached(operand):
            return propagates_nonfinite(operand, name)
        case m.StableForm(_, computed):
            return propagates_nonfinite(computed, name)
        case m.MatMul() | m.Row() | m.Stack() | m.Constant() | m.Identity():
            return False
        case m.Part() | m.Scatter() | m.Correlation() | m.Spread() | m.Pool() | m.FirstMaximum():
            return False  # they may leave the cell out, or meet it with another
        case _:
            assert_never(expression)


def _template_propagates(template: s.Scalar, variable: str) -> bool:
    """The same of a rule for cells and one of its variables."""
    match template:
        case s.Variable(own):
            return own == variable
        case s.Sum(parts) | s.Product(parts):
            return any(_template_propagates(part, variable) for part in parts)
        case s.Quotient(operand, _) | s.Negative(operand) | s.Round(operand, _):
            return _template_propagates(operand, variable)
        case _:
            return False
