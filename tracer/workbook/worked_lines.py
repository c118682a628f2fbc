"""The step worked beside the board: every cell in letters = with its numbers put in = its value.

The numbers are live: each line is a formula that writes itself out (expression/live.py). The first
cell of each matrix is worked in every stage. A line too long for the page goes over several rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from openpyxl.worksheet.worksheet import Worksheet

from tracer.expression import scalar as s
from tracer.expression.formula import Addresses, to_formula
from tracer.expression.label import label_text
from tracer.expression.live import Live, to_live_text
from tracer.expression.lower import lower
from tracer.expression.text import cell_text
from tracer.expression.worked import Worked, as_shown, holds, over_cells
from tracer.presentation.shown import Shown
from tracer.program.roles import Assignment
from tracer.run.passes import Pass
from tracer.spreadsheet.merging import merge_rows
from tracer.spreadsheet.sheet_data import MOST_FORMULA
from tracer.workbook.book import Book
from tracer.workbook.flow import lines_of
from tracer.workbook.pass_layout import MARGIN

NAME, LETTERS, NUMBERS, SIGN, VALUE = range(5)  # columns of the section
COLUMNS = 5
MOST_CELLS = 24  # of one matrix; the others are worked likewise
LONGEST_LETTERS = 60  # of a line other than a matrix's first
LEAST_NAME, SIGN_WIDTH, LEAST_TEXT = 9.0, 3.0, 20.0
MOST_LIVE = 1e12
SHARES = tuple(k / 20 for k in range(5, 16))  # that the letters may have of what they share with the numbers


@dataclass(frozen=True)
class WorkedLine:
    """One cell's line; `stages` are its numbers, from factors put in to terms added up."""

    cell: s.Cell
    letters: str
    stages: tuple[Live, ...]
    sign: Live


@dataclass
class WorkedLines:
    """Collects the lines of a step's matrices, then writes them at `column` of its sheet.

    `folded` has the sheet's hidden rows, which hold no line; `characters` is how wide the page is.
    """

    book: Book
    sheet: Worksheet
    one: Pass
    decimals: Shown
    addresses: Addresses
    column: int
    folded: Collection[int]
    characters: float
    row: int = 0
    widths: list[float] = field(default_factory=lambda: [LEAST_NAME, LEAST_TEXT, LEAST_TEXT, SIGN_WIDTH, LEAST_NAME])

    def __post_init__(self) -> None:
        self.data, self.styles, self.names = (
            self.book.data[self.sheet.title],
            self.book.styles,
            self.book.headings.names,
        )
        self.parts: list[str | WorkedLine] = []

    def collect(self, made: Assignment, formula: str) -> None:
        """All lines of one matrix, under its formula in letters."""
        assert made.expression is not None
        self.parts.append(formula)
        for k, (i, j) in enumerate(self._cells(made)):
            worked = self.decimals.work(self.one, made.id, lower(made.expression, i, j))
            self.parts.append(self._line(s.Cell(made.id, i, j), worked, every_stage=k == 0))
        left_out = made.shape[0] * made.shape[1] - MOST_CELLS
        if left_out > 0:
            self.parts.append(f"… and {left_out} more cells likewise")

    def write(self, row: int) -> None:
        """Write what was collected, from a row down; `row` is then the first free one."""
        self.row = row
        self._set_widths()
        for part, following in zip(self.parts, [*self.parts[1:], ""], strict=True):
            if isinstance(part, WorkedLine):
                self._write(part)
            elif isinstance(following, WorkedLine):  # a formula stands over its first line, with a row free above it
                above = 1 if self.row > row else 0
                first = self._take(above + 1 + self._start(following))[above]
                self.data.text(first, self.column, part, self.styles.band)
                self.row = first + 1
            else:
                self.data.text(self._take(1)[0], self.column, part, self.styles.plain)

    def _cells(self, made: Assignment) -> Iterator[tuple[int, int]]:
        rows, columns = made.shape
        places = ((i, j) for i in range(rows) for j in range(columns))
        return (place for place, _ in zip(places, range(MOST_CELLS), strict=False))

    def _line(self, cell: s.Cell, worked: Worked, every_stage: bool) -> WorkedLine:
        stages = worked.stages if every_stage else worked.stages[:1]
        letters = f"= {cell_text(worked.letters, self._name)}"
        if not every_stage and len(letters) > LONGEST_LETTERS:
            letters = ""  # as in the matrix's first cell; the names alone would take several rows
        return WorkedLine(cell, letters, tuple(map(self._live, stages)), self._sign(cell, worked, stages))

    def _name(self, cell: s.Cell) -> str:
        return label_text(self.names.cell(cell.matrix, cell.row, cell.column))

    def _live(self, stage: s.Scalar) -> Live:
        """A stage as text; without a formula where that would be too long, or its numbers too large."""
        if _too_large(stage):
            return Live("", f"= {cell_text(stage, self._name)}")
        live = to_live_text(stage, self.addresses)
        formula = f'"= "&{live.formula}'
        return Live(formula if len(formula) <= MOST_FORMULA else "", f"= {live.text}")

    def _set_widths(self) -> None:
        """Letters and numbers share what the page has beside the name, the sign and the value."""
        lines = [part for part in self.parts if isinstance(part, WorkedLine)]
        self.widths[NAME] = max(LEAST_NAME, *(len(self._name(line.cell)) + MARGIN for line in lines))
        cells = (line.cell for line in lines)
        values = (
            self.decimals.text(each.matrix, float(self.one[each.matrix][each.row, each.column])) for each in cells
        )
        self.widths[VALUE] = max(LEAST_NAME, *(len(text) + MARGIN for text in values))
        needed = [
            max(LEAST_TEXT, *(len(line.letters) + MARGIN for line in lines)),
            max(LEAST_TEXT, *(len(stage.text) + MARGIN for line in lines for stage in line.stages)),
        ]
        room = self.characters - sum(self.widths[k] for k in (NAME, SIGN, VALUE))
        if sum(needed) <= room:
            self.widths[LETTERS], self.widths[NUMBERS] = needed
        else:  # whichever way of sharing takes the fewest rows
            longest = max(len(word) for line in lines for word in line.letters.split(" ")) + MARGIN
            shares = [share for share in SHARES if share * room >= longest] or SHARES[-1:]  # no name is broken
            self.widths[LETTERS] = min(shares, key=lambda share: self._rows_taken(lines, share * room)) * room
            self.widths[NUMBERS] = room - self.widths[LETTERS]

    def _rows_taken(self, lines: Sequence[WorkedLine], letters: float) -> int:
        """How many rows all lines take, if the letters have so much of the room that they share with the numbers."""
        room = self.characters - sum(self.widths[k] for k in (NAME, SIGN, VALUE))
        self.widths[LETTERS], self.widths[NUMBERS] = letters, room - letters
        return sum(
            self._start(line) + sum(self._rows(stage.text, NUMBERS) for stage in line.stages[1:]) for line in lines
        )

    def _rows(self, text: str, column: int) -> int:
        """How many rows a text takes."""
        return lines_of(text, self.widths[column] - 1)

    def _start(self, line: WorkedLine) -> int:
        """How many rows its letters and its first stage take, side by side."""
        return max(self._rows(line.stages[0].text, NUMBERS), self._rows(line.letters, LETTERS))

    def _take(self, count: int) -> range:
        """The next rows that follow each other and are not folded."""
        start = self.row
        while any(row in self.folded for row in range(start, start + count)):
            start += 1
        self.row = start + count
        return range(start, start + count)

    def _write(self, line: WorkedLine) -> None:
        rows = self._take(self._start(line))
        self.data.text(rows[0], self.column + NAME, self._name(line.cell), self.styles.worked)
        if line.letters:
            self._text(rows, LETTERS, Live("", line.letters))
        self._text(rows, NUMBERS, line.stages[0])
        for stage in line.stages[1:]:
            rows = self._take(self._rows(stage.text, NUMBERS))
            self._text(rows, NUMBERS, stage)
        last, cell = rows[-1], line.cell
        self._text(rows[-1:], SIGN, line.sign)
        style = self.styles.value("plain", self.decimals.decimals[cell.matrix], False)
        at, value = (
            self.addresses.cell(cell),
            self.one[cell.matrix][cell.row : cell.row + 1, cell.column : cell.column + 1],
        )
        self.data.formulas(last, self.column + VALUE, value, style, lambda *_: at)

    def _text(self, rows: range, column: int, live: Live) -> None:
        """A text over some rows, live where it has a formula."""
        at = (rows[0], self.column + column)
        if live.formula:
            self.data.live_text(*at, live.formula, live.text, self.styles.worked)
        else:
            self.data.text(*at, live.text, self.styles.worked)
        if len(rows) > 1:
            merge_rows(self.sheet, at[1], at[0], rows[-1])

    def _sign(self, cell: s.Cell, worked: Worked, stages: Sequence[s.Scalar]) -> Live:
        """= where the digits shown, of every line, give the digits of the result; ≈ where they do not."""
        decimals = worked.result.decimals or 0
        by_hand = [s.Round(over_cells(as_shown(stage)), decimals) for stage in stages]
        value = to_formula(s.Round(cell, decimals), self.addresses)
        tests = [f"ABS({to_formula(each, self.addresses)}-{value})<5E-{decimals + 1}" for each in by_hand]
        formula = f'IF(AND({",".join(tests)}),"=","≈")'
        guards = [f"{to_formula(x, self.addresses)}<=0" for each in by_hand for x in _logarithms(each)]
        guards += [f"{to_formula(x, self.addresses)}=0" for each in by_hand for x in _denominators(each)]
        if guards:  # the digits shown may be 0.000, by which nobody can divide
            formula = f'IF(OR({",".join(guards)}),"≈",{formula})'
        sign = "=" if all(holds(stage, worked.result) for stage in stages) else "≈"
        return Live(formula if len(formula) <= MOST_FORMULA else "", sign)


def _too_large(stage: s.Scalar) -> bool:
    """Whether a number of the stage is too large for FIXED to write as we do."""
    if isinstance(stage, s.Value):
        return not abs(stage.value) < MOST_LIVE
    return any(map(_too_large, s.children(stage)))


def _denominators(expression: s.Scalar) -> list[s.Scalar]:
    own = [expression.denominator] if isinstance(expression, s.Quotient) else []
    own = [each for each in own if not isinstance(each, s.Number)]
    return own + [each for part in s.children(expression) for each in _denominators(part)]


def _logarithms(expression: s.Scalar) -> list[s.Scalar]:
    own = [expression.argument] if isinstance(expression, s.Log) else []
    return own + [each for part in s.children(expression) for each in _logarithms(part)]
