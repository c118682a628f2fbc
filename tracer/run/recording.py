"""What is kept while a problem runs: references to the arrays of each pass, made into passes when they are looked at.

Keeping must cost next to nothing beside a step of a small network, so the loop only appends; whether all numbers
are finite is seen for many passes at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias, overload

import numpy as np

from tracer.errors import NotFiniteError
from tracer.expression.arrays import Array
from tracer.expression.text import matrix_text
from tracer.lesson.build import build
from tracer.program.program import Program
from tracer.run.passes import AnyProblem, Epoch, Pass

KeptPass: TypeAlias = tuple[tuple[Array, ...], tuple[Array, ...]]
"""What a pass was given and what it computed."""

MOST_UNSEEN = 20_000  # numbers that wait to be looked at
LEAST_UNSEEN = 16  # epochs that wait, however many numbers they have
MANY = 1_000  # numbers of a matrix that is looked at by itself
MOST_AT_ONCE = 8_000_000  # numbers that memory is taken for, 64 MB
LINE = 8  # numbers of a cache line; a matrix begins with one, which numpy reads and writes faster
APART = 9 * LINE  # numbers between matrices, lest matrices of whole memory pages be in one another's way in the cache


class Batch(NamedTuple):
    """The rows of one pass of every epoch, its program, and what is given to it."""

    program: Program
    start: int
    stop: int
    data: tuple[Array, ...]


def batches_of(problem: AnyProblem) -> tuple[Batch, ...]:
    """The batches of an epoch; made once for each problem."""
    if "batches" not in problem.built:
        problem.built["batches"] = tuple(_batch(problem, *rows) for rows in problem.batches())
    batches: tuple[Batch, ...] = problem.built["batches"]
    return batches


def _batch(problem: AnyProblem, start: int, stop: int) -> Batch:
    return Batch(build(problem, stop - start), start, stop, problem.data(start, stop))


@dataclass
class Recording(Sequence[Epoch]):
    """Recorded epochs, each of so many batches."""

    batches: Sequence[Batch]
    numbers: list[int] = field(default_factory=list)
    kept: list[list[KeptPass]] = field(default_factory=list)
    _made: dict[int, Epoch] = field(default_factory=dict)
    _seen: int = 0

    def __post_init__(self) -> None:
        an_epoch = sum(batch.program.numpy.numbers_watched for batch in self.batches)
        self._patience = max(LEAST_UNSEEN, MOST_UNSEEN // max(1, an_epoch))

    def keep(self, number: int, passes: list[KeptPass], suspected: bool) -> None:
        """Keep the passes of an epoch; `suspected` where a number may have left float64.

        Raises NotFiniteError where one did, in this epoch or one that had not been looked at.
        """
        self.numbers.append(number)
        self.kept.append(passes)
        if suspected:
            self._see(exactly=True)
        elif len(self.kept) - self._seen > self._patience:
            self._see()

    def close(self) -> None:
        """Look at what has not been looked at. Raises NotFiniteError as `keep` does."""
        self._see()

    def _see(self, exactly: bool = False) -> None:
        unseen = range(self._seen, len(self.kept))
        self._seen = len(self.kept)
        if not unseen:
            return
        kept = self.kept[unseen.start :]
        # a number beyond float64 stays in the parameters: those after the last pass speak for every gradient before
        matrices = list(self.batches[-1].program.numpy.updated_of(kept[-1][-1][1]))
        for k, batch in enumerate(self.batches):
            watched_of = batch.program.numpy.watched_of
            for passes in kept:
                matrices += watched_of(passes[k][1])
        if exactly or not surely_finite(matrices):
            for place in unseen:
                require_finite(self[place].iterations)

    def __len__(self) -> int:
        return len(self.kept)

    @overload
    def __getitem__(self, k: int) -> Epoch: ...
    @overload
    def __getitem__(self, k: slice) -> Sequence[Epoch]: ...
    def __getitem__(self, k: int | slice) -> Epoch | Sequence[Epoch]:
        if isinstance(k, slice):
            return tuple(self[each] for each in range(len(self))[k])
        place = range(len(self))[k]
        if place not in self._made:
            number, pairs = self.numbers[place], enumerate(zip(self.batches, self.kept[place], strict=True), start=1)
            passes = (Pass(one.program, number, n, one.start, one.stop, *kept) for n, (one, kept) in pairs)
            self._made[place] = Epoch(number, tuple(passes))
        return self._made[place]


@dataclass
class Memory:
    """New memory for large matrices, handed out from blocks: the system gives one large block much faster than many.

    `wanted` is how many numbers that will still take; what is not used costs nothing. A matrix that outlives the others
    holds its whole block.
    """

    wanted: int
    _block: Array = field(init=False, repr=False, default_factory=lambda: np.empty(0))
    _used: int = field(init=False, default=0)

    def new(self, shape: tuple[int, int]) -> Array:
        """A new matrix of any numbers, from the beginning of a cache line on."""
        rows, columns = shape
        size = rows * columns
        room = room_of(size)
        if self._used + room > self._block.size:
            self._take(room)
        start = self._used
        self._used += room
        return self._block[start : start + size].reshape(shape)

    def _take(self, least: int) -> None:
        self._block = np.empty(LINE + max(least, min(self.wanted, MOST_AT_ONCE)))
        self._used = -(self._block.ctypes.data // self._block.itemsize) % LINE
        self.wanted -= self._block.size


def memory_for(batches: Sequence[Batch], epochs: int) -> Memory:
    """What the large matrices of so many epochs need."""
    return Memory(epochs * sum(room_of(size) for batch in batches for size in batch.program.numpy.large))


def room_of(size: int) -> int:
    """What a matrix of so many numbers takes of a block."""
    return -(-size // LINE) * LINE + APART


def surely_finite(matrices: Sequence[Array]) -> bool:
    """Whether the sum of squares says that all are finite; they may be where it overflows.

    Much cheaper than a look at each number: one call for many small ones, none of them copied where they are large.
    """
    small = [matrix for matrix in matrices if matrix.size < MANY]
    numbers = np.concatenate(small, axis=None) if small else np.empty(0)
    large = (matrix.ravel("K") for matrix in matrices if matrix.size >= MANY)
    return all(math.isfinite(np.vdot(each, each)) for each in (numbers, *large))


def require_finite(passes: Sequence[Pass]) -> None:
    """Refuse numbers that left float64, naming the first matrix that did. Raises NotFiniteError."""
    for one in passes:
        for identifier in one.program.computed:
            bad = ~np.isfinite(one[identifier])
            if bad.any():
                row, column = (int(index) + 1 for index in np.argwhere(bad)[0])
                raise NotFiniteError(
                    f"epoch {one.epoch}, iteration {one.iteration}: "
                    + _not_finite(one, identifier, f"{identifier}[{row},{column}]", one[identifier][bad][0])
                )


def _not_finite(one: Pass, identifier: str, cell: str, value: float) -> str:
    """What is wrong with a cell; in a program the formula says what it is made of."""
    made = one.program.assignments[identifier].expression
    if one.program.step_of(identifier).phase is None or made is None:
        return f"{cell} is too large for float64; try a smaller learning rate or smaller numbers"
    found = "is not a number (NaN)" if np.isnan(value) else "is infinite, or too large for float64"
    return f"{cell} {found}, from {identifier} = {matrix_text(made)}"
