"""What gradebooks do with a file that is handed to them: the rules of their importers, written anew from their sources.

Facts from instructure/canvas-lms lib/gradebook_importer.rb, moodle/moodle mod/assign/feedback/offline and file
(importgradeslib.php, importziplib.php), the documentation of Brightspace and Blackboard, and nbgrader's export.
Each function takes the system's students and returns what it would record.
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

Recorded = dict[str, float]


class RefusedError(Exception):
    """The importer would not take the file."""


def canvas(
    content: bytes, students: Mapping[str, Mapping[str, str]], assignments: Mapping[str, str]
) -> tuple[Recorded, list[str]]:
    """Scores by Canvas id, and new assignments that would be made.

    `students` has of each Canvas id the name, SIS id and login; `assignments` the titles by id. The header begins with
    Student, ID and has Section; between them SIS columns may stand. The Points Possible row's first cell says so.
    """
    text = content.decode("utf-8-sig")
    first = text.splitlines()[:3]
    delimiter = ";" if sum(line.count(";") for line in first) > sum(line.count(",") for line in first) else ","
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    head = rows[0]
    if len(head) < 3 or not re.match("Student", head[0]) or not re.match("ID", head[1]):
        raise RefusedError("header")
    section = next((k for k, each in enumerate(head) if each == "Section"), None)
    if section is None or any(
        each not in ("SIS User ID", "SIS Login ID", "Integration ID", "Root Account") for each in head[2:section]
    ):
        raise RefusedError("columns before Section")
    new, columns = [], {}
    for k in range(section + 1, len(head)):
        found = re.fullmatch(r"(.*)\s\(([0-9]+)\)", head[k].strip())
        if found and found[2] in assignments:
            columns[k] = found[2]
        else:
            new.append(head[k])
            columns[k] = head[k]
    recorded: Recorded = {}
    for row in rows[1:]:
        if "Points Possible" in row[0] or not "".join(row).strip():
            continue
        own = dict(zip(head, row, strict=False))
        who = row[1] if row[1] in students else ""
        who = who or _one(
            k for k, each in students.items() if own.get("SIS User ID") and each["sis"] == own["SIS User ID"]
        )
        who = who or _one(
            k for k, each in students.items() if own.get("SIS Login ID") and each["login"] == own["SIS Login ID"]
        )
        who = who or _one(k for k, each in students.items() if each["name"] == row[0])
        if not who:
            continue
        for k in columns:
            cell = row[k].strip()
            if cell and cell.upper() != "EX":
                recorded[who] = round(float(cell.replace(",", ".")), 2)
    return recorded, new


def _one(found: "object") -> str:
    every = list(found)  # type: ignore[call-overload]
    return every[0] if len(every) == 1 else ""


def moodle(content: bytes, participants: Mapping[str, str], maximum: float, modified: Mapping[str, str]) -> Recorded:
    """Grades by participant number: needs Identifier, Grade and Last modified (grade), in UTF-8 with commas.

    A row whose time of the last change is not Moodle's is skipped, and so is an empty grade.
    """
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    head = rows[0]
    if not {"Identifier", "Grade", "Last modified (grade)"} <= set(head):
        raise RefusedError("columns")
    recorded: Recorded = {}
    for row in rows[1:]:
        own = dict(zip(head, row, strict=True))
        found = re.fullmatch(r"Participant ([0-9]+)", own["Identifier"])
        if not found or found[1] not in participants:
            raise RefusedError("participant")
        if own["Last modified (grade)"] != modified[found[1]] or not own["Grade"].strip():
            continue
        grade = float(own["Grade"].replace(",", "."))
        if not 0 <= grade <= maximum:
            raise RefusedError("grade")
        recorded[found[1]] = grade
    return recorded


def moodle_feedback(content: bytes, participants: Sequence[str]) -> dict[str, str]:
    """The feedback file of each participant: folders are split at each underscore, the second part is the number."""
    recorded = {}
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        for name in packed.namelist():
            folder, _, file = name.partition("/")
            parts = folder.split("_", 4)
            if (
                file.startswith((".", "~"))
                or len(parts) < 4
                or not parts[1].isdecimal()
                or parts[1] not in participants
            ):
                continue
            if parts[2:4] == ["assignsubmission", "file"]:
                recorded[parts[1]] = file
    return recorded


def brightspace(content: bytes, students: Mapping[str, str], items: Mapping[str, float]) -> Recorded:
    """Points by OrgDefinedId: the last column is End-of-Line Indicator with #, an id may begin with #."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    head = rows[0]
    if head[0] not in ("OrgDefinedId", "Username") or head[-1] != "End-of-Line Indicator":
        raise RefusedError("columns")
    (title,) = [found[1] for each in head if (found := re.fullmatch(r"(.*) Points Grade", each))]
    if title not in items:
        raise RefusedError("item")
    recorded: Recorded = {}
    for row in rows[1:]:
        if row[-1] != "#":
            raise RefusedError("end of line")
        own = dict(zip(head, row, strict=True))
        who = own.get("OrgDefinedId", "").removeprefix("#")
        if who in students and own[f"{title} Points Grade"]:
            recorded[who] = min(float(own[f"{title} Points Grade"]), items[title])
    return recorded


def blackboard(content: bytes, students: Sequence[str], columns: Mapping[str, float]) -> Recorded:
    """Scores by user name; a column whose heading does not end in |ID of one that there is becomes a text column."""
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in text else ","))
    head = rows[0]
    if "Username" not in head:
        raise RefusedError("Username")
    recorded: Recorded = {}
    for k, each in enumerate(head):
        found = re.search(r"\|(\w+)$", each)
        if each == "Username" or not found or found[1] not in columns:
            continue
        for row in rows[1:]:
            who = row[head.index("Username")]
            if who in students and row[k].strip():
                recorded[who] = float(row[k])
    return recorded


def gradescope(path: Path) -> float:
    """The score of a results.json: its own, or the sum of its tests."""
    document = json.loads(path.read_text(encoding="utf-8"))
    if "score" not in document and not document.get("tests"):
        raise RefusedError("neither score nor tests")
    if document.get("visibility", "visible") not in ("hidden", "after_due_date", "after_published", "visible"):
        raise RefusedError("visibility")
    return float(document.get("score", sum(each.get("score", 0) for each in document.get("tests", ()))))


def nbgrader(content: bytes) -> Recorded:
    """Scores by student of nbgrader's own export."""
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
    wanted = ["assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
              "late_submission_penalty", "score", "max_score"]  # fmt: skip
    if rows.fieldnames != wanted:
        raise RefusedError("columns")
    return {row["student_id"]: float(row["score"]) for row in rows}
