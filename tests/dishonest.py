"""Sheets filled in without calculating, in every way that was ever tried on the checker."""

from collections.abc import Callable, Mapping

import numpy as np

from tests.students import Answers, Document, Habit, Work, rounded, split, work_through

Random = np.random.Generator


def _filled(document: Document, entry: Callable[[str, int, int], float]) -> Answers:
    """Every computed matrix, each cell as `entry` has it."""
    work = Work(document)
    memory = work.given()
    for name in work.order():
        memory[name] = work.compute(name, memory)
    decimals = document["decimals"]
    return {name: [[rounded(entry(name, i, j), decimals) for j in range(memory[name].shape[1])]
                   for i in range(memory[name].shape[0])] for name in work.order()}  # type: ignore[misc]  # fmt: skip


def zeros(document: Document, random: Random) -> Answers:
    return _filled(document, lambda *cell: 0.0)


def ones(document: Document, random: Random) -> Answers:
    return _filled(document, lambda *cell: 1.0)


def whole_numbers(document: Document, random: Random) -> Answers:
    return _filled(document, lambda *cell: float(random.integers(-9, 10)))


def absurd(document: Document, random: Random) -> Answers:
    """One absurd number, and zeros after it."""
    first = next(iter(Work(document).order()))
    return _filled(document, lambda name, i, j: 1e12 if (name, i, j) == (first, 0, 0) else 0.0)


def absurd_early(document: Document, random: Random) -> Answers:
    """Absurd numbers, all different, in the first matrix; zeros, ones and old weights after it."""
    first, given = next(iter(Work(document).order())), Work(document).given()

    def entry(name: str, i: int, j: int) -> float:
        if name == first:
            return float(random.integers(1_000, 1_000_000))
        if name.endswith("_next"):
            return float(given[name.removesuffix("_next")][i, j])
        return 1.0 if split(name)[0] == "A" else 0.0

    return _filled(document, entry)


def invented(document: Document, random: Random) -> Answers:
    """8 … 16 for the first matrix, activations 1, slopes and gradients 0, weights unchanged."""
    first, given = next(iter(Work(document).order())), Work(document).given()

    def entry(name: str, i: int, j: int) -> float:
        if name == first:
            return float(random.integers(8, 17))
        if name.endswith("_next"):
            return float(given[name.removesuffix("_next")][i, j])
        return 1.0 if split(name)[0] in ("A", "Z") else 0.0

    return _filled(document, entry)


def no_digits(document: Document, random: Random) -> Answers:
    """The right numbers, to the nearest whole one."""
    return {name: [[str(round(float(each or 0))) for each in row] for row in rows]
            for name, rows in work_through(Work(document), Habit(6, remembers=2.0), random).items()}  # fmt: skip


SHEETS: Mapping[str, Callable[[Document, Random], Answers]] = {
    "zeros": zeros,
    "ones": ones,
    "whole numbers at random": whole_numbers,
    "one absurd number, zeros after": absurd,
    "absurd early matrix, constants after": absurd_early,
    "invented first matrix, constants after": invented,
    "digits left out everywhere": no_digits,
}
