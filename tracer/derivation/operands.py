"""The matrices of a formula that can be written in one row: [matrix] × [matrix] + [row]."""

from __future__ import annotations

from typing import NamedTuple

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.lower import view

_SIGNS = {"+": "+", "-": "−", "*": "⊙"}


class WrittenOperand(NamedTuple):
    """A matrix in a formula: the sign before it, its cells, and the shape of what is made of them.

    `repeated` is the shape that the cells are repeated to; None for a mere number.
    """

    sign: str
    block: s.Block
    shape: m.Shape
    repeated: m.Shape | None


def row_of(rule: m.Matrix, number: int) -> m.Matrix:
    """The rule of one row of what `rule` makes."""
    match rule:
        case m.MatMul(left, right):
            return m.MatMul(row_of(left, number), right)
        case m.Repeat(operand):
            return row_of(operand, number)
        case m.Broadcast(sign, left, right):
            return m.Broadcast(sign, row_of(left, number), row_of(right, number))
        case _:
            return m.Row(rule, number) if rule.shape[0] > 1 else rule


def operands_of(rule: m.Matrix, sign: str = "", shape: m.Shape | None = None) -> list[WrittenOperand] | None:
    """The matrices of a formula with the signs between them, or None where it has another form."""
    match rule:
        case m.Repeat(operand):
            return operands_of(operand, sign, shape or rule.shape)
        case m.MatMul(left, right) if not (_binds_less(left) or _binds_less(right, behind=True)):
            halves = (operands_of(left, sign), operands_of(right, "×"))
        case m.Broadcast("+" | "-" | "*" as kind, left, right) if _reads_on(rule):
            plain = "·" if (1, 1) in (left.shape, right.shape) and kind == "*" else _SIGNS[kind]
            halves = (operands_of(left, sign, rule.shape), operands_of(right, plain, rule.shape))
        case _:
            block = view(rule)
            repeated = None if rule.shape == (1, 1) and sign == "·" else shape or rule.shape
            return None if block is None else [WrittenOperand(sign, block, rule.shape, repeated)]
    first, second = halves
    return None if first is None or second is None else first + second


def _reads_on(rule: m.Broadcast) -> bool:
    """Whether its operands may stand in one row, without parentheses."""
    if rule.operator == "*" and (_binds_less(rule.left) or _is_factor(rule.left, rule.shape)):
        return False
    return rule.operator == "+" or not _binds_less(rule.right, behind=rule.operator == "*")


def _is_factor(operand: m.Matrix, shape: m.Shape) -> bool:
    """Whether an operand is one number before a matrix, which nobody writes out as a matrix of its own."""
    return m.unrepeated(operand).shape == (1, 1) != shape


def _binds_less(operand: m.Matrix, behind: bool = False) -> bool:
    """Whether an operand of a product would need parentheses: a sum, and `behind` another factor a product too."""
    inner = m.unrepeated(operand)
    if behind and isinstance(inner, m.MatMul):
        return True
    return isinstance(inner, m.Broadcast) and (behind or inner.operator in "+-")
