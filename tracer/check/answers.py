"""Reading what a learner handed in: JSON and CSV here, workbooks in workbooks.py.

Answer files come from strangers: sizes are bounded, nothing in them is evaluated.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tracer.check.handed_in import MOST_CELLS, MOST_TEXT, filled
from tracer.check.handed_in import AnswerError as AnswerError
from tracer.check.handed_in import Answers as Answers
from tracer.check.handed_in import Grid as Grid
from tracer.check.numbers import BLANK, Entry, read_number, unreadable

MOST_BYTES = 20_000_000


def read_answers(path: Path) -> Answers:
    """Read an answer file. Raises AnswerError, naming it, where that cannot be done."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise AnswerError(
                f"{path.name}: {size:,} bytes are more than anybody writes by hand (at most {MOST_BYTES:,})"
            )
        content = path.read_bytes()
    except OSError as wrong:
        raise AnswerError(f"{path.name}: cannot be read ({wrong.strerror})") from None
    return read_content(path.name, content)


def read_content(name: str, content: bytes) -> Answers:
    """Read the content of an answer file by what its name ends in."""
    reader = _READERS.get(Path(name).suffix.lower())
    if reader is None:
        raise AnswerError(f"{name}: expected a file ending in {', '.join(_READERS)}")
    return reader(name, content)


def _text(name: str, content: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16") if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    try:
        return content.decode("cp1252")  # what Excel writes as CSV in western Europe
    except UnicodeDecodeError:
        raise AnswerError(f"{name}: this is not text in UTF-8") from None


def read_json(name: str, content: bytes) -> Answers:
    """`{"Z1": [["1.48", …], …], "student": {…}, "given": {…}}`; numbers keep the digits that are written."""
    try:
        document = json.loads(
            _text(name, content), parse_float=read_number, parse_int=read_number, parse_constant=unreadable
        )
    except RecursionError:
        raise AnswerError(f"{name}: nested too deeply") from None
    except ValueError as wrong:
        raise AnswerError(f"{name}: this is not JSON ({wrong})") from None
    if not isinstance(document, dict):
        raise AnswerError(f"{name}: expected an object with a matrix for each identifier, found {_kind(document)}")
    left = [MOST_CELLS]
    given = document.get("given") or {}
    if not isinstance(given, dict):
        raise AnswerError(f"{name}: given: expected an object with matrices, found {_kind(given)}")
    return Answers(
        file=name,
        matrices={key: _grid(name, key, rows, left) for key, rows in document.items() if key not in _RESERVED},
        given={key: _grid(name, f"given.{key}", rows, left) for key, rows in given.items()},
        student=_student(name, document.get("student")),
        problem_sha256=_word(document.get("problem_sha256")),
    )


_RESERVED = {"student", "given", "problem_sha256"}


def _grid(name: str, key: str, rows: Any, left: list[int]) -> Grid:
    place = f"{name}: {key[:MOST_TEXT]}"
    if not isinstance(rows, list):
        rows = [rows]  # a single number, as for the loss
    rows = (
        [row if isinstance(row, list) else [row] for row in rows] if any(isinstance(r, list) for r in rows) else [rows]
    )
    left[0] -= sum(map(len, rows))
    if left[0] < 0:
        raise AnswerError(f"{place}: more than {MOST_CELLS:,} cells")
    return tuple(tuple(map(_entry, row)) for row in rows)


def _entry(value: Any) -> Entry:
    if isinstance(value, Entry):
        return value
    if value is None:
        return BLANK
    return read_number(value[: MOST_TEXT + 1]) if isinstance(value, str) else unreadable(_kind(value))


def _student(name: str, value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise AnswerError(f"{name}: student: expected an object with name and id, found {_kind(value)}")
    return {key: _word(value[key]) or "" for key in ("name", "id") if value.get(key) is not None}


def _word(value: Any) -> str | None:
    if value is None:
        return None
    return (value.text if isinstance(value, Entry) else str(value))[:MOST_TEXT]


def _kind(value: Any) -> str:
    names = {
        dict: "an object",
        list: "a list",
        bool: "true or false",
        str: "text",
        Entry: "a number",
        type(None): "null",
    }
    return names.get(type(value), "something else")


def read_csv(name: str, content: bytes) -> Answers:
    """A header `matrix,row,column,value`, then a cell a line; rows and columns count from 1."""
    text = _text(name, content)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=";" if text.split("\n", 1)[0].count(";") >= 3 else ",")
    cells: dict[str, dict[tuple[int, int], Entry]] = {}
    try:
        header = [cell.strip().lower() for cell in next(lines, [])]
        if header[:4] != ["matrix", "row", "column", "value"]:
            raise AnswerError(f"{name}: line 1: expected the header matrix,row,column,value")
        for count, line in enumerate(lines):
            if count >= MOST_CELLS:
                raise AnswerError(f"{name}: more than {MOST_CELLS:,} lines")
            if any(cell.strip() for cell in line):
                matrix, place, entry = _line(name, lines.line_num, line)
                cells.setdefault(matrix, {})[place] = entry
    except csv.Error as wrong:
        raise AnswerError(f"{name}: line {lines.line_num}: {wrong}") from None
    return Answers(file=name, matrices={matrix: filled(found) for matrix, found in cells.items()})


def _line(name: str, number: int, line: list[str]) -> tuple[str, tuple[int, int], Entry]:
    if len(line) < 4:
        raise AnswerError(f"{name}: line {number}: expected matrix,row,column,value")
    if len(line) == 5 and line[4].strip().isdigit():  # a decimal comma that was not quoted
        line = [*line[:3], f"{line[3]},{line[4]}"]
    try:
        row, column = int(line[1]), int(line[2])
    except ValueError:
        row = column = 0
    if not (1 <= row <= MOST_CELLS and 1 <= column <= MOST_CELLS):
        raise AnswerError(f"{name}: line {number}: row and column are expected as numbers from 1")
    return line[0].strip()[:MOST_TEXT], (row - 1, column - 1), read_number(line[3][: MOST_TEXT + 1])


def read_xlsx(name: str, content: bytes) -> Answers:
    """A filled-in worksheet workbook."""
    from tracer.check.workbooks import read_workbook

    return read_workbook(name, content)


_READERS: dict[str, Callable[[str, bytes], Answers]] = {
    ".json": read_json,
    ".csv": read_csv,
    ".xlsx": read_xlsx,
}
