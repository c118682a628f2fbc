"""Worksheets for students."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tracer.commands.common import DEFAULT_FOLDER, FolderOption, ProblemArgument, load_any
from tracer.commands.shape import choices
from tracer.errors import TracerError


class ModeChoice(StrEnum):
    """What a worksheet is for: practice with marks, an exam without, or paper."""

    practice = "practice"
    exam = "exam"
    print = "print"


class WorksheetMode(StrEnum):
    """The same, or finding slips on a sheet that is worked to the end."""

    practice = "practice"
    exam = "exam"
    print = "print"
    find_error = "find"


class MarksShown(StrEnum):
    """When a practice sheet shows its marks: after each cell, each whole row or step, or everything."""

    cell = "cell"
    row = "row"
    step = "step"
    end = "end"


BlankOption = Annotated[str | None, typer.Option(metavar="STEPS", help="Steps (2,3,7) or matrices (Z1,D2) to fill in.")]
GiveOption = Annotated[str | None, typer.Option(metavar="STEPS", help="Steps or matrices that are printed.")]
FeedbackOption = Annotated[
    MarksShown, typer.Option(metavar=choices(MarksShown), help="When a practice sheet shows its marks.")
]
SumsOption = Annotated[bool, typer.Option("--sums", help="Print the sum of every larger matrix, to check.")]
LanguageOption = Annotated[
    str, typer.Option(metavar="LANGUAGE", help="The language of the sheets: en, es or one of your own.")
]


def worksheet(
    problem: ProblemArgument,
    output: FolderOption = DEFAULT_FOLDER,
    mode: Annotated[
        WorksheetMode, typer.Option(metavar=choices(WorksheetMode), help="What it is for.")
    ] = WorksheetMode.practice,
    blank: BlankOption = None,
    give: GiveOption = None,
    feedback: FeedbackOption = MarksShown.row,
    slips: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="With --mode find: how many rules are broken on it (1).")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="SEED", help="With --mode find: which ones; secret if left out.")
    ] = None,
    series: Annotated[bool, typer.Option("--series", help="Sheets that leave one more step blank each.")] = False,
    sums: SumsOption = False,
    number: Annotated[int, typer.Option("--pass", metavar="N", min=1, help="Which pass it is of.")] = 1,
    language: LanguageOption = "en",
    templates: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A folder of templates and languages of your own, laid over ours."),
    ] = None,
) -> None:
    """Write a blank worksheet for students, as workbook and page, and its key."""
    from tracer.presentation.theme import theme_of
    from tracer.run.training import of_pass
    from tracer.variation.draws import Draws, secret_seed
    from tracer.worksheet.files import write_worksheets
    from tracer.worksheet.plan import make_plan, make_series
    from tracer.worksheet.planting import plant

    others = {"--blank": blank, "--give": give, "--feedback": feedback is not MarksShown.row, "--series": series}
    _check_finding(mode, {"--slips": slips, "--seed": seed}, others | {"--sums": sums})
    loaded = load_any(problem)
    theme = theme_of(language, templates.resolve() if templates else None)
    recorded = of_pass(loaded, number)
    program = recorded.first.program
    plan = replace(make_plan(loaded, program, mode.value, blank, give, feedback.value, sums), number=number)
    sheets = make_series(plan, program) if series else [plan]
    planted = None
    if mode is WorksheetMode.find_error:
        shuffle = Draws(secret_seed() if seed is None else str(seed)).shuffled
        planted = plant(loaded, plan, slips or 1, shuffle)
    for path in write_worksheets(recorded, sheets, output, theme, planted):
        typer.echo(path)
    printed = [each for each in recorded.first if each in sheets[0].given]
    if series:
        typer.echo("every sheet but the last prints the earlier steps, and so they are in its files")
    elif printed:
        typer.echo(f"printed, and so in the files: {', '.join(printed)}")
    if sums:
        typer.echo("the sums of the larger matrices are in the files")


def _check_finding(mode: WorksheetMode, finding: Mapping[str, object], others: Mapping[str, object]) -> None:
    """Refuse options that have no place beside the mode."""
    if mode is WorksheetMode.find_error:
        wrong = [name for name, value in others.items() if value]
        says = "has no place with --mode find, whose sheet is worked to the end"
    else:
        wrong = [name for name, value in finding.items() if value is not None]
        says = "needs --mode find"
    if wrong:
        raise TracerError(f"{wrong[0]} {says}")
