"""The key of a problem: the right matrices of one pass, and how they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from tracer.answers.aliases import Aliases
from tracer.answers.names_read import NamesRead
from tracer.answers.numbers import SIGNIFICANT
from tracer.answers.program_aliases import ProgramAliases
from tracer.errors import TracerError
from tracer.expression.arrays import Array
from tracer.expression.evaluate import compiled
from tracer.expression.label import label_text
from tracer.lesson.build import build
from tracer.lesson.network_symbols import NetworkSymbols
from tracer.presentation.shown import asked, shown
from tracer.problem.convention import Reproduce
from tracer.problem.names import Names, names_of
from tracer.problem.problem import Problem
from tracer.problem.remarks import departures
from tracer.program.program import Program
from tracer.run.passes import AnyProblem, Pass
from tracer.run.training import trace

MOST_PASSES = 1_000


@dataclass(frozen=True, eq=False)
class Key:
    """The right matrices of one pass, with a program that says how they are made.

    `halves` is what a number that was printed may be off as a learner sees it: half a unit where it is shown rounded.
    `printed` are computed matrices that stood on the learner's worksheet, `before` the matrices of the pass before,
    if there was one; `asked` has the decimals that each matrix is asked for. `problem` reproduces nothing: what a
    publication did though it is not the gradient is never right; `sha256` is of the problem as it was.
    """

    problem: AnyProblem
    sha256: str
    program: Program
    values: Mapping[str, Array]
    halves: Mapping[str, float]
    before: Mapping[str, Array]
    asked: Mapping[str, int]
    notes: tuple[str, ...] = ()
    printed: frozenset[str] = frozenset()
    rules: dict[str, Callable[[Mapping[str, Array]], Array]] = field(default_factory=dict)

    @cached_property
    def net(self) -> NetworkSymbols:
        """The matrices of the pass as symbols, of a network of layers."""
        assert isinstance(self.problem, Problem)  # asked for by what is of layers alone
        return NetworkSymbols(self.problem, self.program.rows)

    @cached_property
    def names(self) -> Names:
        """What the matrices and their cells are called to learners."""
        return names_of(self.problem)

    def called(self, identifier: str, place: tuple[int, int] | None = None) -> str:
        """The name of a matrix, or of a cell of it by row and column from 0, in one line."""
        return label_text(self.names.matrix(identifier) if place is None else self.names.cell(identifier, *place))

    @cached_property
    def aliases(self) -> NamesRead:
        """The names that learners have for the matrices."""
        shapes = {each: value.shape for each, value in self.values.items()}
        if isinstance(self.problem, Problem):
            return Aliases(self.problem, shapes)
        return ProgramAliases(self.problem, shapes)

    def units(self, identifier: str) -> Array:
        """The last place that is asked for, of each cell; at least its twelfth significant digit."""
        value = np.abs(self.values[identifier])
        return np.asarray(np.maximum(10.0 ** -self.asked[identifier], SIGNIFICANT * value))

    def compute(self, identifier: str, values: Mapping[str, Array]) -> Array:
        """A matrix by its right rule from others; infinite or no number where float64 ends."""
        if identifier not in self.rules:
            expression = self.program.assignments[identifier].expression
            assert expression is not None  # asked for by the caller
            self.rules[identifier] = compiled(expression)
        with np.errstate(all="ignore"):
            return self.rules[identifier](values)

    def with_given(self, own: Mapping[str, Array], file: str) -> Key:
        """The key for numbers of a learner's own. Raises TracerError where the network leaves float64 with them."""
        given = {each: own.get(each, self.values[each]) for each in self.program.inputs}
        with np.errstate(all="ignore"):
            run = build(self.problem, self.program.rows).numpy.run
            computed = dict(zip(self.program.computed, run(*given.values()), strict=True))
        if not all(np.isfinite(each).all() for each in computed.values()):
            raise TracerError(f"{file}: given: these numbers overflow float64")
        values = given | computed
        halves = {each: 0.0 if each in own else half for each, half in self.halves.items()}
        return replace(self, values={each: values[each] for each in self.values}, halves=halves)


def key_of(problem: AnyProblem, number: int = 1) -> Key:
    """The key of a problem's pass of this number (the first: epoch 1, iteration 1). Raises TracerError past the end."""
    worked = replace(problem, reproduce=Reproduce()) if isinstance(problem, Problem) else problem
    if not 1 <= number <= MOST_PASSES:
        raise TracerError(f"--pass: found {number}, expected 1 to {MOST_PASSES:,}")
    epoch = (number - 1) // len(worked.batches()) + 1
    run = trace(worked, range(max(1, epoch - 1), epoch + 1))
    passes = list(run.passes)
    at = number - 1 - (max(1, epoch - 1) - 1) * len(worked.batches())
    one, before = _by_hand(passes[at], worked), passes[at - 1].matrices if at else {}
    as_shown = shown(run, one)
    halves = {each: as_shown.half(each) for each in as_shown.decimals}
    values = {each: one[each] for each in (*one.matrices, one.program.rate)}
    same_rows = at and passes[at - 1].program.rows == one.program.rows
    return Key(
        worked, problem.sha256, one.program, values, halves, before if same_rows else {}, asked(run, one),
        _notes(problem),
    )  # fmt: skip


def _by_hand(one: Pass, problem: AnyProblem) -> Pass:
    return one.by_hand(problem) if isinstance(problem, Problem) else one


def _notes(problem: AnyProblem) -> tuple[str, ...]:
    if not isinstance(problem, Problem):
        return ()
    return tuple(f"{each} Answers are checked against the gradient." for each in departures(problem))
