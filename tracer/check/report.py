"""A marked sheet in the terminal: the line that helps first, then the cells that need a look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tracer.check.conventions import Other
from tracer.check.marking import MarkedSheet
from tracer.check.verdicts import COUNTS, Mark

MOST_LISTED = 40  # lines of a sheet that are shown
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
    who = f" · {_plain(', '.join(student.values()))}" if student else ""
    console.print(f"[bold]{_plain(marked.sheet.answers.file)}[/]{who}: {headline(marked)}")
    for warning in marked.warnings:
        console.print(f"  note: {_plain(warning)}")
    if marked.other is not None:
        console.print(f"  {_plain(right_under(marked.other))}")
    listed = list(_alike(mark for mark in marked.marks if mark.verdict not in COUNTS))
    if listed:
        console.print(_table(listed[:MOST_LISTED]))
    if len(listed) > MOST_LISTED:
        console.print(f"… and {sum(map(len, listed[MOST_LISTED:]))} more")
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


def _alike(marks: Iterable[Mark]) -> Iterator[list[Mark]]:
    """Cells of one matrix with one verdict for one reason, together: a transposed matrix is one slip."""
    lines: dict[tuple[str, ...], list[Mark]] = {}
    for mark in marks:
        reason = [slip.slug for slip in mark.slips[:1]]
        lines.setdefault((mark.id, mark.verdict, *reason), []).append(mark)
    yield from lines.values()


def _table(lines: Iterable[list[Mark]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("cell", "written", "verdict", ""):
        table.add_column(heading)
    for first, *others in lines:
        style = STYLES.get(first.verdict, "")
        says = "; or: ".join(f"{slip.says}{slip.apart and f' ({slip.apart})'}" for slip in first.slips)
        words = first.verdict.replace("_", " ")
        cells = f"{place(first)} and {len(others)} more" if others else place(first)
        verdict = f"[{style}]{words}[/]" if style else words
        table.add_row(cells, _plain(first.answer), verdict, _plain(says or WORDS.get(first.verdict, "")))
    return table


def _plain(text: str) -> str:
    """Text of a stranger's file: no markup, and nothing that a terminal would obey."""
    return escape("".join(letter if letter.isprintable() else "\ufffd" for letter in text))


def _counted(marked: MarkedSheet) -> Iterator[str]:
    yield f"{marked.score} of {len(marked.marks)} cells count"
    for verdict, count in marked.counts.items():
        if count:
            yield f"{count} {verdict.replace('_', ' ')}"
