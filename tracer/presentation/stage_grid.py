"""The stage of a formula on a grid of cells: where each operand, each sign and the result lie, for a sheet.

Everything is counted from 0, from the first cell of the stage. A matrix has one row for its heading, above its values.
A large one shows its first three rows and columns, the asked one and the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tracer.expression.matrix import Shape
from tracer.expression.scalar import Cell
from tracer.presentation.stage import InARow, MadeOf, Operand, Products, Stage, SumOf

MOST_ROWS, MOST_COLUMNS = 8, 12  # of a matrix; of a larger one the first three, the asked one and the last are shown
KEPT_FIRST = 3

KeptPlaces = tuple[int | None, ...]
"""The rows or columns of a matrix that are shown; None stands for those left out."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A matrix on the grid: `row` is its heading's; `span` is how many columns the heading takes.

    `down` and `across` are what is shown of it, as it is drawn: of a turned one `down` has its columns.
    """

    operand: Operand
    row: int
    column: int
    span: int
    down: KeptPlaces
    across: KeptPlaces

    def cells(self) -> Iterator[tuple[int, int, Cell | None]]:
        """Row and column on the grid and the matrix's cell there; None where some are left out."""
        for i, first in enumerate(self.down, start=self.row + 1):
            for j, second in enumerate(self.across, start=self.column):
                if first is None or second is None:
                    yield i, j, None
                else:
                    place = (second, first) if self.operand.turned else (first, second)
                    yield i, j, Cell(self.operand.id, *place)


@dataclass(frozen=True)
class StageGrid:
    """What stands where; `ones`: the corner of the ones with which a row takes part in a product, and their number."""

    result: Staged
    operands: tuple[Staged, ...]
    signs: tuple[tuple[int, int, str], ...]
    ones: tuple[int, int, int] | None
    rows: int
    columns: int


@dataclass(frozen=True)
class SheetColumns:
    """The columns of a sheet: `heading_span` says how many an operand's heading takes from a column on.

    Between `slot` columns there is a narrow one, in which a sign has room and a number has not; `room` is how many
    columns a row of operands and signs may take.
    """

    slot: int
    room: int
    heading_span: Callable[[Operand, int], int]

    def beside(self, column: int, count: int) -> int:
        """The first column from one on at which so many lie between two narrow ones, if so many do anywhere."""
        within = column % (self.slot + 1)
        return column if count > self.slot or within + count <= self.slot else column + self.slot + 1 - within


def stage_grid(stage: Stage, asked: Cell, shapes: Mapping[str, Shape], columns: SheetColumns) -> StageGrid:
    """Lay out the stage of the formula of a matrix, of which one cell is asked."""
    drawing = _Drawing(asked, shapes, columns)
    match stage:
        case Products(pairs, rows):
            drawing.products(pairs, rows)
        case SumOf(operand, under):
            drawing.sum_of(operand, under)
        case InARow(items):
            drawing.in_a_row(_segments(items), "=")
        case MadeOf(operands):
            drawing.in_a_row([[each] for each in operands], "→")
    return drawing.grid()


def kept_with(count: int, most: int, asked: int) -> KeptPlaces:
    """The places of so many that are shown.

    >>> kept_with(3, 5, 0), kept_with(9, 5, 6)
    ((0, 1, 2), (0, 1, 2, None, 6, None, 8))
    """
    if count <= most:
        return tuple(range(count))
    chosen = sorted({*range(KEPT_FIRST), asked, count - 1})
    gaps = ((None, k) if n and k > chosen[n - 1] + 1 else (k,) for n, k in enumerate(chosen))
    return tuple(k for some in gaps for k in some)


@dataclass
class _Drawing:
    """What was placed so far, the result last."""

    asked: Cell
    shapes: Mapping[str, Shape]
    columns: SheetColumns
    placed: list[Staged] = field(default_factory=list)
    signs: list[tuple[int, int, str]] = field(default_factory=list)
    ones: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        rows, columns = self.shapes[self.asked.matrix]
        self.result = Operand(self.asked.matrix)
        self.down = kept_with(rows, MOST_ROWS, self.asked.row)
        self.across = kept_with(columns, MOST_COLUMNS, self.asked.column)

    def products(self, pairs: Sequence[tuple[Operand, Operand]], rows: Sequence[Operand]) -> None:
        """Falk's scheme: the left operands beside the result, the right ones and the rows above it."""
        inner = [kept_with(self._drawn(left)[1], MOST_ROWS, 0) for left, _ in pairs]
        heights = [1 + len(each) for each in inner] + [2 for _ in rows]
        top, column = sum(heights), 0
        for (left, _), kept in zip(pairs, inner, strict=True):
            column = self._put(left, top, self.columns.beside(column, len(kept)), self.down, kept) + 1
        column = self.columns.beside(column, len(self.across))
        if rows:
            self.ones = (top, column - 1, len(self.down))
        for k, operand in enumerate((*(right for _, right in pairs), *rows)):
            self._put(operand, sum(heights[:k]), column, inner[k] if k < len(inner) else (0,), self.across)
        self._put(self.result, top, column)

    def sum_of(self, operand: Operand, under: bool) -> None:
        """A sum under, or beside, what it sums."""
        end = self._put(operand, 0, 0, *((None, self.across) if under else (self.down, None)))
        if under:
            self._put(self.result, 1 + len(self.placed[0].down), 0)
        else:
            self._segment(["Σ =", self.result], 0, end)

    def in_a_row(self, segments: Sequence[Sequence[Operand | str]], equals: str) -> None:
        """Operands and signs side by side, then the result; broken between segments where they take too much room."""
        row = column = 0
        last: Sequence[Operand | str] = (equals, self.result)
        for segment in (*segments, last):
            before = len(self.placed), len(self.signs)
            end = self._segment(segment, row, column)
            if column and end > self.columns.room:
                del self.placed[before[0] :], self.signs[before[1] :]
                row = max(each.row + len(each.down) for each in self.placed) + 2
                end = self._segment(segment, row, 0)
            column = end

    def grid(self) -> StageGrid:
        *operands, result = self.placed
        rows = 1 + max(each.row + len(each.down) for each in self.placed)
        columns = max(each.column + max(each.span, len(each.across)) for each in self.placed)
        return StageGrid(result, tuple(operands), tuple(self.signs), self.ones, rows, columns)

    def _segment(self, segment: Sequence[Operand | str], row: int, column: int) -> int:
        """Operands with the signs before them, which at the start of a line stand in the margin."""
        middle, sign = row + 1 + (len(self.down) - 1) // 2, ""
        for item in segment:
            if isinstance(item, str):
                sign = item
                continue
            first = self.columns.beside(column + (column > 0), len(self._shown(item)[1]))
            if sign:
                self.signs.append((middle, first - 1, sign))
            column, sign = self._put(item, row, first), ""
        if sign:
            self.signs.append((middle, column, sign))
        return column + bool(sign)

    def _put(
        self, operand: Operand, row: int, column: int, down: KeptPlaces | None = None, across: KeptPlaces | None = None
    ) -> int:
        """Place an operand; returns the first free column behind it."""
        shown = self._shown(operand)
        down, across = down or shown[0], across or shown[1]
        span = max(len(across), self.columns.heading_span(operand, column))
        self.placed.append(Staged(operand, row, column, span, down, across))
        return column + span

    def _shown(self, operand: Operand) -> tuple[KeptPlaces, KeptPlaces]:
        """Of an operand of the result's shape the rows and columns that the result shows."""
        (rows, columns), (down, across) = self._drawn(operand), self.shapes[self.asked.matrix]
        return (
            self.down if rows == down else kept_with(rows, MOST_ROWS, 0),
            self.across if columns == across else kept_with(columns, MOST_COLUMNS, 0),
        )

    def _drawn(self, operand: Operand) -> Shape:
        rows, columns = self.shapes[operand.id]
        return (columns, rows) if operand.turned else (rows, columns)


def _segments(items: Sequence[Operand | str]) -> list[list[Operand | str]]:
    """A row broken before the outermost + and −; signs that follow each other are one."""
    segments: list[list[Operand | str]] = [[]]
    depth = 0
    for item in items:
        if isinstance(item, str) and segments[-1] and isinstance(segments[-1][-1], str):
            segments[-1][-1] = f"{segments[-1][-1]} {item}".replace("( ", "(").replace(" )", ")")
        elif item in ("+", "−") and depth == 0 and segments[-1]:
            segments.append([item])
        else:
            segments[-1].append(item)
        depth += {"(": 1, ")": -1}.get(item, 0) if isinstance(item, str) else 0
    return segments
