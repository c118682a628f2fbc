"""The chain rule for a cell in the addresses of a sheet: its gradient, from gradients that stand there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tracer.audit.implied import NOWHERE
from tracer.audit.known import Study, alike
from tracer.audit.numbers import PointRow
from tracer.audit.writing import reference_text, reference_to
from tracer.calculus.differentiate import derivative
from tracer.calculus.tidy import product, tidy
from tracer.errors import ExportError
from tracer.expression import scalar as s
from tracer.expression.formula import to_formula

DEEPEST, LONGEST = 6, 1_500  # cells from one with a gradient, and letters of a formula
_X = "x"


def chain_rule(study: Study, values: Mapping[s.Cell, PointRow], cell: s.Cell, of: s.Cell) -> str | None:
    """The formula of the gradient in `of` as it would stand in `cell`; None where it is too long or too deep."""
    try:
        expression = tidy(_gradient(study, values, cell, of, 0))
        text = to_formula(expression, _Addresses(cell.matrix))
    except (_TooDeepError, ExportError, TypeError, RecursionError):
        return None
    return text if len(text) <= LONGEST else None


class _TooDeepError(Exception):
    """No gradient is near enough."""


class _Addresses:
    """Cells by their address on a sheet."""

    def __init__(self, sheet: str) -> None:
        self.sheet = sheet

    def cell(self, cell: s.Cell) -> str:
        return reference_text(reference_to(cell, self.sheet))

    def block(self, block: s.Block) -> str:
        raise ExportError("a range of single cells")


def _gradient(study: Study, values: Mapping[s.Cell, PointRow], cell: s.Cell, of: s.Cell, depth: int) -> s.Scalar:
    """Σ over the users of a cell: the gradient in each, times its slope in the cell."""
    if depth > DEEPEST or of.matrix == NOWHERE:
        raise _TooDeepError
    if of in study.gradients:
        return s.Number(1.0)
    if depth and (shown := _standing(study, values, cell, of)) is not None:
        return shown
    terms = []
    for user in study.graph.users.get(of, ()):
        if user not in study.right or user in study.roles.updates:
            continue
        made = _with_variable(study.graph.made[user], of)
        slope = s.substitute(derivative(made, _X), {_X: of})
        terms.append(product((_gradient(study, values, cell, user, depth + 1), slope)))
    if not terms:
        raise _TooDeepError
    return s.Sum(tuple(terms)) if len(terms) > 1 else terms[0]


def _standing(study: Study, values: Mapping[s.Cell, PointRow], cell: s.Cell, of: s.Cell) -> s.Cell | None:
    """A cell before another that shows the gradient in `of`."""
    right = study.right[of][0][1]
    if not np.any(right):
        return None
    place = study.places.get(cell, 0)
    for each in study.roles.backward():
        if study.places[each] < place and alike(np.broadcast_to(values[each], right.shape), right):
            return each
    return None


def _with_variable(node: s.Scalar, cell: s.Cell) -> s.Scalar:
    if node == cell:
        return s.Variable(_X)
    parts = s.children(node)
    return s.rebuild(node, tuple(_with_variable(part, cell) for part in parts)) if parts else node
