"""The step worked beside the board: every cell in letters = with its numbers put in = its value.

The numbers are live: each line is a formula that writes itself out (expression/live.py). The first
cell of each matrix is worked in every stage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tracer.export.sheet_data import MOST_FORMULA, SheetData
from tracer.export.styles import Styles
from tracer.expression import scalar as s
from tracer.expression.formula import Addresses, to_formula
from tracer.expression.label import label_text
from tracer.expression.live import to_live_text
from tracer.expression.lower import lower
from tracer.expression.text import cell_text
from tracer.expression.worked import Worked, as_shown, holds, over_cells
from tracer.network.names import Names
from tracer.network.program import Assignment
from tracer.shown import Shown
from tracer.trace import Pass

NAME, LETTERS, NUMBERS, SIGN, VALUE = range(5)  # columns of the section
COLUMNS = 5
MOST_CELLS = 24  # of one matrix; the others are worked likewise
LEAST_WIDTHS = (10.0, 16.0, 16.0, 3.0, 10.0)
MOST_WIDTH = 90.0
MOST_LIVE = 1e12


@dataclass
class WorkedLines:
    """Writes the section at (`row`, `column`) of a sheet; `widths` grow with what is written."""

    data: SheetData
    styles: Styles
    names: Names
    one: Pass
    decimals: Shown
    addresses: Addresses
    row: int
    column: int

    def __post_init__(self) -> None:
        self.widths = list(LEAST_WIDTHS)

    def write(self, made: Assignment, formula: str) -> None:
        """All lines of one matrix, under its formula in letters."""
        assert made.expression is not None
        self.data.text(self.row, self.column, formula, self.styles.band)
        self.row += 1
        for k, (i, j) in enumerate(self._cells(made)):
            worked = self.decimals.work(self.one, made.id, lower(made.expression, i, j))
            self._line(s.Cell(made.id, i, j), worked, every_stage=k == 0)
        left_out = made.shape[0] * made.shape[1] - MOST_CELLS
        if left_out > 0:
            self.data.text(self.row, self.column, f"… and {left_out} more cells likewise", self.styles.note)
            self.row += 1
        self.row += 1

    def _cells(self, made: Assignment) -> Iterator[tuple[int, int]]:
        rows, columns = made.shape
        places = ((i, j) for i in range(rows) for j in range(columns))
        return (place for place, _ in zip(places, range(MOST_CELLS), strict=False))

    def _line(self, cell: s.Cell, worked: Worked, every_stage: bool) -> None:
        self._text(NAME, self._name(cell))
        self._text(LETTERS, f"= {cell_text(worked.letters, self._name)}")
        stages = worked.stages if every_stage else worked.stages[:1]
        for stage in stages:
            self._live(stage)
            self.row += 1
        self.row -= 1
        self._sign(cell, worked, stages)
        style = self.styles.value("plain", self.decimals.decimals[cell.matrix], False)
        address = self.addresses.cell(cell)
        value = self.one[cell.matrix][cell.row : cell.row + 1, cell.column : cell.column + 1]
        self.data.formulas(self.row, self.column + VALUE, value, style, lambda *_: address)
        self.row += 1

    def _name(self, cell: s.Cell) -> str:
        return label_text(self.names.cell(cell.matrix, cell.row, cell.column))

    def _text(self, column: int, text: str) -> None:
        self.data.text(self.row, self.column + column, text, self.styles.worked)
        self.widths[column] = min(max(self.widths[column], 0.95 * len(text) + 2), MOST_WIDTH)

    def _live(self, stage: s.Scalar) -> None:
        if _too_large(stage):
            self._text(NUMBERS, f"= {cell_text(stage, self._name)}")
            return
        live = to_live_text(stage, self.addresses)
        text, formula = f"= {live.text}", f'"= "&{live.formula}'
        if len(formula) > MOST_FORMULA:
            self._text(NUMBERS, text)
            return
        self.data.live_text(self.row, self.column + NUMBERS, formula, text, self.styles.worked)
        self.widths[NUMBERS] = min(max(self.widths[NUMBERS], 0.95 * len(text) + 2), MOST_WIDTH)

    def _sign(self, cell: s.Cell, worked: Worked, stages: Sequence[s.Scalar]) -> None:
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
        if len(formula) > MOST_FORMULA:
            self._text(SIGN, sign)
        else:
            self.data.live_text(self.row, self.column + SIGN, formula, sign, self.styles.worked)


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
