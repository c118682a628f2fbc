"""The eleven steps, as a table: what each one assigns, in the order of a derivation by hand.

`TABLE` can be held beside the article (SOURCES: S1). Each row makes the assignments of one step
of one layer from the matrices before it; build.py runs through it for any number of layers.
Nothing else in the product says how a step is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.lesson.network_symbols import Blackboard
from tracer.problem.losses import LOSSES

Made: TypeAlias = Iterator[tuple[str, m.Matrix | None]]
"""Identifiers with their expressions; None where the matrix is given."""


def read(net: Blackboard) -> Made:
    yield "X", None
    yield "Y", None


def initialise(net: Blackboard) -> Made:
    for layer in range(1, net.depth + 1):
        yield f"W{layer}", None
        if net.b(layer) is not None:
            yield f"b{layer}", None


def layer_input(net: Blackboard, layer: int) -> Made:
    product = m.MatMul(net.of_units("A", layer - 1), net.W(layer))
    bias = net.b(layer)
    yield f"Z{layer}", product if bias is None else m.add(product, bias)


def activation(net: Blackboard, layer: int) -> Made:
    Z = net.of_units("Z", layer)
    yield f"A{layer}", net.activation(layer).apply(Z, net.layer(layer).slope)


def output(net: Blackboard) -> Made:
    yield from layer_input(net, net.depth)
    yield from activation(net, net.depth)
    yield "L", loss(net)


def loss(net: Blackboard) -> m.Matrix:
    rule = LOSSES[net.problem.loss]
    if net.fused and rule.fused_total is not None:
        return _as_told(net, rule.fused_total(net.Y, net.of_units("Z", net.depth)))
    return loss_of_outputs(net)


def loss_of_outputs(net: Blackboard) -> m.Matrix:
    """The loss as one works it by hand, from A; where it is fused it is computed from Z, lest ln 0 occur."""
    outputs = (("y", net.Y), ("a", net.of_units("A", net.depth)))
    return _as_told(net, m.total(m.Apply(LOSSES[net.problem.loss].value, outputs)))


def _as_told(net: Blackboard, value: m.Matrix) -> m.Matrix:
    """A total with the factor of its loss, and divided as the problem tells it."""
    rule = LOSSES[net.problem.loss]
    if rule.factor != 1.0:
        value = m.multiply(m.Constant(rule.factor), value)
    if rule.per_output:
        value = m.divide(value, m.Constant(float(net.outputs)))
    return m.divide(value, m.Constant(float(net.rows))) if net.problem.loss_shown == "mean" else value


def error(net: Blackboard) -> Made:
    A, Y = net.of_units("A", net.depth), net.Y
    y, a = s.Variable("y"), s.Variable("a")
    rule: s.Scalar = s.Sum((a, s.Negative(y))) if net.fused else LOSSES[net.problem.loss].gradient
    rule = s.substitute(rule, {"K": s.Number(float(net.outputs))})
    rule = rule if net.problem.convention.sign > 0 else s.negative(rule)
    used = s.variables(rule)
    value: m.Matrix = m.Apply(rule, tuple(pair for pair in (("y", Y), ("a", A)) if pair[0] in used))
    yield (
        "E",
        m.divide(value, m.Constant(float(net.rows))) if net.problem.convention.reduction == "mean" else value,
    )


def slopes(net: Blackboard) -> Made:
    if net.jacobians:
        yield from jacobians(net)
    for layer in range(net.depth, 0, -1):
        if layer == net.depth and (net.jacobians or net.fused):
            continue
        Z, A = net.of_units("Z", layer), net.of_units("A", layer)
        at_zero = net.problem.convention.relu_slope_at_zero
        yield f"S{layer}", net.activation(layer).slopes(Z, A, net.layer(layer).slope, at_zero)


def jacobians(net: Blackboard) -> Made:
    A = net.of_units("A", net.depth)
    for sample in range(net.rows):
        own = m.Row(A, sample)
        yield f"J{sample + 1}", m.multiply(m.Transpose(own), m.subtract(m.Identity(net.outputs), own))


def output_delta(net: Blackboard) -> Made:
    E, size = net.E, (net.outputs, net.outputs)
    value: m.Matrix
    if net.fused:
        value = E
    elif net.jacobians:
        value = m.Stack(tuple(m.MatMul(m.Row(E, n), m.Symbol(f"J{n + 1}", size)) for n in range(net.rows)))
    else:
        value = m.multiply(E, net.of_units("S", net.depth))
    yield f"D{net.depth}", m.multiply(value, net.rate) if net.rate_in_delta else value


def error_sent_back(net: Blackboard, layer: int) -> Made:
    suffix = "_next" if net.problem.reproduce.updated_weights_sent_back else ""
    W = net.W(layer + 1, suffix)
    yield f"E{layer}", m.MatMul(net.of_units("D", layer + 1), m.Transpose(W))


def hidden_delta(net: Blackboard, layer: int) -> Made:
    yield f"D{layer}", m.multiply(net.of_units("E", layer), net.of_units("S", layer))


def new_weights(net: Blackboard, layer: int) -> Made:
    W = net.W(layer)
    yield f"dW{layer}", m.MatMul(m.Transpose(net.of_units("A", layer - 1)), net.of_units("D", layer))
    yield f"W{layer}_next", updated(net, W, m.Symbol(f"dW{layer}", W.shape))


def new_biases(net: Blackboard, layer: int) -> Made:
    b = net.b(layer)
    if b is None:
        return
    D = net.of_units("D", layer)
    yield f"db{layer}", m.total(D) if b.shape == (1, 1) and D.shape[1] > 1 else m.column_sums(D)
    change = m.Symbol(f"db{layer}", b.shape)
    yield f"b{layer}_next", updated(net, b, change) if net.problem.convention.bias_update else b


def updated(net: Blackboard, parameter: m.Symbol, change: m.Symbol) -> m.Matrix:
    step = m.multiply(net.rate, change) if net.rate_in_update else change
    return m.subtract(parameter, step) if net.problem.convention.sign > 0 else m.add(parameter, step)


Once: TypeAlias = Callable[[Blackboard], Made]
PerLayer: TypeAlias = Callable[[Blackboard, int], Made]


@dataclass(frozen=True)
class Row:
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
    Row(
        number=0,
        title="Read the data",
        words="Each row is one sample.",
        why="X holds what goes in, Y what should come out.",
        once=read,
    ),
    Row(
        number=1,
        title="Initialise weights and biases",
        words="A weight for every connection, a bias for every unit.",
        why="Learning starts from some numbers; these are the ones used here.",
        once=initialise,
    ),
    Row(
        number=2,
        title="Input of the hidden layer",
        words="Input of a unit = the sum of everything that comes in times its weight, plus the bias.",
        why="The loss depends on a weight only through this sum.",
        each=layer_input,
    ),
    Row(
        number=3,
        title="Activation of the hidden layer",
        words="Activation = the activation function of the unit's input.",
        why="It bends the sum; without it all layers together would be a single linear one.",
        each=activation,
    ),
    Row(
        number=4,
        title="Output and loss",
        words="The last layer does the same; the loss is one number for how far its outputs are from the targets.",
        why="That number is what the chain rule takes apart from here on, from the back to the front.",
        once=output,
    ),
    Row(
        number=5,
        title="Error at the output",
        words="Error = how the loss changes with each output.",
        why="It is the first factor of the chain rule.",
        once=error,
    ),
    Row(
        number=6,
        title="Slopes",
        words="Slope = the derivative of the activation function, at this unit's input.",
        why="It is each layer's own factor of the chain rule: how a unit's output changes with its input.",
        once=slopes,
    ),
    Row(
        number=7,
        title="Delta of the output layer",
        words="Delta = error times slope.",
        why="The first two factors of the chain rule together: how the loss changes with an output unit's input.",
        once=output_delta,
    ),
    Row(
        number=8,
        title="Error sent back",
        words="Error of a unit = the sum, over the units that it feeds, of their delta times the weight between.",
        why="The chain rule's next factor is that weight; a unit acts along several paths, and paths add up.",
        each=error_sent_back,
    ),
    Row(
        number=9,
        title="Delta of the hidden layer",
        words="Delta = error sent back times slope.",
        why="As in step 7, one layer further back: from a unit's output to its input.",
        each=hidden_delta,
    ),
    Row(
        number=10,
        title="New weights",
        words="Gradient of a weight = the sum, over the samples, of what came in times delta.",
        why="What came in is the chain rule's last factor. The loss grows along the gradient, so the weight takes a "
        "small step the other way.",
        each=new_weights,
    ),
    Row(
        number=11,
        title="New biases",
        words="Gradient of a bias = the sum of the deltas over the samples.",
        why="A bias is a weight whose input is always 1; it takes its step in the same way.",
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
