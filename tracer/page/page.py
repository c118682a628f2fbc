"""The page: every step with its formulas, the board, and one cell of each matrix worked out.

One file without a request to anywhere. It can be read without scripts; its script steps through it,
works out any cell and recalculates (script.py). Large matrices are cut in the middle; the
workbook and the saved trace have all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from tracer.expression.digits import fixed
from tracer.expression.label import label_mathml
from tracer.files import write_text
from tracer.page.network_svg import network_svg
from tracer.page.script import INEXACT, page_script
from tracer.page.views import PassViews, math
from tracer.presentation.block_svg import block_svg
from tracer.presentation.headings import anchor_prefix
from tracer.presentation.palette import LEGEND
from tracer.presentation.shown import losses, shown, size_words
from tracer.presentation.templates import environment
from tracer.problem.names import names_of
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.remarks import conventions, departures
from tracer.run.passes import AnyProblem, Pass, Trace


@dataclass(frozen=True)
class Story:
    """A parameter that the epoch changes, to be followed: the link to its new value, its name, before and after."""

    link: str
    cell: str
    name: Markup
    before: str
    after: str


def write_page(trace: Trace[AnyProblem], path: Path, derivation: str = "") -> None:
    """Write the page of a trace; `derivation` is the name of its derivation's file beside it.

    Raises ExportError where `path` cannot be written.
    """
    write_text(path, render_page(trace, derivation))


def render_page(trace: Trace[AnyProblem], derivation: str = "") -> str:
    """The page as HTML, with a link to the file `derivation` beside it if there is one."""
    problem = trace.problem
    views = [PassViews(trace, one) for one in trace.passes]
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            problem=problem,
            derivation=derivation,
            size=size_words(problem),
            losses=losses(problem, trace.before, trace.after),
            passes=[(view.place, list(view.steps())) for view in views],
            story=_story(trace),
            network=_picture(problem, trace.first),
            script=page_script(trace),
            legend=LEGEND,
            inexact=INEXACT,
            conventions=conventions(problem),
            departures=departures(problem),
        )
    )


def _picture(problem: AnyProblem, first: Pass) -> Markup:
    return block_svg(first.program) if isinstance(problem, ProgramProblem) else network_svg(problem, first)


def _told(one: Pass) -> str:
    """The parameter that the story is of: a network's last weights, or whichever a program moves most."""
    if one.program.layers:
        return one.program.layers[-1].weights
    updated = one.program.updated
    return max(updated, key=lambda each: float(np.abs(one[updated[each]] - one[each]).max()))


def _story(trace: Trace[AnyProblem]) -> Story:
    """The cell of a parameter that the first pass changes most."""
    one, names = trace.first, names_of(trace.problem)
    identifier = _told(one)
    new = one.program.updated[identifier]
    change = np.abs(one[new] - one[identifier])
    row, column = (int(index) for index in np.unravel_index(change.argmax(), change.shape))
    places = shown(trace, one).decimals[new] or 0
    before, after = (fixed(float(one[each][row, column]), places) for each in (identifier, new))
    return Story(
        link=f"{anchor_prefix(trace, one)}{new}-{row + 1}-{column + 1}",
        cell=f"{identifier}-{row + 1}-{column + 1}",
        name=math(f"<mrow>{label_mathml(names.cell(identifier, row, column))}</mrow>"),
        before=before,
        after=after,
    )
