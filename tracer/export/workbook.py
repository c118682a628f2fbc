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
from tracer.export.book import LEFT, TOP, Book
from tracer.export.certificate import write_certificate
from tracer.export.package import write_workbook_file
from tracer.export.sheet_data import MOST_COLUMNS, MOST_ROWS
from tracer.export.start_sheet import fill_start
from tracer.export.step_sheet import StepSheet, layout_of
from tracer.export.worked_lines import COLUMNS
from tracer.trace import Trace


def write_workbook(trace: Trace, path: Path, progress: Callable[[], None] | None = None) -> None:
    """Write the recorded passes of a trace as a workbook; `progress` is called for every sheet.

    Raises ExportError, leaving `path` as it was, for what does not fit a workbook.
    """
    _check_size(trace)
    book = Book(trace)
    start = book.add_sheet("Start")
    links = [(book.sheet_title(one, step), one, step) for one in book.passes for step in one.steps]
    titles = ["Start", *(title for title, _, _ in links)]
    for index, one in enumerate(book.passes):
        layout = layout_of(trace, one, index)
        for step in one.steps:
            sheet = StepSheet(book, layout, step, book.sheet_title(one, step))
            sheet.fill()
            sheet.link_to(*_neighbours(titles, sheet.title))
            if progress is not None:
                progress()
    write_certificate(book)
    book.drop_stale_names()
    fill_start(book, start, links)
    book.styles.finish()
    properties = book.workbook.properties
    properties.title, properties.creator = trace.problem.title, "Tracer"
    write_workbook_file(book.workbook, book.data, path)


def _neighbours(titles: list[str], title: str) -> tuple[str | None, str | None]:
    """The sheets before and behind one."""
    place = titles.index(title)
    return titles[place - 1] if place > 1 else None, titles[place + 1] if place + 1 < len(titles) else None


def _check_size(trace: Trace) -> None:
    """Refuse a board that no sheet holds."""
    board = lay_out(trace.first.program)
    rows, columns = TOP + board.rows, LEFT + board.columns + 2 * COLUMNS
    if rows > MOST_ROWS or columns > MOST_COLUMNS:
        raise ExportError(
            f"the workbook needs {rows:,} rows and {columns:,} columns, a sheet has {MOST_ROWS:,} and "
            f"{MOST_COLUMNS:,}; --only html leaves it out"
        )
