"""The search for numbers that hide nothing: thousands of drawings at once, those with few digits first.

Whether a drawing is taken does not hang on the last digits of floating-point numbers: every threshold is a part in
10⁹ of a unit away from what a number with few digits can be. A batch of drawings has a seed of its own, so that it does
not matter how many processes look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count, product
from multiprocessing import get_context
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tracer.errors import TracerError
from tracer.expression.arrays import Array
from tracer.lesson.build import build
from tracer.problem.convention import Decimals
from tracer.problem.remarks import departures
from tracer.processes import can_copy, cores
from tracer.run.passes import AnyProblem
from tracer.variation.health import Which, is_healthy, is_seen
from tracer.variation.lots import Lots, each_digits
from tracer.variation.many import Many, digits_to_write, effort, work_many
from tracer.variation.settling import settled
from tracer.variation.telling import EDGE, Telling, telling_of

BATCH = 256  # drawings worked at once
PILOT = 2 * BATCH  # drawings that the decimals are chosen by
MOST_DECIMALS = 4  # more than the problem asks for by itself
GOOD = 0.5  # of the best share of drawings that more decimals would give
APART = 0.047  # that the effort may be from its reference: then no two variants differ by more than 10 %
FEW = 3  # drawings, whose effort may be odd
HOPEFUL = 0.9  # of the matrices, that a drawing of the pilot tells: or no other tells them all
PATIENCE = 40  # batches without a find before more digits are tried
MOST_BATCHES = 4_000


Rigour: TypeAlias = Literal["all", "all of the best", "most", "some"]
"""What a drawing has to tell apart, and to take the effort of: all slips and as most healthy drawings do; as those do
that tell most matrices; all but what the best drawing does not tell; all but what a part of them does not tell."""
RIGOURS: Sequence[Rigour] = ("all", "all of the best", "most", "some")


@dataclass(frozen=True)
class Tried:
    """How many drawings were looked at, how many had no dead or saturated unit, the same effort, and told all."""

    drawings: int = 0
    healthy: int = 0
    alike: int = 0
    told: int = 0

    def __add__(self, other: Tried) -> Tried:
        return Tried(*(getattr(self, each) + getattr(other, each) for each in vars(self)))


@dataclass(frozen=True, eq=False)
class Search:
    """What a drawing is held to: the slips told apart, and the effort (products, exponentials, digits)."""

    telling: Telling
    order: Sequence[str]
    reference: tuple[float, float, float]

    @property
    def lots(self) -> Lots:
        return self.telling.lots

    def batch(self, seed: str) -> tuple[list[AnyProblem], Tried]:
        """The variants of one batch of drawings that pass."""
        drawn = self.lots.drawings(seed, BATCH)
        many = work_many(self.lots.program, self.lots.inputs(drawn), BATCH)
        healthy = np.flatnonzero(is_healthy(many, self.telling.decimals))
        alike = healthy[self._alike(many.only(healthy))]
        left = alike
        for identifier in self.order:
            if not len(left):
                break
            left = left[self.telling.told(many.only(left), identifier)]
        tried = Tried(BATCH, len(healthy), len(alike), len(left))
        return [self.lots.variant(drawn, number) for number in left.tolist()], tried

    def _alike(self, many: Many) -> Which:
        """Whether the effort is the reference's within a few per cent."""
        efforts = efforts_of(many, self.telling.decimals)
        pairs = zip(efforts, self.reference, strict=True)
        return np.asarray(np.all([np.abs(own - wanted) <= APART * wanted for own, wanted in pairs], axis=0))


def efforts_of(many: Many, decimals: Mapping[str, int]) -> tuple[Array, Array, Array]:
    """Products, exponentials and digits to write of each variant."""
    return (*effort(many), digits_to_write(many, decimals))


def search_for(lots: Lots, rigour: Rigour = "all") -> Search | None:
    """The search among the drawings of some digits; None where a pilot gives it no hope."""
    drawn = lots.drawings("pilot", PILOT)
    many = work_many(lots.program, lots.inputs(drawn), PILOT)
    start = {each: lots.problem.decimals.of(each) for each in lots.program.computed}
    most = {each: _most_decimals(lots.problem, each) for each in start}
    telling = _settled(telling_of(lots, start), many, most, rigour)
    if telling is None:
        return None
    shares = {each: _shares(telling, many, each) for each in start}
    if not all(share.max(initial=0.0) > 0 for share in shares.values()):
        return None
    more = {each: int(np.argmax(share >= GOOD * share.max())) for each, share in shares.items()}
    decimals = {each: start[each] + more[each] for each in start}
    telling = _settled(telling_of(lots, decimals), many, decimals, rigour)
    healthy = many.only(np.flatnonzero(is_healthy(many, decimals)))
    if telling is None or not healthy.count:
        return None
    if rigour != "all":
        best, most_told = _best_told(telling, healthy)
        if most_told < HOPEFUL * len(decimals):
            return None
        healthy = healthy.only(best)
    reference = tuple(float(np.sort(each)[healthy.count // 2]) for each in efforts_of(healthy, decimals))
    made = replace(telling, lots=replace(lots, problem=_asking(lots.problem, decimals)))
    order = sorted(shares, key=lambda each: shares[each][more[each]])
    return Search(made, order, reference)  # type: ignore[arg-type]


def _settled(telling: Telling, many: Many, decimals: Mapping[str, int], rigour: Rigour) -> Telling | None:
    """The slips, with those together that this rigour does not tell apart; None where no drawing is healthy."""
    if rigour in ("all", "all of the best"):
        return telling
    healthy = many.only(np.flatnonzero(is_healthy(many, decimals)))
    return settled(telling, healthy, decimals, rigour == "some") if healthy.count else None


def _best_told(telling: Telling, many: Many) -> tuple[NDArray[np.intp], int]:
    """The numbers of the drawings that tell most matrices all their slips apart, a tenth where they are few; and how
    many the best of them tells."""
    told = np.sum([telling.told(many, each) for each in telling.decimals], axis=0)
    best = np.flatnonzero(told == told.max())
    return best if len(best) >= FEW else np.argsort(-told, kind="stable")[: many.count // 10 + 1], int(told.max())


def _asking(problem: AnyProblem, decimals: Mapping[str, int]) -> AnyProblem:
    """The problem, asking for so many decimals of each matrix."""
    table = {**problem.decimals.table, **decimals}
    return replace(problem, decimals=Decimals(problem.decimals.default, table), description=None, source=None)


def _most_decimals(problem: AnyProblem, identifier: str) -> int:
    """What a matrix may be asked for: no more than the problem says, where it says so."""
    return problem.decimals.of(identifier) + (0 if identifier in problem.decimals.table else MOST_DECIMALS)


def _shares(telling: Telling, many: Many, identifier: str) -> Array:
    """Of the drawings, the share that tells all slips in a matrix apart and shows its changes, by the decimals."""
    gaps, updated = telling.gaps(many, identifier), identifier in telling.lots.program.updated.values()
    found = []
    for decimals in range(telling.decimals[identifier], _most_decimals(telling.lots.problem, identifier) + 1):
        told = gaps >= 10.0**-decimals * (1 - EDGE)
        found.append((told & is_seen(many, identifier, decimals) if updated else told).mean())
    return np.array(found)


@dataclass(frozen=True, eq=False)
class FoundVariants:
    """Variants, each told from the others by its hash, and what the search for them looked at."""

    search: Search
    variants: Sequence[AnyProblem]
    tried: Tried


def find(
    problem: AnyProblem, wanted: int, seed: str, sitting: int = 1, used: frozenset[str] = frozenset()
) -> FoundVariants:
    """So many different variants, none of them among the hashes that were `used`.

    Raises TracerError where there are too few, naming what no numbers would tell apart.
    """
    _refuse(problem)
    program = build(problem, problem.batches()[0][1])
    for rigour, lots in product(RIGOURS, each_digits(problem, program)):
        search = search_for(lots, rigour)
        found = _found(search, wanted, f"{seed}/{sitting}/{_digits(lots)}", used) if search else None
        if found is not None:
            return found
    raise TracerError(
        f"{problem.name}: no {wanted} sets of numbers were found that tell every slip apart; give `[variants]` wider "
        "ranges or more digits, or ask for more decimals"
    )


def _refuse(problem: AnyProblem) -> None:
    """Raises TracerError for what has no certificate yet."""
    if departures(problem):
        raise TracerError(f"{problem.name}: variants are of what is right; take [reproduce] out of the file")


def _digits(lots: Lots) -> str:
    return ",".join(f"{lot.id}={lot.digits}" for lot in lots.lots)


def _found(search: Search, wanted: int, seed: str, used: frozenset[str]) -> FoundVariants | None:
    """Goes through the batches in their order until there are enough; None where too few pass."""
    known, variants, tried, last = set(used), list[AnyProblem](), Tried(), 0
    with _workers() as workers:
        for number, (passed, looked) in enumerate(_batches(search, seed, workers)):
            tried = tried + looked
            for each in passed:
                if each.sha256 not in known and len(variants) < wanted:
                    known.add(each.sha256)
                    variants.append(each)
                    last = number
            if len(variants) == wanted:
                return FoundVariants(search, variants, tried)
            if number - last >= PATIENCE:
                return None
    return None


def _batches(search: Search, seed: str, workers: Executor | None) -> Iterator[tuple[list[AnyProblem], Tried]]:
    seeds = (f"{seed}/{number}" for number in range(MOST_BATCHES))
    if workers is None:
        yield from map(search.batch, seeds)
        return
    at_once = 2 * cores()
    for _ in count():
        some = [each for each, _ in zip(seeds, range(at_once), strict=False)]
        if not some:
            return
        yield from workers.map(search.batch, some)


@contextmanager
def _workers() -> Iterator[Executor | None]:
    if not can_copy():
        yield None
        return
    workers = ProcessPoolExecutor(cores(), get_context("fork"))
    try:
        yield workers
    finally:
        workers.shutdown(cancel_futures=True)
