"""What is in a notebook's views: formulas, the matrices they are about, and worked lines, as HTML and as LaTeX."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set
from dataclasses import dataclass
from typing import TypeAlias

from markupsafe import Markup

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.label import label_latex, label_mathml
from tracer.expression.latex import cell_latex, matrix_latex
from tracer.expression.lower import lower, precedents
from tracer.expression.mathml import cell_mathml, matrix_mathml
from tracer.expression.worked import Worked
from tracer.presentation.board import kept_columns, kept_rows
from tracer.presentation.headings import MARKS, Headings, detail, highlights, step_words
from tracer.presentation.palette import Highlight
from tracer.presentation.shown import shown
from tracer.program.program import Step
from tracer.program.roles import LEARNING_RATE, Assignment
from tracer.run.passes import AnyProblem, Trace

MATH_FONTS = "Cambria Math,STIX Two Math,DejaVu Math TeX Gyre,math"  # such as have a MATH table
MOST_ALIKE = 3  # Jacobians of a step that are shown; those of the other samples go likewise
MOST_BROUGHT = 12  # rows or columns that a worked cell brings into an excerpt

ChosenCells: TypeAlias = Set[tuple[int, int]]
Equation: TypeAlias = tuple[str, str, str]  # left side (or nothing), sign, right side


@dataclass(frozen=True)
class NotebookTable:
    """A matrix: what stands over it, and the text and the role of each cell."""

    id: str
    role: Highlight
    mark: str
    name: Markup
    detail: str
    rows: list[list[tuple[str, Highlight]]]


@dataclass(frozen=True)
class NotebookSection:
    """Formulas with the matrices that they are about, and the lines of a worked cell."""

    title: Markup | str
    words: str
    formulas: list[Markup]
    tables: list[NotebookTable]
    worked: list[Markup]


def displayed(equations: Iterable[Equation]) -> str:
    """Equations one under the other, between the dollar signs that a notebook looks for."""
    lines = r" \\ ".join(f"{left} &{sign} {right}" for left, sign, right in equations)
    return rf"$\displaystyle \begin{{aligned}} {lines} \end{{aligned}}$"


def told(step: Step) -> list[Assignment]:
    """The matrices of a step without those that go as others do."""
    return [each for each in step.assignments if each.sample is None or each.sample <= MOST_ALIKE]


class Sections:
    """Writes the matrices of a trace's last pass."""

    def __init__(self, trace: Trace[AnyProblem]) -> None:
        self.trace, self.one = trace, trace.last
        self.headings = Headings(trace.problem, trace.first.program)
        self.names = self.headings.names
        self.decimals = shown(trace, self.one)

    def made(self, identifier: str) -> Assignment:
        """How a matrix is made; the learning rate, which no step assigns, is given."""
        assignments = self.one.program.assignments
        return assignments.get(identifier) or Assignment(identifier, self.one[identifier].shape, None, *LEARNING_RATE)

    def step(self, step: Step) -> NotebookSection:
        """A step's matrices behind those that they are computed from."""
        title, words = step_words(self.trace, self.one, step)
        active = [each.id for each in told(step)]
        inputs = [each for each, role in highlights(self.one.program, step).items() if role == "input"]
        if len(active) < len(step.assignments):
            words += f" The Jacobians of the other {len(step.assignments) - len(active)} samples go likewise."
        tables = [*(self._table(each, "input") for each in inputs), *(self._table(each, "active") for each in active)]
        return NotebookSection(f"Step {step.label} · {title}", words, self.formulas(step), tables, [])

    def formulas(self, step: Step) -> list[Markup]:
        """The formulas of a step in letters."""
        return [self._formula(each.id, each.expression) for each in told(step) if each.expression is not None]

    def matrix(self, identifier: str) -> NotebookSection:
        """A matrix behind those that it is computed from."""
        expression = self.made(identifier).expression
        inputs = [] if expression is None else list(dict.fromkeys(each.name for each in traversal.symbols(expression)))
        formulas = [] if expression is None else [self._formula(identifier, expression)]
        role: Highlight = "active" if formulas else "plain"
        tables = [*(self._table(each, "input") for each in inputs), self._table(identifier, role)]
        return NotebookSection("", "" if formulas else "Given.", formulas, tables, [])

    def cell(self, identifier: str, row: int, column: int) -> NotebookSection:
        """One cell worked out, with every cell that it is computed from."""
        expression = self.made(identifier).expression
        title = _math(self._cell_name(s.Cell(identifier, row, column)))
        if expression is None:
            number = cell_mathml(self._value(identifier, row, column), self._cell_name)
            return NotebookSection(title, "Given.", [], [], [_math(f"<mo>=</mo>{number}")])
        scalar = lower(expression, row, column)
        cells: dict[str, set[tuple[int, int]]] = {}
        for each in precedents(scalar):
            cells.setdefault(each.matrix, set()).add((each.row, each.column))
        tables = [self._table(each, "input", places) for each, places in cells.items()]
        worked = self.decimals.work(self.one, identifier, scalar)
        lines = [_math(f"<mo>{sign}</mo>{cell_mathml(side, self._cell_name)}") for sign, side in _sides(worked)]
        return NotebookSection(title, "", [], [*tables, self._table(identifier, "active", {(row, column)})], lines)

    def equations(self, made: Assignment) -> Iterator[Equation]:
        """A matrix in LaTeX: its formula, where it has one, and its values."""
        name = label_latex(self.names.matrix(made.id))
        if made.expression is not None:
            yield name, "=", matrix_latex(made.expression, lambda each: label_latex(self.names.matrix(each)))
            name = ""
        yield name, "=", self._values_latex(made.id)

    def worked_equations(self, identifier: str, row: int, column: int) -> Iterator[Equation]:
        """A cell in LaTeX: its letters, the numbers put in, each stage and the result."""
        name, expression = self._cell_latex(s.Cell(identifier, row, column)), self.made(identifier).expression
        if expression is None:
            yield name, "=", self._number(identifier, row, column)
            return
        for sign, side in _sides(self.decimals.work(self.one, identifier, lower(expression, row, column))):
            yield name, sign.replace("≈", r"\approx"), cell_latex(side, self._cell_latex)
            name = ""

    def _matrix_name(self, identifier: str) -> str:
        return label_mathml(self.names.matrix(identifier))

    def _cell_name(self, cell: s.Cell) -> str:
        return label_mathml(self.names.cell(cell.matrix, cell.row, cell.column))

    def _cell_latex(self, cell: s.Cell) -> str:
        return label_latex(self.names.cell(cell.matrix, cell.row, cell.column))

    def _formula(self, identifier: str, expression: m.Matrix) -> Markup:
        right = matrix_mathml(expression, self._matrix_name)
        return _math(f"{self._matrix_name(identifier)}<mo>=</mo>{right}")

    def _values_latex(self, identifier: str) -> str:
        """The values as they are shown; dots stand for what an excerpt leaves out."""
        rows, columns = (
            kept(count) for kept, count in zip((kept_rows, kept_columns), self.one[identifier].shape, strict=True)
        )
        lines = [[self._number(identifier, row, column) for column in columns] for row in rows]
        text = r" \\ ".join(" & ".join(line) for line in lines)
        return rf"\left[\begin{{array}}{{{'r' * len(columns)}}} {text} \end{{array}}\right]"

    def _number(self, identifier: str, row: int | None, column: int | None) -> str:
        if row is None or column is None:
            return r"\vdots" if column is not None else r"\cdots"
        return cell_latex(self._value(identifier, row, column), self._cell_latex)

    def _value(self, identifier: str, row: int, column: int) -> s.Value:
        return s.Value(float(self.one[identifier][row, column]), self.decimals.decimals[identifier])

    def _table(self, identifier: str, role: Highlight, cells: ChosenCells | None = None) -> NotebookTable:
        """A matrix in which all cells, or these, have a role; they are in the excerpt where they are not too many."""
        values = self.one[identifier]
        heading = self.headings.of(identifier, *values.shape)
        rows, columns = (
            _with(kept(count), {place[axis] for place in cells or ()})
            for axis, (kept, count) in enumerate(zip((kept_rows, kept_columns), values.shape, strict=True))
        )

        def cell(row: int | None, column: int | None) -> tuple[str, Highlight]:
            if row is None or column is None:
                return ("⋮" if column is not None else "⋯"), "plain"
            text = self.decimals.text(identifier, float(values[row, column]))
            return text, role if cells is None or (row, column) in cells else "plain"

        return NotebookTable(
            id=identifier,
            role=role,
            mark=MARKS[role],
            name=_math(label_mathml(heading.name)),
            detail=detail(heading),
            rows=[[cell(row, column) for column in columns] for row in rows],
        )


def _with(kept: list[int | None], wanted: Collection[int]) -> list[int | None]:
    """The indices of an excerpt with some more, in order; None stands for those left out."""
    indices = {index for index in kept if index is not None}
    if not indices.issuperset(wanted) and len(wanted) <= MOST_BROUGHT:
        indices.update(wanted)
    order = sorted(indices)
    gaps = [after is not None and after > index + 1 for index, after in zip(order, [*order[1:], None], strict=True)]
    return [each for index, gap in zip(order, gaps, strict=True) for each in ((index, None) if gap else (index,))]


def _sides(worked: Worked) -> Iterator[tuple[str, s.Scalar]]:
    """What a cell equals, one after the other, each with its sign."""
    for side in (worked.letters, *worked.stages):
        yield "=", side
    yield "=" if worked.exact else "≈", worked.result


def _math(content: str) -> Markup:
    """Our own markup, in which every name is escaped."""
    return Markup(f"<math displaystyle='true' style='font-family:{MATH_FONTS}'>{content}</math>")
