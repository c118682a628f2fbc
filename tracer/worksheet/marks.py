"""The marks of a practice workbook: what the hidden sheet says of each cell (quantities.py), as a sign beside it."""

from __future__ import annotations

from collections.abc import Iterator

from tracer.expression import scalar as s
from tracer.program.program import Program
from tracer.spreadsheet.columns import address
from tracer.worksheet.board import WorksheetBoard
from tracer.worksheet.plan import Plan
from tracer.worksheet.quantities import QUANTITIES, QuantityName

RIGHT, AGAIN, FOLLOWS, COARSE, WAITS, NO_NUMBER = "✓", "✗", "↪", "≈", "…", "?"
SIGNS = (RIGHT, FOLLOWS, AGAIN, COARSE, COARSE, WAITS, NO_NUMBER)  # of the verdicts of quantities.py, from 1
MOST_ARGUMENTS = 250
MOST_TEXT = 255  # characters of a text in a formula


class HiddenBoard:
    """Where the quantities stand on the hidden sheet: the board once for each of them, one under the other."""

    def __init__(self, board: WorksheetBoard, worksheet: str, hidden: str) -> None:
        self.board, self.worksheet, self.hidden = board, f"'{worksheet}'!", f"'{hidden}'!"
        self.height = board.board.whole[0] + 1

    def at(self, quantity: QuantityName, cell: s.Cell) -> tuple[int, int]:
        """Sheet row and column, from 1."""
        place = self.board.board.places[cell.matrix]
        above = QUANTITIES.index(quantity) * self.height
        return above + place.row + cell.row + 1, place.column + cell.column + 1

    def quantity(self, quantity: QuantityName, cell: s.Cell) -> str:
        return address(*self.at(quantity, cell))

    @property
    def place_of_part(self) -> tuple[int, int]:
        """Sheet row and column, from 1: below everything else."""
        return len(QUANTITIES) * self.height + 1, 1

    @property
    def part(self) -> str:
        return address(*self.place_of_part, absolute=True)

    def everywhere(self, quantity: QuantityName) -> str:
        """The range of a quantity of all cells of all matrices."""
        above, columns = QUANTITIES.index(quantity) * self.height, self.board.board.whole[1]
        return f"{address(above + 1, 1)}:{address(above + self.height, columns + 1)}"

    def written(self, cell: s.Cell) -> str:
        return self.worksheet + self.board.cell(cell)

    def whole(self, quantity: QuantityName, identifier: str) -> str:
        place = self.board.board.places[identifier]
        first, last = s.Cell(identifier, 0, 0), s.Cell(identifier, place.rows - 1, place.columns - 1)
        return f"{self.quantity(quantity, first)}:{self.quantity(quantity, last)}"


class Marks:
    """The formulas of the signs."""

    def __init__(self, plan: Plan, program: Program, board: WorksheetBoard, hidden: HiddenBoard) -> None:
        self.plan, self.program, self.board, self.hidden = plan, program, board, hidden

    def formula(self, identifier: str, row: int, column: int) -> str:
        """The formula of a cell's sign."""
        cell = s.Cell(identifier, row, column)
        answer = self.board.cell(cell)
        sign = sign_of(cell, self.hidden)
        shown = if_any(list(self._unfinished(cell)), text(WAITS), sign)
        return f'IF({answer}="","",IF(COUNT({answer})=0,{text(NO_NUMBER)},{shown}))'

    def _unfinished(self, cell: s.Cell) -> Iterator[str]:
        """When a mark has to wait for other cells than those that it is computed from; the first of a matrix never."""
        identifier, shape = cell.matrix, self.program.assignments[cell.matrix].shape
        if self.plan.feedback == "cell":
            return
        if self.plan.feedback == "row":
            if (cell.row, cell.column) != (0, 0):
                row = self.board.block(s.Block(identifier, cell.row, 0, 1, shape[1]))
                yield f"COUNT({row})<{shape[1]}"
            return
        step = {each.id for each in self.program.step_of(identifier).assignments}
        for each in sorted(self.plan.blank & step if self.plan.feedback == "step" else self.plan.blank):
            rows, columns = self.program.assignments[each].shape
            yield f"COUNT({self.board.whole(each)})<{rows * columns}"


def sign_of(cell: s.Cell, hidden: HiddenBoard) -> str:
    """The sign of a cell's verdict, as a formula on another sheet than the hidden one."""
    verdict = hidden.hidden + hidden.quantity("verdict", cell)
    return f'IFERROR(CHOOSE({verdict},{",".join(map(text, SIGNS))}),"")'


def text(words: str) -> str:
    """A text in a formula, in pieces where it is long."""
    pieces = [words[k : k + MOST_TEXT] for k in range(0, len(words), MOST_TEXT)] or [""]
    return "&".join('"' + piece.replace('"', '""') + '"' for piece in pieces)


def if_any(conditions: list[str], then: str, otherwise: str) -> str:
    """An IF over any number of conditions; a spreadsheet's OR takes no more than 255."""
    groups = [",".join(conditions[k : k + MOST_ARGUMENTS]) for k in range(0, len(conditions), MOST_ARGUMENTS)]
    any_of = groups[0] if len(groups) == 1 else ",".join(f"OR({group})" for group in groups)
    return f"IF(OR({any_of}),{then},{otherwise})" if groups else otherwise
