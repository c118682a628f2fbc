"""The steps of one pass in order of time, and the straight function that they compile to."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from tracer.expression import matrix as m
from tracer.expression.beyond import carries
from tracer.expression.evaluate import Array, Compiled, compile_program
from tracer.expression.numpy_source import asks_for_memory, faster_by_columns
from tracer.program.naming_policy import RATE

OF_A_LAYER = ("Z{}", "A{}", "S{}", "E{}", "D{}", "dW{}", "W{}_next")  # laid out as its weights are


@dataclass(frozen=True)
class Assignment:
    """One matrix of one step; `expression` is None where it is given."""

    id: str
    shape: m.Shape
    expression: m.Matrix | None


@dataclass(frozen=True)
class Step:
    """One step, of one layer where `layer` (from 1) is set.

    `label` is its number, with the layer behind it where several layers have this step: 2.1.
    `words` is its formula in words, `why` the chain rule's part in it.
    """

    number: int
    layer: int | None
    label: str
    title: str
    words: str
    why: str
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True)
class Program:
    """The steps of one pass over `rows` samples."""

    steps: tuple[Step, ...]
    rows: int

    @cached_property
    def assignments(self) -> dict[str, Assignment]:
        """Every matrix by its identifier, in order of time."""
        return {each.id: each for step in self.steps for each in step.assignments}

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The given matrices, the learning rate last."""
        return (*(each.id for each in self.assignments.values() if each.expression is None), RATE)

    @cached_property
    def computed(self) -> tuple[str, ...]:
        """The computed matrices in order of time."""
        return tuple(each.id for each in self.assignments.values() if each.expression is not None)

    @cached_property
    def run(self) -> Compiled:
        """One straight function: `inputs` in, `computed` out."""
        return compile_program(self._rules, self.inputs, by_columns=self._by_columns)

    @cached_property
    def advanced(self) -> tuple[str, ...]:
        """What training needs of a pass: the loss, the outputs, and the parameters as they are after it."""
        return ("L", self.computed[self.place_of_output], *(f"{name}_next" for name in self.inputs[2:-1]))

    @cached_property
    def advance(self) -> Compiled:
        """The same function with `advanced` out, and nothing else kept."""
        return compile_program(self._rules, self.inputs, self.advanced, self._by_columns)

    @cached_property
    def place_of_loss(self) -> int:
        """Where the loss stands among `computed`."""
        return self.computed.index("L")

    @cached_property
    def place_of_output(self) -> int:
        """Where the outputs stand among `computed`."""
        return max(place for place, name in enumerate(self.computed) if name[0] == "A")

    @cached_property
    def watched(self) -> tuple[int, ...]:
        """Where the matrices stand among `computed` that must be looked at for a number beyond float64.

        It can arise unnoticed in matrix products alone: not every BLAS tells numpy of an overflow, and all else does.
        One that goes on into the updated parameters, which keep it from pass to pass, is seen there.
        """
        carried = {f"{name}_next" for name in self.inputs[2:-1] if self._goes_on(name, {f"{name}_next"})}
        for name in reversed(self.computed):
            if self._goes_on(name, carried):
                carried.add(name)
        products = (name for name, made in self._rules if any(isinstance(part, m.MatMul) for part in m.parts(made)))
        return tuple(self.computed.index(name) for name in products if name not in carried)

    def _goes_on(self, name: str, into: Collection[str]) -> bool:
        return any(carries(made, name) for key, made in self._rules if key in into)

    @cached_property
    def watched_of(self) -> Callable[[Sequence[Array]], tuple[Array, ...]]:
        """Takes what was computed; gives those matrices."""
        return at_places(self.watched)

    @cached_property
    def updated_of(self) -> Callable[[Sequence[Array]], tuple[Array, ...]]:
        """Takes what was computed; gives the parameters after it, as in `inputs`."""
        return at_places([self.computed.index(f"{name}_next") for name in self.inputs[2:-1]])

    @cached_property
    def sizes(self) -> dict[str, int]:
        """How many numbers each matrix has."""
        return {each.id: math.prod(each.shape) for each in self.assignments.values()}

    @cached_property
    def numbers(self) -> int:
        """How many numbers all matrices have, given and computed."""
        return sum(self.sizes.values())

    @cached_property
    def numbers_watched(self) -> int:
        """How many those have that `watched` stands for."""
        return sum(self.sizes[self.computed[place]] for place in self.watched)

    @cached_property
    def large(self) -> tuple[int, ...]:
        """How many numbers each of the matrices has for which `run` asks for memory."""
        return tuple(self.sizes[name] for name, made in self._rules if asks_for_memory(made))

    @property
    def _by_columns(self) -> set[str]:
        """What is computed faster column by column, of layers whose weights `Problem.parameters` has so."""
        tall = (name[1:] for name in self.inputs[2:-1] if faster_by_columns(self.assignments[name].shape))
        return {each.format(layer) for layer in tall for each in OF_A_LAYER}

    @property
    def _rules(self) -> list[tuple[str, m.Matrix]]:
        pairs = ((each.id, each.expression) for each in self.assignments.values())
        return [(key, made) for key, made in pairs if made is not None]

    def step_of(self, identifier: str) -> Step:
        """The step that assigns a matrix."""
        return next(step for step in self.steps if any(each.id == identifier for each in step.assignments))


def at_places(places: Sequence[int]) -> Callable[[Sequence[Array]], tuple[Array, ...]]:
    """A function that gives what stands at the places, as a tuple."""
    if len(places) < 2:
        return lambda computed: tuple(computed[place] for place in places)
    return itemgetter(*places)
