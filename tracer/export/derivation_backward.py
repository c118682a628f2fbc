"""The book's last part: the layers from back to front, in the order of the hand-written pages.

Each layer: the chain rule for one weight, its factors one after the other, all of them together, new weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from tracer.export.derivation_blocks import (
    CUTS,
    EQUALS,
    NEARLY,
    Block,
    Part,
    Picture,
    Section,
    Stage,
    equation,
    line,
    operator,
    row,
    say,
    table,
)
from tracer.export.derivation_cells import Cells
from tracer.export.derivation_chain import MOST_PATHS, Chain, before_of
from tracer.export.derivation_forms import formula, holds
from tracer.export.derivation_picture import draw_paths
from tracer.expression import scalar as s
from tracer.expression.mathml import matrix_mathml
from tracer.network.blackboard import RATE

MOST_PARTS = 3  # samples whose parts of a gradient are written side by side
MOST_JACOBIANS = 3  # samples whose Jacobian is shown

Parts: TypeAlias = Iterator[Part]


class Backward:
    """The sections of the layers of one pass."""

    def __init__(self, cells: Cells) -> None:
        self.cells, self.chain = cells, Chain(cells)
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
        yield "chain-rule", f"dW{layer}", self._chain_rule(layer)
        yield "error", "E", self._error()
        yield from self._slope_block(layer)
        yield from self._delta_block(layer)
        yield "inputs", f"Z{layer}", self._inputs(layer)
        yield "gradient", f"dW{layer}", self._gradient(layer)
        yield "update", f"W{layer}_next", self._update(layer)

    def _hidden_blocks(self, layer: int) -> Iterator[tuple[str, str, Parts]]:
        yield "chain-rule", f"dW{layer}", self._chain_rule(layer)
        yield from self._slope_block(layer)
        yield "inputs", f"Z{layer}", self._inputs(layer)
        if not self.chain.apart(layer):
            yield "gradient-in-fractions", f"dW{layer}", self._gradient_in_fractions(layer)
        yield "error-sent-back", f"E{layer}", self._error_sent_back(layer)
        yield from self._delta_block(layer)
        yield "gradient", f"dW{layer}", self._gradient(layer)
        yield "update", f"W{layer}_next", self._update(layer)

    def _chain_rule(self, layer: int) -> Parts:
        weight, Z, A = (s.Cell(f"{kind}{layer}", 0, 0) for kind in "WZA")
        if layer == self.problem.depth:
            start = "Now back to front. How does the loss change with a weight of the output layer?"
        else:
            start = "In the same way one layer further back. How does the loss change with a weight of this layer?"
        yield say(
            f"{start} {{weight}} acts on it through {{Z}}{self._through(layer)}. By the chain rule the derivatives "
            f"along the way are multiplied{', and the samples add up' if self.rows > 1 else ''}:",
            **{key: self.cells.symbol(cell) for key, cell in (("weight", weight), ("Z", Z), ("A", A))},
        )
        yield Picture(draw_paths(self.cells, layer))
        target = s.Cell(f"dW{layer}", 0, 0)
        rule = self.chain.rule(layer, True)(target)
        yield self.cells.example(target, rule, self.chain.weight_names(layer)(target), until="letters")

    def _through(self, layer: int) -> str:
        """What lies between the sum of a unit and the loss."""
        if layer == self.problem.depth and "J1" in self.program.assignments:
            return ", and that through every output"
        return ", and that through {A}" if f"S{layer}" in self.program.assignments else ""

    def _error(self) -> Parts:
        yield say("First, how the loss changes with each output. Recall the derivative of the loss:")
        yield from self._column("E")

    def _column(self, identifier: str, most: int = 1) -> Parts:
        """A backward matrix: the first sample's row as a column, worked; then all samples."""
        block = self.cells.block(identifier)
        column = s.Block(identifier, 0, 0, 1, block.columns, transposed=True)
        yield equation(column, self.cells.stages(column, most=most))
        if self.rows > 1:
            yield from self._all_rows(identifier)

    def _all_rows(self, identifier: str) -> Parts:
        yield say("That was the first sample; for all of them, a row each:")
        values: Stage = (EQUALS, self.cells.value, "values")
        yield equation(self.cells.block(identifier), (values,), self.cells.matrix(identifier))

    def _slope_block(self, layer: int) -> Iterator[tuple[str, str, Parts]]:
        if f"S{layer}" in self.program.assignments:
            yield "slopes", f"S{layer}", self._slopes(layer)
        elif "J1" in self.program.assignments:
            yield "slopes", "J1", self._jacobians()

    def _slopes(self, layer: int) -> Parts:
        yield say(
            "Now we need how each output of the layer changes with what went in. Recall the derivative of {name}:",
            name=f"<mtext>{self.problem.layers[layer - 1].activation}</mtext>",
        )
        yield from self._column(f"S{layer}")
        if layer == self.problem.depth and self.problem.reproduce.softmax_slope == "diagonal":
            yield say("Only the own inputs are kept here, as a publication did; the others belong to it too.")

    def _jacobians(self) -> Parts:
        yield say(
            "Now we need how each output changes with what went in. Recall the derivatives of softmax: every output "
            "depends on every input, so they fill a whole matrix, a row for each output:"
        )
        block = self.cells.block("J1")
        yield equation(block, self.cells.stages(block))
        others = [f"J{n}" for n in range(2, min(self.rows, MOST_JACOBIANS) + 1)]
        if others:
            yield say("That was the first sample. The others likewise:")
            values: Stage = (EQUALS, self.cells.value, "values")
            yield from (equation(self.cells.block(each), (values,), self.cells.matrix(each)) for each in others)

    def _delta_block(self, layer: int) -> Iterator[tuple[str, str, Parts]]:
        if self.chain.apart(layer):
            yield "delta", f"D{layer}", self._delta(layer)

    def _delta(self, layer: int) -> Parts:
        identifier = f"D{layer}"
        if self.chain.factors(layer):
            yield say("These factors together, how the loss changes with what goes into the layer:")
        else:
            yield say("What goes in acts on the loss through every output, and the paths add up:")
        block = self.cells.block(identifier)
        column = s.Block(identifier, 0, 0, 1, block.columns, transposed=True)
        yield equation(column, self.cells.stages(column, most=2))
        if self.rows == 1:
            return
        name, rule = self.cells.matrix(identifier), self.cells.rule(identifier)
        made = formula(self.cells, block, rule, numbers=True, name=name)
        if made is None:
            yield from self._all_rows(identifier)
            return
        yield say("That was the first sample; for all of them, a row each:")
        yield line((f"{name}<mo>=</mo>{matrix_mathml(rule, self.cells.matrix)}",))
        yield made

    def _inputs(self, layer: int) -> Parts:
        Z, weight = s.Cell(f"Z{layer}", 0, 0), s.Cell(f"W{layer}", 0, 0)
        yield say(
            "Now we need how a sum changes with a weight in it. {weight} stands in one term; whatever else there is "
            "does not change with it:",
            weight=self.cells.symbol(weight),
        )
        yield line(*_chained(self.chain.only_term(Z, weight)))
        yield say(f"{self._likewise(layer)}:")
        before = before_of(layer)
        came_in = s.Block(before, 0, 0, 1, self.problem.sizes[layer - 1], transposed=True)
        stages = []
        for unit in range(min(self.problem.sizes[layer], MOST_PATHS)):

            def ratio(cell: s.Cell, unit: int = unit) -> str:
                return self.cells.ratio(s.Cell(f"Z{layer}", 0, unit), s.Cell(f"W{layer}", cell.column, unit))

            stages.append((row(operator(",") if unit else "", table(came_in, CUTS[0], ratio, "symbols")),))
            stages.append((row(operator(EQUALS), table(came_in, CUTS[0], self.cells.symbol, "symbols")),))
        stages.append((row(operator(EQUALS), table(came_in, CUTS[0], self.cells.value, "values")),))
        yield line(*stages)

    def _likewise(self, layer: int) -> str:
        inputs, units = self.problem.sizes[layer - 1 : layer + 1]
        if units > MOST_PATHS:
            return "In the same way for the other weights; those of further units go on like this"
        return "In the same way for the other weights" if inputs * units > 1 else "With its number"

    def _gradient_in_fractions(self, layer: int) -> Parts:
        block = self.cells.block(f"dW{layer}")
        yield say("For every weight of the layer, then:")
        stages = self.cells.stages(block, self.chain.rule(layer, True), self.chain.weight_names(layer))
        yield equation(block, [each for each in stages if each[2] in ("symbols", "letters")])

    def _error_sent_back(self, layer: int) -> Parts:
        cells, updated = self.cells, self.problem.reproduce.updated_weights_sent_back
        weights = f"W{layer + 1}" + ("_next" if updated else "")
        Z, A = s.Cell(f"Z{layer + 1}", 0, 0), s.Cell(f"A{layer}", 0, 0)
        yield say(
            "What is missing is how the loss changes with what comes out of a unit. {A} goes into every unit of the "
            "next layer, so it acts along several paths. Recall {Z}; {A} stands in one term, beside its weight:"
            if self.problem.sizes[layer + 1] > 1
            else "What is missing is how the loss changes with what comes out of a unit. Recall {Z}; {A} stands in one "
            "term, beside its weight:",
            A=cells.symbol(A),
            Z=cells.symbol(Z),
        )
        yield line(*_chained(self.chain.only_term(Z, A)))
        yield say("In the same way for all of them; this is the matrix of weights again:")
        stages: list[Stage] = [
            (EQUALS, lambda w: cells.ratio(s.Cell(Z.matrix, 0, w.column), s.Cell(A.matrix, 0, w.row)), "symbols"),
            (EQUALS, cells.symbol, "symbols"),
            (EQUALS, cells.value, "values"),
        ]
        yield equation(cells.block(f"W{layer + 1}"), stages)
        if updated:
            yield say("In their place the updated weights are taken here, as a publication did:")
            yield equation(cells.block(weights), ((EQUALS, cells.value, "values"),), cells.matrix(weights))
        yield from self._paths(layer)

    def _paths(self, layer: int) -> Parts:
        identifier = f"E{layer}"
        block = self.cells.block(identifier)
        several = self.problem.sizes[layer + 1] > 1
        yield say(
            "Recall what was found for the next layer. The paths add up:" if several else "So, recalling the rest:"
        )
        column = s.Block(identifier, 0, 0, 1, block.columns, transposed=True)
        rule = self.chain.rule(layer + 1, not self.chain.apart(layer + 1))
        yield equation(column, self.cells.stages(column, rule, self.chain.path_names(layer), most=2))
        if self.rows > 1:
            yield say("That was the first sample; for all of them, a row each:")
            name = self.cells.matrix(identifier)
            made = formula(self.cells, block, self.cells.rule(identifier), numbers=True, name=name)
            assert made is not None
            yield made

    def _gradient(self, layer: int) -> Parts:
        block = self.cells.block(f"dW{layer}")
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
        identifier, target = f"dW{layer}", s.Cell(f"dW{layer}", 0, 0)
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
        came_in, delta, target = (self.cells.block(each) for each in (before_of(layer), f"D{layer}", f"dW{layer}"))
        for n in range(self.rows):
            column = s.Block(came_in.matrix, n, 0, 1, came_in.columns, transposed=True)
            sign = operator("+" if n else EQUALS)
            yield (row(sign, table(column, CUTS[0], self.cells.value, "given")),)
            yield (row(operator("×"), table(delta.part(n, 0, 1, delta.columns), CUTS[0], self.cells.value, "given")),)
        sign = operator(EQUALS if holds(self.cells, target) else NEARLY)
        yield (row(sign, table(target, CUTS[0], self.cells.value, "values")),)

    def _update(self, layer: int) -> Parts:
        yield say(_step_taken(self.cells), rate=self.cells.symbol(s.Cell(RATE, 0, 0)))
        yield from update(self.cells, f"W{layer}_next")


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


def _chained(parts: tuple[str, ...]) -> Iterator[tuple[str]]:
    yield (parts[0],)
    yield from ((row(operator(EQUALS), part),) for part in parts[1:])
