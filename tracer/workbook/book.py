"""A workbook in the making: its sheets, their data, styles and defined names."""

from __future__ import annotations

from collections.abc import Mapping

from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from tracer.presentation.board import BoardPlace, lay_out
from tracer.presentation.headings import Headings
from tracer.program.naming_policy import RATE, defined_names
from tracer.program.program import Program, Step
from tracer.run.passes import AnyProblem, Pass, Trace
from tracer.spreadsheet.columns import column_letters
from tracer.spreadsheet.sheet_data import SheetData, address
from tracer.spreadsheet.styles import Styles

TOP, LEFT = 6, 2  # the sheet row and column below the head and behind the margin
TOP_LEFT = address(1, 1)
NARROW = 2.0  # the width of a margin or a gap
DEFAULT_WIDTH = 8.43  # of a column, where nothing is said
PAGE = "page &P of &N"  # at the foot of a printed page, with its number and how many there are


class Book:
    """What the sheets share; `home` says on which sheet each matrix of each pass is computed.

    `top` is the row where the board begins on every step sheet: below the tallest stage.

    `matrix_formulas`: a matrix is computed by an array formula where it has one, not cell by cell.
    """

    def __init__(self, trace: Trace[AnyProblem], matrix_formulas: bool = False) -> None:
        self.trace = trace
        self.problem: AnyProblem = trace.problem
        self.matrix_formulas = matrix_formulas
        self.headings = Headings(trace.problem, trace.first.program)
        self.top = TOP
        self.workbook = Workbook()
        self.styles = Styles(self.workbook)
        self.data: dict[str, SheetData] = {}
        self.home: dict[tuple[int, int, str], str] = {}
        self.typed: set[tuple[int, int, str]] = set()  # what stands on a sheet as plain numbers
        self.named: dict[str, str] = {}
        self.link_rows: dict[str, int] = {}  # of sheets with room for links
        self.heads: dict[str, tuple[str, str, str]] = {}  # title, why and formulas of each step sheet
        self.worked: dict[str, str] = {}  # of each step sheet with formulas, the first cell worked on its stage
        self.passes = list(trace.passes)
        self.places = lay_out(trace.first.program).places
        self._places = {trace.first.program.rows: self.places}
        self.names = defined_names((*trace.first, RATE))

    def places_of(self, program: Program) -> Mapping[str, BoardPlace]:
        """Where the matrices of a pass lie on its board; passes differ in their rows only."""
        if program.rows not in self._places:
            self._places[program.rows] = lay_out(program).places
        return self._places[program.rows]

    def add_sheet(self, title: str, page: str = PAGE) -> Worksheet:
        sheet = self.workbook.active if not self.data else self.workbook.create_sheet()
        assert isinstance(sheet, Worksheet)
        sheet.title = title
        sheet.sheet_view.showGridLines = False
        sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        heading = _HeaderFooterPart(self.problem.title[:60].replace("&", "&&"))
        sheet.HeaderFooter.oddHeader = HeaderFooterItem(left=heading)
        sheet.HeaderFooter.oddFooter = HeaderFooterItem(right=_HeaderFooterPart(f"&A · {page}"))
        self.data[title] = SheetData()
        return sheet

    def sheet_title(self, one: Pass, step: Step) -> str:
        label = f"Step {step.label}"
        if len(self.passes) == 1:
            return label
        several = len(self.problem.batches()) > 1
        place = f"{one.epoch}.{one.iteration}" if several else str(one.epoch)
        return f"Epoch {place} {label}"

    def name_matrix(self, identifier: str, title: str, place: BoardPlace) -> None:
        """The defined name of a matrix; a later pass takes it over from an earlier one."""
        first = address(self.top + place.row, LEFT + place.column, absolute=True)
        last = address(self.top + place.row + place.rows - 1, LEFT + place.column + place.columns - 1, absolute=True)
        reference = f"'{title}'!{first}" + (f":{last}" if first != last else "")
        name = self.names[identifier]
        self.workbook.defined_names[name] = DefinedName(name, attr_text=reference)
        self.named[name] = identifier

    def neighbours(self, title: str) -> tuple[str | None, str | None]:
        """The sheets before and behind one; none before the first after the start, which has a link of its own."""
        titles = [each for each in self.workbook.sheetnames if each in self.data]
        place = titles.index(title)
        return titles[place - 1] if place > 1 else None, titles[place + 1] if place + 1 < len(titles) else None

    def leave_room_for_links(self, title: str, row: int) -> None:
        """Keep a row of a sheet free for the links to its neighbours and the start."""
        self.link_rows[title] = row

    def link_neighbours(self) -> None:
        """Links to the sheets before and behind and to the start, for which room was left."""
        for title, row in self.link_rows.items():
            sheet, (before, behind), column = self.workbook[title], self.neighbours(title), LEFT
            for text, to in ((f"← {before}", before), ("Start", "Start"), (f"{behind} →", behind)):
                if to is not None:
                    self.data[title].text(row, column, text, self.styles.link)
                    link(sheet, address(row, column), to)
                    column = _column_behind(sheet, column, len(text) + 2)

    def drop_stale_names(self) -> None:
        """Take out names of matrices that the last pass, a shorter batch, does not have."""
        for name, identifier in self.named.items():
            if identifier != RATE and identifier not in self.passes[-1].matrices:
                del self.workbook.defined_names[name]


def _column_behind(sheet: Worksheet, column: int, width: float) -> int:
    """The first column that begins so far to the right of where another begins."""
    while width > 0:
        letters = column_letters(column)
        width -= sheet.column_dimensions[letters].width if letters in sheet.column_dimensions else DEFAULT_WIDTH
        column += 1
    return column


def link(sheet: Worksheet, at: str, title: str, to: str = TOP_LEFT) -> None:
    """A link within the book; openpyxl offers it on cells only, and these sheets have none."""
    sheet._hyperlinks.append(Hyperlink(ref=at, location=f"'{title}'!{to}", display=title))  # type: ignore[attr-defined]
