"""The record: one pass's numbers as they were, on the board's own addresses, and beside them how far off the cells are.

The differences stand to the right of all of the board, at the same rows.
"""

from __future__ import annotations

import numpy as np

from tracer.presentation.board import Board, BoardPlace, lay_out
from tracer.presentation.headings import place_of
from tracer.program.naming_policy import RATE
from tracer.run.passes import Pass
from tracer.spreadsheet.columns import column_letters
from tracer.spreadsheet.print_setup import ROW, break_rows, choose_page, leave_out, set_up
from tracer.spreadsheet.sheet_data import address
from tracer.workbook.book import LEFT, NARROW, TOP, Book
from tracer.workbook.forward_sheet import recorded

WIDTH = 10.0
NUMBERS = "The numbers as they were when this book was written."
DIFFERENCES = "How far the cells of the step sheets are from them."


def write_record(book: Book, one: Pass) -> str:
    """Add the sheet of a pass; returns its title."""
    board, title = lay_out(one.program), _title(book, one)
    sheet, data, styles = book.add_sheet(title), book.data[title], book.styles
    sheet.column_dimensions[column_letters(1)].width, sheet.sheet_format.defaultColWidth = NARROW, WIDTH
    place = place_of(book.trace, one)
    data.text(1, LEFT, f"Recorded run{': ' + place if place else ''}", styles.title)
    data.heights[1] = 24
    beside = LEFT + _shift(board)
    for column, text in ((LEFT, NUMBERS), (beside, DIFFERENCES)):
        data.text(2, column, text, styles.plain)
    book.leave_room_for_links(title, 3)
    for identifier in (RATE, *one):
        _matrix(book, one, identifier, board, title)
    rows, columns = TOP + board.whole[0], board.whole[1]
    page = choose_page((WIDTH * columns, ROW * rows))
    areas = [f"{address(1, first)}:{address(rows, first + columns - 1)}" for first in (LEFT, beside)]
    set_up(sheet, page, areas, "1:1")
    starts = {TOP + each.row - 1 for each in board.places.values()}
    break_rows(sheet, page, range(2, rows + 1), lambda _: ROW, starts.__contains__, data.heights[1])
    leave_out(sheet, data, rows)
    return title


def differences_of(board: Board, identifier: str) -> str:
    """Where the differences of a matrix stand on its record."""
    place = board.places[identifier]
    top, left = TOP + place.row, LEFT + place.column + _shift(board)
    first, last = address(top, left), address(top + place.rows - 1, left + place.columns - 1)
    return first if first == last else f"{first}:{last}"


def _matrix(book: Book, one: Pass, identifier: str, board: Board, title: str) -> None:
    place: BoardPlace = board.places[identifier]
    data, styles, values = book.data[title], book.styles, one[identifier]
    top, left, beside = TOP + place.row, LEFT + place.column, LEFT + place.column + _shift(board)
    for column in (left, beside):
        data.text(top - 1, column, identifier, styles.plain)
    data.numbers(top, left, values, styles.bare_value(None))
    now = recorded(book, book.trace.first if identifier == RATE else one)(identifier)

    def difference(row: int, column: int) -> str:
        return f"ABS({now(row, column)}-{address(top + row, left + column)})"

    data.formulas(top, beside, np.zeros(values.shape), styles.bare_value(None), difference, alike=True)


def _shift(board: Board) -> int:
    """How far the differences are to the right of the numbers."""
    return board.whole[1] + 1


def _title(book: Book, one: Pass) -> str:
    if not place_of(book.trace, one):
        return "Record"
    several = len(book.problem.batches()) > 1
    return f"Record {one.epoch}.{one.iteration}" if several else f"Record {one.epoch}"
