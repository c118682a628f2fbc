"""Expressions as one would write them: numbers taken together, zeros and ones left out, signs and turns resolved.

Nothing here changes what an expression means; its value may differ in the last digit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.evaluate import evaluate

ZERO, ONE = s.Number(0.0), s.Number(1.0)


def tidy(expression: s.Scalar) -> s.Scalar:
    """A rule for cells, tidied from the inside out.

    >>> z = s.Variable("z")
    >>> tidy(s.Product((s.Number(0.5), s.Number(2.0), s.Sum((z, s.Number(0.0))))))
    Variable(name='z')
    """
    parts = s.children(expression)
    if not parts or isinstance(expression, s.Fold):
        return expression
    made = s.rebuild(expression, tuple(map(tidy, parts)))
    match made:
        case s.Negative(operand):
            return s.negative(operand)
        case s.Sum(terms):
            return _sum(terms)
        case s.Product(factors):
            return product(factors)
        case s.Quotient(numerator, denominator):
            return _quotient(numerator, denominator)
        case s.Power(base, 1.0):
            return base
        case s.Where(_, _, _, then, otherwise) if then == otherwise:
            return then
        case _:
            return made


def _sum(terms: Iterable[s.Scalar]) -> s.Scalar:
    flat: list[s.Scalar] = []
    number = 0.0
    for term in terms:
        for each in term.terms if isinstance(term, s.Sum) else (term,):
            if isinstance(each, s.Number):
                number += each.value
            else:
                flat.append(each)
    if number or not flat:
        flat.insert(0, s.Number(number))
    return s.Sum(tuple(flat)) if len(flat) > 1 else flat[0]


def product(factors: Iterable[s.Scalar]) -> s.Scalar:
    """Factors as one product, its numbers taken together in front, its sign outside."""
    flat: list[s.Scalar] = []
    number = 1.0
    for factor in factors:
        for each in factor.factors if isinstance(factor, s.Product) else (factor,):
            if isinstance(each, s.Negative):
                number, each = -number, each.operand
            if isinstance(each, s.Number):
                number *= each.value
            elif isinstance(each, s.Product):
                flat.extend(each.factors)
            else:
                flat.append(each)
    if number == 0 or not flat:
        return s.Number(number + 0.0)
    if abs(number) == 1:
        whole = s.Product(tuple(flat)) if len(flat) > 1 else flat[0]
        return whole if number > 0 else s.negative(whole)
    return s.Product((s.Number(number), *flat))


def _quotient(numerator: s.Scalar, denominator: s.Scalar) -> s.Scalar:
    match numerator, denominator:
        case s.Number(0.0), _:
            return ZERO
        case _, s.Number(1.0):
            return numerator
        case s.Number(above), s.Number(below) if below:
            return s.Number(above / below)
        case s.Negative(operand), _:
            return s.negative(_quotient(operand, denominator))
        case _:
            return s.Quotient(numerator, denominator)


Scale: TypeAlias = tuple[tuple[m.Operator, m.Matrix], ...]
"""Numbers to multiply and to divide by, as expressions without a symbol: √2 stays √2."""


def scaled(matrix: m.Matrix, scale: Scale) -> m.Matrix:
    """A matrix multiplied and divided by numbers, one after the other; a rule for cells takes them in."""
    steps = tuple((operator, number) for operator, number in scale if number != m.Constant(1.0))
    if not steps:
        return matrix
    number = as_number(steps)
    match matrix:
        case m.Apply(template, arguments):
            return m.Apply(product((s.Number(number), template)), arguments)
    if number == 1.0:
        return matrix
    if number == -1.0:
        return negative(matrix)
    for operator, each in steps:
        matrix = m.multiply(each, matrix) if operator == "*" else m.divide(matrix, each)
    return matrix


def as_number(scale: Scale) -> float:
    """What a matrix of ones becomes."""
    factors = (number_of(each) if operator == "*" else 1.0 / number_of(each) for operator, each in scale)
    return math.prod(factors, start=1.0)


def number_of(matrix: m.Matrix) -> float:
    """The value of an expression of one cell without a symbol."""
    return matrix.value if isinstance(matrix, m.Constant) else float(evaluate(matrix, {})[0, 0])


def is_number(matrix: m.Matrix) -> bool:
    """Whether an expression is one number whatever the matrices are."""
    return matrix.shape == (1, 1) and next(traversal.symbols(matrix), None) is None


def negative(matrix: m.Matrix) -> m.Matrix:
    """The opposite of a matrix: −(A − B) is B − A."""
    match matrix:
        case m.Broadcast("-", left, right) if left.shape == right.shape:
            return m.subtract(right, left)
        case m.Broadcast("/", left, right):
            return m.divide(negative(left), right)
        case m.Apply(template, arguments):
            return m.Apply(s.negative(template), arguments)
        case m.Constant(value):
            return m.Constant(-value)
        case _:
            u = s.Variable("u")
            return m.Apply(s.Negative(u), (("u", matrix),))


def part(matrix: m.Matrix, rows: Sequence[int], columns: Sequence[int]) -> m.Matrix:
    """Some rows and columns of a matrix: those of a product are rows of its left and columns of its right operand."""
    if (tuple(rows), tuple(columns)) == (tuple(range(matrix.shape[0])), tuple(range(matrix.shape[1]))):
        return matrix
    match matrix:
        case m.MatMul(left, right):
            return m.MatMul(part(left, rows, range(left.shape[1])), part(right, range(right.shape[0]), columns))
        case m.Transpose(operand):
            return m.Transpose(part(operand, columns, rows))
        case _:
            return m.Part(matrix, tuple(rows), tuple(columns))


def turned(matrix: m.Matrix) -> m.Matrix:
    """The transpose: (A·B)ᵀ is Bᵀ·Aᵀ, and turned twice is not turned."""
    match matrix:
        case m.Transpose(operand):
            return operand
        case m.MatMul(left, right):
            return m.MatMul(turned(right), turned(left))
        case m.Constant():
            return matrix
        case m.Repeat(operand, "all", (rows, columns)):
            return m.Repeat(operand, "all", (columns, rows))
        case _:
            return m.Transpose(matrix)
