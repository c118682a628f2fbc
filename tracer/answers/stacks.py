"""Arrays that hold the matrices of all time steps or heads, as programs keep them: hs, dhs, attn; q of two heads.

A name of the whole is that of its parts without their number. How the parts lie in it, their numbers tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tracer.answers.agreement import Agreement, total
from tracer.answers.found import Found
from tracer.answers.handed_in import Grid
from tracer.answers.layouts import shape_of, turned
from tracer.answers.names_read import FIELD, NameReading

MOSTLY = 0.6  # of what numbers could say, from which on they settle how the parts of one matrix lie


def taken_apart(found: Sequence[Found], agreement: Agreement) -> Iterator[Found]:
    """The blocks, and in place of one that holds all of a family its members."""
    for each in found:
        yield from _parts_of(each, agreement) or [_of_one(each, agreement)]


def _parts_of(each: Found, agreement: Agreement) -> list[Found]:
    key, shape = agreement.key, shape_of(each.grid)
    if any(one.place is None and key.values[one.identifier].shape == shape for one in each.readings):
        return []
    for members in key.aliases.stacked(each.name):
        ways = list(_ways(each.grid, key.values[members[0]].shape, len(members)))
        agreed = [sum(map(agreement.of, parts, members)) for parts in ways]
        best = max(agreed, default=0.0)
        if ways and (len(ways) == 1 or best > 0):
            parts = ways[agreed.index(best)]
            return [_named(each, k, *pair) for k, pair in enumerate(zip(members, parts, strict=True))]
    return []


def _named(each: Found, number: int, identifier: str, grid: Grid) -> Found:
    readings = (NameReading(FIELD - 1, identifier),)
    return replace(each, readings=readings, grid=grid, order=each.order + number, single=False, name=identifier)


def _ways(grid: Grid, shape: tuple[int, int], count: int) -> Iterator[list[Grid]]:
    """The parts of a shape in the ways in which they can lie: one below the other, sample by sample, as columns."""
    rows, columns = shape
    for one in (grid, turned(grid)) if rows == 1 else (grid,):
        height, width = shape_of(one)
        even = len({len(row) for row in one}) == 1 and width == columns
        for first in (0, rows) if even else ():  # with what the first step begins with, or without
            if height == first + count * rows:
                yield [one[first + k * rows : first + (k + 1) * rows] for k in range(count)]
        if even and rows > 1 and height == count * rows:
            yield [one[k::count] for k in range(count)]


def _of_one(each: Found, agreement: Agreement) -> Found:
    """A block, the columns of a matrix side by side where they stand below each other: q of each head."""
    height, width = shape_of(each.grid)
    for reading in each.readings if width else ():
        rows, columns = agreement.key.values[reading.identifier].shape
        count = columns // width
        if reading.place is None and count > 1 and (height, width * count) == (rows * count, columns):
            heads = [each.grid[k * rows : (k + 1) * rows] for k in range(count)]
            whole = tuple(tuple(entry for head in heads for entry in head[row]) for row in range(rows))
            if agreement.of(whole, reading.identifier) >= MOSTLY * total(whole):
                return replace(each, grid=whole)
    return each
