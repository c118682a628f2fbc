"""Wrong rules for gradients of weights and biases, and for the update."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tracer.expression import matrix as m
from tracer.expression.interval import Interval
from tracer.judging.slips import outputs
from tracer.judging.slips.context import Made, MatrixKind, SlipContext, WrongRule
from tracer.judging.slips.rewriting import (
    RATE_AGAIN,
    RATE_MISSING,
    RATE_TWICE,
    inverse,
    over,
    rate_divides,
    replaced,
    times,
)
from tracer.program.roles import PRE_ACTIVATION


def not_rounded(context: SlipContext, rule: m.Matrix) -> Made:
    """Every matrix, where a problem rounds each before it is used."""
    if context.rounded_to is not None:
        yield WrongRule(rule, ({"count": f"{context.rounded_to} decimal{'' if context.rounded_to == 1 else 's'}"},))


# Weights: dW = Aᵀ D


def _operands(context: SlipContext) -> tuple[m.Symbol, m.Symbol]:
    """The A of the layer before and this layer's D."""
    return context.net.activation(context.layer - 1), context.delta


def wrong_left_factor(context: SlipContext, rule: m.Matrix) -> Made:
    A, D = _operands(context)
    others = [context.net.activation(k) for k in range(context.net.depth + 1) if k != context.layer - 1]
    others += [context.net.pre_activation(k) for k in range(1, context.net.depth + 1)]
    if context.layer > 1:  # the likeliest first
        likeliest = context.net.pre_activation(context.layer - 1)
        others.sort(key=lambda each: each != likeliest)
    for other in others:
        if other.shape == A.shape:
            words = {"wrong": other.name, "activation": A.name}
            if context.work.key.program.quantity(other.name) == PRE_ACTIVATION:
                words["idea"] = "pre-activation-in-gradient"
            yield WrongRule(m.MatMul(m.Transpose(other), D), (words,))


def error_for_delta(context: SlipContext, rule: m.Matrix) -> Made:
    D = context.delta
    if not context.work.left_out(D.name):  # else the slip is in D
        yield WrongRule(replaced(rule, D, context.error), ({"error": context.error.name, "delta": D.name},))


def outer_of_sums(context: SlipContext, rule: m.Matrix) -> Made:
    A, D = _operands(context)
    if context.samples > 1:
        sums = m.MatMul(m.Transpose(m.column_sums(A)), m.column_sums(D))
        yield WrongRule(sums, ({"what": "sums"},))
        yield WrongRule(over(sums, context.samples**2), ({"what": "means"},))
        yield WrongRule(over(sums, context.samples), ({"what": "means of one and sums of the other"},))


def one_sample(context: SlipContext, rule: m.Matrix) -> Made:
    A, D = _operands(context)
    if context.net.rows > 1:
        for sample in _first_and_last_first(context.net.rows):
            words = {"sample": str(sample + 1)}
            yield WrongRule(m.MatMul(m.Transpose(m.Row(A, sample)), m.Row(D, sample)), (words,))


def _first_and_last_first(rows: int) -> list[int]:
    return [0, rows - 1, *range(1, rows - 1)]


def times_parameter(context: SlipContext, rule: m.Matrix) -> Made:
    parameter = context.weights if context.kind is MatrixKind.WEIGHTS_GRADIENT else context.bias
    assert parameter is not None  # it has a gradient
    yield WrongRule(m.multiply(rule, parameter), ({"P": parameter.name},))


def gradient_transposed(context: SlipContext, rule: m.Matrix) -> Made:
    if rule.shape[0] == rule.shape[1] and rule.shape[0] > 1:
        yield m.Transpose(rule)


def gradient_divided(context: SlipContext, rule: m.Matrix) -> Made:
    A, _ = _operands(context)
    yield replaced(rule, m.Transpose(A), m.Transpose(inverse(A)))


def transpose_missing(context: SlipContext, rule: m.Matrix) -> Made:
    A, D = _operands(context)
    for right in (D, m.Transpose(D)):
        if A.shape[1] == right.shape[0] and (A.shape[0], right.shape[1]) == context.right.shape:
            yield m.MatMul(A, right)


# Biases: db = the column sums of D


def summed_over_units(context: SlipContext, rule: m.Matrix) -> Made:
    """Row sums; where there are more or fewer samples than units, as many as fit."""
    D, width = context.delta, context.right.shape[1]
    if D.shape[1] == 1:
        return
    sums = m.Transpose(m.row_sums(D))
    if context.net.rows == width:
        yield sums
    else:
        fit = m.Symbol("those that fit", (context.net.rows, width))
        columns = tuple(k if k < sums.shape[1] else None for k in range(width))
        spelled_out = (m.Part(sums, (0,), columns),)
        yield WrongRule(
            m.MatMul(sums, fit), extra={fit.name: Interval.exactly(np.eye(*fit.shape))}, spelled_out=spelled_out
        )


def mean_or_total(context: SlipContext, rule: m.Matrix) -> Made:
    D = context.delta
    if context.samples > 1:
        yield WrongRule(over(rule, context.samples), ({"what": "the mean over the samples"},))
    if context.right.shape[1] > 1:
        yield WrongRule(_spread(m.total(D), context), ({"what": "the total over all units"},))
    yield WrongRule(times(0.0, rule), ({"what": "zero"},))


def _spread(one: m.Matrix, context: SlipContext) -> m.Matrix:
    """One number in every cell."""
    return m.add(one, times(0.0, context.right))


def bias_of_one_sample(context: SlipContext, rule: m.Matrix) -> Made:
    yield from _rows(context, [0, context.net.rows - 1])


def not_summed(context: SlipContext, rule: m.Matrix) -> Made:
    yield from _rows(context, range(context.net.rows))


def _rows(context: SlipContext, samples: Iterable[int]) -> Made:
    D = context.delta
    if context.net.rows == 1:
        return
    for sample in samples:
        row: m.Matrix = m.Row(D, sample)
        yield WrongRule(row if row.shape == context.right.shape else m.row_sums(row), ({"sample": str(sample + 1)},))


# Factors of a gradient


def other_mean(context: SlipContext, rule: m.Matrix) -> Made:
    """A sum where a mean is asked for, or the reverse."""
    told = {"total": "mean" if context.net.mean_in_gradient else "sum"}
    for each in outputs.other_mean(context, rule):
        if isinstance(each, WrongRule):
            yield WrongRule(each.expression, tuple({**words, **told} for words in each.words), each.extra)


def rate_in_gradient(context: SlipContext, rule: m.Matrix) -> Made:
    if not context.net.rate_in_change:
        yield from outputs.rate_inside(context, rule)


def rate_in_it(context: SlipContext, rule: m.Matrix) -> Made:
    """A change without its rate, or with the rate twice."""
    if context.net.rate_in_change:
        yield WrongRule(m.divide(rule, context.net.rate), (RATE_MISSING,))
        yield WrongRule(m.multiply(rule, context.net.rate), (RATE_TWICE,))


# The update: W ∓ rate · dW


def _change(context: SlipContext) -> tuple[m.Symbol, m.Symbol, float]:
    """The parameter, its gradient, and the sign with which the gradient goes in."""
    name, shape = context.assignment.of, context.right.shape
    assert name is not None  # a new value is of a parameter
    gradient = m.Symbol(context.work.key.program.gradients[name], shape)
    towards = -1.0
    if context.by_layers:
        towards = 1.0 if context.net.rate_in_change else -context.net.problem.convention.sign
    return m.Symbol(name, shape), gradient, towards


def _moved(context: SlipContext, change: m.Matrix, sign: float = 1.0) -> m.Matrix:
    """The parameter with this change in the right direction (or the other)."""
    parameter, _, towards = _change(context)
    return m.add(parameter, change) if sign * towards > 0 else m.subtract(parameter, change)


def _rate_in_update(context: SlipContext) -> bool:
    return not context.by_layers or context.net.rate_in_update


def _stays(context: SlipContext) -> bool:
    """Whether the convention leaves this parameter as it is."""
    return isinstance(context.right, m.Symbol)


def wrong_direction(context: SlipContext, rule: m.Matrix) -> Made:
    if isinstance(rule, m.Broadcast) and rule.operator in "+-":
        yield m.Broadcast("-" if rule.operator == "+" else "+", rule.left, rule.right)


def rate_on_change(context: SlipContext, rule: m.Matrix) -> Made:
    """The rate applied to a change, which has it already."""
    if _stays(context) or not context.by_layers or not context.net.rate_in_change:
        return
    _, change, _ = _change(context)
    yield WrongRule(_moved(context, m.multiply(context.net.rate, change)), (RATE_AGAIN,))
    yield WrongRule(_moved(context, m.divide(change, context.net.rate)), (rate_divides("the change"),))


def rate_changed(context: SlipContext, rule: m.Matrix) -> Made:
    if _stays(context) or (context.by_layers and context.net.rate_in_change):
        return
    _, gradient, _ = _change(context)
    rate = context.rate
    twice = m.multiply(rate, m.multiply(rate, gradient))
    if _rate_in_update(context):
        yield WrongRule(_moved(context, gradient), (RATE_MISSING,))
        yield WrongRule(_moved(context, twice), (RATE_TWICE,))
        yield WrongRule(_moved(context, m.divide(gradient, rate)), (rate_divides("the gradient"),))
    else:
        yield WrongRule(_moved(context, m.multiply(rate, gradient)), (RATE_AGAIN,))
        yield WrongRule(_moved(context, m.divide(gradient, rate)), (rate_divides("the gradient"),))


def rate_scales_weights(context: SlipContext, rule: m.Matrix) -> Made:
    if not _stays(context):
        yield m.multiply(context.rate, _moved(context, _change(context)[1]))


def change_for_value(context: SlipContext, rule: m.Matrix) -> Made:
    if _stays(context):
        return
    _, gradient, _ = _change(context)
    change = m.multiply(context.rate, gradient) if _rate_in_update(context) else gradient
    yield times(-1.0, change)
    yield change


def not_updated(context: SlipContext, rule: m.Matrix) -> Made:
    if not _stays(context):
        yield _change(context)[0]


def change_scaled(context: SlipContext, rule: m.Matrix) -> Made:
    """Every change times one and the same factor: a rate doubled or halved, a sum for a mean."""
    if _stays(context) or not isinstance(rule, m.Broadcast):
        return
    N = context.samples
    factors = {N: f"{N:g} times", 1 / N: f"1/{N:g} of", 2.0: "twice", 0.5: "half"}
    for factor, what in factors.items():
        if factor != 1.0:
            yield WrongRule(m.Broadcast(rule.operator, rule.left, times(factor, rule.right)), ({"what": what},))


def change_shifted(context: SlipContext, rule: m.Matrix) -> Made:
    """The decimal point of the change moved by one or two places."""
    if _stays(context) or not isinstance(rule, m.Broadcast):
        return
    for power in (-1, 1, -2, 2):
        words = {"places": "one place" if abs(power) == 1 else "two places"}
        yield WrongRule(m.Broadcast(rule.operator, rule.left, times(10.0**power, rule.right)), (words,))
