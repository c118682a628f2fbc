"""The matrices of one step's sheet: headings, numbers, formulas, and references to earlier sheets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

import numpy as np

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.evaluate import evaluate_cell
from tracer.expression.formula import to_formula
from tracer.expression.label import label_text
from tracer.expression.lower import lower
from tracer.presentation.board import BoardPlace, kept_columns, kept_rows, lay_out
from tracer.presentation.headings import MARKS, detail
from tracer.presentation.palette import Highlight
from tracer.program.naming_policy import RATE
from tracer.program.program import Step
from tracer.program.roles import Assignment
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.parts import in_parts
from tracer.spreadsheet.sheet_data import MOST_FORMULA, address
from tracer.workbook.addresses import SheetAddresses, parts_column
from tracer.workbook.array_formulas import MatrixAddresses, array_formulas
from tracer.workbook.book import LEFT, Book, link
from tracer.workbook.pass_layout import PassLayout

LARGEST_FIXED = 1e12
WIDEST_HEADING = 6  # columns that the heading of a large matrix takes

PICKS = m.Part | m.Scatter | m.Reshape | m.Correlation | m.Spread | m.Pool | m.FirstMaximum
FormulaAt = Callable[[int, int], str]


class MatrixCells:
    """Writes matrices on the sheet `title` of a step, at their places on the board."""

    def __init__(self, book: Book, layout: PassLayout, step: Step, title: str) -> None:
        self.book, self.step, self.title = book, step, title
        self.one, self.index, self.board = layout.one, layout.index, layout.board
        self.decimals, self.top = layout.decimals, book.top
        self.sheet, self.data = book.workbook[title], book.data[title]
        self.own = {each.id: each for each in step.assignments}
        large = (each for each in self.board.excerpts if each not in self.own)
        elsewhere = {each: home for each in large if (home := self._home(each))}
        self.addresses = SheetAddresses(self.board, book.top, elsewhere)
        self.parts_row = 0  # the first free one beside the board

    def write(self, identifier: str, role: Highlight) -> None:
        """A matrix with its heading; a large one in full where it is computed, else as an excerpt."""
        own = identifier in self.own or (identifier == RATE and self.step.number == 0)
        if identifier in self.board.excerpts:
            self._excerpt(identifier, role)
        if own or identifier not in self.board.excerpts:
            self._whole(identifier, role)
        if own:
            self.book.home[self.one.epoch, self.one.iteration, identifier] = self.title
            self.book.name_matrix(identifier, self.title, self.board.places[identifier])

    def _whole(self, identifier: str, role: Highlight) -> None:
        place = self.board.places[identifier]
        self._heading(identifier, place, role, "")
        source = self._source(identifier)
        style = self._style(identifier, role, source is None)
        at = (self.top + place.row, LEFT + place.column)
        if source is None:
            self.book.typed.add((self.one.epoch, self.one.iteration, identifier))
            self.data.numbers(*at, self.one[identifier], style)
        elif formulas := self._array_formulas(identifier):
            for part, formula in zip(np.split(self.one[identifier], len(formulas)), formulas, strict=True):
                self.data.array_formula(*at, part, style, formula)
                at = (at[0] + len(part), at[1])
        else:
            made = self.own.get(identifier)
            expression = None if made is None else made.expression
            alike = expression is None or _alike(expression)
            if expression is not None and self._may_need_parts(expression):
                source, alike = _written_now(source, expression.shape), False
            self.data.formulas(*at, self.one[identifier], style, source, alike)

    def _excerpt(self, identifier: str, role: Highlight) -> None:
        """First and last rows and columns, referring to the cells of the whole matrix."""
        shown, place, values = self.board.excerpts[identifier], self.board.places[identifier], self.one[identifier]
        home = self.title if identifier in self.own else self._home(identifier)
        corner = address(self.top + place.row, LEFT + place.column)
        self._heading(identifier, shown, role, f"in full at {corner}" if home == self.title else f"in full on {home}")
        link(self.sheet, address(self.top + shown.heading_row, LEFT + shown.column), home or self.title, corner)
        style = self._style(identifier, role, False)
        for row, i in enumerate(kept_rows(place.rows), start=self.top + shown.row):
            for column, run in _runs(kept_columns(place.columns), LEFT + shown.column):
                if i is None or run is None:
                    self.data.text(row, column, "⋮" if i is None else "⋯", self.book.styles.left_out)
                    continue
                source = self._cell_of(identifier, i, run[0])
                self.data.formulas(row, column, values[i : i + 1, run[0] : run[-1] + 1], style, source)

    def _cell_of(self, identifier: str, row: int, first: int) -> FormulaAt:
        return lambda _, k: self.addresses.cell(s.Cell(identifier, row, first + k))

    def _home(self, identifier: str) -> str | None:
        """The sheet of this pass on which a matrix stands already."""
        return self.book.home.get((self.one.epoch, self.one.iteration, identifier))

    def _style(self, identifier: str, role: Highlight, typed: bool) -> int:
        decimals = self.decimals.decimals[identifier]
        if not np.abs(self.one[identifier]).max() < LARGEST_FIXED:
            decimals = None  # digits without end would be ###
        return self.book.styles.value(role, decimals, typed)

    def _heading(self, identifier: str, place: BoardPlace, role: Highlight, more: str) -> None:
        rows, columns = self.one[identifier].shape
        heading = self.book.headings.of(identifier, rows, columns)
        texts = (MARKS[role] + label_text(heading.name), " · ".join(filter(None, (detail(heading), more))))
        on_board = place.column < self.board.columns
        last = LEFT + place.column + (self.board.slot if on_board else min(place.columns, WIDEST_HEADING)) - 1
        for k, text in enumerate(texts):
            self.across(
                self.top + place.heading_row + k, text, self.book.styles.heading(role, k == 0), place.column, last
            )

    def across(self, row: int, text: str, style: int, column: int, last: int) -> None:
        """A text from a board column to a sheet column."""
        first = LEFT + column
        self.data.text(row, first, text, style)
        for each in range(first + 1, last + 1):
            self.data.blank(row, each, style)
        if last > first:
            merge(self.sheet, row, first, last)

    def _source(self, identifier: str) -> FormulaAt | None:
        """How a cell of a matrix comes to this sheet: None where it is typed in."""
        made, home = self.own.get(identifier), self._home(identifier)
        if made is not None and made.expression is not None:
            return lambda row, column: self._live(made, row, column)
        if home is not None and identifier not in self.own:
            return _reference(home, self.board.places[identifier], self.top)
        return self._given_before(identifier)

    def _array_formulas(self, identifier: str) -> list[str]:
        """The array formulas, if they are asked for, of a matrix that is computed on this sheet."""
        made = self.own.get(identifier)
        if made is None or made.expression is None or not self.book.matrix_formulas:
            return []
        names = self.book.names if len(self.book.passes) == 1 else {}  # else they are those of the last pass
        return array_formulas(made.expression, MatrixAddresses(self.board, self.top, self.addresses.elsewhere, names))

    def _may_need_parts(self, expression: m.Matrix) -> bool:
        """Whether a cell's formula comes near the most that a cell takes."""
        rows, columns = expression.shape
        if len(self._write(lower(expression, rows // 2, columns // 2))) < MOST_FORMULA / 16:  # the longest, or nearly
            return False
        corners = ((0, 0), (rows - 1, columns - 1), (rows // 2, columns // 2))
        return any(len(self._write(lower(expression, *corner))) > MOST_FORMULA / 2 for corner in corners)

    def _live(self, made: Assignment, row: int, column: int) -> str:
        assert made.expression is not None
        lowered = lower(made.expression, row, column)
        text = self._write(lowered)
        if len(text) <= MOST_FORMULA:
            return text
        whole, parts = in_parts(lowered, self._write, MOST_FORMULA, self.parts_row)
        if parts:
            label = made.id if made.shape == (1, 1) else f"{made.id}[{row + 1},{column + 1}]"
            self.data.text(
                self.top + self.parts_row, parts_column(self.board), f"parts of {label}", self.book.styles.note
            )
            for k, part in enumerate(parts):
                self._part(self.parts_row + k, part)
            self.parts_row += len(parts) + 1
        return self._write(whole)

    def _write(self, expression: s.Scalar) -> str:
        return to_formula(expression, self.addresses)

    def _part(self, k: int, part: s.Scalar) -> None:
        """A part of a formula that would be too long, in a cell beside the board."""
        column = parts_column(self.board)
        value = evaluate_cell(part, lambda cell: float(self.one[cell.matrix][cell.row, cell.column]))
        values, text = np.array([[value]]), self._write(part)
        self.data.formulas(self.top + 1 + k, column, values, self.book.styles.plain, lambda *_: text)

    def _given_before(self, identifier: str) -> FormulaAt | None:
        """A given matrix of a later pass: where the same numbers stand already."""
        for earlier in reversed(self.book.passes[: self.index]):
            same_rows = (earlier.start, earlier.stop) == (self.one.start, self.one.stop)
            is_data = identifier in earlier.program.given
            wanted = earlier.program.carried.get(identifier, identifier)
            if (is_data and not same_rows) or earlier[wanted] is not self.one[identifier]:
                if is_data:
                    continue
                return None
            place = lay_out(earlier.program).places[wanted]
            home = self.book.home[earlier.epoch, earlier.iteration, wanted]
            return _reference(home, place, self.top)
        return None


def _written_now(source: FormulaAt, shape: m.Shape) -> FormulaAt:
    """The same formulas, written before the sheet is: their parts have to be on it."""
    texts = {(row, column): source(row, column) for row in range(shape[0]) for column in range(shape[1])}
    return lambda row, column: texts[row, column]


def _reference(sheet: str, place: BoardPlace, board_top: int) -> FormulaAt:
    top, left = board_top + place.row, LEFT + place.column
    return lambda row, column: f"'{sheet}'!{address(top + row, left + column)}"


def _runs(kept: list[int | None], first: int) -> Iterator[tuple[int, list[int] | None]]:
    """Columns that stand side by side, with the sheet column of the first; None where some are left out."""
    for left_out, pairs in groupby(enumerate(kept, start=first), key=lambda pair: pair[1] is None):
        columns = list(pairs)
        yield columns[0][0], None if left_out else [c for _, c in columns if c is not None]


def _alike(expression: m.Matrix) -> bool:
    """Whether the formulas of a column differ by their row alone: not where a row has a rule of its own."""
    if isinstance(expression, m.Identity | m.Stack | PICKS):
        return False
    return all(map(_alike, traversal.operands(expression)))
