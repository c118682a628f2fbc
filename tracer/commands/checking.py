"""Marking what students handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracer.commands.common import JsonOption, ProblemArgument, load_any, print_json, progress
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


class AttemptOption(StrEnum):
    """Which of a student's files counts."""

    last = "last"
    best = "best"


class GradebookSystem(StrEnum):
    """Where marks are imported."""

    canvas = "canvas"
    moodle = "moodle"
    moodle_feedback = "moodle-feedback"
    brightspace = "brightspace"
    blackboard = "blackboard"
    gradescope = "gradescope"
    nbgrader = "nbgrader"


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
    afresh: Annotated[bool, typer.Option("--afresh", help="Mark everything anew, whatever the journal has.")] = False,
    overrides: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A CSV of your decisions: student, matrix, points, reason, by."),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An earlier marks.csv: whose points rose or fell, and where.")
    ] = None,
    allow_lower: Annotated[bool, typer.Option("--allow-lower", help="Points that were given before may fall.")] = False,
    attempt: Annotated[
        AttemptOption,
        typer.Option(metavar=choices(AttemptOption), help="Of several files of a student, which one counts."),
    ] = AttemptOption.last,
    out_of: Annotated[
        float | None, typer.Option("--out-of", min=0.01, metavar="POINTS", help="Scale the points to this maximum.")
    ] = None,
    rounded: Annotated[
        float | None, typer.Option("--round", min=0.001, metavar="STEP", help="Round grades to multiples of this.")
    ] = None,
    gradebook: Annotated[
        GradebookSystem | None, typer.Option(metavar=choices(GradebookSystem), help="Write what this system imports.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The gradebook's own export, to be filled in.")
    ] = None,
    shared: Annotated[
        bool, typer.Option("--shared", help="List sheets that share wrong numbers that nothing explains.")
    ] = False,
    forget: Annotated[
        str | None, typer.Option(metavar="STUDENT", help="Remove a student from the journal and the reports.")
    ] = None,
    language: Annotated[str, typer.Option(metavar="LANGUAGE", help="The language of the reports: en or es.")] = "en",
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask cluster to mark on: tcp://…, or local.")
    ] = None,
) -> None:
    """Mark hand calculations cell by cell: fair to rounding, an error counted once, slips named."""
    from tracer.classroom.submissions import collect, is_many
    from tracer.classroom.transcription import spread_out
    from tracer.commands.class_checking import ClassOptions, check_class

    if only is not None and output is None:
        raise TracerError("--only says what is written; say with -o where")
    wanted = {"xlsx", "html"} if only is None else {"xlsx", "html"} & {only.value}
    reports = frozenset(wanted if output else ())
    marker = marker_of(
        problem, number=number, accept=convention is OtherConvention.any, reveal=reveal.value, folder=output,
        reports=reports, documents=as_json, given=given, language=language,
    )  # fmt: skip
    options = ClassOptions(
        afresh, overrides, compare, allow_lower, attempt.value, out_of, rounded, gradebook and gradebook.value, into,
        shared, forget, scheduler, with_marks=only in (None, MarkedFiles.marks),
    )  # fmt: skip
    options.check(output)
    _ = marker.theme  # a language that there is not is said before anything is marked
    marker = options.with_overrides(marker)
    submissions = spread_out(collect(answers, Path(problem)))
    several = len(submissions) > 1 or is_many(answers[0]) or options.of_class
    if not submissions:
        raise TracerError(f"{answers[0]}: holds no file of answers")
    if not as_json and len(submissions) <= MOST_IN_FULL and scheduler is None:
        marker = replace(marker, sheets=True)
    if output is not None and (several or only is MarkedFiles.marks):
        check_class(marker, submissions, output, options)
        return
    outcomes = _marked(marker, submissions)
    _print(outcomes, marker, as_json, several)
    if not any(each.line.judged for each in outcomes if not each.line.fault):
        raise typer.Exit(2)
    if not all(each.line.all_right for each in outcomes):
        raise typer.Exit(1)


def marker_of(problem: str, **options: Any) -> Marker:
    """What marks answers to a problem, or to the variants in a folder. Raises TracerError where there are none."""
    from tracer.classroom.by_variant import VariantMarker, variants_in
    from tracer.classroom.many import Marker
    from tracer.variation.folder import is_variants

    if is_variants(Path(problem)):
        variants = tuple(variants_in(Path(problem)))
        return VariantMarker(variants[0][1], **options, variants=variants)
    return Marker(load_any(problem), **options)


def _print(outcomes: Sequence[FileResult], marker: Marker, as_json: bool, several: bool) -> None:
    """Faults, then the report; where every file has a fault, nothing but these."""
    from tracer.classroom.class_report import print_fault, print_outcomes

    for each in outcomes:
        print_fault(each.line)
    if all(each.line.fault for each in outcomes):
        raise typer.Exit(2)
    if as_json:
        documents = [each.document for each in outcomes]
        print_json(documents if several else documents[0])
    else:
        print_outcomes(outcomes, marker, several)


def _marked(marker: Marker, submissions: Sequence[Submission]) -> list[FileResult]:
    """Every file read and marked, and the reports of each written."""
    from tracer.classroom.many import mark_all
    from tracer.classroom.submissions import labels

    called = labels(submissions, marker.folder or Path())
    with progress("marking", len(submissions)) as advance:
        return list(mark_all(marker, submissions, called, advance))
