"""A learner's sheet held beside the key: what stands in the place of each matrix.

Shapes are put in order here: an answer that is too small is blank where it ends, a column written
as a row is turned, and what has no place in the problem is named in a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.answers.key import Key
from tracer.answers.naming import named
from tracer.answers.numbers import BLANK, Entry
from tracer.answers.reading import Answers, Grid
from tracer.errors import TracerError
from tracer.expression import matrix as m
from tracer.expression.arrays import Array
from tracer.expression.digits import FLOAT_ERROR, TIE

MOST_NOTES, LONGEST_NOTE = 12, 300


@dataclass(frozen=True, eq=False)
class WrittenMatrix:
    """One matrix as it was written: entries in the right shape and their values (nan: none).

    `units` are the last places asked for, `own` those written (0: an exact number). `turned` is set where rows and
    columns were exchanged; the entries here are the right way round. `bare`: where zeros at the end may be lost.
    """

    entries: tuple[tuple[Entry, ...], ...]
    values: Array
    units: Array
    own: Array
    turned: bool = False

    @cached_property
    def bare(self) -> NDArray[np.bool_]:
        return np.array([[entry.bare for entry in row] for row in self.entries], dtype=bool)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Where a number stands."""
        return ~np.isnan(self.values)

    @cached_property
    def coarse(self) -> NDArray[np.bool_]:
        """Where there are fewer digits than asked for."""
        return np.asarray(self.own > 1.5 * self.units)

    @cached_property
    def finest(self) -> float:
        """The finest last place that any number of it is written to."""
        return float(self.own[self.present].min(initial=np.inf)) if self.present.any() else 0.0

    @cached_property
    def complete(self) -> bool:
        """Whether a number stands everywhere."""
        return bool(self.present.all())


@dataclass(frozen=True, eq=False)
class Sheet:
    """Answers beside their key; `strange` are given matrices that have other numbers in the answers' file."""

    answers: Answers
    key: Key
    written: Mapping[str, WrittenMatrix]
    notes: tuple[str, ...]
    strange: tuple[str, ...] = ()

    @cached_property
    def in_a_row(self) -> WrittenMatrix:
        """All numbers written, one matrix after the other, as a matrix of one row."""
        each = list(self.written.values())
        entries = tuple(entry for matrix in each for row in matrix.entries for entry in row)
        values, units, own = (_row([getattr(one, of) for one in each]) for of in ("values", "units", "own"))
        return WrittenMatrix((entries,), values, units, own)

    @cached_property
    def sizes(self) -> list[int]:
        """How many cells each matrix that was written has."""
        return [each.values.size for each in self.written.values()]

    def of_key(self, values: Mapping[str, Array]) -> Array:
        """The numbers of a key beside those of `in_a_row`; nan beside matrices that it does not have."""
        return _row([values[name] if name in values else np.full(each.values.shape, np.nan)
                     for name, each in self.written.items()])  # fmt: skip

    def matrices_of(self, row: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """What stands beside `in_a_row`, as the matrices again, each a part of it."""
        start = 0
        for each in self.written.values():
            end = start + each.values.size
            yield row[0, start:end].reshape(each.values.shape)
            start = end


def lay_beside(answers: Answers, key: Key) -> Sheet:
    """Answers in the shapes of the key; with a key of its own where they are judged by the learner's given numbers."""
    answers = named(answers, key)
    notes = [*key.notes, *answers.notes]
    own = _own_numbers(answers, key)
    strange = tuple(each for each in own if not _is_of(answers.given[each], key, each))
    if strange:
        how = "judged by these" if answers.by_given else "judged by the problem's own (--given judges by these)"
        notes.append(f"given.{', given.'.join(strange)}: other numbers than this problem's; {how}")
    if own and answers.by_given:
        key = key.with_given(own, answers.file)
    given = {**answers.given, **answers.printed}
    printed = {each: grid for each, grid in given.items() if each in key.program.computed}
    notes += [f"{each}: not a matrix of this problem; ignored" for each in answers.printed if each not in key.values]
    stale = [each for each, grid in printed.items() if not _is_of(grid, key, each)]
    notes += [f"given.{each}: differs from this problem's numbers; recalculated" for each in stale]
    if printed:
        key = replace(key, printed=frozenset(printed.keys() - set(stale)))
    written = {}
    for identifier, grid in answers.matrices.items():
        if identifier not in key.program.assignments:
            notes.append(f"{identifier}: not a matrix of this problem; ignored")
            continue
        shape = key.values[identifier].shape
        fitted, turned = _fitted(grid, shape), False
        if fitted is None:
            notes.append(f"{identifier}: found {_size(grid)}, expected {shape[0]}×{shape[1]}")
            turned = _size(grid) == f"{shape[1]}×{shape[0]}"
            fitted = transposed(grid, shape) if turned else _cut(grid, shape)
        written[identifier] = as_written(fitted, key.units(identifier), turned)
    ordered = {each: written[each] for each in key.values if each in written}
    return Sheet(answers, key, ordered, tuple(_merged(notes)), strange)


def _merged(notes: Iterable[str]) -> list[str]:
    """Notes once each, and of very many the first."""
    once = [each[:LONGEST_NOTE] for each in dict.fromkeys(notes)]
    more = len(once) - MOST_NOTES
    return [*once[:MOST_NOTES], f"and {more:,} more notes of this kind"] if more > 0 else once


def as_written(entries: Grid, units: Array, turned: bool = False) -> WrittenMatrix:
    """Entries with their values, where digits down to these units were asked for."""
    values = np.array([[entry.value for entry in row] for row in entries])
    own = np.array([[entry.own_unit() if entry.kind == "number" else 0.0 for entry in row] for row in entries])
    return WrittenMatrix(entries, values, units, own, turned)


def _row(matrices: Sequence[Array]) -> Array:
    """The cells of some matrices, one after the other."""
    return np.concatenate([each.ravel() for each in matrices])[None] if matrices else np.zeros((1, 0))


def _size(grid: Grid) -> str:
    return f"{len(grid)}×{max(map(len, grid), default=0)}"


def _fitted(grid: Grid, shape: m.Shape) -> Grid | None:
    """A grid of the wanted shape, a vector turned where need be; None where it is of another shape."""
    if _size(grid) == f"{shape[0]}×{shape[1]}":
        return _cut(grid, shape)
    if 1 in shape and _size(grid) == f"{shape[1]}×{shape[0]}":
        return transposed(grid, shape)
    return None


def transposed(grid: Grid, shape: m.Shape) -> Grid:
    """Columns as rows."""
    rows, columns = shape
    return tuple(tuple(grid[j][i] if i < len(grid[j]) else BLANK for j in range(columns)) for i in range(rows))


def _cut(grid: Grid, shape: m.Shape) -> Grid:
    """As much as has a place; the numbers of a vector that is too long or short in their order."""
    if 1 in shape and 1 in (len(grid), max(map(len, grid), default=0)):
        numbers = [entry for row in grid for entry in row][: max(shape)]
        numbers += [BLANK] * (max(shape) - len(numbers))
        return (tuple(numbers),) if shape[0] == 1 else tuple((entry,) for entry in numbers)
    rows, columns = shape
    return tuple(
        tuple(grid[i][j] if i < len(grid) and j < len(grid[i]) else BLANK for j in range(columns)) for i in range(rows)
    )


def _own_numbers(answers: Answers, key: Key) -> dict[str, Array]:
    """Numbers that a learner was given in place of the problem's."""
    found = {}
    for identifier, grid in answers.given.items():
        place = f"{answers.file}: given.{identifier}"
        if identifier in key.program.computed:
            continue
        if identifier not in key.program.inputs:
            known = ", ".join(key.program.inputs)
            raise TracerError(f"{place}: not a given matrix of this problem, expected one of {known}")
        shape = key.values[identifier].shape
        own = np.array([[entry.value for entry in row] for row in _fitted(grid, shape) or ()])
        if own.shape != shape or not np.isfinite(own).all():
            raise TracerError(f"{place}: expected {shape[0]}×{shape[1]} numbers")
        found[identifier] = own
    return found


def _is_of(grid: Grid, key: Key, identifier: str) -> bool:
    """Whether numbers that were printed are the key's, to the digits that they have."""
    fitted, value = _fitted(grid, key.values[identifier].shape), key.values[identifier]
    if fitted is None:
        return False
    printed = as_written(fitted, key.units(identifier))
    slack = (0.5 + TIE) * printed.own + FLOAT_ERROR * np.abs(value)
    return printed.complete and bool((np.abs(printed.values - value) <= slack).all())
