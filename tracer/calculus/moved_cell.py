"""How far one cell can move, to the first order, as an expression that a spreadsheet can compute: Σ |∂v/∂cell| · off.

The same bound as first_order.py gives for whole matrices. What branches, and so may jump, is added up by
size (expression/rounding_error.py).
"""

from __future__ import annotations

from tracer.calculus.differentiate import derivative
from tracer.calculus.tidy import ONE
from tracer.expression import scalar as s
from tracer.expression.lower import precedents
from tracer.expression.rounding_error import UnitOf, branches, rounding_error

_THE_CELL = "moved"  # the variable that stands for a cell while a rule is differentiated


def moved_cell(rule: s.Scalar, off: UnitOf) -> s.Scalar | None:
    """How far the value can be off, where each cell can be off by `off`; None where it is exact."""
    if branches(rule):
        return rounding_error(rule, off)
    expanded, terms = _without_folds(rule), []
    for cell in dict.fromkeys(precedents(rule)):
        half = off(cell)
        if half is not None:
            slope = derivative(_with_variable(expanded, cell), _THE_CELL)
            size = s.Absolute(s.substitute(slope, {_THE_CELL: cell}))
            terms.append(half if slope == ONE else s.Product((size, half)))
    return s.Sum(tuple(terms)) if len(terms) > 1 else terms[0] if terms else None


def _without_folds(rule: s.Scalar) -> s.Scalar:
    if isinstance(rule, s.Fold):
        return _without_folds(s.expand(rule))
    parts = s.children(rule)
    return s.rebuild(rule, tuple(map(_without_folds, parts))) if parts else rule


def _with_variable(rule: s.Scalar, cell: s.Cell) -> s.Scalar:
    if rule == cell:
        return s.Variable(_THE_CELL)
    parts = s.children(rule)
    return s.rebuild(rule, tuple(_with_variable(part, cell) for part in parts)) if parts else rule
