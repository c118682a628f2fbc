"""Single numbers under names of units, gathered into matrices once their families have a place (families.py)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from tracer.answers.agreement import Agreement, total
from tracer.answers.arrays import is_left_out
from tracer.answers.counting import Counted, CountedCell
from tracer.answers.families import Families, NamedNumber, Placed
from tracer.answers.found import Found
from tracer.answers.handed_in import Grid, NotRead
from tracer.answers.identifiers import Change, UnitName, unit_name
from tracer.answers.key import Key
from tracer.answers.layouts import shape_of
from tracer.answers.names_read import OWN
from tracer.answers.numbers import BLANK, Entry
from tracer.answers.placing import ALONE, Piece

CHANGES: tuple[Change, ...] = ("new", "gradient", "")
NAMED = UnitName("", (), "", (), "")  # what has a cell of its own by its name
LATER_PASSES = "further rows of the table are later passes, which are not marked here"
MOST_NAMED = 4  # of a family that has no place

_WORDS = re.compile(r"[A-Za-z]+[0-9]+")
_ALL_WEIGHTS = re.compile(r"\bweights?\b", re.I)
_NEW = re.compile(r"\b(?:new|next|after|updated|neu)\b", re.I)
_GRADIENT = re.compile(r"\b(?:gradients?|grads?|derivatives?)\b|∂", re.I)


def scalars_of(each: Found, counted: Counted, agreement: Agreement) -> list[NamedNumber]:
    """The scalars of a block, none where it is a matrix."""
    key = agreement.key
    if not each.single or is_left_out(each.grid):
        return _all_weights(each, counted, agreement)
    letter = [one.identifier for one in each.readings if one.place is None and one.rank == 0]
    if letter and key.values[letter[0]].shape == shape_of(each.grid):
        return []
    unit = unit_name(each.name)
    cell = _own_cell(each, key)
    if unit is None or not unit.numbers or not counted.cells(unit):
        if cell is None or any(one.place is None for one in each.readings):
            return []
        unit = NAMED
    return [NamedNumber(each.name, unit, tuple(row[0] for row in each.grid), each.where, each.order, cell)]


def _own_cell(each: Found, key: Key) -> CountedCell | None:
    """The cell that a name says itself: Z1[1,2], b2 where that is one number, or w5 where the problem calls it that."""
    single = {one.identifier for one in each.readings if one.place is None and key.values[one.identifier].size == 1}
    spelled = _spelled(each.name, single, key) if len(single) > 1 else single
    if len(spelled) == 1:
        return CountedCell(spelled.pop(), 0, 0)
    least = min((one.rank for one in each.readings), default=0)
    cells = [one for one in each.readings if one.place is not None and one.rank == least]
    sure = least <= OWN or unit_name(each.name) is None
    return CountedCell(cells[0].identifier, *cells[0].place) if len(cells) == 1 and sure and cells[0].place else None


def _spelled(name: str, identifiers: set[str], key: Key) -> set[str]:
    """Those that a name has letter by letter, or what they are of: dL/dW3 is W3's gradient before a third weight's."""
    words = {word.removeprefix("d") for word in _WORDS.findall(name)}
    made = key.program.assignments
    return {each for each in identifiers if words & {each, made[each].of}}


def _all_weights(each: Found, counted: Counted, agreement: Agreement) -> list[NamedNumber]:
    """A row with every weight of the network, under a name like “weights after”, or none that is known."""
    sizes = counted.sizes
    count = sum(one * other for one, other in pairwise(sizes))
    if shape_of(each.grid) != (1, count) or len(sizes) < 3 or each.readings:
        return []
    change: Change = "gradient" if _GRADIENT.search(each.name) else "new" if _NEW.search(each.name) else ""
    if _ALL_WEIGHTS.search(each.name):
        return _in_a_row(each, change)
    for other in CHANGES:
        scalars = _in_a_row(each, other)
        families = Families(scalars, counted, agreement, {})
        if families.agreed >= max(ALONE, total(each.grid) - 1e-9):
            return scalars
    return []


def _in_a_row(each: Found, change: Change) -> list[NamedNumber]:
    return [
        NamedNumber(f"{each.name} {k}", UnitName("w", ("weight",), "", (k,), change), (entry,), each.where, each.order)
        for k, entry in enumerate(each.grid[0], 1)
    ]


class Gathered:
    """The matrices that scalars fill, and what is said of those that have no place."""

    def __init__(self, scalars: Sequence[NamedNumber], counted: Counted, agreement: Agreement, key: Key) -> None:
        self.key = key
        self.pieces: list[Piece] = []
        self.notes: list[str] = []
        self._open: dict[str, Piece] = {}
        families = Families(scalars, counted, agreement, key.program.updated)
        for placed in sorted(families.placed, key=lambda each: each.scalar.order):
            self._add(placed)
        self.not_read = list(_not_read(families.unplaced, counted))
        self.meant = {(each.scalar.unit.stem, key.program.quantity(each.cell.identifier)) for each in families.placed}

    def _add(self, placed: Placed) -> None:
        cell, entries = placed.cell, placed.scalar.entries
        if cell.row is None:
            for row, entry in enumerate(entries):
                self._put(placed, cell.identifier, row, entry)
            return
        self._put(placed, cell.identifier, cell.row, entries[0])
        new = self.key.program.updated.get(cell.identifier)
        if len(entries) > 1 and new is not None:
            self._put(placed, new, cell.row, entries[1])
        if len(entries) > 1 and LATER_PASSES not in self.notes:
            self.notes.append(LATER_PASSES)

    def _put(self, placed: Placed, identifier: str, row: int, entry: Entry) -> None:
        """Put a number in its cell; one that is taken begins the matrix anew."""
        piece, column = self._open.get(identifier), placed.cell.column
        if piece is None or piece.grid[row][column] is not BLANK:
            rows, columns = self.key.values[identifier].shape
            piece = Piece(identifier, placed.scalar.name, ((BLANK,) * columns,) * rows, placed.scalar.order)
            self._open[identifier] = piece
            self.pieces.append(piece)
        piece.grid = _with(piece.grid, row, column, entry)


def _with(grid: Grid, row: int, column: int, entry: Entry) -> Grid:
    changed = (*grid[row][:column], entry, *grid[row][column + 1 :])
    return (*grid[:row], changed, *grid[row + 1 :])


def _not_read(unplaced: Iterable[NamedNumber], counted: Counted) -> Iterator[NotRead]:
    """What is said of families that have no place, a line each."""
    families: dict[tuple[str, str, str, int], list[NamedNumber]] = {}
    for each in unplaced:
        families.setdefault(each.unit.family, []).append(each)
    for family in families.values():
        cells = list(dict.fromkeys(cell for each in family for cell in counted.cells(each.unit).values()))
        known = list(dict.fromkeys(cell.identifier for cell in cells))
        listed = ", ".join(f"{each.name[:40]} = {each.entries[0].text}" for each in family[:MOST_NAMED])
        more = ", …" if len(family) > MOST_NAMED else ""
        why = f"this can mean {' or '.join(known[:MOST_NAMED])}, and the numbers agree with none for certain"
        column = (cells[0].column if cells else 0) + 1
        example = f"{known[0]}[1,{column}] = {family[0].entries[0].text}" if known else "Z = …"
        yield NotRead(family[0].where, listed + more, f"{why}; to have it read write {example}")
