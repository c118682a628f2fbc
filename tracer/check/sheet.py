"""A learner's sheet held beside the problem: what each matrix should be, and what stands in its place.

Shapes are put in order here: an answer that is too small is blank where it ends, a column written
as a row is turned, and what has no place in the problem is named in a note.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tracer.check.answers import Answers, Grid
from tracer.check.numbers import BLANK, Entry
from tracer.errors import TracerError
from tracer.expression.evaluate import compiled
from tracer.network.blackboard import RATE, Blackboard
from tracer.network.problem import Problem
from tracer.network.program import Program
from tracer.shown import shown
from tracer.training import trace

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Written:
    """One matrix as it was written: entries in the right shape, their values (nan: none) and units."""

    entries: tuple[tuple[Entry, ...], ...]
    values: Array
    units: Array

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Where a number stands."""
        return ~np.isnan(self.values)

    @cached_property
    def complete(self) -> bool:
        """Whether a number stands everywhere."""
        return bool(self.present.all())


@dataclass(frozen=True, eq=False)
class Key:
    """The right matrices of a problem's first pass, with a program that says how they are made.

    `halves` is what a given number may be off as a learner sees it: half a unit where it is shown rounded.
    """

    problem: Problem
    program: Program
    values: Mapping[str, Array]
    halves: Mapping[str, float]
    before: Mapping[str, Array] = field(default_factory=dict)
    rules: dict[str, Callable[[Mapping[str, Array]], Array]] = field(default_factory=dict)

    @cached_property
    def net(self) -> Blackboard:
        """The matrices of the pass as symbols."""
        return Blackboard(self.problem, self.program.rows)

    def compute(self, identifier: str, values: Mapping[str, Array]) -> Array:
        """A matrix by its right rule from others; infinite or no number where float64 ends."""
        if identifier not in self.rules:
            expression = self.program.assignments[identifier].expression
            assert expression is not None  # asked for by the caller
            self.rules[identifier] = compiled(expression)
        with np.errstate(all="ignore"):
            return self.rules[identifier](values)


@dataclass(frozen=True, eq=False)
class Sheet:
    """Answers beside their key."""

    answers: Answers
    key: Key
    written: Mapping[str, Written]
    notes: tuple[str, ...]


def key_of(problem: Problem) -> Key:
    """The key of a problem: its first pass."""
    run = trace(problem)
    one, decimals = run.first, shown(run, run.first).decimals
    typed = {each: decimals[each] for each in one.program.inputs}
    halves = {each: 0.0 if places is None else 0.5 * 10.0**-places for each, places in typed.items()}
    return Key(problem, one.program, {**one.matrices, RATE: one[RATE]}, halves)


def lay_beside(answers: Answers, key: Key) -> Sheet:
    """Answers in the shapes of the key; with a key of its own where the learner's given numbers differ."""
    notes = list(answers.notes)
    if answers.given:
        key = _with_given(answers, key)
    written = {}
    for identifier, grid in answers.matrices.items():
        if identifier not in key.values or identifier == RATE:
            notes.append(f"{identifier}: no matrix of this problem; left out")
            continue
        fitted = _fitted(grid, key.values[identifier].shape)
        if fitted is None:
            rows, columns = key.values[identifier].shape
            notes.append(f"{identifier}: found {len(grid)}×{max(map(len, grid), default=0)}, expected {rows}×{columns}")
            fitted = _cut(grid, key.values[identifier].shape)
        written[identifier] = as_written(fitted, key.problem.decimals.of(identifier))
    ordered = {each: written[each] for each in key.values if each in written}
    return Sheet(answers, key, ordered, tuple(notes))


def as_written(entries: Grid, asked: int) -> Written:
    """Entries with their values and units, where so many decimals were asked for."""
    values = np.array([[entry.value for entry in row] for row in entries])
    units = np.array([[entry.unit(asked) if entry.kind == "number" else np.nan for entry in row] for row in entries])
    return Written(entries, values, units)


def _fitted(grid: Grid, shape: tuple[int, int]) -> Grid | None:
    """A grid of the wanted shape, a vector turned where need be; None where it is of another shape."""
    rows, columns = len(grid), max(map(len, grid), default=0)
    if (rows, columns) == shape:
        return _cut(grid, shape)
    if 1 in shape and (columns, rows) == shape:
        return tuple(tuple(row[k] if k < len(row) else BLANK for row in grid) for k in range(columns))
    return None


def _cut(grid: Grid, shape: tuple[int, int]) -> Grid:
    rows, columns = shape
    return tuple(
        tuple(grid[i][j] if i < len(grid) and j < len(grid[i]) else BLANK for j in range(columns)) for i in range(rows)
    )


def _with_given(answers: Answers, key: Key) -> Key:
    """The key for numbers of the learner's own."""
    given = {each: key.values[each] for each in key.program.inputs}
    for identifier, grid in answers.given.items():
        place = f"{answers.file}: given.{identifier}"
        if identifier not in given:
            raise TracerError(f"{place}: found no given matrix of this problem, expected one of {', '.join(given)}")
        fitted = _fitted(grid, given[identifier].shape)
        own = np.array([[entry.value for entry in row] for row in fitted or ()])
        if fitted is None or not np.isfinite(own).all():
            rows, columns = given[identifier].shape
            raise TracerError(f"{place}: expected {rows}×{columns} numbers")
        given[identifier] = own
    with np.errstate(all="ignore"):
        computed = dict(zip(key.program.computed, key.program.run(*given.values()), strict=True))
    if not all(np.isfinite(each).all() for each in computed.values()):
        raise TracerError(f"{answers.file}: given: with these numbers the network leaves float64")
    values = given | computed
    halves = {each: 0.0 if each in answers.given else half for each, half in key.halves.items()}
    return replace(key, values={each: values[each] for each in key.values}, halves=halves)
