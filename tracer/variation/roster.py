"""Who is in a class: a table with a heading over each column, as every gradebook exports one."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracer.errors import TracerError
from tracer.files import open_regular
from tracer.problem.hints import decoded

MOST_BYTES, MOST_STUDENTS, LONGEST = 20_000_000, 20_000, 200
_HEADINGS = {
    "name": ("name", "student", "student name", "full name", "nombre", "nombre completo", "alumno", "estudiante"),
    "first": ("first name", "given name", "vorname", "nombre de pila", "prénom"),
    "last": ("last name", "surname", "family name", "nachname", "apellido", "apellidos", "apellido(s)", "nom"),
    "id": ("id", "student id", "id number", "student number", "sis user id", "orgdefinedid", "matriculation number",
           "número de id", "número de identificación", "dni"),
    "group": ("group", "team", "grupo", "equipo", "gruppe"),
    "email": ("email", "e-mail", "email address", "mail", "correo", "correo electrónico", "dirección de correo"),
}  # fmt: skip


@dataclass(frozen=True)
class Student:
    """Somebody in a class; what is not known is "". `email` goes to the teacher's mail merge alone."""

    name: str
    id: str = ""
    group: str = ""
    email: str = ""

    @property
    def called(self) -> str:
        return self.name or self.id


def read_roster(path: Path) -> list[Student]:
    """The students of a CSV file in its order. Raises TracerError, naming row and column, where it is none."""
    try:
        with open_regular(path) as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as wrong:
        raise TracerError(f"{path}: cannot be read: {wrong.strerror or wrong}") from None
    if len(content) > MOST_BYTES:
        raise TracerError(f"{path}: is larger than {MOST_BYTES:,} bytes, expected a class")
    students = list(_students(path, _rows(path, content)))
    if not students:
        raise TracerError(f"{path}: found no students, expected a row for each below the headings")
    _no_doubles(path, students)
    return students


def _no_doubles(path: Path, students: Sequence[Student]) -> None:
    """Raises TracerError for an id that two have, and for namesakes that nothing tells apart."""
    ids = Counter(each.id for each in students if each.id)
    names = Counter(each.name for each in students if not each.id)
    for what, counted in (("id", ids), ("name", names)):
        twice = next((text for text, count in counted.items() if count > 1), None)
        if twice is not None:
            says = "each needs one of their own" if what == "id" else "an id must tell them apart"
            raise TracerError(f"{path}: {counted[twice]} students have the {what} {twice!r}; {says}")


def _rows(path: Path, content: bytes) -> list[list[str]]:
    try:
        text = decoded(content)
    except ValueError as wrong:
        raise TracerError(f"{path}: {wrong}") from None
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        return [
            [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        ]
    except csv.Error as wrong:
        raise TracerError(f"{path}: not CSV: {wrong}") from None


def _students(path: Path, rows: Sequence[Sequence[str]]) -> Iterator[Student]:
    columns = {what: at for at, head in enumerate(rows[0] if rows else ()) if (what := _meant(head)) is not None}
    if not {"name", "id", "last"} & columns.keys():
        found = ", ".join(map(repr, rows[0][:6])) if rows else "nothing"
        raise TracerError(
            f"{path}: row 1: found {found}, expected headings with a name or an id (group and email may be there)"
        )
    for number, row in enumerate(rows[1:], 2):
        if not any(row):
            continue
        if number > MOST_STUDENTS:
            raise TracerError(f"{path}: has more than {MOST_STUDENTS:,} rows, expected a class")
        own = {what: row[at] if at < len(row) else "" for what, at in columns.items()}
        long = next((what for what, text in own.items() if len(text) > LONGEST or not text.isprintable()), None)
        if long:
            raise TracerError(f"{path}: row {number}: the {long} is no line of text of at most {LONGEST} characters")
        name = own.get("name") or " ".join(filter(None, (own.get("first"), own.get("last"))))
        if not name and not own.get("id"):
            raise TracerError(f"{path}: row {number}: found neither a name nor an id")
        yield Student(name, own.get("id", "").removeprefix("#"), own.get("group", ""), own.get("email", ""))


def _meant(heading: str) -> str | None:
    """What a heading says of its column."""
    plain = re.sub(r"[\s_]+", " ", unicodedata.normalize("NFC", heading)).strip().casefold()
    return next((what for what, known in _HEADINGS.items() if plain in known), None)
