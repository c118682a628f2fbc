"""The board of a worksheet as a sheet: given numbers locked, cells to fill in open, and marks beside them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from openpyxl.formatting.rule import Rule
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet as Sheet

from tracer.expression import scalar as s
from tracer.expression.arrays import Array
from tracer.expression.digits import fixed_texts
from tracer.expression.label import label_text
from tracer.presentation import palette
from tracer.presentation.board import BoardPlace, lay_out
from tracer.presentation.shown import asked, shown
from tracer.presentation.theme import Theme
from tracer.problem.remarks import departures_chosen
from tracer.program.naming_policy import RATE
from tracer.run.passes import AnyProblem, Trace
from tracer.spreadsheet.columns import address, column_letters
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.print_setup import ROW
from tracer.spreadsheet.sheet_data import SheetData
from tracer.workbook.book import Book
from tracer.worksheet.board import TOP, WorksheetBoard
from tracer.worksheet.hints import hints, signs
from tracer.worksheet.marks import AGAIN, COARSE, FOLLOWS, RIGHT, HiddenBoard, Marks, text
from tracer.worksheet.paper import BOX_HEIGHT, BOX_WIDTH, name_pages, put_on_paper
from tracer.worksheet.plan import Plan
from tracer.worksheet.planting import Planted
from tracer.worksheet.quantities import Quantities, part_formula
from tracer.worksheet.told import title_of_band, words_of

TASK_ROW, LEGEND_ROW, NAME_ROW, FILLED_ROW, PROBLEM_ROW, DEPARTURES_ROW = 2, 3, 4, 5, 6, 7
NUMBER_WIDTH, MARK_WIDTH, LEAST_WIDTH, WIDEST_HEADING = 3.0, 3.0, 9.0, 34.0
BESIDE_NUMBER = 1.5  # characters of a column beside the longest number in it
HINT_WIDTH = 60.0
MOST_TITLE, MOST_PROMPT_TITLE, MOST_PROMPT = 31, 32, 255  # characters of a sheet's title; of a prompt's and its own
LARGEST_EXPECTED = 10_000  # a date that a spreadsheet made of 3/8 is larger


class Worksheet:
    """The sheets of a worksheet or, with `key`, of its key: the board, and the working of the steps."""

    def __init__(
        self, trace: Trace[AnyProblem], plan: Plan, key: bool, theme: Theme, planted: Planted | None = None
    ) -> None:
        self.planted = None if key else planted  # the numbers that are printed, with slips to be found
        self.trace, self.one, self.plan, self.key, self.theme = trace, trace.first, plan, key, theme
        self.say = theme.say
        self.program, self.problem = self.one.program, trace.problem
        self.book = Book(trace)
        self.sheet, self.data = self.add_sheet("board")
        self.styles = self.book.styles
        self.shown = shown(trace, self.one)
        self.places = WorksheetBoard(lay_out(self.program), plan.marks)
        self.asked = {each: places for each, places in asked(trace, self.one).items() if each in plan.blank}
        self.behind: Sheet | None = None
        if plan.marks:
            self.behind, self.hidden = self.add_sheet("rules")
            self.board = HiddenBoard(self.places, self.sheet.title, self.behind.title)
            self.marks = Marks(plan, self.program, self.places, self.board)
            self._rules(self.hidden, self.board)
        self.present = [each for each in self.places.board.places if each == RATE or plan.shows(each, self.program)]
        self.title = self.say("book.key" if key else "book.worksheet", title=self._numbered_title())

    def fill(self) -> None:
        self._widths()
        self._head()
        for band in self.places.board.bands:
            if any(each in self.present for stack in band.stacks for each in stack):
                title = title_of_band(self.trace, band, self.theme)
                self.data.text(TOP + band.row, self.places.first_column(0), title, self.styles.band)
        for identifier in self.present:
            self._heading(identifier)
            self._name(identifier)
            if self.planted is not None and identifier in self.planted.values:
                self._printed(identifier, self.planted.values[identifier])
            elif identifier in self.plan.blank:
                self._answers(identifier)
            else:
                self._given(identifier)
        if self.plan.marks and not self.key:
            self._hints()
        self._protect()

    def add_sheet(self, name: str) -> tuple[Sheet, SheetData]:
        """A sheet by the name that it has in the catalogue, with name, variant and page on every printed page."""
        title = re.sub(r"[\[\]:*?/\\']", " ", self.say(f"book.{name}"))[:MOST_TITLE].strip()
        sheet = self.book.add_sheet(title if title and title not in self.book.data else f"{len(self.book.data) + 1}")
        name_pages(sheet, self.problem.title, self.plan, self.theme)
        return sheet, self.book.data[sheet.title]

    def _numbered_title(self) -> str:
        if not self.plan.sheets:
            return self.problem.title
        return f"{self.problem.title} · {self.say('sheet.series', number=self.plan.sheet, count=self.plan.sheets)}"

    # The head

    def _head(self) -> None:
        first = self.places.first_column(0)
        self.data.heights[1] = 24.0
        self.data.text(1, first, self.title, self.styles.title)
        carry = f" {self.say('sheet.carry_rounded')}" if self.trace.problem.carry_rounded else ""
        if self.planted is not None:
            self._note(TASK_ROW, self.say("find.task", count=len(self.planted.slips)))
            sheet = self.say("book.find")
            self._note(LEGEND_ROW, f"{self.say('book.find_task', sheet=sheet)} {self.say('find.legend')}")
        else:
            self.data.text(TASK_ROW, first, self.say("book.fill_in") + carry, self.styles.plain)
            if self.plan.marks:
                self._note(LEGEND_ROW, self.say("book.legend"))
        if departures := departures_chosen(self.problem):
            self._note(DEPARTURES_ROW, " ".join(self.say(f"departures.{each}") for each in departures))
        for label, slot in (("name", 0), ("id", 1)):
            column = self.places.first_column(slot)
            self.data.text(NAME_ROW, column, self.say(f"sheet.{label}"), self.styles.plain)
            self._across(NAME_ROW, column + 1, "", self.styles.answer(None, True), self.places.board.slot - 1)
            self._define(f"student_{label}", address(NAME_ROW, column + 1, absolute=True))
        if self.plan.mode != "print" and self.planted is None:
            self.data.text(FILLED_ROW, first, self.say("book.filled"), self.styles.plain)
            self.data.live_text(FILLED_ROW, first + 1, self._progress(), "", self.styles.plain)
        self.data.text(PROBLEM_ROW, first, self.say("book.problem"), self.styles.plain)
        self.data.text(PROBLEM_ROW, first + 1, self.plan.problem_sha256, self.styles.plain)

    def _note(self, row: int, words: str) -> None:
        """A text over the width of the board, in as many lines as it takes."""
        first, last = self.places.first_column(0), self.places.last_column
        self._across(row, first, words, self.styles.note, last - first + 1)
        self.data.heights[row] = ROW * math.ceil(len(words) / sum(self.widths[first - 1 : last]))

    def _progress(self) -> str:
        blank = [each for each in self.present if each in self.plan.blank]
        total = sum(self.one[each].size for each in blank)
        before, after = self.say("book.progress", filled="\n", total=total).split("\n", 1)
        return f"{text(before)}&COUNT({','.join(map(self.places.whole, blank))})&{text(after)}"

    # The matrices

    def _heading(self, identifier: str) -> None:
        """Two rows: what the matrix is called; then its identifier, step and shape, by which answers are read back."""
        place = self.places.board.places[identifier]
        row, column = self.places.corner(identifier)
        blank = identifier in self.plan.blank
        first, second = self._heading_texts(identifier, place)
        role = "active" if blank else "plain"
        self._across(row - 2, column, first, self.styles.heading(role, True))
        self._across(row - 1, column, second, self.styles.heading(role, False))
        for k in range(place.rows):
            self.data.text(row + k, column - 1, str(k + 1), self.styles.left_out)

    def _heading_texts(self, identifier: str, place: BoardPlace) -> tuple[str, str]:
        heading = self.book.headings.of(identifier, place.rows, place.columns)
        blank = identifier in self.plan.blank
        step = words_of(self.program.step_of(identifier), self.program, self.theme).label if blank else ""
        origin = self.say("book.step", label=step) if blank else self.say("book.given")
        fraction = "" if heading.fraction is None else label_text(heading.fraction)
        parts = (
            self.say("sheet.rate") if identifier == RATE else identifier,
            origin,
            f"{place.rows}×{place.columns}",
            fraction,
        )
        return ("✎ " if blank else "") + label_text(heading.name), " · ".join(filter(None, parts))

    def _across(self, row: int, column: int, words: str, style: int, columns: int = 0) -> None:
        """A text, or a blank, over so many columns: as a rule all those of a slot."""
        last = column + (columns or self.places.board.slot) - 1
        if words:
            self.data.text(row, column, words, style)
        else:
            self.data.blank(row, column, style)
        for each in range(column + 1, last + 1):
            self.data.blank(row, each, style)
        if last > column:
            merge(self.sheet, row, column, last)

    def _given(self, identifier: str) -> None:
        style = self.styles.value("plain", self.shown.decimals[identifier], False)
        self.data.numbers(*self.places.corner(identifier), self.one[identifier], style)

    def _printed(self, identifier: str, values: Array) -> None:
        """The numbers of a sheet with slips, and beside each a cell for an x."""
        style = self.styles.value("plain", self.asked[identifier], False)
        self.data.numbers(*self.places.corner(identifier), values, style)
        row, column = self.places.mark_corner(identifier)
        for i, j in np.ndindex(values.shape):
            self.data.blank(row + i, column + j, self.styles.answer(None, True))

    def _answers(self, identifier: str) -> None:
        row, column = self.places.corner(identifier)
        values = self.one[identifier]
        if self.plan.mode == "print":
            self.data.heights |= dict.fromkeys(range(row, row + len(values)), BOX_HEIGHT)
        if self.key:
            self.data.numbers(row, column, values, self.styles.answer(self.shown.decimals[identifier]))
        else:
            for i, j in np.ndindex(values.shape):
                self.data.blank(row + i, column + j, self.styles.answer())
        self._expect(identifier)
        if self.plan.marks:
            self._marks(identifier)

    def _marks(self, identifier: str) -> None:
        row, column = self.places.mark_corner(identifier)
        for i, j in np.ndindex(self.one[identifier].shape):
            formula = self.marks.formula(identifier, i, j)
            self.data.live_text(row + i, column + j, formula, RIGHT if self.key else "", self.styles.left_out)
        cells, mark = self.places.whole(identifier), address(row, column)
        for sign, colour in (
            (RIGHT, palette.RIGHT),
            (AGAIN, palette.AGAIN),
            (FOLLOWS, palette.HEADING),
            (COARSE, palette.COARSE),
        ):
            rule = Rule("expression", dxfId=self.styles.tint(colour), formula=[f"{mark}={text(sign)}"])
            self.sheet.conditional_formatting.add(cells, rule)

    def _rules(self, data: SheetData, board: HiddenBoard) -> None:
        """What the marks are worked out from, on the hidden sheet; the same for every sheet of a problem."""
        titles, decimals = [each.title for each in self.book.workbook.worksheets], sorted(self.asked.items())
        what, built = f"rules {titles} {replace(self.plan, problem_sha256='')} {decimals}", self.problem.built
        for row, column, formula in built.get(what) or built.setdefault(what, list(self._formulas(board))):
            data.live_text(row, column, formula, "", self.styles.plain)

    def _formulas(self, board: HiddenBoard) -> Iterator[tuple[int, int, str]]:
        """Sheet row and column of each quantity of each cell, and its formula."""
        yield (*board.place_of_part, part_formula(board.everywhere("cuts")))
        printed = (each for each in (*self.one, RATE) if self.plan.prints(each, self.program))
        halves = {each: self.shown.half(each) for each in printed}
        quantities = Quantities(self.program, self.plan.blank, board, self.asked, halves)
        for each in self.plan.blank:
            for place in np.ndindex(self.one[each].shape):
                for quantity, formula in quantities.of(each, *place).items():
                    yield (*board.at(quantity, s.Cell(each, *place)), formula)

    def hide(self) -> None:
        """Put the sheet that the marks are worked out on behind the others, out of sight."""
        if self.behind is not None:
            self.book.workbook.move_sheet(self.behind, len(self.book.data))
            self.behind.sheet_state = "hidden"
            self.behind.protection.sheet = True

    def _expect(self, identifier: str) -> None:
        """Say what is expected in the cells, and warn of anything else."""
        largest = float(np.abs(self.one[identifier]).max())
        bound = LARGEST_EXPECTED if largest < LARGEST_EXPECTED / 10 else 10 ** (int(np.log10(largest)) + 2)
        expected = DataValidation(type="decimal", operator="between", formula1=f"-{bound}", formula2=str(bound))
        expected.errorStyle, expected.allow_blank = "warning", True
        typing, decimals = self.say("book.typing"), self.asked[identifier]
        expected.promptTitle = identifier
        prompt = "book.rounded" if self.trace.problem.carry_rounded else "book.prompt"
        expected.prompt = self.say(prompt, count=decimals, typing=typing)[:MOST_PROMPT]
        expected.errorTitle = self.say("book.no_number")[:MOST_PROMPT_TITLE]
        expected.error = self.say("book.number_expected", typing=typing)[:MOST_PROMPT]
        expected.showInputMessage = expected.showErrorMessage = True
        expected.add(self.places.whole(identifier))
        self.sheet.add_data_validation(expected)

    def _name(self, identifier: str) -> None:
        """The defined name of a matrix."""
        row, column = self.places.corner(identifier)
        place = self.places.board.places[identifier]
        first = address(row, column, absolute=True)
        last = address(row + place.rows - 1, column + place.columns - 1, absolute=True)
        self._define(self.book.names[identifier], first if first == last else f"{first}:{last}")

    def _define(self, name: str, cells: str) -> None:
        self.book.workbook.defined_names[name] = DefinedName(name, attr_text=f"'{self.sheet.title}'!{cells}")

    # The sheet

    def _hints(self) -> None:
        """Beside the board, in the row of a cell that is marked ✗, its formula."""
        column = self.places.last_column + 2
        if self.planted is None:
            self.data.text(TOP - 1, column, self.say("book.hints"), self.styles.plain)
            lines = hints(self.one, self.plan, self.places, self.shown, self.symbol, self.theme.notation)
        else:
            lines = signs(self.program, self.plan, self.board, self.symbol)
        for row, formula in lines:
            self.data.live_text(row, column, formula, "", self.styles.plain)
        self.sheet.column_dimensions[column_letters(column)].width = HINT_WIDTH

    def symbol(self, cell: s.Cell) -> str:
        """What a cell is called in formulas."""
        return label_text(self.book.headings.symbols.cell(cell.matrix, cell.row, cell.column))

    def _widths(self) -> None:
        needed = [BOX_WIDTH if self.plan.mode == "print" else LEAST_WIDTH] * len(self.places.slots)
        for identifier in self.present:
            slot = self.places.slot_of(identifier)
            longest = max(map(len, self._heading_texts(identifier, self.places.board.places[identifier])))
            number = max(map(len, self._numbers_shown(identifier)), default=0) + BESIDE_NUMBER
            needed[slot] = max(needed[slot], number, min(longest + 2.0, WIDEST_HEADING) / self.places.slots[slot])
        self.widths = []
        for columns, width in zip(self.places.slots, needed, strict=True):
            self.widths += [NUMBER_WIDTH, *[width] * columns, *[MARK_WIDTH] * (columns if self.plan.marks else 0)]
        for column, width in enumerate(self.widths, start=1):
            self.sheet.column_dimensions[column_letters(column)].width = width

    def _numbers_shown(self, identifier: str) -> list[str]:
        """The numbers that stand in a matrix, as they are shown; none where it is to be filled in."""
        if self.planted is not None and identifier in self.planted.values:
            return fixed_texts(self.planted.values[identifier], self.asked[identifier])
        blank = identifier in self.plan.blank and not self.key
        return [] if blank else self.shown.texts(identifier, self.one[identifier])

    def _protect(self) -> None:
        protection = self.sheet.protection
        protection.sheet = True
        protection.insertRows = protection.formatCells = protection.formatColumns = protection.formatRows = False
        board, last = self.places, (self.places.last_row, self.places.last_column)
        tops = {each: board.corner(each)[0] for each in self.present}
        inside = {row for each, top in tops.items() for row in range(top - 1, top + board.board.places[each].rows)}
        inside |= {TOP + band.row + 1 for band in board.board.bands}  # a title stays with what it is the title of
        put_on_paper(self.sheet, self.data, sum(self.widths), last, 2, lambda row: row not in inside)
        self.sheet.freeze_panes = address(TOP - 1, 1)
