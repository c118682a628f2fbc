"""The board: where each matrix lies, the same on every sheet and page.

One band per layer, three slots wide. Weights with the bias below them stand on the left, Z and A
beside; beneath, each backward matrix stands under what it belongs to: dW and db, then the updated
parameters, under W; S and D under Z; E (and a softmax's Jacobians) under A. Data and learning
rate have a band of their own on top. All places are in board cells, counted from 0.

A program has bands of forward steps: the parameters that a step is the first to use and what it makes, three stacks to
a shelf, and under each what belongs to it.

A large matrix would drown the reader: on the board an excerpt stands for it, its first and last
rows and columns, and its place is to the right of everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tracer.expression.scalar import Block, Cell
from tracer.presentation.excerpt import kept
from tracer.program import roles
from tracer.program.naming_policy import RATE
from tracer.program.program import LayerMatrices, Program, Step
from tracer.program.roles import Quantity

HEADING_ROWS = 2  # the name, and what it is
SLOT_COLUMNS = 2  # the least width of a slot, so that a heading has room over a single column
SLOTS = 3
LARGE_ROWS, LARGE_COLUMNS = 30, 20  # a matrix with more of either is large
KEPT_FIRST, KEPT_LAST = 3, 1  # rows and columns of an excerpt
BESIDE = 10  # columns between the board and the large matrices, for what stands beside the board


@dataclass(frozen=True, slots=True)
class BoardPlace:
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
    """The part of the board of a layer or of a program's step (number 0: the data), with its stacks slot by slot.

    `stacks` has the forward part's three lists of identifiers, then the backward part's, shelf after shelf. `title` is
    that of a program's step; a layer has its own words.
    """

    layer: int
    row: int
    stacks: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Board:
    """The places of a program's matrices; `rows` and `columns` are the board's size.

    `excerpts` has what stands on the board for each large matrix, whose own place is beyond `columns`.
    """

    places: Mapping[str, BoardPlace]
    excerpts: Mapping[str, BoardPlace]
    bands: tuple[Band, ...]
    slot: int
    rows: int

    @property
    def columns(self) -> int:
        return SLOTS * self.slot + SLOTS - 1

    @property
    def whole(self) -> tuple[int, int]:
        """Rows and columns that everything takes, the large matrices too."""
        rows = max(each.row + each.rows for each in self.places.values())
        return max(self.rows, rows), max(self.columns, *(each.column + each.columns for each in self.places.values()))

    @property
    def gaps(self) -> tuple[int, ...]:
        """The columns between the slots."""
        return tuple(k * (self.slot + 1) - 1 for k in range(1, SLOTS))

    def shown(self, identifier: str) -> BoardPlace:
        """Where a matrix, or its excerpt, stands on the board."""
        return self.excerpts.get(identifier, self.places[identifier])

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
    on_board = {each: (len(kept_rows(rows)), len(kept_columns(columns))) for each, (rows, columns) in shapes.items()}
    slot = max(SLOT_COLUMNS, *(columns for _, columns in on_board.values()))
    shown: dict[str, BoardPlace] = {}
    bands = []
    row = 0
    for number, (title, shelves) in enumerate(_bands(program)):
        bands.append(Band(number, row, tuple(stack for shelf in shelves for part in shelf for stack in part), title))
        row += 1
        for stacks in (part for shelf in shelves for part in shelf if any(part)):
            ends = [_stack(shown, on_board, ids, row, k * (slot + 1)) for k, ids in enumerate(stacks)]
            row = max(ends)
        row += 1
    large = [each for each in shown if on_board[each] != shapes[each]]
    places = {each: place for each, place in shown.items() if each not in large}
    excerpts = {each: shown[each] for each in large}
    _stack(places, shapes, large, 0, SLOTS * slot + SLOTS - 1 + BESIDE)
    return Board({each: places[each] for each in shown}, excerpts, tuple(bands), slot, row)


def kept_rows(rows: int) -> list[int | None]:
    """The rows of a matrix that stand on the board; None stands for those left out."""
    return kept(rows, LARGE_ROWS, KEPT_FIRST, KEPT_LAST)


def kept_columns(columns: int) -> list[int | None]:
    """The columns of a matrix that stand on the board; None stands for those left out."""
    return kept(columns, LARGE_COLUMNS, KEPT_FIRST, KEPT_LAST)


Stacks: TypeAlias = tuple[tuple[str, ...], ...]
Shelf: TypeAlias = tuple[Stacks, Stacks]
"""The forward and the backward identifiers of three slots."""


def _bands(program: Program) -> Iterator[tuple[str, list[Shelf]]]:
    """The title (of a layer none) and the shelves of each band."""
    if not program.by_layers:
        yield from _of_steps(program)
        return
    alone = tuple(each for each in program.of_optimizer if program.assignments[each].layer is None)
    yield "", [(((*program.all(roles.INPUTS),), (program.targets,), (RATE,)), ((), (), alone))]
    for layer in program.layers:
        of_layer = _of_layer(layer, program.loss if layer is program.layers[-1] else None)
        yield "", [of_layer, *_of_states(program, layer.number)]


def _of_states(program: Program, layer: int) -> Iterator[Shelf]:
    """What an optimizer keeps of a layer's parameters, a line for each: before the pass, after it, corrected."""
    lines: dict[tuple[str | None, str], list[str]] = {}
    for each in map(program.assignments.__getitem__, program.of_optimizer):
        if each.layer == layer:
            kind = (each.kind or "").removesuffix("_hat")
            lines.setdefault((program.follows(each.id), kind), []).append(each.id)
    rows = [tuple((each,) if each else () for each in [*line, "", ""][:SLOTS]) for line in lines.values()]
    for k in range(0, len(rows), 2):
        yield rows[k], rows[k + 1] if k + 1 < len(rows) else ((), (), ())


def _of_steps(program: Program) -> Iterator[tuple[str, list[Shelf]]]:
    """The data, then the forward steps with the parameters that each is the first to use; short ones share a band."""
    first, belonging = program.first_uses, _belonging(program)
    unused = [each for each in program.parameters if each not in first]
    yield "Given", _shelves([*program.given, *unused, RATE, *belonging.get(None, ())], belonging)
    together: list[Step] = []
    ids: list[str] = []
    for step in (step for step in program.steps if step.phase == "forward"):
        own = [
            *(each for each in program.parameters if first.get(each) is step),
            *(each.id for each in step.assignments),
        ]
        if together and len(ids) + len(own) > SLOTS:
            yield _titles(together), _shelves(ids, belonging)
            together, ids = [], []
        together.append(step)
        ids += own
    yield _titles(together), _shelves(ids, belonging)


def _titles(steps: Sequence[Step]) -> str:
    """What stands over a band: its step, or its steps."""
    titles = "; ".join(step.title for step in steps)
    if len(steps) == 1:
        return f"Step {steps[0].label} · {titles}"
    joint = "and" if len(steps) == 2 else "to"
    return f"Steps {steps[0].label} {joint} {steps[-1].label} · {titles}"


def _belonging(program: Program) -> dict[str | None, list[str]]:
    """What belongs to each matrix that stands for itself, in order of time; under None what belongs to none."""
    found: dict[str | None, list[str]] = {}
    owner: dict[str, str | None] = {}
    for each in program.assignments.values():
        own = each.role in ("given", "parameter") or program.step_of(each.id).phase == "forward"
        if own:
            owner[each.id] = each.id
            continue
        owner[each.id] = of = owner[each.of] if each.of is not None else None
        found.setdefault(of, []).append(each.id)
    return found


def _shelves(ids: Sequence[str], belonging: Mapping[str | None, Sequence[str]]) -> list[Shelf]:
    shelves: list[Shelf] = []
    for start in range(0, len(ids), SLOTS):
        three = [*ids[start : start + SLOTS], "", ""][:SLOTS]
        backward = tuple(tuple(belonging.get(each, ())) if each else () for each in three)
        shelves.append((tuple((each,) if each else () for each in three), backward))
    return shelves


def _of_layer(layer: LayerMatrices, loss: str | None) -> Shelf:
    """A layer's forward and backward stacks, as far as there are such; the loss is below the last activation."""

    def known(*wanted: Quantity) -> tuple[str, ...]:
        return tuple(layer.quantities[each] for each in wanted if each in layer.quantities)

    activation = (*known(roles.ACTIVATION), *([loss] if loss is not None else []))
    forward = (known(roles.WEIGHTS, roles.BIAS), known(roles.PRE_ACTIVATION), activation)
    changes = known(roles.WEIGHTS_GRADIENT, roles.BIAS_GRADIENT, roles.NEW_WEIGHTS, roles.NEW_BIAS)
    backward = (changes, known(roles.SLOPE, roles.DELTA), (*known(roles.ERROR), *layer.jacobians))
    return forward, backward


def _stack(
    places: dict[str, BoardPlace],
    shapes: Mapping[str, tuple[int, int]],
    ids: Iterable[str],
    row: int,
    column: int,
) -> int:
    """BoardPlace matrices one under the other; returns the first free row."""
    for each in ids:
        rows, columns = shapes[each]
        places[each] = BoardPlace(each, row + HEADING_ROWS, column, rows, columns)
        row += HEADING_ROWS + rows
    return row
