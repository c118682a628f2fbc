"""What the feedback page shows: the board with a sign at each answer, and for each mistake its working."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from tracer.classroom.findings import SIGNS, Reveal, entry_of, expected, findings, named, place, printable
from tracer.expression import scalar as s
from tracer.expression.label import label_mathml, label_text
from tracer.expression.lower import lower
from tracer.expression.mathml import cell_mathml_terms, matrix_mathml
from tracer.expression.text import value_text
from tracer.expression.worked import Worked, work
from tracer.judging.marking import MarkedSheet
from tracer.judging.own_work import key_shown, own_trace
from tracer.judging.verdicts import COUNTS, Mark
from tracer.page.tables import axes
from tracer.page.views import math
from tracer.presentation.board import SLOTS, kept_columns, kept_rows, lay_out
from tracer.presentation.headings import Headings, band_title, detail
from tracer.presentation.shown import DEFAULT

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
    """A mistake: where, what was written, why, and the first cell's working in the learner's own numbers."""

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
class StepPoints:
    """A step's points and how many there are, and those of its matrices."""

    title: str
    earned: float
    out_of: float
    matrices: tuple[tuple[Markup, float, float], ...]


class FeedbackViews:
    """The views of one marked sheet."""

    def __init__(self, marked: MarkedSheet, reveal: Reveal) -> None:
        self.marked, self.reveal = marked, reveal
        self.trace = own_trace(marked.sheet)
        self.one, self.problem = self.trace.first, self.trace.problem
        self.program = marked.sheet.key.program
        self.headings = Headings(self.problem, self.program)
        self.shown = key_shown(marked.sheet.key)
        self.listed = findings(marked, reveal)
        self.anchors = {
            (mark.id, mark.row, mark.column): f"look-{k}"
            for k, each in enumerate(self.listed, 1)
            for mark in each.marks
        }

    # The mistakes

    def findings(self) -> Iterator[FindingView]:
        for k, each in enumerate(self.listed, 1):
            first = each.first
            reveals = self.reveal != "none"
            yield FindingView(
                anchor=f"look-{k}",
                title=each.title,
                sign=SIGNS[first.verdict],
                verdict=named(first.verdict),
                written=printable(first.answer),
                says=each.says,
                expected=expected(self.marked, first) if self.reveal == "key" else "",
                on_own=self._on_own(first) if self.reveal == "key" else "",
                alike=tuple(self._alike(mark, reveals) for mark in each.marks[1 : MOST_ALIKE + 1]),
                more=max(0, len(each.marks) - MOST_ALIKE - 1),
                formula=self._formula(first.id) if reveals else None,
                lines=tuple(self._lines(first)) if reveals else (),
            )

    def _on_own(self, mark: Mark) -> str:
        """What the right rule gives on the learner's own numbers, where it is not the expected number."""
        expression = self.program.assignments[mark.id].expression
        if expression is None or mark.on_own_work == mark.expected:
            return ""
        text = value_text(self._work(mark, lower(expression, mark.row, mark.column)).result)
        return text if text != expected(self.marked, mark) else ""

    def _alike(self, mark: Mark, reveals: bool) -> AlikeView:
        right = f", expected {expected(self.marked, mark)}" if self.reveal == "key" else ""
        words = f"{place(self.marked, mark)} {printable(mark.answer)}{right}"
        return AlikeView(words, tuple(self._lines(mark)) if reveals else ())

    def _formula(self, identifier: str) -> Markup | None:
        expression = self.program.assignments[identifier].expression
        if expression is None:
            return None
        return math(f"{self._matrix_name(identifier)}<mo>=</mo>{matrix_mathml(expression, self._matrix_name)}")

    def _lines(self, mark: Mark) -> Iterator[Markup]:
        """A cell in letters, and with the learner's numbers put in; to the end only with the key."""
        expression = self.program.assignments[mark.id].expression
        if expression is None:
            return
        worked = self._work(mark, lower(expression, mark.row, mark.column))
        yield self._line(self._cell_name(s.Cell(mark.id, mark.row, mark.column)), "=", worked.letters)
        if self.reveal == "key":
            yield from (self._line("", "=", stage) for stage in worked.stages)
            yield self._line("", "=" if worked.exact else "≈", worked.result)
        elif not isinstance(numbers := self._put_in(worked.letters), s.Value | s.Number | s.Cell):
            yield self._line("", "=", numbers) + Markup(" ") + math("<mo>=</mo><mo>?</mo>")

    def _work(self, mark: Mark, expression: s.Scalar) -> Worked:
        entry = entry_of(self.marked, mark)
        decimals = self.shown.decimals[mark.id]
        return work(expression, self._value, max(DEFAULT if decimals is None else decimals, entry.decimals or 0))

    def _value(self, cell: s.Cell) -> s.Value:
        """A number as the learner wrote it, or as it follows from their work."""
        value, decimals = float(self.one[cell.matrix][cell.row, cell.column]), self.shown.decimals[cell.matrix]
        if not self._is_own(cell):
            return s.Value(value, decimals)
        entry = self.marked.sheet.written[cell.matrix].entries[cell.row][cell.column]
        return s.Value(value, None if entry.decimals is None else min(max(entry.decimals, 0), 15))

    def _is_own(self, cell: s.Cell) -> bool:
        written = self.marked.sheet.written.get(cell.matrix)
        return written is not None and bool(written.present[cell.row, cell.column])

    def _put_in(self, expression: s.Scalar) -> s.Scalar:
        """The numbers that are given or the learner's own; the name stays of a cell that is still to be found."""
        if isinstance(expression, s.Cell):
            known = expression.matrix in self.program.inputs or self._is_own(expression)
            return self._value(expression) if known else expression
        parts = s.children(expression)
        return s.rebuild(expression, tuple(map(self._put_in, parts))) if parts else expression

    def _matrix_name(self, identifier: str) -> str:
        names = self.headings.names
        return label_mathml(names.learning_rate() if identifier == self.program.rate else names.matrix(identifier))

    def _cell_name(self, cell: s.Cell) -> str:
        return label_mathml(self.headings.names.cell(cell.matrix, cell.row, cell.column))

    def _line(self, left: str, sign: str, right: s.Scalar) -> Markup:
        """One line, in pieces between which the browser may break it."""
        first, *others = cell_mathml_terms(right, self._cell_name)
        return Markup(" ").join(map(math, (f"{left}<mo>{sign}</mo>{first}", *others)))

    # The board

    def bands(self) -> Iterator[AnswerBand]:
        """The layers that something was handed in of."""
        for band in lay_out(self.program).bands:
            written = [[each for each in ids if each in self.marked.sheet.written] for ids in band.stacks]
            if any(written):
                slots = [[each for ids in written[k::SLOTS] for each in ids] for k in range(SLOTS)]
                stacks = tuple(tuple(map(self._matrix, ids)) for ids in slots)
                yield AnswerBand(band_title(self.problem, band, self.one), stacks)

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
            aloud=named(mark.verdict),
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
                yield StepPoints(f"{step.label} {step.title}", earned, out_of, matrices)
