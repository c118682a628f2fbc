"""Small workbooks of formulas, recalculated by spreadsheet engines that are not ours."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from tests.conftest import require
from tracer.expression import matrix as m
from tracer.expression.formula import to_formula
from tracer.expression.lower import lower
from tracer.expression.scalar import Block, Cell

Array = NDArray[np.float64]
ENGINES = ("ironcalc", "cellrune")


class Grid:
    """Addresses of matrices on one sheet, one under the other from a first cell (counted from 1)."""

    def __init__(self, shapes: Mapping[str, m.Shape], first_row: int = 1, first_column: int = 1) -> None:
        self.corners: dict[str, tuple[int, int]] = {}
        row = first_row
        for name, shape in shapes.items():
            self.corners[name] = (row, first_column)
            row += shape[0]
        self.end = row

    def cell(self, cell: Cell) -> str:
        row, column = self.corners[cell.matrix]
        return f"{get_column_letter(column + cell.column)}{row + cell.row}"

    def block(self, block: Block) -> str:
        last = Cell(block.matrix, block.row + block.rows - 1, block.column + block.columns - 1)
        return f"{self.cell(Cell(block.matrix, block.row, block.column))}:{self.cell(last)}"


class Book:
    """Expressions with their values, one band of rows each: symbols on the left, formulas on the right."""

    SYMBOLS, FORMULAS = 1, 200

    def __init__(self) -> None:
        self.workbook = Workbook()
        self.sheet = self.workbook.active
        self.sheet.title = "Sheet"
        self.next_row = 1
        self.bands: list[tuple[int, m.Shape]] = []

    def add(self, expression: m.Matrix, values: Mapping[str, Array]) -> None:
        grid = Grid({name: value.shape for name, value in values.items()}, self.next_row, self.SYMBOLS)
        for name, value in values.items():
            for place in np.ndindex(value.shape):
                self.sheet[grid.cell(Cell(name, *place))] = float(value[place])
        for row, column in np.ndindex(expression.shape):
            formula = "=" + to_formula(lower(expression, row, column), grid)
            self.sheet.cell(self.next_row + row, self.FORMULAS + column, formula)
        self.bands.append((self.next_row, expression.shape))
        self.next_row = max(grid.end, self.next_row + expression.shape[0])

    def formula(self, band: int, row: int, column: int) -> str:
        return str(self.sheet.cell(self.bands[band][0] + row, self.FORMULAS + column).value)

    def recalculated(self, engine: str, folder: Path) -> list[list[list[Any]]]:
        """What each formula comes to, by band; an error is the text that the engine shows."""
        path = folder / f"{engine}.xlsx"
        self.workbook.save(path)
        value = _READERS[engine](path)
        return [
            [[value(first + row, self.FORMULAS + column) for column in range(shape[1])] for row in range(shape[0])]
            for first, shape in self.bands
        ]


def _ironcalc(path: Path) -> Callable[[int, int], Any]:
    model = require("ironcalc").load_from_xlsx(str(path), "en", "UTC")
    model.evaluate()
    return lambda row, column: model.get_cell_value(0, row, column)


def _cellrune(path: Path) -> Callable[[int, int], Any]:
    book = require("cellrune").Workbook.open_path(str(path))
    book.calculate()
    last = f"{get_column_letter(Book.FORMULAS + 60)}2000"
    found = book.read_values("Sheet", f"{get_column_letter(Book.FORMULAS)}1", last)
    return lambda row, column: found[row - 1][column - Book.FORMULAS]["value"]


_READERS: dict[str, Callable[[Path], Callable[[int, int], Any]]] = {
    "ironcalc": _ironcalc,
    "cellrune": _cellrune,
}


def is_number(cells: Sequence[Sequence[Any]]) -> bool:
    return all(isinstance(cell, float) for row in cells for cell in row)
