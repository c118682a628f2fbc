"""Worksheets for students."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tracer.commands.common import DEFAULT_FOLDER, FolderOption, ProblemArgument, load


class Mode(StrEnum):
    """What a worksheet is for: practice with marks, an exam without, or paper."""

    practice = "practice"
    exam = "exam"
    print = "print"


class Feedback(StrEnum):
    """When a practice sheet shows its marks: after each cell, each whole matrix, or everything."""

    cell = "cell"
    step = "step"
    end = "end"


def worksheet(
    problem: ProblemArgument,
    output: FolderOption = DEFAULT_FOLDER,
    mode: Annotated[Mode, typer.Option(help="What it is for.")] = Mode.practice,
    blank: Annotated[str | None, typer.Option(help="Steps (2,3,7) or matrices (Z1,D2) to fill in.")] = None,
    give: Annotated[str | None, typer.Option(help="Steps or matrices that are printed.")] = None,
    feedback: Annotated[Feedback, typer.Option(help="When a practice sheet shows its marks.")] = Feedback.step,
) -> None:
    """Write a blank worksheet for students, as workbook and page, and its key."""
    from tracer.export.worksheet_book import write_worksheet_book
    from tracer.export.worksheet_page import write_worksheet_page
    from tracer.export.worksheet_plan import make_plan
    from tracer.network.program import build
    from tracer.training import trace

    loaded = load(problem)
    plan = make_plan(loaded, build(loaded), mode.value, blank, give, feedback.value)
    recorded = trace(loaded)
    for kind in ("worksheet", "key"):
        book, page = (output / f"{loaded.name}.{kind}.{ending}" for ending in ("xlsx", "html"))
        write_worksheet_book(recorded, plan, book, kind == "key")
        write_worksheet_page(recorded, plan, page, kind == "key")
        for path in (book, page):
            typer.echo(path)
    if plan.given:
        printed = ", ".join(each for each in recorded.first if each in plan.given)
        typer.echo(f"printed, and so in the files: {printed}")
