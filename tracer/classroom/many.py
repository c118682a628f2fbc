"""Marking what a class handed in, over all cores where there is enough of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tracer.answers.key import key_of
from tracer.classroom.class_marks import MarksLine, line_of
from tracer.classroom.findings import Reveal
from tracer.classroom.submissions import Submission
from tracer.errors import TracerError
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers, unmarked_document
from tracer.problem.problem import Problem
from tracer.processes import cores

PAYS, PAYS_WITH_REPORTS = 400, 60  # files from which on other processes are worth their start


@dataclass(frozen=True)
class FileResult:
    """What came of one file; `document` is what `--json` prints of it, `sheet` is kept where few are marked."""

    line: MarksLine
    document: dict[str, Any] | None = None
    sheet: MarkedSheet | None = None


@dataclass(frozen=True, eq=False)
class Marker:
    """How a class is marked: `accept` counts other conventions, `folder` takes the `reports` (xlsx, html) of each file.

    `documents` and `sheets` say what an outcome holds; sheets stay in this process.
    """

    problem: Problem
    number: int = 1
    accept: bool = False
    reveal: Reveal = "hint"
    folder: Path | None = None
    reports: frozenset[str] = frozenset()
    documents: bool = False
    sheets: bool = False

    @cached_property
    def conventions(self) -> Conventions:
        """The key and those of other conventions, which no process can hand to another."""
        return Conventions(key_of(self.problem, self.number), self.number)

    def mark(self, hand_in: Submission, label: str) -> FileResult:
        """Read, mark and report one file; one that cannot be read has a line that says so."""
        conventions = self.conventions  # what is wrong with the problem is no fault of the file
        try:
            marked = mark_answers(hand_in.read(), conventions, self.accept)
        except TracerError as wrong:
            fault = str(wrong).removeprefix(f"{hand_in.name}: ")
            line = MarksLine(hand_in.name, hand_in.student, fault=fault)
            unread = unmarked_document(conventions.key, hand_in.name, hand_in.student, fault)
            return FileResult(line, unread if self.documents else None)
        if self.folder is not None:
            self._report(marked, self.folder, label)
        document = marked.to_document() if self.documents else None
        return FileResult(line_of(marked), document, marked if self.sheets else None)

    def _report(self, marked: MarkedSheet, folder: Path, label: str) -> None:
        if "xlsx" in self.reports:
            from tracer.classroom.marked_workbook import write_marked_workbook  # heavy, and not always asked for

            write_marked_workbook(marked, self.reveal, folder / f"{label}.marked.xlsx")
        if "html" in self.reports:
            from tracer.classroom.feedback_page import write_feedback

            write_feedback(marked, self.reveal, folder / f"{label}.feedback.html")


def mark_all(
    marker: Marker, submissions: Sequence[Submission], labels: Sequence[str], advance: Callable[[], None]
) -> Iterator[FileResult]:
    """Mark files in their order; `advance` is called after each."""
    pays = PAYS_WITH_REPORTS if marker.reports else PAYS
    many = not marker.sheets and cores() > 1 and len(submissions) >= pays
    outcomes = _over_cores(marker, submissions, labels) if many else map(marker.mark, submissions, labels)
    for outcome in outcomes:
        advance()
        yield outcome


def _over_cores(marker: Marker, submissions: Sequence[Submission], labels: Sequence[str]) -> Iterator[FileResult]:
    context = get_context("spawn")  # a fork would copy locks that numpy's threads hold
    at_once = max(1, min(50, len(submissions) // (4 * cores())))
    with ProcessPoolExecutor(cores(), context, _start, (replace(marker),)) as pool:
        try:
            yield from pool.map(_mark, submissions, labels, chunksize=at_once)
        except BrokenProcessPool:
            raise TracerError("a marking process stopped unexpectedly; a file may be too large to mark") from None


_markers: list[Marker] = []


def _start(marker: Marker) -> None:
    """In a new process: what all its files are marked with."""
    _markers.append(marker)


def _mark(hand_in: Submission, label: str) -> FileResult:
    return _markers[-1].mark(hand_in, label)
