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
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="A folder for a copy with the wrong cells marked."),
    ] = None,
) -> None:
    """Find the network in anybody's workbook and name the first wrong cell, with the formula that belongs there."""
    from tracer.audit.auditing import audit_file
    from tracer.audit.words import report

    found = audit_file(book, loss)
    if output is not None and found.found:
        from tracer.audit.marked_copy import write_marked_copy

        output.mkdir(parents=True, exist_ok=True)
        write_marked_copy(found, output / f"{book.stem}.audited.xlsx")
    if as_json:
        print_json(found.document())
    else:
        for line in report(found):
            typer.echo(line)
    if found.status:
        raise typer.Exit(found.status)
