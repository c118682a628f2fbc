"""The backward half of the eleven steps: derived, by the general way back through the forward half.

Every gradient of a layer is what reverse mode sends on from the one behind it, with its slopes as matrices of their
own. The conventions come after that, as rewrites (conventions.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from tracer.calculus.reverse import Gradient, sent_back
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.lesson import forward
from tracer.lesson.network_symbols import NetworkSymbols
from tracer.problem.losses import EVERY_LOSS, RULES
from tracer.program import naming_policy as named
from tracer.program import roles
from tracer.program.roles import Assignment, Quantity


def derived(net: NetworkSymbols) -> Iterator[Assignment]:
    """Every gradient of the loss summed over the samples, and every slope, from the loss back to the first layer."""
    yield _error(net)
    for layer in range(net.depth, 0, -1):
        yield from _through_function(net, layer)
        yield from _through_sums(net, layer)


def _assigned(symbol: m.Symbol, value: m.Matrix, what: Quantity, layer: int, of: m.Symbol) -> Assignment:
    return Assignment(symbol.name, value.shape, value, *what, of=of.name, block=(("layer", layer),))


def _error(net: NetworkSymbols) -> Assignment:
    """The gradient of the loss at the outputs, which stands beside it; a learning rule's is at their sums."""
    A, Z = net.activation(net.depth), net.pre_activation(net.depth)
    rule = s.substitute(EVERY_LOSS[net.problem.loss].gradient, {"K": s.Number(float(net.outputs))})
    used = tuple(pair for pair in (("y", net.targets), ("a", A)) if pair[0] in s.variables(rule))
    of = Z if net.problem.loss in RULES else A
    return _assigned(net.error(net.depth), m.Apply(rule, used), roles.ERROR, net.depth, of)


def _through_function(net: NetworkSymbols, layer: int) -> Iterator[Assignment]:
    """The slopes of a layer's units, and its delta."""
    A, E, Z = net.activation(layer), net.error(layer), net.pre_activation(layer)
    slopes: list[m.Matrix] = []

    def apart(local: m.Matrix, _: m.Matrix) -> m.Matrix:
        slopes.append(local)
        return net.slope(layer)

    delta: m.Matrix = E
    if net.problem.loss not in RULES:  # which has a single layer
        back = Gradient(Z.shape, E)
        ((_, delta),) = sent_back(forward.units(net, layer), net.outputs_of(layer), back, {Z.name}, apart, True)
    for slope in slopes:
        yield _assigned(net.slope(layer), slope, roles.SLOPE, layer, A)
    yield _assigned(net.delta(layer), delta, roles.DELTA, layer, Z)


def _through_sums(net: NetworkSymbols, layer: int) -> Iterator[Assignment]:
    """The gradients of a layer's parameters, and the error that is sent back to the layer before."""
    Z, A, W = net.pre_activation(layer), net.activation(layer - 1), net.weights(layer)
    active = {each.name for each in (*net.parameters(layer), *((A,) if layer > 1 else ()))}
    for name, sent in sent_back(forward.sums(net, layer), Z, Gradient(Z.shape, net.delta(layer)), active, _as_it_is):
        if name == A.name:
            units = _sent_to_units(net, layer - 1, sent)
            yield _assigned(net.error(layer - 1), units, roles.ERROR, layer - 1, A)
        else:
            what = roles.WEIGHTS_GRADIENT if name == W.name else roles.BIAS_GRADIENT
            parameter = m.Symbol(name, sent.shape)
            yield _assigned(m.Symbol(named.gradient(name), sent.shape), sent, what, layer, parameter)


def _sent_to_units(net: NetworkSymbols, layer: int, sent: m.Matrix) -> m.Matrix:
    """What of it reaches the units of a layer: all, unless a 1 for the bias stands beside them."""
    units = net.error(layer)  # any symbol of their shape
    given_on = net.given_on(layer, units)
    ((_, reached),) = sent_back(given_on, net.activation(layer), Gradient(sent.shape, sent), {units.name}, _as_it_is)
    return reached


def _as_it_is(local: m.Matrix, _: m.Matrix) -> m.Matrix:
    return local
