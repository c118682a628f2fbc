"""A step's stage on its sheet: one formula under the other, its matrices laid out as it reads, one cell worked out.

The results are at home on the board; the stage refers to them.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracer.expression.lower import lower, precedents
from tracer.expression.scalar import Cell
from tracer.presentation.palette import Highlight
from tracer.presentation.stage_grid import Staged, StageGrid
from tracer.spreadsheet.merging import merge
from tracer.workbook.book import LEFT, TOP, Book
from tracer.workbook.matrix_cells import LARGEST_FIXED, MatrixCells
from tracer.workbook.pass_layout import PassLayout
from tracer.workbook.staging import StagedFormula, stage_heading
from tracer.workbook.worked_lines import WorkedLines

LEFT_OUT = "⋯"


class StageCells:
    """Writes the stage of a step from the row `TOP` on."""

    def __init__(self, book: Book, layout: PassLayout, cells: MatrixCells) -> None:
        self.book, self.layout, self.cells = book, layout, cells
        self.styles, self.sheet, self.data = book.styles, cells.sheet, cells.data
        self.row = TOP

    def write(self, formulas: Sequence[StagedFormula], texts: Sequence[str], lines: WorkedLines) -> None:
        """The formulas, under their texts where there are several; `row` is then the first free one."""
        for formula, text in zip(formulas, texts, strict=True):
            if formula.titled:
                self.data.text(self.row, LEFT, text, self.styles.band)
            line = lines.on_stage(self.row + formula.first_line, formula)
            self.book.worked.setdefault(self.sheet.title, line)
            first, self.row = self.row, self.row + formula.titled
            self._grid(formula)
            self.row = first + formula.rows

    def _grid(self, formula: StagedFormula) -> None:
        grid, made = formula.grid, formula.made.expression
        assert made is not None
        lit = {formula.asked, *precedents(lower(made, formula.asked.row, formula.asked.column))}
        for staged in grid.operands:
            self._matrix(staged, "input", lit)
        self._matrix(grid.result, "active", lit)
        for row, column, sign in grid.signs:
            self.data.text(self.row + row, LEFT + column, sign, self.styles.sign)
        self._ones(grid)

    def _matrix(self, staged: Staged, role: Highlight, lit: set[Cell]) -> None:
        first, top, values = LEFT + staged.column, self.row + staged.row, self.layout.one[staged.operand.id]
        style = self.styles.heading(role, role == "active")
        self.data.text(top, first, stage_heading(self.book.headings, staged.operand, values.shape, role), style)
        for column in range(first + 1, first + staged.span):
            self.data.blank(top, column, style)
        if staged.span > 1:
            merge(self.sheet, top, first, first + staged.span - 1)
        for row, column, cell in staged.cells():
            at = (self.row + row, LEFT + column)
            if cell is None:
                self.data.text(*at, LEFT_OUT, self.styles.left_out)
            else:
                value = float(values[cell.row, cell.column])
                self.data.reference(*at, self.cells.addresses.cell(cell), value, self._style(role, cell, value, lit))

    def _style(self, role: Highlight, cell: Cell, value: float, lit: set[Cell]) -> int:
        decimals = self.layout.decimals.decimals[cell.matrix]
        if not abs(value) < LARGEST_FIXED:
            decimals = None  # digits without end would be ###
        return self.styles.value(role, decimals, False) if cell in lit else self.styles.staged(role, decimals)

    def _ones(self, grid: StageGrid) -> None:
        """The ones with which a row takes part in a scheme of products."""
        if grid.ones is not None:
            row, column, count = grid.ones
            self.data.text(self.row + row, LEFT + column, "1", self.styles.heading("plain", False))
            for k in range(1, count + 1):
                self.data.text(self.row + row + k, LEFT + column, "1", self.styles.left_out)
