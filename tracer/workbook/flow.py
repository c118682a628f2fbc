"""Rows of a sheet written one under the other, each as high as its text needs."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from openpyxl.worksheet.pagebreak import RowBreak
from openpyxl.worksheet.worksheet import Worksheet

from tracer.presentation.live_words import Words
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.print_setup import ROW, break_rows, choose_page, set_up
from tracer.spreadsheet.sheet_data import address, column_letters
from tracer.workbook.book import NARROW, Book, link

EMPTY, MOST_PAGES = (0.0, 12.0, 24.0), 2
GAP = 1.5  # width of a column that keeps others apart
LETTERS = 1.25  # small letters of 10-point type in a character of column width: less than there are, so that all fit


class Flow:
    """Writes a sheet from its first row on; columns of `widths` characters from B on, behind a narrow one."""

    def __init__(self, book: Book, sheet: Worksheet, widths: Sequence[float]) -> None:
        self.book, self.sheet, self.widths = book, sheet, widths
        self.data, self.styles = book.data[sheet.title], book.styles
        self.row, self.first, self.last = 1, 2, 1 + len(widths)
        self.breaks = {1}  # rows before which a page may end
        for column, width in enumerate((NARROW, *widths), start=1):
            sheet.column_dimensions[column_letters(column)].width = width

    def title(self, text: str) -> None:
        self.data.text(self.row, self.first, text, self.styles.wrapped_title)
        self._across(self.first, text, 1.6)

    def text(self, text: str, first: int = 2) -> None:
        """A text from a column to the last, and on to the next row."""
        self.data.text(self.row, first, text, self.styles.note)
        self._across(first, text)

    def live(self, words: Words, first: int = 2) -> None:
        """A text that follows the numbers, with room for the longest one that it can become."""
        self.data.live_text(self.row, first, words.formula, words.text, self.styles.note)
        self._across(first, max(words.text, words.longest, key=len))

    def heading(self, text: str) -> None:
        """A heading, with a free row above it."""
        self.row += 1
        self.breaks.add(self.row)
        self.data.text(self.row, self.first, text, self.styles.band)
        self.data.heights[self.row] = 1.3 * ROW
        self.row += 1

    def linked(self, title: str, text: str, first: int) -> None:
        """A link to a sheet, and what there is to see."""
        self.breaks.add(self.row)
        self.link(self.first, title, title)
        self.text(text, first)

    def link(self, column: int, text: str, title: str) -> None:
        """A link to a sheet in this row."""
        self.data.text(self.row, column, text, self.styles.link)
        link(self.sheet, address(self.row, column), title)

    def print_set_up(self) -> None:
        """Pages ended where they may be; printed beside an empty column, and so smaller, where that saves a third."""
        heights, rows = self.data.heights, range(2, self.row)
        height = sum(heights.get(row, ROW) for row in range(1, self.row))
        for empty in EMPTY:
            page, last = choose_page((sum(self.widths) + empty, height)), self.last + (empty > 0)
            self.sheet.row_breaks = RowBreak()
            set_up(self.sheet, page, [f"{address(1, self.first)}:{address(self.row - 1, last)}"], "1:1")
            break_rows(self.sheet, page, rows, lambda row: heights.get(row, ROW), self.breaks.__contains__, heights[1])
            if empty:
                self.sheet.column_dimensions[column_letters(last)].width = empty
            if len(self.sheet.row_breaks.brk) < MOST_PAGES:
                return

    def _across(self, first: int, text: str, size: float = 1.0) -> None:
        """Merge to the last column and make the row as high as its text, `size` times as large as 10-point type."""
        lines = lines_of(text, sum(self.widths[first - 2 :]) / size)
        if lines > 1 or size > 1:
            self.data.heights[self.row] = (ROW * lines + 2) * size
        merge(self.sheet, self.row, first, self.last)
        self.row += 1


def lines_of(text: str, width: float) -> int:
    """How many lines a text of 10-point type takes in so many characters of column width."""
    room = width * LETTERS
    return sum(_lines(paragraph, room) for paragraph in text.split("\n"))


def _lines(paragraph: str, room: float) -> int:
    lines, used = 1, 0.0
    for word in paragraph.split(" "):
        size = sum(map(_size, word))
        if used and used + size > room:
            lines, used = lines + 1, 0.0
        more = int(size // room)  # a word longer than a line is cut
        lines, used = lines + more, used + size - more * room + 1
    return lines


def _size(character: str) -> float:
    """How wide a character is, in small letters."""
    if unicodedata.east_asian_width(character) in "WF":
        return 2.4
    symbol = character > "~" and not character.isalpha()
    return 1.3 if symbol or character.isupper() or character.isdigit() else 1.0
