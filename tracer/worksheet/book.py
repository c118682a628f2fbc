"""The workbook of a worksheet: the board with given numbers, cells to fill in, and marks beside them.

Given cells are locked (without a password), answer cells open. A practice file marks itself by formulas and, like
an exam, holds no answer; the key is the same sheet with the recorded numbers in it.
"""

from __future__ import annotations

from pathlib import Path

from openpyxl.packaging.custom import StringProperty

from tracer.presentation.theme import Theme, theme_of
from tracer.run.passes import AnyProblem, Trace
from tracer.spreadsheet.package import write_workbook_file
from tracer.workbook.names_sheet import write_names
from tracer.worksheet.finding import FindingSheet
from tracer.worksheet.plan import Plan
from tracer.worksheet.planting import Planted
from tracer.worksheet.sheet import Worksheet
from tracer.worksheet.working import Working


def write_worksheet_book(
    trace: Trace[AnyProblem],
    plan: Plan,
    path: Path,
    key: bool = False,
    theme: Theme | None = None,
    planted: Planted | None = None,
) -> None:
    """Write the worksheet of a trace's first pass, or its key; `planted` has the numbers of a sheet with slips.

    Raises ExportError, leaving `path` as it was, where it cannot be written.
    """
    worksheet = Worksheet(trace.by_hand(), plan, key, theme or theme_of(), planted)
    worksheet.fill()
    if planted is not None:
        FindingSheet(worksheet, planted).fill()
    if key or planted is None:
        Working(worksheet).fill()
    worksheet.hide()
    book = worksheet.book
    if not worksheet.program.by_layers:  # whose identifiers cannot be read off their defined names
        write_names(book)
    book.styles.finish()
    properties = book.workbook.properties
    properties.title, properties.creator = worksheet.title, "Tracer"
    properties.keywords = f"backpropagation, worksheet, problem {plan.problem_sha256}"
    stamp = StringProperty(name="problem_sha256", value=plan.problem_sha256)
    book.workbook.custom_doc_props.append(stamp)  # type: ignore[attr-defined]  # not in the types
    write_workbook_file(book.workbook, book.data, path)
