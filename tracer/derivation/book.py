"""The book of a derivation: one pass worked by hand, layer by layer or step by step, to be read and printed.

One self-contained file without a script or a request. Large matrices are cut in the middle; the
workbook and the saved trace have all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from tracer.derivation.backward import backward, biases
from tracer.derivation.forward import derivatives, forward, network
from tracer.derivation.network_cells import NetworkCells
from tracer.derivation.program_chapters import chapters
from tracer.derivation.typeset import Chapter, Passage, say
from tracer.files import write_text
from tracer.presentation.headings import place_of
from tracer.presentation.other_ways import HEADINGS, TITLE, other_ways
from tracer.presentation.templates import environment
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.remarks import conventions, departures
from tracer.run.passes import AnyProblem, Trace

MOST_LAYERS = 5  # of a network that anybody would work by hand
MOST_MATRICES = 200  # that a program computes forward and back


def too_large(problem: AnyProblem) -> str:
    """Why there is no book of a problem; "" where there is one."""
    if isinstance(problem, ProgramProblem):
        count = len(problem.program.computed)
        if count <= MOST_MATRICES:
            return ""
        return f"no derivation: {count:,} matrices are too many to work by hand (at most {MOST_MATRICES})"
    if problem.depth <= MOST_LAYERS:
        return ""
    return f"no derivation: {problem.depth} layers are too many to work by hand (at most {MOST_LAYERS})"


def write_derivation(trace: Trace[AnyProblem], path: Path, page: str = "") -> None:
    """Write the book of the first pass of a trace; `page` is the name of the page's file beside it.

    Raises ExportError where `path` cannot be written.
    """
    write_text(path, render_derivation(trace, page))


def render_derivation(trace: Trace[AnyProblem], page: str = "") -> str:
    """The book as HTML, with a link to the file `page` beside it if there is one."""
    network = trace.of_network
    if network is None:
        return _rendered(trace, page, list(_of_program(trace)), conventions(trace.problem), [])
    told = conventions(network.problem)
    if network.problem.convention.turned:
        told.append(
            "In this derivation a sample stands in each row: every matrix here is the transpose of the problem's."
        )
    network = network.by_rows()
    return _rendered(network, page, list(_chapters(network)), told, [each.row for each in other_ways(network)])


def _rendered(trace: Trace[AnyProblem], page: str, told: list[Chapter], said: list[str], other: list[Any]) -> str:
    problem = trace.problem
    return (
        environment()
        .get_template("derivation.html.j2")
        .render(
            problem=problem,
            page=page,
            place=place_of(trace, trace.first),
            chapters=told,
            conventions=said,
            departures=departures(problem),
            other_ways=other,
            other_headings=HEADINGS,
            other_title=TITLE,
            blocks=isinstance(problem, ProgramProblem),
        )
    )


def _of_program(trace: Trace[AnyProblem]) -> Iterator[Chapter]:
    yield from chapters(cast("Trace[ProgramProblem]", trace))
    yield _outcome(trace)


def _chapters(trace: Trace) -> Iterator[Chapter]:
    cells = NetworkCells(trace, trace.first)
    layers = range(1, trace.problem.depth + 1)
    yield network(cells)
    yield from (forward(cells, layer) for layer in layers)
    yield derivatives(trace.problem)
    yield from (backward(cells, layer) for layer in reversed(layers))
    yield biases(cells)
    yield _outcome(trace)


def _outcome(trace: Trace[AnyProblem]) -> Chapter:
    """The loss before and after."""
    told = say(
        "One more forward pass, with the new numbers, gives the loss {after}; it was {before}.",
        before=f"<mn>{trace.before:#.6g}</mn>",
        after=f"<mn>{trace.after:#.6g}</mn>",
    )
    return Chapter("outcome", "Did it help?", (Passage("outcome", trace.first.program.loss, (told,)),))
