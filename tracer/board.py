"""The board: where each matrix lies, the same on every sheet and page.

One band per layer, three slots wide. Weights with the bias below them stand on the left, Z and A
beside; beneath, each backward matrix stands under what it belongs to: dW and db, then the updated
parameters, under W; S and D under Z; E (and a softmax's Jacobians) under A. Data and learning
rate have a band of their own on top. All places are in board cells, counted from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tracer.expression.scalar import Block, Cell
from tracer.network.blackboard import RATE
from tracer.network.program import Program

HEADING_ROWS = 2  # the name, and what it is
SLOT_COLUMNS = 2  # the least width of a slot, so that a heading has room over a single column
SLOTS = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a matrix lies: the corner of its values; its heading takes the rows above."""

    id: str
    row: int
    column: int
    rows: int
    columns: int

    @property
    def heading_row(self) -> int:
        return self.row - HEADING_ROWS

    def cells(self) -> Iterator[tuple[int, int]]:
        """(row, column) within the matrix, row by row."""
        return ((i, j) for i in range(self.rows) for j in range(self.columns))


@dataclass(frozen=True, slots=True)
class Band:
    """A layer's part of the board (layer 0: the data), with its stacks slot by slot.

    `stacks` has the forward part's three lists of identifiers, then the backward part's.
    """

    layer: int
    row: int
    stacks: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Board:
    """The places of a program's matrices; `rows` and `columns` are the board's size."""

    places: Mapping[str, Place]
    bands: tuple[Band, ...]
    slot: int
    rows: int

    @property
    def columns(self) -> int:
        return SLOTS * self.slot + SLOTS - 1

    @property
    def gaps(self) -> tuple[int, ...]:
        """The columns between the slots."""
        return tuple(k * (self.slot + 1) - 1 for k in range(1, SLOTS))

    def at(self, cell: Cell) -> tuple[int, int]:
        """The board cell of a matrix cell."""
        place = self.places[cell.matrix]
        return place.row + cell.row, place.column + cell.column

    def corners(self, block: Block) -> tuple[int, int, int, int]:
        """First row and column and last row and column of a block."""
        row, column = self.at(Cell(block.matrix, block.row, block.column))
        return row, column, row + block.rows - 1, column + block.columns - 1


def lay_out(program: Program) -> Board:
    """The board of a program; no two matrices, headings included, share a cell."""
    shapes = {each.id: each.shape for each in program.assignments.values()} | {RATE: (1, 1)}
    slot = max(SLOT_COLUMNS, *(columns for _, columns in shapes.values()))
    places: dict[str, Place] = {}
    bands = []
    row = 0
    for layer, (forward, backward) in enumerate(_bands(shapes)):
        bands.append(Band(layer, row, (*forward, *backward)))
        row += 1
        for stacks in (forward, backward):
            ends = [_stack(places, shapes, ids, row, k * (slot + 1)) for k, ids in enumerate(stacks)]
            row = max(ends)
        row += 1
    return Board(places, tuple(bands), slot, row)


Stacks = tuple[tuple[str, ...], ...]


def _bands(shapes: Mapping[str, tuple[int, int]]) -> Iterator[tuple[Stacks, Stacks]]:
    """For each band, the forward and the backward identifiers of its three slots."""

    def known(*ids: str) -> tuple[str, ...]:
        return tuple(each for each in ids if each in shapes)

    yield (known("X"), known("Y"), known(RATE)), ((), (), ())
    depth = sum(1 for each in shapes if each[0] == "Z")
    for n in range(1, depth + 1):
        last = n == depth
        forward = (known(f"W{n}", f"b{n}"), known(f"Z{n}"), known(f"A{n}", *(("L",) if last else ())))
        jacobians = (each for each in shapes if each[0] == "J" and last)
        backward = (
            known(f"dW{n}", f"db{n}", f"W{n}_next", f"b{n}_next"),
            known(f"S{n}", f"D{n}"),
            known("E" if last else f"E{n}", *jacobians),
        )
        yield forward, backward


def _stack(
    places: dict[str, Place],
    shapes: Mapping[str, tuple[int, int]],
    ids: Iterable[str],
    row: int,
    column: int,
) -> int:
    """Place matrices one under the other; returns the first free row."""
    for each in ids:
        rows, columns = shapes[each]
        places[each] = Place(each, row + HEADING_ROWS, column, rows, columns)
        row += HEADING_ROWS + rows
    return row
