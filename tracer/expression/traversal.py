"""Walking through matrix expressions, and making one of another: each target asks here what is inside a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from tracer.expression import matrix as m


def operands(matrix: m.Matrix) -> tuple[m.Matrix, ...]:
    """The matrices directly inside."""
    match matrix:
        case m.MatMul(left, right) | m.Broadcast(_, left, right) | m.StableForm(left, right):
            return (left, right)
        case m.Correlation(left, right) | m.Spread(left, right):
            return (left, right)
        case m.Apply(_, arguments):
            return tuple(argument for _, argument in arguments)
        case m.Stack(stacked):
            return stacked
        case m.Part(operand) | m.Scatter(operand) | m.Reshape(operand) | m.Detached(operand):
            return (operand,)
        case m.Pool(_, operand) | m.FirstMaximum(operand):
            return (operand,)
        case m.Transpose(operand) | m.Repeat(operand) | m.Reduce(_, operand) | m.Row(operand) | m.Rounded(operand):
            return (operand,)
        case m.Symbol() | m.Constant() | m.Identity():
            return ()


def rebuild(matrix: m.Matrix, inside: Sequence[m.Matrix]) -> m.Matrix:
    """The same node over other operands, in the order of `operands`. Raises ShapeError where they do not fit."""
    match matrix:
        case m.MatMul() | m.StableForm():
            return type(matrix)(inside[0], inside[1])
        case m.Broadcast(operator):
            return m.Broadcast(operator, inside[0], inside[1])
        case m.Apply(template, arguments):
            return m.Apply(template, tuple((name, part) for (name, _), part in zip(arguments, inside, strict=True)))
        case m.Stack(_, over):
            return m.Stack(tuple(inside), over)
        case m.Correlation() | m.Spread():
            return replace(matrix, image=inside[0], kernel=inside[1])
        case m.Part() | m.Scatter() | m.Reshape() | m.Detached() | m.Pool() | m.FirstMaximum():
            return replace(matrix, operand=inside[0])
        case m.Transpose():
            return m.Transpose(inside[0])
        case m.Repeat(_, over, shape):
            return m.Repeat(inside[0], over, shape)
        case m.Reduce(operation, _, over):
            return m.Reduce(operation, inside[0], over)
        case m.Row(_, index):
            return m.Row(inside[0], index)
        case m.Rounded(_, decimals):
            return m.Rounded(inside[0], decimals)
        case m.Symbol() | m.Constant() | m.Identity():
            return matrix


def rewrite(matrix: m.Matrix, change: Callable[[m.Matrix], m.Matrix | None]) -> m.Matrix:
    """An expression with every part for which `change` has another one replaced, outermost first."""
    other = change(matrix)
    if other is not None:
        return other
    inside = operands(matrix)
    return rebuild(matrix, [rewrite(part, change) for part in inside]) if inside else matrix


def parts(matrix: m.Matrix) -> Iterator[m.Matrix]:
    """The matrix and everything that is computed inside it, in reading order, repeats included."""
    yield matrix
    for operand in (matrix.computed,) if isinstance(matrix, m.StableForm) else operands(matrix):
        yield from parts(operand)


def symbols(matrix: m.Matrix) -> Iterator[m.Symbol]:
    """Every symbol that is computed with, in reading order, repeats included."""
    return (part for part in parts(matrix) if isinstance(part, m.Symbol))
