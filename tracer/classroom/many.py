"""Marking what a class handed in, over all cores where there is enough of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from tracer.answers.key import key_of
from tracer.classroom.class_marks import MarksLine, line_of
from tracer.classroom.crew import Crew
from tracer.classroom.findings import Reveal
from tracer.classroom.limits import limited
from tracer.classroom.overrides import Overrides
from tracer.classroom.submissions import Submission
from tracer.classroom.transcription import TypedRow
from tracer.errors import TracerError
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers, unmarked_document
from tracer.presentation.theme import Theme, theme_of
from tracer.processes import cores
from tracer.run.passes import AnyProblem

PAYS, PAYS_WITH_REPORTS = 100, 20  # files from which on more than one process is worth its start
MOST_SAID = 100  # characters of an error that nobody foresaw


@dataclass(frozen=True)
class FileResult:
    """What came of one file; `document` is what `--json` prints of it, `sheet` is kept where few are marked."""

    line: MarksLine
    document: dict[str, Any] | None = None
    sheet: MarkedSheet | None = None


@dataclass(frozen=True, eq=False)
class Judged:
    """A marked sheet, the variant that it was marked by, who handed it in, and what a teacher should look at."""

    marked: MarkedSheet
    variant: str = ""
    person: str = ""
    note: str = ""


@dataclass(frozen=True, eq=False)
class Marker:
    """How a class is marked: `accept` counts other conventions, `given` judges by numbers that files give, `folder`
    takes the `reports` (xlsx, html) of each file.

    `documents` and `sheets` say what an outcome holds; sheets stay in this process.
    """

    problem: AnyProblem
    number: int = 1
    accept: bool = False
    reveal: Reveal = "hint"
    folder: Path | None = None
    reports: frozenset[str] = frozenset()
    documents: bool = False
    sheets: bool = False
    given: bool = False
    overrides: Overrides | None = None
    language: str = "en"

    @cached_property
    def conventions(self) -> Conventions:
        """The key and those of other conventions, which no process can hand to another."""
        return Conventions(key_of(self.problem, self.number), self.number)

    @property
    def theme(self) -> Theme:
        """The words of a report's language. Raises ExportError for one that there is not."""
        return theme_of(self.language)

    def mark(self, hand_in: Submission, label: str) -> FileResult:
        """Read, mark and report one file; one that cannot be read has a line that says so."""
        _ = self.conventions  # what is wrong with the problem is no fault of the file
        try:
            with limited():
                judged = self.judged(hand_in)
        except TracerError as wrong:
            return self.unmarked(hand_in, str(wrong).removeprefix(f"{hand_in.name}: "))
        except Exception as wrong:  # whatever a file holds, it costs nobody else's marks
            return self.unmarked(hand_in, f"cannot be marked ({type(wrong).__name__}: {str(wrong)[:MOST_SAID]})")
        marked = judged.marked
        if self.folder is not None:
            self._report(marked, self.folder, label)
        document = marked.to_document() if self.documents else None
        line = replace(line_of(marked, self.theme), variant=judged.variant, note=judged.note, person=judged.person)
        return FileResult(line, document, marked if self.sheets else None)

    def judged(self, hand_in: Submission) -> Judged:
        """Read and mark one file. Raises TracerError where it cannot be read."""
        return self.adjusted(mark_answers(hand_in.read(), self.conventions, self.accept, self.given), hand_in)

    def adjusted(self, marked: MarkedSheet, hand_in: Submission) -> Judged:
        """A marked sheet with the cells alone that were asked for, and a teacher's own points laid over it."""
        if isinstance(hand_in, TypedRow):
            asked = [each for each in marked.marks if (each.id, each.row, each.column) in hand_in.asked]
            marked = replace(marked, marks=asked)
        return Judged(self.overrides.applied(marked) if self.overrides else marked)

    def unmarked(self, hand_in: Submission, fault: str) -> FileResult:
        """What comes of a file that cannot be read."""
        line = MarksLine(hand_in.name, hand_in.student, fault=fault)
        unread = unmarked_document(self.conventions.key, hand_in.name, hand_in.student, fault)
        return FileResult(line, unread if self.documents else None)

    def bare(self) -> Marker:
        """Without what no process can hand to another."""
        return replace(self)

    def _report(self, marked: MarkedSheet, folder: Path, label: str) -> None:
        if "xlsx" in self.reports:
            from tracer.classroom.marked_workbook import write_marked_workbook  # heavy, and not always asked for

            write_marked_workbook(marked, self.reveal, folder / f"{label}.marked.xlsx", self.theme)
        if "html" in self.reports:
            from tracer.classroom.feedback_page import write_feedback

            write_feedback(marked, self.reveal, folder / f"{label}.feedback.html", self.theme)


def mark_all(
    marker: Marker, submissions: Sequence[Submission], labels: Sequence[str], advance: Callable[[], None]
) -> Iterator[FileResult]:
    """Mark files in their order; `advance` is called after each."""
    for outcome in _outcomes(marker, submissions, labels):
        advance()
        yield outcome


def _outcomes(marker: Marker, submissions: Sequence[Submission], labels: Sequence[str]) -> Iterator[FileResult]:
    """A single file is marked here; several in other processes, so that none costs the others their marks."""
    _ = marker.conventions  # worked out once, for all processes; what is wrong with the problem is said here
    if len(submissions) == 1:
        return map(marker.mark, submissions, labels)
    if marker.sheets:  # which stay in this process
        return _after_a_trial(marker, submissions, labels)
    pays = PAYS_WITH_REPORTS if marker.reports else PAYS
    return Crew(marker, cores() if len(submissions) >= pays else 1, marker.unmarked).marked(submissions, labels)


def _after_a_trial(marker: Marker, submissions: Sequence[Submission], labels: Sequence[str]) -> Iterator[FileResult]:
    """Files marked here once another process has lived through them."""
    trial = replace(marker, sheets=False, documents=False, folder=None, reports=frozenset())
    trials = Crew(trial, 1, trial.unmarked).marked(submissions, labels)
    for hand_in, label, tried in zip(submissions, labels, trials, strict=True):
        yield tried if tried.line.fault else marker.mark(hand_in, label)
