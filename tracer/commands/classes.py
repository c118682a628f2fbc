"""Variants for a class, each with a certificate that its numbers hide no slip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracer.commands.common import FolderOption, ProblemArgument, load_any, progress
from tracer.commands.shape import choices
from tracer.commands.worksheets import (
    BlankOption,
    FeedbackOption,
    GiveOption,
    LanguageOption,
    MarksShown,
    ModeChoice,
    SumsOption,
)
from tracer.errors import TracerError

if TYPE_CHECKING:
    from tracer.run.passes import AnyProblem

DEFAULT_PLACE = Path("variants")
MOST_VARIANTS, MOST_ASKED = 10_000, 40


def variants(
    problem: ProblemArgument = "",
    count: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many; default: as the roster needs.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="SEED", help="The same seed gives the same variants; default: a secret one.")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A CSV of the class: name, id, group, email.")
    ] = None,
    output: FolderOption = DEFAULT_PLACE,
    sitting: Annotated[int, typer.Option(min=1, metavar="N", help="A later sitting reuses no variant.")] = 1,
    layers: Annotated[
        str | None,
        typer.Option(metavar="SIZES", help="In place of PROBLEM: sizes from inputs to outputs (3-4-2)."),
    ] = None,
    ask: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="A quiz of so few cells: page, table and key.")
    ] = None,
    mode: Annotated[
        ModeChoice, typer.Option(metavar=choices(ModeChoice), help="What the worksheets are for.")
    ] = ModeChoice.practice,
    blank: BlankOption = None,
    give: GiveOption = None,
    feedback: FeedbackOption = MarksShown.row,
    sums: SumsOption = False,
    language: LanguageOption = "en",
    templates: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Templates and languages of your own, laid over ours.")
    ] = None,
) -> None:
    """Write a problem, a worksheet and a key for every student, with a certificate that no slip goes unseen."""
    from tracer.lesson.build import build
    from tracer.presentation.theme import theme_of
    from tracer.variation.folder import STUDENTS, TEACHER
    from tracer.variation.handing_out import SheetChoices
    from tracer.variation.roster import read_roster
    from tracer.variation.sitting import Sitting
    from tracer.worksheet.plan import make_plan

    for option, value, most in (("--count", count, MOST_VARIANTS), ("--ask", ask, MOST_ASKED)):
        if value is not None and value > most:
            raise TracerError(f"{option}: found {value:,}, expected at most {most:,}")
    base = _base(problem, layers)
    folder = templates.resolve() if templates else None
    theme_of(language, folder)
    plan: dict[str, Any] = {"mode": mode.value, "blank": blank, "give": give, "feedback": feedback.value, "sums": sums}
    make_plan(base, build(base, base.batches()[0][1]), **plan)  # what is wrong with it is said before the search
    students = read_roster(roster) if roster else []
    wanted = Sitting(output, SheetChoices(plan, language, folder), students, count, seed, sitting, ask)
    with progress("variants", wanted.hands) as advance:
        certificate = wanted.write(base, advance)
    for line in (
        f"{len(certificate.proofs)} variants: {certificate.telling.forms} forms of slips, none invisible, no two alike",
        f"for students: {output / STUDENTS}",
        f"for you alone (keys, seed, certificate): {output / TEACHER}",
        f"to mark what is handed in: tracer check {output} ANSWERS -o marked",
    ):
        typer.echo(line)


def _base(problem: str, layers: str | None) -> AnyProblem:
    """The problem whose numbers are redrawn. Raises TracerError unless exactly one is named."""
    if bool(problem) == bool(layers):
        raise TracerError(f"found {'both' if problem else 'neither'} PROBLEM and --layers, expected one of them")
    if layers is None:
        return load_any(problem)
    from tracer.invent import practice_base

    return practice_base(layers, 4, 1, "sigmoid", "sigmoid", "half_squared_error")
