"""Where the presenter sheet has each matrix, and where the board of a step sheet begins."""

from tracer.presentation.stage_grid import Staged
from tracer.run.passes import Trace
from tracer.workbook.book import Book
from tracer.workbook.pass_layout import layout_of, staged
from tracer.workbook.presenter_sheet import PresenterSheet
from tracer.workbook.workbook import below_stages


def presented(recorded: Trace) -> dict[str, Staged]:
    """The matrices of a trace's first pass, by their identifiers."""
    book = Book(recorded)
    layout = staged(layout_of(recorded, recorded.first, 0), book.headings)
    return {each.operand.id: each for each in PresenterSheet(book, layout).matrices}


def board_top(recorded: Trace) -> int:
    """The first row of the board on the step sheets of a trace's book."""
    headings = Book(recorded).headings
    return below_stages([staged(layout_of(recorded, one, k), headings) for k, one in enumerate(recorded.passes)])
