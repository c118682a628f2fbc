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
from itertools import count
from multiprocessing import get_context
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tracer.errors import TracerError
from tracer.expression.arrays import Array
from tracer.lesson.build import build
from tracer.problem.convention import Decimals
from tracer.problem.problem import Problem
from tracer.problem.remarks import departures
from tracer.processes import can_copy, cores
from tracer.variation.lots import Lots, each_digits
from tracer.variation.many import Many, digits_to_write, effort, work_many
from tracer.variation.telling import EDGE, Telling, telling_of

Which: TypeAlias = NDArray[np.bool_]
"""Some of many variants."""

BATCH = 256  # drawings worked at once
PILOT = 2 * BATCH  # drawings that the decimals are chosen by
MOST_DECIMALS = 4  # more than the problem asks for by itself
GOOD = 0.5  # of the best share of drawings that more decimals would give
APART = 0.047  # that the effort may be from its reference: then no two variants differ by more than 10 %
PATIENCE = 40  # batches without a find before more digits are tried
MOST_BATCHES = 4_000
SATURATED, LEAST_SPREAD = 4.0, 1e-3  # of a pre-activation; of a unit's outputs over the samples


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

    def batch(self, seed: str) -> tuple[list[Problem], Tried]:
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


def is_healthy(many: Many, decimals: Mapping[str, int]) -> Which:
    """Whether no unit is dead or saturated, and no change of a parameter rounds away, for each variant."""
    program, axis = many.program, -1 if many.program.turned else -2
    found = np.ones(many.count, dtype=bool)
    for made in program.layers:
        Z, A = many.values[made.pre_activation], many.values[made.activation]
        found &= (np.abs(Z) <= SATURATED - EDGE).all(axis=(-2, -1))
        if program.rows > 1:  # of a single sample nothing says that a unit always gives the same
            found &= ((A.max(axis) - A.min(axis)) >= LEAST_SPREAD).all(axis=-1)
    for new in program.updated.values():
        found &= _is_seen(many, new, decimals[new])
    return found


def _is_seen(many: Many, updated: str, decimals: int) -> Which:
    """Whether every change of a parameter that there is moves its last digit, for each variant."""
    change = np.abs(many.values[updated] - many.values[str(many.program.assignments[updated].of)])
    seen = (change >= 10.0**-decimals * (1 - EDGE)) | (change < EDGE)
    stays = change.max() < EDGE  # in every variant: it is not updated at all
    return np.asarray(seen.all(axis=(-2, -1)) & ((change >= EDGE).any(axis=(-2, -1)) | stays))


def search_for(lots: Lots) -> Search | None:
    """The search among the drawings of some digits; None where a pilot gives it no hope."""
    drawn = lots.drawings("pilot", PILOT)
    many = work_many(lots.program, lots.inputs(drawn), PILOT)
    problem = lots.problem
    start = {each: problem.decimals.of(each) for each in lots.program.computed}
    telling = telling_of(lots, start)
    shares = {each: _shares(telling, many, each) for each in start}
    if not all(share.max(initial=0.0) > 0 for share in shares.values()):
        return None
    fixed = problem.decimals.table
    decimals = {
        each: start[each] + (0 if each in fixed else int(np.argmax(share >= GOOD * share.max())))
        for each, share in shares.items()
    }
    telling = telling_of(lots, decimals)
    healthy = many.only(np.flatnonzero(is_healthy(many, decimals)))
    if not healthy.count:
        return None
    share = {each: shares[each][decimals[each] - start[each]] for each in start}
    reference = tuple(float(np.sort(each)[healthy.count // 2]) for each in efforts_of(healthy, decimals))
    asked = replace(
        problem, decimals=Decimals(problem.decimals.default, {**fixed, **decimals}), description=None, source=None
    )
    made = replace(telling, lots=replace(lots, problem=asked))
    return Search(made, sorted(share, key=lambda each: share[each]), reference)  # type: ignore[arg-type]


def _shares(telling: Telling, many: Many, identifier: str) -> Array:
    """Of the drawings, the share that tells all slips in a matrix apart and shows its changes, by the decimals."""
    most = 1 if identifier in telling.lots.problem.decimals.table else MOST_DECIMALS + 1
    more = (replace(telling, decimals={**telling.decimals, identifier: telling.decimals[identifier] + k})
            for k in range(most))  # fmt: skip
    updated = identifier in telling.lots.program.updated.values()
    return np.array(
        [
            (
                each.told(many, identifier) & (not updated or _is_seen(many, identifier, each.decimals[identifier]))
            ).mean()
            for each in more
        ]
    )


@dataclass(frozen=True, eq=False)
class FoundVariants:
    """Variants, each told from the others by its hash, and what the search for them looked at."""

    search: Search
    variants: Sequence[Problem]
    tried: Tried


def find(
    problem: Problem, wanted: int, seed: str, sitting: int = 1, used: frozenset[str] = frozenset()
) -> FoundVariants:
    """So many different variants, none of them among the hashes that were `used`.

    Raises TracerError where there are too few, naming what no numbers would tell apart.
    """
    _refuse(problem)
    program = build(problem, problem.batches()[0][1])
    for lots in each_digits(problem, program):
        search = search_for(lots)
        found = _found(search, wanted, f"{seed}/{sitting}/{_digits(lots)}", used) if search else None
        if found is not None:
            return found
    raise TracerError(
        f"{problem.name}: no {wanted} sets of numbers were found that tell every slip apart; give `[variants]` wider "
        "ranges or more digits, or ask for more decimals"
    )


def _refuse(problem: Problem) -> None:
    """Raises TracerError for what has no certificate yet."""
    if departures(problem):
        raise TracerError(f"{problem.name}: variants are of what is right; take [reproduce] out of the file")
    if len(problem.batches()) > 1:
        raise TracerError(f"{problem.name}: found {len(problem.batches())} batches, expected one: leave out batch_size")


def _digits(lots: Lots) -> str:
    return ",".join(f"{lot.id}={lot.digits}" for lot in lots.lots)


def _found(search: Search, wanted: int, seed: str, used: frozenset[str]) -> FoundVariants | None:
    """Goes through the batches in their order until there are enough; None where too few pass."""
    known, variants, tried, last = set(used), list[Problem](), Tried(), 0
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


def _batches(search: Search, seed: str, workers: Executor | None) -> Iterator[tuple[list[Problem], Tried]]:
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
