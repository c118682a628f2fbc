"""How numbers can lie in a matrix: as it is, turned, with the bias as its first row, with a leading 1, all in a row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tracer.answers.handed_in import Grid
from tracer.answers.key import Key
from tracer.answers.numbers import Entry, read_number
from tracer.expression import matrix as m
from tracer.program.roles import (
    ACTIVATION,
    BIAS,
    BIAS_GRADIENT,
    INPUTS,
    NEW_BIAS,
    NEW_WEIGHTS,
    WEIGHTS,
    WEIGHTS_GRADIENT,
)

EXACT, TURNED, WITH_BIAS, WITH_ONE, TRANSPOSED, FLAT, PART, OTHER = range(8)  # the likeliest first

_WHOLE = re.compile(r"[-+−]?\d+,\d+")
_BIAS_OF = {WEIGHTS: BIAS, WEIGHTS_GRADIENT: BIAS_GRADIENT, NEW_WEIGHTS: NEW_BIAS}


@dataclass(frozen=True)
class Layout:
    """Numbers as matrices: mostly one, or weights and their bias."""

    how: int
    parts: tuple[tuple[str, Grid], ...]


def shape_of(grid: Grid) -> m.Shape:
    return len(grid), max(map(len, grid), default=0)


def turned(grid: Grid) -> Grid:
    """Rows as columns; what is missing at the end of a row is left out."""
    return tuple(zip(*grid, strict=True)) if len({len(row) for row in grid}) == 1 else grid


def layouts(grid: Grid, identifier: str, key: Key) -> Iterator[Layout]:
    """The ways in which numbers can lie in a matrix, the likeliest first."""
    for one in (grid, *_split(grid)):
        yield from _as_they_are(one, identifier, key)


def _as_they_are(grid: Grid, identifier: str, key: Key) -> Iterator[Layout]:
    shape, wanted = shape_of(grid), key.values[identifier].shape
    even = len({len(row) for row in grid}) == 1
    if shape == wanted:
        yield Layout(EXACT, ((identifier, grid),))
    elif even and shape == wanted[::-1] and 1 in wanted:
        yield Layout(TURNED, ((identifier, turned(grid)),))
    if not even:
        return
    if wanted == (1, 1) and 1 in shape and key.program.quantity(identifier).kind == BIAS.kind:
        same = {entry.value for row in grid for entry in row}
        if len(same) == 1 and shape != wanted:  # a shared bias, once for each unit
            yield Layout(TURNED, ((identifier, (grid[0][:1],)),))
    yield from _with_bias(grid, identifier, key)
    yield from _with_one(grid, identifier, key)
    if shape == wanted[::-1] and 1 not in wanted:
        yield Layout(TRANSPOSED, ((identifier, turned(grid)),))
    if 1 in shape and 1 not in wanted and max(shape) == wanted[0] * wanted[1]:
        numbers = [entry for row in grid for entry in row]
        rows, columns = wanted
        yield Layout(FLAT, ((identifier, _rows(numbers, columns)),))
        yield Layout(FLAT, ((identifier, turned(_rows(numbers, rows))),))


def _rows(numbers: list[Entry], width: int) -> Grid:
    return tuple(tuple(numbers[at : at + width]) for at in range(0, len(numbers), width))


def _with_bias(grid: Grid, identifier: str, key: Key) -> Iterator[Layout]:
    """The bias as first row, or first column of the transpose, or last."""
    bias = bias_of(identifier, key)
    if bias is None:
        return
    rows, columns = key.values[identifier].shape
    if key.values[bias].shape != (1, columns):
        return
    for one in (grid, turned(grid)):
        if shape_of(one) == (rows + 1, columns):
            yield Layout(WITH_BIAS, ((bias, one[:1]), (identifier, one[1:])))
            yield Layout(WITH_BIAS, ((bias, one[-1:]), (identifier, one[:-1])))


def bias_of(identifier: str, key: Key) -> str | None:
    """The bias, gradient or new bias that goes with weights."""
    assignments = key.program.assignments
    if identifier not in assignments or assignments[identifier].quantity not in _BIAS_OF:
        return None
    one = assignments[identifier]
    kind = _BIAS_OF[one.quantity]
    return next((each.id for each in assignments.values() if each.quantity == kind and each.block == one.block), None)


def _with_one(grid: Grid, identifier: str, key: Key) -> Iterator[Layout]:
    """An activation or the inputs with the 1 that the bias is multiplied by."""
    if key.program.quantity(identifier) not in (ACTIVATION, INPUTS):
        return
    rows, columns = key.values[identifier].shape
    for one in (grid, turned(grid)):
        if shape_of(one) == (rows, columns + 1) and all(abs(row[0].value) == 1.0 for row in one):
            yield Layout(WITH_ONE, ((identifier, tuple(row[1:] for row in one)),))


def _split(grid: Grid) -> Iterator[Grid]:
    """Numbers with a comma as two numbers each: 7,4 is 7 and 4 where that fits the shape."""
    if all(_WHOLE.fullmatch(entry.text.strip()) for row in grid for entry in row):
        yield tuple(tuple(read_number(part) for entry in row for part in entry.text.split(",")) for row in grid)
