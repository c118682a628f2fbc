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
from tracer.problem.program_problem import ProgramProblem
from tracer.program import roles
from tracer.program.program import Program
from tracer.run.passes import AnyProblem
from tracer.variation.draws import Draws

DrawnNumbers = Mapping[str, Array]
"""Matrices by identifier, many drawings along the first axis, with a sample in each row."""

LEAST_NUMBERS = 4  # that a redrawn number can be
LEAST_RANGE = 2.0  # of parameters, to either side of 0: in less, few numbers tell all slips apart
MASKS = 10.0  # a given matrix of zeros and of numbers this far from them says where nothing is to be seen


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

    problem: AnyProblem
    program: Program
    lots: Sequence[Lot]

    def drawings(self, seed: str, count: int, anywhere: bool = False) -> dict[str, Array]:
        """Many drawings of every matrix that is redrawn."""
        draws = Draws(seed)
        made = [[lot.anywhere(draws) if anywhere else lot.drawn(draws) for lot in self.lots] for _ in range(count)]
        return {lot.id: np.stack([each[k] for each in made]) for k, lot in enumerate(self.lots)}

    def variant(self, drawn: DrawnNumbers, number: int) -> AnyProblem:
        """The problem with the numbers of one drawing."""
        own = {each: frozen(matrices[number]) for each, matrices in drawn.items()}
        if isinstance(self.problem, ProgramProblem):
            return _program_with(self.problem, own)
        return _network_with(self.problem, self.program, own)

    def inputs(self, drawn: DrawnNumbers) -> dict[str, Array]:
        """The inputs of the program in the first pass, as it has them: many of each that is redrawn, one of others."""
        (start, stop), *_ = self.problem.batches()
        rate = np.full((1, 1), self.problem.learning_rate)
        first = (*self.problem.data(start, stop), *self.problem.parameters, rate)
        own = dict(zip(self.program.inputs, first, strict=True))
        return own | {each: self._taken_in(each, matrices, slice(start, stop)) for each, matrices in drawn.items()}

    def _taken_in(self, identifier: str, matrices: Array, rows: slice) -> Array:
        """Many drawings of a matrix as the program has them: of a network's data the samples of the first batch."""
        if not isinstance(self.problem, Problem):
            return matrices
        made = matrices
        if self.program.assignments[identifier].role == "given":
            made = made[:, rows]
        if self.program.quantity(identifier) == roles.INPUTS and self.problem.convention.leading:
            made = np.insert(made, 0, self.problem.convention.bias_input, axis=-1)
        return np.swapaxes(made, -1, -2) if self.program.turned else made


def _network_with(problem: Problem, program: Program, own: Mapping[str, Array]) -> Problem:
    inputs, targets = (own.get(each, given) for each, given in _data(problem, program).items())
    layers = tuple(
        replace(
            layer,
            weights=own.get(made.weights, layer.weights),
            bias=None if layer.bias is None else own.get(made.bias, layer.bias),
        )
        for layer, made in zip(problem.layers, program.layers, strict=True)
    )
    return replace(problem, X=inputs, Y=targets, layers=layers)


def _program_with(problem: ProgramProblem, own: Mapping[str, Array]) -> ProgramProblem:
    given = {each: own.get(each, matrix) for each, matrix in problem.given.items()}
    initial = {each: own.get(each, matrix) for each, matrix in problem.initial.items()}
    return replace(problem, given=given, initial=initial)


def _data(problem: AnyProblem, program: Program) -> Mapping[str, Array]:
    """What is given, with a sample in each row: of a network inputs and targets, in this order."""
    if isinstance(problem, ProgramProblem):
        return problem.given
    return {program.one(roles.INPUTS): problem.X, program.targets: problem.Y}


def numbers(problem: AnyProblem, program: Program) -> dict[str, Array]:
    """The matrices that can be redrawn, with a sample in each row."""
    found = dict(_data(problem, program))
    if isinstance(problem, ProgramProblem):
        return found | dict(problem.initial)
    for layer, made in zip(problem.layers, program.layers, strict=True):
        found[made.weights] = layer.weights
        if layer.bias is not None:
            found[made.bias] = layer.bias
    return found


def lots_of(problem: AnyProblem, program: Program, digits: int) -> Lots | None:
    """What is redrawn of a problem to so many decimals, where it does not say how many.

    None where a range holds too few numbers of so few decimals. Raises ProblemError for a matrix that cannot be.
    """
    own = numbers(problem, program)
    chosen = problem.variants.matrices or tuple(each for each in own if program.assignments[each].role == "parameter")
    wanted = (*chosen, *problem.variants.own)
    for each in wanted:
        if each not in own:
            known = ", ".join(own)
            raise ProblemError(problem.name, "variants", f"found {each!r}, expected one of {known}")
        if program.assignments[each].role == "given" and _is_mask(own[each]):
            raise ProblemError(problem.name, "variants", f"found {each!r}, which is a mask: it stays as it is")
    lots = [_lot(problem, program, own, each, digits) for each in own if each in wanted]
    enough = all(lot.permuted or lot.high - lot.low >= _least(program, lot.id) for lot in lots)
    return Lots(problem, program, lots) if enough else None


def _least(program: Program, identifier: str) -> int:
    """How many numbers more than one there are to be for a matrix: data may be as small as they are."""
    return 1 if program.assignments[identifier].role == "given" else LEAST_NUMBERS


def _is_mask(matrix: Array) -> bool:
    """Whether a matrix is 0 where something is seen, and far from it everywhere else."""
    away = np.abs(matrix[matrix != 0])
    return bool(away.size and away.size < matrix.size and (away >= MASKS).all() and np.ptp(away) == 0)


def _lot(problem: AnyProblem, program: Program, own: Mapping[str, Array], identifier: str, digits: int) -> Lot:
    matrix, asked = own[identifier], problem.variants
    given = program.assignments[identifier].role == "given"
    if given and asked.range_of(identifier) is None and _stays_what_it_is(program, identifier, matrix):
        return Lot(identifier, matrix, 0, 0, 0, permuted=True)
    said = asked.digits_of(identifier)
    places = said if said is not None else max(map(_typed, matrix.flat)) if given else digits
    low, high = asked.range_of(identifier) or _range(program, own, identifier)
    unit = 10**places
    zero = given and bool((matrix == 0).any())
    return Lot(identifier, matrix, math.ceil(low * unit - 1e-9), math.floor(high * unit + 1e-9), places, zero)


def _stays_what_it_is(program: Program, identifier: str, matrix: Array) -> bool:
    """Whether other numbers would make something else of a given matrix: targets, labels, what is kept or left out."""
    return program.quantity(identifier) == roles.TARGETS or bool(((matrix == 0) | (matrix == 1)).all())


def _range(program: Program, own: Mapping[str, Array], identifier: str) -> tuple[float, float]:
    """Data as far as they go; parameters to either side of 0 as far as any of their kind goes, or LEAST_RANGE.

    A program's parameter whose numbers have one sign keeps it: it may stand under a root or a logarithm, or be a gain.
    """
    matrix = own[identifier]
    if program.assignments[identifier].role == "given":
        return float(matrix.min()), float(matrix.max())
    kind = program.quantity(identifier)
    largest = max(LEAST_RANGE, *(float(np.abs(each).max()) for name, each in own.items()
                                 if program.quantity(name) == kind))  # fmt: skip
    if kind == roles.PARAMETER and (matrix > 0).all():
        return 0.0, largest
    return -largest, 0.0 if kind == roles.PARAMETER and (matrix < 0).all() else largest


def _typed(value: float) -> int:
    """The decimals of a number as it was typed."""
    return len(as_typed(float(value)).partition(".")[2])


def each_digits(problem: AnyProblem, program: Program) -> Iterator[Lots]:
    """What is redrawn, by numbers with few digits first."""
    for digits in (1, 2, 3):
        found = lots_of(problem, program, digits)
        if found is not None:
            yield found
