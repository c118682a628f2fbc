"""The feedback on one file as a page: where to start, what to look at again, the board with signs, the points.

One file without a script or a request to anywhere. What comes from the learner's file is escaped by the templates.
"""

from __future__ import annotations

from pathlib import Path

from tracer.classroom.diagnosed import opening
from tracer.classroom.feedback_views import MOST_OPEN, FeedbackViews
from tracer.classroom.findings import Reveal, capital, headline, in_words, noted, printable, right_under
from tracer.files import write_text
from tracer.judging.marking import MarkedSheet
from tracer.judging.points import points_text
from tracer.presentation.theme import Theme, theme_of


def write_feedback(marked: MarkedSheet, reveal: Reveal, path: Path, theme: Theme | None = None) -> None:
    """Write the page, in English where no theme is given. Raises ExportError where `path` cannot be written."""
    text = render_feedback(marked, reveal, theme)
    write_text(path, text)


def render_feedback(marked: MarkedSheet, reveal: Reveal, theme: Theme | None = None) -> str:
    """The page as HTML."""
    theme = theme or theme_of()
    views, answers = FeedbackViews(marked, reveal, theme), marked.sheet.answers
    earned, out_of = marked.points
    found = list(views.findings())
    return theme.render(
        "feedback.html.j2",
        problem=views.problem,
        headline=headline(marked, theme),
        student=[printable(each) for each in (answers.student or {}).values()],
        file=printable(answers.file),
        notes=[*noted(marked, theme), *in_words(marked, theme)],
        right_under=right_under(marked.other, theme) if marked.other is not None and reveal != "none" else "",
        opening=opening(marked, theme) if reveal != "none" else "",
        explained=list(views.explained()),
        later=marked.counts["carried"],
        findings=found[:MOST_OPEN],
        others=found[MOST_OPEN:],
        bands=list(views.bands()),
        steps=list(views.points()),
        points=lambda points: theme.number(points_text(points)),
        capital=capital,
        sentence=lambda text: capital(text) if text[-1:] == "?" else f"{capital(text)}.",
        earned=earned,
        out_of=out_of,
        conventions=theme.conventions(views.problem),
    )
