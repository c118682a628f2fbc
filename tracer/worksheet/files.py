"""The files of a worksheet: a page and a workbook for every sheet, and the key to all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO

from tracer.errors import TracerError
from tracer.files import replace_file, unreserved
from tracer.presentation.theme import Theme
from tracer.run.passes import AnyProblem, Trace
from tracer.worksheet.book import write_worksheet_book
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.plan import Plan
from tracer.worksheet.planting import Planted


def write_worksheets(
    trace: Trace[AnyProblem], sheets: Sequence[Plan], folder: Path, theme: Theme, planted: Planted | None = None
) -> list[Path]:
    """Write the sheets of a plan, or of a series, whose last sheet is the plan; the key is of that one.

    `planted` has the numbers and slips of a sheet on which errors are to be found; its key says which they are.
    Raises TracerError, before anything is written, where a template is wrong or such a sheet has no slips.
    """
    if sheets[0].finds and planted is None:
        raise TracerError("a sheet on which errors are to be found needs slips: `tracer worksheet --mode find`")
    name = folder / unreserved(trace.problem.name)
    pages = {path: render_worksheet(trace, plan, key, theme, planted) for path, plan, key in _files(name, sheets)}
    paths = []
    for path, plan, key in _files(name, sheets):
        book = path.with_name(path.name.removesuffix(".html") + ".xlsx")
        write_worksheet_book(trace, plan, book, key, theme, planted)
        replace_file(path, partial(_write, pages[path]))
        paths += [book, path]
    return paths


def _files(name: Path, sheets: Sequence[Plan]) -> Iterator[tuple[Path, Plan, bool]]:
    """The page of each sheet with its plan, and whether it is the key."""
    if sheets[0].number > 1:
        name = name.with_name(f"{name.name}.pass-{sheets[0].number}")
    if sheets[0].finds:
        name = name.with_name(f"{name.name}.find")
    for plan in sheets:
        number = f"-{plan.sheet}" if plan.sheets else ""
        yield name.with_name(f"{name.name}.worksheet{number}.html"), plan, False
    yield name.with_name(f"{name.name}.key.html"), replace(sheets[-1], sheet=0, sheets=0), True


def _write(text: str, file: IO[bytes]) -> None:
    file.write(text.encode())
