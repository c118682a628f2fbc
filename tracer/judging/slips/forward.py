"""Wrong rules on the way forward: sums, activations, softmax."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import permutations

import numpy as np

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.interval import Interval
from tracer.judging.slips.context import SlipContext, Wrong, column, products, replaced, rewritten, times
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.problem import LEAKY_SLOPE

Made = Iterator[Wrong | m.Matrix]
MOST_PERMUTED = 4  # units whose biases are tried in every order; beyond, only rotated

z = s.Variable("z")
ZERO, ONE = s.Number(0.0), s.Number(1.0)


# Sums: Z = A W + b


def _biased(place: SlipContext, rule: m.Matrix) -> tuple[m.Matrix, m.Symbol] | None:
    """The product and the bias."""
    bias = place.bias
    if isinstance(rule, m.Broadcast) and rule.operator == "+" and bias is not None and m.unrepeated(rule.right) == bias:
        return rule.left, bias
    return None


def no_bias(place: SlipContext, rule: m.Matrix) -> Made:
    if parts := _biased(place, rule):
        yield parts[0]


def bias_subtracted(place: SlipContext, rule: m.Matrix) -> Made:
    if parts := _biased(place, rule):
        yield m.subtract(*parts)


def bias_per_term(place: SlipContext, rule: m.Matrix) -> Made:
    inner = place.weights.shape[0]
    if (parts := _biased(place, rule)) and inner > 1:
        yield Wrong(m.add(parts[0], times(float(inner), parts[1])), ({"inner": str(inner)},))


def wrong_bias(place: SlipContext, rule: m.Matrix) -> Made:
    """The layer's biases in another order, or another layer's."""
    parts = _biased(place, rule)
    if parts is None:
        return
    own, name = place.work.ahead(parts[1].name), f"{parts[1].name} in another order"
    units = own.low.shape[1]
    if units > 1:
        orders = list(permutations(range(units)))[1:] if units <= MOST_PERMUTED else _rotations(units)
        index = np.array(orders)
        bounds = Interval(own.low[0, index][:, None, :], own.high[0, index][:, None, :])
        words = [{"whose": "in another order"} for _ in orders]
        yield Wrong(m.add(parts[0], m.Symbol(name, parts[1].shape)), words, {name: bounds})
    for layer in range(1, place.net.depth + 1):
        other = place.net.bias(layer)
        if other is not None and layer != place.layer and other.shape == parts[1].shape:
            yield Wrong(m.add(parts[0], other), ({"whose": f"of layer {layer}"},))


def _rotations(count: int) -> list[list[int]]:
    return [[(k + by) % count for k in range(count)] for by in range(1, count)]


def weights_transposed(place: SlipContext, rule: m.Matrix) -> Made:
    W = place.weights
    if W.shape[0] == W.shape[1]:
        yield replaced(rule, W, m.Transpose(W))


def elementwise_product(place: SlipContext, rule: m.Matrix) -> Made:
    for product in products(rule):
        if product.left.shape == product.right.shape:
            yield replaced(rule, product, m.multiply(product.left, product.right))


def previous_layer_unactivated(place: SlipContext, rule: m.Matrix) -> Made:
    """The Z of the layer before in place of its A."""
    before = place.layer - 1
    A = place.net.activation(before)
    if before and not place.work.left_out(A.name):  # else the slip is in A
        Z = place.net.pre_activation(before)
        yield Wrong(replaced(rule, A, Z), ({"activation": A.name, "pre_activation": Z.name},))


# Activations, cell by cell: A = φ(Z)


def activation_skipped(place: SlipContext, rule: m.Matrix) -> Made:
    if place.net.layer(place.layer).activation != "linear":
        words = {"activation": place.activation.name, "pre_activation": place.pre_activation.name}
        yield Wrong(place.pre_activation, (words,))


def exponent_sign(place: SlipContext, rule: m.Matrix) -> Made:
    def turned(part: s.Scalar) -> s.Scalar | None:
        match part:
            case s.Stable(shown, _):
                return rewritten(shown, turned)
            case s.Exp(argument):
                return s.Exp(s.negative(argument))
            case s.Tanh(argument):
                return s.Tanh(s.negative(argument))
        return None

    yield from _templates(rule, turned)


def log_base(place: SlipContext, rule: m.Matrix) -> Made:
    """10 or 2 to the power in place of e."""
    for base in (10, 2):

        def raised(part: s.Scalar, factor: float = math.log(base)) -> s.Scalar | None:
            match part:
                case s.Stable(shown, _):
                    return rewritten(shown, raised)
                case s.Exp(argument):
                    return s.Exp(s.Product((s.Number(factor), argument)))
                case s.Tanh(argument):
                    return s.Tanh(s.Product((s.Number(factor), argument)))
            return None

        for wrong in _templates(rule, raised):
            yield Wrong(wrong, ({"base": str(base)},))


def missing_brackets(place: SlipContext, rule: m.Matrix) -> Made:
    """Typed in a row: 1/1 + e^(−z), and for tanh e^z − e^(−z)/e^z + e^(−z)."""

    def opened(part: s.Scalar) -> s.Scalar | None:
        match part:
            case s.Quotient(numerator, s.Sum((first, *others))):
                return s.Sum((s.Quotient(numerator, first), *others))
            case s.Log(s.Sum((first, *others))):
                return s.Sum((s.Log(first), *others))
            case s.Stable(shown, _):
                return rewritten(shown, opened)
            case s.Tanh(argument):
                up, down = s.Exp(argument), s.Exp(s.negative(argument))
                return s.Sum((up, s.Negative(s.Quotient(down, up)), down))
        return None

    yield from _templates(rule, opened)


def formula_mistyped(place: SlipContext, rule: m.Matrix) -> Made:
    """σ(z²); 1/(1 + e^(−z)²), read in both ways; 1/e^(−z)."""
    if isinstance(rule, m.Apply) and place.net.layer(place.layer).activation in ("sigmoid", "tanh", "softplus"):
        yield m.Apply(s.substitute(rule.template, {"z": s.Power(z, 2)}), rule.arguments)
    if isinstance(rule, m.Apply) and place.net.layer(place.layer).activation == "sigmoid":
        for power in (s.Power(z, 2), s.Product((s.Number(-2.0), z))):
            yield m.Apply(s.Quotient(ONE, s.Sum((ONE, s.Exp(power)))), rule.arguments)
        yield m.Apply(s.Exp(z), rule.arguments)


def wrong_activation(place: SlipContext, rule: m.Matrix) -> Made:
    Z, own = place.pre_activation, place.net.layer(place.layer)
    for name, other in ACTIVATIONS.items():
        alone = name == "softmax" and Z.shape[1] == 1
        other_name = own.activation == "softmax" and name == "sigmoid"  # a slip of its own
        if name not in (own.activation, "linear") and not alone and not other_name:
            yield Wrong(other.apply(Z, LEAKY_SLOPE), ({"name": name.replace("_", " ")},))
    yield Wrong(m.Apply(s.Where(z, ">", ZERO, ONE, ZERO), (("z", Z),)), ({"name": "a step"},))
    yield Wrong(m.Apply(s.Absolute(z), (("z", Z),)), ({"name": "|z|"},))


def _templates(rule: m.Matrix, change: object) -> Iterator[m.Matrix]:
    """The rule with its scalar rule changed, where that makes a difference."""
    if isinstance(rule, m.Apply):
        other = rewritten(rule.template, change)  # type: ignore[arg-type]
        if other != rule.template:
            yield m.Apply(other, rule.arguments)


# Softmax: e^z over the sum of the row


def _powers(place: SlipContext) -> m.Apply:
    return m.Apply(s.Exp(z), (("z", place.pre_activation),))


def _softmax(Z: m.Matrix) -> m.Matrix:
    return ACTIVATIONS["softmax"].apply(Z, LEAKY_SLOPE)


def without_exp(place: SlipContext, rule: m.Matrix) -> Made:
    Z = place.pre_activation
    yield m.divide(Z, m.row_sums(Z))


def not_normalised(place: SlipContext, rule: m.Matrix) -> Made:
    yield _powers(place)


def wrong_axis(place: SlipContext, rule: m.Matrix) -> Made:
    powers = _powers(place)
    yield Wrong(m.divide(powers, m.column_sums(powers)), ({"what": "its column"},))
    yield Wrong(m.divide(powers, m.total(powers)), ({"what": "the whole table"},))


def exp_of_sum(place: SlipContext, rule: m.Matrix) -> Made:
    sums = m.row_sums(place.pre_activation)
    yield m.divide(_powers(place), m.Apply(s.Exp(z), (("z", sums),)))


def sigmoid_for_softmax(place: SlipContext, rule: m.Matrix) -> Made:
    yield ACTIVATIONS["sigmoid"].apply(place.pre_activation, LEAKY_SLOPE)


def softmax_twice(place: SlipContext, rule: m.Matrix) -> Made:
    yield _softmax(_softmax(place.pre_activation))


def softmax_exponent_sign(place: SlipContext, rule: m.Matrix) -> Made:
    yield _softmax(times(-1.0, place.pre_activation))


def softmax_log_base(place: SlipContext, rule: m.Matrix) -> Made:
    for base in (10, 2):
        yield Wrong(_softmax(times(math.log(base), place.pre_activation)), ({"base": str(base)},))


def softmax_missing_brackets(place: SlipContext, rule: m.Matrix) -> Made:
    """e^z/e^z1 + e^z2 + …"""
    powers = _powers(place)
    first = column(powers, 0)
    if powers.shape[1] > 1:
        yield m.add(m.divide(powers, first), m.subtract(m.row_sums(powers), first))
