"""The derivations of a problem's activations and losses, as tracer/problem has them beside each function."""

from __future__ import annotations

from tracer.calculus.by_hand import ChosenLine, Derivation, Equality, a, over, times, z
from tracer.expression import scalar as s
from tracer.problem.activations import EVERY_ACTIVATION
from tracer.problem.losses import EVERY_LOSS
from tracer.problem.problem import Problem

LEAST_OUTPUTS, MOST_OUTPUTS = 2, 4  # of a softmax that is derived; with more the sum merely has more terms


def of_activation(name: str, alpha: float, at_zero: int, outputs: int) -> tuple[Derivation, ...]:
    """The derivations of an activation; `alpha` is leaky ReLU's slope, `at_zero` (0 or 1) settles a kink."""
    rule = EVERY_ACTIVATION[name]
    if rule.derivation is not None:
        return rule.derivation(ChosenLine(s.Number(alpha), at_zero, derived_outputs(outputs)))
    assert not callable(rule.value)
    return (Derivation(a, rule.value, z, (Equality(rule.slope),)),)


def of_loss(problem: Problem) -> Derivation:
    """How one output's part of the loss changes with that output."""
    rule = EVERY_LOSS[problem.loss]
    K = s.Number(float(problem.sizes[-1]))
    part = times(s.Number(rule.factor), rule.value) if rule.factor != 1.0 else rule.value
    part = over(part, K) if rule.per_output else part
    lines = rule.derivation(K) if rule.derivation is not None else ()
    return Derivation(s.Variable("ℓ"), part, a, (*lines, Equality(s.substitute(rule.gradient, {"K": K}))))


def of_both(problem: Problem) -> Derivation:
    """The loss's derivative by what goes into the output layer, for the loss and activation taken together."""
    derive = EVERY_LOSS[problem.loss].fused_derivation
    assert derive is not None  # a loss that is fused has one
    return derive(derived_outputs(problem.sizes[-1]))


def derived_outputs(outputs: int) -> int:
    """How many outputs a derivation has in place of a network's."""
    return min(max(outputs, LEAST_OUTPUTS), MOST_OUTPUTS)
