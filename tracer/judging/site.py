"""What is asked of those who look for wrong rules: a matrix with cells that the right rule does not explain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tracer.expression import matrix as m
from tracer.expression.arrays import Array
from tracer.expression.dependents import Marked
from tracer.expression.interval import Interval
from tracer.judging.sheet import WrittenMatrix
from tracer.judging.verdicts import Slip
from tracer.judging.work import Work


@dataclass(eq=False)
class Site:
    """A matrix with cells that the right rule does not explain, for those who look for wrong ones.

    `right` are the right rule's bounds on the learner's own work and `on_own` its values, `tolerance` what
    every bound is widened by; `failing` has the cells to be explained, and `coarse` those among them
    that are right at the digits written, of which there are too few. `doubtful` are those among them of which there is
    too little to tell but by a rule that explains the whole matrix. Digits beyond the `last_place` say nothing.
    """

    id: str
    expression: m.Matrix
    work: Work
    written: WrittenMatrix
    right: Interval
    on_own: Array
    tolerance: Array
    failing: Marked
    coarse: Marked
    doubtful: Marked
    last_place: float


@dataclass(frozen=True)
class Explained:
    """A slip and the cells that it explains; `left_out` has bounds of left-out matrices as the slip makes them."""

    slip: Slip
    cells: Marked
    left_out: tuple[tuple[str, Interval], ...] = ()


Explain = Callable[[Site], Iterable[Explained]]
"""Names the slips that explain cells of a site, the likeliest first."""


def no_slips(site: Site) -> Sequence[Explained]:
    return ()
