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
from tracer.calculus.functions import FUNCTIONS, alpha, one, z, zero
from tracer.calculus.row_functions import softmax
from tracer.expression import matrix as m
from tracer.expression import scalar as s


@dataclass(frozen=True)
class Activation:
    """`value` and `slope` cell by cell; `slope_at_kink` where the slope at z = 0 may be chosen;
    `derivation` of the slope, line by line, where one is written.

    A value that takes the whole row is a function of the matrix; its slope is then only the
    diagonal of each sample's Jacobian.
    """

    value: s.Scalar | Callable[[m.Matrix], m.Matrix]
    slope: s.Scalar
    slope_at_kink: s.Scalar | None = None
    derivation: Callable[[by_hand.Chosen], tuple[by_hand.Derivation, ...]] | None = None

    @property
    def whole_row(self) -> bool:
        """Whether a cell's value takes its whole row."""
        return callable(self.value)

    def apply(self, Z: m.Matrix, slope: float) -> m.Matrix:
        """A = φ(Z), of the shape of Z; `slope` is leaky ReLU's on the negative side."""
        if callable(self.value):
            return self.value(Z)
        return m.Apply(s.substitute(self.value, {"alpha": s.Number(slope)}), (("z", Z),))

    def slopes(self, Z: m.Matrix, A: m.Matrix, slope: float, at_zero: int) -> m.Matrix:
        """S = φ′(Z), of the shape of Z; `at_zero` (0 or 1) settles the kink."""
        rule = self.slope_at_kink if at_zero and self.slope_at_kink is not None else self.slope
        rule = s.substitute(rule, {"alpha": s.Number(slope)})
        used = s.variables(rule)
        arguments = tuple(pair for pair in (("z", Z), ("a", A)) if pair[0] in used)
        return m.Apply(rule, arguments or (("z", Z),))


Derived: TypeAlias = Callable[[by_hand.Chosen], tuple[by_hand.Derivation, ...]]


def _of_cells(name: str, derivation: Derived | None = None, slope_at_kink: s.Scalar | None = None) -> Activation:
    """An activation that is a function of each cell; its slope stands beside it (calculus/functions.py)."""
    function = FUNCTIONS[name]
    return Activation(function.value, slope(function.value, "z")[0], slope_at_kink, derivation)


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": _of_cells("sigmoid", by_hand.of_sigmoid),
    "tanh": _of_cells("tanh", by_hand.of_tanh),
    "relu": _of_cells("relu", by_hand.of_relu, s.Where(z, ">=", zero, one, zero)),
    "leaky_relu": _of_cells("leaky_relu", by_hand.of_leaky_relu, s.Where(z, ">=", zero, one, alpha)),
    "elu": _of_cells("elu", by_hand.of_elu),
    "softplus": _of_cells("softplus", by_hand.of_softplus),
    "linear": Activation(z, one, derivation=by_hand.of_linear),
    "softmax": Activation(softmax, by_hand.SHARE_SLOPE, derivation=by_hand.of_softmax),
}
