"""The functions of one cell, each with its slope beside it in the form one writes by hand. A new one is one entry.

`z` is what goes in and `a` what comes out. `slope` is written in `a` where that is shorter; without one it is taken
mechanically (differentiate.py), which also checks the others. Parameters of a function are variables of their own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from tracer.expression import scalar as s

z, a, alpha = s.Variable("z"), s.Variable("a"), s.Variable("alpha")
zero, one, two = s.Number(0.0), s.Number(1.0), s.Number(2.0)
half, minus = s.Number(0.5), s.Number(-1.0)


@dataclass(frozen=True)
class CellFunction:
    """a = φ(z); `defaults` are the values of its further parameters where none are given."""

    value: s.Scalar
    slope: s.Scalar | None = None
    defaults: Mapping[str, float] = field(default_factory=dict)

    def filled(self, parameters: Mapping[str, float]) -> s.Scalar:
        """The value with numbers for its parameters, over z alone."""
        numbers = {name: s.Number(number) for name, number in {**self.defaults, **parameters}.items()}
        return s.substitute(self.value, numbers)


LOGISTIC = s.Quotient(one, s.Sum((one, s.Exp(s.Negative(z)))))
SOFTPLUS = s.Stable(
    shown=s.Log(s.Sum((one, s.Exp(z)))),
    computed=s.Sum((s.Maximum((zero, z)), s.Log(s.Sum((one, s.Exp(s.Negative(s.Absolute(z)), bounded=True)))))),
)
_CUBE = s.Sum((z, s.Product((s.Number(0.044715), s.Power(z, 3)))))
GELU_TANH = s.Product((half, z, s.Sum((one, s.Tanh(s.Product((s.Number(math.sqrt(2 / math.pi)), _CUBE)))))))
GELU_ERF = s.Product((z, s.Function("normal_cdf", z)))
ERF = s.difference(s.Product((two, s.Function("normal_cdf", s.Product((s.Number(math.sqrt(2)), z))))), one)

FUNCTIONS: dict[str, CellFunction] = {
    "exp": CellFunction(s.Exp(z), a),
    "log": CellFunction(s.Log(z), s.Quotient(one, z)),
    "sqrt": CellFunction(s.Function("sqrt", z), s.Quotient(one, s.Product((two, a)))),
    "abs": CellFunction(s.Absolute(z)),
    "sin": CellFunction(s.Function("sin", z)),
    "cos": CellFunction(s.Function("cos", z)),
    "arctan": CellFunction(s.Function("arctan", z)),
    "erf": CellFunction(
        ERF, s.Product((s.Number(2 / math.sqrt(math.pi)), s.Exp(s.Negative(s.Power(z, 2)), bounded=True)))
    ),
    "sigmoid": CellFunction(LOGISTIC, s.Product((a, s.difference(one, a)))),
    "tanh": CellFunction(s.Tanh(z), s.difference(one, s.Power(a, 2))),
    "relu": CellFunction(s.Maximum((zero, z)), s.Where(z, ">", zero, one, zero)),
    "leaky_relu": CellFunction(
        s.Where(z, ">", zero, z, s.Product((alpha, z))), s.Where(z, ">", zero, one, alpha), {"alpha": 0.01}
    ),
    "elu": CellFunction(
        s.Where(z, ">", zero, z, s.difference(s.Exp(z, bounded=True), one)),
        s.Where(z, ">", zero, one, s.Exp(z, bounded=True)),
    ),
    "softplus": CellFunction(SOFTPLUS, LOGISTIC),
    "silu": CellFunction(
        s.Quotient(z, s.Sum((one, s.Exp(s.Negative(z))))),
        s.Sum((LOGISTIC, s.Product((a, s.difference(one, LOGISTIC))))),
    ),
    "softsign": CellFunction(s.Quotient(z, s.Sum((one, s.Absolute(z)))), s.Power(s.difference(one, s.Absolute(a)), 2)),
    "gelu": CellFunction(GELU_TANH),
    "gelu_erf": CellFunction(GELU_ERF),
}
SLOPES: dict[s.Scalar, s.Scalar] = {
    each.value: each.slope for each in FUNCTIONS.values() if each.slope is not None and not each.defaults
}
"""The slopes that are written by hand, by the functions' values; all others are taken mechanically."""
