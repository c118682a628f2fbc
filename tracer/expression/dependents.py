"""The reading "what is made from these": which cells of a matrix depend on marked cells of those before it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from tracer.expression import matrix as m

Marked: TypeAlias = NDArray[np.bool_]


def dependents(expression: m.Matrix, marked: Mapping[str, Marked]) -> Marked:
    """The cells of an expression that a marked cell goes into; matrices not in `marked` have none."""

    def of(operand: m.Matrix) -> Marked:
        return dependents(operand, marked)

    match expression:
        case m.Symbol(name, shape):
            return np.asarray(marked.get(name, np.zeros(shape, dtype=bool)))
        case m.Constant() | m.Identity():
            return np.zeros(expression.shape, dtype=bool)
        case m.MatMul(left, right):
            return np.asarray(of(left).any(axis=1, keepdims=True) | of(right).any(axis=0, keepdims=True))
        case m.Transpose(operand):
            return of(operand).T
        case m.Repeat(operand):
            return np.broadcast_to(of(operand), expression.shape)
        case m.Broadcast(_, left, right):
            return np.asarray(of(left) | of(right))
        case m.Apply(_, arguments):
            return np.broadcast_to(reduce(np.bitwise_or, (of(each) for _, each in arguments)), expression.shape)
        case m.Reduce(_, operand, over):
            axis = {"rows": 0, "columns": 1, "all": None}[over]
            return np.asarray(of(operand).any(axis=axis, keepdims=True))
        case m.Row(operand, index):
            return of(operand)[index : index + 1]
        case m.Stack(rows):
            return np.concatenate([of(row) for row in rows])
        case m.Rounded(operand, _):
            return of(operand)
        case m.StableForm(_, computed):
            return of(computed)
        case _:
            assert_never(expression)
