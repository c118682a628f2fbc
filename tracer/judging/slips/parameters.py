"""Wrong rules for gradients of weights and biases, and for the update."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from tracer.expression import matrix as m
from tracer.expression.interval import Interval
from tracer.judging.slips.context import Kind, SlipContext, Wrong, inverse, over, replaced, times

Made = Iterator[Wrong | m.Matrix]


def not_rounded(place: SlipContext, rule: m.Matrix) -> Made:
    """Every matrix, where a problem rounds each before it is used."""
    if place.rounded_to is not None:
        yield Wrong(rule, ({"count": f"{place.rounded_to} decimal{'' if place.rounded_to == 1 else 's'}"},))


# Weights: dW = Aᵀ D


def _operands(place: SlipContext) -> tuple[m.Symbol, m.Symbol]:
    """The A of the layer before and this layer's D."""
    return place.net.activation(place.layer - 1), place.delta


def wrong_left_factor(place: SlipContext, rule: m.Matrix) -> Made:
    A, D = _operands(place)
    others = [place.net.activation(k) for k in range(place.net.depth + 1) if k != place.layer - 1]
    others += [place.net.pre_activation(k) for k in range(1, place.net.depth + 1)]
    if place.layer > 1:  # the likeliest first
        likeliest = place.net.pre_activation(place.layer - 1)
        others.sort(key=lambda each: each != likeliest)
    for other in others:
        if other.shape == A.shape:
            yield Wrong(m.MatMul(m.Transpose(other), D), ({"wrong": other.name, "activation": A.name},))


def error_for_delta(place: SlipContext, rule: m.Matrix) -> Made:
    D = place.delta
    if not place.work.left_out(D.name):  # else the slip is in D
        yield Wrong(replaced(rule, D, place.error), ({"error": place.error.name, "delta": D.name},))


def outer_of_sums(place: SlipContext, rule: m.Matrix) -> Made:
    A, D = _operands(place)
    if place.samples > 1:
        sums = m.MatMul(m.Transpose(m.column_sums(A)), m.column_sums(D))
        yield Wrong(sums, ({"what": "sums"},))
        yield Wrong(over(sums, place.samples**2), ({"what": "means"},))
        yield Wrong(over(sums, place.samples), ({"what": "means of one and sums of the other"},))


def one_sample(place: SlipContext, rule: m.Matrix) -> Made:
    A, D = _operands(place)
    if place.net.rows > 1:
        for sample in _first_and_last_first(place.net.rows):
            words = {"sample": str(sample + 1)}
            yield Wrong(m.MatMul(m.Transpose(m.Row(A, sample)), m.Row(D, sample)), (words,))


def _first_and_last_first(rows: int) -> list[int]:
    return [0, rows - 1, *range(1, rows - 1)]


def times_parameter(place: SlipContext, rule: m.Matrix) -> Made:
    parameter = place.weights if place.kind is Kind.WEIGHTS_GRADIENT else place.bias
    assert parameter is not None  # it has a gradient
    yield Wrong(m.multiply(rule, parameter), ({"P": parameter.name},))


def gradient_transposed(place: SlipContext, rule: m.Matrix) -> Made:
    if rule.shape[0] == rule.shape[1] and rule.shape[0] > 1:
        yield m.Transpose(rule)


def gradient_divided(place: SlipContext, rule: m.Matrix) -> Made:
    A, _ = _operands(place)
    yield replaced(rule, m.Transpose(A), m.Transpose(inverse(A)))


def transpose_missing(place: SlipContext, rule: m.Matrix) -> Made:
    A, D = _operands(place)
    for right in (D, m.Transpose(D)):
        if A.shape[1] == right.shape[0] and (A.shape[0], right.shape[1]) == place.right.shape:
            yield m.MatMul(A, right)


# Biases: db = the column sums of D


def summed_over_units(place: SlipContext, rule: m.Matrix) -> Made:
    """Row sums; where there are more or fewer samples than units, as many as fit."""
    D, width = place.delta, place.right.shape[1]
    if D.shape[1] == 1:
        return
    sums = m.Transpose(m.row_sums(D))
    if place.net.rows == width:
        yield sums
    else:
        fit = m.Symbol("those that fit", (place.net.rows, width))
        yield Wrong(m.MatMul(sums, fit), extra={fit.name: Interval.exactly(np.eye(*fit.shape))})


def mean_or_total(place: SlipContext, rule: m.Matrix) -> Made:
    D = place.delta
    if place.samples > 1:
        yield Wrong(over(rule, place.samples), ({"what": "the mean over the samples"},))
    if place.right.shape[1] > 1:
        yield Wrong(_spread(m.total(D), place), ({"what": "the total over all units"},))
    yield Wrong(times(0.0, rule), ({"what": "zero"},))


def _spread(one: m.Matrix, place: SlipContext) -> m.Matrix:
    """One number in every cell."""
    return m.add(one, times(0.0, place.right))


def bias_of_one_sample(place: SlipContext, rule: m.Matrix) -> Made:
    yield from _rows(place, [0, place.net.rows - 1])


def not_summed(place: SlipContext, rule: m.Matrix) -> Made:
    yield from _rows(place, range(place.net.rows))


def _rows(place: SlipContext, samples: Iterable[int]) -> Made:
    D = place.delta
    if place.net.rows == 1:
        return
    for sample in samples:
        row: m.Matrix = m.Row(D, sample)
        yield Wrong(row if row.shape == place.right.shape else m.row_sums(row), ({"sample": str(sample + 1)},))


# The update: W ∓ rate · dW


def _change(place: SlipContext) -> tuple[m.Symbol, m.Symbol, float]:
    """The parameter, its gradient, and the sign with which the gradient goes in."""
    name, shape = place.assignment.of, place.right.shape
    assert name is not None  # a new value is of a parameter
    gradient = m.Symbol(place.work.key.program.gradients[name], shape)
    return m.Symbol(name, shape), gradient, -place.net.problem.convention.sign


def _moved(place: SlipContext, change: m.Matrix, sign: float = 1.0) -> m.Matrix:
    """The parameter with this change in the right direction (or the other)."""
    parameter, _, towards = _change(place)
    return m.add(parameter, change) if sign * towards > 0 else m.subtract(parameter, change)


def _stays(place: SlipContext) -> bool:
    """Whether the convention leaves this parameter as it is."""
    return isinstance(place.right, m.Symbol)


def wrong_direction(place: SlipContext, rule: m.Matrix) -> Made:
    if isinstance(rule, m.Broadcast) and rule.operator in "+-":
        yield m.Broadcast("-" if rule.operator == "+" else "+", rule.left, rule.right)


def rate_changed(place: SlipContext, rule: m.Matrix) -> Made:
    if _stays(place):
        return
    _, gradient, _ = _change(place)
    rate = place.net.rate
    twice = m.multiply(rate, m.multiply(rate, gradient))
    if place.net.rate_in_update:
        yield Wrong(_moved(place, gradient), ({"what": "left out"},))
        yield Wrong(_moved(place, twice), ({"what": "applied twice"},))
        yield Wrong(_moved(place, m.divide(gradient, rate)), ({"what": "divided by"},))
    else:
        yield Wrong(_moved(place, m.multiply(rate, gradient)), ({"what": "applied again"},))
        yield Wrong(_moved(place, m.divide(gradient, rate)), ({"what": "divided by"},))


def rate_scales_weights(place: SlipContext, rule: m.Matrix) -> Made:
    if not _stays(place):
        yield m.multiply(place.net.rate, _moved(place, _change(place)[1]))


def change_for_value(place: SlipContext, rule: m.Matrix) -> Made:
    if _stays(place):
        return
    _, gradient, _ = _change(place)
    change = m.multiply(place.net.rate, gradient) if place.net.rate_in_update else gradient
    yield times(-1.0, change)
    yield change


def not_updated(place: SlipContext, rule: m.Matrix) -> Made:
    if not _stays(place):
        yield _change(place)[0]


def change_shifted(place: SlipContext, rule: m.Matrix) -> Made:
    """The decimal point of the change moved by one or two places."""
    if _stays(place) or not isinstance(rule, m.Broadcast):
        return
    for power in (-1, 1, -2, 2):
        words = {"places": "one place" if abs(power) == 1 else "two places"}
        yield Wrong(m.Broadcast(rule.operator, rule.left, times(10.0**power, rule.right)), (words,))
