"""Every matrix of a pass on shelves, in the order in which they come to be known: a board without empty rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tracer.expression.matrix import Shape
from tracer.presentation.stage import Operand
from tracer.presentation.stage_grid import MOST_COLUMNS, MOST_ROWS, Staged, kept_with

MOST_ACROSS = 18  # columns of a shelf


def shelves(shapes: Mapping[str, Shape], heading_span: Callable[[str], int]) -> Iterator[Staged]:
    """Matrices side by side with a free column between them, on as few shelves as their order admits.

    A large one is an excerpt, its first rows and columns and the last; `heading_span` says how many columns a heading
    takes.
    """
    row = column = height = 0
    for identifier, (rows, columns) in shapes.items():
        down, across = kept_with(rows, MOST_ROWS, 0), kept_with(columns, MOST_COLUMNS, 0)
        span = max(len(across), heading_span(identifier))
        if column and column + span > MOST_ACROSS:
            row, column, height = row + height, 0, 0
        yield Staged(Operand(identifier), row, column, span, down, across)
        column, height = column + span + 1, max(height, 1 + len(down))
