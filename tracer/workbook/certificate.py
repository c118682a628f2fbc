"""The certificate: for every matrix, how far the live formulas are from the recorded run.

A record sheet for each pass has the recorded numbers on the board's own addresses, and beside them
the differences to the cells of the step sheets. The certificate says in words what they come to, and
what central differences say of every gradient.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from openpyxl.worksheet.worksheet import Worksheet

from tracer.expression.live import Live
from tracer.presentation.board import lay_out
from tracer.presentation.live_words import Condition, choose, joined
from tracer.problem.remarks import departures
from tracer.program.naming_policy import RATE
from tracer.run.passes import Pass
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.print_setup import ROW, break_rows, choose_page, set_up
from tracer.spreadsheet.sheet_data import SheetData, address, column_letters
from tracer.workbook.book import NARROW, Book, link
from tracer.workbook.flow import lines_of
from tracer.workbook.gradient_check import Verdicts, check_gradients, explained
from tracer.workbook.gradient_section import DIFFERS
from tracer.workbook.record_sheet import differences_of, write_record

AGREES = 1e-12  # of the largest number of the run
LINKS = 4  # row of the links to other sheets
FIRST_ROW = 8
COLUMNS = (
    ("matrix", 15.0),
    ("sheet", 20.0),
    ("cells", 9.0),
    ("largest difference", 19.0),
    ("", 10.0),
    ("off by", 12.0),
    ("against central differences", 48.0),
)
NAME, SHEET, CELLS, DIFFERENCE, WORDS, OFF, GRADIENT = range(2, 2 + len(COLUMNS))
FIRST_OFF, FIRST_WRONG = GRADIENT + 1, GRADIENT + 2  # helpers without a heading
CHANGED = Condition(f"'Certificate'!{address(3, FIRST_OFF, absolute=True)}>0", False)

Certified: TypeAlias = tuple[Pass, str, int, str]
"""A matrix of a pass: its identifier, its size, and the range of its differences."""


def write_certificate(book: Book) -> str:
    """Add the certificate, and what it compares with; returns what its cell B2 says now."""
    sheet = book.add_sheet("Certificate")
    data, styles = book.data["Certificate"], book.styles
    data.text(1, 2, "Certificate: do the live formulas give the recorded numbers?", styles.title)
    data.heights[1] = 24
    book.leave_room_for_links("Certificate", LINKS)
    sheet.freeze_panes = address(FIRST_ROW, 2)
    sheet.column_dimensions[column_letters(1)].width = NARROW
    for k, (text, width) in enumerate(COLUMNS):
        sheet.column_dimensions[column_letters(2 + k)].width = width
        data.text(FIRST_ROW - 1, 2 + k, text, styles.heading("plain", True))
    verdicts = check_gradients(book, CHANGED)
    rows = _rows(book)
    given, tolerance = [], _tolerance(book)
    for row, (one, identifier, size, differences) in enumerate(rows, start=FIRST_ROW):
        home = book.home[one.epoch, one.iteration, identifier]
        if (one.epoch, one.iteration, identifier) in book.typed:
            given.append(differences)
        data.text(row, NAME, identifier, styles.plain)
        data.text(row, SHEET, home, styles.link)
        link(sheet, address(row, SHEET), home)
        data.numbers(row, CELLS, np.array([[float(size)]]), styles.bare_value(None))
        largest = f"MAX({differences})"
        data.formulas(row, DIFFERENCE, np.zeros((1, 1)), styles.bare_value(None), lambda *_, f=largest: f)
        agrees = f"{address(row, DIFFERENCE)}<{tolerance!r}"
        data.live_text(row, WORDS, f'IF({agrees},"agrees","differs")', "agrees", styles.plain)
        below = address(row + 1, FIRST_OFF) if row < FIRST_ROW + len(rows) - 1 else '""'
        data.live_text(row, FIRST_OFF, f"IF({agrees},{below},{address(row, NAME)})", "", styles.hidden)
    _gradients(book, rows, verdicts)
    _remarks(book, sheet)
    _set_up(sheet, data, len(rows))
    return _summary(book, sheet, rows, given)


def _summary(book: Book, sheet: Worksheet, rows: list[Certified], given: list[str]) -> str:
    """The one sentence that matters."""
    data, styles = book.data["Certificate"], book.styles
    cells = sum(size for one, identifier, size, _ in rows if identifier in one.program.computed)
    changed = "+".join(f"SUMPRODUCT(({each}>0)*1)" for each in given)
    data.formulas(3, FIRST_OFF, np.zeros((1, 1)), styles.hidden, lambda *_: changed)
    count, first = address(3, FIRST_OFF), address(FIRST_ROW, FIRST_OFF)
    agree = f"all {cells} computed cells agree"
    text = (
        f'IF({count}>0,"you changed "&FIXED({count},0,TRUE)&IF({count}>1," inputs"," input")&": the recorded run no '
        f'longer applies",IF({first}="","{agree}","a formula was overwritten in "&{first}))'
    )
    data.live_text(2, 2, text, agree, styles.formula)
    for row in (2, 3):
        data.heights[row] = 18
        merge(sheet, row, 2, GRADIENT)
    return agree


def _gradients(book: Book, rows: list[Certified], verdicts: Verdicts) -> None:
    """What central differences say of each gradient, and of all of them in one sentence."""
    data, styles = book.data["Certificate"], book.styles
    wrong = Live('""', "")  # the first gradient that differs, from the last row up
    for row, (one, identifier, _, _) in reversed(list(enumerate(rows, start=FIRST_ROW))):
        verdict = verdicts.get((one.epoch, one.iteration, identifier))
        if verdict is None:
            made = None if identifier == RATE else one.program.assignments[identifier]
            if made is not None and made.role == "gradient" and made.of in one.program.parameters:
                data.text(row, GRADIENT, "not compared", styles.plain)
            continue
        largest, says = verdict.largest, verdict.says
        values, style = np.array([[largest.value]]), styles.bare_value(None)
        data.formulas(row, OFF, values, style, lambda *_, f=largest.formula: f)
        data.live_text(row, GRADIENT, says.formula, says.text, styles.plain)
        differs = Condition(f'{address(row, GRADIENT)}="{DIFFERS}"', says.text == DIFFERS)
        wrong = choose(differs, Live(address(row, NAME), identifier), wrong)
        data.live_text(row, FIRST_WRONG, wrong.formula, wrong.text, styles.hidden)
        wrong = Live(address(row, FIRST_WRONG), wrong.text)
    if verdicts:
        none = Condition(f'{wrong.formula}=""', not wrong.text)
        named = joined(wrong, " differs from its central-difference estimate")
        words = choose(none, "no gradient differs from its central-difference estimate", named)
        if any(verdict.is_recorded for verdict in verdicts.values()):
            words = choose(CHANGED, "the central differences are those of the recorded run", words)
        data.live_text(3, 2, words.formula, words.text, styles.formula)


def _remarks(book: Book, sheet: Worksheet) -> None:
    """What is reproduced, and what is compared with central differences."""
    data, width = book.data["Certificate"], sum(width for _, width in COLUMNS)
    sentences = (departures(book.problem), explained(book.problem, book.trace.first.program))
    for row, says in enumerate(sentences, start=LINKS + 1):
        text = " ".join(says)
        data.text(row, 2, text, book.styles.note)
        data.heights[row] = ROW * lines_of(text, width) + 2
        merge(sheet, row, 2, GRADIENT)


def _set_up(sheet: Worksheet, data: SheetData, rows: int) -> None:
    """Pages with the headings repeated."""
    last = FIRST_ROW + rows - 1
    heights, every = data.heights, range(2, last + 1)
    height = sum(heights.get(row, ROW) for row in range(1, last + 1))
    page = choose_page((sum(width for _, width in COLUMNS), height))
    set_up(sheet, page, [f"B1:{address(last, GRADIENT)}"], f"{FIRST_ROW - 1}:{FIRST_ROW - 1}")
    break_rows(sheet, page, every, lambda row: heights.get(row, ROW), lambda row: row > FIRST_ROW, heights[1])


def _rows(book: Book) -> list[Certified]:
    """Every matrix of every pass, its size, and where its differences lie."""
    rows = []
    for one in book.passes:
        board, title = lay_out(one.program), write_record(book, one)
        for identifier in (RATE, *one) if one is book.trace.first else one:
            differences = f"'{title}'!{differences_of(board, identifier)}"
            rows.append((one, identifier, one[identifier].size, differences))
    return rows


def _tolerance(book: Book) -> float:
    """1e-12 of the largest number of the run, and no less than 1e-12."""
    return AGREES * max(1.0, *(float(np.abs(one[key]).max()) for one in book.passes for key in one))
