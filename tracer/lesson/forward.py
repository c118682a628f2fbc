"""The forward rules of the eleven steps: what goes into the units of a layer, what they give, and the loss."""

from __future__ import annotations

from tracer.expression import matrix as m
from tracer.lesson.network_symbols import NetworkSymbols
from tracer.problem.losses import EVERY_LOSS


def sums(net: NetworkSymbols, layer: int) -> m.Matrix:
    """What goes into the units of a layer."""
    product = m.MatMul(net.activation(layer - 1), net.weights(layer))
    bias = net.bias(layer)
    return product if bias is None else m.add(product, _everywhere(bias, product.shape))


def _everywhere(bias: m.Symbol, shape: m.Shape) -> m.Matrix:
    """A bias for every sample, one that units share for every unit too."""
    return m.repeat(bias, "rows" if bias.shape[1] == shape[1] else "all", shape)


def units(net: NetworkSymbols, layer: int) -> m.Matrix:
    """What the units of a layer give."""
    return net.function(layer).apply(net.pre_activation(layer), net.layer(layer).slope)


def loss(net: NetworkSymbols) -> m.Matrix:
    rule = EVERY_LOSS[net.problem.loss]
    if net.fused and rule.fused_total is not None:
        A, Z = net.activation(net.depth), net.pre_activation(net.depth)
        return _as_told(net, rule.fused_total(net.targets, A, Z))
    return loss_of_outputs(net)


def loss_of_outputs(net: NetworkSymbols) -> m.Matrix:
    """The loss as one works it by hand, from A; where it is fused it is computed from Z, lest ln 0 occur."""
    outputs = (("y", net.targets), ("a", net.activation(net.depth)))
    return _as_told(net, m.total(m.Apply(EVERY_LOSS[net.problem.loss].value, outputs)))


def _as_told(net: NetworkSymbols, value: m.Matrix) -> m.Matrix:
    """A total with the factor of its loss, and divided as the problem tells it."""
    rule = EVERY_LOSS[net.problem.loss]
    if rule.factor != 1.0:
        value = m.multiply(m.Constant(rule.factor), value)
    if rule.per_output:
        value = m.divide(value, m.Constant(float(net.outputs)))
    return m.divide(value, m.Constant(float(net.rows))) if net.problem.loss_shown == "mean" else value
