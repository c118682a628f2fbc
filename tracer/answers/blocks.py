"""Matrices in the cells of a sheet: each a block of numbers with its name above it or left of it.

What a name can mean decides the shape that a block is expected in: so blocks that touch are told apart, and rows or
columns of labels (1, 2, 3 or h1, h2) are no numbers of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import islice, takewhile
from string import ascii_uppercase
from typing import NamedTuple, TypeAlias

from tracer.answers.cells import SheetCells, order, rest
from tracer.answers.fitting import EXACT, LABELLED, OTHER, PART, TRANSPOSED, are_labels, fit
from tracer.answers.found import Found
from tracer.answers.handed_in import AnswerPage, Grid
from tracer.answers.identifiers import Family, unit_name
from tracer.answers.names_read import NameReading, NamesRead
from tracer.answers.tables import Column, column_under, crossed, heads
from tracer.expression import matrix as m

MOST_LABEL_ROWS = 3  # between a name and its numbers
MOST_BLOCKS = 2_000  # of a page; the names behind them are not looked at
MOST_NAMED = 6  # that a note lists
WIDER = 2.5  # how well numbers with the bias among them fit, in the order of fitting.py
CUT_RIGHT, CUT_LEFT = 3.5, 4.0  # added where a block is cut out of numbers that touch


class _Region(NamedTuple):
    """Numbers from a first cell; `cut` is more than 0 where others stand beside them."""

    row: int
    column: int
    height: int
    width: int
    cut: float = 0.0


_Ranked: TypeAlias = tuple[float, int, int, _Region, NameReading]


def blocks_of(page: AnswerPage, aliases: NamesRead) -> tuple[list[Found], list[str]]:
    """The blocks of a page in reading order, and remarks on them."""
    finder = _Finder(page, aliases)
    found = [*finder.assigned(), *finder.crossed, *finder.blocks(), *finder.columns()]
    found += islice(rest(finder), MOST_BLOCKS)
    return sorted(found, key=lambda each: each.order), finder.remarks[:MOST_NAMED]


class _Finder(SheetCells):
    """Goes from name to name; what belongs to one is claimed."""

    def __init__(self, page: AnswerPage, aliases: NamesRead) -> None:
        super().__init__(page)
        self.aliases = aliases
        self.remarks: list[str] = []
        self.farthest = max(max(shape) for shape in aliases.shapes.values()) + 2
        self.crossed: list[Found] = []
        for each in crossed(page):
            self.take(each.cells)
            self.crossed.append(self._single(each))
        found = heads(page)
        families = Counter(family for each in found if (family := self._family(each)) is not None)
        firsts = {row: column for row, column in reversed(list(found))}
        corners = {row for row, column in firsts.items() if self._is_corner(row, column)}
        self.weak = {place for place in found if place[0] not in corners and not self._is_column(place, families)}

    def _is_corner(self, row: int, column: int) -> bool:
        """Whether a matrix's name heads labels below: then the names beside it are labels too."""
        below = list(takewhile(lambda each: each.kind != "blank", (self.at(i, column) for i in self._rows_after(row))))
        return bool(self.aliases.read(self.words.get((row, column), ""))) and are_labels(below)

    def _height(self, row: int, column: int) -> int:
        """How many numbers stand right below a cell."""
        return len(list(takewhile(lambda i: self.is_value(i, column), self._rows_after(row))))

    def _family(self, place: tuple[int, int]) -> tuple[int, int, Family] | None:
        """The row, the height (in a table all columns are as high) and the family of a head that may name a unit.

        None where it is an identifier to the letter.
        """
        name = self.words.get(place, "")
        unit = unit_name(name)
        is_known = any(each.rank == 0 for each in self.aliases.read(name))
        return None if unit is None or is_known else (place[0], self._height(*place), unit.family)

    def _is_column(self, place: tuple[int, int], families: Counter[tuple[int, int, Family]]) -> bool:
        """Whether a head is the name of a matrix that is a column, over that: w2 beside w1 and w3 is none."""
        family, height = self._family(place), self._height(*place)
        of_several = family is not None and families[family] > 1
        readings = [each for each in self.aliases.read(self.words.get(place, "")) if not (of_several and each.rank)]
        return any(each.place is None and self.aliases.shapes[each.identifier] == (height, 1) for each in readings)

    def assigned(self) -> Iterator[Found]:
        """What lines of a text give a name to."""
        for row, each in self.page.assigned.items():
            single = sum(map(len, each.grid)) == 1
            where, readings = self.page.where(row, 0), self.aliases.read(each.name)
            yield Found(each.name, readings, each.grid, where, order((row, 0)), each.printed_by, single)

    @cached_property
    def anchors(self) -> dict[tuple[int, int], tuple[NameReading, ...]]:
        """The cells with a name of a matrix, in reading order."""
        named = (
            (place, readings)
            for place, text in self.words.items()
            if place not in self.weak and place not in self.claimed and not self._is_counted(place)
            if (readings := self.aliases.read(text))
        )
        return dict(islice(named, MOST_BLOCKS))

    def _is_counted(self, place: tuple[int, int]) -> bool:
        """Whether a letter only counts: E below A, B, C and D."""
        text, (row, column) = self.words[place].strip(), place
        before = ascii_uppercase.partition(text)[0] if len(text) == 1 and text in ascii_uppercase else ""
        above = (self.words.get((row - k, column), "").strip() for k in range(len(before), 0, -1))
        return bool(before) and list(before) == list(above)

    def is_taken(self, row: int, column: int) -> bool:
        return (row, column) in self.anchors or (row, column) in self.claimed

    def blocks(self) -> Iterator[Found]:
        for (row, column), readings in self.anchors.items():
            if (row, column) not in self.claimed:
                ranked = list(self._ranked(row, column, readings))
                if ranked:
                    yield self._block(row, column, ranked)
                else:
                    self._stacked(row, column)

    def _ranked(self, row: int, column: int, readings: Sequence[NameReading]) -> Iterator[_Ranked]:
        """How each reading fits each region, up to one that nothing fits better."""
        likeliest = min(each.rank for each in readings)
        for k, region in enumerate(self._regions(row, column, readings)):
            ranked = [(self._fit(region, reading), reading.rank, k, region, reading) for reading in readings]
            yield from ranked
            if any(each[:2] == (EXACT, likeliest) for each in ranked):
                return

    def _block(self, row: int, column: int, ranked: list[_Ranked]) -> Found:
        how, rank, k, region, _ = min(ranked, key=lambda each: each[:3])
        chosen = tuple(dict.fromkeys(each[4] for each in ranked if each[:3] == (how, rank, k)))
        self._claim(row, column, region)
        cut = self._unlabelled(region, self._shape(chosen[0])) if how - region.cut == LABELLED else region
        grid, where = self._grid(cut or region), self.page.where(row, column)
        single = sum(map(len, grid)) == 1
        return Found(self.at(row, column).text, chosen, grid, where, order((row, column)), single=single)

    def _stacked(self, row: int, column: int) -> None:
        """Remark a name right over another that means something else."""
        below = self.anchors.get((row + 1, column), ())
        meant = {each.identifier for each in self.anchors[row, column]}
        if below and not meant & {each.identifier for each in below}:
            one, other = self.words[row, column], self.words[row + 1, column]
            self.remarks.append(f"“{one}” is above “{other}”; the numbers below were read as “{other}”")

    # Where the numbers of a name can lie

    def _regions(self, row: int, column: int, readings: Sequence[NameReading]) -> Iterator[_Region]:
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
            if below in self.page.assigned:
                return None
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
        return range(row + 1, min(row + self.farthest, len(self.rows)))

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

    def _shape(self, reading: NameReading) -> m.Shape:
        return (1, 1) if reading.place is not None else self.aliases.shapes[reading.identifier]

    def _fit(self, region: _Region, reading: NameReading) -> float:
        shape = self._shape(reading)
        how = fit((region.height, region.width), shape)
        if how in (PART, OTHER) and self._unlabelled(region, shape) is not None:
            how = LABELLED
        wider = self.aliases.wider(reading.identifier) if how == OTHER and reading.place is None else None
        if wider in ((region.height, region.width), (region.width, region.height)):
            return WIDER + region.cut
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
                is_head = i == row and j >= min(column, region.column)  # what stands before them heads others
                is_label = i != row and self.is_words(i, j)
                if (i >= region.row and j >= region.column) or is_head or is_label:
                    claimed.add((i, j))
        beside = [(region.row + i, region.column - 1) for i in range(region.height)]
        if all(self.is_value(*place) for place in beside) and are_labels([self.at(*place) for place in beside]):
            claimed.update(beside)
        self.claimed |= claimed
        self.values -= claimed

    # What is left

    def columns(self) -> Iterator[Found]:
        """The columns of single numbers under names of units that no block has taken."""
        for place in self.weak:
            if place in self.words and place not in self.claimed:
                column = column_under(self.page, place, self.values)
                if column is not None:
                    self.take(column.cells)
                    yield self._single(column)

    def _single(self, column: Column) -> Found:
        readings = self.aliases.read(column.name)
        return Found(column.name, readings, column.grid, self.page.where(*column.place), order(column.place), "", True)
