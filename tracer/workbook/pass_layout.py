"""What the sheets of one pass share: the board, the decimals shown on it, and columns wide enough for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracer.expression.label import label_text
from tracer.presentation.board import Board, kept_columns, lay_out
from tracer.presentation.headings import MARKS, Headings, detail
from tracer.presentation.shown import Shown, shown
from tracer.run.passes import AnyProblem, Pass, Trace
from tracer.workbook.book import NARROW

LEAST_WIDTH = 7.0
MARGIN = 2.0  # of a cell, in characters
WIDEST_HEAD = 120.0  # characters of the lines in the head
WIDEST_HEADING = 32.0  # characters; a longer one is shrunk to fit


@dataclass(frozen=True)
class PassLayout:
    """`index` counts the passes from 0; `widths` are of the board's columns, `full` of each large matrix's."""

    one: Pass
    index: int
    board: Board
    decimals: Shown
    widths: list[float]
    full: dict[str, float]

    @property
    def head_columns(self) -> int:
        """How many columns of the board the lines of a sheet's head take."""
        count, wide = 0, 0.0
        while count < len(self.widths) and wide <= WIDEST_HEAD:
            count, wide = count + 1, wide + self.widths[count]
        return count


def layout_of(trace: Trace[AnyProblem], one: Pass, index: int) -> PassLayout:
    """The board of a pass, what is shown on it, and columns wide enough for that."""
    board, decimals = lay_out(one.program), shown(trace, one)
    full = {each: _width(decimals, each, one, range(board.places[each].columns)) for each in board.excerpts}
    return PassLayout(one, index, board, decimals, _column_widths(board, one, decimals, trace), full)


def _column_widths(board: Board, one: Pass, decimals: Shown, trace: Trace[AnyProblem]) -> list[float]:
    """Widths at which the board's columns show every digit, and its slots every heading."""
    widths = [LEAST_WIDTH] * board.columns
    headings = Headings(trace.problem, trace.first.program)
    needed = [0.0] * board.columns  # by the first column of each slot
    for identifier, place in board.places.items():
        shown_place = board.shown(identifier)
        for k, column in enumerate(kept_columns(place.columns), start=shown_place.column):
            if column is not None:
                widths[k] = max(widths[k], _width(decimals, identifier, one, [column]))
        heading = headings.of(identifier, place.rows, place.columns)
        longest = max(len(MARKS["active"] + label_text(heading.name)), len(detail(heading)))
        needed[shown_place.column] = max(needed[shown_place.column], min(longest + MARGIN, WIDEST_HEADING))
    for first in range(0, board.columns, board.slot + 1):
        columns = slice(first, first + board.slot)
        wide = max(1.0, needed[first] / sum(widths[columns]))
        widths[columns] = [width * wide for width in widths[columns]]
    for gap in board.gaps:
        widths[gap] = NARROW
    return widths


def _width(decimals: Shown, identifier: str, one: Pass, columns: Sequence[int]) -> float:
    """The width of a column that shows every number of some columns of a matrix."""
    values = one[identifier][:, columns]
    typed = decimals.decimals[identifier] is None  # else only size and sign make a number long
    longest = set(values.ravel().tolist()) if typed else (float(values.min()), float(values.max()))
    return MARGIN + max(len(decimals.text(identifier, value)) for value in longest)
