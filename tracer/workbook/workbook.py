"""The workbook: a start sheet, and for every step of every pass a sheet with the board.

Each computed cell is a live formula on the sheet of its step, over cells of the same sheet;
whatever was computed before is brought there by a reference. Only data, the first parameters and
the learning rate are typed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tracer.errors import ExportError
from tracer.presentation.board import lay_out
from tracer.problem.problem import Problem
from tracer.run.passes import AnyProblem, Trace
from tracer.spreadsheet.package import write_workbook_file
from tracer.spreadsheet.sheet_data import MOST_COLUMNS, MOST_ROWS
from tracer.workbook.book import LEFT, TOP, Book
from tracer.workbook.certificate import write_certificate
from tracer.workbook.history_sheet import write_history
from tracer.workbook.names_sheet import write_names
from tracer.workbook.pass_layout import PassLayout, layout_of, staged
from tracer.workbook.presenter_sheet import write_presenter
from tracer.workbook.start_sheet import fill_start
from tracer.workbook.step_sheet import StepSheet


def write_workbook(
    trace: Trace[AnyProblem], path: Path, progress: Callable[[], None] | None = None, matrix_formulas: bool = False
) -> None:
    """Write the recorded passes of a trace as a workbook; `progress` is called for every sheet.

    `matrix_formulas`: a matrix is computed by one array formula, not cell by cell, where it has one.
    Raises ExportError, leaving `path` as it was, for what does not fit a workbook.
    """
    book = Book(trace, matrix_formulas)
    start = book.add_sheet("Start")
    links = [(book.sheet_title(one, step), one, step) for one in book.passes for step in one.steps]
    sheets = []
    layouts = [staged(layout_of(trace, one, index), book.headings) for index, one in enumerate(book.passes)]
    book.top = below_stages(layouts)
    _check_size(trace, book.top)
    for layout in layouts:
        one = layout.one
        for step in one.steps:
            sheet = StepSheet(book, layout, step, book.sheet_title(one, step))
            sheet.fill()
            sheets.append(sheet)
            if progress is not None:
                progress()
        if one is trace.first:
            write_presenter(book, layout)
    write_history(book)
    certified = write_certificate(book)
    book.drop_stale_names()
    fill_start(book, start, links, certified)
    for sheet in sheets:
        sheet.link_to(*book.neighbours(sheet.title))
    book.link_neighbours()
    write_names(book)
    book.styles.finish()
    _describe(book)
    write_workbook_file(book.workbook, book.data, path)


def below_stages(layouts: Sequence[PassLayout]) -> int:
    """The row where the board begins: a free one below the tallest stage of any pass."""
    return TOP + max(layout.stage_rows for layout in layouts) + 1


def _describe(book: Book) -> None:
    """The document's properties."""
    properties, problem = book.workbook.properties, book.problem
    properties.title, properties.creator = problem.title, "Tracer"
    properties.subject = "Backpropagation by hand, step by step"
    properties.description = problem.description or None
    sizes = f"{'→'.join(map(str, problem.sizes))}, " if isinstance(problem, Problem) else ""
    properties.keywords = f"backpropagation, {sizes}problem {problem.sha256}"
    properties.category = "Education"


def _check_size(trace: Trace[AnyProblem], top: int) -> None:
    """Refuse a board, from the row `top` on, that no sheet holds."""
    rows, columns = lay_out(trace.first.program).whole
    rows, columns = top + rows, LEFT + 2 * columns  # the record has the differences beside the numbers
    if rows > MOST_ROWS or columns > MOST_COLUMNS:
        raise ExportError(
            f"the workbook needs {rows:,} rows and {columns:,} columns, a sheet has {MOST_ROWS:,} and "
            f"{MOST_COLUMNS:,}; --only html leaves it out"
        )
