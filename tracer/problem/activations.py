"""The activations: each a scalar expression with its slope beside it. A new one is one entry.

`z` stands for the pre-activation and `a` for the activation; `slope` may use both, and is
written in `a` where it can be, as by hand. `alpha`, the slope of leaky ReLU, is filled in when
the network is read. A whole-row activation (softmax) is a matrix expression in place of a scalar one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tracer.calculus import by_hand
from tracer.calculus.differentiate import slope
from tracer.calculus.functions import FUNCTIONS, alpha, minus, one, z, zero
from tracer.calculus.row_functions import softmax
from tracer.expression import matrix as m
from tracer.expression import scalar as s


@dataclass(frozen=True)
class Activation:
    """`value` and `slope` cell by cell; `slope_at_kink` where the slope at z = 0 may be chosen;
    `derivation` of the slope, line by line, where one is written; `outputs` where it has these alone.

    A value that takes the whole row is a function of the matrix; its slope is then only the
    diagonal of each sample's Jacobian.
    """

    value: s.Scalar | Callable[[m.Matrix], m.Matrix]
    slope: s.Scalar
    slope_at_kink: s.Scalar | None = None
    derivation: Callable[[by_hand.ChosenLine], tuple[by_hand.Derivation, ...]] | None = None
    outputs: tuple[float, ...] = ()

    @property
    def whole_row(self) -> bool:
        """Whether a cell's value takes its whole row."""
        return callable(self.value)

    def apply(self, Z: m.Matrix, slope: float) -> m.Matrix:
        """A = φ(Z), of the shape of Z; `slope` is leaky ReLU's on the negative side."""
        if callable(self.value):
            return self.value(Z)
        return m.Apply(s.substitute(self.value, {"alpha": s.Number(slope)}), (("z", Z),))

    def slopes(self, Z: m.Matrix, A: m.Matrix, slope: float, at_zero: int = 0) -> m.Matrix:
        """S = φ′(Z), of the shape of Z; `at_zero` (0 or 1) settles the kink."""
        rule = self.slope_at_kink if at_zero and self.slope_at_kink is not None else self.slope
        rule = s.substitute(rule, {"alpha": s.Number(slope)})
        used = s.variables(rule)
        arguments = tuple(pair for pair in (("z", Z), ("a", A)) if pair[0] in used)
        return m.Apply(rule, arguments or (("z", Z),))


Derived: TypeAlias = Callable[[by_hand.ChosenLine], tuple[by_hand.Derivation, ...]]


def _of_cells(name: str, derivation: Derived | None = None, slope_at_kink: s.Scalar | None = None) -> Activation:
    """An activation that is a function of each cell; its slope stands beside it (calculus/functions.py)."""
    function = FUNCTIONS[name]
    return Activation(function.value, slope(function.value, "z")[0], slope_at_kink, derivation)


ACTIVATIONS: dict[str, Activation] = {  # that have a slope, so that a layer may have them
    "sigmoid": _of_cells("sigmoid", by_hand.of_sigmoid),
    "tanh": _of_cells("tanh", by_hand.of_tanh),
    "relu": _of_cells("relu", by_hand.of_relu, s.Where(z, ">=", zero, one, zero)),
    "leaky_relu": _of_cells("leaky_relu", by_hand.of_leaky_relu, s.Where(z, ">=", zero, one, alpha)),
    "elu": _of_cells("elu", by_hand.of_elu),
    "softplus": _of_cells("softplus", by_hand.of_softplus),
    "gelu": _of_cells("gelu", by_hand.of_gelu),
    "gelu_erf": _of_cells("gelu_erf", by_hand.of_gelu_erf),
    "silu": _of_cells("silu", by_hand.of_silu),
    "softsign": _of_cells("softsign", by_hand.of_softsign),
    "arctan": _of_cells("arctan", by_hand.of_arctan),
    "linear": Activation(z, one, derivation=by_hand.of_linear),
    "softmax": Activation(softmax, by_hand.SHARE_SLOPE, derivation=by_hand.of_softmax),
}
_NO_LESS = s.Number(1e-12)  # than a sum of 0 comes to: 0.1 + 0.2 − 0.3 is 0 by hand, and in a spreadsheet


def _jump(below: s.Scalar) -> s.Scalar:
    """1 from z = 0 on, `below` before it."""
    return s.Stable(s.Where(z, ">=", zero, one, below), s.Where(s.Sum((z, _NO_LESS)), ">=", zero, one, below))


THRESHOLDS: dict[str, Activation] = {  # of a single layer with `rule = "perceptron"`, which does without a slope
    "step": Activation(_jump(zero), zero, derivation=by_hand.of_step, outputs=(0.0, 1.0)),
    "sign": Activation(_jump(minus), zero, derivation=by_hand.of_sign, outputs=(-1.0, 1.0)),
}
EVERY_ACTIVATION: dict[str, Activation] = {**ACTIVATIONS, **THRESHOLDS}
