"""What an expression is made of, asked by those who look for a form and not for a name: addends, factors, a softmax."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tracer.calculus.functions import FUNCTIONS
from tracer.calculus.row_functions import recognised, softmax
from tracer.calculus.tidy import is_number, number_of
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal


class Addend(NamedTuple):
    """A term of a sum, and its sign in it."""

    sign: float
    matrix: m.Matrix


def addends(matrix: m.Matrix) -> list[Addend]:
    """The terms of a sum of matrices in reading order; of anything else, itself."""
    return list(_addends(matrix, 1.0))


def _addends(matrix: m.Matrix, sign: float) -> Iterator[Addend]:
    match matrix:
        case m.Broadcast("+", left, right):
            yield from _addends(left, sign)
            yield from _addends(right, sign)
        case m.Broadcast("-", left, right):
            yield from _addends(left, sign)
            yield from _addends(right, -sign)
        case _:
            yield Addend(sign, matrix)


def summed(terms: list[Addend]) -> m.Matrix:
    """Terms as one sum again. Raises ShapeError where what is left of them is of another shape than they had."""
    first, *others = terms
    total = first.matrix if first.sign > 0 else m.multiply(m.Constant(-1.0), first.matrix)
    for each in others:
        total = m.add(total, each.matrix) if each.sign > 0 else m.subtract(total, each.matrix)
    return total


def sums_in(matrix: m.Matrix) -> list[m.Matrix]:
    """The sums of two terms and more in an expression, each as a whole, the outermost first."""
    return list(dict.fromkeys(_sums_in(matrix)))


def _sums_in(matrix: m.Matrix) -> Iterator[m.Matrix]:
    inside = [each.matrix for each in addends(matrix)]
    if len(inside) > 1:
        yield matrix
    else:
        inside = list((matrix.computed,) if isinstance(matrix, m.StableForm) else traversal.operands(matrix))
    for each in inside:
        yield from _sums_in(each)


def factors(matrix: m.Matrix) -> list[m.Matrix]:
    """What a matrix is multiplied of, cell by cell, divisors left where they stand."""
    match matrix:
        case m.Broadcast("*", left, right):
            return [*factors(left), *factors(right)]
        case m.Broadcast("/", left, right) if is_number(right):
            return factors(left)
        case m.Repeat(operand):
            return factors(operand)
        case _:
            return [matrix]


class SoftmaxForm(NamedTuple):
    """What softmax is taken of; `across` where it is taken along the rows, as mostly, and not down the columns."""

    argument: m.Matrix
    across: bool


def softmax_form(matrix: m.Matrix) -> SoftmaxForm | None:
    """What a softmax is taken of; None where an expression is none."""
    if isinstance(matrix, m.Transpose):
        inner = softmax_form(matrix.operand)
        if inner is None or not inner.across:
            return None
        turned = inner.argument
        return SoftmaxForm(turned.operand if isinstance(turned, m.Transpose) else m.Transpose(turned), False)
    known = recognised(matrix)
    return SoftmaxForm(known[1][0], True) if known is not None and known[0].make is softmax else None


class MeanForm(NamedTuple):
    """A sum divided by how many it has: what is summed, and the number."""

    total: m.Reduce
    among: float


def mean_form(matrix: m.Matrix) -> MeanForm | None:
    """The mean that an expression is."""
    match matrix:
        case m.Broadcast("/", m.Reduce("sum", operand) as total, divisor) if is_number(divisor):
            cells = operand.shape[0] * operand.shape[1] / (total.shape[0] * total.shape[1])
            return MeanForm(total, cells) if number_of(divisor) == cells else None
    return None


def is_squared(matrix: m.Matrix) -> bool:
    """Whether the cells of a matrix are squares."""
    match matrix:
        case m.Apply(s.Power(_, 2)):
            return True
        case m.Broadcast("*", left, right):
            return left == right
    return False


def root_form(matrix: m.Matrix) -> m.Apply | None:
    """A square root of something, with or without a number added inside or outside of it."""
    if isinstance(matrix, m.Apply) and any(_is_root(part) for part in _scalars(matrix.template)):
        return matrix
    return None


def _is_root(rule: s.Scalar) -> bool:
    return isinstance(rule, s.Function) and rule.name == "sqrt"


def _scalars(rule: s.Scalar) -> Iterator[s.Scalar]:
    yield rule
    for part in s.children(rule):
        yield from _scalars(part)


def argument_of(matrix: m.Matrix) -> m.Matrix | None:
    """The one matrix that a function of cells, or softmax, is taken of."""
    form = softmax_form(matrix)
    if form is not None:
        return form.argument
    match matrix:
        case m.Apply(_, ((_, operand),)):
            return operand
    return None


def function_named(matrix: m.Matrix) -> str | None:
    """The function of cells that a matrix is made by (sigmoid, tanh, …), whatever leaky ReLU's slope is."""
    match matrix:
        case m.Apply(template, ((_, _),)):
            numbers = [part.value for part in _scalars(template) if isinstance(part, s.Number)]
            for name, function in FUNCTIONS.items():
                for number in numbers if function.defaults else [0.0]:
                    if template == function.filled(dict.fromkeys(function.defaults, number)):
                        return name
    return None


def names_in(matrix: m.Matrix) -> set[str]:
    """The identifiers of the matrices that an expression is made of."""
    return {each.name for each in traversal.symbols(matrix)}
