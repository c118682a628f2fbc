"""The derivative of each kind of scalar rule, against central differences."""

from typing import get_args

import numpy as np
import pytest

from tracer.calculus.differentiate import derivative
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.arrays import Array
from tracer.expression.evaluate import evaluate

z, one = s.Variable("z"), s.Number(1.0)
POSITIVE = s.Sum((s.Power(z, 2), one))
RULES: dict[str, s.Scalar] = {
    "product": s.Product((z, s.Exp(z), s.Tanh(z))),
    "quotient": s.Quotient(s.Tanh(z), POSITIVE),
    "power": s.Power(s.Sum((z, one)), 3),
    "root": s.Power(POSITIVE, 0.5),
    "raised": s.Raised(2.0, s.Negative(z)),
    "logarithm": s.Log(POSITIVE),
    "absolute": s.Absolute(s.Power(z, 3)),
    "larger of two": s.Maximum((z, s.Product((z, z)))),
    "largest of three": s.Maximum((s.Negative(z), s.Number(0.3), s.Power(z, 3))),
    "cases": s.Where(z, ">", s.Number(0.0), s.Power(z, 2), s.Exp(z)),
} | {name: s.Function(name, POSITIVE) for name in get_args(s.FunctionName)}
AT = np.array([[-1.3, -0.4, 0.2, 0.9, 1.7]])


def values(rule: s.Scalar, at: Array) -> Array:
    return np.broadcast_to(evaluate(m.Apply(rule, (("z", m.Symbol("Z", (1, 5))),)), {"Z": at}), at.shape)


@pytest.mark.parametrize("name", RULES)
def test_a_derivative_is_the_slope_of_its_rule(name: str) -> None:
    step = 1e-6
    slopes = (values(RULES[name], AT + step) - values(RULES[name], AT - step)) / (2 * step)
    np.testing.assert_allclose(values(derivative(RULES[name], "z"), AT), slopes, rtol=1e-6, atol=1e-8)
