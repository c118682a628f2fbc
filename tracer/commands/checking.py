"""Marking what students handed in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tracer.commands.common import JsonOption, ProblemArgument, load, print_json


class OtherConvention(StrEnum):
    """What becomes of answers that are right under another convention than the problem's."""

    strict = "strict"
    any = "any"


def check(
    problem: ProblemArgument,
    answers: Annotated[list[Path], typer.Argument(help="Answer files (.xlsx, .json, .csv).")],
    as_json: JsonOption = False,
    convention: Annotated[
        OtherConvention, typer.Option(help="Whether answers that are right under another convention count.")
    ] = OtherConvention.strict,
    number: Annotated[int, typer.Option("--pass", min=1, help="Which pass the answers are of.")] = 1,
) -> None:
    """Mark hand calculations cell by cell: fair to rounding, an error counted once, slips named."""
    from tracer.check.answers import read_answers
    from tracer.check.conventions import Conventions
    from tracer.check.key import key_of
    from tracer.check.marking import mark_answers

    conventions = Conventions(key_of(load(problem), number), number)
    accept = convention is OtherConvention.any
    marked = [mark_answers(read_answers(path), conventions, accept) for path in answers]
    if as_json:
        documents = [each.to_document() for each in marked]
        print_json(documents[0] if len(documents) == 1 else documents)
    else:
        from tracer.check.report import print_marked

        for each in marked:
            print_marked(each)
    if not all(each.all_right for each in marked):
        raise typer.Exit(1)
