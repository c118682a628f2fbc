"""Where the cells of a sheet's formulas lie."""

from __future__ import annotations

from collections.abc import Mapping

from tracer.expression import scalar as s
from tracer.presentation.board import Board
from tracer.spreadsheet.parts import PARTS
from tracer.spreadsheet.sheet_data import address
from tracer.workbook.book import LEFT, TOP


class SheetAddresses:
    """SheetAddresses of one sheet whose board begins at the row `top`.

    `elsewhere` says on which other sheet a large matrix stands.
    """

    def __init__(self, board: Board, top: int = TOP, elsewhere: Mapping[str, str] | None = None) -> None:
        self.board, self.top = board, top
        self.elsewhere = elsewhere or {}

    def cell(self, cell: s.Cell) -> str:
        if cell.matrix == PARTS:  # to the right of everything
            return address(self.top + 1 + cell.row, parts_column(self.board))
        row, column = self.board.at(cell)
        return self._sheet(cell.matrix) + address(self.top + row, LEFT + column)

    def block(self, block: s.Block) -> str:
        top, left, bottom, right = self.board.corners(block)
        corners = f"{address(self.top + top, LEFT + left)}:{address(self.top + bottom, LEFT + right)}"
        return self._sheet(block.matrix) + corners

    def _sheet(self, identifier: str) -> str:
        title = self.elsewhere.get(identifier)
        return "" if title is None else f"'{title}'!"


def parts_column(board: Board) -> int:
    """The column of the parts of formulas that would be too long: to the right of the board."""
    return LEFT + board.columns + 2
