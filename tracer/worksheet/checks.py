"""Checks of a worksheet that need no key: what must hold of a matrix, whatever its numbers are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tracer.calculus.forms import softmax_form
from tracer.expression import matrix as m
from tracer.expression.label import label_text
from tracer.presentation.shown import Shown
from tracer.presentation.theme import Theme
from tracer.problem.names import names_of
from tracer.program.roles import WEIGHTS_GRADIENT, Assignment
from tracer.run.passes import AnyProblem, Pass, Trace
from tracer.worksheet.plan import Plan

CheckKind: TypeAlias = Literal["rows", "shape", "sum"]
LEAST_SUMMED = 4  # cells of a matrix whose sum is printed


@dataclass(frozen=True)
class Check:
    """What must hold, in words; `kind` says what is looked at."""

    kind: CheckKind
    words: str


def checks(
    made: Assignment, trace: Trace[AnyProblem], one: Pass, plan: Plan, decimals: Shown, theme: Theme
) -> Iterator[Check]:
    """The checks of a matrix that is left blank."""
    names = names_of(trace.problem)
    name, rows, columns = label_text(names.matrix(made.id)), *made.shape
    if _shares_a_whole(made):
        yield Check("rows", theme.say("checks.rows", matrix=name))
    gradient = made.id in one.program.gradients_of_parameters and min(made.shape) > 1
    if (gradient or made.quantity == WEIGHTS_GRADIENT) and made.of is not None:
        parameter = label_text(names.matrix(made.of))
        size = f"{rows}×{columns}"
        yield Check("shape", theme.say("checks.shape", gradient=name, parameter=parameter, size=size))
    if plan.sums and rows * columns >= LEAST_SUMMED:
        total = decimals.text(made.id, float(one[made.id].sum()))
        if not _is_an_answer(total, one, plan, decimals):
            says = "checks.exact_sum" if trace.problem.carry_rounded else "checks.sum"
            yield Check("sum", theme.say(says, matrix=name, sum=theme.number(total)))


def _shares_a_whole(made: Assignment) -> bool:
    """Whether a matrix is made by softmax along its rows."""
    rule = made.expression.operand if isinstance(made.expression, m.Rounded) else made.expression
    form = None if rule is None else softmax_form(rule)
    return form is not None and form.across


def _is_an_answer(total: str, one: Pass, plan: Plan, decimals: Shown) -> bool:
    """Whether a sum gives a cell away, as where all the others are 0."""
    size = total.lstrip("−")
    return any(size in (text.lstrip("−") for text in decimals.texts(each, one[each])) for each in plan.blank)
