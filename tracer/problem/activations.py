"""The activations: each a scalar expression with its slope beside it. A new one is one entry.

`z` stands for the pre-activation and `a` for the activation; `slope` may use both, and is
written in `a` where it can be, as by hand. `alpha`, the slope of leaky ReLU, is filled in when
the network is read. A whole-row activation (softmax) is a matrix expression in place of a scalar one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tracer.expression import matrix as m
from tracer.expression import scalar as s

z, a, alpha = s.Variable("z"), s.Variable("a"), s.Variable("alpha")
zero, one = s.Number(0.0), s.Number(1.0)


def _softmax(Z: m.Matrix) -> m.Matrix:
    """e^z over the row's sum of e^z; computed with the row's largest z taken off, which cancels."""
    powers = m.Apply(s.Exp(z), (("z", Z),))
    shifted = m.Apply(s.Exp(s.difference(z, s.Variable("top")), bounded=True), (("z", Z), ("top", m.row_maxima(Z))))
    shown, computed = (m.divide(e, m.row_sums(e)) for e in (powers, shifted))
    return m.StableForm(shown, computed)


@dataclass(frozen=True)
class Activation:
    """`value` and `slope` cell by cell; `slope_at_kink` where the slope at z = 0 may be chosen.

    A value that takes the whole row is a function of the matrix; its slope is then only the
    diagonal of each sample's Jacobian.
    """

    value: s.Scalar | Callable[[m.Matrix], m.Matrix]
    slope: s.Scalar
    slope_at_kink: s.Scalar | None = None

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


_LOGISTIC = s.Quotient(one, s.Sum((one, s.Exp(s.Negative(z)))))
_SOFTPLUS = s.Stable(
    shown=s.Log(s.Sum((one, s.Exp(z)))),
    computed=s.Sum((s.Maximum((zero, z)), s.Log(s.Sum((one, s.Exp(s.Negative(s.Absolute(z)), bounded=True)))))),
)

ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(_LOGISTIC, s.Product((a, s.difference(one, a)))),
    "tanh": Activation(s.Tanh(z), s.difference(one, s.Power(a, 2))),
    "relu": Activation(s.Maximum((zero, z)), s.Where(z, ">", zero, one, zero), s.Where(z, ">=", zero, one, zero)),
    "leaky_relu": Activation(
        s.Where(z, ">", zero, z, s.Product((alpha, z))),
        s.Where(z, ">", zero, one, alpha),
        s.Where(z, ">=", zero, one, alpha),
    ),
    "elu": Activation(
        s.Where(z, ">", zero, z, s.difference(s.Exp(z, bounded=True), one)),
        s.Where(z, ">", zero, one, s.Exp(z, bounded=True)),
    ),
    "softplus": Activation(_SOFTPLUS, _LOGISTIC),
    "linear": Activation(z, one),
    "softmax": Activation(_softmax, s.Product((a, s.difference(one, a)))),
}
