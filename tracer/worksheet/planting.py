"""A sheet worked to the end with planted slips: wrong rules of the catalogue, each used in one matrix and carried on.

A slip is planted only where it shows at the decimals that are asked for, where the judge itself names it and nothing
else, and where the sheet has other rules to choose from that the printed numbers speak against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tracer.answers.handed_in import Answers
from tracer.answers.key import Key, key_of
from tracer.answers.numbers import read_number
from tracer.errors import TracerError
from tracer.expression.arrays import Array
from tracer.expression.digits import fixed_texts, round_half_away
from tracer.expression.evaluate import evaluate
from tracer.expression.label import label_text
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.judging.slips.forms import filled_in
from tracer.judging.tutor import tutor
from tracer.judging.verdicts import COUNTS, Idea
from tracer.judging.work import Work
from tracer.page.script_data import Rules
from tracer.presentation.headings import Headings
from tracer.presentation.theme import Theme
from tracer.run.passes import AnyProblem
from tracer.worksheet.plan import Plan
from tracer.worksheet.slips import WrongRuleOf, rules_told, wrong_rules_of

CHOICES, LEAST_CHOICES = 4, 3  # rules to choose from, of one matrix
SEEN = 2.0  # units of the last place by which two rules must differ in some cell
ROUNDS = 2  # who takes what is made later takes what comes of it
LARGEST = 1e6  # of a number on the sheet
MOST_TRIED = 150  # sheets that are marked in search of slips that go together

Shuffle = Callable[[int], Sequence[int]]
"""The numbers from 0 to one below its argument, in an order of its own."""


@dataclass(frozen=True, eq=False)
class Planted:
    """`values` has the computed matrices as they are printed, `slips` the wrong rule of each matrix that has one.

    `choices` are the rules to choose from for each matrix that has any, in the order in which they stand there.
    """

    key: Key
    values: Mapping[str, Array]
    slips: Mapping[str, WrongRuleOf]
    choices: Mapping[str, Sequence[WrongRuleOf]]

    def texts(self, identifier: str) -> list[list[str]]:
        """The cells of a matrix as they are printed, with a typographic minus."""
        return texts_of(self.key, identifier, self.values[identifier])

    @cached_property
    def work(self) -> Work:
        """The work of somebody who wrote every matrix, all of it right."""
        return filled_in(self.key)

    def choices_told(self, rules: Rules, theme: Theme) -> dict[str, list[dict[str, Any]]]:
        """The rules to choose from by matrix, as the page has them."""
        return rules_told(self.choices, self.work, rules, theme)

    def told(self, theme: Theme, headings: Headings) -> Iterator[tuple[str, str]]:
        """What a matrix with a slip is called, and what a tutor says of it, in order of time; for the key."""
        for each in self.values:
            if each in self.slips:
                name = label_text(headings.names.matrix(each))
                yield name, tutor(self.work, self.slips[each].idea, (each, 0, 0), theme=theme)


def texts_of(key: Key, identifier: str, values: Array) -> list[list[str]]:
    """Each number to the decimals that are asked for."""
    columns = values.shape[1]
    flat = fixed_texts(values, key.asked[identifier])
    return [flat[k : k + columns] for k in range(0, len(flat), columns)]


def plant(problem: AnyProblem, plan: Plan, count: int, shuffle: Shuffle) -> Planted:
    """A sheet with so many slips (1 or more), each in a matrix of its own and of another idea.

    Raises TracerError where fewer of them can be told apart on the sheet.
    """
    return _Planting(key_of(problem, plan.number), plan, shuffle).planted(count)


@dataclass(frozen=True, eq=False)
class _Planting:
    """The search for slips that go together; the order in which they are tried is the shuffle's."""

    key: Key
    plan: Plan
    shuffle: Shuffle

    @cached_property
    def conventions(self) -> Conventions:
        return Conventions(self.key)

    @cached_property
    def rules(self) -> Mapping[str, Sequence[WrongRuleOf]]:
        """The wrong rules of each matrix in shuffled order."""
        work, found = filled_in(self.key), dict[str, Sequence[WrongRuleOf]]()
        for each in self.key.program.computed:
            rules = list(wrong_rules_of(work, self.plan, each))
            found[each] = [rules[k] for k in self.shuffle(len(rules))]
        return found

    def planted(self, count: int) -> Planted:
        if count > len(self.rules):
            raise self._too_many(count, len(self.rules))
        slips, values = dict[str, WrongRuleOf](), dict[str, Array]()
        for matrix, rule in self._tried():
            if matrix in slips or any(rule.idea.key == other.idea.key for other in slips.values()):
                continue
            more = {**slips, matrix: rule}
            worked = self.worked(more)
            if self._is_told(more, worked):
                slips, values = more, worked
                if len(slips) == count:
                    choices = {each: self._choices(each, slips.get(each), values) for each in self.rules}
                    return Planted(self.key, values, slips, {each: some for each, some in choices.items() if some})
        raise self._too_many(count, len(slips))

    def _too_many(self, count: int, most: int) -> TracerError:
        expected = f"1 to {most}" if most else "none"
        return TracerError(f"--slips: found {count}, expected {expected}: no more can be told apart on this sheet")

    def _tried(self) -> Iterator[tuple[str, WrongRuleOf]]:
        """Rules that show, one of each matrix after the other, until MOST_TRIED."""
        names, left = list(self.rules), MOST_TRIED
        order = [names[k] for k in self.shuffle(len(names))]
        for turn in range(max(map(len, self.rules.values()), default=0)):
            for matrix in order:
                if turn < len(self.rules[matrix]) and self._shows(matrix, self.rules[matrix][turn]):
                    yield matrix, self.rules[matrix][turn]
                    left -= 1
                    if not left:
                        return

    def _shows(self, matrix: str, rule: WrongRuleOf) -> bool:
        """Whether a rule gives other numbers than the right one where everything before is right."""
        return self._apart(matrix, self._by(rule, matrix, self.key.values), self.key.values[matrix])

    def _by(self, rule: WrongRuleOf, matrix: str, values: Mapping[str, Array]) -> Array:
        with np.errstate(all="ignore"):
            return np.broadcast_to(evaluate(rule.rule, values), self.key.values[matrix].shape)

    def _gives(self, matrix: str, rule: WrongRuleOf, worked: Mapping[str, Array]) -> bool:
        """Whether a rule gives the printed numbers of a matrix from those that are printed, also later ones."""
        found = self._by(rule, matrix, {**self.key.values, **worked})
        return bool((round_half_away(found, self.key.asked[matrix]) == worked[matrix]).all())

    def _apart(self, matrix: str, one: Array, other: Array) -> bool:
        return bool((np.abs(one - other) > SEEN * 10.0 ** -self.key.asked[matrix]).any())

    def worked(self, slips: Mapping[str, WrongRuleOf]) -> dict[str, Array]:
        """Every computed matrix as somebody writes it who uses these rules, and goes on with what is written."""
        key, made = self.key, dict(self.key.values)
        for _ in range(ROUNDS):
            for each in key.program.computed:
                found = self._by(slips[each], each, made) if each in slips else key.compute(each, made)
                made[each] = round_half_away(np.asarray(found, dtype=np.float64), key.asked[each])
        return {each: made[each] for each in key.program.computed}

    def _is_told(self, slips: Mapping[str, WrongRuleOf], worked: Mapping[str, Array]) -> bool:
        """Whether the judge finds these slips on the sheet and no other, and each has its rules to choose from."""
        if not all((np.abs(each) < LARGEST).all() for each in worked.values()):  # nor is any of them not a number
            return False
        if not all(self._gives(each, slip, worked) for each, slip in slips.items()):
            return False
        if any(self._says_nothing(each, worked) for each in worked if each not in slips):
            return False
        if any(len(self._choices(each, slip, worked)) < LEAST_CHOICES for each, slip in slips.items()):
            return False
        return named(self.marked(worked), {each: slip.idea for each, slip in slips.items()})

    def _says_nothing(self, matrix: str, worked: Mapping[str, Array]) -> bool:
        """Whether the slips make a cell 0, 1, −1 or an unchanged parameter, which page and workbook may call wrong."""
        key, made = self.key, self.key.program.assignments[matrix]
        own, half = key.compute(matrix, {**key.values, **worked}), key.units(matrix) / 2
        values: list[float | Array] = [
            0.0,
            1.0,
            -1.0,
            *([key.values[made.of]] if made.role == "updated" and made.of else []),
        ]
        nothing = [(np.abs(own - each) <= half) & (np.abs(key.values[matrix] - each) > half) for each in values]
        return bool(np.any(nothing))

    def marked(self, worked: Mapping[str, Array]) -> MarkedSheet:
        grids = {each: tuple(tuple(map(read_number, row)) for row in texts_of(self.key, each, values))
                 for each, values in worked.items()}  # fmt: skip
        return mark_answers(Answers("planted", grids), self.conventions)

    def _choices(self, matrix: str, slip: WrongRuleOf | None, worked: Mapping[str, Array]) -> list[WrongRuleOf]:
        """The rules to choose from, of sentences of their own: the one that was used, and others that were not."""
        values = {**self.key.values, **worked}
        found = {} if slip is None else {slip.idea.says: slip}
        for each in self.rules[matrix]:
            if len(found) < CHOICES and self._apart(matrix, self._by(each, matrix, values), worked[matrix]):
                found.setdefault(each.idea.says, each)
        rank = {id(each): k for k, each in enumerate(self.rules[matrix])}
        return sorted(found.values(), key=lambda each: rank[id(each)])


def named(marked: MarkedSheet, ideas: Mapping[str, Idea]) -> bool:
    """Whether a marked sheet has exactly these slips, by matrix, each without a rival, and no other cell that fails."""
    failing = {mark.id for mark in marked.marks if mark.verdict not in COUNTS}
    found = {(each.first.id, each.made_in[0], each.idea.key) for each in marked.diagnosis}
    alone = all(each.rival is None and len(each.matrices) == 1 for each in marked.diagnosis)
    wanted = {(matrix, matrix, idea.key) for matrix, idea in ideas.items()}
    return marked.other is None and alone and failing == set(ideas) and found == wanted
