"""The workbook: a start sheet, and for every step of every pass a sheet with the board.

Each computed cell is a live formula on the sheet of its step, over cells of the same sheet;
whatever was computed before is brought there by a reference. Only data, the first parameters and
the learning rate are typed in.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tracer.board import lay_out
from tracer.errors import ExportError
from tracer.export.book import Book
from tracer.export.package import write_workbook_file
from tracer.export.start_sheet import fill_start
from tracer.export.step_sheet import StepSheet
from tracer.shown import shown
from tracer.trace import Trace

MOST_SHEETS = 1000


def write_workbook(trace: Trace, path: Path, progress: Callable[[], None] | None = None) -> None:
    """Write the recorded passes of a trace as a workbook; `progress` is called for every sheet.

    Raises ExportError, leaving `path` as it was, for what does not fit a workbook.
    """
    sheets = sum(len(each.steps) for each in trace.passes)
    if sheets > MOST_SHEETS:
        raise ExportError(
            f"{sheets} sheets (one for each step of each pass) are more than the {MOST_SHEETS} a workbook is "
            "readable with; choose fewer epochs or a larger batch_size"
        )
    book = Book(trace)
    start = book.add_sheet("Start")
    links = []
    for index, one in enumerate(book.passes):
        board, decimals = lay_out(one.program), shown(trace, one)
        for step in one.steps:
            title = book.sheet_title(one, step)
            links.append((title, step))
            StepSheet(book, one, index, board, decimals, step, title).fill()
            if progress is not None:
                progress()
    fill_start(book, start, links)
    book.styles.finish()
    properties = book.workbook.properties
    properties.title, properties.creator = trace.problem.title, "Tracer"
    write_workbook_file(book.workbook, book.data, path)
