"""A class marked into a folder: the journal, the marks and everything that is made of them."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from tracer.commands.common import print_json, progress
from tracer.errors import TracerError

if TYPE_CHECKING:
    from tracer.classroom.class_marks import MarksLine
    from tracer.classroom.many import Marker
    from tracer.classroom.submissions import Submission
    from tracer.gradebook.grades import GradeScale
    from tracer.journal.class_run import ClassRun, MarkAll
    from tracer.journal.store import Journal

TODO, MOST_SAID = "todo.csv", 10


@dataclass(frozen=True)
class ClassOptions:
    """What `tracer check` is asked for of a class; `with_marks`: marks.csv is to be written."""

    afresh: bool = False
    overrides: Path | None = None
    compare: Path | None = None
    allow_lower: bool = False
    attempt: Literal["last", "best"] = "last"
    out_of: float | None = None
    rounded: float | None = None
    gradebook: str | None = None
    into: Path | None = None
    shared: bool = False
    forget: str | None = None
    scheduler: str | None = None
    with_marks: bool = True

    @property
    def of_class(self) -> bool:
        """Whether something is asked for that only a class has."""
        return bool(self.gradebook or self.shared or self.forget or self.compare or self.scheduler)

    def check(self, output: Path | None) -> None:
        """Raises TracerError where options do not go together."""
        names = {"afresh": self.afresh, "compare": self.compare, "gradebook": self.gradebook, "shared": self.shared,
                 "forget": self.forget, "scheduler": self.scheduler}  # fmt: skip
        asked = next((name for name, value in names.items() if value), None)
        if output is None and asked:
            raise TracerError(f"--{asked} is of a class that is marked into a folder; say with -o where")
        if self.into is not None and self.gradebook is None:
            raise TracerError("--into fills in a gradebook's export; say with --gradebook whose")

    def with_overrides(self, marker: Marker) -> Marker:
        from tracer.classroom.overrides import read_overrides

        return replace(marker, overrides=read_overrides(self.overrides)) if self.overrides else marker

    @property
    def scale(self) -> GradeScale:
        from tracer.gradebook.grades import GradeScale

        return GradeScale(self.out_of, self.rounded)


def check_class(marker: Marker, submissions: Sequence[Submission], folder: Path, options: ClassOptions) -> None:
    """Mark a class into a folder. Exits with 1 where an answer was wrong, with 2 where nothing could be judged."""
    from tracer.classroom.submissions import labels
    from tracer.journal.class_run import ClassRun
    from tracer.journal.lock import alone_in
    from tracer.journal.store import Journal

    _keep_answers(submissions, folder)
    with alone_in(folder), Journal(folder) as journal:
        if options.forget is not None:
            _forget(marker, journal, folder, options)
            return
        if options.afresh:
            journal.clear()
        run = ClassRun(marker, submissions, labels(submissions, folder), folder, journal)
        with _markers(options) as mark, progress("marking", len(submissions)) as advance:
            try:
                run.run(advance, mark)
            except KeyboardInterrupt:
                so_far = f"{run.done:,} of {len(submissions):,} files are marked"
                print(f"tracer: stopped; {so_far}, and the same command goes on from there", file=sys.stderr)
                raise
        _conclude(run, options)


@contextmanager
def _markers(options: ClassOptions) -> Iterator[MarkAll]:
    """What marks the files: processes of this machine, or a cluster."""
    from tracer.classroom.many import mark_all

    if options.scheduler is None:
        yield mark_all
        return
    from tracer.cluster.dask_cluster import on_cluster

    with on_cluster(options.scheduler) as mark:
        yield mark


def _keep_answers(submissions: Sequence[Submission], folder: Path) -> None:
    """Raises TracerError where what is written would take the place of what was handed in."""
    from tracer.classroom.class_marks import MARKS

    marks = (folder / MARKS).resolve()
    if marks in {each.path.resolve() for each in submissions if each.path.name == MARKS}:
        raise TracerError(f"{folder / MARKS}: is a file of answers; choose another folder with -o")


def _conclude(run: ClassRun, options: ClassOptions) -> None:
    """Everything that is made of the marks."""
    from tracer.classroom.class_report import ClassCounts
    from tracer.journal.store import JournalLines

    lines, counts = JournalLines(run.journal), ClassCounts()
    for line in lines:
        counts.add(line)
    _say_changes(run)
    if options.with_marks:
        _compared(run, lines, options)
        _write_marks(run, options)
    _print_class(run, lines)
    if not counts.judged:
        raise typer.Exit(2)
    if options.gradebook:
        _write_gradebook(run, lines, options)
    if counts.right < counts.files:
        raise typer.Exit(1)


def _write_marks(run: ClassRun, options: ClassOptions) -> None:
    """marks.csv, what is left to a person, and the reports of the class."""
    from tracer.classroom.class_marks import MARKS, write_marks
    from tracer.gradebook.grades import counting_files, number_text
    from tracer.journal.store import JournalLines
    from tracer.overview.reports import write_reports
    from tracer.overview.summary import CountingLines

    lines, scale = JournalLines(run.journal), options.scale

    def grade(line: MarksLine) -> str:
        return "" if line.fault or not line.judged else number_text(scale.grade(*line.total))

    scaled = grade if options.out_of or options.rounded else None
    write_marks(lines, run.marker.conventions.key.program.assignments, run.folder / MARKS, scaled)
    _write_todo(lines, run.folder / TODO)
    order = list(run.marker.conventions.key.program.assignments)
    counting = counting_files(lines, options.attempt, _times(run))
    write_reports(
        run.folder, run.marker.problem, CountingLines(lines, counting), order, run.marker.theme, options.shared
    )


def _say_changes(run: ClassRun) -> None:
    for what, names in (
        ("no longer there; its marks are left out", run.vanished),
        ("changed since the run before; marked anew", run.changed),
    ):
        for name in names[:MOST_SAID]:
            print(f"tracer: {name}: {what}", file=sys.stderr)
        if len(names) > MOST_SAID:
            print(f"tracer: and {len(names) - MOST_SAID} more {what.partition(';')[0]}", file=sys.stderr)


def _compared(run: ClassRun, lines: Iterable[MarksLine], options: ClassOptions) -> None:
    """Say whose points changed; refuse to lower points that were given before."""
    from tracer.classroom.class_marks import MARKS
    from tracer.gradebook.disputes import differences, read_marks_csv

    if options.compare is not None:
        for each in differences(lines, read_marks_csv(options.compare)):
            typer.echo(each.says)
    given = run.folder / MARKS
    if options.allow_lower or not given.exists():
        return
    lower = [
        each for each in differences(lines, read_marks_csv(given)) if each.now < each.before and each.file in run.same
    ]
    if lower:
        shown = "\n".join(each.says for each in lower[:MOST_SAID])
        raise TracerError(f"{given}: {len(lower)} would lose points that were given; --allow-lower does so\n{shown}")


def _write_todo(lines: Iterable[MarksLine], path: Path) -> None:
    """What is left to a person, a line each."""
    from tracer.classroom.class_marks import as_text
    from tracer.files import replace_file

    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(("file", "name", "what"))
    for line in lines:
        what = line.fault or line.note or ("" if line.judged else "nothing in it could be judged")
        if what:
            table.writerow(map(as_text, (line.file, line.student.get("name", ""), what)))
    replace_file(path, lambda file: file.write(text.getvalue().encode("utf-8-sig")))


def _print_class(run: ClassRun, lines: Iterable[MarksLine]) -> None:
    from tracer.classroom.class_report import print_fault, print_outcomes
    from tracer.classroom.many import FileResult

    for line in lines:
        print_fault(line)
    if run.marker.documents:
        print_json(list(run.journal.documents()))
        return
    print_outcomes((run.sheets.get(line.file, FileResult(line)) for line in lines), run.marker, True)


def _times(run: ClassRun) -> dict[str, float]:
    """When each file was last changed."""
    from tracer.classroom.submissions import when

    return {each.name: when(each) for each in run.submissions}


def _write_gradebook(run: ClassRun, lines: Iterable[MarksLine], options: ClassOptions) -> None:
    from tracer.classroom.by_variant import VariantMarker
    from tracer.gradebook.grades import grades
    from tracer.gradebook.systems import SYSTEMS, Export

    found = list(grades(lines, options.scale, options.attempt, _times(run)))
    students: list[tuple[str, str]] = []
    if isinstance(run.marker, VariantMarker):
        students = [(each.name, each.id) for variant, _ in run.marker.variants for each in variant.students]
    reports = {each.name: run.folder / f"{label}.feedback.html"
               for each, label in zip(run.submissions, run.labels, strict=True)}  # fmt: skip
    there = {name: path for name, path in reports.items() if path.exists()}
    assert options.gradebook is not None  # asked by the caller
    title = run.marker.problem.title
    filled = SYSTEMS[options.gradebook](Export(run.folder, title, found, options.into, students, there))
    for line in filled.says():
        typer.echo(line)


def _forget(marker: Marker, journal: Journal, folder: Path, options: ClassOptions) -> None:
    """Remove a student from journal and reports; the marks of the class are written anew without them."""
    from tracer.classroom.overrides import folded
    from tracer.gradebook.systems import FILES
    from tracer.journal.class_run import ClassRun

    student = str(options.forget)
    names = [
        line.file
        for line in journal.lines()
        if folded(student) in map(folded, (line.person, line.file, *line.student.values()))
    ]
    if not names:
        raise TracerError(f"--forget: {folder} has nobody called {student!r} (an id, a name or a file)")
    for report in (*journal.forget(names), *FILES):
        (folder / report).unlink(missing_ok=True)
    _write_marks(ClassRun(marker, (), (), folder, journal), options)
    count = f"{len(names)} {'file' if len(names) == 1 else 'files'}"
    typer.echo(f"{student}: {count} forgotten; take what was handed in away too, and write the gradebook anew")
