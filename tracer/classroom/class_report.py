"""What the terminal says of the files that were marked: a few in full, a class by a line each and its slips."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from tracer.classroom.class_marks import MarksLine, commonest_slips
from tracer.classroom.findings import printable
from tracer.classroom.many import FileResult, Marker
from tracer.classroom.report import print_marked
from tracer.judging.points import points_text


def print_outcomes(outcomes: Sequence[FileResult], marker: Marker, several: bool) -> None:
    """Print what came of each file that could be read."""
    console = Console(highlight=False)
    for each in outcomes:
        if each.sheet is not None:
            print_marked(each.sheet, marker.reveal)
        elif not each.line.fault:
            console.print(_line(each.line), soft_wrap=True)
    if several:
        _class([each.line for each in outcomes], console, marker)


def _line(line: MarksLine) -> str:
    who = f" · {escape(printable(', '.join(line.student.values())))}" if line.student else ""
    earned, out_of = map(points_text, line.total)
    return f"[bold]{escape(printable(line.file))}[/]{who}: {earned} of {out_of} points, {line.says}"


def _class(lines: Sequence[MarksLine], console: Console, marker: Marker) -> None:
    """How many files there are and were all right, and what went wrong most often."""
    right, unread = sum(line.all_right for line in lines), sum(bool(line.fault) for line in lines)
    unreadable = f", {unread:,} could not be read" if unread else ""
    console.print(f"[bold]{len(lines):,} files[/]: {right:,} all right{unreadable}")
    slips = commonest_slips(lines)
    if slips and marker.reveal != "none":
        console.print(f"commonest slips: {', '.join(f'{slug} ({count:,})' for slug, count in slips)}", soft_wrap=True)
