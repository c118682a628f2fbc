"""The feedback on one file as a page: where to start, what to look at again, the board with signs, the points.

One file without a script or a request to anywhere. What comes from the learner's file is escaped by the templates.
"""

from __future__ import annotations

from pathlib import Path

from tracer.classroom.diagnosed import opening
from tracer.classroom.feedback_views import MOST_OPEN, FeedbackViews
from tracer.classroom.findings import Reveal, capital, headline, in_words, printable, right_under, unread
from tracer.files import write_text
from tracer.judging.marking import MarkedSheet
from tracer.judging.points import points_text
from tracer.presentation.templates import render
from tracer.problem.remarks import conventions


def write_feedback(marked: MarkedSheet, reveal: Reveal, path: Path) -> None:
    """Write the page. Raises ExportError where `path` cannot be written."""
    text = render_feedback(marked, reveal)
    write_text(path, text)


def render_feedback(marked: MarkedSheet, reveal: Reveal) -> str:
    """The page as HTML."""
    views, answers = FeedbackViews(marked, reveal), marked.sheet.answers
    earned, out_of = marked.points
    found = list(views.findings())
    return render(
        "feedback.html.j2",
        None,
        problem=views.problem,
        headline=headline(marked),
        student=[printable(each) for each in (answers.student or {}).values()],
        file=printable(answers.file),
        notes=[printable(each) for each in (*marked.warnings, *unread(marked), *in_words(marked))],
        right_under=right_under(marked.other) if marked.other is not None and reveal != "none" else "",
        opening=opening(marked) if reveal != "none" else "",
        explained=list(views.explained()),
        later=marked.counts["carried"],
        findings=found[:MOST_OPEN],
        others=found[MOST_OPEN:],
        bands=list(views.bands()),
        steps=list(views.points()),
        points=points_text,
        capital=capital,
        earned=earned,
        out_of=out_of,
        conventions=conventions(views.problem),
    )
