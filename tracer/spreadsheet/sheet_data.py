"""The cells of one sheet as spreadsheet XML, with every digit and every cached value.

openpyxl rounds floats to 16 digits and caches no formula's value; here a float has as many digits
as it takes to read it back, and a formula carries the value that the trace recorded, for viewers
that do not calculate. A matrix is written a row at a time from one template of bytes, when the
package is written and not before. What then takes the time is zlib.
"""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from math import isfinite
from operator import itemgetter

import numpy as np
from pydantic_core import to_json

from tracer.errors import ExportError
from tracer.expression.arrays import Array
from tracer.spreadsheet.columns import address as address
from tracer.spreadsheet.columns import column_letters as column_letters
from tracer.spreadsheet.fill import MARKS, CellFormula, Coordinate, Filled, fill_down

MOST_ROWS, MOST_COLUMNS, MOST_FORMULA = 1_048_576, 16_384, 8_192
HERE, *MOVING = MARKS  # in a template: the row of the cells, and what moves with it in their formulas
AT_ONCE = 4096  # numbers that are written out together


class CellBlock:
    """A matrix on a sheet: numbers, or formulas with their values, in one style.

    `template` gives the cells of a row (from 0) with %s in place of their values.
    """

    def __init__(self, top: int, left: int, values: Array, style: int) -> None:
        rows, columns = values.shape
        if top + rows - 1 > MOST_ROWS or left + columns - 1 > MOST_COLUMNS:
            raise ExportError(f"a sheet has {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns; this needs more")
        if not np.isfinite(values).all():
            raise ExportError("a spreadsheet cannot hold infinite numbers")
        self.left, self.values, self.style = left, values, style
        self.rows = range(top, top + rows)
        self.template = _filling(self._cells([""] * columns), [(HERE, Coordinate(False, top))])

    def with_formulas(self, formula: CellFormula, alike: bool) -> CellBlock:
        """The same cells with formulas; `alike`: a column's differ by what moves with the row alone."""
        here, columns = (HERE, Coordinate(False, self.rows.start)), range(self.values.shape[1])
        filled = self._filled(formula) if alike else None
        moving = sorted({coordinate for each in filled or () for coordinate in each.moving})
        if filled is not None and len(moving) <= len(MOVING):
            marks = dict(zip(moving, MOVING, strict=False))
            cells = self._cells([_element(each.text(marks)) for each in filled])
            self.template = _filling(cells, [here, *zip(MOVING, moving, strict=False)])
        else:
            self.template = lambda row: _filling(
                self._cells([_element(_checked(formula, column, row)) for column in columns]), [here]
            )(row)
        return self

    def with_array_formula(self, formula: str) -> CellBlock:
        """The same cells with one formula for all of them, which stands in the first."""
        first = address(self.rows.start, self.left)
        last = address(self.rows.stop - 1, self.left + self.values.shape[1] - 1)
        reference = first if first == last else f"{first}:{last}"
        numbers, element = self.template, _element(formula, f' t="array" ref="{reference}"').encode()
        self.template = lambda row: numbers(row) if row else numbers(0).replace(b"<v>", element + b"<v>", 1)
        return self

    def cells(self) -> Iterator[bytes]:
        """The XML of its cells, a row at a time. JSON writes floats as repr does, nine times as fast."""
        columns = self.values.shape[1]
        step = max(1, AT_ONCE // columns)
        for first in range(0, len(self.rows), step):
            numbers = to_json(self.values[first : first + step].ravel().tolist())[1:-1].split(b",")
            for k in range(len(numbers) // columns):
                yield self.template(first + k) % tuple(numbers[k * columns : (k + 1) * columns])

    def _filled(self, formula: CellFormula) -> list[Filled] | None:
        """A template for each column's formulas; None where one has none."""
        filled = []
        for column in range(self.values.shape[1]):
            each = fill_down(partial(_checked, formula, column), len(self.rows))
            if each is None:
                return None
            filled.append(each)
        return filled

    def _cells(self, contents: list[str]) -> bytes:
        """One row's cells, with a mark for the number of the row."""
        letters = map(column_letters, range(self.left, self.left + len(contents)))
        cells = (
            f'<c r="{column}{HERE}" s="{self.style}">{content}<v>%s</v></c>'
            for column, content in zip(letters, contents, strict=True)
        )
        return "".join(cells).encode()


class SheetData:
    """Collects texts and blocks; rows and columns count from 1, styles are the workbook's style numbers.

    `alt_text` says in words what the sheet's one chart or picture shows.
    """

    def __init__(self) -> None:
        self._texts: dict[int, dict[int, bytes]] = defaultdict(dict)
        self._blocks: list[CellBlock] = []
        self.heights: dict[int, float] = {}
        self.alt_text = ""
        self.folded: set[int] = set()  # empty rows, hidden until somebody unfolds them

    def numbers(self, row: int, column: int, values: Array, style: int) -> None:
        """A matrix of numbers."""
        self._blocks.append(CellBlock(row, column, values, style))

    def formulas(
        self, row: int, column: int, values: Array, style: int, formula: CellFormula, alike: bool = False
    ) -> None:
        """A matrix of formulas (without their "=") and the values they have.

        `alike` says that the formulas of a column differ only in rows and columns that move with the row.
        """
        self._blocks.append(CellBlock(row, column, values, style).with_formulas(formula, alike))

    def array_formula(self, row: int, column: int, values: Array, style: int, formula: str) -> None:
        """A matrix that one formula (without its "=") gives, and the values that it has."""
        self._blocks.append(CellBlock(row, column, values, style).with_array_formula(formula))

    def text(self, row: int, column: int, text: str, style: int) -> None:
        content = f'<is><t xml:space="preserve">{_xml(text)}</t></is>'
        self._put(row, column, f's="{style}" t="inlineStr">{content}</c>')

    def reference(self, row: int, column: int, formula: str, value: float, style: int) -> None:
        """One cell with a formula that gives a number."""
        if not isfinite(value):
            raise ExportError("a spreadsheet cannot hold infinite numbers")
        self._put(row, column, f's="{style}"><f>{_xml(formula)}</f><v>{value!r}</v></c>')

    def live_text(self, row: int, column: int, formula: str, text: str, style: int) -> None:
        """A formula that gives a text."""
        content = f"<f>{_xml(formula)}</f><v>{_xml(text)}</v>"
        self._put(row, column, f's="{style}" t="str">{content}</c>')

    def blank(self, row: int, column: int, style: int) -> None:
        self._put(row, column, f's="{style}"/>')

    def _put(self, row: int, column: int, cell: str) -> None:
        self._texts[row][column] = f'<c r="{address(row, column)}" {cell}'.encode()

    def dimension(self) -> str:
        """The range that holds every cell; readers that trust it see nothing else."""
        places = [(row, column) for row, texts in self._texts.items() for column in texts]
        for block in self._blocks:
            last = block.left + block.values.shape[1] - 1
            places += [(block.rows.start, block.left), (block.rows.stop - 1, last)]
        rows, columns = zip(*places or [(1, 1)], strict=True)
        return f"{address(min(rows), min(columns))}:{address(max(rows), max(columns))}"

    def xml(self) -> Iterator[bytes]:
        """The sheetData element, a row at a time."""
        starting: dict[int, list[tuple[CellBlock, Iterator[bytes]]]] = defaultdict(list)
        for block in self._blocks:
            starting[block.rows.start].append((block, block.cells()))
        active: list[tuple[CellBlock, Iterator[bytes]]] = []
        yield b"<sheetData>"
        for rows in self._stretches():
            active = [each for each in active if rows.start in each[0].rows] + starting[rows.start]
            texts = [(column, iter((text,))) for column, text in self._texts.get(rows.start, {}).items()]
            parts = texts + [(block.left, cells) for block, cells in active]
            parts.sort(key=itemgetter(0))
            given = self._given(rows.start)
            if parts or given:
                # rows come first: where they end, zip takes nothing more from the cells
                for row, *cells in zip(rows, *(cells for _, cells in parts), strict=False):
                    yield b'<row r="%d"%s>%s</row>' % (row, given, b"".join(cells))
        yield b"</sheetData>"

    def _stretches(self) -> Iterator[range]:
        """Rows one after the other in which the same matrices go on; a row of which more is said stands alone."""
        edges = {edge for block in self._blocks for edge in (block.rows.start, block.rows.stop)}
        alone = {*self._texts, *self.heights, *self.folded}
        edges |= alone | {row + 1 for row in alone}
        return (range(first, stop) for first, stop in pairwise(sorted(edges)))

    def _given(self, row: int) -> bytes:
        """What is said of a row as a whole."""
        height = self.heights.get(row)
        given = f' ht="{height:g}" customHeight="1"' if height else ""
        given += ' outlineLevel="1" hidden="1"' if row in self.folded else ""
        return given.encode()


def _filling(template: bytes, marks: Sequence[tuple[str, Coordinate]]) -> Callable[[int], bytes]:
    """A row's template with coordinates in place of the marks, each as it is in the first row and moved on."""
    pairs = [(mark.encode(), first) for mark, first in marks]

    def at(row: int) -> bytes:
        text = template
        for mark, first in pairs:
            text = text.replace(mark, first.moved(row).text().encode())
        return text

    return at


def _checked(formula: CellFormula, column: int, row: int) -> str:
    """The formula of a cell, refused where it is too long for one."""
    text = formula(row, column)
    if len(text) > MOST_FORMULA:
        raise ExportError(f"a formula of {len(text):,} characters is longer than the {MOST_FORMULA:,} of a cell")
    return text


def _element(formula: str, given: str = "") -> str:
    return f"<f{given}>{_xml(formula)}</f>".replace("%", "%%")


def _xml(text: str) -> str:
    return html.escape(text, quote=False)
