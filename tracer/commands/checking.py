"""Marking what students handed in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracer.commands.common import JsonOption, ProblemArgument, load, print_json, progress
from tracer.commands.shape import choices
from tracer.errors import TracerError

if TYPE_CHECKING:
    from tracer.classroom.many import FileResult, Marker
    from tracer.classroom.submissions import Submission

MOST_IN_FULL = 5  # files whose cells are listed; of more there is a line each


class OtherConvention(StrEnum):
    """What becomes of answers that are right under another convention than the problem's."""

    strict = "strict"
    any = "any"


class MarkedFiles(StrEnum):
    """One kind of what is written: the marks of all files, or marked workbooks, or pages."""

    marks = "marks"
    xlsx = "xlsx"
    html = "html"


class RevealOption(StrEnum):
    """What the reports show: verdicts alone, what went wrong but no right number, or those too."""

    none = "none"
    hint = "hint"
    key = "key"


def check(
    problem: ProblemArgument,
    answers: Annotated[
        list[Path], typer.Argument(metavar="ANSWERS", help="Answer files, folders of them, or zips (Moodle's too).")
    ],
    as_json: JsonOption = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="A folder for a marked workbook and a page of each file."),
    ] = None,
    only: Annotated[
        MarkedFiles | None,
        typer.Option(metavar=choices(MarkedFiles), help="Write only marks.csv, the workbooks or the pages."),
    ] = None,
    reveal: Annotated[
        RevealOption,
        typer.Option(metavar=choices(RevealOption), help="What the reports show; the JSON always has everything."),
    ] = RevealOption.hint,
    convention: Annotated[
        OtherConvention,
        typer.Option(
            metavar=choices(OtherConvention), help="Whether answers that are right under another convention count."
        ),
    ] = OtherConvention.strict,
    number: Annotated[int, typer.Option("--pass", min=1, metavar="N", help="Which pass the answers are of.")] = 1,
    given: Annotated[
        bool, typer.Option("--given", help="Judge by the numbers that a file gives, where these are not the problem's.")
    ] = False,
) -> None:
    """Mark hand calculations cell by cell: fair to rounding, an error counted once, slips named."""
    from tracer.classroom.many import Marker
    from tracer.classroom.submissions import collect, is_many

    if only is not None and output is None:
        raise TracerError("--only says what is written; say with -o where")
    wanted = {"xlsx", "html"} if only is None else {"xlsx", "html"} & {only.value}
    reports = frozenset(wanted if output else ())
    choices_made = (number, convention is OtherConvention.any, reveal.value, output, reports, as_json)
    marker = _marker(problem, choices_made, given)
    several = len(answers) > 1 or is_many(answers[0])
    submissions = collect(answers, Path(problem))
    if not submissions:
        raise TracerError(f"{answers[0]}: holds no file of answers")
    if not as_json and len(submissions) <= MOST_IN_FULL:
        marker = replace(marker, sheets=True)
    outcomes = _marked(marker, submissions, only is MarkedFiles.marks or (several and only is None))
    _print(outcomes, marker, as_json, several)
    if not any(each.line.judged for each in outcomes if not each.line.fault):
        raise typer.Exit(2)
    if not all(each.line.all_right for each in outcomes):
        raise typer.Exit(1)


def _print(outcomes: Sequence[FileResult], marker: Marker, as_json: bool, several: bool) -> None:
    """Faults, then the report; where every file has a fault, nothing but these."""
    from tracer.classroom.class_report import print_outcomes
    from tracer.classroom.findings import printable

    for each in outcomes:
        if each.line.fault:
            print(f"tracer: {printable(f'{each.line.file}: {each.line.fault}')}", file=sys.stderr)
    if all(each.line.fault for each in outcomes):
        raise typer.Exit(2)
    if as_json:
        documents = [each.document for each in outcomes]
        print_json(documents if several else documents[0])
    else:
        print_outcomes(outcomes, marker, several)


def _marked(marker: Marker, submissions: Sequence[Submission], with_marks: bool) -> list[FileResult]:
    """Every file read and marked, and what a folder takes written: reports of each, and the marks of all."""
    from tracer.classroom.class_marks import MARKS, write_marks
    from tracer.classroom.many import mark_all
    from tracer.classroom.submissions import labels

    marks = marker.folder / MARKS if marker.folder and with_marks else None
    if marks and marks.resolve() in {each.path.resolve() for each in submissions}:
        raise TracerError(f"{marks}: is a file of answers; choose another folder with -o")
    called = labels(submissions, marker.folder or Path())
    with progress("marking", len(submissions)) as advance:
        outcomes = list(mark_all(marker, submissions, called, advance))
    if marks:
        write_marks([each.line for each in outcomes], marker.conventions.key.program.assignments, marks)
    return outcomes
