"""Matrix formulas written out: [row] × [matrix] + [row] = [row], in symbols or with numbers.

The form is that of the matrix's expression; an expression of other parts than products and sums of
matrices has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from tracer.derivation.blocks import CUTS, EQUALS, NEARLY, Cut, Line, fitted, operator, row, shown_cells, table
from tracer.derivation.cells import Cells
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.lower import view
from tracer.expression.worked import holds as gives

_SIGNS = {"+": "+", "-": "−", "*": "⊙"}
Part: TypeAlias = tuple[str, m.Matrix, m.Shape | None]
"""The sign before a matrix, the matrix, and the shape that it is repeated to; None for a mere number."""


def of_row(rule: m.Matrix, number: int) -> m.Matrix:
    """The rule of one row of what `rule` makes."""
    match rule:
        case m.MatMul(left, right):
            return m.MatMul(of_row(left, number), right)
        case m.Repeat(operand):
            return of_row(operand, number)
        case m.Broadcast(sign, left, right):
            return m.Broadcast(sign, of_row(left, number), of_row(right, number))
        case _:
            return m.Row(rule, number) if rule.shape[0] > 1 else rule


def parts_of(rule: m.Matrix, sign: str = "", shape: m.Shape | None = None) -> list[Part] | None:
    """The matrices of a formula with the signs between them, or None where it has another form."""
    match rule:
        case m.Repeat(operand):
            return parts_of(operand, sign, shape or rule.shape)
        case m.MatMul(left, right):
            halves = (parts_of(left, sign), parts_of(right, "×"))
        case m.Broadcast("+" | "-" | "*" as kind, left, right):
            plain = "·" if (1, 1) in (left.shape, right.shape) and kind == "*" else _SIGNS[kind]
            halves = (parts_of(left, sign, rule.shape), parts_of(right, plain, rule.shape))
        case _:
            shown = None if rule.shape == (1, 1) and sign == "·" else shape or rule.shape
            return [(sign, rule, shown)] if view(rule) else None
    first, second = halves
    return None if first is None or second is None else first + second


def formula(cells: Cells, target: s.Block, rule: m.Matrix, numbers: bool, name: str = "") -> Line | None:
    """A matrix, or one row of it, as its formula in symbols or with numbers: … = [target]."""
    parts = parts_of(rule)
    if parts is None:
        return None
    write, kind = (cells.value, "given") if numbers else (cells.symbol, "symbols")
    cut_off = any(max(matrix.shape) > CUTS[0].most for _, matrix, _ in parts)  # nobody can add up what is left out
    sign = EQUALS if not numbers or cut_off or holds(cells, target) else NEARLY

    def stages(cut: Cut) -> Iterator[Sequence[str]]:
        if name:
            yield (name,)
        for before, matrix, shape in parts:
            shown = EQUALS if name and not before else before
            yield (row(operator(shown) if shown else "", _written(matrix, cut, write, kind, shape)),)
        yield (row(operator(sign), table(target, cut, write, "values" if numbers else kind)),)

    return fitted(stages)


def _written(matrix: m.Matrix, cut: Cut, write: Callable[[s.Cell], str], kind: str, shape: m.Shape | None) -> str:
    block = view(matrix)
    assert block is not None
    return write(block.at(0, 0)) if shape is None else table(block, cut, write, kind, shape)


def holds(cells: Cells, target: s.Block) -> bool:
    """Whether the digits that the matrices show give those of the target, cell by cell."""
    works = (cells.work(cell, most_terms=CUTS[0].most) for cell in shown_cells(target))
    return all(gives(worked.stages[0], worked.result) for worked in works)
