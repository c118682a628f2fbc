"""One step's sheet: a head, the board as far as it is known, and beside it the step worked out."""

from __future__ import annotations

from typing import NamedTuple

from openpyxl.worksheet.dimensions import ColumnDimension

from tracer.expression.label import label_text
from tracer.expression.text import matrix_text
from tracer.presentation.headings import band_title, highlights, step_words
from tracer.presentation.palette import LEGEND
from tracer.problem.remarks import departures
from tracer.program.program import Step
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.print_setup import LEAST_SCALE, ROW, Page, break_rows, choose_page, set_up
from tracer.spreadsheet.sheet_data import address, column_letters
from tracer.workbook.book import LEFT, NARROW, TOP, Book, link
from tracer.workbook.flow import lines_of
from tracer.workbook.matrix_cells import MatrixCells
from tracer.workbook.pass_layout import PassLayout
from tracer.workbook.worked_lines import COLUMNS, WorkedLines

HEAD = 3  # rows with title, why and formulas, repeated on every printed page
TITLE_HEIGHT, NOTE_HEIGHT, FORMULA_HEIGHT = 24.0, 14.0, 16.0
FORMULA_SIZE = 1.15  # bold 11-point type beside the 10 points of a note
HOW_TO_READ = (
    "Letters = numbers = value. The lines update when a number is changed. They show rounded numbers but compute with "
    "every digit: ≈ where the digits shown do not give the result shown."
)


class Area(NamedTuple):
    """What is printed from row 1 on: columns, the last row, and the width in characters."""

    first: int
    last_row: int
    last: int
    width: float


class StepSheet:
    """One step's sheet."""

    def __init__(self, book: Book, layout: PassLayout, step: Step, title: str) -> None:
        self.book, self.step, self.title = book, step, title
        self.one, self.board, self.layout = layout.one, layout.board, layout
        self.sheet = book.add_sheet(title)
        self.data = book.data[title]
        self.roles = highlights(layout.one.program, step)
        self.cells = MatrixCells(book, layout, step, title)
        self.last = LEFT + layout.head_columns - 1  # column of the head

    def fill(self) -> None:
        self._set_columns()
        self._head()
        for band in self.board.bands:
            title = band_title(self.book.problem, band, self.one)
            self.data.text(TOP + band.row, LEFT, title, self.book.styles.band)
        for identifier, role in self.roles.items():
            self.cells.write(identifier, role)
        self._fold()
        board = sum(self.layout.widths), self._height(range(1, TOP + self.board.rows))
        self._print(self._worked_lines(choose_page(board)))

    def link_to(self, before: str | None, behind: str | None) -> None:
        """Links to the steps before and behind, and to the start, over the three slots."""
        texts = (f"← {before}" if before else "", "Start", f"{behind} →" if behind else "")
        for k, (text, title) in enumerate(zip(texts, (before, "Start", behind), strict=True)):
            if title is not None:
                at = address(HEAD + 2, LEFT + k * (self.board.slot + 1))
                self.data.text(HEAD + 2, LEFT + k * (self.board.slot + 1), text, self.book.styles.link)
                link(self.sheet, at, title)

    def _set_columns(self) -> None:
        self.sheet.column_dimensions[column_letters(1)].width = NARROW
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
        title, why = f"Step {step.label} · {title}", " ".join((why, *departures(self.book.problem)))
        formulas = "\n".join(self._formulas())
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
        lines = [f"{name(each.id)} = {matrix_text(each.expression, name)}" for each in made if each.expression]
        if self.one is self.book.trace.first:
            return lines or ["given: the blue numbers are typed in; change one and everything after it updates"]
        return lines or ["carried over from the previous passes"]

    def _fold(self) -> None:
        """Hide runs of rows in which nothing is known yet, all but one row of each."""
        used = {TOP + band.row for band in self.board.bands}
        for identifier in self.roles:
            place = self.board.shown(identifier)
            used.update(range(TOP + place.heading_row, TOP + place.row + place.rows))
        rows = range(TOP, TOP + self.board.rows)
        self.data.folded = {row for row in rows if row not in used and row - 1 not in used}

    def _height(self, rows: range) -> float:
        return sum(self.data.heights.get(row, ROW) for row in rows if row not in self.data.folded)

    def _worked_lines(self, page: Page) -> Area | None:
        """The step worked beside the board, on a page of its own in print where both do not fit one."""
        made = [each for each in self.step.assignments if each.expression is not None]
        if not made:
            return None
        first = LEFT + self.board.columns + 1
        lines = WorkedLines(
            self.book, self.sheet, self.one, self.layout.decimals, self.cells.addresses, first, self.data.folded,
            page.characters,
        )  # fmt: skip
        for each, formula in zip(made, self._formulas(), strict=True):
            lines.collect(each, formula)
        lines.write(TOP)
        for k, width in enumerate(lines.widths):
            self.sheet.column_dimensions[column_letters(first + k)].width = width
        self.sheet.column_dimensions[column_letters(first - 1)].width = NARROW
        last = first + COLUMNS - 1
        for row, text, style in ((1, f"Step {self.step.label}, worked", "title"), (2, HOW_TO_READ, "note")):
            self.data.text(row, first, text, getattr(self.book.styles, style))
            merge(self.sheet, row, first, last)
        self.data.heights[2] = max(self.data.heights[2], NOTE_HEIGHT * lines_of(HOW_TO_READ, sum(lines.widths)))
        return Area(first, lines.row - 1, last, sum(lines.widths))

    def _print(self, worked: Area | None) -> None:
        """The board and the step worked: beside each other where one page holds both, or each on a page.

        A board too long for a page is broken between matrices.
        """
        last = self._last_row()
        board = Area(LEFT, last, LEFT + self.board.columns - 1, sum(self.layout.widths))
        areas = [board, worked] if worked else [board]
        page = choose_page(*map(self._size, areas))
        if worked:
            both = Area(LEFT, max(last, worked.last_row), worked.last, board.width + NARROW + worked.width)
            beside = choose_page(self._size(both))
            areas, page = ([both], beside) if beside.whole else (areas, page)
        if worked and not page.whole:
            areas, page = self._with_gap(board, worked, page)
        ranges = [f"{address(1, each.first)}:{address(each.last_row, each.last)}" for each in areas]
        set_up(self.sheet, page, ranges, f"1:{HEAD}")
        self._break(page, last)

    def _with_gap(self, board: Area, worked: Area, page: Page) -> tuple[list[Area], Page]:
        """A board a little too long for a page fits it with a wider empty column beside it, which makes all smaller."""
        height = self._size(board)[1]
        scale = page.scale * page.height / height
        if not LEAST_SCALE <= scale < page.scale:
            return [board, worked], page
        wide = page.characters * page.scale / scale
        gap = column_letters(board.last + 1)
        self.sheet.column_dimensions[gap].width = max(NARROW, wide - board.width)
        return [Area(board.first, board.last_row, board.last + 1, wide), worked], Page(page.orientation, scale)

    def _break(self, page: Page, last: int) -> None:
        shown = [self.board.shown(each) for each in self.roles]
        within = {TOP + row for place in shown for row in range(place.heading_row + 1, place.row + place.rows)}
        rows = [row for row in range(HEAD + 1, last + 1) if row not in self.data.folded]
        head = self._height(range(1, HEAD + 1))
        break_rows(
            self.sheet, page, rows, lambda row: self.data.heights.get(row, ROW), lambda row: row not in within, head
        )

    def _last_row(self) -> int:
        """The last row of what is known by now."""
        shown = [self.board.shown(each) for each in self.roles]
        return TOP + max(place.row + place.rows for place in shown) - 1

    def _size(self, area: Area) -> tuple[float, float]:
        return area.width, self._height(range(1, area.last_row + 1))
