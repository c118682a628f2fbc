"""The eleven steps, as a table: what each one assigns, in the order of a derivation by hand.

`TABLE` can be held beside the article (SOURCES: S1). Each row makes the assignments of one step
of one layer from the matrices before it; build.py runs through it for any number of layers.
Nothing else in the product says how a step is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from tracer.calculus.reverse import Gradient, sent_back
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.lesson.network_symbols import NetworkSymbols, without_first
from tracer.problem.losses import EVERY_LOSS
from tracer.program import naming_policy as named
from tracer.program import roles
from tracer.program.roles import Assignment, BlockIndex, Quantity

Made: TypeAlias = Iterator[Assignment]


def given(symbol: m.Symbol, what: Quantity, block: BlockIndex = ()) -> Assignment:
    return Assignment(symbol.name, symbol.shape, None, *what, block=block)


def made(symbol: m.Symbol, expression: m.Matrix, what: Quantity, layer: int) -> Assignment:
    return Assignment(symbol.name, expression.shape, expression, *what, block=(("layer", layer),))


def read(net: NetworkSymbols) -> Made:
    yield given(net.activation(0), roles.INPUTS)
    yield given(net.targets, roles.TARGETS)


def initialise(net: NetworkSymbols) -> Made:
    for layer in range(1, net.depth + 1):
        block, bias = (("layer", layer),), net.bias(layer)
        yield given(net.weights(layer), roles.WEIGHTS, block)
        if bias is not None:
            yield given(bias, roles.BIAS, block)


def layer_input(net: NetworkSymbols, layer: int) -> Made:
    yield made(net.pre_activation(layer), sums(net, layer), roles.PRE_ACTIVATION, layer)


def sums(net: NetworkSymbols, layer: int) -> m.Matrix:
    """What goes into the units of a layer."""
    product = m.MatMul(net.activation(layer - 1), net.weights(layer))
    bias = net.bias(layer)
    return product if bias is None else m.add(product, everywhere(bias, product.shape))


def sent_back_to(net: NetworkSymbols, layer: int, operand: m.Symbol) -> m.Matrix:
    """What the delta of a layer sends back to a matrix that its sums are made of."""
    Z, D = net.pre_activation(layer), net.delta(layer)
    ((_, sent),) = sent_back(sums(net, layer), Z, Gradient(Z.shape, D), {operand.name}, lambda local, _: local)
    return sent


def sent_back_to_units(net: NetworkSymbols, layer: int) -> m.Matrix:
    """What the delta of the next layer sends back to a layer's units: not to the bias's 1 beside them."""
    if not net.leading:
        return sent_back_to(net, layer + 1, net.activation(layer))
    return m.MatMul(net.delta(layer + 1), m.Transpose(without_first(net.weights(layer + 1), "rows")))


def everywhere(bias: m.Symbol, shape: m.Shape) -> m.Matrix:
    """A bias for every sample, one that units share for every unit too."""
    return m.repeat(bias, "rows" if bias.shape[1] == shape[1] else "all", shape)


def activation(net: NetworkSymbols, layer: int) -> Made:
    value = net.function(layer).apply(net.pre_activation(layer), net.layer(layer).slope)
    yield made(net.activation(layer), net.given_on(layer, value), roles.ACTIVATION, layer)


def output(net: NetworkSymbols) -> Made:
    yield from layer_input(net, net.depth)
    yield from activation(net, net.depth)
    yield Assignment(named.LOSS, (1, 1), loss(net), *roles.LOSS)


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


def error(net: NetworkSymbols) -> Made:
    A, Y = net.activation(net.depth), net.targets
    y, a = s.Variable("y"), s.Variable("a")
    rule: s.Scalar = s.Sum((a, s.Negative(y))) if net.fused else EVERY_LOSS[net.problem.loss].gradient
    rule = s.substitute(rule, {"K": s.Number(float(net.outputs))})
    rule = rule if net.problem.convention.sign > 0 else s.negative(rule)
    used = s.variables(rule)
    value: m.Matrix = m.Apply(rule, tuple(pair for pair in (("y", Y), ("a", A)) if pair[0] in used))
    if net.problem.convention.reduction == "mean" and not net.mean_in_gradient:
        value = m.divide(value, m.Constant(float(net.rows)))
    of = net.pre_activation(net.depth) if net.fused else A
    yield gradient(net.error(net.depth), value, roles.ERROR, net.depth, of, net.error_factor)


def gradient(
    symbol: m.Symbol, value: m.Matrix, what: Quantity, layer: int, of: m.Symbol, factor: float, reproduced: bool = False
) -> Assignment:
    return replace(made(symbol, value, what, layer), of=of.name, factor=factor, reproduced=reproduced)


def slopes(net: NetworkSymbols) -> Made:
    if net.jacobians:
        yield from jacobians(net)
    for layer in range(net.depth, 0, -1):
        if layer == net.depth and (net.jacobians or net.fused):
            continue
        Z, A = net.pre_activation(layer), net.activation(layer)
        at_zero = net.problem.convention.relu_slope_at_zero
        value = net.function(layer).slopes(Z, net.outputs_of(layer), net.layer(layer).slope, at_zero)
        assignment = made(net.slope(layer), value, roles.SLOPE, layer)
        yield replace(assignment, of=A.name, reproduced=net.diagonal and layer == net.depth)


def jacobians(net: NetworkSymbols) -> Made:
    A = net.activation(net.depth)
    for sample in range(1, net.rows + 1):
        own = m.Row(A, sample - 1)
        value = m.multiply(m.Transpose(own), m.subtract(m.Identity(net.outputs), own))
        block = (("layer", net.depth), ("sample", sample))
        yield replace(made(net.jacobian(sample), value, roles.JACOBIAN, net.depth), of=A.name, block=block)


def output_delta(net: NetworkSymbols) -> Made:
    E, delta = net.error(net.depth), net.delta(net.depth)
    value: m.Matrix
    if net.fused:
        value = E
    elif net.jacobians:
        value = m.Stack(tuple(m.MatMul(m.Row(E, n), net.jacobian(n + 1)) for n in range(net.rows)))
    else:
        value = m.multiply(E, net.slope(net.depth))
    value = m.multiply(value, net.rate) if net.rate_in_delta else value
    yield gradient(delta, value, roles.DELTA, net.depth, net.pre_activation(net.depth), net.delta_factor)


def error_sent_back(net: NetworkSymbols, layer: int) -> Made:
    W, reproduced = net.weights(layer + 1), net.problem.reproduce.updated_weights_sent_back
    value = sent_back_to_units(net, layer)
    if reproduced:
        new = m.Symbol(named.updated(W.name), W.shape)
        value = traversal.rewrite(value, lambda part: new if part == W else None)
    yield gradient(net.error(layer), value, roles.ERROR, layer, net.activation(layer), net.delta_factor, reproduced)


def hidden_delta(net: NetworkSymbols, layer: int) -> Made:
    value = m.multiply(net.error(layer), net.slope(layer))
    yield gradient(net.delta(layer), value, roles.DELTA, layer, net.pre_activation(layer), net.delta_factor)


def new_weights(net: NetworkSymbols, layer: int) -> Made:
    W = net.weights(layer)
    change = m.Symbol(named.gradient(W.name), W.shape)
    yield gradient(change, of_parameter(net, layer, W), roles.WEIGHTS_GRADIENT, layer, W, net.parameter_factor)
    yield updated(net, W, stepped(net, W, change), roles.NEW_WEIGHTS, layer)


def of_parameter(net: NetworkSymbols, layer: int, parameter: m.Symbol) -> m.Matrix:
    """What delta sends back to a parameter, with the mean over the samples and −rate where they enter here."""
    value = sent_back_to(net, layer, parameter)
    if net.mean_in_gradient:
        value = m.divide(value, m.Constant(float(net.rows)))
    if net.rate_in_change:
        value = m.multiply(net.rate, value)
        value = m.multiply(m.Constant(-1.0), value) if net.problem.convention.sign > 0 else value
    return value


def new_biases(net: NetworkSymbols, layer: int) -> Made:
    b = net.bias(layer)
    if b is None:
        return
    change = m.Symbol(named.gradient(b.name), b.shape)
    yield gradient(change, of_parameter(net, layer, b), roles.BIAS_GRADIENT, layer, b, net.parameter_factor)
    new = stepped(net, b, change) if net.problem.convention.bias_update else b
    yield updated(net, b, new, roles.NEW_BIAS, layer)


def updated(net: NetworkSymbols, parameter: m.Symbol, value: m.Matrix, what: Quantity, layer: int) -> Assignment:
    symbol = m.Symbol(named.updated(parameter.name), parameter.shape)
    return replace(made(symbol, value, what, layer), of=parameter.name, reproduced=net.problem.reproduce.rate_twice)


def stepped(net: NetworkSymbols, parameter: m.Symbol, change: m.Symbol) -> m.Matrix:
    """A parameter after one step of gradient descent."""
    if net.rate_in_change:
        return m.add(parameter, change)
    step = m.multiply(net.rate, change) if net.rate_in_update else change
    return m.subtract(parameter, step) if net.problem.convention.sign > 0 else m.add(parameter, step)


Once: TypeAlias = Callable[[NetworkSymbols], Made]
PerLayer: TypeAlias = Callable[[NetworkSymbols, int], Made]


@dataclass(frozen=True)
class StepRow:
    """One step of the table; `each` makes one layer's part, `once` all of it.

    `words` is its formula in words, `why` the chain rule's part in it.
    """

    number: int
    title: str
    words: str
    why: str
    once: Once | None = None
    each: PerLayer | None = None


TABLE = (
    StepRow(
        number=0,
        title="Read the data",
        words="Each row is one sample.",
        why="X holds the inputs, Y the outputs they should give.",
        once=read,
    ),
    StepRow(
        number=1,
        title="Initialise weights and biases",
        words="A weight for every connection, a bias for every unit.",
        why="Learning starts from some numbers; these are the ones used here.",
        once=initialise,
    ),
    StepRow(
        number=2,
        title="Input of the hidden layer",
        words="Input of a unit = the sum of all that arrives, each times its weight, plus the bias.",
        why="The loss depends on a weight only through this sum.",
        each=layer_input,
    ),
    StepRow(
        number=3,
        title="Activation of the hidden layer",
        words="Activation = the activation function of the unit's input.",
        why="It bends the sum; without it, all the layers together would act as a single linear one.",
        each=activation,
    ),
    StepRow(
        number=4,
        title="Output and loss",
        words="The last layer does the same; the loss says in one number how far its outputs are from the targets.",
        why="From here on the chain rule takes that number apart, from back to front.",
        once=output,
    ),
    StepRow(
        number=5,
        title="Error at the output",
        words="Error = how the loss changes with each output.",
        why="It is the first factor of the chain rule.",
        once=error,
    ),
    StepRow(
        number=6,
        title="Slopes",
        words="Slope = the derivative of the activation function, at this unit's input.",
        why="It is each layer's own factor of the chain rule: how a unit's output changes with its input.",
        once=slopes,
    ),
    StepRow(
        number=7,
        title="Delta of the output layer",
        words="Delta = error times slope.",
        why="The first two factors of the chain rule together: how the loss changes with an output unit's input.",
        once=output_delta,
    ),
    StepRow(
        number=8,
        title="Error sent back",
        words="Error of a unit = the sum, over the units it feeds, of their delta times the connecting weight.",
        why="The chain rule's next factor is that weight; a unit acts along several paths, and paths add up.",
        each=error_sent_back,
    ),
    StepRow(
        number=9,
        title="Delta of the hidden layer",
        words="Delta = error sent back times slope.",
        why="As in step 7, one layer further back: from a unit's output to its input.",
        each=hidden_delta,
    ),
    StepRow(
        number=10,
        title="New weights",
        words="Gradient of a weight = the sum, over the samples, of its input times delta.",
        why="The input is the chain rule's last factor. The loss increases along the gradient, so the weight takes a "
        "small step the other way.",
        each=new_weights,
    ),
    StepRow(
        number=11,
        title="New biases",
        words="Gradient of a bias = the sum of the deltas over the samples.",
        why="A bias is like a weight whose input is always 1; it is updated in the same way.",
        each=new_biases,
    ),
)


def in_time(depth: int, updated_weights_sent_back: bool) -> Iterator[tuple[int, int | None]]:
    """(step, layer) in order of time; a layer of None means the step's whole part that is left."""
    yield from ((0, None), (1, None))
    for layer in range(1, depth):
        yield from ((2, layer), (3, layer))
    yield from ((4, None), (5, None), (6, None), (7, None))
    for layer in range(depth - 1, 0, -1):
        if updated_weights_sent_back:
            yield (10, layer + 1)
        yield from ((8, layer), (9, layer))
    yield from ((10, 1 if updated_weights_sent_back and depth > 1 else None), (11, None))
