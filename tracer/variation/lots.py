"""Where a variant's numbers come from: the matrices that are redrawn, and many drawings of them at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tracer.errors import ProblemError
from tracer.expression.arrays import Array
from tracer.expression.digits import as_typed
from tracer.problem.initial import frozen
from tracer.problem.problem import Problem
from tracer.program import roles
from tracer.program.program import Program
from tracer.variation.draws import Draws

DrawnNumbers = Mapping[str, Array]
"""Matrices by identifier, many drawings along the first axis, with a sample in each row."""


@dataclass(frozen=True)
class Lot:
    """A matrix that is redrawn: whole numbers from `low` to `high` over 10^digits, without 0 unless it may be.

    `permuted`: its own rows in another order instead.
    """

    id: str
    own: Array
    low: int
    high: int
    digits: int
    zero: bool = False
    permuted: bool = False

    def drawn(self, draws: Draws) -> Array:
        """One drawing."""
        if self.permuted:
            return self.own[draws.shuffled(len(self.own))]
        numbers = [self._number(draws) for _ in range(self.own.size)]
        return np.array(numbers).reshape(self.own.shape) / 10.0**self.digits

    def _number(self, draws: Draws) -> int:
        without = 0 if self.zero or not self.low <= 0 <= self.high else 1
        found = self.low + draws.below(self.high - self.low + 1 - without)
        return found + 1 if without and found >= 0 else found

    def anywhere(self, draws: Draws) -> Array:
        """A drawing from all real numbers of its range, to see what holds for every variant."""
        if self.permuted:
            return self.own[draws.shuffled(len(self.own))]
        parts = np.array([draws.part() for _ in range(self.own.size)]).reshape(self.own.shape)
        return (self.low + (self.high - self.low) * parts) / 10.0**self.digits


@dataclass(frozen=True, eq=False)
class Lots:
    """A problem and what of it is redrawn, to some number of digits."""

    problem: Problem
    program: Program
    lots: Sequence[Lot]

    def drawings(self, seed: str, count: int, anywhere: bool = False) -> dict[str, Array]:
        """Many drawings of every matrix that is redrawn."""
        draws = Draws(seed)
        made = [[lot.anywhere(draws) if anywhere else lot.drawn(draws) for lot in self.lots] for _ in range(count)]
        return {lot.id: np.stack([each[k] for each in made]) for k, lot in enumerate(self.lots)}

    def variant(self, drawn: DrawnNumbers, number: int) -> Problem:
        """The problem with the numbers of one drawing."""
        own = {each: matrices[number] for each, matrices in drawn.items()}
        inputs, targets = (frozen(own.get(each, given)) for each, given in _given(self.problem, self.program).items())
        layers = tuple(
            replace(
                layer,
                weights=frozen(own.get(made.weights, layer.weights)),
                bias=None if layer.bias is None else frozen(own.get(made.bias, layer.bias)),
            )
            for layer, made in zip(self.problem.layers, self.program.layers, strict=True)
        )
        return replace(self.problem, X=inputs, Y=targets, layers=layers)

    def inputs(self, drawn: DrawnNumbers) -> dict[str, Array]:
        """The inputs of the program, as it has them: many of each that is redrawn, one of each other."""
        own = dict(zip(self.program.inputs, _inputs(self.problem), strict=True))
        inputs = self.program.one(roles.INPUTS)
        for each, matrices in drawn.items():
            made = matrices
            if each == inputs and self.problem.convention.leading:
                made = np.insert(made, 0, self.problem.convention.bias_input, axis=-1)
            own[each] = np.swapaxes(made, -1, -2) if self.program.turned else made
        return own


def _inputs(problem: Problem) -> tuple[Array, ...]:
    """In the order of a program's inputs."""
    (start, stop), *_ = problem.batches()
    return (*problem.data(start, stop), *problem.parameters, np.full((1, 1), problem.learning_rate))


def _given(problem: Problem, program: Program) -> dict[str, Array]:
    """Inputs and targets, with a sample in each row."""
    return {program.one(roles.INPUTS): problem.X, program.targets: problem.Y}


def lots_of(problem: Problem, program: Program, digits: int) -> Lots | None:
    """What is redrawn of a problem to so many decimals, where it does not say how many.

    None where a range holds too few numbers of so few decimals. Raises ProblemError for a matrix that is none.
    """
    own = numbers(problem, program)
    chosen = problem.variants.matrices or tuple(each for each in own if program.assignments[each].role == "parameter")
    for each in (*chosen, *problem.variants.own):
        if each not in own:
            known = ", ".join(own)
            raise ProblemError(problem.name, "variants", f"found {each!r}, expected one of {known}")
    lots = [_lot(problem, program, own, each, digits) for each in own if each in (*chosen, *problem.variants.own)]
    enough = all(lot.permuted or lot.high - lot.low >= LEAST_NUMBERS for lot in lots)
    return Lots(problem, program, lots) if enough else None


LEAST_NUMBERS = 4  # that a redrawn number can be
LEAST_RANGE = 2.0  # of parameters, to either side of 0: in less, few numbers tell all slips apart


def numbers(problem: Problem, program: Program) -> dict[str, Array]:
    """The matrices that can be redrawn, with a sample in each row."""
    found = _given(problem, program)
    for layer, made in zip(problem.layers, program.layers, strict=True):
        found[made.weights] = layer.weights
        if layer.bias is not None:
            found[made.bias] = layer.bias
    return found


def _lot(problem: Problem, program: Program, own: Mapping[str, Array], identifier: str, digits: int) -> Lot:
    matrix, asked = own[identifier], problem.variants
    inputs, targets = _given(problem, program)
    if identifier == targets and asked.range_of(identifier) is None:
        return Lot(identifier, matrix, 0, 0, 0, permuted=True)
    said = asked.digits_of(identifier)
    places = said if said is not None else max(map(_typed, matrix.flat)) if identifier in (inputs, targets) else digits
    low, high = asked.range_of(identifier) or _range(program, own, identifier)
    unit = 10**places
    zero = identifier in (inputs, targets) and bool((matrix == 0).any())
    return Lot(identifier, matrix, math.ceil(low * unit - 1e-9), math.floor(high * unit + 1e-9), places, zero)


def _range(program: Program, own: Mapping[str, Array], identifier: str) -> tuple[float, float]:
    """Data as far as they go; parameters to either side of 0 as far as any of their kind goes, or LEAST_RANGE."""
    if program.assignments[identifier].role == "given":
        return float(own[identifier].min()), float(own[identifier].max())
    kind = program.quantity(identifier)
    largest = max(
        LEAST_RANGE, *(float(np.abs(matrix).max()) for each, matrix in own.items() if program.quantity(each) == kind)
    )
    return -largest, largest


def _typed(value: float) -> int:
    """The decimals of a number as it was typed."""
    return len(as_typed(float(value)).partition(".")[2])


def each_digits(problem: Problem, program: Program) -> Iterator[Lots]:
    """What is redrawn, by numbers with few digits first."""
    for digits in (1, 2, 3):
        found = lots_of(problem, program, digits)
        if found is not None:
            yield found
