"""The derivative of each function of one number, said once: the calculus and the rounding reading both ask here."""

from __future__ import annotations

import math
from typing import assert_never

from tracer.expression import scalar as s

_BELL = s.Number(1 / math.sqrt(2 * math.pi))


def slope_of(function: s.Function) -> s.Scalar:
    """The derivative of a function with respect to its argument."""
    x = function.argument
    match function.name:
        case "sqrt":
            return s.Quotient(s.Number(1.0), s.Product((s.Number(2.0), function)))
        case "sin":
            return s.Function("cos", x)
        case "cos":
            return s.Negative(s.Function("sin", x))
        case "normal_cdf":
            return s.Product((_BELL, s.Exp(s.Product((s.Number(-0.5), s.Power(x, 2))), bounded=True)))
        case _:
            assert_never(function.name)
