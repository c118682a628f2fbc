"""What the terminal says of the files that were marked: a few in full, a class by a line each and its slips."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape

from tracer.classroom.class_marks import MarksLine, commonest
from tracer.classroom.findings import printable
from tracer.classroom.many import FileResult, Marker
from tracer.classroom.report import print_marked
from tracer.judging.points import points_text


def print_fault(line: MarksLine) -> None:
    """Say on standard error why a file could not be read, where it could not."""
    if line.fault:
        print(f"tracer: {printable(f'{line.file}: {line.fault}')}", file=sys.stderr)


def print_outcomes(outcomes: Iterable[FileResult], marker: Marker, several: bool) -> None:
    """Print what came of each file that could be read."""
    console, told = Console(highlight=False), ClassCounts()
    for each in outcomes:
        told.add(each.line)
        if each.sheet is not None:
            print_marked(each.sheet, marker.reveal)
        elif not each.line.fault:
            console.print(_line(each.line), soft_wrap=True)
    if several:
        told.print(console, marker)


def _line(line: MarksLine) -> str:
    who = f" · {escape(printable(', '.join(line.student.values())))}" if line.student else ""
    earned, out_of = map(points_text, line.total)
    return f"[bold]{escape(printable(line.file))}[/]{who}: {earned} of {out_of} points, {line.says}"


@dataclass
class ClassCounts:
    """How many files there are and were all right, and what went wrong most often."""

    files: int = 0
    right: int = 0
    unread: int = 0
    judged: int = 0
    slips: Counter[str] = field(default_factory=Counter)

    def add(self, line: MarksLine) -> None:
        self.files += 1
        self.right += line.all_right
        self.unread += bool(line.fault)
        self.judged += line.judged and not line.fault
        self.slips.update(set(line.slips))

    def print(self, console: Console, marker: Marker) -> None:
        unreadable = f", {self.unread:,} could not be read" if self.unread else ""
        console.print(f"[bold]{self.files:,} files[/]: {self.right:,} all right{unreadable}")
        slips = commonest(self.slips)
        if slips and marker.reveal != "none":
            listed = ", ".join(f"{slug} ({count:,})" for slug, count in slips)
            console.print(f"commonest slips: {listed}", soft_wrap=True)
