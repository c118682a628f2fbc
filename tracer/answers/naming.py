"""What a learner's names mean in a problem: pages become matrices, other names identifiers.

A name that is unknown, or can mean several matrices, is said in a note and never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tracer.answers.aliases import Aliases, CellIndex, Reading
from tracer.answers.blocks import blocks_of
from tracer.answers.fitting import best, fit
from tracer.answers.handed_in import AnswerError, AnswerPage, Answers, Grid
from tracer.answers.key import Array, Key
from tracer.answers.numbers import BLANK, Entry, unreadable
from tracer.answers.pages import EXPECTED
from tracer.answers.texts import is_left_out
from tracer.expression import matrix as m
from tracer.program.roles import BIAS_GRADIENT, DELTA, WEIGHTS_GRADIENT

MOST_WORDS = 5_000  # different ones in the cells of all pages
ELIDED = "numbers are missing from the printout"
SLACK = 1e-6


@dataclass
class _Piece:
    """Numbers under a name; `fixed`: under its identifier to the letter, or one that is unknown."""

    identifier: str
    name: str
    grid: Grid
    fixed: bool = False


def named(answers: Answers, key: Key) -> Answers:
    """The answers with every matrix under its identifier, and notes. Raises AnswerError where pages hold none."""
    if not answers.pages and answers.matrices.keys() | answers.given.keys() <= key.values.keys():
        return answers
    if len({cell.text for page in answers.pages for row in page for cell in row if cell.is_words}) > MOST_WORDS:
        raise AnswerError(f"{answers.file}: more than {MOST_WORDS:,} words, too many to be matrix names")
    reader = _Reader(key.aliases)
    reader.matrices(answers.matrices)
    for page in answers.pages:
        reader.page(page)
    if answers.pages and not reader.pieces:
        raise AnswerError(f"{answers.file}: found no matrix of this problem: {EXPECTED}")
    settled = _Settled(key, reader.notes)
    for piece in reader.pieces:
        settled.add(piece)
    given = _Reader(key.aliases)
    given.matrices(answers.given)
    notes = settled.finish()
    return replace(
        answers,
        matrices=settled.matrices,
        given={piece.identifier: piece.grid for piece in given.pieces},
        notes=(*answers.notes, *notes, *given.notes),
        pages=(),
    )


class _Reader:
    """Reads names; what is not known or not clear goes into its notes."""

    def __init__(self, aliases: Aliases) -> None:
        self.aliases = aliases
        self.notes: list[str] = []
        self.pieces: list[_Piece] = []
        self._open: dict[str, _Piece] = {}  # single cells that stand together, by their matrix

    def matrices(self, matrices: Mapping[str, Grid]) -> None:
        """Matrices under names; one whose name is unknown keeps it."""
        for name, grid in matrices.items():
            readings = self._fitting(name, grid)
            if readings:
                self._add(name, readings, grid)
            else:
                self.pieces.append(_Piece(name, name, grid, fixed=True))

    def page(self, page: AnswerPage) -> None:
        blocks, notes = blocks_of(page, self.aliases)
        for block in blocks:
            self._add(block.name, block.readings, block.grid)
        self.notes += notes

    def _fitting(self, name: str, grid: Grid) -> tuple[Reading, ...]:
        """What a name can mean that is no identifier; a cell only where there is a single number."""
        shapes, size = self.aliases.shapes, (len(grid), max(map(len, grid), default=0))
        readings = () if name in shapes else self.aliases.read(name)
        if size != (1, 1):
            readings = tuple(each for each in readings if each.place is None)
        return best(readings, lambda each: fit(size, (1, 1) if each.place else shapes[each.identifier]))

    def _add(self, name: str, readings: tuple[Reading, ...], grid: Grid) -> None:
        meant = list(dict.fromkeys((each.identifier, each.place) for each in readings))
        identifier, place = meant[0]
        rows, columns = self.aliases.shapes[identifier]
        if len(meant) > 1:
            self.notes.append(f"“{name}” could mean {' or '.join(_called(*each) for each in meant)}; ignored")
        elif place is not None:
            self._cell(name, identifier, place, grid[0][0])
        elif is_left_out(grid):
            self.pieces.append(_Piece(identifier, name, ((unreadable("…", ELIDED),) * columns,) * rows))
        else:
            self.pieces.append(_Piece(identifier, name, grid))

    def _cell(self, name: str, identifier: str, place: tuple[int, int], entry: Entry) -> None:
        together = self._open.get(identifier)
        if together is None or together.grid[place[0]][place[1]] is not BLANK:
            rows, columns = self.aliases.shapes[identifier]
            together = self._open[identifier] = _Piece(identifier, name, ((BLANK,) * columns,) * rows)
            self.pieces.append(together)
        grid = [list(row) for row in together.grid]
        grid[place[0]][place[1]] = entry
        together.grid = tuple(map(tuple, grid))


def _called(identifier: str, place: CellIndex) -> str:
    return identifier if place is None else f"{identifier}[{place[0] + 1},{place[1] + 1}]"


class _Settled:
    """Puts pieces in their places in the order in which they stand.

    Given matrices that are copied as they are count for nothing; parameters that stand again are the updated ones.
    """

    def __init__(self, key: Key, notes: list[str]) -> None:
        self.key, self.notes = key, notes
        self.matrices: dict[str, Grid] = {}
        self.seen: set[str] = set()
        self.copies: dict[str, _Piece] = {}  # of parameters that stand there again
        self.backward = self.updating = False

    def add(self, piece: _Piece) -> None:
        identifier = piece.identifier
        if piece.fixed and identifier not in self.key.values:  # nobody knows what it is
            self.matrices[identifier] = piece.grid
            return
        what = self.key.program.quantity(identifier)
        if piece.fixed:
            self.matrices[identifier] = piece.grid
        elif what.role == "parameter":
            self._parameter(piece)
        elif what.role == "given":
            self._given(piece)
        else:
            self._put(identifier, piece)
        changes = what in (WEIGHTS_GRADIENT, BIAS_GRADIENT)
        self.backward |= changes or what == DELTA
        self.updating |= changes or what.role == "updated"

    def finish(self) -> list[str]:
        """Take a copy for the new value where that is the same to its digits; all notes."""
        for old, piece in self.copies.items():
            new = self.key.program.updated[old]
            if new not in self.matrices and self._equals(piece.grid, new):
                self._put(new, piece)
            elif new not in self.matrices:
                self.notes.append(f"{old} appears again unchanged, and {new} is missing")
        return self.notes

    def _put(self, identifier: str, piece: _Piece) -> None:
        known = self.matrices.setdefault(identifier, piece.grid)
        if _texts(known) != _texts(piece.grid):
            self.notes.append(f"“{piece.name}”: {identifier} appears more than once; the first was read")

    def _parameter(self, piece: _Piece) -> None:
        """W1 is the given one first, and W1_next after it, or after a gradient where it is another."""
        old, new = piece.identifier, self.key.program.updated[piece.identifier]
        again = old in self.seen
        self.seen.add(old)
        if self._equals(piece.grid, old) and not (again and self.updating):
            if again:
                self.copies[old] = piece
        elif again or self.backward:
            self._put(new, piece)
        elif self._equals(piece.grid, new):
            self._put(new, piece)
            self.notes.append(f"“{piece.name}” was read as {new}, which it equals")
        else:
            self._given(piece)

    def _given(self, piece: _Piece) -> None:
        """A copy is left out; one with other numbers is judged as what it is, a copying error."""
        identifier = piece.identifier
        if self._equals(piece.grid, identifier):
            return
        self.notes.append(f"“{piece.name}” differs from the problem's {identifier}")
        if identifier != self.key.program.rate:
            self._put(identifier, piece)

    def _equals(self, grid: Grid, identifier: str) -> bool:
        """Whether numbers are those of the key to the digits written, in its layout or the other way round.

        A single row may stand repeatedly.
        """
        key: Array | None = self.key.values.get(identifier)
        if key is None or len({len(row) for row in grid}) != 1:
            return False
        return self._equal(grid, key, identifier) or self._equal(tuple(zip(*grid, strict=True)), key, identifier)

    def _equal(self, grid: Grid, key: Array, identifier: str) -> bool:
        values = np.array([[entry.value for entry in row] for row in grid])
        asked = 0 if identifier == self.key.program.rate else self.key.problem.decimals.of(identifier)
        units = np.array([[entry.unit(asked) for entry in row] for row in grid])
        if values.size == key.size and 1 in key.shape:
            key = key.reshape(values.shape)
        elif not _repeats(values.shape, key.shape):
            return False
        close = np.abs(values - key) <= (0.5 + SLACK) * units + 1e-9 * np.abs(key)
        return bool(close.all())


def _repeats(shape: m.Shape, of: m.Shape) -> bool:
    return all(one in (other, 1) for one, other in zip(of, shape, strict=True))


def _texts(grid: Grid) -> list[list[str]]:
    return [[entry.text for entry in row] for row in grid]
