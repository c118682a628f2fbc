"""What opens every report: the few things that explain what does not count, each with its first cell worked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracer.classroom.findings import Reveal, place
from tracer.judging.diagnosis import Misconception
from tracer.judging.marking import MarkedSheet
from tracer.judging.verdicts import COUNTS, NOT_OF, Mark
from tracer.presentation.theme import Theme, theme_of

SOME = ("one_explains_some", "more_explain_some")  # what is said of one thing, and of more than one
THE_ONE = ("one_explains_one", "more_explain_one")
ALL = ("one_explains_all", "more_explain_all")


@dataclass(frozen=True)
class ExplainedView:
    """A misconception: where it first shows and how often, the tutor's sentence, and another that fits as well."""

    title: str
    says: str
    rival: str
    first: Mark
    found: Misconception


def explained(marked: MarkedSheet, reveal: Reveal, theme: Theme | None = None) -> list[ExplainedView]:
    """The misconceptions of a sheet in the order in which they first show.

    None where only verdicts may be seen, nor where the sheet is of another variant and shows no misconception at all.
    """
    return [] if reveal == "none" or marked.of_another else list(_views(marked, theme or theme_of()))


def _views(marked: MarkedSheet, theme: Theme) -> Iterator[ExplainedView]:
    for found in marked.diagnosis:
        rival = marked.tutor(found, rival=True, theme=theme) if found.rival else ""
        title, says = _title(marked, found, theme), marked.tutor(found, theme=theme)
        yield ExplainedView(title, says, rival, found.first, found)


def _title(marked: MarkedSheet, found: Misconception, theme: Theme) -> str:
    """Where to look first, and how many more cells there are and where."""
    more = len(found.marks) - 1
    where = place(marked, found.first)
    others = ", ".join(marked.sheet.key.called(each) for each in found.matrices[1:])
    cells = theme.say("report.and_more", cell=where, count=more) if more else where
    return f"{cells} {theme.say('report.also_in', matrices=others)}" if others else cells


def opening(marked: MarkedSheet, theme: Theme | None = None) -> str:
    """How many things explain how many of the cells that do not count; "" where nothing is explained."""
    things = len(marked.diagnosis)
    if not things:
        return ""
    cells = len({(mark.id, mark.row, mark.column) for each in marked.diagnosis for mark in each.marks})
    lost = sum(mark.verdict not in COUNTS and mark.verdict not in NOT_OF for mark in marked.marks)
    theme = theme or theme_of()
    words = theme.say("report.numbers").split()
    one, more = SOME if cells < lost else THE_ONE if lost == 1 else ALL
    message = f"report.{one if things == 1 else more}"
    count = words[things - 1] if things <= len(words) else things
    return theme.say(message, things=count, cells=cells, lost=lost)
