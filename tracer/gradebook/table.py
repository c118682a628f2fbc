"""A gradebook's own export, filled in: its columns, order, encoding, separators and line ends stay as they are."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tracer.classroom.overrides import folded
from tracer.errors import TracerError
from tracer.files import open_regular, replace_file
from tracer.gradebook.grades import Grade

MOST_BYTES = 50_000_000


@dataclass
class GradeTable:
    """Rows of text with the way in which they were written. `path` is only for messages."""

    path: Path
    rows: list[list[str]]
    delimiter: str = ","
    encoding: str = "utf-8"
    line_end: str = "\r\n"

    @property
    def head(self) -> list[str]:
        return self.rows[0]

    @property
    def decimal(self) -> str:
        """The decimal mark of a number in it: a comma where semicolons separate its cells."""
        return "," if self.delimiter == ";" else "."

    def column(self, *names: str) -> int | None:
        """The column of any of these headings, in any case."""
        wanted = [folded(name) for name in names]
        return next((k for k, each in enumerate(self.head) if folded(each.strip("﻿")) in wanted), None)

    def write(self, path: Path) -> None:
        """Write it as it was. Raises ExportError."""
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self.delimiter, lineterminator=self.line_end).writerows(self.rows)
        content = text.getvalue().encode(self.encoding)
        replace_file(path, lambda file: file.write(content))


def read_table(path: Path) -> GradeTable:
    """A gradebook's export. Raises TracerError where it cannot be read."""
    try:
        with open_regular(path) as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as wrong:
        raise TracerError(f"--into {path}: cannot be read: {wrong.strerror or wrong}") from None
    if len(content) > MOST_BYTES:
        raise TracerError(f"--into {path}: is larger than {MOST_BYTES:,} bytes")
    encoding = _encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        encoding = "cp1252"
        text = content.decode(encoding, errors="replace")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    line_end = "\r\n" if "\r\n" in text else "\n"
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error as wrong:
        raise TracerError(f"--into {path}: not CSV: {wrong}") from None
    if len(rows) < 1 or len(rows[0]) < 2:
        raise TracerError(f"--into {path}: found no table, expected the file that the gradebook exports")
    width = len(rows[0])
    return GradeTable(path, [row + [""] * (width - len(row)) for row in rows], delimiter, encoding, line_end)


def _encoding(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig" if content.startswith(codecs.BOM_UTF8) else "utf-8"


@dataclass(frozen=True)
class FilledGradebook:
    """What became of a gradebook: a file written, whom it does not know, who in it handed nothing in."""

    path: Path
    filled: int
    unknown: Sequence[str] = ()
    missing: Sequence[str] = ()
    notes: Sequence[str] = ()

    def says(self) -> Iterator[str]:
        """For the terminal."""
        yield f"{self.path}: {self.filled} {'grade' if self.filled == 1 else 'grades'}"
        for what, who in (("not in the gradebook", self.unknown), ("no grade, left as they are", self.missing)):
            if who:
                more = f" and {len(who) - MOST_NAMED} more" if len(who) > MOST_NAMED else ""
                yield f"  {what}: {', '.join(who[:MOST_NAMED])}{more}"
        yield from (f"  {note}" for note in self.notes)


MOST_NAMED = 10


@dataclass
class Matching:
    """Finds the grade of each row, by what the gradebook has of a student; the surest comes first.

    A name that two grades or two rows have matches nobody.
    """

    grades: Sequence[Grade]
    taken: dict[int, str] = field(default_factory=dict)

    def of_row(self, keys: Sequence[tuple[str, str]]) -> Grade | None:
        """The grade of a row with these keys: pairs of platform, id or name, and a text."""
        for kind, text in keys:
            found = [
                k for k, each in enumerate(self.grades) if text and folded(getattr(each, kind)) in _ways(kind, text)
            ]
            if len(found) == 1 and found[0] not in self.taken:
                self.taken[found[0]] = text
                return self.grades[found[0]]
            if found:
                return None
        return None

    @property
    def unknown(self) -> list[str]:
        """Whose grades no row took."""
        return [each.name or each.id or each.file for k, each in enumerate(self.grades) if k not in self.taken]


def _ways(kind: str, text: str) -> set[str]:
    plain = folded(text)
    if kind == "id":
        return {plain, plain.removeprefix("#")}
    if kind != "name" or "," not in plain:
        return {plain}
    last, _, first = plain.partition(",")
    return {plain, folded(f"{first} {last}")}


def check_maximum(path: Path, found: float | None, grades: Sequence[Grade]) -> None:
    """Raises TracerError where a gradebook's maximum is not that of the grades."""
    wanted = next((each.maximum for each in grades), None)
    if found is not None and wanted is not None and abs(found - wanted) > 1e-6:
        raise TracerError(
            f"--into {path}: its maximum is {found:g} and these grades are out of {wanted:g}; say --out-of {found:g}, "
            "or change the gradebook"
        )


def number_in(text: str) -> float | None:
    """A number with either decimal mark; None where there is none."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None


def placed(table: GradeTable, row: Sequence[str], columns: Mapping[str, Sequence[int | None]]) -> list[tuple[str, str]]:
    """The keys of a row, by the columns that hold them."""
    return [(kind, row[at]) for kind, places in columns.items() for at in places if at is not None]
