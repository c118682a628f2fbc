"""A marked sheet in the terminal: the line that helps first, then the cells that need a look."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tracer.check.conventions import Other
from tracer.check.marking import MarkedSheet
from tracer.check.verdicts import COUNTS, Mark

MOST_LISTED = 40  # cells of a sheet that are listed
STYLES = {"slip": "red", "wrong": "red", "too_coarse": "yellow", "blank": "dim", "unreadable": "yellow"}
WORDS = {
    "wrong": "does not follow from the cells before it",
    "too_coarse": "right, but with fewer digits than asked for",
    "blank": "nothing written",
    "unreadable": "not a number",
}


def print_marked(marked: MarkedSheet) -> None:
    """Print the report of one sheet."""
    console = Console(highlight=False)
    student = marked.sheet.answers.student or {}
    who = f" · {escape(', '.join(student.values()))}" if student else ""
    console.print(f"[bold]{escape(marked.sheet.answers.file)}[/]{who}: {headline(marked)}")
    for warning in marked.warnings:
        console.print(f"  note: {escape(warning)}")
    if marked.other is not None:
        console.print(f"  {escape(right_under(marked.other))}")
    listed = [mark for mark in marked.marks if mark.verdict not in COUNTS]
    if listed:
        console.print(_table(listed[:MOST_LISTED]))
    if len(listed) > MOST_LISTED:
        console.print(f"… and {len(listed) - MOST_LISTED} more")
    console.print(", ".join(_counted(marked)))


def headline(marked: MarkedSheet) -> str:
    """The one line that helps: where to start."""
    if not marked.marks:
        return "no cell of this problem's matrices was found"
    first = marked.first_wrong
    if first is None:
        return f"all {len(marked.marks)} cells are right"
    if not any(mark.verdict in COUNTS for mark in marked.marks):
        return f"start at {place(first)}"
    later = sum(mark.verdict == "carried" for mark in marked.marks)
    follows = f"; {later} later cell{'s follow' if later > 1 else ' follows'} correctly from it" if later else ""
    return f"all right up to {place(first)}: start there{follows}"


def right_under(other: Other) -> str:
    """That the answers follow other conventions, and how far."""
    words = ", ".join(other.words)
    return f"right under: {words}" if other.all_right else f"more of it is right under: {words}"


def place(mark: Mark) -> str:
    """A cell as people call it, counted from 1."""
    return f"{mark.id}[{mark.row + 1},{mark.column + 1}]"


def _table(marks: list[Mark]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("cell", "written", "verdict", ""):
        table.add_column(heading)
    for mark in marks:
        style = STYLES.get(mark.verdict, "")
        says = "; or: ".join(slip.says for slip in mark.slips) or WORDS.get(mark.verdict, "")
        words = mark.verdict.replace("_", " ")
        table.add_row(place(mark), escape(mark.answer), f"[{style}]{words}[/]" if style else words, escape(says))
    return table


def _counted(marked: MarkedSheet) -> Iterator[str]:
    yield f"{marked.score} of {len(marked.marks)} cells count"
    for verdict, count in marked.counts.items():
        if count:
            yield f"{count} {verdict.replace('_', ' ')}"
