"""What a learner handed in: matrices of entries by name, or pages with blocks. reading.py reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tracer.answers.in_words import InWords
from tracer.answers.numbers import BLANK, Entry
from tracer.errors import TracerError
from tracer.spreadsheet.columns import column_letters

MOST_CELLS = 200_000
MOST_TEXT = 200  # characters of a name or number that are kept

Grid: TypeAlias = tuple[tuple[Entry, ...], ...]
"""Rows of entries; rows may differ in length."""


@dataclass(frozen=True)
class Assigned:
    """Numbers that a line gives a name to: `Z1 = [[1.48, …], …]`; `printed_by` the library that shows in it."""

    name: str
    grid: Grid
    printed_by: str = ""


@dataclass(frozen=True)
class AnswerPage:
    """The cells of a sheet or text, words among them, in which matrices stand as blocks with their names.

    Rows that are `assigned` belong to no block. `lines` has the line of a text that each row comes from; a sheet has
    a `name` and addresses.
    """

    rows: Sequence[Sequence[Entry]]
    assigned: Mapping[int, Assigned] = field(default_factory=dict)
    lines: Sequence[int] = ()
    name: str = ""

    def where(self, row: int, column: int) -> str:
        """A place as people call it."""
        if self.lines:
            return f"line {self.lines[min(row, len(self.lines) - 1)]}"
        return f"{self.name}!{column_letters(column + 1)}{row + 1}" if self.name else f"row {row + 1}"


class AnswerError(TracerError):
    """An answer file that cannot be read, with its name and the reason."""


@dataclass(frozen=True)
class NotRead:
    """Numbers that nobody can be sure of: where they stand, what stands there, and what to write."""

    where: str
    found: str
    says: str

    def to_document(self) -> dict[str, str]:
        return {"where": self.where, "found": self.found, "says": self.says}


@dataclass(frozen=True)
class Answers:
    """A learner's matrices. `given` has numbers of their own in place of the problem's (`by_given`: they are judged by
    these), `printed` what stood on the worksheet when it was handed out.

    What stands on `pages` becomes matrices when it is laid beside a problem, whose names and shapes tell them apart.
    """

    file: str
    matrices: Mapping[str, Grid]
    given: Mapping[str, Grid] = field(default_factory=dict)
    student: Mapping[str, str] | None = None
    problem_sha256: str | None = None
    notes: tuple[str, ...] = ()
    pages: tuple[AnswerPage, ...] = ()
    not_read: tuple[NotRead, ...] = ()
    words: tuple[InWords, ...] = ()
    raw: Answers | None = None  # as they were read, where something of them had no place
    copied: bool = False  # whether given numbers stand there as they are
    printed: Mapping[str, Grid] = field(default_factory=dict)
    by_given: bool = False


def filled(cells: Mapping[tuple[int, int], Entry]) -> Grid:
    """Single cells as rows; what is not there is blank. Raises AnswerError where they lie too far apart."""
    rows, columns = (1 + max(place[k] for place in cells) for k in (0, 1))
    if rows * columns > MOST_CELLS:
        raise AnswerError(
            f"cells up to row {rows:,} and column {columns:,} are more than the {MOST_CELLS:,} that are read"
        )
    return tuple(tuple(cells.get((i, j), BLANK) for j in range(columns)) for i in range(rows))
