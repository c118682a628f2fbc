"""The matrices of one pass, as symbols with their shapes: what the rules of the steps are written over."""

from __future__ import annotations

from typing import Literal

from tracer.expression import matrix as m
from tracer.problem.activations import EVERY_ACTIVATION, Activation
from tracer.problem.problem import Layer, Problem
from tracer.program import naming_policy as named


class NetworkSymbols:
    """The matrices of one pass over `rows` samples; layer 0 is the input, a layer's matrices are (rows, its units)."""

    def __init__(self, problem: Problem, rows: int) -> None:
        self.problem = problem
        self.rows = rows
        self.depth = problem.depth
        self.outputs = problem.sizes[-1]
        self.rate = m.Symbol(named.RATE, (1, 1))
        self.targets = m.Symbol(named.TARGETS, (rows, self.outputs))

    def layer(self, number: int) -> Layer:
        return self.problem.layers[number - 1]

    def function(self, number: int) -> Activation:
        """The activation function of a layer."""
        return EVERY_ACTIVATION[self.layer(number).activation]

    def weights(self, layer: int) -> m.Symbol:
        """(units of the layer before, units), with a row for the bias before them where it is in the weights."""
        inputs = self.problem.sizes[layer - 1] + self.leading
        return m.Symbol(named.weights(layer), (inputs, self.problem.sizes[layer]))

    def bias(self, layer: int) -> m.Symbol | None:
        """1×units or, shared by the units, 1×1; None where there is none."""
        bias = self.layer(layer).bias
        return None if bias is None else m.Symbol(named.bias(layer), (1, bias.shape[1]))

    def parameters(self, layer: int) -> tuple[m.Symbol, ...]:
        """The weights of a layer, and its bias if it has one."""
        bias = self.bias(layer)
        return (self.weights(layer), *(() if bias is None else (bias,)))

    @property
    def trained(self) -> dict[str, m.Symbol]:
        """The parameters that the optimizer changes, in the order of the layers."""
        every = (each for layer in range(1, self.depth + 1) for each in self.parameters(layer))
        return {each.name: each for each in every if each.name in self.problem.trained}

    def pre_activation(self, layer: int) -> m.Symbol:
        return self._of_units(named.pre_activation(layer), layer)

    def activation(self, layer: int) -> m.Symbol:
        """(rows, units), with the bias's 1 before them where the next layer's weights hold the bias."""
        before = self.leading if layer < self.depth else 0
        return m.Symbol(named.activation(layer), (self.rows, self.problem.sizes[layer] + before))

    def given_on(self, layer: int, outputs: m.Matrix) -> m.Matrix:
        """What a layer gives on: the outputs of its units, after the bias's 1 where the next weights hold the bias."""
        if not self.leading or layer == self.depth:
            return outputs
        ones = m.repeat(m.Constant(float(self.problem.convention.bias_input)), "rows", (self.rows, 1))
        return m.Stack((ones, outputs), "columns")

    def outputs_of(self, layer: int) -> m.Matrix:
        """The activations of a layer's units alone."""
        A = self.activation(layer)
        return A if A.shape[1] == self.problem.sizes[layer] else without_first(A, "columns")

    def error(self, layer: int) -> m.Symbol:
        return self._of_units(named.error(layer, self.depth), layer)

    def slope(self, layer: int) -> m.Symbol:
        return self._of_units(named.slope(layer), layer)

    def delta(self, layer: int) -> m.Symbol:
        return self._of_units(named.delta(layer), layer)

    def jacobian(self, sample: int) -> m.Symbol:
        """(outputs, outputs); samples count from 1."""
        return m.Symbol(named.jacobian(sample), (self.outputs, self.outputs))

    def _of_units(self, identifier: str, layer: int) -> m.Symbol:
        return m.Symbol(identifier, (self.rows, self.problem.sizes[layer]))

    @property
    def leading(self) -> int:
        """How many cells stand before the units' in what a layer takes in: one where the weights hold the bias."""
        return self.problem.convention.leading

    @property
    def jacobians(self) -> bool:
        """Whether step 6 shows each sample's Jacobian of the output."""
        return self.function(self.depth).whole_row and not self.fused and not self.diagonal

    @property
    def fused(self) -> bool:
        """Whether the error is already the gradient with respect to the output's pre-activation."""
        return self.problem.fused

    @property
    def diagonal(self) -> bool:
        return self.problem.reproduce.softmax_slope == "diagonal"

    @property
    def rate_in_delta(self) -> bool:
        return self.problem.convention.learning_rate_in == "delta" or self.problem.reproduce.rate_twice

    @property
    def rate_in_update(self) -> bool:
        return self.problem.convention.learning_rate_in == "update" or self.problem.reproduce.rate_twice

    @property
    def rate_in_change(self) -> bool:
        """Whether dW and db are what is added to the parameters."""
        return self.problem.convention.learning_rate_in == "change"

    @property
    def mean_in_gradient(self) -> bool:
        """Whether the mean over the samples is taken in dW and db, and no earlier."""
        convention = self.problem.convention
        return convention.reduction == "mean" and convention.reduction_in == "gradient"


def without_first(matrix: m.Matrix, over: Literal["rows", "columns"]) -> m.Part:
    """A matrix without its first row, or column."""
    rows, columns = (tuple(range(int(over == axis), size)) for axis, size in zip(_AXES, matrix.shape, strict=True))
    return m.Part(matrix, rows, columns)


_AXES = ("rows", "columns")
