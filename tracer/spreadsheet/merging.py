"""Cells of a row or a column made one."""

from __future__ import annotations

from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.worksheet import Worksheet


def merge(sheet: Worksheet, row: int, first: int, last: int) -> None:
    """Make one cell of those in a row; rows and columns count from 1.

    openpyxl's own way looks through all that are merged already, which takes time where there are many.
    """
    sheet.merged_cells.ranges.add(CellRange(min_col=first, min_row=row, max_col=last, max_row=row))


def merge_rows(sheet: Worksheet, column: int, first: int, last: int) -> None:
    """The same with cells of a column."""
    sheet.merged_cells.ranges.add(CellRange(min_col=column, min_row=first, max_col=column, max_row=last))
