"""How much room the texts of a workbook take, measured with the font that stands in for Calibri, and what they have."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import openpyxl
from openpyxl.cell.cell import Cell
from openpyxl.utils import range_boundaries
from openpyxl.worksheet.worksheet import Worksheet
from PIL import ImageFont

from tests.conftest import require_font, require_program
from tracer.spreadsheet.print_setup import ROW

POINTS = 5.25  # of a column for each character of its width
PADDING, LINE = 3.0, 1.2  # points beside a text; the height of a line beside the size of its type
WHITE = "00FFFFFF"
Range = tuple[int, int, int, int]
"""First column and row, last column and row."""


@cache
def font(bold: bool) -> ImageFont.FreeTypeFont:
    require_font("Carlito")
    command = [require_program("fc-match"), "-f", "%{file}", "Carlito:bold" if bold else "Carlito"]
    return ImageFont.truetype(subprocess.run(command, capture_output=True, text=True, check=True).stdout, 1000)


@cache
def width_of(text: str, size: float = 10.0, bold: bool = False) -> float:
    """Points that a text takes in one line."""
    return font(bold).getlength(text) * size / 1000


def lines_in(text: str, room: float, size: float = 10.0, bold: bool = False) -> int:
    """Lines that a text takes in a width of so many points, broken between words."""
    count = 0
    for paragraph in text.split("\n"):
        count, used = count + 1, 0.0
        for word in paragraph.split(" "):
            if used and used + width_of(word, size, bold) > room:
                count, used = count + 1, 0.0
            used += width_of(f"{word} ", size, bold)
    return count


def sheets(path: Path) -> list["Room"]:
    return [Room(sheet) for sheet in openpyxl.load_workbook(path, data_only=True)]


@dataclass
class Room:
    """A sheet as it is seen: neither what is hidden nor white type."""

    sheet: Worksheet

    @cached_property
    def merged(self) -> dict[tuple[int, int], Range]:
        """For every cell of a merged range that range."""
        return {place: each.bounds for each in self.sheet.merged_cells.ranges for row in each.rows for place in row}

    @cached_property
    def widths(self) -> dict[int, float]:
        """Points of each column."""
        found: dict[int, float] = {}
        for each in self.sheet.column_dimensions.values():
            found |= dict.fromkeys(range(each.min, each.max + 1), 0.0 if each.hidden else POINTS * each.width)
        return found

    def width(self, column: int) -> float:
        return self.widths.get(column, POINTS * 8.43)

    def height(self, row: int) -> float:
        dimension = self.sheet.row_dimensions[row]
        return 0.0 if dimension.hidden else dimension.height or ROW

    def seen(self) -> Iterator[Cell]:
        """The cells with a number or a text."""
        for row in self.sheet.iter_rows():
            for cell in row:
                white = cell.font.color is not None and cell.font.color.rgb == WHITE
                if cell.value not in (None, "") and not white and self.width(cell.column) and self.height(cell.row):
                    yield cell

    def texts(self) -> Iterator[tuple[Cell, str, Range]]:
        """The cells with a text, and the range that each is over."""
        for cell in self.seen():
            if isinstance(cell.value, str):
                place = (cell.row, cell.column)
                yield cell, cell.value, self.merged.get(place, (cell.column, cell.row, cell.column, cell.row))

    def cut(self) -> Iterator[str]:
        """Where a text is broken into more lines than are seen, or is longer than its line."""
        for cell, text, (first, top, last, bottom) in self.texts():
            across = self.across(first, last)
            if cell.alignment.wrap_text:
                if (
                    self.down(cell, text, (first, top, last, bottom))
                    > sum(map(self.height, range(top, bottom + 1))) + 1
                ):
                    yield f"{self.sheet.title}!{cell.coordinate}"
            elif not cell.alignment.shrink_to_fit:
                while across < self.taken(cell, text) and self.is_free(top, last + 1):
                    last += 1
                    across += self.width(last)
                if across < self.taken(cell, text):
                    yield f"{self.sheet.title}!{cell.coordinate}"

    def is_free(self, row: int, column: int) -> bool:
        """Whether the text before a cell goes on over it."""
        return self.sheet.cell(row, column).value is None and (row, column) not in self.merged

    def across(self, first: int, last: int) -> float:
        """Points that columns leave for a text."""
        return sum(map(self.width, range(first, last + 1))) - PADDING

    def down(self, cell: Cell, text: str, bounds: Range) -> float:
        """Points that a text takes that is broken over the width of a range."""
        lines = lines_in(text, self.across(bounds[0], bounds[2]), cell.font.sz, bool(cell.font.b))
        return lines * LINE * float(cell.font.sz)

    def taken(self, cell: Cell, text: str) -> float:
        """Points that a text takes in one line."""
        return width_of(text, cell.font.sz, bool(cell.font.b))

    def areas(self) -> list[Range]:
        """What is printed; nothing of a sheet for the screen."""
        named = str(self.sheet.print_area or "").replace(f"'{self.sheet.title}'!", "").replace("$", "")
        found = [range_boundaries(each) for each in named.split(",") if each]
        return [each for each in found if any(map(self.height, range(each[1], each[3] + 1)))]

    def unprinted(self) -> Iterator[Cell]:
        """Cells that are seen outside what is printed."""
        for cell in self.seen():
            if not any(a <= cell.column <= c and b <= cell.row <= d for a, b, c, d in self.areas()):
                yield cell

    def ends_empty(self, area: Range) -> bool:
        """Whether the last row or column of a range has nothing in it."""
        first, top, last, bottom = area
        row = [(bottom, column) for column in range(first, last + 1)]
        column = [(row, last) for row in range(top, bottom + 1)]
        return not (any(map(self._is_used, row)) and any(map(self._is_used, column)))

    def _is_used(self, place: tuple[int, int]) -> bool:
        return self.sheet.cell(*place).has_style or place in self.merged
