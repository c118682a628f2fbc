"""The same expression with samples as columns: every matrix in it turned over its diagonal.

(X·W)ᵀ = Wᵀ·Xᵀ, so with X, W and Z written the other way round Z = W·X. Only the way of writing
changes; what is computed stays what steps.py says.
"""

from __future__ import annotations

from tracer.expression import matrix as m
from tracer.expression import traversal

_TURNED: dict[m.Axis, m.Axis] = {"rows": "columns", "columns": "rows", "all": "all"}
_PLACED = (m.Scatter, m.Reshape, m.Correlation, m.Spread, m.Pool, m.FirstMaximum)


def transposed(matrix: m.Matrix) -> m.Matrix | None:
    """The expression over transposed symbols whose value is the transpose; None where cells are placed anew.

    >>> X, W = m.Symbol("X", (5, 3)), m.Symbol("W", (3, 2))
    >>> transposed(m.MatMul(X, W)) == m.MatMul(m.Symbol("W", (2, 3)), m.Symbol("X", (3, 5)))
    True
    """
    if isinstance(matrix, _PLACED):
        return None
    turned = [transposed(each) for each in traversal.operands(matrix)]
    parts = [each for each in turned if each is not None]
    return _rebuilt(matrix, parts) if len(parts) == len(turned) else None


def _rebuilt(matrix: m.Matrix, parts: list[m.Matrix]) -> m.Matrix:
    """The node over turned operands; what says rows or columns says the other."""
    match matrix:
        case m.Symbol(name, (rows, columns)):
            return m.Symbol(name, (columns, rows))
        case m.MatMul():
            return m.MatMul(parts[1], parts[0])
        case m.Reduce(operation, _, over):
            return m.Reduce(operation, parts[0], _TURNED[over])
        case m.Repeat(_, over, (rows, columns)):
            return m.Repeat(parts[0], _TURNED[over], (columns, rows))
        case m.Stack(_, over):
            return m.Stack(tuple(parts), _TURNED[over])
        case m.Part(_, own_rows, own_columns):
            return _part(parts[0], own_columns, own_rows)
        case m.Row(_, index):
            return _part(parts[0], tuple(range(parts[0].shape[0])), (index,))
        case _:
            return traversal.rebuild(matrix, parts)


def _part(whole: m.Matrix, rows: tuple[int | None, ...], columns: tuple[int | None, ...]) -> m.Matrix:
    """A part; a single whole row as the row that it is."""
    if len(rows) == 1 and rows[0] is not None and columns == tuple(range(whole.shape[1])):
        return m.Row(whole, rows[0])
    return m.Part(whole, rows, columns)
