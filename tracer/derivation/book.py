"""The book of a derivation: one pass worked by hand, layer by layer, to be read and printed.

One self-contained file without a script or a request. Large matrices are cut in the middle; the
workbook and the saved trace have all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracer.derivation.backward import Backward
from tracer.derivation.biases import biases, outcome
from tracer.derivation.blocks import Section
from tracer.derivation.cells import Cells
from tracer.derivation.forward import forward, network
from tracer.derivation.slopes import derivatives
from tracer.files import write_text
from tracer.presentation.headings import place_of
from tracer.presentation.templates import environment
from tracer.problem.problem import Problem
from tracer.problem.remarks import conventions, departures
from tracer.run.passes import Trace

MOST_LAYERS = 5  # of a network that anybody would work by hand


def too_deep(problem: Problem) -> str:
    """Why there is no book of a problem; "" where there is one."""
    if problem.depth <= MOST_LAYERS:
        return ""
    return f"no derivation: {problem.depth} layers are more than the {MOST_LAYERS} worked by hand"


def write_derivation(trace: Trace, path: Path) -> None:
    """Write the book of the first pass of a trace. Raises ExportError where `path` cannot be written."""
    write_text(path, render_derivation(trace))


def render_derivation(trace: Trace) -> str:
    """The book as HTML."""
    problem = trace.problem
    return (
        environment()
        .get_template("derivation.html.j2")
        .render(
            problem=problem,
            sizes="→".join(map(str, problem.sizes)),
            place=place_of(trace, trace.first),
            sections=list(_sections(trace)),
            conventions=conventions(problem),
            departures=departures(problem),
        )
    )


def _sections(trace: Trace) -> Iterator[Section]:
    cells = Cells(trace, trace.first)
    layers = range(1, trace.problem.depth + 1)
    yield network(cells)
    yield from (forward(cells, layer) for layer in layers)
    yield derivatives(trace.problem)
    backward = Backward(cells)
    yield from (backward.layer(layer) for layer in reversed(layers))
    yield biases(cells)
    yield outcome(trace)
