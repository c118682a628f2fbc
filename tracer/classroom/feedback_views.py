"""What the feedback page shows: the board with a sign at each answer, and for each mistake its working."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from tracer.classroom.diagnosed import explained
from tracer.classroom.findings import SIGNS, Reveal, expected, findings, named, place, printable
from tracer.classroom.own_numbers import OwnNumbers
from tracer.expression import scalar as s
from tracer.expression.label import label_mathml, label_text
from tracer.expression.mathml import cell_mathml_terms, matrix_mathml
from tracer.expression.text import value_text
from tracer.judging.marking import MarkedSheet
from tracer.judging.verdicts import COUNTS, Mark
from tracer.page.tables import axes
from tracer.page.views import math
from tracer.presentation.board import SLOTS, kept_columns, kept_rows, lay_out
from tracer.presentation.headings import detail
from tracer.presentation.theme import Theme
from tracer.worksheet.told import title_over, words_of

MOST_OPEN = 12  # mistakes that are seen at once; more would bury the first
MOST_ALIKE = 40  # further cells of one mistake that are listed
LONGEST_ANSWER = 14  # characters of an answer on the board


@dataclass(frozen=True)
class AnswerView:
    """An answer on the board; `link` is the mistake that it belongs to."""

    text: str
    kind: str
    sign: str
    aloud: str
    link: str = ""
    start: bool = False


@dataclass(frozen=True)
class AnswerTable:
    name: Markup
    words: str
    detail: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[AnswerView | None, ...]], ...]  # None: left out of the table


@dataclass(frozen=True)
class AnswerBand:
    """A layer's matrices: parameters, Z and what lies under it, A and what lies under it."""

    title: str
    stacks: tuple[tuple[AnswerTable, ...], ...]


@dataclass(frozen=True)
class AlikeView:
    """Another cell of a mistake: what was written there, and its working."""

    words: str
    lines: tuple[Markup, ...]


@dataclass(frozen=True)
class FindingView:
    """A mistake: where, what was written, why, and the first cell's working, unless that stands above."""

    anchor: str
    title: str
    sign: str
    verdict: str
    written: str
    says: tuple[str, ...]
    expected: str
    on_own: str
    alike: tuple[AlikeView, ...]
    more: int
    formula: Markup | None
    lines: tuple[Markup, ...]


@dataclass(frozen=True)
class DiagnosedView:
    """A misconception: where it shows, what a tutor says, and its first cell worked in the learner's own numbers."""

    title: str
    says: str
    rival: str
    link: str
    formula: Markup | None
    lines: tuple[Markup, ...]


@dataclass(frozen=True)
class StepPoints:
    """A step's points and how many there are, and those of its matrices."""

    title: str
    earned: float
    out_of: float
    matrices: tuple[tuple[Markup, float, float], ...]


class FeedbackViews:
    """The views of one marked sheet, in the language of a theme."""

    def __init__(self, marked: MarkedSheet, reveal: Reveal, theme: Theme) -> None:
        self.marked, self.reveal, self.theme = marked, reveal, theme
        self.notation = theme.notation
        self.own = OwnNumbers(marked, reveal, self.notation)
        self.one, self.program, self.headings = self.own.one, self.own.program, self.own.headings
        self.problem = self.own.trace.problem
        self.listed = findings(marked, reveal, theme)
        self.anchors = {
            (mark.id, mark.row, mark.column): f"look-{k}"
            for k, each in enumerate(self.listed, 1)
            for mark in each.marks
        }

    # The mistakes

    def explained(self) -> Iterator[DiagnosedView]:
        """The misconceptions, each with its first cell worked; `link` is the mistake that this cell belongs to."""
        for each in explained(self.marked, self.reveal, self.theme):
            link = self.anchors[each.first.id, each.first.row, each.first.column]
            formula, lines = self._formula(each.first.id), tuple(self._lines(each.first))
            yield DiagnosedView(each.title, each.says, each.rival, link, formula, lines)

    def findings(self) -> Iterator[FindingView]:
        for k, each in enumerate(self.listed, 1):
            first = each.first
            reveals = self.reveal != "none"
            worked = reveals and all(first is not found.first for found in self.marked.diagnosis)  # else it was above
            yield FindingView(
                anchor=f"look-{k}",
                title=each.title,
                sign=SIGNS[first.verdict],
                verdict=named(first.verdict, self.theme),
                written=printable(first.answer),
                says=each.says,
                expected=expected(self.marked, first, self.theme) if self.reveal == "key" else "",
                on_own=self._on_own(first) if self.reveal == "key" else "",
                alike=tuple(self._alike(mark, reveals) for mark in each.marks[1 : MOST_ALIKE + 1]),
                more=max(0, len(each.marks) - MOST_ALIKE - 1),
                formula=self._formula(first.id) if worked else None,
                lines=tuple(self._lines(first)) if worked else (),
            )

    def _on_own(self, mark: Mark) -> str:
        """What the right rule gives on the learner's own numbers, where it is not the expected number."""
        rule = self.own.rule(mark)
        if rule is None or mark.on_own_work == mark.expected:
            return ""
        text = self.theme.number(value_text(self.own.work(mark, rule).result))
        return text if text != expected(self.marked, mark, self.theme) else ""

    def _alike(self, mark: Mark, reveals: bool) -> AlikeView:
        cell, answer = place(self.marked, mark), printable(mark.answer)
        words = self.theme.say("report.alike", cell=cell, answer=answer)
        if self.reveal == "key":
            right = expected(self.marked, mark, self.theme)
            words = self.theme.say("report.alike_expected", cell=cell, answer=answer, right=right)
        return AlikeView(words, tuple(self._lines(mark)) if reveals else ())

    def _formula(self, identifier: str) -> Markup | None:
        expression = self.program.assignments[identifier].expression
        if expression is None:
            return None
        right = matrix_mathml(expression, self._matrix_name, self.notation)
        return math(f"{self._matrix_name(identifier)}<mo>=</mo>{right}")

    def _lines(self, mark: Mark) -> Iterator[Markup]:
        """A cell in letters, and with the learner's numbers put in; to the end only with the key."""
        name, parts = self._cell_name(s.Cell(mark.id, mark.row, mark.column)), list(self.own.lines(mark))
        for k, part in enumerate(parts):
            last = k == len(parts) - 1
            sign = "≈" if last and self.reveal == "key" and not self.own.is_exact(mark) else "="
            open_end = Markup(" ") + math("<mo>=</mo><mo>?</mo>") if last and k and self.reveal == "hint" else Markup()
            yield self._line("" if k else name, sign, part) + open_end

    def _matrix_name(self, identifier: str) -> str:
        names = self.headings.names
        return label_mathml(names.learning_rate() if identifier == self.program.rate else names.matrix(identifier))

    def _cell_name(self, cell: s.Cell) -> str:
        return label_mathml(self.headings.names.cell(cell.matrix, cell.row, cell.column))

    def _line(self, left: str, sign: str, right: s.Scalar) -> Markup:
        """One line, in pieces between which the browser may break it."""
        first, *others = cell_mathml_terms(right, self._cell_name, self.notation)
        return Markup(" ").join(map(math, (f"{left}<mo>{sign}</mo>{first}", *others)))

    # The board

    def bands(self) -> Iterator[AnswerBand]:
        """The layers that something was handed in of."""
        for band in lay_out(self.program).bands:
            written = [[each for each in ids if each in self.marked.sheet.written] for ids in band.stacks]
            if any(written):
                slots = [[each for ids in written[k::SLOTS] for each in ids] for k in range(SLOTS)]
                stacks = tuple(tuple(map(self._matrix, ids)) for ids in slots)
                yield AnswerBand(title_over(self.own.trace, band, self.theme), stacks)

    def _matrix(self, identifier: str) -> AnswerTable:
        rows, columns = self.marked.sheet.written[identifier].values.shape
        heading = self.headings.of(identifier, rows, columns)
        across = kept_columns(columns)
        cells = {(mark.row, mark.column): self._cell(mark) for mark in self.marked.of(identifier)}
        row_word, _ = axes(self.one.program, identifier)
        return AnswerTable(
            name=math(self._matrix_name(identifier)),
            words=f"{label_text(heading.name)}, {heading.size}",
            detail=detail(heading),
            columns=tuple("⋯" if j is None else str(j + 1) for j in across) if columns > 1 else (),
            rows=tuple(
                (
                    "⋮" if i is None else str(i + 1) if row_word and rows > 1 else "",
                    tuple(None if i is None or j is None else cells[i, j] for j in across),
                )
                for i in kept_rows(rows)
            ),
        )

    def _cell(self, mark: Mark) -> AnswerView:
        text = printable(mark.answer)
        counts = mark.verdict in COUNTS
        return AnswerView(
            text=text if len(text) <= LONGEST_ANSWER else text[: LONGEST_ANSWER - 1] + "…",
            kind="right" if mark.verdict in ("correct", "rounded") else mark.verdict,
            sign=SIGNS[mark.verdict],
            aloud=named(mark.verdict, self.theme),
            link="" if counts else self.anchors[mark.id, mark.row, mark.column],
            start=mark is self.marked.first_wrong,
        )

    # The points

    def points(self) -> Iterator[StepPoints]:
        """The steps that something is counted of."""
        for step in self.program.steps:
            counted = [each.id for each in step.assignments if each.id in self.marked.points_of]
            if counted:
                points = [self.marked.points_of[each] for each in counted]
                earned, out_of = (sum(each[k] for each in points) for k in (0, 1))
                names = (math(self._matrix_name(each)) for each in counted)
                matrices = tuple((name, *each) for name, each in zip(names, points, strict=True))
                label = step.label if step.phase is None else step.number
                title = words_of(step, self.program, self.theme).title
                yield StepPoints(f"{label} {title}", earned, out_of, matrices)
