"""Array formulas, one for a matrix in place of a formula for each cell, for readers who think in matrices."""

from __future__ import annotations

from collections.abc import Mapping

from tracer.errors import ExportError
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.matrix_formula import row_of, to_matrix_formula
from tracer.presentation.board import Board
from tracer.spreadsheet.sheet_data import MOST_FORMULA
from tracer.workbook.addresses import SheetAddresses


class MatrixAddresses(SheetAddresses):
    """SheetAddresses of one sheet; a whole matrix goes by its name in `names`, which has those of this pass."""

    def __init__(self, board: Board, top: int, elsewhere: Mapping[str, str], names: Mapping[str, str]) -> None:
        super().__init__(board, top, elsewhere)
        self.names = names

    def block(self, block: s.Block) -> str:
        place = self.board.places[block.matrix]
        if block.matrix in self.names and (block.rows, block.columns) == (place.rows, place.columns):
            return self.names[block.matrix]
        if block.rows == block.columns == 1:
            return self.cell(block.at(0, 0))
        return super().block(block)


def array_formulas(expression: m.Matrix, addresses: MatrixAddresses) -> list[str]:
    """One formula for the whole matrix; where it has none, one for each row; [] where those have none either."""
    rows = range(expression.shape[0])
    for parts in ([expression], [row_of(expression, row) for row in rows]):
        try:
            formulas = [to_matrix_formula(part, addresses) for part in parts]
        except ExportError:
            continue
        if max(map(len, formulas)) <= MOST_FORMULA:
            return formulas
    return []
