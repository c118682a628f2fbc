"""The losses: each a scalar expression of one output, with its gradient beside it.

`y` stands for the target, `a` for the output and `K` for the number of outputs. `value` is
summed over the outputs and samples, times `factor` and, where `per_output`, divided by K;
`gradient` is ∂L/∂a of that.
A loss with a `fused` form has, with the activation that it belongs to, the gradient `AT_SUMS`, a − y, with
respect to z, and its value comes from z without a logarithm of a number that underflowed.
`LOSSES` are what a file's `loss` may name. A learning rule that is not the gradient of any of
them has a loss of its own, in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tracer.calculus import by_hand
from tracer.expression import matrix as m
from tracer.expression import scalar as s

y, a, z, K = s.Variable("y"), s.Variable("a"), s.Variable("z"), s.Variable("K")
zero, half, one, two = s.Number(0.0), s.Number(0.5), s.Number(1.0), s.Number(2.0)
AT_SUMS = s.difference(a, y)  # ∂L/∂z of every fused form


@dataclass(frozen=True)
class Loss:
    """One loss, per sample.

    `excluded` lists the outputs at which its gradient divides by zero, `targets` all targets that it takes.
    `fused_total` is made of Y, A and Z.
    """

    value: s.Scalar
    gradient: s.Scalar
    factor: float = 1.0
    per_output: bool = False
    excluded: tuple[float, ...] = ()
    targets: tuple[float, ...] = ()
    fused_with: str | None = None
    fused_total: Callable[[m.Matrix, m.Matrix, m.Matrix], m.Matrix] | None = None
    derivation: Callable[[s.Number], tuple[by_hand.Equality, ...]] | None = None
    fused_derivation: Callable[[int], by_hand.Derivation] | None = None


def _softmax_cross_entropy(Y: m.Matrix, A: m.Matrix, Z: m.Matrix) -> m.Matrix:
    """Σ over the samples of ln Σ e^z − Σ y z: −Σ y ln a, since the y of a sample sum to 1."""
    powers = m.Apply(s.Exp(z), (("z", Z),))
    top = m.row_maxima(Z)
    shifted = m.Apply(s.Exp(s.difference(z, s.Variable("top")), bounded=True), (("z", Z), ("top", top)))
    logarithm = s.Log(s.Variable("sum"))
    shown = m.Apply(logarithm, (("sum", m.row_sums(powers)),))
    computed = m.add(top, m.Apply(logarithm, (("sum", m.row_sums(shifted)),)))
    return m.total(m.subtract(m.StableForm(shown, computed), m.row_sums(m.multiply(Y, Z))))


def _sigmoid_cross_entropy(Y: m.Matrix, A: m.Matrix, Z: m.Matrix) -> m.Matrix:
    """Σ ln(1 + e^z) − y z, with ln(1 + e^z) written so that e^z cannot overflow."""
    shown = s.Log(s.Sum((one, s.Exp(z))))
    small = s.Exp(s.Negative(s.Absolute(z)), bounded=True)
    computed = s.Sum((s.Maximum((s.Number(0.0), z)), s.Log(s.Sum((one, small)))))
    term = s.difference(s.Stable(shown, computed), s.Product((y, z)))
    return m.total(m.Apply(term, (("y", Y), ("z", Z))))


def _misfits(Y: m.Matrix, A: m.Matrix, Z: m.Matrix) -> m.Matrix:
    """Σ (a − y)·z with a held fixed, whose gradient in z is a − y (Rosenblatt's rule)."""
    return m.total(m.Apply(s.Product((s.difference(a, y), z)), (("y", Y), ("a", m.Detached(A)), ("z", Z))))


_BINARY = s.Negative(s.Sum((s.Product((y, s.Log(a))), s.Product((s.difference(one, y), s.Log(s.difference(one, a)))))))
_BINARY_GRADIENT = s.difference(s.Quotient(s.difference(one, y), s.difference(one, a)), s.Quotient(y, a))
_DISTANCE = s.Absolute(s.difference(y, a))
_SIDE = s.Where(a, ">", y, one, s.Where(y, ">", a, s.Number(-1.0), zero))
_SHORT_OF_ONE = s.difference(one, s.Product((y, a)))

LOSSES: dict[str, Loss] = {
    "half_squared_error": Loss(
        s.Power(s.difference(y, a), 2),
        s.difference(a, y),
        factor=0.5,
        derivation=lambda K: by_hand.of_squares(half),
    ),
    "squared_error": Loss(
        s.Power(s.difference(y, a), 2),
        s.Product((two, s.difference(a, y))),
        derivation=lambda K: by_hand.of_squares(),
    ),
    "mean_squared_error": Loss(
        s.Power(s.difference(y, a), 2),
        s.Product((s.Quotient(two, K), s.difference(a, y))),
        per_output=True,
        derivation=lambda K: by_hand.of_squares(divisor=K),
    ),
    "absolute_error": Loss(_DISTANCE, _SIDE, derivation=lambda K: by_hand.of_distance()),
    "mean_absolute_error": Loss(
        _DISTANCE, s.Quotient(_SIDE, K), per_output=True, derivation=lambda K: by_hand.of_distance(divisor=K)
    ),
    "hinge": Loss(
        s.Maximum((zero, _SHORT_OF_ONE)),
        s.Where(_SHORT_OF_ONE, ">", zero, s.Negative(y), zero),
        targets=(-1.0, 1.0),
        derivation=lambda K: by_hand.of_hinge(),
    ),
    "cross_entropy": Loss(
        s.Negative(s.Product((y, s.Log(a)))),
        s.Negative(s.Quotient(y, a)),
        excluded=(0.0,),
        fused_with="softmax",
        fused_total=_softmax_cross_entropy,
        derivation=by_hand.of_cross_entropy,
        fused_derivation=by_hand.softmax_with_its_loss,
    ),
    "binary_cross_entropy": Loss(
        _BINARY,
        _BINARY_GRADIENT,
        excluded=(0.0, 1.0),
        fused_with="sigmoid",
        fused_total=_sigmoid_cross_entropy,
        derivation=by_hand.of_binary_cross_entropy,
        fused_derivation=partial(by_hand.sigmoid_with_its_loss, _BINARY, _BINARY_GRADIENT),
    ),
}

PERCEPTRON = "perceptron"
RULES: dict[str, Loss] = {
    PERCEPTRON: Loss(
        s.difference(a, y),
        s.difference(a, y),
        fused_total=_misfits,
        fused_derivation=lambda outputs: by_hand.perceptron(),
    )
}
EVERY_LOSS: dict[str, Loss] = {**LOSSES, **RULES}
