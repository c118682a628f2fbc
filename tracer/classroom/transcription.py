"""A table typed in from paper: a row for each student, a column for each cell that a quiz asks for.

A column `student` says that it is one; the cells' headings are `Z1[1,3]`, rows and columns counted from 1.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracer.answers.handed_in import MOST_TEXT, Answers, filled
from tracer.answers.numbers import BLANK, Entry, read_number
from tracer.classroom.submissions import Submission
from tracer.files import open_regular
from tracer.problem.hints import decoded

STUDENT, ID, VARIANT = "student", "id", "variant"
MOST_BYTES, MOST_ROWS = 20_000_000, 20_000
_CELL = re.compile(r"\s*([A-Za-z]\w{0,30})\s*\[\s*([0-9]{1,4})\s*[,;]\s*([0-9]{1,4})\s*\]\s*", re.ASCII)

TypedCell = tuple[str, int, int]


@dataclass(frozen=True)
class TypedRow(Submission):
    """What one student wrote, as it was typed in. `asked` are the cells that the table has, `number` the variant's."""

    who: tuple[tuple[str, str], ...] = ()
    number: int | None = None
    cells: tuple[tuple[TypedCell, str], ...] = ()

    @property
    def asked(self) -> frozenset[TypedCell]:
        return frozenset(place for place, _ in self.cells)

    @property
    def student(self) -> dict[str, str]:
        return dict(self.who)

    def read(self) -> Answers:
        found: dict[str, dict[tuple[int, int], Entry]] = {}
        for (matrix, row, column), text in self.cells:
            found.setdefault(matrix, {})[row, column] = read_number(text[: MOST_TEXT + 1]) if text.strip() else BLANK
        matrices = {matrix: filled(cells) for matrix, cells in found.items()}
        return Answers(self.name, matrices, student=self.student or None)


def spread_out(submissions: Iterable[Submission]) -> list[Submission]:
    """The files of a class, with a typed table as the rows in it."""
    found: list[Submission] = []
    for each in submissions:
        rows = typed_rows(each.path) if each.member is None and not each.fault else None
        found.extend([each] if rows is None else rows)
    return found


def typed_rows(path: Path) -> Iterator[TypedRow] | None:
    """The rows of a table; None where a file is no such table."""
    if path.suffix.lower() != ".csv":
        return None
    try:
        with open_regular(path) as file:
            text = decoded(file.read(MOST_BYTES))
    except (OSError, ValueError):
        return None
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    headings = [cell.strip() for cell in next(rows, [])]
    places = {at: _place(found) for at, heading in enumerate(headings) if (found := _CELL.fullmatch(heading))}
    columns = {heading.lower(): at for at, heading in enumerate(headings)}
    return _rows(path, rows, columns, places) if places and STUDENT in columns else None


def _place(found: re.Match[str]) -> TypedCell:
    return found[1], int(found[2]) - 1, int(found[3]) - 1


def _rows(
    path: Path, rows: Iterator[Sequence[str]], columns: dict[str, int], places: dict[int, TypedCell]
) -> Iterator[TypedRow]:
    for number, row in zip(range(1, MOST_ROWS + 1), rows, strict=False):

        def text(column: str, row: Sequence[str] = row) -> str:
            at = columns.get(column, len(row))
            return row[at].strip()[:MOST_TEXT] if at < len(row) else ""

        cells = tuple((place, row[at] if at < len(row) else "") for at, place in places.items())
        if not any(written.strip() for _, written in cells):
            continue  # a student who wrote nothing handed in nothing
        who = tuple((key, text(column)) for key, column in (("name", STUDENT), ("id", ID)) if text(column))
        variant = text(VARIANT)
        yield TypedRow(
            f"{path.name}#{number}", path, who=who, number=int(variant) if variant.isdecimal() else None, cells=cells
        )
