"""The page: every step with its formulas, the board, and one cell of each matrix worked out.

One file without a request to anywhere. It can be read without scripts; its script steps through it,
works out any cell and recalculates (page_script.py). Large matrices are cut in the middle; the
workbook and the saved trace have all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup, escape

from tracer.board import Board, lay_out
from tracer.export.headings import Headings, Role, anchor_prefix, band_title, place_of, roles, step_words
from tracer.export.network_svg import network_svg
from tracer.export.page_script import page_script
from tracer.export.page_tables import axes, table_body
from tracer.export.palette import ACTIVE_MARK, INPUT_MARK, LEGEND
from tracer.export.templates import environment
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.digits import fixed
from tracer.expression.label import label_mathml, label_text
from tracer.expression.lower import lower
from tracer.expression.mathml import cell_mathml_terms, matrix_mathml
from tracer.expression.transposed import transposed
from tracer.expression.worked import Worked
from tracer.files import replace_file
from tracer.network.blackboard import RATE
from tracer.network.program import Assignment, Step
from tracer.network.remarks import conventions, departures
from tracer.shown import Shown, shown
from tracer.trace import Pass, Trace

MOST_JACOBIANS = 3  # that are worked out; those of the other samples go likewise
MARKS = {"active": ACTIVE_MARK, "input": INPUT_MARK, "plain": ""}
SPOKEN = {"active": "computed in this step", "input": "computed from", "plain": ""}


@dataclass(frozen=True)
class MatrixView:
    """A matrix on the board; `rows` is its table body, or None while it is not known."""

    id: str
    role: Role
    mark: str
    spoken: str
    name: Markup
    detail: Markup
    rows: Markup | None


@dataclass(frozen=True)
class WorkedView:
    """One cell worked out: what it is called, and its lines from letters to result."""

    id: str
    lines: tuple[Markup, ...]
    exact: bool


@dataclass(frozen=True)
class Story:
    """A parameter that the epoch changes, to be followed: what it is called, before and after."""

    cell: str
    name: Markup
    before: str
    after: str


@dataclass(frozen=True)
class StepView:
    anchor: str
    label: str
    title: str
    why: str
    formulas: tuple[tuple[Markup, Markup | None], ...]  # with samples as rows, and as columns
    active: str
    inputs: str
    bands: tuple[tuple[str, tuple[tuple[MatrixView, ...], ...]], ...]
    worked: tuple[WorkedView, ...]
    likewise: str


def write_page(trace: Trace, path: Path) -> None:
    """Write the page of a trace. Raises ExportError where `path` cannot be written."""
    text = render_page(trace)
    replace_file(path, lambda file: file.write(text.encode()))


def render_page(trace: Trace) -> str:
    """The page as HTML."""
    problem = trace.problem
    views = [_PassViews(trace, one) for one in trace.passes]
    script = page_script(trace)
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            problem=problem,
            sizes="→".join(map(str, problem.sizes)),
            before=trace.before,
            after=trace.after,
            passes=[(view.place, list(view.steps())) for view in views],
            story=_story(trace),
            network=network_svg(problem, trace.first),
            script=script,
            legend=LEGEND,
            conventions=conventions(problem),
            departures=departures(problem),
        )
    )


class _PassViews:
    """The views of one pass."""

    def __init__(self, trace: Trace, one: Pass) -> None:
        self.trace, self.one = trace, one
        self.headings = Headings(trace.problem)
        self.names = self.headings.names
        self.board: Board = lay_out(one.program)
        self.decimals: Shown = shown(trace, one)
        self.place = place_of(trace, one)
        self.prefix = anchor_prefix(trace, one)
        depth = trace.problem.depth
        self.bodies = {
            identifier: table_body(one, self.decimals, place, axes(identifier, depth))
            for identifier, place in self.board.places.items()
        }

    def steps(self) -> Iterator[StepView]:
        for step in self.one.steps:
            made = [each for each in step.assignments if each.expression is not None and not _likewise(each.id)]
            title, why = step_words(self.trace, self.one, step)
            known = roles(self.one.program, step)
            yield StepView(
                anchor=f"{self.prefix}step-{step.label}",
                label=step.label,
                title=title,
                why=why,
                formulas=tuple(map(self._formula, made)),
                active=" ".join(each for each, role in known.items() if role == "active"),
                inputs=" ".join(each for each, role in known.items() if role == "input"),
                bands=tuple(self._bands(step)),
                worked=tuple(map(self._worked, made)),
                likewise=", ".join(each.id for each in step.assignments if _likewise(each.id)),
            )

    def _matrix_name(self, identifier: str) -> str:
        """The name of a matrix, marked so that the script can write it in another style."""
        name = self.names.learning_rate() if identifier == RATE else self.names.matrix(identifier)
        return f'<mrow data-name="{identifier}">{label_mathml(name)}</mrow>'

    def _cell_name(self, cell: s.Cell) -> str:
        return label_mathml(self.headings.symbols.cell(cell.matrix, cell.row, cell.column))

    def _formula(self, made: Assignment) -> tuple[Markup, Markup | None]:
        assert made.expression is not None
        turned = transposed(made.expression)
        return self._equation(made.id, made.expression), None if turned is None else self._equation(made.id, turned)

    def _equation(self, identifier: str, expression: m.Matrix) -> Markup:
        return _math(f"{self._matrix_name(identifier)}<mo>=</mo>{matrix_mathml(expression, self._matrix_name)}")

    def _bands(self, step: Step) -> Iterator[tuple[str, tuple[tuple[MatrixView, ...], ...]]]:
        known = roles(self.one.program, step)
        for band in self.board.bands:
            shown_ids = (tuple(each for each in ids if each in known or each[0] != "J") for ids in band.stacks)
            stacks = tuple(tuple(self._view(each, known) for each in ids) for ids in shown_ids)
            yield band_title(self.trace.problem, band.layer, self.one), stacks

    def _view(self, identifier: str, known: dict[str, Role]) -> MatrixView:
        place = self.board.places[identifier]
        heading = self.headings.of(identifier, place.rows, place.columns)
        role = known.get(identifier, "plain")
        symbol = heading.symbol if heading.symbol != label_text(heading.name) else ""
        fraction = Markup() if heading.fraction is None else _math(label_mathml(heading.fraction))
        parts = [part for part in (escape(symbol), fraction, escape(heading.size)) if part]
        return MatrixView(
            id=identifier,
            role=role,
            mark=MARKS[role],
            spoken=SPOKEN[role],
            name=_math(self._matrix_name(identifier)),
            detail=Markup(" · ").join(parts),
            rows=self.bodies[identifier] if identifier in known else None,
        )

    def _worked(self, made: Assignment) -> WorkedView:
        assert made.expression is not None
        worked = self.decimals.work(self.one, made.id, lower(made.expression, 0, 0))
        return WorkedView(made.id, tuple(self._lines(made.id, worked)), worked.exact)

    def _lines(self, identifier: str, worked: Worked) -> Iterator[Markup]:
        yield self._line(self._cell_name(s.Cell(identifier, 0, 0)), "=", worked.letters)
        for stage in worked.stages:
            yield self._line("", "=", stage)
        yield self._line("", "=" if worked.exact else "≈", worked.result)

    def _line(self, left: str, sign: str, right: s.Scalar) -> Markup:
        """One line, in pieces between which the browser may break it."""
        first, *others = cell_mathml_terms(right, self._cell_name)
        return Markup(" ").join(map(_math, (f"{left}<mo>{sign}</mo>{first}", *others)))


def _likewise(identifier: str) -> bool:
    """Whether a matrix goes as others do that are shown: the Jacobian of a later sample."""
    return identifier[0] == "J" and int(identifier[1:]) > MOST_JACOBIANS


def _story(trace: Trace) -> Story:
    """The weight of the last layer that the first pass changes most."""
    one, names = trace.first, Headings(trace.problem).symbols
    identifier = f"W{trace.problem.depth}"
    change = np.abs(one[f"{identifier}_next"] - one[identifier])
    row, column = (int(index) for index in np.unravel_index(change.argmax(), change.shape))
    decimals = shown(trace, one)
    before, after = (float(one[each][row, column]) for each in (identifier, f"{identifier}_next"))
    places = decimals.decimals[f"{identifier}_next"] or 0
    return Story(
        cell=f"{identifier}-{row + 1}-{column + 1}",
        name=_math(label_mathml(names.cell(identifier, row, column))),
        before=fixed(before, places),
        after=fixed(after, places),
    )


def _math(content: str) -> Markup:
    """Our own markup, in which every name is escaped."""
    return Markup(f"<math>{content}</math>")
