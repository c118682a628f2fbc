"""Tensors of any number of dimensions as cells of matrices.

A framework's views, transposes, slices and joins move numbers about; here they move the numbers of cells, and no
formula is written for them. Where cells are computed with, the shortest part of the matrices that has them in the
places wanted is written: `A`, `A.T`, `A[:, 0:4]`, `hstack(A, B)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ids: TypeAlias = NDArray[np.int64]
NumberArray: TypeAlias = NDArray[Any]
SourceKind: TypeAlias = Literal["given", "parameter", "constant"]


@dataclass(frozen=True, eq=False)
class Laid:
    """A tensor: the number of the cell that stands at each of its places."""

    cells: Ids

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.cells.shape)

    def at(self, block: LaidBlock) -> Ids:
        """The cells of a block of it."""
        found: Ids = self.cells.ravel()[block.places]
        return found


Held: TypeAlias = "Laid | NumberArray"
"""A value of the graph: cells of matrices, or numbers that nothing computes."""


def moved(value: Held, move: Callable[[NumberArray], NumberArray]) -> Held:
    """A view, a transpose, a part: the same for cells and for numbers."""
    return Laid(move(value.cells)) if isinstance(value, Laid) else move(np.asarray(value))


@dataclass(frozen=True)
class StartNumbers:
    """Numbers that stand in the program: a tensor that is given, a parameter, a constant."""

    name: str
    numbers: NumberArray
    kind: SourceKind
    first: int
    matrix: tuple[int, int] | None = None


@dataclass(frozen=True)
class LaidBlock:
    """A matrix of a tensor: at which of its places (counted along the flattened tensor) its cells stand."""

    places: Ids
    index: tuple[int, ...]


class CellTable:
    """Where each cell stands: its matrix, row and column; -1 for numbers that have no matrix yet."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, int]] = []
        self.names: list[str] = []
        self.indices: list[tuple[int, ...]] = []
        self._where = np.full((1024, 3), -1, np.int64)
        self.count = 0

    def reserve(self, shape: tuple[int, ...]) -> Ids:
        """Numbers for new cells that no matrix has yet."""
        size = int(np.prod(shape, dtype=int))
        while self.count + size > len(self._where):
            self._where = np.vstack([self._where, np.full_like(self._where, -1)])
        found = np.arange(self.count, self.count + size).reshape(shape)
        self.count += size
        return found

    def put(self, name: str, cells: Ids, index: tuple[int, ...] = ()) -> None:
        """A matrix that has these cells."""
        rows, columns = cells.shape
        self._where[cells.ravel(), 0] = len(self.names)
        self._where[cells.ravel(), 1] = np.repeat(np.arange(rows), columns)
        self._where[cells.ravel(), 2] = np.tile(np.arange(columns), rows)
        self.names.append(name)
        self.shapes.append((rows, columns))
        self.indices.append(index)

    def owners(self, cells: Ids) -> Ids:
        """The number of each cell's matrix."""
        found: Ids = self._where[cells, 0]
        return found

    def rows(self, cells: Ids) -> Ids:
        found: Ids = self._where[cells, 1]
        return found

    def columns(self, cells: Ids) -> Ids:
        found: Ids = self._where[cells, 2]
        return found

    def blocks(self, tensor: Laid) -> list[LaidBlock] | None:
        """The matrices that a tensor is made of, where it has every cell of each once; None where it has not."""
        flat = tensor.cells.ravel()
        owners = self.owners(flat)
        found = []
        for owner in dict.fromkeys(owners.tolist()):
            places = np.flatnonzero(owners == owner)
            shape = self.shapes[owner] if owner >= 0 else (0, 0)
            if len(places) != shape[0] * shape[1] or len(np.unique(flat[places])) != len(places):
                return None
            block = np.empty(shape, np.int64)
            block[self.rows(flat[places]), self.columns(flat[places])] = places
            found.append(LaidBlock(block, self.indices[owner]))
        return found

    def text(self, cells: Ids) -> str:
        """A formula that has these cells of matrices at these places."""
        owners = self.owners(cells)
        if (owners == owners[0, 0]).all():
            return self._of_one(int(owners[0, 0]), cells)
        for down in (True, False):
            runs = list(self._runs(cells if down else cells.T, owners if down else owners.T))
            if len(runs) > 1:
                parts = [self.text(part if down else part.T) for part in runs]
                return f"{'vstack' if down else 'hstack'}({', '.join(parts)})"
        return f"vstack({', '.join(self._row(row) for row in cells)})"

    def _runs(self, cells: Ids, owners: Ids) -> Iterator[Ids]:
        """Rows that belong together: of the same matrices in the same columns."""
        keys = [row.tobytes() for row in owners]
        start = 0
        for _, run in groupby(keys):
            stop = start + len(list(run))
            yield from self._without_wraps(cells[start:stop])
            start = stop

    def _without_wraps(self, cells: Ids) -> Iterator[Ids]:
        """Rows of one matrix, cut where they begin anew or are of another part of it."""
        owners = self.owners(cells)
        one = bool((owners == owners[0, 0]).all())
        if one or len(cells) == 1:
            yield cells
            return
        rows, columns = self.rows(cells), self.columns(cells)
        start = 0
        for k in range(1, len(cells)):
            fits = (rows[k] - rows[k - 1] == 1).all() and (columns[k] == columns[k - 1]).all()
            fits = fits or ((rows[k] == rows[k - 1]).all() and (columns[k] - columns[k - 1] == 1).all())
            if not fits:
                yield cells[start:k]
                start = k
        yield cells[start:]

    def _row(self, cells: Ids) -> str:
        parts = []
        start = 0
        for _, run in groupby(self.owners(cells).tolist()):
            stop = start + len(list(run))
            parts.append(self.text(cells[None, start:stop]))
            start = stop
        return parts[0] if len(parts) == 1 else f"hstack({', '.join(parts)})"

    def _of_one(self, owner: int, cells: Ids) -> str:
        name, (height, width) = self.names[owner], self.shapes[owner]
        rows, columns = self.rows(cells), self.columns(cells)
        if _steady(rows, columns):
            return name + _picked(rows[:, 0], columns[0], (height, width))
        if _steady(rows.T, columns.T):
            return name + _picked(rows[0], columns[:, 0], (height, width)) + ".T"
        within_rows, within_columns = np.unique(rows), np.unique(columns)
        part = name + _picked(within_rows, within_columns, (height, width))
        down, across = np.searchsorted(within_rows, rows), np.searchsorted(within_columns, columns)
        tall, wide = len(within_rows), len(within_columns)
        count = np.arange(cells.size)
        for turned, order in ((False, down * wide + across), (True, across * tall + down)):
            base = f"{part}.T" if turned else part
            for again, places in ((False, order), (True, order.T)):
                if tall * wide == cells.size and (places.ravel() == count).all():
                    height, width = places.shape
                    return f"reshape({base}, {height}, {width}){'.T' if again else ''}"
        flat = _picked(np.zeros(1, np.int64), (down * wide + across).ravel(), (1, tall * wide))
        if cells.shape[0] == 1:
            return f"reshape({part}, 1, {tall * wide}){flat}"
        return f"reshape(reshape({part}, 1, {tall * wide}){flat}, {cells.shape[0]}, {cells.shape[1]})"


def _steady(rows: Ids, columns: Ids) -> bool:
    """Whether every row of a part is of one row of the matrix, and every column of one column."""
    return bool((rows == rows[:, :1]).all() and (columns == columns[:1]).all())


def _picked(rows: Ids, columns: Ids, shape: tuple[int, int]) -> str:
    """The square brackets that take rows and columns of a matrix."""
    down, across = _along(rows, shape[0]), _along(columns, shape[1])
    if across != ":":
        return f"[{down}, {across}]"
    return "" if down == ":" else f"[{down}]"


def _along(chosen: Ids, size: int) -> str:
    first, count = int(chosen[0]), len(chosen)
    if (chosen == np.arange(first, first + count)).all():
        if count == size:
            return ":"
        return str(first) if count == 1 else f"{first}:{first + count}"
    return f"[{', '.join(map(str, chosen.tolist()))}]"


def natural_blocks(shape: Sequence[int]) -> list[LaidBlock]:
    """The last two dimensions as matrices, one for each place of those before; fewer dimensions are a row.

    A matrix is numbered by its place along those that are longer than 1.
    """
    places = np.arange(int(np.prod(shape, dtype=int))).reshape(tuple(shape))
    if len(shape) < 2:
        return [LaidBlock(places.reshape(1, -1), ())]
    told = [axis for axis, size in enumerate(shape[:-2]) if size > 1]
    return [LaidBlock(places[at], tuple(at[axis] for axis in told)) for at in np.ndindex(*shape[:-2])]
