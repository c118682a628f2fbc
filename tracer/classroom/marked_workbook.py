"""A marked copy of what was handed in: the board with a sign and a note at each answer, and a sheet of marks.

Names and answers come from strangers: they are written as texts, and no text is a formula.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from openpyxl.comments import Comment

from tracer.answers.numbers import Entry
from tracer.classroom.diagnosed import explained, opening
from tracer.classroom.findings import (
    SIGNS,
    Reveal,
    capital,
    either,
    expected,
    headline,
    in_a_row,
    named,
    printable,
    sentences,
)
from tracer.classroom.marks_sheet import MarksSheet
from tracer.expression.label import label_text
from tracer.judging.marking import MarkedSheet
from tracer.judging.own_work import key_shown, own_trace
from tracer.judging.verdicts import COUNTS, Mark, Verdict
from tracer.presentation import palette
from tracer.presentation.board import lay_out
from tracer.presentation.headings import detail
from tracer.presentation.theme import Theme, theme_of
from tracer.program.naming_policy import RATE
from tracer.spreadsheet.columns import address, column_letters
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.package import write_workbook_file
from tracer.spreadsheet.print_setup import ROW, break_rows, choose_page, set_up
from tracer.workbook.book import Book
from tracer.worksheet.board import TOP, WorksheetBoard
from tracer.worksheet.told import title_over

COLOURS: dict[Verdict, str | None] = {
    "correct": palette.RIGHT, "rounded": palette.RIGHT, "carried": palette.HEADING, "slip": palette.AGAIN,
    "wrong": palette.AGAIN, "too_coarse": palette.COARSE, "blank": None, "unreadable": palette.COARSE,
    "not_read": palette.COARSE,
}  # fmt: skip
LEGEND = ("board_right", "board_again")
NUMBER_WIDTH, LEAST_WIDTH, MOST_WIDTH, SIGN_WIDTH, WIDEST_HEADING, UNUSED = 3.0, 9.0, 24.0, 4.0, 34.0, 0.5
NOTE_WIDTH, NOTE_LINE, LINE_LETTERS = 280, 18, 38  # pixels, pixels, and letters on a line of a note


def write_marked_workbook(marked: MarkedSheet, reveal: Reveal, path: Path, theme: Theme | None = None) -> None:
    """Write the marked copy, in English where no theme is given.

    Raises ExportError, leaving `path` as it was, where it cannot be written.
    """
    theme = theme or theme_of()
    copy = MarkedCopy(marked, reveal, theme)
    copy.fill()
    MarksSheet(copy.book, marked, reveal, theme).fill()
    book = copy.book
    book.styles.finish()
    book.workbook.properties.title, book.workbook.properties.creator = copy.title, "Tracer"
    write_workbook_file(book.workbook, book.data, path)


class MarkedCopy:
    """The board with the answers on it, in the language of a theme."""

    def __init__(self, marked: MarkedSheet, reveal: Reveal, theme: Theme) -> None:
        self.marked, self.reveal, self.theme, self.say = marked, reveal, theme, theme.say
        self.trace = own_trace(marked.sheet)
        self.one, self.program = self.trace.first, self.trace.first.program
        self.title = self.say("report.marked_title", title=self.trace.problem.title)
        self.book = Book(self.trace)
        self.sheet = self.book.add_sheet(self.say("report.marked"), self.say("book.page", page="&P", pages="&N"))
        self.data, self.styles = self.book.data[self.sheet.title], self.book.styles
        self.shown = key_shown(marked.sheet.key)
        self.places = WorksheetBoard(lay_out(self.program), reveal == "key")
        written = marked.sheet.written
        self.present = [each for each in self.places.board.places if each in written or each in self.program.inputs]

    def fill(self) -> None:
        self._widths()
        self._head()
        for band in self.places.board.bands:
            if any(each in self.present for stack in band.stacks for each in stack):
                title = title_over(self.trace, band, self.theme)
                self.data.text(TOP + band.row, self.places.first_column(0), title, self.styles.band)
        for identifier in self.present:
            self._heading(identifier)
            if identifier in self.marked.sheet.written:
                self._answers(identifier)
            else:
                style = self.styles.value("plain", self.shown.decimals[identifier], False)
                self.data.numbers(*self.places.corner(identifier), self.one[identifier], style)
        self._print()

    def _head(self) -> None:
        first, answers = self.places.first_column(0), self.marked.sheet.answers
        student = " · ".join((answers.student or {}).values())
        lines = (
            (self.title, self.styles.title),
            (capital(headline(self.marked, self.theme)), self.styles.band),
            *((line, self.styles.band) for line in self._opening()),
            *((self.say(f"report.{line}"), self.styles.plain) for line in LEGEND),
            (" · ".join(filter(None, (student, answers.file))), self.styles.plain),
        )
        self.data.heights[1] = 24.0
        for row, (text, style) in enumerate(lines, start=1):
            self.data.text(row, first, printable(text), style)

    def _opening(self) -> Iterator[str]:
        """What explains the cells that do not count, and the first of it; the rest stands on the sheet of marks."""
        for first in explained(self.marked, self.reveal, self.theme)[:1]:
            begins, marks = opening(self.marked, self.theme), self.say("report.marks")
            yield self.say("report.see_marks", opening=begins, sheet=marks, cells=first.title)
            yield first.says

    # The matrices

    def _heading(self, identifier: str) -> None:
        row, column = self.places.corner(identifier)
        for k, text in enumerate(self._heading_texts(identifier)):
            style, last = self.styles.heading("plain", k == 0), column + self.places.board.slot - 1
            self.data.text(row - 2 + k, column, text, style)
            for each in range(column + 1, last + 1):
                self.data.blank(row - 2 + k, each, style)
            if last > column:
                merge(self.sheet, row - 2 + k, column, last)

    def _heading_texts(self, identifier: str) -> tuple[str, str]:
        place = self.places.board.places[identifier]
        heading = self.book.headings.of(identifier, place.rows, place.columns)
        if identifier == RATE:
            heading = replace(heading, symbol=self.say("sheet.rate"))
        return label_text(heading.name), detail(heading)

    def _answers(self, identifier: str) -> None:
        entries = self.marked.sheet.written[identifier].entries
        row, column = self.places.corner(identifier)
        for mark in self.marked.of(identifier):
            self._answer(row + mark.row, column + mark.column, entries[mark.row][mark.column], mark)
            if self.reveal == "key" and mark.verdict not in COUNTS:
                right = f"→ {expected(self.marked, mark, self.theme)}"
                self.data.text(row + mark.row, self._beside(mark), right, self.styles.plain)

    def _answer(self, row: int, column: int, entry: Entry, mark: Mark) -> None:
        """What was written, number or text, with a note where there is something to say."""
        decimals = None if entry.decimals is None else min(max(entry.decimals, 0), 15)
        first = mark is self.marked.first_wrong
        sign = SIGNS[mark.verdict]
        style = self.styles.marked(COLOURS[mark.verdict], "thick" if first else "thin", decimals, sign)
        if entry.kind == "number":
            self.data.numbers(row, column, np.array([[entry.value]]), style)
        else:
            self.data.text(row, column, f"{printable(entry.text)} {sign}".strip(), style)
        note = in_a_row(capital(each) for each in self._says(mark))
        if note:
            lines = 1 + len(note) // LINE_LETTERS
            self.sheet.cell(row, column).comment = Comment(note, "Tracer", NOTE_LINE * (lines + 1), NOTE_WIDTH)

    def _beside(self, mark: Mark) -> int:
        """The column of the right number of an answer: behind its matrix."""
        return self.places.corner(mark.id)[1] + self.places.board.places[mark.id].columns + mark.column

    def _says(self, mark: Mark) -> Iterator[str]:
        """What a note says: the verdict, and as much of the reason as may be shown."""
        reasons = list(sentences(self.marked, mark, self.reveal, self.theme))
        if mark.verdict in COUNTS and not reasons:
            return
        yield ": ".join(filter(None, (named(mark.verdict, self.theme), either(reasons, self.theme))))
        if self.reveal == "key" and mark.verdict not in COUNTS:
            yield self.say("report.expected_note", right=expected(self.marked, mark, self.theme))

    def _widths(self) -> None:
        longest = max((len(mark.answer) for mark in self.marked.marks), default=0)
        needed = [min(max(LEAST_WIDTH, longest + SIGN_WIDTH), MOST_WIDTH)] * len(self.places.slots)
        for identifier in self.present:
            slot = self.places.slot_of(identifier)
            longest = max(map(len, self._heading_texts(identifier)))
            needed[slot] = max(needed[slot], min(longest + 2.0, WIDEST_HEADING) / self.places.slots[slot])
        beside = {self._beside(mark) for mark in self.marked.marks if mark.verdict not in COUNTS}
        self.widths = []
        for columns, width in zip(self.places.slots, needed, strict=True):
            self.widths += [NUMBER_WIDTH, *[width] * columns]
            behind = range(len(self.widths) + 1, len(self.widths) + 1 + columns * self.places.marks)
            self.widths += [width if column in beside else UNUSED for column in behind]
        for column, width in enumerate(self.widths, start=1):
            self.sheet.column_dimensions[column_letters(column)].width = width

    def _print(self) -> None:
        """The board, broken between matrices where it is too long for a page."""
        page = choose_page((sum(self.widths), self.places.last_row * ROW))
        set_up(self.sheet, page, [f"A1:{address(self.places.last_row, self.places.last_column)}"], "1:2")
        places = [self.places.board.places[each] for each in self.present]
        within = {TOP + row for each in places for row in range(each.heading_row + 1, each.row + each.rows)}
        within |= {TOP + band.row + 1 for band in self.places.board.bands}  # a title stays with its matrices
        rows = range(3, self.places.last_row + 1)
        break_rows(self.sheet, page, rows, lambda _: ROW, lambda row: row not in within, 24.0 + ROW)
        self.sheet.freeze_panes = address(TOP - 1, 1)
