"""Where everything lies on a worksheet: the board, with the rows numbered and a grid of marks beside each matrix."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from tracer.expression import scalar as s
from tracer.presentation.board import SLOTS, Board
from tracer.spreadsheet.columns import address

TOP, LEFT = 8, 2  # the sheet row and column of the board's first cell; the rows are numbered before it


class WorksheetBoard:
    """Sheet rows and columns, from 1, of the cells and marks of a board's matrices.

    Each slot has a column of row numbers, the matrices and, where there are `marks`, as many columns of marks; the
    large matrices have a slot of their own behind the others.
    """

    def __init__(self, board: Board, marks: bool) -> None:
        self.board, self.marks = board, marks

    @cached_property
    def slots(self) -> Sequence[int]:
        """The columns that the matrices of each slot take."""
        large = max((self.board.places[each].columns for each in self.board.excerpts), default=0)
        return [self.board.slot] * SLOTS + ([large] if large else [])

    def first_column(self, slot: int) -> int:
        """The sheet column of a slot's matrices; the one before it has the row numbers."""
        return LEFT + sum((2 if self.marks else 1) * columns + 1 for columns in self.slots[:slot])

    @property
    def last_column(self) -> int:
        return self.first_column(len(self.slots)) - 2

    @property
    def last_row(self) -> int:
        return TOP + self.board.whole[0] - 1

    def slot_of(self, identifier: str) -> int:
        """Which slot a matrix lies in."""
        if identifier in self.board.excerpts:
            return SLOTS
        return self.board.places[identifier].column // (self.board.slot + 1)

    def corner(self, identifier: str) -> tuple[int, int]:
        """The sheet row and column of a matrix's first cell."""
        return TOP + self.board.places[identifier].row, self.first_column(self.slot_of(identifier))

    def mark_corner(self, identifier: str) -> tuple[int, int]:
        """… and of its first mark."""
        row, column = self.corner(identifier)
        return row, column + self.slots[self.slot_of(identifier)]

    def cell(self, cell: s.Cell) -> str:
        """The address of a cell, for a formula."""
        row, column = self.corner(cell.matrix)
        return address(row + cell.row, column + cell.column)

    def mark(self, cell: s.Cell) -> str:
        """The address of a cell's mark."""
        row, column = self.mark_corner(cell.matrix)
        return address(row + cell.row, column + cell.column)

    def block(self, block: s.Block) -> str:
        corner = s.Cell(block.matrix, block.row, block.column)
        last = s.Cell(block.matrix, block.row + block.rows - 1, block.column + block.columns - 1)
        return f"{self.cell(corner)}:{self.cell(last)}"

    def whole(self, identifier: str) -> str:
        """The range of a matrix."""
        place = self.board.places[identifier]
        return self.block(s.Block(identifier, 0, 0, place.rows, place.columns))
