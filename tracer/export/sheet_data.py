"""The cells of one sheet as spreadsheet XML, with every digit and every cached value.

openpyxl rounds floats to 16 digits and caches no formula's value; here a float is its repr, and
a formula carries the value that the trace recorded, for viewers that do not calculate.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from xml.sax.saxutils import escape

from tracer.errors import ExportError

MOST_ROWS, MOST_COLUMNS, MOST_FORMULA = 1_048_576, 16_384, 8_192


def column_letters(column: int) -> str:
    """The letters of a column counted from 1.

    >>> column_letters(1), column_letters(28)
    ('A', 'AB')
    """
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def address(row: int, column: int, absolute: bool = False) -> str:
    """The address of a cell counted from 1."""
    mark = "$" if absolute else ""
    return f"{mark}{column_letters(column)}{mark}{row}"


class SheetData:
    """Collects cells; rows and columns count from 1, styles are the workbook's style numbers."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, str]] = defaultdict(dict)
        self.heights: dict[int, float] = {}

    def number(self, row: int, column: int, value: float, style: int) -> None:
        self._put(row, column, f's="{style}"><v>{_number(value)}</v></c>')

    def formula(self, row: int, column: int, formula: str, value: float, style: int) -> None:
        """A formula without its "=", and the value it has."""
        if len(formula) > MOST_FORMULA:
            raise ExportError(f"a formula of {len(formula)} characters is longer than {MOST_FORMULA}")
        self._put(row, column, f's="{style}"><f>{escape(formula)}</f><v>{_number(value)}</v></c>')

    def text(self, row: int, column: int, text: str, style: int) -> None:
        content = f'<is><t xml:space="preserve">{escape(text)}</t></is>'
        self._put(row, column, f's="{style}" t="inlineStr">{content}</c>')

    def blank(self, row: int, column: int, style: int) -> None:
        self._put(row, column, f's="{style}"/>')

    def _put(self, row: int, column: int, rest: str) -> None:
        if row > MOST_ROWS or column > MOST_COLUMNS:
            raise ExportError(f"a sheet has {MOST_ROWS} rows and {MOST_COLUMNS} columns; this needs more")
        self._rows[row][column] = f'<c r="{address(row, column)}" {rest}'

    def xml(self) -> Iterator[str]:
        """The sheetData element, a row at a time."""
        yield "<sheetData>"
        for row in sorted(self._rows.keys() | self.heights.keys()):
            height = self.heights.get(row)
            given = f' ht="{height:g}" customHeight="1"' if height else ""
            cells = self._rows[row]
            yield f'<row r="{row}"{given}>{"".join(cells[column] for column in sorted(cells))}</row>'
        yield "</sheetData>"


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ExportError(f"a spreadsheet cannot hold {value}")
    return repr(float(value))
