"""The book's last part: the layers from back to front, in the order of the hand-written pages, and the biases.

Each layer: the chain rule for one weight, its factors one after the other, all of them together, new weights.
"""

from __future__ import annotations

from collections.abc import Iterator

from tracer.derivation.chain import Chain, Factors
from tracer.derivation.network_cells import NetworkCells
from tracer.derivation.path_picture import draw_paths
from tracer.derivation.typeset import (
    EQUALS,
    NEARLY,
    Chapter,
    Contents,
    Figure,
    Passage,
    equation,
    formula,
    operator,
    row,
    say,
    table,
)
from tracer.problem.optimizers import Optimizer
from tracer.program import roles

MOST_PARTS = 3  # samples whose parts of a gradient are written side by side

Told = tuple[str, str, Contents]
"""A passage in the making: its kind, of which matrix, and its contents."""


def backward(cells: NetworkCells, layer: int) -> Chapter:
    """Everything that changes one layer's weights."""
    told = _LayerBackward(Chain(cells, layer))
    passages = told.output_passages() if told.chain.is_output else told.hidden_passages()
    made = tuple(Passage(kind, of, tuple(contents)) for kind, of, contents in passages)
    return Chapter(f"back-{layer}", f"Back to layer {layer}: {cells.kind_of_layer(layer)}", made)


class _LayerBackward:
    """The passages of one layer."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.cells, self.own = chain, chain.cells, chain.own
        self.factors = Factors(chain)
        self.several_samples = self.cells.rows > 1

    def output_passages(self) -> Iterator[Told]:
        own = self.own
        yield "chain-rule", own.weights_gradient, self._chain_rule()
        yield "error", own.error, self.factors.error()
        yield from self._slopes()
        yield from self._delta()
        yield "inputs", own.pre_activation, self.factors.local()
        yield "gradient", own.weights_gradient, self._gradient()
        yield "update", own.new_weights, self._update()

    def hidden_passages(self) -> Iterator[Told]:
        own = self.own
        yield "chain-rule", own.weights_gradient, self._chain_rule()
        yield from self._slopes()
        yield "inputs", own.pre_activation, self.factors.local()
        if not self.chain.apart:
            yield "gradient-in-fractions", own.weights_gradient, self._gradient_in_fractions()
        yield "error-sent-back", own.error, self.factors.error_sent_back()
        yield from self._delta()
        yield "gradient", own.weights_gradient, self._gradient()
        yield "update", own.new_weights, self._update()

    def _chain_rule(self) -> Contents:
        if self.chain.is_output:
            start = "Now work backwards. How does the loss change with a weight of the output layer?"
        else:
            start = "The same again, one layer further back. How does the loss change with a weight of this layer?"
        acting = {"weight": self.own.weights, "sum": self.own.pre_activation, "activation": self.own.activation}
        yield say(
            f"{start} {{weight}} acts on it through {{sum}}{self._through()}. By the chain rule, multiply the "
            f"derivatives along the path{' and add up the samples' if self.several_samples else ''}:",
            **{word: self.cells.symbol(self.cells.first(each)) for word, each in acting.items()},
        )
        yield Figure(draw_paths(self.cells, self.own.number))
        target = self.cells.first(self.own.weights_gradient)
        rule = self.chain.rule(written_out=True)(target)
        yield self.cells.example(target, rule, self.chain.weight_names(target), until="letters")
        if self.chain.is_output and self.chain.carries_rate:
            rate = self.cells.rate()
            yield say(
                "The learning rate {rate} is already a factor here; everything that follows carries it.", rate=rate
            )

    def _through(self) -> str:
        """What lies between the sum of a unit and the loss."""
        if self.own.jacobians:
            return ", and that through every output"
        return ", and that through {activation}" if roles.SLOPE in self.own.quantities else ""

    def _slopes(self) -> Iterator[Told]:
        if roles.SLOPE in self.own.quantities:
            yield "slopes", self.own.slope, self.factors.slopes()
        elif self.own.jacobians:
            yield "slopes", self.own.jacobians[0], self.factors.jacobians()

    def _delta(self) -> Iterator[Told]:
        if self.chain.apart:
            yield "delta", self.own.delta, self.factors.delta()

    def _gradient_in_fractions(self) -> Contents:
        block = self.cells.block(self.own.weights_gradient)
        yield say("For every weight of the layer, then:")
        stages = self.cells.stages(block, self.chain.rule(written_out=True), self.chain.weight_names)
        yield equation(block, [each for each in stages if each[2] in ("symbols", "letters")])

    def _gradient(self) -> Contents:
        if self.chain.apart:
            yield from self._gradient_of_delta()
            return
        block = self.cells.block(self.own.weights_gradient)
        stages = self.cells.stages(block, self.chain.rule(written_out=True), self.chain.weight_names)
        if self.chain.is_output:
            yield say("All factors together, for every weight of the layer:")
            yield equation(block, stages)
        else:
            yield say("Now every factor is known. With numbers:")
            yield equation(block, [each for each in stages if each[2] != "letters"])

    def _gradient_of_delta(self) -> Contents:
        gradient, rule, names = self.own.weights_gradient, self.chain.rule(written_out=False), self.chain.weight_names
        if not self.several_samples:
            block = self.cells.block(gradient)
            yield say("Both factors together, for every weight of the layer:")
            yield equation(block, self.cells.stages(block, rule, names))
            return
        target = self.cells.first(gradient)
        yield say("Both factors together, in every sample, and the samples add up. For one weight in full:")
        yield self.cells.example(target, rule(target), names(target))
        if self.chain.scaled:
            yield say(_entering(self.cells), rate=self.cells.rate())
            yield formula((self.cells.matrix(gradient), self.cells.equals_rule(gradient)))
            return
        if self.cells.rows <= MOST_PARTS:
            yield say("For all weights at once, a column of inputs times a row of deltas for every sample:")
            yield formula((self.cells.matrix(gradient),), *self._samples())
            return
        yield say("For all weights at once, the inputs times the deltas:")
        made = self.cells.in_matrices(gradient)
        assert made is not None
        yield made

    def _samples(self) -> Iterator[tuple[str]]:
        """column × row + column × row + … = gradient."""
        cells, target = self.cells, self.cells.block(self.own.weights_gradient)
        for n in range(cells.rows):
            came_in, delta = cells.column(self.own.inputs, n), cells.row(self.own.delta, n)
            yield (row(operator("+" if n else EQUALS), table(came_in, cells.value, "given")),)
            yield (row(operator("×"), table(delta, cells.value, "given")),)
        sign = operator(EQUALS if cells.comes_to(target) else NEARLY)
        yield (row(sign, table(target, cells.value, "values")),)

    def _update(self) -> Contents:
        cells = self.cells
        if cells.problem.optimizer == Optimizer():
            yield say(_step_taken(cells), rate=cells.rate())
        else:
            yield from _followed(cells, self.own.weights, first=self.chain.is_output)
        yield from _new(cells, self.own.new_weights)


def _followed(cells: NetworkCells, parameter: str, first: bool) -> Contents:
    """What an optimizer makes before the new value of a parameter; `first`, what it makes once for all of them too."""
    program = cells.program
    made = [each for each in program.of_optimizer if program.assignments[each].expression is not None]
    if first:
        yield say(_rule_of(cells))
        for each in made:
            if program.assignments[each].layer is None:
                yield cells.example(cells.first(each))
    for each in made:
        if program.follows(each) == parameter:
            yield from _new(cells, each)
    yield say("The new values, {rate} being the learning rate:", rate=cells.rate())


def _rule_of(cells: NetworkCells) -> str:
    sign = "" if cells.problem.convention.sign > 0 else " It follows the gradient, of which these are the negatives."
    return cells.problem.optimizer.in_words() + sign


def _new(cells: NetworkCells, parameter: str) -> Contents:
    """New parameters: the matrix in letters, with numbers, and its values."""
    block = cells.block(parameter)
    yield equation(block, cells.stages(block), cells.matrix(parameter))


def _entering(cells: NetworkCells) -> str:
    """What the gradients of weights and biases take in that no delta has."""
    convention = cells.problem.convention
    shared = "divided by the number of samples" if convention.reduction_in == "gradient" else ""
    if convention.learning_rate_in != "change":
        return f"Only here the sum over the samples is {shared}. For all weights at once:"
    towards = "with a minus sign and " if convention.sign > 0 else ""
    changed = f"taken {towards}times the learning rate {{rate}}, which makes it the change that is added"
    return f"Only here the sum is {' and '.join(filter(None, (shared, changed)))}. For all weights at once:"


def _step_taken(cells: NetworkCells) -> str:
    convention, twice = cells.problem.convention, cells.problem.reproduce.rate_twice
    if twice:
        return "The learning rate {rate} is already in them; it is applied again here, as in the publication:"
    if convention.learning_rate_in == "change":
        return "These are the changes, with the sign and the learning rate {rate} in them; add them. The new weights:"
    if convention.learning_rate_in == "delta":
        return "The learning rate {rate} is already in them. The new weights:"
    if convention.sign > 0:
        return "The loss increases along the gradient, so each weight takes a step against it, {rate} times as long:"
    return "These are the negative gradients. The loss falls along them, so add {rate} times each:"


def biases(cells: NetworkCells) -> Chapter:
    """Each layer's biases, from back to front, or why they stay."""
    return Chapter("biases", "The biases", tuple(_biases(cells)))


def _biases(cells: NetworkCells) -> Iterator[Passage]:
    having = [each for each in reversed(cells.program.layers) if roles.BIAS in each.quantities]
    if cells.problem.convention.leading:
        yield Passage("no-biases", "", (say("The biases are the first rows of the weights, and are updated by now."),))
    elif not having:
        yield Passage("no-biases", "", (say("This network has no biases."),))
    elif not cells.problem.convention.bias_update:
        yield Passage("biases-stay", "", (say("The biases are not updated in this problem: each keeps its value."),))
    else:
        for number, each in enumerate(having):
            yield Passage("biases", each.bias, tuple(_bias(Chain(cells, each.number), first=not number)))


def _bias(chain: Chain, first: bool) -> Contents:
    cells, own = chain.cells, chain.own
    shared = cells.problem.layers[own.number - 1].shared_bias
    if first:
        yield say(
            "A bias stands alone in its sum, like a weight whose input is always 1: {ratio} = 1. The rest of the "
            "chain rule is how the loss changes with that sum.",
            ratio=cells.ratio(cells.first(own.pre_activation), cells.first(own.bias)),
        )
    else:
        yield say("The same for the layer before it.")
    if shared and chain.units > 1:
        yield say("All units of the layer share one bias, so their parts add up:")
    elif cells.rows > 1:
        yield say("The samples add up:")
    rule = chain.rule(written_out=not chain.apart)
    if cells.rows > 1 or shared:
        target = cells.first(own.bias_gradient)
        yield cells.example(target, rule(target))
    column = cells.column(own.bias_gradient)
    yield equation(column, cells.stages(column, rule))
    if cells.problem.optimizer == Optimizer():
        yield say("The new biases:")
    else:
        yield from _followed(cells, own.bias, first=False)
    yield from _new(cells, own.new_bias)
