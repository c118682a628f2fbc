"""How numpy runs a program: one straight function, what of its results must be looked at, and memory for the large.

Nothing here changes a value; a program knows its matrices, this knows what they cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.expression.arrays import Array
from tracer.expression.evaluate import Compiled, compile_program
from tracer.expression.nonfinite import propagates_nonfinite
from tracer.expression.numpy_source import asks_for_memory, faster_by_columns
from tracer.program.roles import Assignment

Pick = Callable[[Sequence[Array]], tuple[Array, ...]]
"""Takes what was computed; gives some of it."""


@dataclass(frozen=True)
class NumpyPlan:
    """How the `assignments` run: `inputs` in, `computed` out.

    `updated` has each parameter with its new value, `kept` what training needs of a pass.
    """

    assignments: Mapping[str, Assignment]
    inputs: tuple[str, ...]
    computed: tuple[str, ...]
    updated: Mapping[str, str]
    kept: tuple[str, ...]

    @cached_property
    def run(self) -> Compiled:
        """One straight function: `inputs` in, `computed` out."""
        return compile_program(self._rules, self.inputs, by_columns=self._by_columns)

    @cached_property
    def advance(self) -> Compiled:
        """The same function with `kept` out, and nothing else."""
        return compile_program(self._rules, self.inputs, self.kept, self._by_columns)

    @cached_property
    def watched(self) -> tuple[int, ...]:
        """Where the matrices stand among `computed` that must be looked at for a number beyond float64.

        It can arise unnoticed in matrix products alone: not every BLAS tells numpy of an overflow, and all else does.
        One that goes on into the updated parameters, which keep it from pass to pass, is seen there.
        """
        carried = {new for parameter, new in self.updated.items() if self._goes_on(parameter, {new})}
        for name in reversed(self.computed):
            if self._goes_on(name, carried):
                carried.add(name)
        products = (
            name for name, made in self._rules if any(isinstance(part, m.MatMul) for part in traversal.parts(made))
        )
        places = {name: place for place, name in enumerate(self.computed)}
        return tuple(places[name] for name in products if name not in carried)

    def _goes_on(self, name: str, into: Collection[str]) -> bool:
        return any(key in into and propagates_nonfinite(made, name) for key, made in self._users.get(name, ()))

    @cached_property
    def _users(self) -> Mapping[str, Sequence[tuple[str, m.Matrix]]]:
        """The assignments that each matrix goes into."""
        found: dict[str, list[tuple[str, m.Matrix]]] = {}
        for key, made in self._rules:
            for name in {each.name for each in traversal.symbols(made)}:
                found.setdefault(name, []).append((key, made))
        return found

    @cached_property
    def watched_of(self) -> Pick:
        """The matrices that must be looked at."""
        return at_places(self.watched)

    @cached_property
    def updated_of(self) -> Pick:
        """The parameters after the pass, as in `inputs`."""
        return at_places([self.computed.index(new) for new in self.updated.values()])

    @cached_property
    def numbers(self) -> int:
        """How many numbers all matrices have, given and computed."""
        return sum(map(self._size, self.assignments))

    @cached_property
    def numbers_watched(self) -> int:
        """How many those have that `watched` stands for."""
        return sum(self._size(self.computed[place]) for place in self.watched)

    @cached_property
    def large(self) -> tuple[int, ...]:
        """How many numbers each of the matrices has for which `run` asks for memory."""
        return tuple(self._size(name) for name, made in self._rules if asks_for_memory(made))

    def _size(self, identifier: str) -> int:
        return math.prod(self.assignments[identifier].shape)

    @property
    def _by_columns(self) -> set[str]:
        """What is computed faster column by column: all of a block whose weights `Problem.parameters` has so."""
        parameters = (self.assignments[name] for name in self.updated)
        tall = {each.block for each in parameters if faster_by_columns(each.shape)}
        computed = (self.assignments[name] for name in self.computed)
        return {each.id for each in computed if each.block in tall and each.kind != "bias"}

    @cached_property
    def _rules(self) -> list[tuple[str, m.Matrix]]:
        pairs = ((each.id, each.expression) for each in self.assignments.values())
        return [(key, made) for key, made in pairs if made is not None]


def at_places(places: Sequence[int]) -> Pick:
    """A function that gives what stands at the places, as a tuple."""
    if len(places) < 2:
        return lambda computed: tuple(computed[place] for place in places)
    return itemgetter(*places)
