"""The same expression with samples as columns: every matrix in it turned over its diagonal.

(X·W)ᵀ = Wᵀ·Xᵀ, so with X, W and Z written the other way round Z = W·X. Only the way of writing
changes; what is computed stays what steps.py says.
"""

from __future__ import annotations

from typing import assert_never

from tracer.expression import matrix as m

_TURNED: dict[m.Axis, m.Axis] = {"rows": "columns", "columns": "rows", "all": "all"}


def transposed(matrix: m.Matrix) -> m.Matrix | None:
    """The expression over transposed symbols whose value is the transpose; None where a row is picked out.

    >>> X, W = m.Symbol("X", (5, 3)), m.Symbol("W", (3, 2))
    >>> transposed(m.MatMul(X, W)) == m.MatMul(m.Symbol("W", (2, 3)), m.Symbol("X", (3, 5)))
    True
    """
    if isinstance(matrix, m.Row | m.Stack):
        return None
    turned = [transposed(each) for each in m.operands(matrix)]
    parts = [each for each in turned if each is not None]
    return _rebuilt(matrix, parts) if len(parts) == len(turned) else None


def _rebuilt(matrix: m.Matrix, parts: list[m.Matrix]) -> m.Matrix:
    match matrix:
        case m.Symbol(name, (rows, columns)):
            return m.Symbol(name, (columns, rows))
        case m.Constant() | m.Identity():
            return matrix
        case m.MatMul():
            return m.MatMul(parts[1], parts[0])
        case m.Transpose():
            return m.Transpose(parts[0])
        case m.Broadcast(operator):
            return m.Broadcast(operator, parts[0], parts[1])
        case m.Apply(template, arguments):
            return m.Apply(template, tuple((name, part) for (name, _), part in zip(arguments, parts, strict=True)))
        case m.Reduce(operation, _, over):
            return m.Reduce(operation, parts[0], _TURNED[over])
        case m.Rounded(_, decimals):
            return m.Rounded(parts[0], decimals)
        case m.StableForm():
            return m.StableForm(parts[0], parts[1])
        case m.Row() | m.Stack():
            raise AssertionError("a picked row has been turned down before")
        case _:
            assert_never(matrix)
