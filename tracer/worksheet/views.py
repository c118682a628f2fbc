"""What a worksheet shows of each step: its formulas, its matrices cell by cell, examples, a question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from markupsafe import Markup, escape

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.label import label_mathml, label_text
from tracer.expression.mathml import matrix_mathml
from tracer.page.tables import axes
from tracer.page.views import math
from tracer.presentation.headings import Headings
from tracer.presentation.shown import Shown, asked, shown
from tracer.presentation.theme import Theme
from tracer.program.naming_policy import RATE
from tracer.program.program import Step
from tracer.program.roles import Assignment
from tracer.run.passes import AnyProblem, Pass, Trace
from tracer.worksheet.checks import Check, checks
from tracer.worksheet.examples import Example, Examples, cell_key
from tracer.worksheet.plan import Plan
from tracer.worksheet.planting import Planted
from tracer.worksheet.told import all_words

CellKind: TypeAlias = Literal["box", "fixed", "planted"]

HEADING, BOX, PRINTED, LEAST = 11, 18, 9, 50  # mm on paper: of a row's heading and gap, a box, a number, a step


@dataclass(frozen=True)
class WorksheetCell:
    """A cell: a box to fill in, a number that stands there, or one of a sheet with planted slips, to be marked."""

    key: str
    kind: CellKind
    aria: str
    text: str = ""


@dataclass(frozen=True)
class WorksheetMatrix:
    id: str
    name: Markup
    words: str
    details: tuple[Markup, ...]
    shape: m.Shape
    computed: bool
    asked: bool
    corner: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]  # heading and what it is called aloud
    rows: tuple[tuple[tuple[str, str], tuple[WorksheetCell, ...]], ...]
    examples: tuple[Example, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class WorksheetStep:
    label: str
    anchor: str
    title: str
    words: str
    why: str
    formulas: tuple[Markup, ...]
    matrices: tuple[WorksheetMatrix, ...]
    predict: str
    question: str
    predict_answer: str  # on the key
    question_answer: str
    forward: bool  # whether the error is still to come: these steps take the most reckoning

    @property
    def across(self) -> int:
        """How wide its matrices are side by side on paper, in mm."""
        widths = (HEADING + matrix.shape[1] * (BOX if matrix.asked else PRINTED) for matrix in self.matrices)
        return max(LEAST, sum(widths))

    @property
    def asks(self) -> bool:
        """Whether there is something to fill in."""
        return any(matrix.asked for matrix in self.matrices)


class WorksheetViews:
    """The views of one pass; `key` fills in every box, `planted` has the numbers of a sheet with slips."""

    def __init__(
        self, trace: Trace[AnyProblem], one: Pass, plan: Plan, key: bool, theme: Theme, planted: Planted | None = None
    ) -> None:
        self.trace, self.one, self.plan, self.key, self.theme = trace, one, plan, key, theme
        self.planted = None if key else planted
        self.notation = theme.notation
        first = one.program.first_backward
        self.forward = one.steps[: one.steps.index(first)]
        self.headings = Headings(trace.problem, trace.first.program)
        self.decimals: Shown = shown(trace, one)
        self.places = asked(trace, one)
        self.words = all_words(one.program, theme)
        self.examples = Examples(one, plan, key, theme, self.headings, self.decimals)

    def steps(self) -> Iterator[WorksheetStep]:
        """The steps that have something on the sheet."""
        for step in self.one.steps:
            on_sheet = [each for each in step.assignments if self.plan.shows(each.id, self.one.program)]
            if on_sheet:
                yield self._step(step, on_sheet)

    def rate(self) -> str:
        """The learning rate as it was typed."""
        return self.notation.number(self.decimals.text(RATE, float(self.one[RATE].item())))

    def _step(self, step: Step, on_sheet: list[Assignment]) -> WorksheetStep:
        asks = not self.plan.finds and any(each.id in self.plan.blank for each in on_sheet)
        words = self.words[step.label]
        return WorksheetStep(
            label=words.label,
            anchor=words.anchor,
            title=words.title,
            words=words.words,
            why=words.why,
            formulas=tuple(self._formula(each) for each in on_sheet if each.expression is not None),
            matrices=tuple(map(self._matrix, on_sheet)),
            predict=words.predict if asks else "",
            question=words.question if asks else "",
            predict_answer=words.predict_answer if asks and self.key else "",
            question_answer=words.question_answer if asks and self.key else "",
            forward=step in self.forward,
        )

    def _matrix_name(self, identifier: str) -> str:
        names = self.headings.names
        return label_mathml(names.learning_rate() if identifier == RATE else names.matrix(identifier))

    def _formula(self, made: Assignment) -> Markup:
        assert made.expression is not None  # given matrices have no formula
        right = matrix_mathml(made.expression, self._matrix_name, self.notation)
        # in two pieces, between which a narrow window may break it
        return math(self._matrix_name(made.id)) + Markup("<wbr>") + math(f'<mo form="infix">=</mo>{right}')

    def _matrix(self, made: Assignment) -> WorksheetMatrix:
        heading = self.headings.of(made.id, *made.shape)
        words = label_text(heading.name)
        asked = made.id in self.plan.blank
        down, across = self._axes(made.id)
        return WorksheetMatrix(
            id=made.id,
            name=math(f"<mrow>{self._matrix_name(made.id)}</mrow>"),
            words=words,
            details=self._details(made, words, asked),
            shape=made.shape,
            computed=made.expression is not None,
            asked=asked,
            corner=tuple(part for part in (down and f"{down} ↓", across and f"{across} →") if part),
            columns=_headings(across, made.shape[1]),
            rows=tuple(
                (name, tuple(self._cell(made, words, (row, column)) for column in range(made.shape[1])))
                for row, name in enumerate(_headings(down, made.shape[0]))
            ),
            examples=tuple(self.examples.of(made)) if made.expression is not None else (),
            checks=tuple(self._checks(made)) if asked and not self.key and not self.plan.finds else (),
        )

    def _checks(self, made: Assignment) -> Iterator[Check]:
        return checks(made, self.trace, self.one, self.plan, self.decimals, self.theme)

    def _axes(self, identifier: str) -> tuple[str, str]:
        """What its rows and columns stand for, in the sheet's language."""
        words = axes(self.one.program, identifier)
        if not self.one.program.by_layers:  # where nothing is said but "row" and "column"
            rows, columns = self.one.program.assignments[identifier].shape
            words = (words[0] if rows > 1 else "", words[1] if columns > 1 else "")
        down, across = (word and self.theme.say(f"axis.{word.replace(' ', '_')}") for word in words)
        return down, across

    def _details(self, made: Assignment, words: str, asked: bool) -> tuple[Markup, ...]:
        """The second line of a heading: symbol, how many decimals are asked for, derivative and shape."""
        heading = self.headings.of(made.id, *made.shape)
        rounded = self.trace.problem.carry_rounded
        parts = (
            escape(made.id if made.id != words else ""),
            escape(
                self.theme.say(f"sheet.{'rounded' if rounded else 'decimals'}", count=self.places[made.id])
                if asked and not self.key
                else ""
            ),
            Markup() if heading.fraction is None else math(label_mathml(heading.fraction)),
            Markup('<span class="size">{}</span>').format(heading.size) if heading.size else Markup(),
        )
        return tuple(part for part in parts if part)

    # Cells

    def _cell(self, made: Assignment, words: str, place: tuple[int, int]) -> WorksheetCell:
        row, column = place
        names = zip(self._axes(made.id), place, strict=True)
        aria = ", ".join([words, *(f"{word} {index + 1}" for word, index in names if word)])
        cell = s.Cell(made.id, row, column)
        if self.key or self.examples.is_known(cell):
            return WorksheetCell(cell_key(cell), "fixed", aria, self._text(cell))
        if self.planted is not None:
            text = self.planted.texts(cell.matrix)[row][column]
            return WorksheetCell(cell_key(cell), "planted", aria, self.notation.number(text))
        return WorksheetCell(cell_key(cell), "box", aria)

    def _text(self, cell: s.Cell) -> str:
        value = float(self.one[cell.matrix][cell.row, cell.column])
        return self.notation.number(self.decimals.text(cell.matrix, value))


def _headings(word: str, count: int) -> tuple[tuple[str, str], ...]:
    """The headings of rows or columns: numbers that are read out with their word, none where there is no word."""
    return tuple((str(index + 1), f"{word} {index + 1}") if word else ("", "") for index in range(count))
