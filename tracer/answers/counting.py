"""The cells that a name for a unit, weight or bias has in one problem, in every way of counting that people use.

Which of them a learner uses, all names of a family tell together, by their numbers (families.py). Nothing is decided
here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from tracer.answers.identifiers import (
    ACT,
    BIAS,
    DELTA,
    ERROR,
    INPUT,
    PRE,
    TARGET,
    THETA,
    WEIGHT,
    Change,
    UnitName,
)
from tracer.answers.key import Key
from tracer.expression import matrix as m
from tracer.problem.problem import Problem
from tracer.program import naming_policy as policy

Counting: TypeAlias = tuple[str, ...]
"""How a name counts: what it is of which layer, units by layer or through all of them, weights by rows or columns."""


class CountedCell(NamedTuple):
    """A cell of a matrix, counted from 0; no row: the column of every sample."""

    identifier: str
    row: int | None
    column: int


@dataclass(frozen=True)
class Counted:
    """The cells that names have in one problem, in every way of counting.

    Of a program there are none: nobody has a way of counting its units, and every name is that of a matrix or says its
    own cell.
    """

    samples: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, then units of each layer."""
        return ()

    def cells(self, name: UnitName) -> dict[Counting, CountedCell]:
        """The cell of a name in every way of counting that it fits."""
        return {}

    def whole(self, name: UnitName) -> Iterator[str]:
        """The matrices that a letter can mean where many numbers stand behind it: z, h, s(1), θ."""
        yield from ()

    def error_is_difference(self, key: Key) -> bool:
        """Whether the gradient at the output is a − y, so that everybody's error is the same."""
        return True


@dataclass(frozen=True)
class CountedUnits(Counted):
    """The cells that the units of a network's layers have."""

    problem: Problem
    shapes: dict[str, m.Shape]

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.problem.sizes

    @property
    def depth(self) -> int:
        return self.problem.depth

    def cells(self, name: UnitName) -> dict[Counting, CountedCell]:
        found: dict[Counting, CountedCell] = {}
        for kind in name.kinds:
            for counting, cell in self._of_kind(kind, name):
                if cell.identifier in self.shapes and self._has(cell):
                    found.setdefault(counting, cell)
        return found

    def whole(self, name: UnitName) -> Iterator[str]:
        layers = range(1, self.depth + 1)
        if len(name.numbers) > 1:
            return
        for kind in name.kinds:
            if kind in (WEIGHT, THETA, BIAS):
                chosen = [each for each in layers if name.numbers in ((), (each,))]
                makes = policy.bias if kind == BIAS else policy.weights
                found = [self._parameter(makes(each), name.change) for each in chosen]
            else:
                allowed = self._layers(name, kind)
                chosen = [each for each in allowed if name.numbers in ((), (each,)) or name.tags == "h"]
                found = [one for each in chosen if (one := self._identifier(kind, each, name.change)) is not None]
            yield from (each for each in found if each in self.shapes)

    def error_is_difference(self, key: Key) -> bool:
        error, output = (key.values[each] for each in (policy.OUTPUT_ERROR, policy.activation(self.depth)))
        return bool(np.allclose(np.abs(error), np.abs(output - key.values[policy.TARGETS]), rtol=1e-6, atol=1e-12))

    def _has(self, cell: CountedCell) -> bool:
        rows, columns = self.shapes[cell.identifier]
        return 0 <= (cell.row or 0) < rows and 0 <= cell.column < columns

    def _of_kind(self, kind: str, name: UnitName) -> Iterator[tuple[Counting, CountedCell]]:
        if kind == WEIGHT:
            yield from self._weights(name)
            yield from self._theta(name)
        elif kind == THETA:
            yield from self._theta(name)
        elif kind == BIAS:
            yield from self._biases(name)
        else:
            for counting, layer, sample, unit in self._units(name, kind):
                identifier = self._identifier(kind, layer, name.change)
                row = 0 if self.samples == 1 else sample
                if identifier is not None and not (self.turned and row is None):
                    before = self.problem.convention.leading if layer < self.depth else 0
                    column = unit + (before if kind in (INPUT, ACT) and not name.change else 0)
                    yield (kind, *counting), self._placed(identifier, row, column)

    @property
    def turned(self) -> bool:
        """Whether a sample stands in each column."""
        return self.problem.convention.turned

    def _placed(self, identifier: str, row: int | None, column: int) -> CountedCell:
        return CountedCell(identifier, *((row, column) if row is None else self.problem.placed(row, column)))

    def _identifier(self, kind: str, layer: int, change: Change) -> str | None:
        if kind in (INPUT, TARGET):
            return None if change else policy.INPUTS if kind == INPUT else policy.TARGETS
        if change == "gradient":
            return {PRE: policy.delta(layer), ACT: policy.error(layer, self.depth)}.get(kind)
        makes = {PRE: policy.pre_activation, ACT: policy.activation, DELTA: policy.delta}
        if change:
            return None
        return policy.error(layer, self.depth) if kind == ERROR else makes[kind](layer)

    def _layers(self, name: UnitName, kind: str) -> list[int]:
        """The layers that a name's letters leave open."""
        depth = self.depth
        if kind == INPUT:
            return [0] if name.tags in ("", "i") else []
        if kind == TARGET:
            return [depth] if name.tags in ("", "o") else []
        every = list(range(1, depth + 1))
        tagged = {"h": every[:-1], "o": [depth], "": every, "s": every}
        return tagged.get(name.tags, [])

    def _units(self, name: UnitName, kind: str) -> Iterator[tuple[Counting, int, int | None, int]]:
        """Way of counting, layer, sample and unit."""
        layers, sizes = self._layers(name, kind), self.sizes
        match name.numbers:
            case ():
                yield from ((("only", str(each)), each, None, 0) for each in layers if sizes[each] == 1)
            case (sample,) if name.tags == "s":
                yield from ((("sample", str(each)), each, sample - 1, 0) for each in layers if sizes[each] == 1)
            case (unit,):
                yield from ((("layer", str(each)), each, None, unit - 1) for each in layers if unit <= sizes[each])
                yield from ((("layer0", str(each)), each, None, unit) for each in layers if unit < sizes[each])
                yield from ((("layers",), each, None, 0) for each in layers if each == unit and sizes[each] == 1)
                yield from self._through(layers, unit)
                if self.samples > 1:
                    yield from (
                        (("sample", str(each)), each, unit - 1, 0)
                        for each in layers
                        if sizes[each] == 1 and 1 <= unit <= self.samples
                    )
            case (one, two):
                yield from ((("layer", "unit"), each, None, two - 1) for each in layers if each == one)
                yield from ((("unit", "layer"), each, None, one - 1) for each in layers if each == two)
                for each in layers if self.samples > 1 else ():
                    yield ("sample", "unit", str(each)), each, one - 1, two - 1
                    yield ("unit", "sample", str(each)), each, two - 1, one - 1

    def _through(self, layers: list[int], unit: int) -> Iterator[tuple[Counting, int, int | None, int]]:
        """Units counted through all layers, the inputs among them or not."""
        for way, before in (("through", 0), ("through inputs", self.sizes[0])):
            for layer in layers if len(layers) > 1 else ():
                if before < unit <= before + self.sizes[layer]:
                    yield (way,), layer, None, unit - 1 - before
                before += self.sizes[layer]

    # Parameters

    def _parameter(self, identifier: str, change: Change) -> str:
        return {"": identifier, "new": policy.updated(identifier)}.get(change, policy.gradient(identifier))

    def _weight(self, layer: int, from_: int, to: int, change: Change) -> Iterator[CountedCell]:
        """The weight from one unit to another, both counted from 1."""
        if 1 <= layer <= self.depth and 1 <= from_ <= self.sizes[layer - 1] and 1 <= to <= self.sizes[layer]:
            yield CountedCell(
                self._parameter(policy.weights(layer), change), *self.problem.weight_at(from_ - 1, to - 1)
            )

    def _weights(self, name: UnitName) -> Iterator[tuple[Counting, CountedCell]]:
        if name.tags:
            yield from self._tagged(name)
            return
        for number in name.numbers if len(name.numbers) == 1 else ():
            for counting, (layer, from_, to) in self._numbered(number):
                yield from ((counting, cell) for cell in self._weight(layer, from_, to, name.change))
            for counting, (layer, from_, to) in self._numbered(number + 1):
                yield from (((*counting, "from 0"), cell) for cell in self._weight(layer, from_, to, name.change))
        numbers = name.numbers
        if len(numbers) == 1 and 11 <= numbers[0] <= 99:
            numbers = divmod(numbers[0], 10)
        elif len(numbers) == 1 and 111 <= numbers[0] <= 999:
            numbers = (numbers[0] // 100, numbers[0] // 10 % 10, numbers[0] % 10)
        elif len(numbers) == 2 and 11 <= numbers[1] <= 99:
            numbers = (numbers[0], *divmod(numbers[1], 10))
        for counting, layer, from_, to in self._pairs(numbers):
            yield from ((counting, cell) for cell in self._weight(layer, from_, to, name.change))

    def _numbered(self, number: int) -> Iterator[tuple[Counting, tuple[int, int, int]]]:
        """Layer and units of a weight's number, counted by columns (all weights of a unit first) and by rows."""
        for layer in range(1, self.depth + 1):
            rows, columns = self.sizes[layer - 1 : layer + 1]
            if 1 <= number <= rows * columns:
                to, from_ = divmod(number - 1, rows)
                yield ("columns",), (layer, from_ + 1, to + 1)
                from_, to = divmod(number - 1, columns)
                yield ("rows",), (layer, from_ + 1, to + 1)
            number -= rows * columns

    def _pairs(self, numbers: tuple[int, ...]) -> Iterator[tuple[Counting, int, int, int]]:
        if len(numbers) == 3:
            layer, one, two = numbers
            yield ("layer", "from", "to"), layer, one, two
            yield ("layer", "to", "from"), layer, two, one
        if len(numbers) != 2:
            return
        one, two = numbers
        for layer in range(1, self.depth + 1):
            yield ("from", "to", str(layer)), layer, one, two
            yield ("to", "from", str(layer)), layer, two, one
            inputs, units = sum(self.sizes[: layer - 1]), sum(self.sizes[1:layer])
            if 0 < one - units <= self.sizes[layer]:  # units counted through the layers
                yield ("unit", "from"), layer, two, one - units
            if 0 < one - inputs <= self.sizes[layer - 1]:
                yield ("of", "to"), layer, one - inputs, two
            through = inputs + self.sizes[layer - 1]
            yield ("all", "from", "to"), layer, one - inputs, two - through
            yield ("all", "to", "from"), layer, two - inputs, one - through

    def _tagged(self, name: UnitName) -> Iterator[tuple[Counting, CountedCell]]:
        """w_h1o2, w_o2h1, w_h1: between units that are named by their layers."""
        hidden = range(1, self.depth)
        layers = {"ih": [1], "hi": [1], "ho": [self.depth], "oh": [self.depth], "hh": hidden[1:], "io": [1], "oi": [1]}
        if len(name.numbers) == 2:
            one, two = name.numbers
            for layer in layers.get(name.tags, ()):
                forward = name.tags in ("ih", "ho", "hh", "io")
                from_, to = (one, two) if forward else (two, one)
                yield from ((("tagged", str(layer)), cell) for cell in self._weight(layer, from_, to, name.change))

    def _theta(self, name: UnitName) -> Iterator[tuple[Counting, CountedCell]]:
        """θ0, θ1, …: bias first, of a single unit."""
        if self.sizes[1:] != (1,) or len(name.numbers) != 1:
            return
        (number,) = name.numbers
        if number == 0:
            bias = policy.weights(1) if self.problem.convention.leading else policy.bias(1)
            yield ("theta",), CountedCell(self._parameter(bias, name.change), 0, 0)
        else:
            yield from ((("theta",), cell) for cell in self._weight(1, number, 1, name.change))

    def _biases(self, name: UnitName) -> Iterator[tuple[Counting, CountedCell]]:
        for counting, layer, _, unit in self._units(name, BIAS):
            if self.problem.convention.leading:
                yield (BIAS, *counting), self._placed(self._parameter(policy.weights(layer), name.change), 0, unit)
            identifier = policy.bias(layer)
            if max(self.shapes.get(identifier, (0, 0))) > unit:
                yield (BIAS, *counting), self._placed(self._parameter(identifier, name.change), 0, unit)
        for layer in range(1, self.depth + 1):
            if name.numbers == (layer,) and self.shapes.get(policy.bias(layer)) == (1, 1):
                yield (BIAS, "layers"), CountedCell(self._parameter(policy.bias(layer), name.change), 0, 0)


def counted_of(key: Key) -> Counted:
    """The ways of counting of a key's problem."""
    if not isinstance(key.problem, Problem):
        return Counted(key.program.rows)
    return CountedUnits(key.program.rows, key.problem, {each: value.shape for each, value in key.values.items()})
