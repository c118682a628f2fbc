"""A step worked out in lines: every cell in letters = with its numbers put in = its value.

The numbers are live: each line is a formula that writes itself out (expression/live.py). On the stage one cell of each
matrix is worked in every stage, a row for each; below the board every cell has a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

from openpyxl.worksheet.worksheet import Worksheet

from tracer.expression import scalar as s
from tracer.expression.formula import Addresses, to_formula
from tracer.expression.label import label_text
from tracer.expression.live import Live, to_live_text
from tracer.expression.lower import lower
from tracer.expression.text import cell_text
from tracer.expression.worked import Worked, as_shown, holds, over_cells
from tracer.presentation.headings import is_large
from tracer.presentation.shown import Shown
from tracer.program.roles import Assignment
from tracer.run.passes import Pass
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.print_setup import ROW
from tracer.spreadsheet.sheet_data import MOST_FORMULA, address
from tracer.workbook.book import LEFT, TOP, Book
from tracer.workbook.flow import lines_of
from tracer.workbook.staging import MARGIN, StagedFormula

MOST_CELLS, MOST_OF_LARGE = 24, 2  # of one matrix, of one of a large program; the others are worked likewise
LONGEST_LETTERS = 60  # of a line that has them beside its numbers
MOST_LIVE = 1e12
MOST_WIDE = 150.0  # characters of a line: 1,150 pixels at 100 %


@dataclass
class WorkedLines:
    """Writes the lines of a sheet whose columns, from `LEFT` on, are of `widths` characters."""

    book: Book
    sheet: Worksheet
    one: Pass
    decimals: Shown
    addresses: Addresses
    widths: Sequence[float]

    def __post_init__(self) -> None:
        self.data, self.styles, self.names = (
            self.book.data[self.sheet.title],
            self.book.styles,
            self.book.headings.names,
        )
        self.columns = max(1, sum(1 for wide in accumulate(self.widths) if wide <= MOST_WIDE))
        self.last = LEFT + self.columns - 1
        self.row = 0

    def on_stage(self, row: int, formula: StagedFormula) -> str:
        """The asked cell in letters, in numbers stage by stage, and its value, each in a row from `row` on.

        Returns it in one line, as `worked_formula` gives it.
        """
        self.row = row
        worked, cell = formula.worked, formula.asked
        self._text(LEFT, self.last, Live("", f"{self._name(cell)} = {cell_text(worked.letters, self._name)}"))
        lines = list(map(self._live, worked.stages))
        for line in lines:
            self._text(LEFT, self.last, line)
        sign = self._sign(cell, worked, worked.stages)
        self._result(LEFT, LEFT + 1, cell, sign)
        value = self.decimals.text(cell.matrix, self._value(cell)).replace("−", "-")
        return f"{self._name(cell)} {lines[0].text} {sign.text} {value}"

    def every_cell(self, row: int, made: Assignment, formula: str) -> int:
        """Each cell of a matrix in a row, under its formula; returns the first free row."""
        assert made.expression is not None
        self.data.text(row, LEFT, formula, self.styles.band)
        self.row = row + 1
        most = MOST_OF_LARGE if is_large(self.one.program) else MOST_CELLS
        cells = list(islice(self._cells(made), most))
        value = self._columns_for(max(len(self.decimals.text(made.id, self._value(cell))) for cell in cells))
        name = LEFT + self._columns_for(max(len(self._name(cell)) for cell in cells), from_left=True)
        sign = self.last - value
        for cell in cells:
            lowered = lower(made.expression, cell.row, cell.column)
            worked = self.decimals.work(self.one, made.id, lowered, numbers_only=True)
            self._merged(LEFT, name - 1, Live("", self._name(cell)))
            row = self.row
            self._text(name, sign - 1, self._in_numbers(worked, sum(self.widths[name - LEFT : sign - LEFT])))
            self.row = row
            self._result(sign, sign + 1, cell, self._sign(cell, worked, worked.stages), self.last)
        left_out = made.shape[0] * made.shape[1] - most
        if left_out > 0:
            self.data.text(self.row, LEFT, f"… and {left_out} more cells likewise", self.styles.plain)
            self.row += 1
        return self.row + 1

    def _cells(self, made: Assignment) -> Iterator[s.Cell]:
        rows, columns = made.shape
        return (s.Cell(made.id, i, j) for i in range(rows) for j in range(columns))

    def _value(self, cell: s.Cell) -> float:
        return float(self.one[cell.matrix][cell.row, cell.column])

    def _in_numbers(self, worked: Worked, width: float) -> Live:
        """A cell's numbers, after its letters where both fit a line."""
        live, letters = self._live(worked.stages[0]), f"= {cell_text(worked.letters, self._name)} "
        if len(letters) > LONGEST_LETTERS or lines_of(letters + live.text, width - 1) > 1:
            return live
        escaped = letters.replace('"', '""')
        return Live(f'"{escaped}"&{live.formula}' if live.formula else "", letters + live.text)

    def _columns_for(self, characters: int, from_left: bool = False) -> int:
        """How many columns, the first or the last of a line, a text takes."""
        widths = list(self.widths[: self.last - LEFT + 1])
        across = accumulate(widths if from_left else reversed(widths))
        return 1 + sum(1 for wide in across if wide < characters + MARGIN)

    def _result(self, sign: int, value: int, cell: s.Cell, live: Live, last: int = 0) -> None:
        """The sign and the value of a line, in its row."""
        self._merged(sign, sign, live, self.styles.beside_value)
        style = self.styles.value("plain", self.decimals.decimals[cell.matrix], False)
        self.data.reference(self.row, value, self.addresses.cell(cell), self._value(cell), style)
        for column in range(value + 1, last + 1):
            self.data.blank(self.row, column, style)
        if last > value:
            merge(self.sheet, self.row, value, last)
        self.row += 1

    def _text(self, first: int, last: int, live: Live) -> None:
        """A text from a column to another, in a row as high as it needs."""
        lines = lines_of(live.text, sum(self.widths[first - LEFT : last - LEFT + 1]) - 1)
        if lines > 1:
            self.data.heights[self.row] = ROW * lines
        self._merged(first, last, live)
        self.row += 1

    def _merged(self, first: int, last: int, live: Live, style: int | None = None) -> None:
        style = self.styles.worked if style is None else style
        if live.formula:
            self.data.live_text(self.row, first, live.formula, live.text, style)
        else:
            self.data.text(self.row, first, live.text, style)
        if last > first:
            merge(self.sheet, self.row, first, last)

    def _name(self, cell: s.Cell) -> str:
        return label_text(self.names.cell(cell.matrix, cell.row, cell.column))

    def _live(self, stage: s.Scalar) -> Live:
        """A stage as text; without a formula where that would be too long, or its numbers too large."""
        if _too_large(stage):
            return Live("", f"= {cell_text(stage, self._name)}")
        live = to_live_text(stage, self.addresses)
        formula = f'"= "&{live.formula}'
        return Live(formula if len(formula) <= MOST_FORMULA else "", f"= {live.text}")

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


def worked_formula(book: Book, title: str, decimals: Shown, formula: StagedFormula) -> str:
    """The asked cell of the first formula on a sheet's stage in one line, made from the rows that stand there."""
    first = TOP + formula.first_line + 1
    result, cell = first + len(formula.worked.stages), formula.asked
    numbers, sign, value = (
        f"'{title}'!{address(row, column)}" for row, column in ((first, LEFT), (result, LEFT), (result, LEFT + 1))
    )
    shown = decimals.decimals[cell.matrix]
    written = f'{value}&""' if shown is None else f"FIXED(ROUND({value},{shown})+0,{shown},TRUE)"
    name = label_text(book.headings.names.cell(cell.matrix, cell.row, cell.column)).replace('"', '""')
    return f'"{name} "&{numbers}&" "&{sign}&" "&{written}'


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
