"""The rounding reading: how far the value of a cell can be off, where the cells that it is made from were rounded.

To the first order, and by the rules of interval arithmetic: what each operand adds is added up, whether or not it
would cancel. The result is again a scalar expression, so that a spreadsheet can compute it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import log
from typing import TypeAlias, assert_never

from tracer.expression import scalar as s
from tracer.expression.function_slopes import slope_of

UnitOf: TypeAlias = Callable[[s.Cell], s.Scalar | None]
"""How far a cell can be off; None where it is exact."""


def rounding_error(expression: s.Scalar, unit_of: UnitOf) -> s.Scalar | None:
    """How far the value can be off; None where it is exact. Raises TypeError for a variable."""

    def of(part: s.Scalar) -> s.Scalar | None:
        return rounding_error(part, unit_of)

    match expression:
        case s.Number() | s.Value() | s.Omitted():
            return None
        case s.Cell():
            return unit_of(expression)
        case s.Negative(operand) | s.Absolute(operand):
            return of(operand)
        case s.Sum(terms):
            return _total(map(of, terms))
        case s.Product(factors):
            others = (factors[:k] + factors[k + 1 :] for k in range(len(factors)))
            return _total(_times(_size(each), of(own)) for each, own in zip(others, factors, strict=True))
        case s.Quotient(numerator, denominator):
            return _of_quotient(expression, of(numerator), of(denominator))
        case s.Power(base, exponent):
            slope = s.Product((s.Number(float(exponent)), s.Power(s.Absolute(base), exponent - 1)))
            return _times(slope, of(base))
        case s.Raised(base, exponent):
            return _times(s.Product((s.Number(abs(log(base))), expression)), of(exponent))
        case s.Exp(argument):
            return _times(expression, of(argument))
        case s.Log(argument):
            return _over(of(argument), argument)
        case s.Tanh(argument):
            return _times(s.Sum((s.Number(1.0), s.Negative(s.Power(expression, 2)))), of(argument))
        case s.Function(_, argument):
            return _times(s.Absolute(slope_of(expression)), of(argument))
        case s.Maximum(operands):
            return _of_larger(operands, of)
        case s.Where():
            return _of_branches(expression, of)
        case s.Round(operand, decimals):
            inner = of(operand)
            return None if inner is None else s.Sum((inner, s.Number(10.0**-decimals)))
        case s.Stable(shown, _):
            return of(shown)
        case s.Fold():
            return of(s.expand(expression))
        case s.Variable(name):
            raise TypeError(f"the variable {name} has no rounding")
        case _:
            assert_never(expression)


def branches(rule: s.Scalar) -> bool:
    """Whether it has a kink or a jump somewhere; a stable form has none, whatever it is computed with."""
    if isinstance(rule, s.Fold):
        return rule.operation == "max" or branches(rule.template)
    if isinstance(rule, s.Where | s.Maximum | s.Absolute | s.Round):
        return True
    return any(map(branches, (rule.shown,) if isinstance(rule, s.Stable) else s.children(rule)))


def step_values(rule: s.Scalar) -> tuple[float, float] | None:
    """The two values of a step function, as it is shown; None of any other rule."""
    rule = rule.shown if isinstance(rule, s.Stable) else rule
    if isinstance(rule, s.Where) and isinstance(rule.then, s.Number) and isinstance(rule.otherwise, s.Number):
        return rule.then.value, rule.otherwise.value
    return None


def _of_quotient(quotient: s.Quotient, above: s.Scalar | None, below: s.Scalar | None) -> s.Scalar | None:
    """(spread of the numerator + |quotient| · spread of the denominator) / |denominator|."""
    return _over(_total((above, _times(s.Absolute(quotient), below))), quotient.denominator)


def _of_larger(operands: tuple[s.Scalar, ...], of: Callable[[s.Scalar], s.Scalar | None]) -> s.Scalar | None:
    """That of the largest; where rounding leaves open which one that is, of the one that can be off most."""
    first, *others = operands
    if not others:
        return of(first)
    rest = others[0] if len(others) == 1 else s.Maximum(tuple(others))
    one, other = of(first), of(rest)
    edge = _total((one, other))
    if edge is None:
        return None
    distance = s.Absolute(s.Sum((first, s.Negative(rest))))
    zero = s.Number(0.0)
    told = s.Where(first, ">", rest, one or zero, other or zero)
    return s.Where(edge, ">=", distance, _larger(one, other) or zero, told)


def _larger(one: s.Scalar | None, other: s.Scalar | None) -> s.Scalar | None:
    return s.Maximum((one, other)) if one is not None and other is not None else one or other


def _of_branches(where: s.Where, of: Callable[[s.Scalar], s.Scalar | None]) -> s.Scalar | None:
    """That of the branch that counts; where rounding leaves open which, the jump between and what moves more."""
    zero = s.Number(0.0)
    then, otherwise = of(where.then), of(where.otherwise)
    one: s.Scalar | None = None
    if then is not None or otherwise is not None:
        one = s.Where(where.left, where.relation, where.right, then or zero, otherwise or zero)
    edge = _total((of(where.left), of(where.right)))
    if edge is None:
        return one
    distance = s.Absolute(s.Sum((where.left, s.Negative(where.right))))
    jump = s.Absolute(s.Sum((where.then, s.Negative(where.otherwise))))
    return s.Where(edge, ">=", distance, _total((jump, _larger(then, otherwise))) or zero, one or zero)


def _size(factors: tuple[s.Scalar, ...]) -> s.Scalar | None:
    """The size of a product; None stands for 1."""
    if not factors:
        return None
    return s.Absolute(s.Product(factors) if len(factors) > 1 else factors[0])


def _times(slope: s.Scalar | None, unit: s.Scalar | None) -> s.Scalar | None:
    return unit if slope is None or unit is None else s.Product((slope, unit))


def _over(unit: s.Scalar | None, divisor: s.Scalar) -> s.Scalar | None:
    return None if unit is None else s.Quotient(unit, s.Absolute(divisor))


def _total(parts: Iterable[s.Scalar | None]) -> s.Scalar | None:
    terms = tuple(each for each in parts if each is not None)
    return s.Sum(terms) if len(terms) > 1 else terms[0] if terms else None
