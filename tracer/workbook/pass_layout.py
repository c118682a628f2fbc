"""What the sheets of one pass share: the board, its stages, the decimals shown, and columns wide enough for them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tracer.expression.label import label_text
from tracer.presentation.board import BESIDE, Board, kept_columns, lay_out
from tracer.presentation.headings import MARKS, Headings, detail
from tracer.presentation.shown import Shown, shown
from tracer.run.passes import AnyProblem, Pass, Trace
from tracer.workbook.book import NARROW
from tracer.workbook.staging import LEAST_WIDTH, MARGIN, WIDEST_HEADING, Stages, Staging, width_of

SIGN_WIDTH = 3.0  # of a column between slots, where on a stage a sign may stand
LEAST_LINE = 92.0  # characters of a worked line; about what a page has in full size
WIDEST_HEAD = 120.0  # characters of the lines in the head


@dataclass(frozen=True)
class PassLayout:
    """`index` counts the passes from 0; `widths` are of the board's columns, `full` of each large matrix's.

    Where there are stages, `widths` go on to the last column that any of them, or a worked line, takes.
    """

    one: Pass
    index: int
    board: Board
    decimals: Shown
    widths: list[float]
    full: dict[str, float]
    stages: Stages = field(default_factory=dict)

    @property
    def stage_rows(self) -> int:
        """How many rows the tallest stage takes."""
        return max(sum(each.rows for each in formulas) for formulas in self.stages.values())

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
    full = {each: width_of(decimals, each, one, range(board.places[each].columns)) for each in board.excerpts}
    return PassLayout(one, index, board, decimals, _column_widths(board, one, decimals, trace), full)


def staged(layout: PassLayout, headings: Headings) -> PassLayout:
    """The same with its stages, whose matrices stand on all columns alike, those between the slots too."""
    widths = [max(width, SIGN_WIDTH) for width in layout.widths]
    stages = Staging(layout.one, layout.decimals, headings, widths, layout.board.slot).stages()
    while sum(widths) < LEAST_LINE and len(widths) < layout.board.columns + BESIDE - 1:
        widths.append(LEAST_WIDTH)
    return replace(layout, widths=widths, stages=stages)


def _column_widths(board: Board, one: Pass, decimals: Shown, trace: Trace[AnyProblem]) -> list[float]:
    """Widths at which the board's columns show every digit, and its slots every heading."""
    widths = [LEAST_WIDTH] * board.columns
    headings = Headings(trace.problem, trace.first.program)
    needed = [0.0] * board.columns  # by the first column of each slot
    for identifier, place in board.places.items():
        shown_place = board.shown(identifier)
        for k, column in enumerate(kept_columns(place.columns), start=shown_place.column):
            if column is not None:
                widths[k] = max(widths[k], width_of(decimals, identifier, one, [column]))
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
