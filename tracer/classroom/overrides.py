"""What a teacher decided in a dispute: points of single matrices or cells, applied last and said on every report.

A CSV with the columns student, matrix (or cell), points, reason, by. `student` is an id, a name or a file's name.
"""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tracer.errors import TracerError
from tracer.files import open_regular
from tracer.judging.marking import MarkedSheet, Remark
from tracer.judging.points import points_text
from tracer.problem.hints import decoded

COLUMNS = ("student", "matrix", "points", "reason", "by")
MOST_BYTES = 20_000_000
_CELL = re.compile(r"(\w+)\s*\[\s*([0-9]{1,4})\s*,\s*([0-9]{1,4})\s*\]", re.ASCII)


@dataclass(frozen=True)
class Override:
    """Points that somebody gave a student for a matrix, or for a cell of it (row and column from 0)."""

    student: str
    matrix: str
    points: float
    reason: str
    by: str
    cell: tuple[int, int] | None = None

    @property
    def remark(self) -> Remark:
        """What the reports say of it."""
        place = self.matrix if self.cell is None else f"{self.matrix}[{self.cell[0] + 1},{self.cell[1] + 1}]"
        by = f" ({self.by})" if self.by else ""
        why = f": {self.reason}" if self.reason else ""
        return Remark("adjusted", {"cell": place, "by": by, "points": self.points, "why": why})


@dataclass(frozen=True)
class Overrides:
    """All decisions, by what they call the student, in any case and with any spaces."""

    of: Mapping[str, Sequence[Override]]

    def applied(self, marked: MarkedSheet) -> MarkedSheet:
        """A marked sheet with the decisions on its student laid over it. Raises TracerError for what cannot be."""
        answers = marked.sheet.answers
        names = [*(answers.student or {}).values(), answers.file]
        found = [each for name in dict.fromkeys(map(folded, names)) for each in self.of.get(name, ())]
        for each in found:
            marked = _applied(marked, each)
        return replace(marked, remarks=(*marked.remarks, *(each.remark for each in found))) if found else marked


def _applied(marked: MarkedSheet, override: Override) -> MarkedSheet:
    points = marked.points_of.get(override.matrix)
    if points is None:
        raise TracerError(f"--overrides: {override.student}: {override.matrix} has no points on this sheet")
    earned, most = points
    if override.cell is not None:
        marks = list(marked.of(override.matrix))
        mark = next((each for each in marks if (each.row, each.column) == override.cell), None)
        if mark is None:
            raise TracerError(f"--overrides: {override.student}: {override.matrix} has no such cell")
        earned, most = earned - marked.share(mark) * most / len(marks) + override.points, most
    else:
        earned = override.points
    if earned > most + 1e-9:
        raise TracerError(f"--overrides: {override.student}: {override.matrix} is worth {points_text(most)} points")
    return replace(marked, adjusted={**marked.adjusted, override.matrix: earned})


def read_overrides(path: Path) -> Overrides:
    """The decisions of a file. Raises TracerError, naming the row, for what cannot be read."""
    try:
        with open_regular(path) as file:
            text = decoded(file.read(MOST_BYTES))
    except OSError as wrong:
        raise TracerError(f"{path}: cannot be read: {wrong.strerror or wrong}") from None
    except ValueError as wrong:
        raise TracerError(f"{path}: {wrong}") from None
    found: dict[str, list[Override]] = {}
    for each in _overrides(path, text):
        found.setdefault(folded(each.student), []).append(each)
    return Overrides(found)


def _overrides(path: Path, text: str) -> Iterator[Override]:
    head = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    columns = {(each or "").strip().lower(): each for each in rows.fieldnames or ()}
    place = columns.get("matrix", columns.get("cell"))
    if place is None or not {"student", "points"} <= columns.keys():
        raise TracerError(f"{path}: row 1: expected the columns {', '.join(COLUMNS)}")
    for number, row in enumerate(rows, 2):
        own = {name: (row.get(head) or "").strip() for name, head in columns.items()}
        named = (row.get(place) or "").strip()
        cell = _CELL.fullmatch(named)
        try:
            points = float(own["points"].replace(",", "."))
        except ValueError:
            points = math.nan
        if not own["student"] or not named or not 0 <= points <= 1e6:
            raise TracerError(f"{path}: row {number}: expected a student, a matrix or cell (Z1, Z1[1,2]) and points")
        yield Override(
            own["student"], cell[1] if cell else named, points, own.get("reason", ""), own.get("by", ""),
            (int(cell[2]) - 1, int(cell[3]) - 1) if cell else None,
        )  # fmt: skip


def folded(name: str) -> str:
    """A name as it is compared: in any case, with any spaces.

    >>> folded(" Ada  LOVELACE ")
    'ada lovelace'
    """
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
