"""The wrong rules of a practice page: expressions for its own engine to try, each with a tutor's sentence.

No number is in them. A rule is written over the matrices of the sheet, as the right ones are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer.answers.key import key_of
from tracer.expression import matrix as m
from tracer.expression.transposed import transposed
from tracer.expression.traversal import symbols
from tracer.judging.slips.context import SlipContext, WrongRule
from tracer.judging.slips.evidence import idea_of
from tracer.judging.slips.forms import filled_in
from tracer.judging.slips.table import WHOLE
from tracer.judging.slips.trials import wrong_rules
from tracer.judging.tutor import tutor
from tracer.judging.verdicts import Idea, SlipExtent
from tracer.judging.work import Work
from tracer.page.script_data import Rules
from tracer.presentation.theme import Theme
from tracer.run.passes import AnyProblem
from tracer.worksheet.plan import Plan

MOST_FORMS = 6  # of one wrong rule in one matrix


@dataclass(frozen=True, eq=False)
class WrongRuleOf:
    """A wrong rule of a matrix, over the matrices of the sheet, and the idea behind it."""

    idea: Idea
    rule: m.Matrix


def slips(problem: AnyProblem, plan: Plan, rules: Rules, theme: Theme) -> dict[str, list[dict[str, Any]]]:
    """For each blank matrix its wrong rules, the commoner first: what it is called, what is said, how it is made."""
    work = filled_in(key_of(problem, plan.number))
    found = {each: list(wrong_rules_of(work, plan, each)) for each in work.key.program.computed if each in plan.blank}
    return rules_told(found, work, rules, theme)


def rules_told(
    found: Mapping[str, Sequence[WrongRuleOf]], work: Work, rules: Rules, theme: Theme
) -> dict[str, list[dict[str, Any]]]:
    """Wrong rules by matrix, as the page has them."""
    return {
        identifier: [
            {
                "idea": each.idea.key,
                "says": tutor(work, each.idea, (identifier, 0, 0), theme=theme),
                "rule": rules.matrix(each.rule),
            }
            for each in wrong
        ]
        for identifier, wrong in found.items()
    }


def wrong_rules_of(work: Work, plan: Plan, identifier: str) -> Iterator[WrongRuleOf]:
    """The wrong rules for a matrix that are made of what is on the sheet, the commoner first."""
    program = work.key.program
    for idea, rule in _of(SlipContext(identifier, work)):
        if all(each.name == program.rate or plan.shows(each.name, program) for each in symbols(rule)):
            yield WrongRuleOf(idea, rule)


def _of(context: SlipContext) -> Iterator[tuple[Idea, m.Matrix]]:
    """The wrong rules for a matrix, but those that are the right one, or cannot be written out."""
    tried = {context.right}
    with np.errstate(all="ignore"):  # of bounds that nobody reads here
        for rule, wrongs in wrong_rules(WHOLE, context, context.right):
            for wrong in wrongs:
                for words, form in zip(wrong.words, _few(wrong), strict=False):
                    turned = transposed(form) if context.turned else form
                    if form not in tried and turned is not None:
                        tried.add(form)
                        yield idea_of(rule, words, context, SlipExtent.THROUGHOUT), turned


def _few(wrong: WrongRule) -> list[m.Matrix]:
    return list(wrong.forms[:MOST_FORMS])
