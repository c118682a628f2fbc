"""Auditing a stranger's workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracer.commands.common import JsonOption, print_json


def audit(
    book: Annotated[
        Path, typer.Argument(metavar="BOOK.xlsx", help="A workbook with a network's forward and backward pass.")
    ],
    as_json: JsonOption = False,
    loss: Annotated[
        str | None, typer.Option("--loss", metavar="CELL", help="The cell that holds the loss, as in Sheet1!Y33.")
    ] = None,
    told: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="What cells are for, in TOML: loss, parameters, gradients, rate."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="A folder for a copy with the wrong cells marked, and a page."
        ),
    ] = None,
    problem: Annotated[
        Path | None,
        typer.Option(
            "--to-problem", metavar="FILE", help="Write the network that was found as a problem file (.toml)."
        ),
    ] = None,
) -> None:
    """Find the network in anybody's workbook and name the first wrong cell, with the formula that belongs there."""
    from tracer.audit.bounds import AuditRequest, audit_in_bounds

    found = audit_in_bounds(AuditRequest(book, loss, told, output, problem))
    if as_json:
        print_json(found.document)
    else:
        for line in found.lines:
            typer.echo(line)
    if found.status:
        raise typer.Exit(found.status)
