"""A program in the making: matrices, formulas and steps, as a person would write them down."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks.cells import (
    CellTable,
    Held,
    Ids,
    Laid,
    LaidBlock,
    NumberArray,
    SourceKind,
    StartNumbers,
    natural_blocks,
)
from tracer.frameworks.graph import GraphOperation
from tracer.frameworks.naming import FreeNames, valid

LARGEST = 1e30  # stands for infinity, which no problem file holds
MOST_CELLS = 400_000
MOST_FORMULAS = 5_000


@dataclass
class DraftStep:
    """A step: the operation that it began with, which part of it (a time step), and its formulas."""

    operation: GraphOperation
    part: str
    formulas: list[str] = field(default_factory=list)

    def takes(self, operation: GraphOperation, part: str) -> bool:
        """Whether another formula belongs to it: of the same module and line of code, and the same part."""
        now, last = operation, self.operation
        if now is last:
            return part == self.part
        told = now.module or now.source
        return bool(told) and not part and not self.part and (now.module, now.source) == (last.module, last.source)


class TooLargeError(Exception):
    """More cells or formulas than a person reads."""


class Draft:
    """Matrices and formulas so far; `operation` is the one that is being written."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.table = CellTable()
        self.free = FreeNames()
        self.sources: list[StartNumbers] = []
        self.starts: dict[SourceKind, dict[str, NumberArray]] = {"given": {}, "parameter": {}, "constant": {}}
        self.steps: list[DraftStep] = []
        self.operation = GraphOperation("", "", {})
        self.part = ""
        self.formulas = 0
        self._named: dict[bytes, Ids] = {}
        self._constants: dict[tuple[tuple[int, ...], bytes], Laid] = {}

    def refuse(self, says: str) -> ProblemError:
        """What cannot be taken over, with the place in the model where it stands."""
        source = f" ({self.operation.source})" if self.operation.source else ""
        place = f"{self.name}.{_path(self.operation.place)}" if self.operation.place else self.name
        return ProblemError(place, "", f"{self.operation.shown or self.operation.kind} {says}{source}")

    # what the program starts from

    def source(self, name: str, numbers: NumberArray, kind: SourceKind, matrix: tuple[int, int] | None = None) -> Laid:
        """Numbers that the program starts from; they become matrices when a formula first takes them in.

        `matrix` is the shape of the one that they are where their own has more dimensions.
        """
        numbers = np.nan_to_num(np.asarray(numbers, np.float64), nan=np.nan, posinf=LARGEST, neginf=-LARGEST)
        cells = self.table.reserve(numbers.shape)
        self._check_size()
        self.sources.append(StartNumbers(name, numbers, kind, self.table.count - numbers.size, matrix))
        return Laid(cells)

    def laid(self, value: Held | float, name: str = "") -> Laid:
        """The cells of a value; numbers become constants."""
        if isinstance(value, Laid):
            return value
        numbers = np.asarray(value, np.float64)
        key = (numbers.shape, numbers.tobytes())
        if key not in self._constants:
            self._constants[key] = self.source(name or f"{self.operation.name}_given", numbers, "constant")
        return self._constants[key]

    def _check_size(self) -> None:
        if self.table.count > MOST_CELLS:
            raise TooLargeError(f"more than {MOST_CELLS:,} numbers")

    def start_numbers(self, value: Laid) -> NumberArray | None:
        """The numbers of a tensor that the program starts from; None where it is computed."""
        flat = value.cells.ravel()
        found = np.empty(flat.size)
        for source in self.sources:
            inside = (flat >= source.first) & (flat < source.first + source.numbers.size)
            found[inside] = source.numbers.ravel()[flat[inside] - source.first]
            flat = np.where(inside, -1, flat)
        return found.reshape(value.shape) if (flat == -1).all() else None

    def start_matrices(self, value: Laid, block: Ids | None = None) -> None:
        """Lay out the starts that some cells belong to; the first formula that takes them in says along which axes."""
        cells = (value.cells if block is None else block).ravel()
        bare = cells[self.table.owners(cells) < 0]
        while len(bare):
            source = self._source_of(int(bare[0]))
            self._lay_out(source, block)
            bare = bare[self.table.owners(bare) < 0]

    def _source_of(self, cell: int) -> StartNumbers:
        return next(each for each in reversed(self.sources) if each.first <= cell)

    def _lay_out(self, source: StartNumbers, block: Ids | None) -> None:
        cells = np.arange(source.first, source.first + source.numbers.size).reshape(source.numbers.shape)
        blocks = natural_blocks(source.numbers.shape)
        if source.matrix is not None:
            cells = cells.reshape(source.matrix)
            blocks = natural_blocks(cells.shape)
        axes = None if block is None or cells.ndim < 3 else _axes(cells, block)
        if axes is not None:
            rest = [axis for axis in range(cells.ndim) if axis not in axes]
            order = cells.transpose(*rest, *axes)
            places = [LaidBlock(each.places, each.index) for each in natural_blocks(order.shape)]
            cells, blocks = order, places
        names = self._names(source.name, blocks)
        for name, each in zip(names, blocks, strict=True):
            own = cells.ravel()[each.places]
            self.table.put(name, own, each.index)
            self.starts[source.kind][name] = source.numbers.ravel()[own - source.first]

    def _names(self, base: str, blocks: Sequence[LaidBlock]) -> list[str]:
        """A name for each block, numbered as it is."""
        ends = ["".join(f"_{k}" for k in each.index) for each in blocks]
        if len(set(ends)) < len(blocks):
            ends = [f"_{k}" for k in range(len(blocks))]
        base, number = valid(base).rstrip("_") if any(ends) else base, 1
        tried = base
        while any(ends) and not self.free.is_free([f"{tried}{end}" for end in ends]):
            tried = f"{base}_v{number}"
            number += 1
        return [self.free.take(f"{tried}{end}") for end in ends]

    # formulas

    def text(self, cells: Ids) -> str:
        """A formula's text for these cells, a matrix of their shape; a part that must be put together has a name."""
        return self.table.text(self.settled(cells))

    def settled(self, cells: Ids, part: str = "inputs") -> Ids:
        """The same cells, or copies of them in a matrix of its own where they must be put together first."""
        self.start_matrices(Laid(cells), cells)
        key = b"%d,%d:" % cells.shape + cells.tobytes()
        if key in self._named:
            return self._named[key]
        written = self.table.text(cells)
        if "(" not in written:
            return cells
        self._named[key] = self.matrix(written, (cells.shape[0], cells.shape[1]), part)
        return self._named[key]

    def number(self, cells: Ids) -> float | None:
        """The number that all of these cells are, where they are one constant."""
        if (self.table.owners(cells) >= 0).any():
            return None
        source = self._source_of(int(cells.flat[0]))
        own = cells.ravel() - source.first
        if source.kind != "constant" or own.min() < 0 or own.max() >= source.numbers.size:
            return None
        values = source.numbers.ravel()[own]
        return float(values[0]) if (values == values[0]).all() else None

    def write(self, blocks: Sequence[LaidBlock], texts: Sequence[str], part: str = "") -> Ids:
        """Assign a matrix for each block; the cells of them all, in the order of the flattened tensor."""
        base = f"{self.operation.name}_{part}" if part else self.operation.name
        names = self._names(base, blocks)
        cells = self.table.reserve((sum(block.places.size for block in blocks),))
        self._check_size()
        for name, block, text in zip(names, blocks, texts, strict=True):
            self.table.put(name, cells[block.places], block.index)
            self._formula(f"{name} = {text}")
        return cells

    def matrix(self, formula: str, shape: tuple[int, int], part: str = "", index: tuple[int, ...] = ()) -> Ids:
        """Assign one matrix of this shape; its cells."""
        block = LaidBlock(np.arange(shape[0] * shape[1]).reshape(shape), index)
        return self.write([block], [formula], part).reshape(shape)

    def _formula(self, text: str) -> None:
        if not self.steps or not self.steps[-1].takes(self.operation, self.part):
            self.steps.append(DraftStep(self.operation, self.part))
        self.steps[-1].formulas.append(text)
        self.formulas += 1
        if self.formulas > MOST_FORMULAS:
            raise TooLargeError(f"more than {MOST_FORMULAS:,} formulas")

    # layouts

    def blocks(self, *values: Laid) -> list[LaidBlock]:
        """The matrices in which cells of tensors of one shape are best combined: those that they are in already."""
        for value in values:
            if (self.table.owners(value.cells) >= 0).all():
                found = self.table.blocks(value)
                if found is not None:
                    return _numbered(found)
        for value in values:
            grouped = self.row_blocks(value)
            if grouped is not None:
                return grouped
        return natural_blocks(values[0].shape)

    def row_blocks(self, value: Laid) -> list[LaidBlock] | None:
        """Rows (along the last dimension) grouped by the matrices that they are of; None where each is of its own."""
        width = value.shape[-1] if value.shape else 1
        if value.cells.ndim < 2 or not value.cells.size:
            return None
        rows = value.cells.reshape(-1, width)
        groups: dict[bytes, list[int]] = {}
        for k, row in enumerate(self.table.owners(rows)):
            groups.setdefault(row.tobytes(), []).append(k)
        sizes = set(map(len, groups.values()))
        if len(sizes) > 1 or sizes == {1} or (self.table.owners(rows) < 0).any():
            return None
        places = np.arange(rows.size).reshape(rows.shape)
        found = []
        for each in groups.values():
            order = sorted(each, key=lambda k: int(self.table.rows(rows[k, 0])))
            found.append(LaidBlock(places[order], self._index_of(rows[order[0]])))
        return _numbered(found)

    def rows_of(self, value: Laid) -> list[LaidBlock]:
        """Matrices whose rows run along the last dimension."""
        self.start_matrices(value)
        width = value.shape[-1] if value.shape else 1
        own = self.table.blocks(value)
        if own is not None and all(
            each.places.shape[1] == width and (each.places % width == np.arange(width)).all() for each in own
        ):
            return _numbered(own)
        return self.row_blocks(value) or natural_blocks(value.shape)

    def _index_of(self, cells: Ids) -> tuple[int, ...]:
        """The number that the matrices of these cells share."""
        owners = dict.fromkeys(self.table.owners(cells).tolist())
        indices = [self.table.indices[each] for each in owners]
        shared = []
        for numbers in zip(*indices, strict=False):
            if len(set(numbers)) > 1:
                break
            shared.append(numbers[0])
        return tuple(shared)


def _path(module: str) -> str:
    """A module as one writes it in code: features[3]."""
    return re.sub(r"\.(\d+)\b", r"[\1]", module)


def _numbered(blocks: list[LaidBlock]) -> list[LaidBlock]:
    """One block alone needs no number."""
    return [LaidBlock(blocks[0].places, ())] if len(blocks) == 1 else blocks


def written(number: float) -> str:
    """A number in a formula."""
    text = repr(int(number)) if number == int(number) and abs(number) < 1e15 else repr(float(number))
    return f"({text})" if number < 0 else text


def _axes(cells: Ids, block: Ids) -> tuple[int, int] | None:
    """The two axes of a start that run down and along a block of it; None where it is no such block."""
    inside = (block >= cells.min()) & (block <= cells.max())
    if not inside.all():
        return None
    places = np.stack(np.unravel_index(block - cells.min(), cells.shape))
    found = []
    for along in (1, 2):
        other = 3 - along
        varies = [axis for axis in range(cells.ndim) if (np.diff(places[axis], axis=along - 1) != 0).any()]
        steady = [axis for axis in varies if not (np.diff(places[axis], axis=other - 1) != 0).any()]
        if len(varies) != 1 or steady != varies or block.shape[along - 1] != cells.shape[varies[0]]:
            return None
        found.append(varies[0])
    return found[0], found[1]
