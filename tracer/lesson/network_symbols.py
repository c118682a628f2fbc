"""The matrices of one pass, as symbols with their shapes: what the rules of the steps are written over."""

from __future__ import annotations

from tracer.expression import matrix as m
from tracer.problem.activations import ACTIVATIONS, Activation
from tracer.problem.problem import Layer, Problem
from tracer.program.naming_policy import RATE


class Blackboard:
    """The matrices of one pass over `rows` samples, by name; layer 0 is the input."""

    def __init__(self, problem: Problem, rows: int) -> None:
        self.problem = problem
        self.rows = rows
        self.depth = problem.depth
        self.outputs = problem.sizes[-1]
        self.rate = m.Symbol(RATE, (1, 1))
        self.X = m.Symbol("X", (rows, problem.sizes[0]))
        self.Y = m.Symbol("Y", (rows, self.outputs))
        self.E = m.Symbol("E", (rows, self.outputs))

    def layer(self, number: int) -> Layer:
        return self.problem.layers[number - 1]

    def activation(self, number: int) -> Activation:
        return ACTIVATIONS[self.layer(number).activation]

    def W(self, layer: int, suffix: str = "") -> m.Symbol:
        return m.Symbol(f"W{layer}{suffix}", (self.problem.sizes[layer - 1], self.problem.sizes[layer]))

    def b(self, layer: int) -> m.Symbol | None:
        """The bias, 1×units or, shared by the units, 1×1; None where there is none."""
        bias = self.layer(layer).bias
        return None if bias is None else m.Symbol(f"b{layer}", (1, bias.shape[1]))

    def of_units(self, kind: str, layer: int) -> m.Symbol:
        """Z, A, S, D or E of a layer, (rows, units); A0 is X."""
        if kind == "A" and layer == 0:
            return self.X
        return m.Symbol(f"{kind}{layer}", (self.rows, self.problem.sizes[layer]))

    @property
    def jacobians(self) -> bool:
        """Whether step 6 shows each sample's Jacobian of the output."""
        return self.activation(self.depth).whole_row and not self.fused and not self.diagonal

    @property
    def fused(self) -> bool:
        """Whether E is already the gradient with respect to Z of the output."""
        return self.problem.convention.softmax_slope == "fused"

    @property
    def diagonal(self) -> bool:
        return self.problem.reproduce.softmax_slope == "diagonal"

    @property
    def rate_in_delta(self) -> bool:
        return self.problem.convention.learning_rate_in == "delta" or self.problem.reproduce.rate_twice

    @property
    def rate_in_update(self) -> bool:
        return self.problem.convention.learning_rate_in == "update" or self.problem.reproduce.rate_twice
