"""The cells of one sheet as spreadsheet XML, with every digit and every cached value.

openpyxl rounds floats to 16 digits and caches no formula's value; here a float is its repr, and
a formula carries the value that the trace recorded, for viewers that do not calculate. A matrix
is written a row at a time from one template, when the package is written and not before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from tracer.errors import ExportError
from tracer.export.fill import MARK, Filled, Formula, fill_down

MOST_ROWS, MOST_COLUMNS, MOST_FORMULA = 1_048_576, 16_384, 8_192

Array = NDArray[np.float64]


@cache
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


class Block:
    """A matrix on a sheet: numbers, or formulas with their values, in one style."""

    def __init__(self, top: int, left: int, values: Array, style: int) -> None:
        if top + values.shape[0] > MOST_ROWS or left + values.shape[1] > MOST_COLUMNS:
            raise ExportError(f"a sheet has {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns; this needs more")
        if not np.isfinite(values).all():
            raise ExportError("a spreadsheet cannot hold infinite numbers")
        self.top, self.left, self.values, self.style = top, left, values, style
        self.write_row: Callable[[int], str] = self._template("", [])

    @property
    def rows(self) -> range:
        """The sheet rows it takes."""
        return range(self.top, self.top + self.values.shape[0])

    def with_formulas(self, formula: Formula, alike: bool) -> Block:
        """The same cells with formulas; `alike`: a column's formulas differ by their row alone."""
        rows, columns = self.values.shape

        def column(c: int) -> Filled | None:
            return fill_down(lambda row: formula(row, c), rows)

        filled = [each for each in map(column, range(columns if alike else 0)) if each is not None]
        if len(filled) == columns:
            bases = sorted({base for each in filled for base in each.bases})
            marks = {base: chr(MARK + 1 + k) for k, base in enumerate(bases)}
            texts = [each.text(marks) for each in filled]
            self.write_row = self._template("<f>{}</f>", texts, [(marks[base], base) for base in bases])
        else:
            self.write_row = lambda row: self._template("<f>{}</f>", [formula(row, c) for c in range(columns)])(row)
        return self

    def _template(
        self, inside: str, texts: list[str], moving: list[tuple[str, int]] | None = None
    ) -> Callable[[int], str]:
        """One row's cells, with marks where numbers depend on the row."""
        here = chr(MARK)
        cells = []
        for k in range(self.values.shape[1]):
            content = inside.format(_formula(texts[k])) if texts else ""
            letters = column_letters(self.left + k)
            cells.append(f'<c r="{letters}{here}" s="{self.style}">{content}<v>%r</v></c>')
        template = "".join(cells)

        def write(row: int) -> str:
            text = template.replace(here, str(self.top + row))
            for mark, base in moving or ():
                text = text.replace(mark, str(base + row))
            return text % tuple(self.values[row].tolist())

        return write


class SheetData:
    """Collects texts and blocks; rows and columns count from 1, styles are the workbook's style numbers."""

    def __init__(self) -> None:
        self._texts: dict[int, dict[int, str]] = defaultdict(dict)
        self._blocks: list[Block] = []
        self.heights: dict[int, float] = {}

    def numbers(self, row: int, column: int, values: Array, style: int) -> None:
        """A matrix of numbers."""
        self._blocks.append(Block(row, column, values, style))

    def formulas(self, row: int, column: int, values: Array, style: int, formula: Formula, alike: bool = False) -> None:
        """A matrix of formulas (without their "=") and the values they have.

        `alike` says that the formulas of a column differ only in row numbers that move with the row.
        """
        self._blocks.append(Block(row, column, values, style).with_formulas(formula, alike))

    def text(self, row: int, column: int, text: str, style: int) -> None:
        content = f'<is><t xml:space="preserve">{escape(text)}</t></is>'
        self._texts[row][column] = f'<c r="{address(row, column)}" s="{style}" t="inlineStr">{content}</c>'

    def live_text(self, row: int, column: int, formula: str, text: str, style: int) -> None:
        """A formula that gives a text."""
        content = f"<f>{escape(formula)}</f><v>{escape(text)}</v>"
        self._texts[row][column] = f'<c r="{address(row, column)}" s="{style}" t="str">{content}</c>'

    def blank(self, row: int, column: int, style: int) -> None:
        self._texts[row][column] = f'<c r="{address(row, column)}" s="{style}"/>'

    def xml(self) -> Iterator[str]:
        """The sheetData element, a row at a time."""
        starting: dict[int, list[Block]] = defaultdict(list)
        for block in self._blocks:
            starting[block.top].append(block)
        rows = set(self._texts) | set(self.heights)
        rows.update(*(block.rows for block in self._blocks))
        active: list[Block] = []
        yield "<sheetData>"
        for row in sorted(rows):
            active = [block for block in active if row in block.rows] + starting.get(row, [])
            pieces = [*self._texts.get(row, {}).items()] + [(b.left, b.write_row(row - b.top)) for b in active]
            pieces.sort(key=lambda piece: piece[0])
            height = self.heights.get(row)
            given = f' ht="{height:g}" customHeight="1"' if height else ""
            yield f'<row r="{row}"{given}>{"".join(text for _, text in pieces)}</row>'
        yield "</sheetData>"


def _formula(text: str) -> str:
    if len(text) > MOST_FORMULA:
        raise ExportError(f"a formula of {len(text):,} characters is longer than the {MOST_FORMULA:,} of a cell")
    return escape(text).replace("%", "%%")
