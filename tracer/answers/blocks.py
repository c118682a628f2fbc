"""Matrices in the cells of a sheet: each a block of numbers with its name above it or left of it.

What a name can mean decides the shape that a block is expected in: so blocks that touch are told apart, and rows or
columns of labels (1, 2, 3 or h1, h2) are no numbers of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, takewhile
from typing import NamedTuple, TypeAlias

from tracer.answers.aliases import Aliases, Reading
from tracer.answers.fitting import EXACT, LABELLED, OTHER, PART, TRANSPOSED, are_labels, fit
from tracer.answers.handed_in import AnswerPage, Grid
from tracer.answers.numbers import BLANK, Entry
from tracer.expression import matrix as m

MOST_LABEL_ROWS = 3  # between a name and its numbers
MOST_BLOCKS = 2_000  # of a page; the names behind them are not looked at
MOST_NAMED = 6  # that a note lists
CUT_RIGHT, CUT_LEFT = 3.5, 4.0  # added where a block is cut out of numbers that touch


@dataclass(frozen=True)
class NumberBlock:
    """The numbers under a name; `readings` are what it can mean: one, or several that fit alike."""

    name: str
    readings: tuple[Reading, ...]
    grid: Grid


class _Region(NamedTuple):
    """Numbers from a first cell; `cut` is more than 0 where others stand beside them."""

    row: int
    column: int
    height: int
    width: int
    cut: float = 0.0


_Ranked: TypeAlias = tuple[float, int, int, _Region, Reading]


def blocks_of(page: AnswerPage, aliases: Aliases) -> tuple[list[NumberBlock], list[str]]:
    """The blocks of a page in reading order, and notes of what has no name that is known."""
    finder = _Finder(page, aliases)
    found = list(finder.blocks())
    return found, list(finder.notes())


class _Finder:
    """Goes from name to name; what belongs to one is claimed."""

    def __init__(self, page: AnswerPage, aliases: Aliases) -> None:
        self.page, self.aliases = page, aliases
        self.words: dict[tuple[int, int], str] = {}
        self.values: set[tuple[int, int]] = set()  # numbers and what stands for one, as long as they are not claimed
        self.claimed: set[tuple[int, int]] = set()
        self.remarks: list[str] = []
        self.farthest = max(max(shape) for shape in aliases.shapes.values()) + 2
        for row, cells in enumerate(page):
            for column, cell in enumerate(cells):
                if cell.is_words:
                    self.words[row, column] = cell.text
                elif cell.kind != "blank":
                    self.values.add((row, column))

    @cached_property
    def anchors(self) -> dict[tuple[int, int], tuple[Reading, ...]]:
        """The cells with a name of a matrix, in reading order."""
        named = ((place, readings) for place, text in self.words.items() if (readings := self.aliases.read(text)))
        return dict(islice(named, MOST_BLOCKS))

    def at(self, row: int, column: int) -> Entry:
        if 0 <= row < len(self.page) and 0 <= column < len(self.page[row]):
            return self.page[row][column]
        return BLANK

    def is_value(self, row: int, column: int) -> bool:
        return (row, column) in self.values

    def is_words(self, row: int, column: int) -> bool:
        return (row, column) in self.words

    def is_taken(self, row: int, column: int) -> bool:
        return (row, column) in self.anchors or (row, column) in self.claimed

    def blocks(self) -> Iterator[NumberBlock]:
        for (row, column), readings in self.anchors.items():
            if (row, column) not in self.claimed:
                ranked = list(self._ranked(row, column, readings))
                if ranked:
                    yield self._block(row, column, ranked)
                else:
                    self._stacked(row, column)

    def _ranked(self, row: int, column: int, readings: Sequence[Reading]) -> Iterator[_Ranked]:
        """How each reading fits each region, up to one that nothing fits better."""
        likeliest = min(each.rank for each in readings)
        for k, region in enumerate(self._regions(row, column, readings)):
            ranked = [(self._fit(region, reading), reading.rank, k, region, reading) for reading in readings]
            yield from ranked
            if any(each[:2] == (EXACT, likeliest) for each in ranked):
                return

    def _block(self, row: int, column: int, ranked: list[_Ranked]) -> NumberBlock:
        how, rank, k, region, _ = min(ranked, key=lambda each: each[:3])
        chosen = tuple(dict.fromkeys(each[4] for each in ranked if each[:3] == (how, rank, k)))
        self._claim(row, column, region)
        cut = self._unlabelled(region, self._shape(chosen[0])) if how - region.cut == LABELLED else region
        return NumberBlock(self.at(row, column).text, chosen, self._grid(cut or region))

    def _stacked(self, row: int, column: int) -> None:
        """Remark a name right over another that means something else."""
        below = self.anchors.get((row + 1, column), ())
        meant = {each.identifier for each in self.anchors[row, column]}
        if below and not meant & {each.identifier for each in below}:
            one, other = self.words[row, column], self.words[row + 1, column]
            self.remarks.append(f"“{one}” is above “{other}”; the numbers below were read as “{other}”")

    # Where the numbers of a name can lie

    def _regions(self, row: int, column: int, readings: Sequence[Reading]) -> Iterator[_Region]:
        anchor = self._next(row, column, lambda *place: place in self.anchors)
        if self._heads(row, column, anchor):
            yield from self._region(row + 1, column + 1, anchor)
            return
        words = self._next(row, column, self.is_words)
        if self.is_value(row, column + 1):
            yield from self._region(row, column + 1, self._next(row, column + 1, self.is_words), beside=column)
        first = self._row_below(row, column, words)
        if first is not None:
            begins = self.is_value(first, column) or self.is_value(first + 1, column)
            if begins or not self.is_value(row, column + 1):  # else they are the rows of what stands beside the name
                yield from self._region(first, column if begins else column + 1, words)
            left = self._leftmost(first, column)
            widths = {w for each in readings for w in self._shape(each)}
            labelled = {w + 1 for w in widths} if left < column else set()
            for width in sorted(widths | labelled):  # a name over the middle, or with labels to the left of it
                if left + width > column:
                    for region in self._region(first, left, left + width):
                        goes_on = self.is_value(first, left + region.width)
                        yield region._replace(cut=CUT_RIGHT) if goes_on else region

    def _next(self, row: int, column: int, stop: Callable[[int, int], bool]) -> int:
        """The next column of a row where something stands that ends what a name can be over."""
        last = column + self.farthest + 1
        return next((each for each in range(column + 1, last) if stop(row, each)), last)

    def _row_below(self, row: int, column: int, limit: int) -> int | None:
        """The first row with numbers below a name; there may be labels between, and one blank row."""
        blank = 0
        for below in range(row + 1, row + 2 + MOST_LABEL_ROWS):
            columns = range(column, limit)
            if any(self.is_value(below, each) for each in columns[:2]):
                return below
            words = [each for each in columns if self.is_words(below, each)]
            blank += not words
            if blank > 1 or (len(words) == 1 and (below, words[0]) in self.anchors):
                return None
        return None

    def _leftmost(self, row: int, column: int) -> int:
        """Where the numbers begin that a name stands over the middle of."""
        while self.is_value(row, column - 1):
            column -= 1
        return column

    def _heads(self, row: int, column: int, limit: int) -> bool:
        """Whether a name stands in the corner, with labels to the right of it and below."""
        right = [each for j in range(column + 1, limit) if (each := self.at(row, j)).kind != "blank"]
        below = list(takewhile(lambda each: each.kind != "blank", (self.at(i, column) for i in self._rows_after(row))))
        if not right or not below or (row + 1, column) in self.anchors:
            return False
        return are_labels(right) and are_labels(below) and (right[0].is_words or not below[0].is_words)

    def _rows_after(self, row: int) -> range:
        return range(row + 1, min(row + self.farthest, len(self.page)))

    def _region(self, row: int, column: int, limit: int, beside: int | None = None) -> Iterator[_Region]:
        """The numbers from a cell on, as far as they go together; `beside`: the column of a name left of them."""

        def rows(width: int) -> int:
            height = 0
            while height < self.farthest and self._goes_on(row + height, column, width, beside if height else None):
                height += 1
            return height

        width = 1
        while column + width < limit and self.is_value(row, column + width):
            width += 1
        height = rows(width)
        width = 0
        while column + width < min(limit, column + self.farthest) and any(
            self.is_value(row + each, column + width) for each in range(height)
        ):
            width += 1
        height = rows(width)
        if height and width:
            left = beside is None and self.is_value(row, column - 1)
            yield _Region(row, column, height, width, CUT_LEFT if left else 0.0)

    def _goes_on(self, row: int, column: int, width: int, beside: int | None) -> bool:
        columns = range(column, column + width)
        if beside is not None and self.is_words(row, beside):
            return False
        return any(self.is_value(row, each) for each in columns) and not any(
            self.is_taken(row, each) for each in columns
        )

    # How they fit

    def _shape(self, reading: Reading) -> m.Shape:
        return (1, 1) if reading.place is not None else self.aliases.shapes[reading.identifier]

    def _fit(self, region: _Region, reading: Reading) -> float:
        shape = self._shape(reading)
        how = fit((region.height, region.width), shape)
        if how in (PART, OTHER) and self._unlabelled(region, shape) is not None:
            how = LABELLED
        return how + region.cut

    def _unlabelled(self, region: _Region, shape: m.Shape) -> _Region | None:
        """The region without a row or column of labels, if it then has the shape."""
        for above, left in ((0, 1), (1, 0), (1, 1)):
            rest = _Region(region.row + above, region.column + left, region.height - above, region.width - left)
            if fit((rest.height, rest.width), shape) > TRANSPOSED:
                continue
            labels = [self.at(region.row, rest.column + j) for j in range(rest.width)] if above else []
            beside = [self.at(rest.row + i, region.column) for i in range(rest.height)] if left else []
            if all(are_labels(each, bool(above and left)) for each in (labels, beside) if each):
                return rest
        return None

    def _grid(self, region: _Region) -> Grid:
        rows, columns = (
            range(region.row, region.row + region.height),
            range(region.column, region.column + region.width),
        )
        return tuple(tuple(self.at(row, column) for column in columns) for row in rows)

    def _claim(self, row: int, column: int, region: _Region) -> None:
        """The name, the numbers, and the labels around them."""
        claimed = {(row, column)}
        for i in range(min(row, region.row), region.row + region.height):
            for j in range(min(column, max(region.column - 1, 0)), region.column + region.width):
                if (i >= region.row and j >= region.column) or i == row or self.is_words(i, j):
                    claimed.add((i, j))
        beside = [(region.row + i, region.column - 1) for i in range(region.height)]
        if all(self.is_value(*place) for place in beside) and are_labels([self.at(*place) for place in beside]):
            claimed.update(beside)
        self.claimed |= claimed
        self.values -= claimed

    # What is left

    def notes(self) -> Iterator[str]:
        """Remarks, and what has numbers and no name that is known."""
        yield from self.remarks[:MOST_NAMED]
        names = dict.fromkeys(self._unclaimed())
        known = [f"“{name}”" for name in names if name]
        if known:
            listed = ", ".join(known[:MOST_NAMED]) + (", …" if len(known) > MOST_NAMED else "")
            yield f"{listed}: not in this problem; these numbers were ignored"
        if "" in names:
            yield "numbers with no name above them or to their left were ignored"
        if len(self.anchors) == MOST_BLOCKS:
            yield f"more than {MOST_BLOCKS:,} named matrices; the rest were ignored"

    def _unclaimed(self) -> Iterator[str]:
        """The words over each number that belongs to no block, or left of it; "" where there are none."""
        above: dict[int, str] = {}
        for row, cells in enumerate(self.page):
            here, before = {}, ""
            for column, cell in enumerate(cells):
                if self.is_value(row, column):
                    before = above.get(column) or before
                    yield before
                else:
                    before = cell.text if cell.is_words and (row, column) not in self.claimed else ""
                here[column] = before
            above = here
