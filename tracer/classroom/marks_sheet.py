"""The sheet of marks: where to start, points by matrix and step, and every answer that needs a look."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tracer.classroom.diagnosed import explained, opening
from tracer.classroom.findings import (
    SIGNS,
    Finding,
    Reveal,
    capital,
    either,
    expected,
    findings,
    headline,
    in_a_row,
    in_words,
    named,
    noted,
    printable,
    right_under,
)
from tracer.classroom.own_numbers import OwnNumbers
from tracer.expression.label import label_text
from tracer.expression.text import matrix_text
from tracer.judging.marking import MarkedSheet
from tracer.judging.verdicts import COUNTS
from tracer.presentation.theme import Theme
from tracer.spreadsheet.columns import address, column_letters
from tracer.spreadsheet.print_setup import ROW, choose_page, set_up
from tracer.workbook.book import Book
from tracer.worksheet.told import words_of

STEP, NAME, CELLS, POINTS, OUT_OF, LAST = 2, 3, 4, 5, 6, 7
WIDTHS = (3.0, 26.0, 26.0, 12.0, 12.0, 12.0, 70.0)


class MarksSheet:
    """Writes the sheet; the totals are formulas, so that a teacher's change of points is added up."""

    def __init__(self, book: Book, marked: MarkedSheet, reveal: Reveal, theme: Theme) -> None:
        self.book, self.marked, self.reveal, self.theme = book, marked, reveal, theme
        self.say = theme.say
        title = self.say("report.marks")
        self.sheet = book.add_sheet(title, self.say("book.page", page="&P", pages="&N"))
        self.data, self.styles = book.data[title], book.styles
        self.row = 1

    def fill(self) -> None:
        self.data.heights[1] = 24.0
        self._line(self.styles.title, self.say("report.marks"))
        self._line(self.styles.band, capital(headline(self.marked, self.theme)))
        for note in self._notes():
            self._line(self.styles.plain, printable(note))
        self.row += 1
        self._diagnosis()
        self._points()
        listed = findings(self.marked, self.reveal, self.theme)
        if listed:
            self._listed(listed)
        for column, width in enumerate(WIDTHS, start=1):
            self.sheet.column_dimensions[column_letters(column)].width = width
        page = choose_page((sum(WIDTHS), self.row * ROW))
        set_up(self.sheet, page, [f"A1:{address(self.row, LAST)}"], "1:2")

    def _notes(self) -> list[str]:
        other = self.marked.other
        under = [right_under(other, self.theme)] if other is not None and self.reveal != "none" else []
        return [*noted(self.marked, self.theme), *under, *in_words(self.marked, self.theme)]

    def _line(self, style: int, *texts: str) -> None:
        for column, text in enumerate(texts, start=STEP):
            if text:
                self.data.text(self.row, column, text, style)
        self.row += 1

    # What explains it

    def _diagnosis(self) -> None:
        """The few things behind what does not count, each with its first cell worked."""
        found = explained(self.marked, self.reveal, self.theme)
        if not found:
            return
        own = OwnNumbers(self.marked, self.reveal, self.theme.notation)
        self._line(self.styles.band, opening(self.marked, self.theme))
        for k, each in enumerate(found, 1):
            rival = [self.say("report.rival", says=each.rival)] if each.rival else []
            worked = [text] if (text := own.text(each.first)) else []
            self._line(self.styles.plain, f"{k}. {each.title}")
            for text in (each.says, *rival, *worked):
                self._line(self.styles.plain, "", text)
        self.row += 1

    # Points

    def _points(self) -> None:
        self._line(self.styles.band, *(self.say(f"report.{each}") for each in ("step", "matrix", "cells_right")))
        for column, text in ((POINTS, "points_column"), (OUT_OF, "out_of")):
            self.data.text(self.row - 1, column, self.say(f"report.{text}"), self.styles.points(True))
        totals = []
        for step in self.marked.sheet.key.program.steps:
            matrices = [each.id for each in step.assignments if each.id in self.marked.points_of]
            first = self.row
            if not matrices:
                continue
            words = words_of(step, self.marked.sheet.key.program, self.theme)
            label = step.label if self.theme.is_english else words.label
            self.data.text(first, STEP, f"{label} {words.title}", self.styles.plain)
            for identifier in matrices:
                self._matrix(identifier)
            totals.append(f"{{0}}{first}:{{0}}{self.row - 1}" if len(matrices) > 1 else f"{{0}}{first}")
            if len(matrices) > 1:
                self._sum(self.say("book.step", label=label), matrices, totals[-1:])
        self._sum(self.say("report.all"), list(self.marked.points_of), totals)
        self.row += 1

    def _matrix(self, identifier: str) -> None:
        marks = list(self.marked.of(identifier))
        name = label_text(self.book.headings.names.matrix(identifier))
        self.data.text(self.row, NAME, f"{identifier} {name}" if name != identifier else name, self.styles.plain)
        right = sum(mark.verdict in COUNTS for mark in marks)
        says = self.say("report.of_cells", right=right, count=len(marks)) if marks else self.say("report.left_out")
        self.data.text(self.row, CELLS, says, self.styles.plain)
        earned = np.array([self.marked.points_of[identifier]])
        self.data.numbers(self.row, POINTS, earned, self.styles.points(False))
        self.row += 1

    def _sum(self, words: str, matrices: Sequence[str], cells: Sequence[str]) -> None:
        """A line of sums; in `cells` {0} stands for the column."""
        self.data.text(self.row, NAME, words, self.styles.band)
        values = np.array([[sum(self.marked.points_of[each][k] for each in matrices) for k in (0, 1)]])
        letters = [column_letters(column) for column in (POINTS, OUT_OF)]
        formulas = [f"SUM({','.join(cells).format(letter)})" if cells else "0" for letter in letters]
        self.data.formulas(self.row, POINTS, values, self.styles.points(True), lambda _, k: formulas[k])
        self.row += 1

    # What needs a look

    def _listed(self, listed: Sequence[Finding]) -> None:
        say, reveals = self.say, self.reveal == "key"
        key = say("report.expected_column") if reveals else ""
        heads = (say(f"report.{each}") for each in ("look_again_at", "verdict", "written"))
        self._line(self.styles.band, *heads, key, "", say("report.because"))
        for k, each in enumerate(listed):
            mark = each.first
            title = say("report.start_here_at", cells=each.title) if k == 0 else each.title
            because = in_a_row((either(each.says, self.theme), self._formula(each)))
            self.data.heights[self.row] = ROW * max(1, math.ceil(len(because) / (1.1 * WIDTHS[LAST - 1])))
            cells = (title, f"{SIGNS[mark.verdict]} {named(mark.verdict, self.theme)}", printable(mark.answer))
            right = expected(self.marked, mark, self.theme) if reveals else ""
            self._line(self.styles.worked, *cells, right, "", because)

    def _formula(self, each: Finding) -> str:
        """The formula of the step, where it may be shown."""
        expression = self.marked.sheet.key.program.assignments[each.first.id].expression
        if expression is None or self.reveal == "none":
            return ""
        names = self.book.headings.names
        formula = matrix_text(expression, lambda each: label_text(names.matrix(each)), self.theme.notation)
        return f"{label_text(names.matrix(each.first.id))} = {formula}"
