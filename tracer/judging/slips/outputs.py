"""Wrong rules at the output: the loss and its gradient, the error E."""

from __future__ import annotations

import math

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.judging.slips.context import Made, MatrixKind, SlipContext, WrongRule
from tracer.judging.slips.rewriting import over, replaced, rewritten, times
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.convention import CROSS_ENTROPIES
from tracer.problem.losses import LOSSES
from tracer.problem.problem import LEAKY_SLOPE

OTHER_ENTROPY = {"cross_entropy": "binary_cross_entropy", "binary_cross_entropy": "cross_entropy"}

y, a = s.Variable("y"), s.Variable("a")
ONE = s.Number(1.0)


# Factors, for any step


def opposite(context: SlipContext, rule: m.Matrix) -> Made:
    yield times(-1.0, rule)


def other_mean(context: SlipContext, rule: m.Matrix) -> Made:
    """A sum where a mean is asked for, or the reverse; divided by samples, outputs, or both."""
    N, K = context.samples, context.outputs
    factors = {  # where two are the same number, the plainer one stands later and is said
        1 / (N * K): f"divided by samples times outputs ({N:g}·{K:g})",
        K: f"multiplied by the number of outputs ({K:g})",
        1 / K: f"divided by the number of outputs ({K:g})",
        N: f"multiplied by the number of samples ({N:g})",
        1 / N: f"divided by the number of samples ({N:g})",
    }
    for factor, what in factors.items():
        if factor != 1.0:
            yield WrongRule(times(factor, rule), ({"what": what},))


def half_factor(context: SlipContext, rule: m.Matrix) -> Made:
    yield WrongRule(times(2.0, rule), ({"what": "twice"},))
    yield WrongRule(times(0.5, rule), ({"what": "half"},))


def rate_inside(context: SlipContext, rule: m.Matrix) -> Made:
    if not (context.kind is MatrixKind.DELTA and context.net.rate_in_delta):
        yield m.multiply(rule, context.rate)


# The loss


def _of_cross_entropy(context: SlipContext) -> bool:
    return context.of_loss in CROSS_ENTROPIES


def _outer(context: SlipContext, summed: m.Matrix) -> m.Matrix:
    """A sum over samples and outputs, shown as the problem shows its loss."""
    return over(summed, context.samples) if context.net.problem.loss_shown == "mean" else summed


def loss_log_base(context: SlipContext, rule: m.Matrix) -> Made:
    if _of_cross_entropy(context):
        for base in (10, 2):
            yield WrongRule(times(1 / math.log(base), rule), ({"base": str(base)},))


def no_one_hot_mask(context: SlipContext, rule: m.Matrix) -> Made:
    if context.of_loss == "cross_entropy":
        yield _outer(context, m.total(context.of_outputs(s.Negative(s.Log(a)))))


def log_of_mean(context: SlipContext, rule: m.Matrix) -> Made:
    if not _of_cross_entropy(context) or context.samples == 1:
        return
    right_one = s.Product((y, a))
    if context.of_loss == "binary_cross_entropy":
        right_one = s.Sum((right_one, s.Product((s.Sum((ONE, s.Negative(y))), s.Sum((ONE, s.Negative(a)))))))  # type: ignore[assignment]
    mean = over(m.total(context.of_outputs(right_one)), context.samples)
    logarithm = m.Apply(s.Negative(s.Log(a)), (("a", mean),))
    yield logarithm
    yield times(context.samples, logarithm)


def other_entropy(context: SlipContext, rule: m.Matrix) -> Made:
    """The terms of off-target outputs added, or left out."""
    if _of_cross_entropy(context):
        value = LOSSES[OTHER_ENTROPY[context.of_loss]].value
        yield WrongRule(_outer(context, m.total(context.of_outputs(value))), ({"what": _terms(context)},))


def _terms(context: SlipContext) -> str:
    added = context.of_loss == "cross_entropy"
    return "added (1 − y)·ln(1 − p) for the other classes" if added else "left out (1 − y)·ln(1 − p)"


def without_square(context: SlipContext, rule: m.Matrix) -> Made:
    def base(part: s.Scalar) -> s.Scalar | None:
        return part.base if isinstance(part, s.Power) else None

    def size(part: s.Scalar) -> s.Scalar | None:
        return s.Absolute(part.base) if isinstance(part, s.Power) else None

    if not _of_cross_entropy(context) and context.of_loss in LOSSES:
        value = context.of_outputs(LOSSES[context.of_loss].value)
        for change in (base, size):
            plain = replaced(rule, value, context.of_outputs(rewritten(value.template, change)))
            yield plain
            if change is base:
                yield times(-1.0, plain)


def loss_softmax_twice(context: SlipContext, rule: m.Matrix) -> Made:
    A = context.net.activation(context.net.depth)
    if A.shape[1] > 1 and _of_cross_entropy(context):
        twice = ACTIVATIONS["softmax"].apply(A, LEAKY_SLOPE)
        value = context.of_outputs(LOSSES[context.of_loss].value)
        yield _outer(context, m.total(replaced(value, A, twice)))


# The error at the output


def error_of_other_entropy(context: SlipContext, rule: m.Matrix) -> Made:
    if not _of_cross_entropy(context):
        return
    lost = s.Negative(s.Sum((s.Quotient(y, a), s.Quotient(s.Sum((ONE, s.Negative(y))), s.Sum((ONE, s.Negative(a)))))))
    both = "took −y/p − (1 − y)/(1 − p): the second sign is lost"
    yield WrongRule(context.with_conventions(context.of_outputs(lost)), ({"what": both},))
    other = "took the gradient of the loss with (1 − y)·ln(1 − p)"
    if context.of_loss == "binary_cross_entropy":
        other = "took −y/p alone, without the term of 1 − y"
    yield WrongRule(context.loss_gradient(OTHER_ENTROPY[context.of_loss]), ({"what": other},))


def stopped_at_loss(context: SlipContext, rule: m.Matrix) -> Made:
    """∂L/∂p where ∂L/∂z is asked for."""
    if context.of_loss not in LOSSES:
        return
    if context.net.fused and context.kind is MatrixKind.ERROR:
        yield context.loss_gradient(context.of_loss)
    elif context.kind is MatrixKind.DELTA and context.of_output and context.net.fused:
        yield context.with_rate(context.loss_gradient(context.of_loss))
    elif context.kind is MatrixKind.DELTA and context.of_output and context.net.jacobians:
        yield context.with_rate(context.error)


def extra_slope(context: SlipContext, rule: m.Matrix) -> Made:
    """(p − y)·p(1 − p), the delta of a squared error, for a cross-entropy."""
    if not _of_cross_entropy(context) or not context.of_output:
        return
    delta = s.Product((s.Sum((a, s.Negative(y))), a, s.Sum((ONE, s.Negative(a)))))
    wrong = context.with_conventions(context.of_outputs(delta))
    if context.kind is MatrixKind.DELTA:
        yield context.with_rate(wrong)
    elif context.net.fused:
        yield wrong
