"""Sheets with planted slips, for the tests of their pages and workbooks."""

import json
from dataclasses import dataclass

from tracer.answers.reading import read_content
from tracer.expression.label import label_text
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.judging.tutor import tutor
from tracer.presentation.theme import Theme, theme_of
from tracer.problem.reading import load_any
from tracer.run.passes import AnyProblem, Trace
from tracer.run.training import trace
from tracer.variation.draws import Draws
from tracer.worksheet.plan import Plan, make_plan
from tracer.worksheet.planting import Planted, plant
from tracer.worksheet.slips import WrongRuleOf

Cell = tuple[str, int, int]


@dataclass(frozen=True)
class FindSheet:
    run: Trace[AnyProblem]
    plan: Plan
    planted: Planted

    def says(self, identifier: str, theme: Theme | None = None) -> str:
        """The right choice for a matrix with a slip."""
        return self._told(identifier, self.planted.slips[identifier], theme or theme_of())

    def choices(self, identifier: str) -> list[str]:
        """What there is to choose from for a matrix, in English."""
        return [self._told(identifier, each, theme_of()) for each in self.planted.choices[identifier]]

    def _told(self, identifier: str, rule: WrongRuleOf, theme: Theme) -> str:
        return tutor(self.planted.work, rule.idea, (identifier, 0, 0), theme=theme)

    def verdicts(self) -> dict[Cell, str]:
        """What the judge says of each printed cell."""
        return {(mark.id, mark.row, mark.column): mark.verdict for mark in marked(self.planted).marks}

    def wrong(self, identifier: str) -> Cell:
        """The first cell of a matrix in which its rule was broken."""
        return next(cell for cell, verdict in self.verdicts().items() if cell[0] == identifier and verdict == "slip")

    def right(self, cell: Cell) -> str:
        """The number that belongs in a cell, to the digits that are asked for."""
        key, (name, row, column) = self.planted.key, cell
        return f"{key.values[name][row, column]:.{key.asked[name]}f}"

    def called(self, identifier: str) -> str:
        return label_text(self.planted.key.names.matrix(identifier))


def marked(planted: Planted) -> MarkedSheet:
    """The sheet handed in as it is printed."""
    document = {each: planted.texts(each) for each in planted.values}
    return mark_answers(read_content("sheet.json", json.dumps(document).encode()), Conventions(planted.key))


def find_sheet(name: str, slips: int = 2, seed: str = "5") -> FindSheet:
    problem = load_any(name)
    run = trace(problem)
    plan = make_plan(problem, run.by_hand().first.program, "find")
    return FindSheet(run, plan, plant(problem, plan, slips, Draws(seed).shuffled))
