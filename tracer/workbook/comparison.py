"""The comparison behind "Did it help?": how every output of every sample moved, beside the sheet After.

The sentence on the start sheet counts and names the outputs that moved away from their targets by
this table. Where nothing is computed in the workbook, its numbers are those of the recorded run.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tracer.expression.formula import literal
from tracer.presentation.board import lay_out
from tracer.presentation.live_words import Condition, LiveNumber, Words, choose, joined, words
from tracer.presentation.outcome import MOST_NAMED, Outcome
from tracer.spreadsheet.sheet_data import address, column_letters
from tracer.workbook.book import LEFT, TOP, Book
from tracer.workbook.forward_sheet import AFTER, AddressOf, forward_part

HEADINGS = ("output", "moved by", "further away by", "away: 1", "went past: 1", "away so far", "their names so far")
WIDTHS = (22.0, 12.0, 13.0, 9.0, 12.0, 12.0, 50.0)
NAME, MOVED, FURTHER, AWAY, PAST, COUNT, NAMES = range(len(HEADINGS))
NUMBERS = (MOVED, FURTHER, AWAY, PAST, COUNT)


class Comparison:
    """The table's numbers, an output of a sample in each row, with their formulas where it is `live`."""

    def __init__(self, book: Book, outcome: Outcome, live: bool) -> None:
        self.book, self.outcome, self.live = book, outcome, live
        board = lay_out(forward_part(book.trace.at_end).program)
        self.top, self.left = TOP + 1, LEFT + board.columns + 1
        away = outcome.away.ravel()
        self.columns: dict[int, NDArray[np.float64]] = {
            MOVED: outcome.moved.ravel(),
            FURTHER: outcome.further.ravel(),
            AWAY: away.astype(np.float64),
            PAST: outcome.past.ravel().astype(np.float64),
            COUNT: np.cumsum(away).astype(np.float64),
        }
        self.rows = range(len(away))

    def cell(self, column: int, row: int) -> LiveNumber:
        return LiveNumber(self._at(column, row), float(self.columns[column][row]))

    def total(self, column: int) -> LiveNumber:
        return LiveNumber(f"SUM({self._down(column)})", float(self.columns[column].sum()))

    def largest(self, column: int) -> LiveNumber:
        return LiveNumber(f"MAX({self._down(column)})", float(self.columns[column].max()))

    @cached_property
    def names(self) -> list[Words]:
        """The first outputs that moved away, by name, row by row; where it is not live, as far as they are needed."""
        names: list[Words] = []
        for row in self.rows if self.live else np.flatnonzero(self.columns[AWAY])[:MOST_NAMED].tolist():
            before = self._reference(row - 1, names[-1]) if names else words("")
            away, count = self.cell(AWAY, row), self.cell(COUNT, row)
            formula = f"AND({away.above(0).formula},{count.formula}<={MOST_NAMED})"
            another = Condition(formula, away.value > 0 and count.value <= MOST_NAMED)
            names.append(choose(another, joined(before, choose(count.above(1), ", ", ""), self._name(row)), before))
        return names

    def all_names(self) -> Words:
        """The first outputs that moved away, by name, as another sheet finds them."""
        longest = ", ".join(map(self._name, self.rows[-MOST_NAMED:]))
        return Words(self._at(NAMES, self.rows[-1]), self.names[-1].text if self.names else "", longest)

    def _reference(self, row: int, names: Words) -> Words:
        return Words(self._at(NAMES, row), names.text, names.longest)

    def _name(self, row: int) -> str:
        return self.outcome.name(*divmod(row, self.outcome.targets.shape[1]))

    def write(self, targets: AddressOf, before: AddressOf, after: AddressOf) -> None:
        """The table on the sheet After; the arguments say where the numbers compared stand."""
        data, styles = self.book.data[AFTER], self.book.styles
        sheet = self.book.workbook[AFTER]
        for k, (heading, width) in enumerate(zip(HEADINGS, WIDTHS, strict=True)):
            sheet.column_dimensions[column_letters(self.left + k)].width = width
            data.text(self.top - 1, self.left + k, heading, styles.heading("plain", True))
        data.text(self.top - 2, self.left, "How every output moved", styles.band)
        outputs = self.outcome.targets.shape[1]

        def formula(row: int, column: int) -> str:
            target, old, new = (cells(*divmod(row, outputs)) for cells in (targets, before, after))
            seen = literal(self.outcome.seen)
            previous = f"{self._at(COUNT, row - 1)}+" if row else ""
            return {
                MOVED: f"ABS({new}-{old})",
                FURTHER: f"ABS({new}-{target})-ABS({old}-{target})",
                AWAY: f"IF({self._at(FURTHER, row)}>{seen},1,0)",
                PAST: f"IF(AND({self._at(AWAY, row)}=1,({old}-{target})*({new}-{target})<0),1,0)",
                COUNT: f"{previous}{self._at(AWAY, row)}",
            }[NUMBERS[column]]

        values = np.array([self.columns[column] for column in NUMBERS]).T
        data.formulas(self.top, self.left + MOVED, values, styles.value("plain", None, False), formula)
        for row in self.rows:
            data.text(self.top + row, self.left + NAME, self._name(row), styles.plain)
            names = self.names[row]
            data.live_text(self.top + row, self.left + NAMES, names.formula, names.text, styles.plain)

    def _at(self, column: int, row: int) -> str:
        """The address of a cell of the table; "" where it is on no sheet."""
        return f"'{AFTER}'!{address(self.top + row, self.left + column)}" if self.live else ""

    def _down(self, column: int) -> str:
        last = address(self.top + self.rows[-1], self.left + column)
        return f"{self._at(column, 0)}:{last}" if self.live else ""
