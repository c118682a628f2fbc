"""Blocks of numbers get their likeliest place: by name, shape, neighbours, and agreement with the key to their digits.

What is sure is placed. Where doubt remains nothing is guessed: the block is not read, and a line says how to name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tracer.answers.agreement import SURE, Agreement, total
from tracer.answers.arrays import is_left_out
from tracer.answers.counting import Counted
from tracer.answers.found import Found
from tracer.answers.handed_in import Grid, NotRead
from tracer.answers.identifiers import unit_name
from tracer.answers.key import Key
from tracer.answers.layouts import (
    EXACT,
    OTHER,
    PART,
    TRANSPOSED,
    TURNED,
    Layout,
    bias_of,
    layouts,
    shape_of,
    turned,
)
from tracer.answers.modules import Modules
from tracer.answers.names_read import FIELD, NameReading
from tracer.answers.numbers import unreadable
from tracer.program.roles import Quantity

ELIDED = "numbers are missing from the printout"
MOSTLY = 0.5  # of what numbers could say, from which on they settle a place
MOSTLY_ALL = 0.7  # of it, from which on they settle that a part of a matrix stands there
IN_TURN = 0.5  # what a bias without a name has to say that stands behind its weights: two numbers of one digit
ALONE = 3.0  # what numbers without a name have to say: two numbers of three digits, or three of two
LETTERS = 3  # rank of names that are letters of the field, after those of aliases.py
MOST_SEARCHED = 300  # blocks without a name that are held against every matrix
_SHORT = re.compile(r"[a-zθδ]\W*\d?\W*")  # s(1): a letter that means many things


@dataclass
class Piece:
    """Numbers that have a place. `fixed`: under a key that is the identifier, or one that nobody knows."""

    identifier: str
    name: str
    grid: Grid
    order: int = 0
    fixed: bool = False


@dataclass(frozen=True)
class Option:
    """A way to place a block; `agree` is what its numbers say for it, `full` what they could say."""

    rank: int
    layout: Layout
    agree: float
    full: float

    @property
    def settles(self) -> bool:
        return self.agree >= max(SURE, MOSTLY * self.full)

    @property
    def identifiers(self) -> tuple[str, ...]:
        return tuple(identifier for identifier, _ in self.layout.parts)


class Placing:
    """Places matrices. `pieces` have a place, `not_read` none."""

    def __init__(
        self, key: Key, counted: Counted, agreement: Agreement, meant: Iterable[tuple[str, Quantity]] = ()
    ) -> None:
        self.key, self.counted, self.agreement = key, counted, agreement
        self.meant = set(meant)  # what letters of other names of the file have turned out to mean
        self.pieces: list[Piece] = []
        self.not_read: list[NotRead] = []

    def place(self, found: Sequence[Found], taken: Iterable[str]) -> None:
        """Place blocks: those with sure names first, then by their numbers what has no name that says enough."""
        self.modules = Modules(each.name for each in found)
        self.has_gradients = any(_change(each) == "gradient" for each in found)
        self.taken = set(taken)
        self.before = ""  # what the block before was placed as
        later: list[tuple[Found, Option | None]] = []
        for each in found:
            self._begin(each, later)
        for each, by_name in later[:MOST_SEARCHED]:
            option = self._by_numbers(each) or self._as_others(each) or by_name
            if option is not None:
                self._put(each, option)
            else:
                self._leave(each)
        if len(later) > MOST_SEARCHED:
            says = "more blocks without a name that is known than anybody writes"
            self.not_read.append(NotRead(later[MOST_SEARCHED][0].where, f"{len(later) - MOST_SEARCHED} blocks", says))

    def _begin(self, each: Found, later: list[tuple[Found, Option | None]]) -> None:
        readings = [*(one for one in each.readings if one.place is None), *self._letters(each)]
        if (besides := self._besides(each)) is not None:
            self.not_read.append(NotRead(each.where, _shown(each), besides))
            return
        if is_left_out(each.grid):
            self._elided(each, readings)
            return
        options = list(self._options(each, readings))
        letter = [one.identifier for one in readings if one.rank == 0]
        chosen = self._to_the_letter if letter else self._likeliest
        option = chosen(each, [one for one in options if not letter or one.rank == 0], readings)
        doubtful = option is not None and (option.rank >= FIELD or _SHORT.fullmatch(each.name.strip())) and not letter
        if option is None or (doubtful and not option.settles):
            later.append((each, option))
        else:
            self._put(each, option)

    def _besides(self, each: Found) -> str | None:
        """What numbers are that are not asked for, though their name is near that of a matrix that is."""
        if _change(each) == "change" and self.has_gradients and not any(one.rank == 0 for one in each.readings):
            return "the change of a parameter beside its gradient, which is what is asked for; nothing has to be done"
        if _is_error(each) and total(each.grid) >= SURE and self._is_loss_in_parts(each):
            return "the parts of the loss, of which the sum alone is asked for; nothing has to be done"
        return None

    def _is_loss_in_parts(self, each: Found) -> bool:
        """Whether several numbers add up to the loss, and agree with no matrix that their name can mean."""
        entries = tuple(entry for row in each.grid for entry in row)
        ways = (way for one in each.readings for way in self._layouts(each, one.identifier))
        return len(entries) > 1 and self.agreement.share(entries) and not any(map(self._agree, ways))

    def _letters(self, each: Found) -> Iterator[NameReading]:
        """What the letters of a name can mean, and the modules of a framework."""
        yield from (NameReading(FIELD, identifier) for identifier in self.modules.identifiers(each.name, self.key))
        unit = unit_name(each.name)
        if unit is not None and not any(one.rank == 0 for one in each.readings):
            yield from (NameReading(LETTERS, identifier) for identifier in self.counted.whole(unit))

    def _options(self, each: Found, readings: Sequence[NameReading]) -> Iterator[Option]:
        full = total(each.grid)
        for reading in readings:
            for layout in self._layouts(each, reading.identifier):
                yield Option(reading.rank, layout, self._agree(layout), full)

    def _layouts(self, each: Found, identifier: str) -> Iterator[Layout]:
        """The layouts of a block; a framework's weights are outputs × inputs."""
        framework = each.printed_by == "torch" or self.modules.is_module(each.name)
        if framework and 1 not in shape_of(each.grid):
            turn = Layout(EXACT, ((identifier, turned(each.grid)),))
            wanted = self.key.values[identifier].shape
            if shape_of(each.grid) == wanted[::-1] and self.key.program.quantity(identifier).kind == "weights":
                yield turn
        yield from layouts(each.grid, identifier, self.key)

    def _agree(self, layout: Layout) -> float:
        """What numbers say for a layout; a parameter's old name may stand for the updated one."""
        new = self.key.program.updated
        as_old = sum(self.agreement.of(grid, identifier) for identifier, grid in layout.parts)
        as_new = sum(self.agreement.of(grid, new[each]) for each, grid in layout.parts if each in new)
        return max(as_old, as_new)

    def _to_the_letter(self, each: Found, options: Sequence[Option], readings: Sequence[NameReading]) -> Option | None:
        """An identifier is meant as it stands; only how its numbers lie may be open."""
        exact = [one for one in options if one.layout.how in (EXACT, TURNED)]
        if exact:
            return max(exact, key=lambda one: (one.agree, -exact.index(one)))
        agreeing = [one for one in options if one.settles and one.layout.how != TRANSPOSED]
        if agreeing:
            return max(agreeing, key=lambda one: one.agree)
        return self._as_it_is(each, [one for one in readings if one.rank == 0])

    def _as_it_is(self, each: Found, readings: Sequence[NameReading]) -> Option | None:
        """A block of another shape than its name asks for: turned, or with less in it."""
        for identifier in dict.fromkeys(one.identifier for one in readings):
            how = self._partly(each, identifier, any(one.rank == 0 for one in readings))
            if how is not None:
                return Option(0, Layout(how, ((identifier, each.grid),)), 0.0, total(each.grid))
        return None

    def _partly(self, each: Found, identifier: str, letter: bool) -> int | None:
        """How a block lies in a matrix that is larger: at its beginning, where the name or the numbers are sure."""
        shape, wanted = shape_of(each.grid), self.key.values[identifier].shape
        if shape == wanted[::-1]:
            return TRANSPOSED
        smaller = shape[0] <= wanted[0] and shape[1] <= wanted[1]
        least = max(SURE, MOSTLY_ALL * total(each.grid))  # a row of a unit's samples agrees by half with one of units
        agrees = shape[1] == wanted[1] and self.agreement.of(each.grid, identifier) >= least
        sure = each.positional or (letter and not each.single) or agrees
        return PART if smaller and sure else None

    def _likeliest(self, each: Found, options: Sequence[Option], readings: Sequence[NameReading]) -> Option | None:
        agreeing = [one for one in options if one.settles]
        if agreeing:
            return min(agreeing, key=lambda one: (-round(one.agree, 6), one.layout.how, one.rank))
        named = [one for one in options if one.rank < LETTERS]
        if self._is_another_error(each):
            return None
        fits = [one for one in named if one.layout.how in (EXACT, TURNED)]
        if not fits:
            meant = [one for one in readings if one.rank < LETTERS]
            return self._as_it_is(each, meant) if len({one.identifier for one in meant}) == 1 else None
        least = min((one.layout.how, one.rank) for one in fits)
        likeliest = [one for one in fits if (one.layout.how, one.rank) == least]
        return likeliest[0] if len({one.identifiers for one in likeliest}) == 1 else None

    def _is_another_error(self, each: Found) -> bool:
        """Whether "error" may be a − y where the gradient of the loss is something else."""
        unit = unit_name(each.name)
        return unit is not None and "error" in unit.kinds and not self.counted.error_is_difference(self.key)

    def _as_others(self, each: Found) -> Option | None:
        """By what the same letter means elsewhere in the file."""
        unit = unit_name(each.name)
        for reading in self._letters(each) if unit is not None else ():
            if unit is not None and (unit.stem, self.key.program.quantity(reading.identifier)) in self.meant:
                for layout in self._layouts(each, reading.identifier):
                    if layout.how in (EXACT, TURNED):
                        return Option(LETTERS, layout, 0.0, total(each.grid))
        return None

    def _by_numbers(self, each: Found) -> Option | None:
        """The only place that all numbers of a block agree with, of those that nothing else has taken."""
        full = total(each.grid)
        bias = bias_of(self.before, self.key) if self.before and not each.name else None
        for layout in layouts(each.grid, bias, self.key) if bias is not None and full >= IN_TURN else ():
            agree = sum(self.agreement.of(grid, one) for one, grid in layout.parts)
            could = sum(total(grid) for _, grid in layout.parts)  # of a shared bias once
            if layout.how in (EXACT, TURNED) and agree >= could - 1e-9:  # a list of weights and biases by turns
                return Option(LETTERS, layout, agree, full)
        if full < ALONE or sum(map(len, each.grid)) < 2:
            return None
        for identifier in self.key.values:
            if identifier in self.taken or identifier == self.key.program.rate:
                continue
            for layout in self._layouts(replace(each, printed_by="torch"), identifier):
                agree = sum(self.agreement.of(grid, one) for one, grid in layout.parts)
                if agree >= full - 1e-9 and layout.how < OTHER:
                    return Option(LETTERS, layout, agree, full)
        return None

    # What becomes of a block

    def _put(self, each: Found, option: Option) -> None:
        for identifier, grid in option.layout.parts:
            self.pieces.append(Piece(identifier, each.name, grid, each.order))
            self.before = identifier
            if self.key.program.quantity(identifier).role not in ("parameter", "given"):
                self.taken.add(identifier)

    def _elided(self, each: Found, readings: Sequence[NameReading]) -> None:
        """A print with … in it: its matrix is there, and none of its numbers can be read."""
        if readings:
            identifier = min(readings, key=lambda one: one.rank).identifier
            rows, columns = self.key.values[identifier].shape
            self.pieces.append(Piece(identifier, each.name, ((unreadable("…", ELIDED),) * columns,) * rows, each.order))

    def _leave(self, each: Found) -> None:
        readings = [*each.readings, *self._letters(each)]
        known = list(dict.fromkeys(one.identifier for one in sorted(readings, key=lambda one: one.rank)))
        self.not_read.append(not_read(each, known, self._fitting(each.grid), self.key))

    def _fitting(self, grid: Grid) -> list[str]:
        """The matrices that a block has the shape of."""
        return [each for each in self.key.program.computed if self.key.values[each].shape == shape_of(grid)]


def not_read(each: Found, known: Sequence[str], fitting: Sequence[str], key: Key) -> NotRead:
    """What is said of a block: what was found, why it has no place, and the line that would give it one."""
    example = (known or fitting or list(key.program.computed))[0]
    height, width = wanted = key.values[example].shape
    if len(known) == 1:
        why, line = f"{example} is {height}×{width}", f"{example} = … before the numbers"
        if wanted not in (shape_of(each.grid), shape_of(each.grid)[::-1]):
            line = f"{example} = … with " + ("one number" if wanted == (1, 1) else f"{height}×{width} numbers")
    elif known:
        why, line = f"this can mean {' or '.join(known[:4])}", f"{example} = … before the numbers"
    else:
        why = "no matrix of this problem is called that" if each.name else "nothing says which matrix they are"
        line = f"the matrix before the numbers, as in {example} = …"
    return NotRead(each.where, _shown(each), f"{why}; to have it read write {line}")


def _shown(each: Found) -> str:
    """What was found, in a few words."""
    rows, columns = shape_of(each.grid)
    count = sum(map(len, each.grid))
    sample = ", ".join(entry.text for row in each.grid[:1] for entry in row[:3])
    numbers = f"{rows}×{columns} numbers" if count > 1 else "a number"
    named = f" under “{each.name[:40]}”" if each.name else " without a name"
    return f"{numbers}{named}: {sample}{', …' if count > 3 else ''}"


def _is_error(each: Found) -> bool:
    unit = unit_name(each.name)
    return unit is not None and "error" in unit.kinds and not unit.change


def _change(each: Found) -> str:
    """Whether a name says a gradient or a change, of a parameter or not."""
    unit = unit_name(each.name)
    return "" if unit is None else unit.change
