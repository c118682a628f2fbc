"""The factors of the chain rule, each with its block: symbols, letters, numbers, values.

The first sample's row is worked, as a column; then all samples follow.
"""

from __future__ import annotations

from collections.abc import Iterator

from tracer.derivation.blocks import CUTS, EQUALS, Parts, Stage, equation, line, operator, row, say, spoken, table
from tracer.derivation.cells import Cells
from tracer.derivation.chain import MOST_PATHS, Chain
from tracer.derivation.forms import formula
from tracer.expression import scalar as s
from tracer.expression.mathml import matrix_mathml

MOST_JACOBIANS = 3  # samples whose Jacobian is shown


class Factors:
    """The factors of one pass."""

    def __init__(self, cells: Cells) -> None:
        self.cells, self.chain = cells, Chain(cells)
        self.problem, self.program = cells.problem, cells.program
        self.rows = self.program.rows
        self.fused = cells.problem.convention.softmax_slope == "fused"

    def error(self) -> Parts:
        if self.fused:
            yield say(
                "First, how the loss changes with what goes into each output. Recall the derivative of loss and "
                "activation taken together:"
            )
        else:
            yield say("First, how the loss changes with each output. Recall the derivative of the loss:")
        yield from self._column(self.cells.layer(self.problem.depth).error)

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

    def slopes(self, layer: int) -> Parts:
        yield say(
            "Now we need how each output of the layer changes with what went in. Recall the derivative of {name}:",
            name=spoken(self.problem.layers[layer - 1].activation),
        )
        yield from self._column(self.cells.layer(layer).slope)
        if layer == self.problem.depth and self.problem.reproduce.softmax_slope == "diagonal":
            yield say("Only the own inputs are kept here, as a publication did; the others belong to it too.")

    def jacobians(self, layer: int) -> Parts:
        yield say(
            "Now we need how each output changes with what went in. Recall the derivatives of softmax: every output "
            "depends on every input, so they fill a whole matrix, a row for each output:"
        )
        first, *others = self.cells.layer(layer).jacobians[:MOST_JACOBIANS]
        block = self.cells.block(first)
        yield equation(block, self.cells.stages(block))
        if others:
            yield say("That was the first sample. The others likewise:")
            values: Stage = (EQUALS, self.cells.value, "values")
            yield from (equation(self.cells.block(each), (values,), self.cells.matrix(each)) for each in others)

    def delta(self, layer: int) -> Parts:
        identifier = self.cells.layer(layer).delta
        if layer == self.problem.depth and self.fused:
            yield say(f"{'Times the learning rate it' if self.chain.carries_rate else 'It'} is the delta of the layer:")
        elif self.cells.layer(layer).jacobians:
            yield say("What goes in acts on the loss through every output, and the paths add up:")
        else:
            yield say("These factors together, how the loss changes with what goes into the layer:")
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

    def inputs(self, layer: int) -> Parts:
        Z, weight = s.Cell(self.cells.layer(layer).pre_activation, 0, 0), s.Cell(self.cells.layer(layer).weights, 0, 0)
        yield say(
            "Now we need how a sum changes with a weight in it. {weight} stands in one term; whatever else there is "
            "does not change with it:",
            weight=self.cells.symbol(weight),
        )
        yield line(*_chained(self.chain.only_term(Z, weight)))
        yield say(f"{self._likewise(layer)}:")
        before = self.cells.layer(layer).inputs
        came_in = s.Block(before, 0, 0, 1, self.problem.sizes[layer - 1], transposed=True)
        stages = []
        for unit in range(min(self.problem.sizes[layer], MOST_PATHS)):

            def ratio(cell: s.Cell, unit: int = unit) -> str:
                return self.cells.ratio(
                    s.Cell(self.cells.layer(layer).pre_activation, 0, unit),
                    s.Cell(self.cells.layer(layer).weights, cell.column, unit),
                )

            stages.append((row(operator(",") if unit else "", table(came_in, CUTS[0], ratio, "symbols")),))
            stages.append((row(operator(EQUALS), table(came_in, CUTS[0], self.cells.symbol, "symbols")),))
        stages.append((row(operator(EQUALS), table(came_in, CUTS[0], self.cells.value, "values")),))
        yield line(*stages)

    def _likewise(self, layer: int) -> str:
        inputs, units = self.problem.sizes[layer - 1 : layer + 1]
        if units > MOST_PATHS:
            return "In the same way for the other weights; those of further units go on like this"
        return "In the same way for the other weights" if inputs * units > 1 else "With its number"

    def error_sent_back(self, layer: int) -> Parts:
        cells, updated = self.cells, self.problem.reproduce.updated_weights_sent_back
        following = cells.layer(layer + 1)
        weights = following.new_weights if updated else following.weights
        Z, A = (
            s.Cell(self.cells.layer(layer + 1).pre_activation, 0, 0),
            s.Cell(self.cells.layer(layer).activation, 0, 0),
        )
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
        yield equation(cells.block(self.cells.layer(layer + 1).weights), stages)
        if updated:
            yield say("In their place the updated weights are taken here, as a publication did:")
            yield equation(cells.block(weights), ((EQUALS, cells.value, "values"),), cells.matrix(weights))
        yield from self._paths(layer)

    def _paths(self, layer: int) -> Parts:
        identifier = self.cells.layer(layer).error
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


def _chained(parts: tuple[str, ...]) -> Iterator[tuple[str]]:
    yield (parts[0],)
    yield from ((row(operator(EQUALS), part),) for part in parts[1:])
