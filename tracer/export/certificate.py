"""The certificate: for every matrix, how far the live formulas are from the recorded run.

A record sheet for each pass has the recorded numbers on the board's own addresses, and beside them
the differences to the cells of the step sheets. The certificate says in words what they come to.
"""

from __future__ import annotations

import numpy as np
from openpyxl.worksheet.worksheet import Worksheet

from tracer.board import Board, Place, lay_out
from tracer.export.book import LEFT, NARROW, TOP, Book, link
from tracer.export.headings import place_of
from tracer.export.sheet_data import address, column_letters
from tracer.network.blackboard import RATE
from tracer.network.remarks import departures
from tracer.trace import Pass

AGREES = 1e-12  # of the largest number of the run
FIRST_ROW = 6
COLUMNS = (("matrix", 22.0), ("sheet", 22.0), ("cells", 9.0), ("largest difference", 20.0), ("", 34.0))
NAME, SHEET, CELLS, DIFFERENCE, WORDS, FIRST_OFF = range(2, 8)  # the last is a helper without a heading


def write_certificate(book: Book) -> None:
    """Add the certificate, and the record that it compares with."""
    sheet = book.add_sheet("Certificate")
    data, styles = book.data["Certificate"], book.styles
    data.text(1, 2, "Certificate: do the live formulas give what was recorded?", styles.title)
    data.heights[1] = 24
    sheet.column_dimensions["A"].width = NARROW
    for k, (text, width) in enumerate(COLUMNS):
        sheet.column_dimensions[column_letters(2 + k)].width = width
        data.text(FIRST_ROW - 1, 2 + k, text, styles.heading("plain", True))
    rows = _rows(book)
    last = FIRST_ROW + len(rows) - 1
    given, tolerance = [], _tolerance(book)
    for row, (one, identifier, record, place) in enumerate(rows, start=FIRST_ROW):
        home = book.home[one.epoch, one.iteration, identifier]
        differences = f"'{record}'!{_range(place)}"
        if (one.epoch, one.iteration, identifier) in book.typed:
            given.append(differences)
        data.text(row, NAME, identifier, styles.plain)
        data.text(row, SHEET, home, styles.link)
        link(sheet, address(row, SHEET), home)
        size = np.array([[float(place.rows * place.columns)]])
        data.numbers(row, CELLS, size, styles.plain)
        largest = f"MAX({differences})"
        data.formulas(row, DIFFERENCE, np.zeros((1, 1)), styles.plain, lambda *_, f=largest: f)
        at = address(row, DIFFERENCE)
        data.live_text(row, WORDS, f'IF({at}<{tolerance!r},"agrees","differs")', "agrees", styles.plain)
        below = address(row + 1, FIRST_OFF) if row < last else '""'
        data.live_text(row, FIRST_OFF, f"IF({at}<{tolerance!r},{below},{address(row, NAME)})", "", styles.hidden)
    _summary(book, sheet, rows, given)
    sheet.print_area = f"B1:F{last}"


def _summary(book: Book, sheet: Worksheet, rows: list[tuple[Pass, str, str, Place]], given: list[str]) -> None:
    """The one sentence that matters."""
    data, styles = book.data["Certificate"], book.styles
    cells = sum(place.rows * place.columns for one, each, _, place in rows if each in one.program.computed)
    changed = "+".join(f"SUMPRODUCT(({each}>0)*1)" for each in given)
    data.formulas(3, DIFFERENCE, np.zeros((1, 1)), styles.hidden, lambda *_: changed)
    count, first = address(3, DIFFERENCE), address(FIRST_ROW, FIRST_OFF)
    agree = f"all {cells} computed cells agree"
    text = (
        f'IF({count}>0,"you changed "&FIXED({count},0,TRUE)&IF({count}>1," inputs"," input")&": the recorded run no '
        f'longer applies",IF({first}="","{agree}","a formula was overwritten in "&{first}))'
    )
    data.live_text(2, 2, text, agree, styles.formula)
    data.heights[2] = 18
    sheet.merged_cells.add("B2:F2")
    data.text(4, 2, " ".join(departures(book.problem)), styles.plain)


def _rows(book: Book) -> list[tuple[Pass, str, str, Place]]:
    """Every matrix of every pass, with its record sheet and where its differences lie."""
    rows = []
    for one in book.passes:
        board = lay_out(one.program)
        title = _record(book, one, board)
        shift = board.columns + 1
        for identifier in (RATE, *one):
            place = board.places[identifier]
            if identifier == RATE and one is not book.trace.first:
                continue
            moved = Place(identifier, place.row, place.column + shift, place.rows, place.columns)
            rows.append((one, identifier, title, moved))
    return rows


def _record(book: Book, one: Pass, board: Board) -> str:
    """The sheet of one pass's recorded numbers and their differences; returns its title."""
    place_words = place_of(book.trace, one)
    several = len(book.problem.batches()) > 1
    number = f" {one.epoch}.{one.iteration}" if several else f" {one.epoch}"
    title = f"Record{number}" if place_words else "Record"
    book.add_sheet(title)
    data, styles = book.data[title], book.styles
    data.text(1, LEFT, f"Recorded run{': ' + place_words if place_words else ''}", styles.title)
    data.text(2, LEFT, "The numbers as they were when this book was written; the differences beside them.", styles.note)
    for identifier in (RATE, *one):
        place = board.places[identifier]
        top, left, values = TOP + place.row, LEFT + place.column, one[identifier]
        home = (
            book.home[one.epoch, one.iteration, identifier]
            if identifier != RATE
            else book.home[book.trace.first.epoch, book.trace.first.iteration, RATE]
        )
        data.text(top - 1, left, identifier, styles.plain)
        data.numbers(top, left, values, styles.plain)

        def difference(row: int, column: int, home: str = home, top: int = top, left: int = left) -> str:
            at = address(top + row, left + column)
            return f"ABS('{home}'!{at}-{at})"

        shifted = left + board.columns + 1
        data.formulas(top, shifted, np.zeros(values.shape), styles.plain, difference, alike=True)
    return title


def _range(place: Place) -> str:
    first = address(TOP + place.row, LEFT + place.column)
    last = address(TOP + place.row + place.rows - 1, LEFT + place.column + place.columns - 1)
    return first if first == last else f"{first}:{last}"


def _tolerance(book: Book) -> float:
    """1e-12 of the largest number of the run, and no less than 1e-12."""
    return AGREES * max(1.0, *(float(np.abs(one[key]).max()) for one in book.passes for key in one))
