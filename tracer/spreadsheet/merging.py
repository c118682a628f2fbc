"""Cells of a row made one."""

from __future__ import annotations

from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.worksheet import Worksheet


def merge(sheet: Worksheet, row: int, first: int, last: int) -> None:
    """Make one cell of those in a row; rows and columns count from 1.

    openpyxl's own way looks through all that are merged already, which takes time where there are many.
    """
    sheet.merged_cells.ranges.add(CellRange(min_col=first, min_row=row, max_col=last, max_row=row))
