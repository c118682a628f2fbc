"""Students of programs: who used a wrong rule wherever it has a place, and worked on rightly from there.

A wrong rule is one of the catalogue's own rewrites, worked out by numpy on the student's own earlier numbers. Which
rules give equal sheets is shown on other numbers drawn for the program, not on its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tracer.answers.handed_in import Answers
from tracer.answers.key import Key, key_of
from tracer.answers.numbers import read_number
from tracer.expression import matrix as m
from tracer.expression.arrays import Array
from tracer.expression.evaluate import evaluate
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.judging.sheet import Sheet, WrittenMatrix
from tracer.judging.slips.context import SlipContext
from tracer.judging.slips.table import WHOLE
from tracer.judging.slips.trials import wrong_rules
from tracer.judging.work import Work
from tracer.problem.program_problem import ProgramProblem

NOT_MADE = {"not-rounded", "stale-value"}  # of problems that round, and of later passes
LARGEST = 1e9  # a slip that leads beyond is none that anybody goes on with
ROUNDS = 2
SEEN = 1.0  # units of the last place by which a slip must move a cell


@dataclass(frozen=True)
class Slipped:
    """A wrong rule of one matrix: its slug, what a tutor would call it, and the rule with the rounding kept."""

    slug: str
    idea: str
    at: str
    rule: m.Matrix


@dataclass(frozen=True, eq=False)
class Program:
    """A program with its key, and every wrong rule that has a place in it."""

    problem: ProgramProblem

    @cached_property
    def key(self) -> Key:
        return key_of(self.problem)

    @cached_property
    def conventions(self) -> Conventions:
        return Conventions(self.key)

    def slips(self) -> Iterator[Slipped]:
        work = filled_in(self.key)
        for identifier in self.key.program.computed:
            context, seen = SlipContext(identifier, work), set[m.Matrix]()
            for rule, wrongs in wrong_rules(WHOLE, context, context.right):
                for wrong in wrongs:
                    for words, form in zip(wrong.words, wrong.forms, strict=False):
                        if rule.slug not in NOT_MADE and form not in seen:
                            seen.add(form)
                            yield Slipped(rule.slug, words.get("idea", rule.idea or rule.slug), identifier, form)

    def worked(self, slip: Slipped | None, values: Mapping[str, Array] | None = None) -> dict[str, Array]:
        """Every matrix to the digits that are asked for, each made from those before it as they were written."""
        made = dict(self.key.values) if values is None else dict(values)
        for _ in range(ROUNDS):  # who takes what is made later takes what comes of it
            made = self._pass(slip, made)
        return {each: made[each] for each in self.key.program.computed}

    def _pass(self, slip: Slipped | None, made: dict[str, Array]) -> dict[str, Array]:
        key = self.key
        with np.errstate(all="ignore"):
            for each in key.program.computed:
                slips = slip is not None and slip.at == each
                found = evaluate(slip.rule, made) if slip is not None and slips else key.compute(each, made)
                made[each] = np.round(np.broadcast_to(found, key.values[each].shape), key.asked[each]) + 0.0
        return made

    def sheet(self, worked: Mapping[str, Array]) -> Answers:
        def text(identifier: str, value: float) -> str:
            return f"{value:.{self.key.asked[identifier]}f}"

        grids = {each: tuple(tuple(read_number(text(each, value)) for value in row) for row in grid.tolist())
                 for each, grid in worked.items()}  # fmt: skip
        return Answers("student", grids)

    def mark(self, worked: Mapping[str, Array]) -> MarkedSheet:
        return self.mark_answers(self.sheet(worked))

    def mark_answers(self, answers: Answers) -> MarkedSheet:
        return mark_answers(answers, self.conventions)

    def alone(self, slip: Slipped, values: Mapping[str, Array]) -> Array:
        """What a wrong rule makes of its matrix on these numbers, to the digits that are asked for."""
        with np.errstate(all="ignore"):
            found = np.broadcast_to(evaluate(slip.rule, values), self.key.values[slip.at].shape)
        return np.asarray(np.round(found, self.key.asked[slip.at]) + 0.0)

    def shows(self, slip: Slipped, worked: Mapping[str, Array]) -> bool:
        """Whether a slip changes a written digit of its matrix, and everything stays finite."""
        right = self.key.compute(slip.at, {**self.key.values, **worked})
        moved = np.abs(worked[slip.at] - np.round(right, self.key.asked[slip.at]))
        finite = all(np.isfinite(each).all() and np.abs(each).max(initial=0.0) < LARGEST for each in worked.values())
        return finite and bool((moved > SEEN * 10.0 ** -self.key.asked[slip.at]).any())


def filled_in(key: Key) -> Work:
    """The work of somebody who wrote every matrix."""
    written = {each: WrittenMatrix((), key.values[each], key.units(each), 0 * key.units(each))
               for each in key.program.computed}  # fmt: skip
    return Work(Sheet(Answers("", {}), key, written, ()))
