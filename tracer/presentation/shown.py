"""To how many decimals each matrix is shown. Nothing here changes a value.

Given data as typed; forward matrices to the problem's decimals; gradients, slopes and an optimizer's
states to three significant digits; updated parameters to as many digits as it takes to see the change.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tracer.expression import scalar as s
from tracer.expression.arrays import Array
from tracer.expression.digits import as_typed, decimals_for, fixed, fixed_texts
from tracer.expression.worked import Worked, work
from tracer.lesson.build import build
from tracer.presentation.excerpt import counted
from tracer.problem.program_problem import ProgramProblem
from tracer.program.naming_policy import RATE
from tracer.run.passes import AnyProblem, Pass, Trace

DEFAULT = 3  # decimals of a result that goes by no rule of its own
SIGNIFICANT = 3  # digits of a gradient
MOST_TYPED = 9  # a given number with more significant digits was not typed but drawn
MOST = 15
NEGLIGIBLE = 1e-6  # of the largest change; a smaller one need not be seen


@dataclass(frozen=True)
class Shown:
    """The decimals of each matrix of one pass; None means each number as it was typed."""

    decimals: Mapping[str, int | None]

    def text(self, identifier: str, value: float) -> str:
        """A cell of a matrix, as it is shown."""
        decimals = self.decimals[identifier]
        return as_typed(value) if decimals is None else fixed(value, decimals)

    def texts(self, identifier: str, values: Array) -> list[str]:
        """`text` of every cell, row by row."""
        decimals = self.decimals[identifier]
        return list(map(as_typed, values.ravel().tolist())) if decimals is None else fixed_texts(values, decimals)

    def half(self, identifier: str) -> float:
        """What a number may be off as it is shown."""
        decimals = self.decimals[identifier]
        return 0.0 if decimals is None else 0.5 * 10.0**-decimals

    def work(self, one: Pass, identifier: str, expression: s.Scalar, numbers_only: bool = False) -> Worked:
        """A cell of a matrix worked out with the digits that are shown."""

        def value(cell: s.Cell) -> s.Value:
            return s.Value(float(one[cell.matrix][cell.row, cell.column]), self.decimals[cell.matrix])

        decimals = self.decimals[identifier]
        return work(expression, value, DEFAULT if decimals is None else decimals, numbers_only=numbers_only)


def losses(problem: AnyProblem, before: float, after: float) -> tuple[str, str]:
    """A loss before and after, with as many digits as it takes to see it change; where it is rounded, as it is."""
    if problem.carry_rounded:
        decimals = problem.decimals.of(build(problem).loss)
        return fixed(before, decimals), fixed(after, decimals)
    digits = next((d for d in range(4, 16) if f"{before:.{d}g}" != f"{after:.{d}g}"), 4)
    return f"{before:#.{digits}g}", f"{after:#.{digits}g}"


def size_words(problem: AnyProblem) -> str:
    """How large it is, in a few words."""
    if isinstance(problem, ProgramProblem):
        steps, count = len(problem.forward.steps), sum(each.size for each in problem.initial.values())
        return f"{counted(steps, 'forward step')}, {counted(count, 'parameter')}"
    return f"{'→'.join(map(str, problem.sizes))}, {counted(problem.rows, 'sample')}"


def shown(trace: Trace[AnyProblem], one: Pass) -> Shown:
    """The decimals of every matrix of a pass, and of the learning rate."""
    return Shown({RATE: None} | {each: _decimals(trace, one, each) for each in one})


def asked(trace: Trace[AnyProblem], one: Pass) -> dict[str, int]:
    """The decimals that a learner is asked for: those shown, but of slopes no more than of what they belong to."""
    found = {}
    for each in one.program.assignments:
        decimals = _decimals(trace, one, each)
        forward = one.program.assignments[each].role == "local_derivative"
        found[each] = trace.problem.decimals.of(each) if decimals is None or forward else decimals
    return found


def _decimals(trace: Trace[AnyProblem], one: Pass, identifier: str) -> int | None:
    decimals, given = trace.problem.decimals, identifier in one.program.inputs
    own = decimals.given(identifier)
    if own is not None:
        return own
    if given:
        return _of_given(one, identifier, decimals.of(identifier))
    if trace.problem.carry_rounded:
        return decimals.of(identifier)
    made = one.program.assignments[identifier]
    if made.kind == "count":
        return 0
    if made.role == "updated" and identifier not in one.program.of_optimizer and made.of is not None:
        return max(decimals.default, _to_see(one[identifier] - one[made.of]))
    if made.role in ("intermediate", "loss"):
        return decimals.default
    return max(decimals.default, decimals_for(one[identifier], SIGNIFICANT))


def _of_given(one: Pass, identifier: str, default: int) -> int | None:
    """As typed, where anybody can have typed it; parameters of a later pass as they were updated."""
    if all(map(_may_be_typed, one[identifier].ravel().tolist())):
        return None
    following = one.program.carried.get(identifier)
    if following is not None and identifier not in one.program.of_optimizer:
        return max(default, _to_see(one[following] - one[identifier]))
    return max(default, decimals_for(one[identifier], SIGNIFICANT))


def _may_be_typed(value: float) -> bool:
    """Whether a number has so few digits, between its first and its last that is not 0, that one types it."""
    return float(f"{value:.{MOST_TYPED}g}") == value


def _to_see(change: Array) -> int:
    """Decimals at which every change that counts moves the last digit by one or more."""
    sizes = np.abs(change[change != 0])
    sizes = sizes[sizes >= NEGLIGIBLE * sizes.max()] if sizes.size else sizes
    return min(math.ceil(-math.log10(sizes.min())), MOST) if sizes.size else 0
