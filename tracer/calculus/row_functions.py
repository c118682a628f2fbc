"""The functions of a whole row and of whole matrices, as expressions, each with its way back in closed form.

They are recognised by what they are made of, so that an expression needs no name for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tracer.expression import matrix as m
from tracer.expression import scalar as s

u, z, top = s.Variable("u"), s.Variable("z"), s.Variable("top")

Way: TypeAlias = tuple[m.Matrix, m.Matrix | None, m.Matrix]
"""An operand, a local derivative to be shown as a matrix of its own (or None), and the operand's gradient with that
derivative's place taken by `LOCAL`."""

LOCAL = "local derivative"


def softmax(Z: m.Matrix) -> m.Matrix:
    """e^z over the row's sum of e^z; computed with the row's largest z subtracted, which cancels."""
    powers, shifted = m.Apply(s.Exp(z), (("z", Z),)), _shifted(Z)
    shown, computed = (m.divide(e, m.row_sums(e)) for e in (powers, shifted))
    return m.StableForm(shown, computed)


def jacobian(row: m.Matrix) -> m.Matrix:
    """(n, n): how each cell of a row of softmax changes with each cell of its argument."""
    return m.multiply(m.Transpose(row), m.subtract(m.Identity(row.shape[1]), row))


def log_sum_exp(Z: m.Matrix) -> m.Matrix:
    """(n, 1): ln Σ e^z of each row."""
    logarithm = s.Log(s.Variable("sum"))
    powers = m.Apply(s.Exp(z), (("z", Z),))
    shown = m.Apply(logarithm, (("sum", m.row_sums(powers)),))
    computed = m.add(m.row_maxima(Z), m.Apply(logarithm, (("sum", m.row_sums(_shifted(Z))),)))
    return m.StableForm(shown, computed)


def log_softmax(Z: m.Matrix) -> m.Matrix:
    """z − ln Σ e^z of its row."""
    return m.subtract(Z, log_sum_exp(Z))


def cross_entropy_of_logits(Z: m.Matrix, Y: m.Matrix) -> m.Matrix:
    """−Σ y ln softmax(z), from z: Σ over the rows of (Σ y)·ln Σ e^z − Σ y z."""
    return m.total(m.subtract(m.multiply(m.row_sums(Y), log_sum_exp(Z)), m.row_sums(m.multiply(Y, Z))))


def _shifted(Z: m.Matrix) -> m.Matrix:
    return m.Apply(s.Exp(s.difference(z, top), bounded=True), (("z", Z), ("top", m.row_maxima(Z))))


@dataclass(frozen=True)
class RowFunction:
    """`operands` of an expression that may be one, to be made again; `ways` back, given its value and gradient."""

    operands: Callable[[m.Matrix], tuple[m.Matrix, ...] | None]
    make: Callable[..., m.Matrix]
    ways: Callable[..., list[Way]]


def recognised(matrix: m.Matrix) -> tuple[RowFunction, tuple[m.Matrix, ...]] | None:
    """The function that an expression is, and its operands."""
    for function in _FUNCTIONS:
        operands = function.operands(matrix)
        if operands is not None and function.make(*operands) == matrix:
            return function, operands
    return None


def _of_softmax(matrix: m.Matrix) -> tuple[m.Matrix, ...] | None:
    match matrix:
        case m.StableForm(m.Broadcast("/", m.Apply(_, ((_, Z),)), _), _):
            return (Z,)
        case _:
            return None


def _of_log_softmax(matrix: m.Matrix) -> tuple[m.Matrix, ...] | None:
    match matrix:
        case m.Broadcast("-", Z, m.StableForm()):
            return (Z,)
        case _:
            return None


def _of_cross_entropy(matrix: m.Matrix) -> tuple[m.Matrix, ...] | None:
    match matrix:
        case m.Reduce("sum", m.Broadcast("-", m.Broadcast("*"), m.Reduce("sum", m.Broadcast("*", Y, Z))), "all"):
            return (Z, Y)
        case _:
            return None


def _softmax_back(value: m.Matrix, G: m.Matrix, Z: m.Matrix) -> list[Way]:
    return [(Z, None, m.multiply(value, m.subtract(G, m.row_sums(m.multiply(G, value)))))]


def _log_softmax_back(value: m.Matrix, G: m.Matrix, Z: m.Matrix) -> list[Way]:
    local = m.Symbol(LOCAL, value.shape)
    return [(Z, m.Apply(s.Exp(u), (("u", value),)), m.subtract(G, m.multiply(local, m.row_sums(G))))]


def _cross_entropy_back(value: m.Matrix, G: m.Matrix, Z: m.Matrix, Y: m.Matrix) -> list[Way]:
    local = m.Symbol(LOCAL, Z.shape)
    to_logits = m.subtract(m.multiply(local, m.row_sums(Y)), Y)
    return [
        (Z, softmax(Z), m.multiply(G, to_logits)),
        (Y, None, m.multiply(G, m.subtract(log_sum_exp(Z), Z))),
    ]


_FUNCTIONS = (
    RowFunction(_of_softmax, softmax, _softmax_back),
    RowFunction(_of_log_softmax, log_softmax, _log_softmax_back),
    RowFunction(_of_cross_entropy, cross_entropy_of_logits, _cross_entropy_back),
)
