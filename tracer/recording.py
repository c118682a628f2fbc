"""What is kept while a problem runs: references to the arrays of each pass, made into passes when they are looked at.

Keeping must cost next to nothing beside a step of a small network, so the loop only appends; whether all numbers
are finite is seen for many passes at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, overload

import numpy as np

from tracer.errors import NotFiniteError
from tracer.network.program import Program
from tracer.trace import Array, Epoch, Pass

Kept: TypeAlias = tuple[tuple[Array, ...], tuple[Array, ...]]
"""What a pass was given and what it computed."""

MOST_UNSEEN = 20_000  # numbers of passes that wait to be looked at


@dataclass
class Recording(Sequence[Epoch]):
    """Recorded epochs. `batches` has program, start and stop of each pass of an epoch."""

    batches: Sequence[tuple[Program, int, int]]
    numbers: list[int] = field(default_factory=list)
    kept: list[list[Kept]] = field(default_factory=list)
    _made: dict[int, Epoch] = field(default_factory=dict)
    _seen: int = 0

    def __post_init__(self) -> None:
        an_epoch = sum(rows * columns for program, *_ in self.batches for rows, columns in program.shapes_of_products)
        self._patience = MOST_UNSEEN // max(1, an_epoch)

    def keep(self, number: int, passes: list[Kept], suspected: bool) -> None:
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

    def losses(self) -> list[tuple[float, ...]]:
        """The losses of the passes of each epoch kept."""
        places = enumerate(program.place_of_loss for program, *_ in self.batches)
        return list(zip(*([passes[k][1][place].item() for passes in self.kept] for k, place in places), strict=True))

    def _see(self, exactly: bool = False) -> None:
        unseen = range(self._seen, len(self.kept))
        self._seen = len(self.kept)
        kept = self.kept[unseen.start :]
        products = [
            matrix
            for k, (program, *_) in enumerate(self.batches)
            for passes in kept
            for matrix in program.products_of(passes[k][1])
        ]
        if exactly or not surely_finite(products, large=self._patience == 0):
            for k in unseen:
                require_finite(self[k].iterations)

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
            number, pairs = self.numbers[place], zip(self.batches, self.kept[place], strict=True)
            passes = tuple(Pass(*batch[:1], number, n, *batch[1:], *kept) for n, (batch, kept) in enumerate(pairs, 1))
            self._made[place] = Epoch(number, passes)
        return self._made[place]


def surely_finite(matrices: Sequence[Array], large: bool) -> bool:
    """Whether the sum of squares says that all are finite; they may be where it overflows.

    Much cheaper than a look at each number: one call for many small ones, none of them copied where they are large.
    Only matrix products are looked at: not every BLAS tells numpy of an overflow, and all else does (`suspected`).
    """
    if large:
        return all(math.isfinite(np.vdot(matrix, matrix)) for matrix in matrices)
    numbers = np.concatenate(matrices, axis=None) if matrices else np.empty(0)
    return math.isfinite(np.vdot(numbers, numbers))


def require_finite(passes: Sequence[Pass]) -> None:
    """Refuse numbers that left float64, naming the first matrix that did. Raises NotFiniteError."""
    for one in passes:
        for identifier in one.program.computed:
            bad = ~np.isfinite(one[identifier])
            if bad.any():
                row, column = (int(index) + 1 for index in np.argwhere(bad)[0])
                raise NotFiniteError(
                    f"epoch {one.epoch}, iteration {one.iteration}: {identifier}[{row},{column}] is too "
                    "large for float64; a smaller learning rate or smaller numbers keep it finite"
                )
