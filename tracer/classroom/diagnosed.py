"""What opens every report: the few things that explain what does not count, each with its first cell worked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracer.classroom.findings import Reveal, place
from tracer.judging.diagnosis import Misconception
from tracer.judging.marking import ANOTHERS, MarkedSheet
from tracer.judging.verdicts import COUNTS, NOT_OF, Mark

NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


@dataclass(frozen=True)
class ExplainedView:
    """A misconception: where it first shows and how often, the tutor's sentence, and another that fits as well."""

    title: str
    says: str
    rival: str
    first: Mark
    found: Misconception


def explained(marked: MarkedSheet, reveal: Reveal) -> list[ExplainedView]:
    """The misconceptions of a sheet in the order in which they first show.

    None where only verdicts may be seen, nor where the sheet is of another variant and shows no misconception at all.
    """
    return [] if reveal == "none" or ANOTHERS in marked.sheet.notes else list(_views(marked))


def _views(marked: MarkedSheet) -> Iterator[ExplainedView]:
    for found in marked.diagnosis:
        rival = marked.tutor(found, rival=True) if found.rival else ""
        yield ExplainedView(_title(marked, found), marked.tutor(found), rival, found.first, found)


def _title(marked: MarkedSheet, found: Misconception) -> str:
    """Where to look first, and how many more cells there are and where."""
    more = len(found.marks) - 1
    where = place(marked, found.first)
    others = ", ".join(marked.sheet.key.called(each) for each in found.matrices[1:])
    return " ".join(filter(None, (where, f"and {more} more" if more else "", f"(also in {others})" if others else "")))


def opening(marked: MarkedSheet) -> str:
    """How many things explain how many of the cells that do not count; "" where nothing is explained."""
    things = len(marked.diagnosis)
    if not things:
        return ""
    cells = len({(mark.id, mark.row, mark.column) for each in marked.diagnosis for mark in each.marks})
    lost = sum(mark.verdict not in COUNTS and mark.verdict not in NOT_OF for mark in marked.marks)
    count = NUMBERS[things] if things < len(NUMBERS) else str(things)
    what = f"{count} thing{' explains' if things == 1 else 's explain'}"
    if cells < lost:
        return f"{what} {cells} of the {lost} cells that do not count"
    return f"{what} the one cell that does not count" if lost == 1 else f"{what} all {lost} cells that do not count"
