"""The book of a derivation: one pass worked by hand, layer by layer, to be read and printed.

One self-contained file without a script or a request. Large matrices are cut in the middle; the
workbook and the saved trace have all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracer.derivation.backward import backward, biases
from tracer.derivation.cells import Cells
from tracer.derivation.forward import derivatives, forward, network
from tracer.derivation.typeset import Chapter, Passage, say
from tracer.files import write_text
from tracer.presentation.headings import place_of
from tracer.presentation.other_ways import HEADINGS, TITLE, other_ways
from tracer.presentation.templates import environment
from tracer.problem.problem import Problem
from tracer.problem.remarks import conventions, departures
from tracer.run.passes import Trace

MOST_LAYERS = 5  # of a network that anybody would work by hand


def too_deep(problem: Problem) -> str:
    """Why there is no book of a problem; "" where there is one."""
    if problem.depth <= MOST_LAYERS:
        return ""
    return f"no derivation: {problem.depth} layers are too many to work by hand (at most {MOST_LAYERS})"


def write_derivation(trace: Trace, path: Path, page: str = "") -> None:
    """Write the book of the first pass of a trace; `page` is the name of the page's file beside it.

    Raises ExportError where `path` cannot be written.
    """
    write_text(path, render_derivation(trace, page))


def render_derivation(trace: Trace, page: str = "") -> str:
    """The book as HTML, with a link to the file `page` beside it if there is one."""
    told = conventions(trace.problem)
    if trace.problem.convention.turned:
        told.append(
            "In this derivation a sample stands in each row: every matrix here is the transpose of the problem's."
        )
    trace = trace.by_rows()
    problem = trace.problem
    return (
        environment()
        .get_template("derivation.html.j2")
        .render(
            problem=problem,
            page=page,
            place=place_of(trace, trace.first),
            chapters=list(_chapters(trace)),
            conventions=told,
            departures=departures(problem),
            other_ways=[each.row for each in other_ways(trace)],
            other_headings=HEADINGS,
            other_title=TITLE,
        )
    )


def _chapters(trace: Trace) -> Iterator[Chapter]:
    cells = Cells(trace, trace.first)
    layers = range(1, trace.problem.depth + 1)
    yield network(cells)
    yield from (forward(cells, layer) for layer in layers)
    yield derivatives(trace.problem)
    yield from (backward(cells, layer) for layer in reversed(layers))
    yield biases(cells)
    yield _outcome(trace)


def _outcome(trace: Trace) -> Chapter:
    """The loss before and after."""
    told = say(
        "One more forward pass, with the new numbers, gives the loss {after}; it was {before}.",
        before=f"<mn>{trace.before:#.6g}</mn>",
        after=f"<mn>{trace.after:#.6g}</mn>",
    )
    return Chapter("outcome", "Did it help?", (Passage("outcome", trace.first.program.loss, (told,)),))
