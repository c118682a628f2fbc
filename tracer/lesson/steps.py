"""The eleven steps, as a table: what each one assigns, in the order of a derivation by hand.

`TABLE` can be held beside the article (SOURCES: S1). Each row makes the assignments of one step of one layer; build.py
runs through it for any number of layers. The rules of the forward half are in forward.py; the backward half is derived
(way_back.py), as the conventions have it (conventions.py), and the table says in which step what of it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from tracer.expression import matrix as m
from tracer.lesson import forward
from tracer.lesson.conventions import rewritten
from tracer.lesson.network_symbols import NetworkSymbols
from tracer.lesson.way_back import derived
from tracer.problem.optimizers import Optimizer
from tracer.program import naming_policy as named
from tracer.program import roles
from tracer.program.roles import Assignment, BlockIndex, Quantity

MadeInStep: TypeAlias = Iterator[Assignment]


@dataclass(frozen=True)
class NetworkPass:
    """One pass through a network: its matrices, and its backward half."""

    net: NetworkSymbols

    @cached_property
    def backward(self) -> tuple[Assignment, ...]:
        """Every gradient and local derivative, in the order of the way back."""
        return tuple(rewritten(self.net, derived(self.net)))

    def told(self, what: Quantity, layer: int | None = None) -> MadeInStep:
        """What of the backward half is this, of one layer or of all."""
        return (each for each in self.backward if each.quantity == what and layer in (None, each.layer))


def given(symbol: m.Symbol, what: Quantity, block: BlockIndex = ()) -> Assignment:
    return Assignment(symbol.name, symbol.shape, None, *what, block=block)


def made(symbol: m.Symbol, expression: m.Matrix, what: Quantity, layer: int) -> Assignment:
    return Assignment(symbol.name, expression.shape, expression, *what, block=(("layer", layer),))


def read(one: NetworkPass) -> MadeInStep:
    yield given(one.net.activation(0), roles.INPUTS)
    yield given(one.net.targets, roles.TARGETS)


def initialise(one: NetworkPass) -> MadeInStep:
    net = one.net
    blocks: dict[str | None, BlockIndex] = {}
    for layer in range(1, net.depth + 1):
        for parameter in net.parameters(layer):
            blocks[parameter.name] = (("layer", layer),)
            what = roles.BIAS if parameter == net.bias(layer) else roles.WEIGHTS
            yield given(parameter, what, blocks[parameter.name])
    for state in net.problem.optimizer.states(net.trained):
        yield replace(state, block=blocks.get(state.of, ()))


def layer_input(one: NetworkPass, layer: int) -> MadeInStep:
    yield made(one.net.pre_activation(layer), forward.sums(one.net, layer), roles.PRE_ACTIVATION, layer)


def activation(one: NetworkPass, layer: int) -> MadeInStep:
    given_on = one.net.given_on(layer, forward.units(one.net, layer))
    yield made(one.net.activation(layer), given_on, roles.ACTIVATION, layer)


def output(one: NetworkPass) -> MadeInStep:
    yield from layer_input(one, one.net.depth)
    yield from activation(one, one.net.depth)
    yield Assignment(named.LOSS, (1, 1), forward.loss(one.net), *roles.LOSS)


def error(one: NetworkPass) -> MadeInStep:
    return one.told(roles.ERROR, one.net.depth)


def slopes(one: NetworkPass) -> MadeInStep:
    yield from one.told(roles.JACOBIAN)
    yield from one.told(roles.SLOPE)


def output_delta(one: NetworkPass) -> MadeInStep:
    return one.told(roles.DELTA, one.net.depth)


def error_sent_back(one: NetworkPass, layer: int) -> MadeInStep:
    return one.told(roles.ERROR, layer)


def hidden_delta(one: NetworkPass, layer: int) -> MadeInStep:
    return one.told(roles.DELTA, layer)


def new_weights(one: NetworkPass, layer: int) -> MadeInStep:
    if layer == one.net.depth:
        yield from before_any(one)
    yield from followed(one, layer, one.net.weights(layer), roles.WEIGHTS_GRADIENT, roles.NEW_WEIGHTS)


def before_any(one: NetworkPass) -> MadeInStep:
    """What comes before the first new parameter: where the optimizer clips, every gradient, biases' included."""
    if one.net.problem.optimizer.clip_norm is not None:
        for layer in range(one.net.depth, 0, -1):
            yield from one.told(roles.WEIGHTS_GRADIENT, layer)
            yield from one.told(roles.BIAS_GRADIENT, layer)
    yield from one.net.problem.optimizer.before(one.net.trained)


def new_biases(one: NetworkPass, layer: int) -> MadeInStep:
    b = one.net.bias(layer)
    if b is not None:
        yield from followed(one, layer, b, roles.BIAS_GRADIENT, roles.NEW_BIAS)


def followed(one: NetworkPass, layer: int, parameter: m.Symbol, change: Quantity, new: Quantity) -> MadeInStep:
    """A parameter's gradient, its value after the step that follows it, and what the optimizer makes on the way."""
    if one.net.problem.optimizer.clip_norm is None:
        yield from one.told(change, layer)
    for each in _rule(one.net, parameter):
        own = each.role == "updated" and each.of == parameter.name
        reproduced = own and one.net.problem.reproduce.rate_twice
        yield replace(each, kind=new.kind if own else each.kind, block=(("layer", layer),), reproduced=reproduced)


def _rule(net: NetworkSymbols, parameter: m.Symbol) -> MadeInStep:
    optimizer, convention = net.problem.optimizer, net.problem.convention
    if parameter.name not in net.trained:
        yield _new_value(parameter, parameter)
    elif net.rate_in_update:
        yield from optimizer.clipped(parameter.name, parameter)
        yield from optimizer.of_parameter(parameter.name, parameter, convention.sign)
    else:
        change = m.Symbol(named.gradient(parameter.name), parameter.shape)
        adds = net.rate_in_change or convention.sign < 0
        yield _new_value(parameter, m.add(parameter, change) if adds else m.subtract(parameter, change))


def _new_value(parameter: m.Symbol, value: m.Matrix) -> Assignment:
    return Assignment(named.updated(parameter.name), parameter.shape, value, "updated", of=parameter.name)


Once: TypeAlias = Callable[[NetworkPass], MadeInStep]
PerLayer: TypeAlias = Callable[[NetworkPass, int], MadeInStep]


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


def added_why(net: NetworkSymbols, number: int) -> str:
    """What an optimizer adds to why a step is done."""
    optimizer = net.problem.optimizer
    if number == 1 and optimizer.names:
        return " What the optimizer keeps of each of them starts here too."
    if number not in (10, 11) or optimizer == Optimizer():
        return ""
    biased = any(net.bias(layer) is not None for layer in range(1, net.depth + 1))
    early = number == 10 and optimizer.clip_norm is not None and biased
    return f" {optimizer.in_words()}{BIASES_TOO if early else ''}"


BIASES_TOO = " The gradients of the biases stand here too, since they count towards that length."


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
