"""The reading "what is made from these": which cells of a matrix depend on marked cells of those before it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from tracer.expression import matrix as m
from tracer.expression import picking
from tracer.expression import scalar as s

Marked: TypeAlias = NDArray[np.bool_]


def _of_kernels(node: m.Correlation | m.Spread, image: Marked, kernel: Marked) -> Marked:
    """A cell depends on a marked one where a product with it is among its terms."""
    combine = picking.correlate if isinstance(node, m.Correlation) else picking.spread
    settings = (node.shape, node.step, node.spacing, node.padding)
    marks = (
        combine(image * 1.0, np.ones(kernel.shape), *settings),
        combine(np.ones(image.shape), kernel * 1.0, *settings),
    )
    return np.asarray((marks[0] > 0) | (marks[1] > 0))


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
            return of(operand) | np.zeros(expression.shape, dtype=bool)
        case m.Broadcast(_, left, right):
            return np.asarray(of(left) | of(right))
        case m.Apply(template, arguments):
            marks = [(name, of(each)) for name, each in arguments]
            used = (each for name, each in marks if each.any() and name in s.variables(template))
            return reduce(np.bitwise_or, used, np.zeros(expression.shape, dtype=bool))
        case m.Reduce(_, operand, over):
            axis = {"rows": 0, "columns": 1, "all": None}[over]
            return np.asarray(of(operand).any(axis=axis, keepdims=True))
        case m.Row(operand, index):
            return of(operand)[index : index + 1]
        case m.Stack(parts, over):
            return np.concatenate([of(part) for part in parts], axis=0 if over == "rows" else 1)
        case m.Part(operand, rows, columns):
            return picking.part(of(operand), rows, columns)
        case m.Scatter(operand, rows, columns, shape):
            return picking.scatter(of(operand), rows, columns, shape)
        case m.Reshape(operand, shape):
            return of(operand).reshape(shape)
        case m.Correlation(image, kernel) | m.Spread(image, kernel):
            return _of_kernels(expression, of(image), of(kernel))
        case m.Pool(_, operand, size):
            return np.asarray(picking.tiles(of(operand), size).any(axis=-1))
        case m.FirstMaximum(operand, (height, width)):
            tile = picking.tiles(of(operand), (height, width)).any(axis=-1)
            return tile.repeat(height, axis=0).repeat(width, axis=1)
        case m.Rounded(operand) | m.Detached(operand):
            return of(operand)
        case m.StableForm(_, computed):
            return of(computed)
        case _:
            assert_never(expression)
