"""A marked sheet in the terminal: the line that helps first, then the cells that need a look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tracer.classroom.diagnosed import explained, opening
from tracer.classroom.findings import (
    Finding,
    Reveal,
    expected,
    findings,
    headline,
    in_words,
    named,
    printable,
    right_under,
    unread,
)
from tracer.classroom.own_numbers import OwnNumbers
from tracer.judging.marking import MarkedSheet
from tracer.judging.points import points_text

MOST_LISTED = 40  # lines of a sheet that are shown
STYLES = {
    "slip": "red",
    "wrong": "red",
    "too_coarse": "yellow",
    "blank": "dim",
    "unreadable": "yellow",
    "not_read": "dim",
}


def print_marked(marked: MarkedSheet, reveal: Reveal) -> None:
    """Print the report of one sheet."""
    console = Console(highlight=False)
    student = marked.sheet.answers.student or {}
    who = f" · {_plain(', '.join(student.values()))}" if student else ""
    console.print(f"[bold]{_plain(marked.sheet.answers.file)}[/]{who}: {headline(marked)}")
    for warning in (*marked.warnings, *unread(marked)):
        console.print(f"  note: {_plain(warning)}")
    if marked.other is not None and reveal != "none":
        console.print(f"  {_plain(right_under(marked.other))}")
    for line in _diagnosis(marked, reveal):
        console.print(f"  {_plain(line)}")
    listed = findings(marked, reveal)
    if listed:
        console.print(_table(marked, listed[:MOST_LISTED], reveal))
    for line in in_words(marked):
        console.print(f"  {_plain(line)}")
    if len(listed) > MOST_LISTED:
        console.print(f"… and {sum(len(each.marks) for each in listed[MOST_LISTED:])} more")
    console.print(", ".join(_verdicts(marked)))


def _diagnosis(marked: MarkedSheet, reveal: Reveal) -> Iterator[str]:
    """The few things behind what does not count, each with its first cell worked."""
    found = explained(marked, reveal)
    if not found:
        return
    own = OwnNumbers(marked, reveal)
    yield f"{opening(marked)}:"
    for k, each in enumerate(found, 1):
        yield f"{k}. {each.title}: {each.says}"
        if each.rival:
            yield f"   Or it may be this, which gives the same numbers here: {each.rival}"
        if worked := own.text(each.first):
            yield f"   {worked}"
    yield ""


def _table(marked: MarkedSheet, listed: Sequence[Finding], reveal: Reveal) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("cell", "written", "verdict", *(["expected"] if reveal == "key" else []), ""):
        table.add_column(heading)
    for each in listed:
        style = STYLES.get(each.first.verdict, "")
        words = named(each.first.verdict)
        verdict = f"[{style}]{words}[/]" if style else words
        key = [expected(marked, each.first)] if reveal == "key" else []
        table.add_row(each.title, _plain(each.first.answer), verdict, *key, _plain("; or: ".join(each.says)))
    return table


def _plain(text: str) -> str:
    """Text of a stranger's file: no markup, and nothing that a terminal would obey."""
    return escape(printable(text))


def _verdicts(marked: MarkedSheet) -> Iterator[str]:
    yield f"{marked.score} of {len(marked.marks)} cells count"
    for verdict, count in marked.counts.items():
        if count:
            yield f"{count} {named(verdict)}"
    earned, out_of = map(points_text, marked.points)
    yield f"{earned} of {out_of} points"
