"""What a learner handed in: matrices of entries by name, or pages with blocks. reading.py reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tracer.answers.numbers import BLANK, Entry
from tracer.errors import TracerError

MOST_CELLS = 200_000
MOST_TEXT = 200  # characters of a name or number that are kept

Grid: TypeAlias = tuple[tuple[Entry, ...], ...]
"""Rows of entries; rows may differ in length."""


Page: TypeAlias = Sequence[Sequence[Entry]]
"""The cells of a sheet, words among them, in which matrices stand as blocks with their names."""


class AnswerError(TracerError):
    """An answer file that cannot be read, with its name and the reason."""


@dataclass(frozen=True)
class Answers:
    """A learner's matrices. `given` has numbers of their own in place of the problem's, `printed` what stood on the
    worksheet when it was handed out.

    What stands on `pages` becomes matrices when it is laid beside a problem, whose names and shapes tell them apart.
    """

    file: str
    matrices: Mapping[str, Grid]
    given: Mapping[str, Grid] = field(default_factory=dict)
    student: Mapping[str, str] | None = None
    problem_sha256: str | None = None
    notes: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()
    printed: Mapping[str, Grid] = field(default_factory=dict)


def filled(cells: Mapping[tuple[int, int], Entry]) -> Grid:
    """Single cells as rows; what is not there is blank. Raises AnswerError where they lie too far apart."""
    rows, columns = (1 + max(place[k] for place in cells) for k in (0, 1))
    if rows * columns > MOST_CELLS:
        raise AnswerError(
            f"cells up to row {rows:,} and column {columns:,} are more than the {MOST_CELLS:,} that are read"
        )
    return tuple(tuple(cells.get((i, j), BLANK) for j in range(columns)) for i in range(rows))
