"""One step's sheet: a head, the stage, the board as far as it is known, and below it every cell worked out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from openpyxl.worksheet.dimensions import ColumnDimension

from tracer.expression.label import label_text
from tracer.expression.text import matrix_text
from tracer.presentation.board import BESIDE, Band
from tracer.presentation.headings import band_title, board_of, is_large, step_words
from tracer.presentation.palette import LEGEND
from tracer.problem.remarks import departures
from tracer.program.program import Step
from tracer.program.roles import Assignment
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.print_setup import ROW, break_rows, choose_page, set_up
from tracer.spreadsheet.sheet_data import address, column_letters
from tracer.workbook.book import LEFT, TOP, Book, link
from tracer.workbook.flow import lines_of
from tracer.workbook.matrix_cells import MatrixCells
from tracer.workbook.pass_layout import SIGN_WIDTH, PassLayout
from tracer.workbook.stage_cells import StageCells
from tracer.workbook.worked_lines import WorkedLines

HEAD = 3  # rows with title, why and formulas, repeated on every printed page
TITLE_HEIGHT, NOTE_HEIGHT, FORMULA_HEIGHT = 24.0, 14.0, 16.0
FORMULA_SIZE = 1.15  # bold 11-point type beside the 10 points of a note
HOW_TO_READ = (
    "Every cell, letters = numbers = value. The lines update when a number is changed. They show rounded numbers but "
    "compute with every digit: ≈ where the digits shown do not give the result shown."
)


class StepSheet:
    """One step's sheet."""

    def __init__(self, book: Book, layout: PassLayout, step: Step, title: str) -> None:
        self.book, self.step, self.title = book, step, title
        self.one, self.board, self.layout = layout.one, layout.board, layout
        self.sheet = book.add_sheet(title)
        self.data = book.data[title]
        self.roles = board_of(layout.one.program, step)
        self.cells = MatrixCells(book, layout, step, title)
        short_of_large = layout.widths[: layout.board.columns + BESIDE - 1]
        self.lines = WorkedLines(book, self.sheet, self.one, layout.decimals, self.cells.addresses, short_of_large)
        self.last = LEFT + layout.head_columns - 1  # column of the head

    def fill(self) -> None:
        self._set_columns()
        self._head()
        made = [each for each in self.step.assignments if each.expression is not None]
        stage = StageCells(self.book, self.layout, self.cells)
        stage.write(self.layout.stages[self.step.label], self._formulas(), self.lines)
        for band in self._bands():
            title = band_title(self.book.problem, band, self.one)
            self.data.text(self.book.top + band.row, LEFT, title, self.book.styles.band)
        for identifier, role in self.roles.items():
            self.cells.write(identifier, role)
        last = self._every_cell(made) if made else self._last_row()
        self._fold(stage.row)
        self._print(last, stage.row)

    def link_to(self, before: str | None, behind: str | None) -> None:
        """Links to the steps before and behind, and to the start, over the three slots."""
        texts = (f"← {before}" if before else "", "Start", f"{behind} →" if behind else "")
        for k, (text, title) in enumerate(zip(texts, (before, "Start", behind), strict=True)):
            if title is not None:
                at = address(HEAD + 2, LEFT + k * (self.board.slot + 1))
                self.data.text(HEAD + 2, LEFT + k * (self.board.slot + 1), text, self.book.styles.link)
                link(self.sheet, at, title)

    def _set_columns(self) -> None:
        self.sheet.column_dimensions[column_letters(1)].width = SIGN_WIDTH
        for column, width in enumerate(self.layout.widths, start=LEFT):
            self.sheet.column_dimensions[column_letters(column)].width = width
        for identifier in self.cells.own.keys() & self.board.excerpts.keys():
            self._set_full_columns(identifier)

    def _set_full_columns(self, identifier: str) -> None:
        """The columns of a large matrix, which others of this step may share."""
        place = self.board.places[identifier]
        first, last = LEFT + place.column, LEFT + place.column + place.columns - 1
        letters, dimensions = column_letters(first), self.sheet.column_dimensions
        if letters in dimensions:
            last = max(last, dimensions[letters].max or first)
        width = max(self.layout.full[each] for each in self.cells.own.keys() & self.board.excerpts.keys())
        dimensions[letters] = ColumnDimension(self.sheet, index=letters, min=first, max=last, width=width)

    def _head(self) -> None:
        styles, step = self.book.styles, self.step
        title, why = step_words(self.book.trace, self.one, step)
        title, why = f"Step {step.label} · {title}", " ".join((why, *departures(self.book.problem), *self._left_out()))
        formulas = "\n".join(self._formulas()) or self._no_formula()
        width = sum(self.layout.widths[: self.last - LEFT + 1])
        self.book.heads[self.title] = (title, why, formulas)
        self._line(1, title, styles.title, TITLE_HEIGHT)
        self._line(2, why, styles.note, NOTE_HEIGHT * max(2, lines_of(why, width)))
        self._line(3, formulas, styles.formula, FORMULA_HEIGHT * lines_of(formulas, width / FORMULA_SIZE))
        for k, (role, words) in enumerate(LEGEND):
            first = k * (self.board.slot + 1)
            self.cells.across(HEAD + 1, words, styles.heading(role, False), first, LEFT + first + self.board.slot - 1)
        self.sheet.freeze_panes = address(TOP, LEFT)

    def _line(self, row: int, text: str, style: int, height: float) -> None:
        self.data.text(row, LEFT, text, style)
        self.data.heights[row] = height
        merge(self.sheet, row, LEFT, self.last)

    def _formulas(self) -> list[str]:
        names = self.book.headings.names

        def name(identifier: str) -> str:
            return label_text(names.matrix(identifier))

        made = [each for each in self.step.assignments if each.expression is not None]
        return [f"{name(each.id)} = {matrix_text(each.expression, name)}" for each in made if each.expression]

    def _left_out(self) -> Iterator[str]:
        if is_large(self.one.program):
            yield "The board of so large a program has only what this step takes part in."

    def _no_formula(self) -> str:
        if self.one is self.book.trace.first:
            return "given: the blue numbers are typed in; change one and everything after it updates"
        return "carried over from the previous passes"

    def _bands(self) -> list[Band]:
        """The bands whose titles are shown: of a large program those in which something stands."""
        large = is_large(self.one.program)
        return [band for band in self.board.bands if not large or self.roles.keys() & {*chain(*band.stacks)}]

    def _fold(self, free: int) -> None:
        """Hide rows below the stage, and runs of rows in which nothing is known yet, all but one row of each."""
        top = self.book.top
        used = {top + band.row for band in self._bands()}
        for identifier in self.roles:
            places = [self.board.shown(identifier)]
            if identifier in self.cells.own:
                places.append(self.board.places[identifier])
            for place in places:
                used.update(range(top + place.heading_row, top + place.row + place.rows))
        rows = range(top, top + self.board.rows)
        self.data.folded = {*range(free, top)} | {row for row in rows if row not in used and row - 1 not in used}

    def _height(self, rows: Iterable[int]) -> float:
        return sum(self.data.heights.get(row, ROW) for row in rows if row not in self.data.folded)

    def _every_cell(self, made: Sequence[Assignment]) -> int:
        """Every cell worked below the board; returns the last row."""
        row, lines = self.book.top + self.board.rows + 1, self.lines
        self.data.text(row, LEFT, HOW_TO_READ, self.book.styles.note)
        self.data.heights[row] = NOTE_HEIGHT * lines_of(HOW_TO_READ, sum(self.layout.widths[: lines.columns]))
        merge(self.sheet, row, LEFT, LEFT + lines.columns - 1)
        row += 1
        for each, formula in zip(made, self._formulas(), strict=True):
            row = lines.every_cell(row, each, formula)
        return row - 2

    def _print(self, last: int, free: int) -> None:
        """Stage, board and lines one under the other; a page ends between them where they are too long for one."""
        columns = self._columns()
        width = SIGN_WIDTH + sum(self.layout.widths[:columns])
        rows = [row for row in range(1, last + 1) if row not in self.data.folded]
        page = choose_page((width, self._height(rows)))
        set_up(self.sheet, page, [f"{address(1, 1)}:{address(last, LEFT + columns - 1)}"], f"1:{HEAD}")
        head, body = self._height(range(1, HEAD + 1)), [row for row in rows if row > HEAD]
        within = self._within(free, page.height - head)
        break_rows(
            self.sheet, page, body, lambda row: self.data.heights.get(row, ROW), lambda row: row not in within, head
        )

    def _columns(self) -> int:
        """How many columns the stage, the board and the lines take."""
        stages = self.layout.stages[self.step.label]
        lines = self.lines.columns if stages else 0
        return max(self.board.columns, self.layout.head_columns, lines, *(each.grid.columns for each in stages))

    def _within(self, free: int, room: float) -> set[int]:
        """Rows before which no page ends: of a formula's stage, of the board if it fits a page, else of a matrix."""
        within, row, top = set(range(TOP, free)), TOP, self.book.top
        for each in self.layout.stages[self.step.label]:
            within.discard(row)
            row += each.rows
        board = range(top + 1, top + self.board.rows)
        if self._height(board) + ROW <= room:
            return within | set(board)
        for place in (self.board.shown(each) for each in self.roles):
            within.update(top + k for k in range(place.heading_row + 1, place.row + place.rows))
        return within

    def _last_row(self) -> int:
        """The last row of what is known by now."""
        shown = [self.board.shown(each) for each in self.roles]
        return self.book.top + max(place.row + place.rows for place in shown) - 1
