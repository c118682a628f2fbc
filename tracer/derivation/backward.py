"""The book's last part: the layers from back to front, in the order of the hand-written pages.

Each layer: the chain rule for one weight, its factors one after the other, all of them together, new weights.
"""

from __future__ import annotations

from collections.abc import Iterator

from tracer.derivation.blocks import (
    CUTS,
    EQUALS,
    NEARLY,
    Block,
    Parts,
    Picture,
    Section,
    equation,
    line,
    operator,
    row,
    say,
    table,
)
from tracer.derivation.cells import Cells
from tracer.derivation.factors import Factors
from tracer.derivation.forms import formula, holds
from tracer.derivation.picture import draw_paths
from tracer.expression import scalar as s
from tracer.program import roles
from tracer.program.naming_policy import RATE

MOST_PARTS = 3  # samples whose parts of a gradient are written side by side


class Backward:
    """The sections of the layers of one pass."""

    def __init__(self, cells: Cells) -> None:
        self.cells, self.factors = cells, Factors(cells)
        self.chain = self.factors.chain
        self.problem, self.program = cells.problem, cells.program
        self.rows = self.program.rows

    def layer(self, layer: int) -> Section:
        """Everything that changes one layer's weights."""
        output = layer == self.problem.depth
        blocks = self._output_blocks(layer) if output else self._hidden_blocks(layer)
        kind = "output layer" if output else "hidden layer"
        made = tuple(Block(name, of, tuple(parts)) for name, of, parts in blocks)
        return Section(f"back-{layer}", f"Back to layer {layer}: {kind}", made)

    def _output_blocks(self, layer: int) -> Iterator[tuple[str, str, Parts]]:
        yield "chain-rule", self.cells.layer(layer).weights_gradient, self._chain_rule(layer)
        yield "error", self.cells.layer(layer).error, self.factors.error()
        yield from self._slope_block(layer)
        yield from self._delta_block(layer)
        yield "inputs", self.cells.layer(layer).pre_activation, self.factors.inputs(layer)
        yield "gradient", self.cells.layer(layer).weights_gradient, self._gradient(layer)
        yield "update", self.cells.layer(layer).new_weights, self._update(layer)

    def _hidden_blocks(self, layer: int) -> Iterator[tuple[str, str, Parts]]:
        yield "chain-rule", self.cells.layer(layer).weights_gradient, self._chain_rule(layer)
        yield from self._slope_block(layer)
        yield "inputs", self.cells.layer(layer).pre_activation, self.factors.inputs(layer)
        if not self.chain.apart(layer):
            yield "gradient-in-fractions", self.cells.layer(layer).weights_gradient, self._gradient_in_fractions(layer)
        yield "error-sent-back", self.cells.layer(layer).error, self.factors.error_sent_back(layer)
        yield from self._delta_block(layer)
        yield "gradient", self.cells.layer(layer).weights_gradient, self._gradient(layer)
        yield "update", self.cells.layer(layer).new_weights, self._update(layer)

    def _chain_rule(self, layer: int) -> Parts:
        own = self.cells.layer(layer)
        weight, Z, A = (s.Cell(each, 0, 0) for each in (own.weights, own.pre_activation, own.activation))
        if layer == self.problem.depth:
            start = "Now back to front. How does the loss change with a weight of the output layer?"
        else:
            start = "In the same way one layer further back. How does the loss change with a weight of this layer?"
        yield say(
            f"{start} {{weight}} acts on it through {{sum}}{self._through(layer)}. By the chain rule the derivatives "
            f"along the way are multiplied{', and the samples add up' if self.rows > 1 else ''}:",
            **{key: self.cells.symbol(cell) for key, cell in (("weight", weight), ("sum", Z), ("output", A))},
        )
        yield Picture(draw_paths(self.cells, layer))
        target = s.Cell(self.cells.layer(layer).weights_gradient, 0, 0)
        rule = self.chain.rule(layer, True)(target)
        yield self.cells.example(target, rule, self.chain.weight_names(layer)(target), until="letters")
        if layer == self.problem.depth and self.chain.carries_rate:
            yield say("The learning rate {rate} is a factor already; all that follows carries it.", rate=self._rate())

    def _through(self, layer: int) -> str:
        """What lies between the sum of a unit and the loss."""
        if self.cells.layer(layer).jacobians:
            return ", and that through every output"
        return ", and that through {output}" if roles.SLOPE in self.cells.layer(layer).quantities else ""

    def _slope_block(self, layer: int) -> Iterator[tuple[str, str, Parts]]:
        own = self.cells.layer(layer)
        if roles.SLOPE in own.quantities:
            yield "slopes", own.slope, self.factors.slopes(layer)
        elif own.jacobians:
            yield "slopes", own.jacobians[0], self.factors.jacobians(layer)

    def _delta_block(self, layer: int) -> Iterator[tuple[str, str, Parts]]:
        if self.chain.apart(layer):
            yield "delta", self.cells.layer(layer).delta, self.factors.delta(layer)

    def _gradient_in_fractions(self, layer: int) -> Parts:
        block = self.cells.block(self.cells.layer(layer).weights_gradient)
        yield say("For every weight of the layer, then:")
        stages = self.cells.stages(block, self.chain.rule(layer, True), self.chain.weight_names(layer))
        yield equation(block, [each for each in stages if each[2] in ("symbols", "letters")])

    def _gradient(self, layer: int) -> Parts:
        block = self.cells.block(self.cells.layer(layer).weights_gradient)
        names = self.chain.weight_names(layer)
        if self.chain.apart(layer):
            yield from self._gradient_of_delta(layer)
            return
        stages = self.cells.stages(block, self.chain.rule(layer, True), names)
        if layer == self.problem.depth:
            yield say("All factors together, for every weight of the layer:")
            yield equation(block, stages)
        else:
            yield say("Now every factor is known. With the numbers put in:")
            yield equation(block, [each for each in stages if each[2] != "letters"])

    def _gradient_of_delta(self, layer: int) -> Parts:
        identifier = self.cells.layer(layer).weights_gradient
        target = s.Cell(identifier, 0, 0)
        block, names = self.cells.block(identifier), self.chain.weight_names(layer)
        rule = self.chain.rule(layer, False)
        if self.rows == 1:
            yield say("Both factors together, for every weight of the layer:")
            yield equation(block, self.cells.stages(block, rule, names))
            return
        yield say("Both factors together, in every sample, and the samples add up. For one weight in full:")
        yield self.cells.example(target, rule(target), names(target))
        name = self.cells.matrix(identifier)
        if self.rows <= MOST_PARTS:
            yield say("For all weights at once, a column of what came in times a row of deltas for every sample:")
            yield line((name,), *self._samples(layer))
            return
        yield say("For all weights at once, what came in times the deltas:")
        made = formula(self.cells, block, self.cells.rule(identifier), numbers=True, name=name)
        assert made is not None
        yield made

    def _samples(self, layer: int) -> Iterator[tuple[str]]:
        """column × row + column × row + … = gradient."""
        own = self.cells.layer(layer)
        came_in, delta, target = map(self.cells.block, (own.inputs, own.delta, own.weights_gradient))
        for n in range(self.rows):
            column = s.Block(came_in.matrix, n, 0, 1, came_in.columns, transposed=True)
            sign = operator("+" if n else EQUALS)
            yield (row(sign, table(column, CUTS[0], self.cells.value, "given")),)
            yield (row(operator("×"), table(delta.part(n, 0, 1, delta.columns), CUTS[0], self.cells.value, "given")),)
        sign = operator(EQUALS if holds(self.cells, target) else NEARLY)
        yield (row(sign, table(target, CUTS[0], self.cells.value, "values")),)

    def _update(self, layer: int) -> Parts:
        yield say(_step_taken(self.cells), rate=self._rate())
        yield from update(self.cells, self.cells.layer(layer).new_weights)

    def _rate(self) -> str:
        return self.cells.symbol(s.Cell(RATE, 0, 0))


def update(cells: Cells, identifier: str) -> Parts:
    """New parameters: the matrix in letters, with numbers, and its values."""
    block = cells.block(identifier)
    yield equation(block, cells.stages(block), cells.matrix(identifier))


def _step_taken(cells: Cells) -> str:
    convention, twice = cells.problem.convention, cells.problem.reproduce.rate_twice
    if twice:
        return "The learning rate {rate} is in them already; it is applied again here, as a publication did:"
    if convention.learning_rate_in == "delta":
        return "The learning rate {rate} is in them already. The new weights:"
    if convention.sign > 0:
        return "The loss grows along the gradient, so every weight takes a step the other way, {rate} times as long:"
    return "These are minus the gradients. Along them the loss falls, so {rate} times as much is added:"
