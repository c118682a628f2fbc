"""What each gradebook imports, by its importer's own rules (the sources are named at each).

Nothing is invented: who has no grade keeps what the gradebook has, which is never replaced by 0.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracer.classroom.class_marks import as_text
from tracer.classroom.findings import printable
from tracer.errors import TracerError
from tracer.files import replace_file, safe_name, write_text
from tracer.gradebook.grades import Grade, number_text
from tracer.gradebook.table import FilledGradebook, GradeTable, Matching, check_maximum, number_in, placed, read_table


@dataclass(frozen=True)
class Export:
    """Grades to be written into `folder` for an assignment called `title`; `into` is the system's own export.

    `students` are all of a roster, (name, id); `reports` has the feedback page of each file.
    """

    folder: Path
    title: str
    grades: Sequence[Grade]
    into: Path | None = None
    students: Sequence[tuple[str, str]] = ()
    reports: dict[str, Path] | None = None

    def own(self) -> GradeTable:
        """The system's export. Raises TracerError where there is none."""
        if self.into is None:
            raise TracerError("--into: this system fills in the file that it exports itself; name it")
        return read_table(self.into)

    def in_points(self, grade: Grade, table: GradeTable) -> str:
        return grade.text.replace(".", table.decimal)

    @property
    def without(self) -> list[str]:
        """Who of the roster has no grade."""
        graded = {(each.name, each.id) for each in self.grades}
        return [name or number for name, number in self.students if (name, number) not in graded]


# Canvas: lib/gradebook_importer.rb. A title with an id behind it is an assignment that is there, without one a new one.

CANVAS_KEYS = ("SIS User ID", "SIS Login ID", "Integration ID", "Root Account")
_CANVAS_ID = re.compile(r"(?P<title>.*\S)\s*\((?P<id>[0-9]+)\)")


def canvas(export: Export) -> FilledGradebook:
    path = export.folder / "canvas.csv"
    if export.into is None:
        head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", export.title]
        maximum = number_text(export.grades[0].maximum) if export.grades else ""
        rows = [head, ["    Points Possible", "", "", "", "", maximum]]
        rows += [[as_text(each.name), "", as_text(each.id), "", "", each.text] for each in export.grades]
        GradeTable(path, rows).write(path)
        says = f"a column without an id makes a new assignment {export.title!r}; --into fills in one that is there"
        return FilledGradebook(path, len(export.grades), (), export.without, (says,))
    table = export.own()
    at = _canvas_column(table, export.title)
    section = table.column("Section")
    if table.column("Student") != 0 or table.column("ID") != 1 or section is None:
        raise TracerError(f"--into {table.path}: expected the columns Student, ID, …, Section, as Canvas exports them")
    match, filled, missing, kept = Matching(export.grades), 0, list[str](), list[str]()
    notes = []
    if at is None:
        notes.append(f"the export has no assignment {export.title!r}; a new one is made")
    rows = [[*row[: section + 1], row[at] if at is not None else ""] for row in table.rows]
    rows[0][-1] = table.head[at] if at is not None else export.title
    for row in rows[1:]:
        if "points possible" in row[0].lower():
            check_maximum(table.path, number_in(row[-1]), export.grades)
            row[-1] = row[-1] or (number_text(export.grades[0].maximum) if export.grades else "")
            continue
        if not row[1].strip() or row[0].strip().lower() in ("student, test", "test student"):
            continue
        found = match.of_row([("id", row[1]), *(("id", text) for text in row[2:section]), ("name", row[0])])
        if found is None:
            missing.append(row[0])
        elif row[-1].strip().upper() == "EX":
            kept.append(row[0])
        else:
            row[-1], filled = export.in_points(found, table), filled + 1
    GradeTable(path, rows, table.delimiter, table.encoding, table.line_end).write(path)
    notes += [f"excused (EX), left so: {', '.join(kept)}"] if kept else []
    return FilledGradebook(path, filled, match.unknown, missing, notes)


def _canvas_column(table: GradeTable, title: str) -> int | None:
    """The column of an assignment by its title; the only one there is, where none has it."""
    found = {k: split for k, head in enumerate(table.head) if (split := _CANVAS_ID.fullmatch(head.strip()))}
    named = [k for k, split in found.items() if split["title"].strip().casefold() == title.strip().casefold()]
    if len(named) == 1:
        return named[0]
    return next(iter(found)) if len(found) == 1 else None


# Moodle: mod/assign/feedback/offline/importgradeslib.php. It needs identifier, grade and the time of the last change.

GRADE = (
    "Grade",
    "Calificación",
    "Bewertung",
    "Note",
    "Nota",
    "Valutazione",
    "Cijfer",
    "Qualificació",
    "Betyg",
    "Ocena",
)
MAXIMUM = ("Maximum grade", "Calificación máxima", "Beste Bewertung", "Maximalnote", "Note maximale", "Nota máxima",
           "Calificación más alta")  # fmt: skip
FULL_NAME = ("Full name", "Nombre completo", "Vollständiger Name", "Nom complet", "Nome completo")
ID_NUMBER = ("ID number", "Número de ID", "Número de identificación", "ID-Nummer", "Numéro d'identification")
_PARTICIPANT = re.compile(r".*\D([0-9]+)|([0-9]+)")


def moodle(export: Export) -> FilledGradebook:
    table, path = export.own(), export.folder / "moodle.csv"
    grade, maximum = table.column(*GRADE), table.column(*MAXIMUM)
    if grade is None:
        raise TracerError(
            f"--into {table.path}: found no column {' / '.join(GRADE[:4])}; download the grading worksheet"
        )
    names, ids = (table.column(*each) for each in (FULL_NAME, ID_NUMBER))
    match, filled, missing = Matching(export.grades), 0, list[str]()
    for row in table.rows[1:]:
        if maximum is not None:
            check_maximum(table.path, number_in(row[maximum]), export.grades)
        participant = _PARTICIPANT.fullmatch(row[0].strip())
        number = (participant[1] or participant[2]) if participant else ""
        found = match.of_row([("platform", number), *placed(table, row, {"id": [ids], "name": [names]})])
        if found is None:
            missing.append(row[names] if names is not None else row[0])
            continue
        comma = maximum is not None and "," in row[maximum]
        row[grade], filled = found.text.replace(".", "," if comma else "."), filled + 1
    table.write(path)
    return FilledGradebook(path, filled, match.unknown, missing)


def moodle_feedback(export: Export) -> FilledGradebook:
    """mod/assign/feedback/file/importziplib.php: folders NAME_NUMBER_assignsubmission_file, split at underscores."""
    path, reports = export.folder / "moodle-feedback.zip", export.reports or {}
    folders = {each.file: each.folder.partition("_assignsubmission_")[0].split("_") for each in export.grades}
    lost = [each.name for each in export.grades if each.folder and len(folders[each.file]) != 2]
    going = [each for each in export.grades if each.folder and each.name not in lost and each.file in reports]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for each in going:
            name, number = folders[each.file]
            entry = zipfile.ZipInfo(f"{name}_{number}_assignsubmission_file_/feedback.html", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, reports[each.file].read_bytes())
    content = packed.getvalue()
    replace_file(path, lambda file: file.write(content))
    unknown = [each.name for each in export.grades if not each.folder]
    notes = [f"Moodle loses a name with an underscore; give these by hand: {', '.join(lost)}"] if lost else []
    return FilledGradebook(path, len(going), unknown, (), notes)


# Brightspace: OrgDefinedId or Username, "… Points Grade", and a last column of #.

_ITEM = re.compile(r"(?P<title>.*\S)\s+Points Grade(?:\s*<.*?MaxPoints:(?P<most>[0-9.]+).*>)?")
END = "End-of-Line Indicator"


def brightspace(export: Export) -> FilledGradebook:
    path = export.folder / "brightspace.csv"
    if export.into is None:
        rows = [["OrgDefinedId", f"{export.title} Points Grade", END]]
        known = [each for each in export.grades if each.id]
        rows += [[f"#{printable(each.id)}", each.text, "#"] for each in known]
        GradeTable(path, rows).write(path)
        return FilledGradebook(path, len(known), [each.name for each in export.grades if not each.id], export.without)
    table = export.own()
    ids, user = table.column("OrgDefinedId"), table.column("Username")
    items = {k: found for k, head in enumerate(table.head) if (found := _ITEM.fullmatch(head.strip()))}
    named = [k for k, found in items.items() if found["title"].casefold() == export.title.casefold()] or list(items)
    if (ids is None and user is None) or len(named) != 1:
        raise TracerError(
            f"--into {table.path}: expected OrgDefinedId or Username and one column “{export.title} Points Grade”, as "
            "Brightspace exports them"
        )
    most = items[named[0]]["most"]
    check_maximum(table.path, number_in(most) if most else None, export.grades)
    first, last = table.column("First Name"), table.column("Last Name")
    keys = [k for k in (ids, user) if k is not None]
    match, missing, filled = Matching(export.grades), list[str](), 0
    title = items[named[0]]["title"]
    rows = [[*(table.head[k] for k in keys), f"{title} Points Grade", END]]
    for row in table.rows[1:]:
        name = " ".join(row[k] for k in (first, last) if k is not None)
        grade = match.of_row([*(("id", row[k]) for k in keys), ("name", name)])
        if grade is None:
            missing.append(name or row[keys[0]])
            continue
        filled += 1
        own = [f"#{row[k].removeprefix('#')}" if row[k] else "" for k in keys]
        rows.append([*own, export.in_points(grade, table), "#"])
    GradeTable(path, rows, table.delimiter, table.encoding, table.line_end).write(path)
    return FilledGradebook(path, filled, match.unknown, missing)


# Blackboard: Username and "Title [Total Pts: 10 Score] |123"; a column without its id becomes text.

_BLACKBOARD = re.compile(r"(?P<title>.*?)\s*\[Total Pts:\s*(?:up to )?(?P<most>[0-9.,]+)[^\]]*\]\s*\|(?P<id>_?[0-9_]+)")


def blackboard(export: Export) -> FilledGradebook:
    table, path = export.own(), export.folder / "blackboard.csv"
    columns = {k: split for k, head in enumerate(table.head) if (split := _BLACKBOARD.fullmatch(head.strip()))}
    named = [k for k, split in columns.items() if split["title"].strip().casefold() == export.title.strip().casefold()]
    named = named or list(columns)
    user = table.column("Username", "User name", "Nombre de usuario")
    if user is None or len(named) != 1:
        raise TracerError(
            f"--into {table.path}: expected Username and one column “{export.title} [Total Pts: …] |…”, as Blackboard "
            "exports them"
        )
    check_maximum(table.path, number_in(columns[named[0]]["most"]), export.grades)
    number = table.column("Student ID", "ID de alumno")
    first, last = table.column("First Name", "Nombre"), table.column("Last Name", "Apellidos")
    match, missing, filled = Matching(export.grades), list[str](), 0
    rows = [[table.head[user], table.head[named[0]]]]
    for row in table.rows[1:]:
        name = " ".join(row[k] for k in (first, last) if k is not None)
        found = match.of_row([*placed(table, row, {"id": [number, user]}), ("name", name)])
        if found is None:
            missing.append(name or row[user])
            continue
        filled += 1
        rows.append([row[user], export.in_points(found, table)])
    GradeTable(path, rows, "\t", table.encoding, table.line_end).write(path)
    return FilledGradebook(path, filled, match.unknown, missing)


# Gradescope: a results.json for each submission, with a test for each matrix.


def gradescope(export: Export) -> FilledGradebook:
    folder, used = export.folder / "gradescope", set[str]()
    for each in export.grades:
        label, number = safe_name(" ".join(filter(None, (each.name, each.id))) or each.file), 1
        while (name := label if number == 1 else f"{label}-{number}").casefold() in used:
            number += 1
        used.add(name.casefold())
        parts = each.parts or {}
        tests = [{"name": key, "score": round(points, 6), "visibility": "visible"} for key, points in parts.items()]
        document = {
            "score": round(each.grade, 6),
            "visibility": "visible",
            "stdout_visibility": "hidden",
            "tests": tests,
        }
        write_text(folder / name / "results.json", json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    return FilledGradebook(folder, len(export.grades), (), export.without)


# nbgrader: the columns of its own export (plugins/export.py).

NBGRADER = ("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
            "late_submission_penalty", "score", "max_score")  # fmt: skip


def nbgrader(export: Export) -> FilledGradebook:
    path, text = export.folder / "nbgrader.csv", io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(NBGRADER)
    known = [each for each in export.grades if each.id or each.name]
    for each in known:
        first, _, last = each.name.rpartition(" ")
        score = number_text(each.grade)
        table.writerow(
            (safe_name(export.title), "", "", *map(as_text, (each.id or each.name, last, first)), "", score, 0.0, score,
             number_text(each.maximum))
        )  # fmt: skip
    write_text(path, text.getvalue())
    return FilledGradebook(path, len(known), (), export.without)


SYSTEMS: dict[str, Callable[[Export], FilledGradebook]] = {
    "canvas": canvas,
    "moodle": moodle,
    "moodle-feedback": moodle_feedback,
    "brightspace": brightspace,
    "blackboard": blackboard,
    "gradescope": gradescope,
    "nbgrader": nbgrader,
}
FILES = ("canvas.csv", "moodle.csv", "moodle-feedback.zip", "brightspace.csv", "blackboard.csv", "nbgrader.csv")
