"""What the page shows of each step: its formulas, the board, and one cell of each matrix worked out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from markupsafe import Markup, escape

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.label import label_mathml, label_text
from tracer.expression.lower import lower
from tracer.expression.mathml import cell_mathml_terms, matrix_mathml
from tracer.expression.transposed import transposed
from tracer.expression.worked import Worked
from tracer.page.tables import axes, table_body
from tracer.presentation.board import SLOTS, Band, Board, lay_out
from tracer.presentation.example import example_cell
from tracer.presentation.headings import (
    Headings,
    anchor_prefix,
    band_title,
    board_of,
    highlights,
    is_large,
    place_of,
    step_words,
)
from tracer.presentation.palette import ACTIVE_MARK, INPUT_MARK, Highlight
from tracer.presentation.shown import Shown, shown
from tracer.presentation.templates import macro
from tracer.program.naming_policy import RATE
from tracer.program.program import Step
from tracer.program.roles import Assignment
from tracer.run.passes import AnyProblem, Pass, Trace

BandStacks: TypeAlias = tuple[tuple[tuple[str, Highlight], ...], ...]
"""The matrices of a band, one stack beside the other, each with its role in a step."""

MOST_JACOBIANS = 3  # that are worked out; those of the other samples go likewise
MARKS = {"active": ACTIVE_MARK, "input": INPUT_MARK, "plain": ""}
ACROSS = ((84, ""), (100, "wide"))  # characters of a band whose tables keep to three columns, if the window is wide
EVERYTHING, ONLY_ITS_OWN = "Everything known so far", "What this step takes part in"  # what its board has
SPOKEN = {"active": "computed in this step", "input": "computed from", "plain": ""}


@dataclass(frozen=True)
class BoardMatrix:
    """A matrix on the board, with its name as markup and in words.

    `rows` is its table body; `across` its width in characters.
    """

    id: str
    name: Markup
    words: str
    detail: Markup
    rows: Markup
    across: float


@dataclass(frozen=True)
class WorkedCell:
    """One cell worked out: what it is called, and its lines from letters to result."""

    id: str
    row: int
    column: int
    lines: tuple[Markup, ...]
    exact: bool


@dataclass(frozen=True)
class BoardStack:
    """Tables one under the other ("" where the step knows none), and the width of the widest in characters."""

    tables: Markup
    across: int


@dataclass(frozen=True)
class PageStep:
    anchor: str
    label: str
    number: int
    way: str  # forward or backward, of a program's step; "" of the eleven
    title: str
    why: str
    formulas: tuple[tuple[str, Markup, Markup | None], ...]  # of which matrix, with samples as rows and as columns
    active: str
    inputs: str
    board: str
    bands: tuple[Markup, ...]
    worked: tuple[WorkedCell, ...]
    likewise: str


class PassViews:
    """The views of one pass."""

    def __init__(self, trace: Trace[AnyProblem], one: Pass) -> None:
        self.trace, self.one = trace, one
        self.headings = Headings(trace.problem, trace.first.program)
        self.names = self.headings.names
        self.board: Board = lay_out(one.program)
        self.decimals: Shown = shown(trace, one)
        self.place = place_of(trace, one)
        self.prefix = anchor_prefix(trace, one)
        self._tables: dict[tuple[str, Highlight], Markup] = {}
        self._written: dict[tuple[Band, BandStacks], Markup] = {}
        self._plain = {identifier: self._matrix(identifier) for identifier in self.board.places}

    def steps(self) -> Iterator[PageStep]:
        for step in self.one.steps:
            made = [each for each in step.assignments if each.expression is not None and not _likewise(each)]
            title, why = step_words(self.trace, self.one, step)
            known = highlights(self.one.program, step)
            yield PageStep(
                anchor=f"{self.prefix}step-{step.label.replace(' ', '-')}",
                label=step.label,
                number=step.number,
                way=step.phase or "",
                title=title,
                why=why,
                formulas=tuple(map(self._formula, made)),
                active=" ".join(each for each, role in known.items() if role == "active"),
                inputs=" ".join(each for each, role in known.items() if role == "input"),
                board=ONLY_ITS_OWN if is_large(self.one.program) else EVERYTHING,
                bands=tuple(self._bands(step)),
                worked=tuple(map(self._worked, made)),
                likewise=", ".join(each.id for each in step.assignments if _likewise(each)),
            )

    def _matrix_name(self, identifier: str) -> str:
        """The name of a matrix, marked so that the script can write it in another style."""
        name = self.names.learning_rate() if identifier == RATE else self.names.matrix(identifier)
        return f'<mrow data-name="{identifier}">{label_mathml(name)}</mrow>'

    def _cell_name(self, cell: s.Cell) -> str:
        return label_mathml(self.headings.names.cell(cell.matrix, cell.row, cell.column))

    def _formula(self, made: Assignment) -> tuple[str, Markup, Markup | None]:
        assert made.expression is not None
        turned = None if self.one.program.turned else transposed(made.expression)
        as_columns = None if turned is None else self._equation(made.id, turned)
        return made.id, self._equation(made.id, made.expression), as_columns

    def _equation(self, identifier: str, expression: m.Matrix) -> Markup:
        return math(f"{self._matrix_name(identifier)}<mo>=</mo>{matrix_mathml(expression, self._matrix_name)}")

    def _bands(self, step: Step) -> Iterator[Markup]:
        """The bands with what stands on a step's board: a layer's part each."""
        known = board_of(self.one.program, step)
        for band in self.board.bands:
            stacks = tuple(tuple((each, known[each]) for each in ids if each in known) for ids in band.stacks)
            if any(stacks):
                yield self._band(band, stacks)

    def _band(self, band: Band, stacks: BandStacks) -> Markup:
        """A band, written once for all steps at which it looks the same."""
        if (band, stacks) not in self._written:
            title, kind = band_title(self.trace.problem, band, self.one), self._kind(band)
            self._written[band, stacks] = macro("page_board.html.j2", "band")(title, kind, map(self._stack, stacks))
        return self._written[band, stacks]

    def _kind(self, band: Band) -> str:
        """ "wide": gradients stand under what they belong to in a wide window only; "loose": in none; "" in any."""
        slots = ([self._plain[each].across for ids in band.stacks[k::SLOTS] for each in ids] for k in range(SLOTS))
        across = sum(max(slot, default=0) for slot in slots)
        return next((kind for most, kind in ACROSS if across <= most), "loose")

    def _stack(self, matrices: Sequence[tuple[str, Highlight]]) -> BoardStack:
        across = max((self._plain[identifier].across for identifier, _ in matrices), default=0.0)
        return BoardStack(Markup("\n".join(self._table(*each) for each in matrices)), round(across))

    def _table(self, identifier: str, role: Highlight) -> Markup:
        """A matrix in one of its three roles, written once: most stand on the board of many steps."""
        if (identifier, role) not in self._tables:
            write = macro("page_board.html.j2", "table")
            self._tables[identifier, role] = write(self._plain[identifier], role, MARKS[role], SPOKEN[role])
        return self._tables[identifier, role]

    def _matrix(self, identifier: str) -> BoardMatrix:
        """A matrix as it is shown in every step that knows it; the body is the longest part of the page."""
        place = self.board.places[identifier]
        heading = self.headings.of(identifier, place.rows, place.columns)
        symbol = heading.symbol if heading.symbol != label_text(heading.name) else ""
        fraction = Markup() if heading.fraction is None else math(label_mathml(heading.fraction))
        parts = [part for part in (escape(symbol), fraction, escape(heading.size)) if part]
        body = table_body(self.one, self.decimals, place, axes(self.one.program, identifier))
        return BoardMatrix(
            id=identifier,
            name=math(self._matrix_name(identifier)),
            words=", ".join(part for part in (label_text(heading.name), symbol, heading.size) if part),
            detail=Markup(" · ").join(parts),
            rows=body.markup,
            across=max(body.across, len(label_text(heading.name)) + 2),
        )

    def _worked(self, made: Assignment) -> WorkedCell:
        assert made.expression is not None
        cell = example_cell(self.one, made.id)
        worked = self.decimals.work(self.one, made.id, lower(made.expression, cell.row, cell.column))
        return WorkedCell(made.id, cell.row, cell.column, tuple(self._lines(cell, worked)), worked.exact)

    def _lines(self, cell: s.Cell, worked: Worked) -> Iterator[Markup]:
        yield self._line(self._cell_name(cell), "=", worked.letters)
        for stage in worked.stages:
            yield self._line("", "=", stage)
        yield self._line("", "=" if worked.exact else "≈", worked.result)

    def _line(self, left: str, sign: str, right: s.Scalar) -> Markup:
        """One line, in pieces between which the browser may break it."""
        first, *others = cell_mathml_terms(right, self._cell_name)
        return Markup(" ".join(map(math, (f"{left}<mo>{sign}</mo>{first}", *others))))


def _likewise(made: Assignment) -> bool:
    """Whether a matrix goes as others do that are shown: the Jacobian of a later sample."""
    return made.sample is not None and made.sample > MOST_JACOBIANS


def math(content: str) -> Markup:
    """Our own markup, in which every name is escaped."""
    return Markup(f"<math>{content}</math>")
