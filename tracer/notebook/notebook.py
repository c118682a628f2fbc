"""What a notebook shows of a run: its overview, a step, a matrix, or one cell worked out.

`display.py` gives a trace these views; sections.py writes what is in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from uuid import uuid4

import numpy as np

from tracer.expression.arrays import Array
from tracer.notebook.sections import NotebookSection, Sections, displayed, told
from tracer.notebook.widget import page_widget, widget_of
from tracer.presentation.headings import place_of, step_words
from tracer.presentation.palette import ACTIVE, INK, INPUT, LEGEND, LINE, Highlight
from tracer.presentation.shown import size_words
from tracer.presentation.templates import environment
from tracer.problem.remarks import departures
from tracer.run.passes import AnyProblem, Trace
from tracer.run.training import trace

MOST_STEPS = 40  # in what a saved notebook keeps of a walkthrough
# Notebooks drop style sheets, so every colour stands on its element, with the colour of the text beside it;
# what has no colour of its own takes the notebook's, light or dark.
STYLES: dict[Highlight, str] = {
    "active": f"background:#{ACTIVE};color:#{INK};border:2px solid #{INK}",
    "input": f"background:#{INPUT};color:#{INK};border:2px dashed #{INK}",
    "plain": f"background:transparent;color:inherit;border:1px solid #{LINE}",
}


def overview(trace: Trace[AnyProblem]) -> str:
    """The run: what is trained, whether it helped, and its steps."""
    write = Sections(trace)
    steps = [(step.label, step_words(trace, trace.last, step)[0], write.formulas(step)) for step in trace.last.steps]
    until = f"epoch {trace.last.epoch}" if place_of(trace, trace.last) else "the update"
    return _rendered(trace, [], steps=steps, losses=(trace.before, trace.after), until=until)


def step(trace: Trace[AnyProblem], number: int, layer: int | None) -> NotebookStep:
    """A step of the last pass."""
    return NotebookStep(trace, number, layer)


def matrix(trace: Trace[AnyProblem], identifier: str) -> NotebookMatrix:
    """A matrix of the last pass. Raises KeyError where there is none of that name."""
    return NotebookMatrix(trace, identifier)


def walkthrough(problem: AnyProblem) -> NotebookWalkthrough:
    """The page of a problem's first epoch, inside a notebook. Raises TracerError as `trace` does."""
    return NotebookWalkthrough(trace(problem))


class NotebookWalkthrough:
    """The page itself where anywidget is installed: stepping, asking, what-if. Before it stands what stays readable
    where a notebook is saved or shown without scripts, the overview and every step; the page hides it."""

    def __init__(self, trace: Trace[AnyProblem]) -> None:
        self.trace = trace

    def __repr__(self) -> str:
        return f"<Walkthrough of {self.trace.problem.title!r}>"

    def _repr_html_(self) -> str:
        write = Sections(self.trace)
        steps = [write.step(each) for each in self.trace.last.steps[:MOST_STEPS]]
        more = len(self.trace.last.steps) - len(steps)
        left_out = f"<p>{more} more steps are in the page and the workbook.</p>" if more else ""
        return overview(self.trace) + _rendered(self.trace, steps) + left_out

    def _repr_latex_(self) -> str:
        write = Sections(self.trace)
        steps = self.trace.last.steps[:MOST_STEPS]
        return displayed(line for step in steps for each in told(step) for line in write.equations(each))

    def _ipython_display_(self) -> None:
        """Two outputs, so that what shows a saved notebook without its widgets has the first."""
        display: Any = import_module("IPython.display").display
        name = f"tracer-{uuid4().hex}"
        readable = {"text/plain": repr(self), "text/latex": self._repr_latex_()}
        display({**readable, "text/html": f'<div id="{name}">{self._repr_html_()}</div>'}, raw=True)
        widget = page_widget(self.trace, name)
        if widget:
            display(widget, raw=True)

    def _display_(self) -> Any:
        """What marimo shows: the page, or what stays readable."""
        return widget_of(self.trace) or _Readable(self._repr_html_())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        static = {"text/plain": repr(self), "text/html": self._repr_html_()}
        widget = page_widget(self.trace)
        return {**static, **widget}


@dataclass(frozen=True)
class _Readable:
    """Text for a notebook."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


class NotebookStep(dict[str, Array]):
    """The matrices of a step by identifier; a notebook shows them beside those that they are computed from."""

    def __init__(self, trace: Trace[AnyProblem], number: int, layer: int | None) -> None:
        super().__init__(trace.last.step(number, layer))
        self._trace = trace
        self._steps = [each for each in trace.last.steps if each.number == number and layer in (None, each.layer)]

    def _repr_html_(self) -> str:
        write = Sections(self._trace)
        return _rendered(self._trace, [write.step(each) for each in self._steps])

    def _repr_latex_(self) -> str:
        write = Sections(self._trace)
        return displayed(line for step in self._steps for each in told(step) for line in write.equations(each))


class NotebookMatrix:
    """A matrix with its formula; numpy takes it for its numbers, and `view[row, column]` is one cell worked out."""

    def __init__(self, trace: Trace[AnyProblem], identifier: str) -> None:
        self.values = trace[identifier]
        self._trace, self._id = trace, identifier

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.values, dtype)

    def __getitem__(self, place: tuple[int, int]) -> NotebookCell:
        rows, columns = self.values.shape
        try:
            row, column = place
            return NotebookCell(self._trace, self._id, range(rows)[row], range(columns)[column])
        except (IndexError, TypeError, ValueError):
            says = f"{self._id} is {rows}×{columns}: found {place!r}, expected [row, column], counted from 0"
            raise IndexError(says) from None

    def __repr__(self) -> str:
        return f"{self._id} =\n{self.values}"

    def _repr_html_(self) -> str:
        return _rendered(self._trace, [Sections(self._trace).matrix(self._id)])

    def _repr_latex_(self) -> str:
        write = Sections(self._trace)
        return displayed(write.equations(write.made(self._id)))


@dataclass(frozen=True, eq=False)
class NotebookCell:
    """One cell worked out from its letters to its result; row and column count from 0."""

    trace: Trace[AnyProblem]
    id: str
    row: int
    column: int

    def __repr__(self) -> str:
        return f"{self.id}[{self.row}, {self.column}] = {float(self.trace[self.id][self.row, self.column])!r}"

    def _repr_html_(self) -> str:
        return _rendered(self.trace, [Sections(self.trace).cell(self.id, self.row, self.column)])

    def _repr_latex_(self) -> str:
        return displayed(Sections(self.trace).worked_equations(self.id, self.row, self.column))


def _rendered(trace: Trace[AnyProblem], sections: Sequence[NotebookSection], **overview: Any) -> str:
    problem = trace.problem
    marked = {table.role for section in sections for table in section.tables} - {"plain"}
    return (
        environment()
        .get_template("notebook.html.j2")
        .render(
            problem=problem,
            size=size_words(problem),
            departures=departures(problem),
            sections=sections,
            styles=STYLES,
            legend=[(role, words) for role, words in LEGEND if role in marked],
            **({"steps": []} | overview),
        )
    )
