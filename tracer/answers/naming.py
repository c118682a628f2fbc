"""What a learner's names mean in a problem: pages become matrices, other names identifiers.

What has no certain place is not read, and said so; nothing is guessed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tracer.answers.agreement import Agreement, total
from tracer.answers.blocks import blocks_of
from tracer.answers.by_sample import once_for_each, rows_of_units, stacked
from tracer.answers.counting import counted_of
from tracer.answers.fitting import are_labels
from tracer.answers.found import Found
from tracer.answers.handed_in import AnswerError, Answers, Grid, NotRead
from tracer.answers.key import Key
from tracer.answers.layouts import shape_of
from tracer.answers.pages import EXPECTED
from tracer.answers.placing import Piece, Placing
from tracer.answers.repeated_parts import MOST_PARTS
from tracer.answers.scalars import LATER_PASSES, Gathered, scalars_of
from tracer.answers.stacks import taken_apart
from tracer.expression import matrix as m
from tracer.expression.arrays import Array
from tracer.program.roles import ERROR, INPUTS, TARGETS

MOST_WORDS = 5_000  # different ones in the cells of all pages
MOST_NAMES = 2_000  # of matrices in a file that names them all
MOST_READ_AGAIN = 200  # blocks of answers that are read anew for every convention
MOST_SCALARS = 5_000  # numbers under names of units
PAGE = 10**12  # more than the order of any block of a page
SLACK = 1e-6
AGREES = 0.3  # of what numbers could say; below it they are no answers to the problem


def named(answers: Answers, key: Key) -> Answers:
    """The answers with every matrix under its identifier, and what is not read. Raises AnswerError for too many."""
    if (
        not answers.pages
        and answers.raw is None
        and answers.matrices.keys() | answers.given.keys() <= key.values.keys()
    ):
        return answers
    answers = answers.raw or answers  # under another convention more of it may have a place
    fixed, found, remarks = _found(answers, key)
    if answers.pages and not (found or fixed):
        raise AnswerError(f"{answers.file}: found no matrix of this problem: {EXPECTED}")
    agreement = Agreement(key)
    pieces, notes, unread = _placed(answers.file, fixed, found, agreement)
    if other := _of_another_problem(pieces, key, agreement):
        return replace(answers, matrices={}, pages=(), not_read=(other,))
    settled = _Settled(key, agreement, [*remarks, *notes])
    settled.add_all(pieces)
    return replace(
        answers,
        matrices=settled.matrices,
        given={_given_name(name, grid, key) or name: grid for name, grid in answers.given.items()},
        notes=(*answers.notes, *settled.finish()),
        not_read=tuple(unread),
        raw=answers if unread and len(found) <= MOST_READ_AGAIN else None,
        copied=settled.copied,
        pages=(),
    )


def _placed(
    file: str, fixed: list[Piece], found: list[Found], agreement: Agreement
) -> tuple[list[Piece], list[str], list[NotRead]]:
    """Everything that has a place, in order, and what is said of it and of the rest."""
    key = agreement.key
    counted, found = counted_of(key), list(taken_apart(found, agreement))
    scalars = {each.order: scalars_of(each, counted, agreement) for each in found}
    if sum(map(len, scalars.values())) > MOST_SCALARS:
        raise AnswerError(f"{file}: more than {MOST_SCALARS:,} numbers with names of their own")
    rows = rows_of_units([each for each in found if not scalars[each.order]], counted, agreement)
    singles = once_for_each([one for each in scalars.values() for one in each], counted, agreement)
    gathered = Gathered([*singles, *rows.values()], counted, agreement, key)
    placing = Placing(key, counted, agreement, gathered.meant)
    others = [each for each in found if not scalars[each.order] and each.order not in rows and not _only_counts(each)]
    blocks = [_of_this_pass(each, key, gathered.notes) for each in stacked(others, agreement)]
    placing.place(blocks, [each.identifier for each in (*fixed, *gathered.pieces)])
    pieces = sorted((*fixed, *gathered.pieces, *placing.pieces), key=lambda each: each.order)
    return pieces, gathered.notes, [*gathered.not_read, *placing.not_read]


def _found(answers: Answers, key: Key) -> tuple[list[Piece], list[Found], list[str]]:
    """Matrices under their identifiers, other numbers with what is known of them, and remarks."""
    words = {cell.text for page in answers.pages for row in page.rows for cell in row if cell.is_words}
    if len(words) > MOST_WORDS or len(answers.matrices) + len(answers.given) > MOST_NAMES:
        raise AnswerError(f"{answers.file}: more than {MOST_WORDS:,} words, too many to be matrix names")
    fixed, found, remarks = list[Piece](), list[Found](), list[str]()
    for place, (name, grid) in enumerate(answers.matrices.items()):
        order = place * MOST_PARTS  # so that parts of one have their own
        if name in key.aliases.shapes:  # of this problem, or of it under another convention
            fixed.append(Piece(name, name, grid, order, fixed=True))
        elif any(grid):
            single = len(grid) == len(grid[0]) == 1
            found.append(Found(name, key.aliases.read(name), grid, name, order, single=single, positional=True))
    for number, page in enumerate(answers.pages, 1):
        blocks, said = blocks_of(page, key.aliases)
        remarks += said
        for each in blocks:
            order = each.order * MOST_PARTS + PAGE * number
            elsewhere = _of_another_convention(each, key)
            known = tuple(one for one in each.readings if one.identifier in key.values)
            if elsewhere:
                fixed.append(Piece(elsewhere, each.name, each.grid, order, fixed=True))
            else:
                found.append(replace(each, order=order, readings=known))
    return fixed, found, remarks


def _of_another_convention(each: Found, key: Key) -> str | None:
    """The matrix that a name means, where the problem has it under another convention only."""
    meant = {one.identifier for one in each.readings}
    return next(iter(meant)) if len(meant) == 1 and not meant & key.values.keys() else None


def _of_another_problem(pieces: list[Piece], key: Key, agreement: Agreement) -> NotRead | None:
    """Whether inputs or targets are all others than the problem's, and nothing that is worked out agrees either."""
    computed = [each for each in pieces if each.identifier in key.program.computed]
    agreed = sum(agreement.of(each.grid, each.identifier) for each in computed if _is_whole(each, key))
    if agreed > AGREES * sum(total(each.grid) for each in computed):
        return None
    for each in pieces:
        strange = _is_whole(each, key) and not agreement.of(each.grid, each.identifier) and not each.fixed
        if strange and key.program.quantity(each.identifier) in (INPUTS, TARGETS) and total(each.grid) > AGREES:
            says = f"these are other numbers than this problem's {each.identifier}: the answers are to another problem"
            return NotRead("", f"“{each.name[:40]}”", says)
    return None


def _is_whole(piece: Piece, key: Key) -> bool:
    return piece.identifier in key.values and shape_of(piece.grid) == key.values[piece.identifier].shape


def _only_counts(each: Found) -> bool:
    """Whether a column only counts the rows of a table: sample, epoch."""
    return each.single and len(each.grid) > 1 and not each.readings and are_labels([row[0] for row in each.grid])


def _of_this_pass(each: Found, key: Key, notes: list[str]) -> Found:
    """The first row of a column that has a row for each pass."""
    if not each.single or len(each.grid) == 1 or key.program.rows > 1 or not key.program.by_layers:
        return each
    notes += [LATER_PASSES] if LATER_PASSES not in notes else []
    return replace(each, grid=each.grid[:1])


def _given_name(name: str, grid: Grid, key: Key) -> str | None:
    """The given matrix that a name of a learner's own numbers means."""
    if name in key.values:
        return name
    readings = [each for each in key.aliases.read(name) if each.place is None]
    fitting = [each for each in readings if key.values[each.identifier].shape == shape_of(grid)] or readings
    return min(fitting, key=lambda each: each.rank).identifier if fitting else None


class _Settled:
    """Puts pieces in their places in the order in which they stand.

    Given matrices that are copied as they are count for nothing; parameters that stand again are the updated ones.
    """

    def __init__(self, key: Key, agreement: Agreement, notes: list[str]) -> None:
        self.key, self.agreement, self.notes = key, agreement, notes
        self.matrices: dict[str, Grid] = {}
        self.copied = False
        self.seen: set[str] = set()
        self.copies: dict[str, Piece] = {}  # of parameters that stand there again, or among new ones
        self.backward = self.updating = self.fresh = False

    def add_all(self, pieces: list[Piece]) -> None:
        self.fresh = self._are_new(pieces)
        for each in pieces:
            self.add(each)

    def _are_new(self, pieces: list[Piece]) -> bool:
        """Whether parameters that have their old names, and other numbers than the given ones, agree with the new."""
        updated = self.key.program.updated
        changed = [
            each
            for each in pieces
            if not each.fixed and each.identifier in updated and not self._equals(each.grid, each.identifier)
        ]
        old, new = (
            sum(self.agreement.of(each.grid, identifier) for each in changed for identifier in [which(each.identifier)])
            for which in (lambda one: one, lambda one: updated[one])
        )
        return new > old

    def add(self, piece: Piece) -> None:
        identifier = piece.identifier
        if piece.fixed:
            self.matrices[identifier] = piece.grid
            return
        what = self.key.program.quantity(identifier)
        if what.role == "parameter":
            self._parameter(piece)
        elif what.role == "given":
            self._given(piece)
        else:
            self._put(identifier, piece)
        changes = identifier in self.key.program.gradients_of_parameters
        self.backward |= what.role == "gradient" and what != ERROR
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

    def _put(self, identifier: str, piece: Piece) -> None:
        known = self.matrices.setdefault(identifier, piece.grid)
        if (both := _merged(known, piece.grid)) is not None:
            self.matrices[identifier] = both
        elif _texts(known) != _texts(piece.grid):
            self.notes.append(f"“{piece.name}”: {identifier} appears more than once; the first was read")

    def _parameter(self, piece: Piece) -> None:
        """W1 is the given one first, and W1_next after it, or after a gradient where it is another."""
        old, new = piece.identifier, self.key.program.updated[piece.identifier]
        again = old in self.seen
        self.seen.add(old)
        unchanged = self.fresh and self._equals(piece.grid, new)  # among others that are the new ones by their numbers
        if self._equals(piece.grid, old) and not (again and self.updating):
            self.copied = True
            if again or unchanged:
                self.copies[old] = piece
        elif again or self.backward or self.fresh:
            self._put(new, piece)
        elif self._equals(piece.grid, new):
            self._put(new, piece)
            self.notes.append(f"“{piece.name}” was read as {new}, which it equals")
        elif self.agreement.of(piece.grid, self.key.program.gradients.get(old, "")) > AGREES * total(piece.grid):
            self._put(self.key.program.gradients[old], piece)
            self.notes.append(f"“{piece.name}” was read as {self.key.program.gradients[old]}, with which it agrees")
        else:
            self._given(piece)

    def _given(self, piece: Piece) -> None:
        """A copy is left out; one with other numbers is judged as what it is, a copying error."""
        identifier = piece.identifier
        if self._equals(piece.grid, identifier):
            self.copied = True
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


def _merged(one: Grid, other: Grid) -> Grid | None:
    """Two writings of a matrix as one, where each has what the other leaves blank."""
    if [len(row) for row in one] != [len(row) for row in other]:
        return None
    pairs = [list(zip(*rows, strict=True)) for rows in zip(one, other, strict=True)]
    if any("blank" not in (a.kind, b.kind) and a.value != b.value for row in pairs for a, b in row):
        return None
    return tuple(tuple(b if a.kind == "blank" else a for a, b in row) for row in pairs)


def _repeats(shape: m.Shape, of: m.Shape) -> bool:
    return all(one in (other, 1) for one, other in zip(of, shape, strict=True))


def _texts(grid: Grid) -> list[list[str]]:
    return [[entry.text for entry in row] for row in grid]
