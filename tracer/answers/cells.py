"""The cells of a page as blocks are looked for in them: what is a word, what a number that nothing has claimed yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from tracer.answers.found import Found
from tracer.answers.handed_in import AnswerPage
from tracer.answers.numbers import BLANK, Entry

GridPlace = tuple[int, int]


def order(place: GridPlace) -> int:
    """The order of reading."""
    return place[0] * 20_000 + place[1]


class SheetCells:
    """The rows of a page without those that a line gave a name to; what belongs to a block is claimed."""

    def __init__(self, page: AnswerPage) -> None:
        self.page = page
        self.rows = [[] if row in page.assigned else cells for row, cells in enumerate(page.rows)]
        self.words: dict[GridPlace, str] = {}
        self.values: set[GridPlace] = set()  # numbers and what stands for one, as long as they are not claimed
        self.claimed: set[GridPlace] = set()
        for row, cells in enumerate(self.rows):
            for column, cell in enumerate(cells):
                if cell.is_words:
                    self.words[row, column] = cell.text
                elif cell.kind != "blank":
                    self.values.add((row, column))

    def at(self, row: int, column: int) -> Entry:
        if 0 <= row < len(self.rows) and 0 <= column < len(self.rows[row]):
            return self.rows[row][column]
        return BLANK

    def is_value(self, row: int, column: int) -> bool:
        return (row, column) in self.values

    def is_words(self, row: int, column: int) -> bool:
        return (row, column) in self.words

    def is_name(self, row: int, column: int) -> bool:
        """Whether words stand here that no block has claimed."""
        return (row, column) in self.words and (row, column) not in self.claimed

    def take(self, cells: Iterable[GridPlace]) -> None:
        """Claim cells."""
        taken = set(cells)
        self.claimed |= taken
        self.values -= taken


def rest(cells: SheetCells) -> Iterator[Found]:
    """Numbers with no name that is known: they stand together, below some words or right of them, or alone."""
    above: dict[int, str] = {}
    blank = 0
    for row, line in enumerate(cells.rows):
        here, left, column = dict[int, str](), "", 0
        while column < len(line):
            if (row, column) in cells.values:
                height, width = _together(cells, row, column, bool(left))
                name = left or next(filter(None, (above.get(column + k) for k in range(width))), "")
                yield _claimed(cells, name, (row, column), height, width)
                left, column = "", column + width
            else:
                left = here[column] = line[column].text if cells.is_name(row, column) else ""
                column += 1
        blank = 0 if line else blank + 1
        above = here if line or blank > 1 else above


def _together(cells: SheetCells, row: int, column: int, beside: bool) -> tuple[int, int]:
    """How far the numbers reach that stand together from a cell on: down and across."""
    width = height = 1
    while cells.is_value(row, column + width):
        width += 1
    while not beside and all(map(partial(cells.is_value, row + height), range(column, column + width))):
        height += 1
    return height, width


def _claimed(cells: SheetCells, name: str, place: GridPlace, height: int, width: int) -> Found:
    rows, columns = (range(first, first + count) for first, count in zip(place, (height, width), strict=True))
    cells.take((i, j) for i in rows for j in columns)
    grid = tuple(tuple(cells.at(i, j) for j in columns) for i in rows)
    return Found(name, (), grid, cells.page.where(*place), order(place))
