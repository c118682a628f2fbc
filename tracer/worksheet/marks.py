"""The marks of a practice workbook: ordinary formulas that hold no answer.

Each one computes its cell from the learner's own earlier cells by the rule of the step, and compares that with what
was written, as far as rounding lets it. So an early error is marked once, and what follows from it is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tracer.errors import ExportError
from tracer.expression import scalar as s
from tracer.expression.formula import literal, to_formula
from tracer.expression.lower import lower, precedents
from tracer.expression.rounding_error import rounding_error
from tracer.presentation.shown import Shown
from tracer.program.program import Program
from tracer.spreadsheet.sheet_data import MOST_FORMULA
from tracer.worksheet.board import WorksheetBoard
from tracer.worksheet.plan import Plan

RIGHT, AGAIN, FOLLOWS, WAITS, NO_NUMBER = "✓", "✗", "↪", "…", "?"
HALF = "0.500000001"  # of a unit, and a tie is a tie
FIRST_ORDER = 0.51  # the same, and what the first order leaves out
MOST_DECIMALS = 12  # that are told apart
MOST_ARGUMENTS = 250
MOST_TEXT = 255  # characters of a text in a formula
UNIT = "unit of "  # a cell of "unit of Z1" stands for one in the last place of what was written in Z1


class Marks:
    """The formulas of the marks.

    `asked` has the decimals that each matrix is asked for, `shown` those that stand on the sheet.
    """

    def __init__(
        self, plan: Plan, program: Program, board: WorksheetBoard, asked: Mapping[str, int], shown: Shown
    ) -> None:
        self.plan, self.program, self.board = plan, program, board
        self.asked, self.shown = asked, shown

    def formula(self, identifier: str, row: int, column: int) -> str:
        """The formula of a cell's mark. Raises ExportError where none is short enough for a cell."""
        expression = self.program.assignments[identifier].expression
        assert expression is not None  # only computed matrices are marked
        own, rule = s.Cell(identifier, row, column), lower(expression, row, column)
        for exactly in (True, False):
            formula = self._formula(own, rule, exactly)
            if len(formula) <= MOST_FORMULA:
                return formula
        place = f"{identifier}[{row + 1},{column + 1}]"
        raise ExportError(f"the mark of {place} takes a formula too long for a cell; --mode exam has no marks")

    def _formula(self, own: s.Cell, rule: s.Scalar, exactly: bool) -> str:
        answer = self.board.cell(own)
        before = [each for each in precedents(rule) if each.matrix in self.plan.blank]
        addresses = _Addresses(self.board, {each: self._unit(each, exactly) for each in (own, *before)})
        waits = [f"{self.board.mark(each)}={text(mark)}" for each in before for mark in ("", WAITS, NO_NUMBER)]
        waits += self._unfinished(own.matrix)
        behind = [f"{self.board.mark(each)}={text(mark)}" for each in before for mark in (AGAIN, FOLLOWS)]
        verdict = if_any(behind, text(FOLLOWS), text(RIGHT))
        judged = f"IF({_right(own, rule, rounding_error(rule, self._off), addresses)},{verdict},{text(AGAIN)})"
        waiting = if_any(waits, text(WAITS), judged)
        return f'IF({answer}="","",IF(COUNT({answer})=0,{text(NO_NUMBER)},{waiting}))'

    def _off(self, cell: s.Cell) -> s.Scalar | None:
        """How far a cell can be off as it was written, or as it is shown."""
        if cell.matrix in self.plan.blank:
            return s.Product((s.Number(FIRST_ORDER), s.Cell(UNIT + cell.matrix, cell.row, cell.column)))
        decimals = self.shown.decimals[cell.matrix]
        return None if decimals is None else s.Number(FIRST_ORDER * 10.0**-decimals)

    def _unit(self, cell: s.Cell, exactly: bool) -> str:
        """One in the last place that was written, at least as many as were asked for; only those, if not `exactly`."""
        asked, at = self.asked[cell.matrix], self.board.cell(cell)
        if not exactly:
            return literal(10.0**-asked)
        more = "".join(f"+({at}<>ROUND({at},{k}))" for k in range(asked, MOST_DECIMALS))
        return f"(10^-({asked}{more}))"

    def _unfinished(self, identifier: str) -> Iterator[str]:
        """When a mark has to wait for other cells than those that it is computed from."""
        if self.plan.feedback == "cell":
            return
        step = {each.id for each in self.program.step_of(identifier).assignments}
        for each in sorted(self.plan.blank & step if self.plan.feedback == "step" else self.plan.blank):
            rows, columns = self.program.assignments[each].shape
            yield f"COUNT({self.board.whole(each)})<{rows * columns}"


def text(words: str) -> str:
    """A text in a formula, in pieces where it is long."""
    pieces = [words[k : k + MOST_TEXT] for k in range(0, len(words), MOST_TEXT)] or [""]
    return "&".join('"' + piece.replace('"', '""') + '"' for piece in pieces)


def if_any(conditions: list[str], then: str, otherwise: str) -> str:
    """An IF over any number of conditions; a spreadsheet's OR takes no more than 255."""
    groups = [",".join(conditions[k : k + MOST_ARGUMENTS]) for k in range(0, len(conditions), MOST_ARGUMENTS)]
    any_of = groups[0] if len(groups) == 1 else ",".join(f"OR({group})" for group in groups)
    return f"IF(OR({any_of}),{then},{otherwise})" if groups else otherwise


class _Addresses:
    """Addresses on the sheet; where the last place of a cell is asked for, how that is worked out."""

    def __init__(self, board: WorksheetBoard, units: Mapping[s.Cell, str]) -> None:
        self.board, self.units = board, units
        self.block = board.block

    def cell(self, cell: s.Cell) -> str:
        if cell.matrix.startswith(UNIT):
            return self.units[s.Cell(cell.matrix.removeprefix(UNIT), cell.row, cell.column)]
        return self.board.cell(cell)


def _right(own: s.Cell, rule: s.Scalar, off: s.Scalar | None, addresses: _Addresses) -> str:
    """Whether the answer follows, rounded or cut off; where there is no bound (a division by 0) it does."""
    answer, value, unit = addresses.cell(own), to_formula(rule, addresses), addresses.units[own]
    bound = f"{HALF}*{unit}+1E-12*ABS({answer})"
    if off is not None:
        bound += f"+{to_formula(off, addresses)}"
    near = f"ABS({answer}-({value}))<={bound}"
    cut = f"AND({answer}*({value}-{answer})>=0,ABS({value}-{answer})<{unit})"
    return f"IFERROR(OR({near},{cut}),TRUE)"
