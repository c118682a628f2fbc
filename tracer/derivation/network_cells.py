"""The cells of a network's pass: of the sample that is worked, by the names of its layers and units."""

from __future__ import annotations

from tracer.derivation.cells import Cells
from tracer.expression import scalar as s
from tracer.presentation.example import example_sample
from tracer.problem.names import NetworkNames, network_names
from tracer.program import roles
from tracer.run.passes import Pass, Trace


class NetworkCells(Cells):
    """The cells of one pass of a network of layers."""

    names: NetworkNames

    def __init__(self, trace: Trace, one: Pass) -> None:
        super().__init__(trace, one)
        self.problem, self.rows = trace.problem, one.program.rows
        self.names = network_names(trace.problem)
        self.sample = example_sample(one)

    def first(self, identifier: str) -> s.Cell:
        """The first cell of a matrix; of the sample that is worked, where its rows are samples.

        Where the weights hold the bias, the first that is neither a bias nor its 1.
        """
        if self.program.quantity(identifier) in (roles.WEIGHTS, roles.WEIGHTS_GRADIENT, roles.NEW_WEIGHTS):
            return s.Cell(identifier, *self.problem.weight_at(0, 0))
        if self.program.quantity(identifier) == roles.ACTIVATION:
            layer = self.program.assignments[identifier].layer or 0
            return s.Cell(identifier, *self.problem.output_at(layer, self.sample, 0))
        return s.Cell(identifier, self._worked_row(identifier), 0)

    @property
    def that_was(self) -> str:
        """Which sample was worked, as a sentence that goes on."""
        return f"That was sample {self.sample + 1}" if self.sample else "That was the first sample"

    def is_output(self, layer: int) -> bool:
        return layer == len(self.program.layers)

    def kind_of_layer(self, layer: int) -> str:
        return "output layer" if self.is_output(layer) else "hidden layer"
