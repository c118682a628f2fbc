"""The derivative of a rule for cells with respect to one of its variables.

By hand where functions.py has the slope, mechanically otherwise. At a kink the slope is PyTorch's: |z| and the largest
of equal operands take the middle of both sides; a condition is held fixed.
"""

from __future__ import annotations

from functools import lru_cache
from math import log
from typing import assert_never

from tracer.calculus.functions import SLOPES, z
from tracer.calculus.tidy import ONE, ZERO, product, tidy
from tracer.expression import scalar as s
from tracer.expression.function_slopes import slope_of


@lru_cache(maxsize=1024)
def slope(template: s.Scalar, variable: str) -> tuple[s.Scalar, bool]:
    """The derivative, and whether it is written in `a`, the value of the rule, too."""
    by_hand = SLOPES.get(s.substitute(template, {variable: z})) if s.variables(template) == {variable} else None
    if by_hand is None:
        return derivative(template, variable), False
    return s.substitute(by_hand, {"z": s.Variable(variable)}), "a" in s.variables(by_hand)


def derivative(expression: s.Scalar, variable: str) -> s.Scalar:
    """∂expression/∂variable, tidied. Raises TypeError for cells and folds, which a rule does not hold.

    >>> error = s.difference(s.Variable("y"), s.Variable("a"))
    >>> derivative(s.Power(error, 2), "a") == s.Product((s.Number(-2.0), error))
    True
    """
    return tidy(_derivative(expression, variable))


def _derivative(expression: s.Scalar, variable: str) -> s.Scalar:
    def of(part: s.Scalar) -> s.Scalar:
        return _derivative(part, variable)

    if variable not in s.variables(expression):
        return ZERO
    match expression:
        case s.Variable():
            return ONE
        case s.Negative(operand):
            return s.Negative(of(operand))
        case s.Sum(terms):
            return s.Sum(tuple(map(of, terms)))
        case s.Product(factors):
            return s.Sum(
                tuple(s.Product((*factors[:k], of(each), *factors[k + 1 :])) for k, each in enumerate(factors))
            )
        case s.Quotient(above, below):
            first = s.Quotient(of(above), below)
            second = s.Quotient(s.Product((above, of(below))), s.Power(below, 2))
            return s.Sum((tidy(first), s.Negative(tidy(second))))
        case s.Power(base, exponent):
            return s.Product((s.Number(float(exponent)), _power(base, exponent - 1), of(base)))
        case s.Raised(base, exponent):
            return s.Product((s.Number(log(base)), expression, of(exponent)))
        case s.Exp(argument):
            return s.Product((expression, of(argument)))
        case s.Log(argument):
            return s.Quotient(of(argument), argument)
        case s.Tanh(argument):
            return s.Product((s.difference(ONE, s.Power(expression, 2)), of(argument)))
        case s.Function(_, argument):
            return s.Product((slope_of(expression), of(argument)))
        case s.Absolute(operand):
            return s.Product((_sign(operand), of(operand)))
        case s.Maximum(operands):
            return _of_maximum(operands, variable)
        case s.Where(left, relation, right, then, otherwise):
            return s.Where(left, relation, right, of(then), of(otherwise))
        case s.Stable(shown, computed):
            return s.Stable(tidy(of(shown)), tidy(of(computed)))
        case s.Round(operand):
            return of(operand)
        case s.Number() | s.Value() | s.Omitted() | s.Cell() | s.Fold():
            raise TypeError(f"a rule does not hold {expression}")
        case _:
            assert_never(expression)


def _power(base: s.Scalar, exponent: float) -> s.Scalar:
    if exponent == 0:
        return ONE
    if exponent < 0:
        return s.Quotient(ONE, s.Power(base, -exponent))
    return s.Power(base, exponent)


def _sign(x: s.Scalar) -> s.Scalar:
    return s.Where(x, ">", ZERO, ONE, s.Where(x, "=", ZERO, ZERO, s.Number(-1.0)))


def _of_maximum(operands: tuple[s.Scalar, ...], variable: str) -> s.Scalar:
    """The derivative of the larger of two; equal ones share it."""
    first, *others = operands
    if not others:
        return _derivative(first, variable)
    rest: s.Scalar = others[0] if len(others) == 1 else s.Maximum(tuple(others))
    own, other = tidy(_derivative(first, variable)), tidy(_derivative(rest, variable))
    share = tidy(product((s.Number(0.5), s.Sum((own, other)))))
    return s.Where(first, ">", rest, own, s.Where(first, "=", rest, share, other))
