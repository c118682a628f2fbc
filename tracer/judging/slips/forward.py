"""Wrong rules on the way forward: sums, activations, softmax."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import permutations

import numpy as np

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.interval import Interval
from tracer.judging.slips.context import Made, SlipContext, WrongRule
from tracer.judging.slips.rewriting import column, products, replaced, rewritten, times
from tracer.lesson.network_symbols import without_first
from tracer.problem.activations import ACTIVATIONS, EVERY_ACTIVATION
from tracer.problem.losses import RULES
from tracer.problem.problem import LEAKY_SLOPE

MOST_PERMUTED = 4  # units whose biases are tried in every order; beyond, only rotated

z = s.Variable("z")
ZERO, ONE = s.Number(0.0), s.Number(1.0)


# Sums: Z = A W + b


def _biased(context: SlipContext, rule: m.Matrix) -> tuple[m.Matrix, m.Matrix] | None:
    """The product and the bias, a row."""
    bias, net = context.bias, context.net
    if isinstance(rule, m.Broadcast) and rule.operator == "+" and bias is not None and m.unrepeated(rule.right) == bias:
        return rule.left, bias
    if net.leading and isinstance(rule, m.MatMul):
        product = m.MatMul(without_first(rule.left, "columns"), without_first(rule.right, "rows"))
        return product, times(float(net.problem.convention.bias_input), m.Row(rule.right, 0))
    return None


def no_bias(context: SlipContext, rule: m.Matrix) -> Made:
    if parts := _biased(context, rule):
        yield parts[0]


def bias_subtracted(context: SlipContext, rule: m.Matrix) -> Made:
    if parts := _biased(context, rule):
        yield m.subtract(*parts)


def bias_per_term(context: SlipContext, rule: m.Matrix) -> Made:
    inner = context.weights.shape[0] - context.net.leading
    if (parts := _biased(context, rule)) and inner > 1:
        yield WrongRule(m.add(parts[0], times(float(inner), parts[1])), ({"inner": str(inner)},))


def wrong_bias(context: SlipContext, rule: m.Matrix) -> Made:
    """The layer's biases in another order, or another layer's."""
    parts = _biased(context, rule)
    if parts is None or not isinstance(parts[1], m.Symbol):
        return
    own, name = context.reading[parts[1].name], f"{parts[1].name} in another order"
    units = own.low.shape[1]
    if units > 1:
        orders = list(permutations(range(units)))[1:] if units <= MOST_PERMUTED else _rotations(units)
        index = np.array(orders)
        bounds = Interval(own.low[0, index][:, None, :], own.high[0, index][:, None, :])
        words = [{"whose": "in another order"} for _ in orders]
        spelled_out = [m.add(parts[0], m.Part(parts[1], (0,), tuple(order))) for order in orders]
        yield WrongRule(m.add(parts[0], m.Symbol(name, parts[1].shape)), words, {name: bounds}, spelled_out)
    for layer in range(1, context.net.depth + 1):
        other = context.net.bias(layer)
        if other is not None and layer != context.layer and other.shape == parts[1].shape:
            yield WrongRule(m.add(parts[0], other), ({"whose": f"of layer {layer}"},))


def _rotations(count: int) -> list[list[int]]:
    return [[(k + by) % count for k in range(count)] for by in range(1, count)]


def weights_transposed(context: SlipContext, rule: m.Matrix) -> Made:
    W = context.weights
    if W.shape[0] == W.shape[1]:
        yield replaced(rule, W, m.Transpose(W))


def elementwise_product(context: SlipContext, rule: m.Matrix) -> Made:
    for product in products(rule):
        if product.left.shape == product.right.shape:
            yield replaced(rule, product, m.multiply(product.left, product.right))


def previous_layer_unactivated(context: SlipContext, rule: m.Matrix) -> Made:
    """The Z of the layer before in place of its A."""
    before = context.layer - 1
    A = context.net.activation(before)
    if before and not context.work.left_out(A.name):  # else the slip is in A
        Z = context.net.pre_activation(before)
        yield WrongRule(
            replaced(rule, A, context.net.given_on(before, Z)), ({"activation": A.name, "pre_activation": Z.name},)
        )


# Activations, cell by cell: A = φ(Z)


def activation_skipped(context: SlipContext, rule: m.Matrix) -> Made:
    if context.function_name != "linear":
        words = {"activation": context.activation.name, "pre_activation": context.pre_activation.name}
        yield WrongRule(context.pre_activation, (words,))


def exponent_sign(context: SlipContext, rule: m.Matrix) -> Made:
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


def log_base(context: SlipContext, rule: m.Matrix) -> Made:
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
            yield WrongRule(wrong, ({"base": str(base)},))


def missing_brackets(context: SlipContext, rule: m.Matrix) -> Made:
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


def formula_mistyped(context: SlipContext, rule: m.Matrix) -> Made:
    """σ(z²); 1/(1 + e^(−z)²), read in both ways; 1/e^(−z)."""
    if isinstance(rule, m.Apply) and context.function_name in ("sigmoid", "tanh", "softplus"):
        yield m.Apply(s.substitute(rule.template, {"z": s.Power(z, 2)}), rule.arguments)
    if isinstance(rule, m.Apply) and context.function_name == "sigmoid":
        for power in (s.Power(z, 2), s.Product((s.Number(-2.0), z))):
            yield m.Apply(s.Quotient(ONE, s.Sum((ONE, s.Exp(power)))), rule.arguments)
        yield m.Apply(s.Exp(z), rule.arguments)


def wrong_activation(context: SlipContext, rule: m.Matrix) -> Made:
    Z, own = context.pre_activation, context.function_name
    thresholds = context.by_layers and context.of_loss in RULES
    for name, other in (EVERY_ACTIVATION if thresholds else ACTIVATIONS).items():
        alone = name == "softmax" and Z.shape[1] == 1
        other_name = own == "softmax" and name == "sigmoid"  # a slip of its own
        if name not in (own, "linear") and not alone and not other_name:
            yield WrongRule(other.apply(Z, LEAKY_SLOPE), ({"name": name.replace("_", " ")},))
    yield WrongRule(m.Apply(s.Where(z, ">", ZERO, ONE, ZERO), (("z", Z),)), ({"name": "the step function"},))
    yield WrongRule(m.Apply(s.Absolute(z), (("z", Z),)), ({"name": "the absolute value"},))


def _templates(rule: m.Matrix, change: object) -> Iterator[m.Matrix]:
    """The rule with its scalar rule changed, where that makes a difference."""
    if isinstance(rule, m.Apply):
        other = rewritten(rule.template, change)  # type: ignore[arg-type]
        if other != rule.template:
            yield m.Apply(other, rule.arguments)


# Softmax: e^z over the sum of the row


def _powers(context: SlipContext) -> m.Apply:
    return m.Apply(s.Exp(z), (("z", context.pre_activation),))


def _softmax(Z: m.Matrix) -> m.Matrix:
    return ACTIVATIONS["softmax"].apply(Z, LEAKY_SLOPE)


def without_exp(context: SlipContext, rule: m.Matrix) -> Made:
    Z = context.pre_activation
    yield m.divide(Z, m.row_sums(Z))


def not_normalised(context: SlipContext, rule: m.Matrix) -> Made:
    yield _powers(context)


def wrong_axis(context: SlipContext, rule: m.Matrix) -> Made:
    powers = _powers(context)
    yield WrongRule(m.divide(powers, m.column_sums(powers)), ({"what": "its column"},))
    yield WrongRule(m.divide(powers, m.total(powers)), ({"what": "the whole table"},))


def exp_of_sum(context: SlipContext, rule: m.Matrix) -> Made:
    sums = m.row_sums(context.pre_activation)
    yield m.divide(_powers(context), m.Apply(s.Exp(z), (("z", sums),)))


def sigmoid_for_softmax(context: SlipContext, rule: m.Matrix) -> Made:
    yield ACTIVATIONS["sigmoid"].apply(context.pre_activation, LEAKY_SLOPE)


def softmax_twice(context: SlipContext, rule: m.Matrix) -> Made:
    yield _softmax(_softmax(context.pre_activation))


def softmax_exponent_sign(context: SlipContext, rule: m.Matrix) -> Made:
    yield _softmax(times(-1.0, context.pre_activation))


def softmax_log_base(context: SlipContext, rule: m.Matrix) -> Made:
    for base in (10, 2):
        yield WrongRule(_softmax(times(math.log(base), context.pre_activation)), ({"base": str(base)},))


def softmax_missing_brackets(context: SlipContext, rule: m.Matrix) -> Made:
    """e^z/e^z1 + e^z2 + …"""
    powers = _powers(context)
    first = column(powers, 0)
    if powers.shape[1] > 1:
        yield m.add(m.divide(powers, first), m.subtract(m.row_sums(powers), first))
