"""The first sheet: title, the numbers at a glance, what the colours mean, the steps as links, the conventions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from openpyxl.worksheet.worksheet import Worksheet

from tracer.export.book import LEFT, NARROW, TOP, Book, link
from tracer.export.headings import step_words
from tracer.export.palette import LEGEND
from tracer.export.sheet_data import address
from tracer.network.blackboard import RATE
from tracer.network.program import Step
from tracer.network.remarks import conventions, departures
from tracer.trace import Pass

WIDTHS = {"A": NARROW, "B": 26.0, "C": 90.0}
LINE = 105  # characters that fit a line across both columns

Links = Sequence[tuple[str, Pass, Step]]


def fill_start(book: Book, sheet: Worksheet, links: Links) -> None:
    """Write the whole sheet; `links` has the title, pass and step of every other one."""
    for letter, width in WIDTHS.items():
        sheet.column_dimensions[letter].width = width
    row = _about(book, sheet)
    row = _glance(book, row + 1)
    row = _legend(book, row + 1)
    row = _steps(book, sheet, row + 1, links)
    for text in conventions(book.problem):
        row = _across(book, sheet, row, text, book.styles.note)
    sheet.print_area = f"B1:C{row}"


def _across(book: Book, sheet: Worksheet, row: int, text: str, style: int, height: float = 15.0) -> int:
    """A text over both columns, as high as it needs; returns the next row."""
    data = book.data["Start"]
    data.text(row, 2, text, style)
    data.heights[row] = height * (1 + int(len(text) * height / 15.0) // LINE)
    sheet.merged_cells.add(f"B{row}:C{row}")
    return row + 1


def _about(book: Book, sheet: Worksheet) -> int:
    problem = book.problem
    row = _across(book, sheet, 1, problem.title, book.styles.title, 24.0)
    source = f"Source: {problem.source}" if problem.source else None
    for text in (problem.description, source, *departures(problem)):
        if text:
            row = _across(book, sheet, row, text, book.styles.note)
    return row


def _glance(book: Book, row: int) -> int:
    """The network in numbers: those of the sheets are live, those of the recorded run say so."""
    data, styles, trace = book.data["Start"], book.styles, book.trace
    first = trace.first
    rows = f"{book.problem.rows} sample{'s' if book.problem.rows > 1 else ''}"
    data.text(row, 2, "→".join(map(str, book.problem.sizes)), styles.plain)
    data.text(row, 3, f"{rows}; as recorded, the loss goes from {trace.before:.6g} to {trace.after:.6g}", styles.plain)
    for text, identifier in (("learning rate", RATE), ("loss of the first pass", "L")):
        row += 1
        sheet, place = book.home[first.epoch, first.iteration, identifier], book.places[identifier]
        formula = f"'{sheet}'!{address(TOP + place.row, LEFT + place.column)}"
        data.text(row, 2, text, styles.plain)
        data.formulas(row, 3, np.array([[first[identifier].item()]]), styles.glance, lambda *_, f=formula: f)
    return row + 1


def _legend(book: Book, row: int) -> int:
    data, styles = book.data["Start"], book.styles
    for role, words in LEGEND:
        data.text(row, 2, words, styles.heading(role, False))
        row += 1
    data.text(row, 2, "blue: typed in", styles.value("plain", None, True))
    data.text(row, 3, "edit only these; everything after them follows", styles.plain)
    return row + 1


def _steps(book: Book, sheet: Worksheet, row: int, links: Links) -> int:
    data, styles = book.data["Start"], book.styles
    for title, one, step in links:
        data.text(row, 2, title, styles.link)
        data.text(row, 3, step_words(book.trace, one, step)[0], styles.plain)
        link(sheet, f"B{row}", title)
        row += 1
    return row + 1
