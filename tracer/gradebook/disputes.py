"""Marks held beside earlier ones: whose rose or fell, and in which matrices."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tracer.classroom.class_marks import HEAD, MarksLine, as_text
from tracer.errors import TracerError
from tracer.files import open_regular
from tracer.judging.points import points_text

MOST_BYTES = 200_000_000
HALF = 0.005  # marks.csv has two decimals


@dataclass(frozen=True)
class EarlierMarks:
    """What `marks.csv` said of one file: its points, and those of single matrices."""

    points: float
    of: Mapping[str, float]


@dataclass(frozen=True)
class Difference:
    """A file whose points are others than before."""

    file: str
    before: float
    now: float
    where: tuple[str, ...]

    @property
    def says(self) -> str:
        how = "rose" if self.now > self.before else "fell"
        places = f" ({', '.join(self.where)})" if self.where else ""
        return f"{self.file}: {how} from {points_text(self.before)} to {points_text(self.now)}{places}"


def read_marks_csv(path: Path) -> dict[str, EarlierMarks]:
    """The marks of an earlier run by file. Raises TracerError where it is no marks.csv."""
    try:
        with open_regular(path) as file:
            text = file.read(MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        raise TracerError(f"{path}: cannot be read ({wrong})") from None
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if tuple((rows.fieldnames or ())[: len(HEAD)]) != HEAD:
        raise TracerError(f"{path}: is no marks.csv; expected the columns {', '.join(HEAD)}, …")
    found = {}
    for row in rows:
        numbers = {key: number for key, cell in row.items() if (number := _number(cell)) is not None}
        if "points" in numbers:
            of = {key: number for key, number in numbers.items() if key not in HEAD}
            found[row["file"]] = EarlierMarks(numbers["points"], of)
    return found


def _number(cell: object) -> float | None:
    try:
        return float(cell) if isinstance(cell, str) and cell else None
    except ValueError:
        return None


def differences(lines: Iterable[MarksLine], before: Mapping[str, EarlierMarks]) -> Iterator[Difference]:
    """The files whose points changed, in their order."""
    for line in lines:
        old = before.get(as_text(line.file))
        if old is None or line.fault or abs(old.points - line.total[0]) <= HALF:
            continue
        where = [
            f"{each} {points_text(old.of.get(each, 0.0))} → {points_text(line.points.get(each, 0.0))}"
            for each in dict.fromkeys((*line.points, *(old.of.keys() & line.points.keys())))
            if abs(old.of.get(each, 0.0) - line.points.get(each, 0.0)) > HALF
        ]
        yield Difference(line.file, old.points, line.total[0], tuple(where))
