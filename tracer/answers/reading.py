"""Reading what a learner handed in: JSON and CSV here, workbooks in workbooks.py, other text in texts.py.

Answer files come from strangers: sizes are bounded, nothing in them is evaluated.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from tracer.answers.handed_in import MOST_CELLS, MOST_TEXT, filled
from tracer.answers.handed_in import AnswerError as AnswerError
from tracer.answers.handed_in import AnswerPage as AnswerPage
from tracer.answers.handed_in import Answers as Answers
from tracer.answers.handed_in import Grid as Grid
from tracer.answers.in_words import of_notes
from tracer.answers.notebooks import text_of_notebook
from tracer.answers.numbers import BLANK, Entry, read_number, unreadable
from tracer.answers.packed import pages_of_ods, text_of_docx
from tracer.answers.pages import answers_on
from tracer.answers.texts import page_of_text
from tracer.files import open_regular

MOST_BYTES = 20_000_000


def read_answers(path: Path) -> Answers:
    """Read an answer file. Raises AnswerError, naming it, where that cannot be done."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(MOST_BYTES + 1)  # whatever it said of its size
    except OSError as wrong:
        raise AnswerError(f"{path.name}: cannot be read ({wrong.strerror})") from None
    if len(content) > MOST_BYTES:
        found = max(size, len(content))
        raise AnswerError(f"{path.name}: {found:,} bytes is too large for work done by hand (at most {MOST_BYTES:,})")
    return read_content(path.name, content)


def read_content(name: str, content: bytes) -> Answers:
    """Read the content of an answer file by what its name ends in."""
    ending = Path(name).suffix.lower()
    reader = _READERS.get(ending)
    if ending in _INSTEAD:
        raise AnswerError(f"{name}: a file ending in {ending} is not read; {_INSTEAD[ending]}")
    if reader is None:
        raise AnswerError(f"{name}: expected a file ending in {', '.join(_READERS)}")
    return reader(name, content)


def _text(name: str, content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    for each in (encoding, "cp1252"):  # the last is what Excel writes as CSV in western Europe
        try:
            text = content.decode(each)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text
    raise AnswerError(f"{name}: not UTF-8 text")


def read_json(name: str, content: bytes) -> Answers:
    """`{"Z1": [["1.48", …], …], "student": {…}, "given": {…}}`; numbers keep the digits that are written."""
    left, twice = [MOST_CELLS], dict[str, None]()

    def number(text: str) -> Entry:
        left[0] -= 1
        if left[0] < 0:
            raise AnswerError(f"{name}: more than {MOST_CELLS:,} numbers")
        return read_number(text[: MOST_TEXT + 1])

    try:
        document = json.loads(
            _text(name, content),
            parse_float=number,
            parse_int=number,
            parse_constant=unreadable,
            object_pairs_hook=lambda pairs: _once(pairs, twice),
        )
    except RecursionError:
        raise AnswerError(f"{name}: nested too deeply") from None
    except ValueError as wrong:
        raise AnswerError(f"{name}: not JSON ({wrong})") from None
    if isinstance(document, list) and document and all(isinstance(each, dict) for each in document):
        document = _of_units(document)
    if not isinstance(document, dict):
        raise AnswerError(f"{name}: expected an object with a matrix for each identifier, found {_kind(document)}")
    for key in _WRAPPERS:
        if isinstance(document.get(key), dict):
            document = {**document.pop(key), **document}
    left = [MOST_CELLS]
    given = document.get("given") or {}
    if not isinstance(given, dict):
        raise AnswerError(f"{name}: given: expected an object with matrices, found {_kind(given)}")
    return Answers(
        file=name,
        matrices={key: _grid(name, key, rows, left) for key, rows in document.items() if key not in _RESERVED},
        given={key: _grid(name, f"given.{key}", rows, left) for key, rows in given.items()},
        student=_student(name, document.get("student")),
        words=of_notes(_notes(document)),
        problem_sha256=_word(document.get("problem_sha256")),
        notes=tuple(f"{key[:MOST_TEXT]}: appears more than once; the first was read" for key in twice),
    )


def _of_units(units: list[dict[str, Any]]) -> dict[str, Any]:
    """What each of several units has, as a row for each thing: its weights, its bias, its output."""
    keys = dict.fromkeys(key for each in units for key in each)
    return {key: [each[key] for each in units if key in each] for key in keys}


def _notes(document: dict[str, Any]) -> Any:
    """What a worksheet page saved in words."""
    student = document.get("student")
    return student.get("notes") if isinstance(student, dict) else None


def _once(pairs: Sequence[tuple[str, Any]], twice: dict[str, None]) -> dict[str, Any]:
    """An object's values by their keys; keys that stand there more than once go into `twice`."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            twice[key] = None
        else:
            found[key] = value
    return found


_RESERVED = {"student", "given", "problem_sha256"}
_WRAPPERS = ("answers", "matrices")  # that somebody may have put all matrices into


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
    if isinstance(value, str):
        return {"name": value[:MOST_TEXT]}
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
    """A header `matrix,row,column,value`, then a cell a line; or blocks of numbers, each with its name."""
    text = _text(name, content)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    cells: dict[str, dict[tuple[int, int], Entry]] = {}
    try:
        first = next(lines, [])
        if first and first[0].lower().startswith("sep="):
            first = next(lines, [])
        columns = _columns(first)
        if columns is None:
            return answers_on(name, [_table(name, first, lines)])
        for count, line in enumerate(lines):
            if count >= MOST_CELLS:
                raise AnswerError(f"{name}: more than {MOST_CELLS:,} lines")
            if any(cell.strip() for cell in line):
                matrix, place, entry = _line(name, lines.line_num, line, columns, len(first))
                cells.setdefault(matrix, {})[place] = entry
    except csv.Error as wrong:
        raise AnswerError(f"{name}: line {lines.line_num}: {wrong}") from None
    return Answers(file=name, matrices={matrix: filled(found) for matrix, found in cells.items()})


HEADER = ["matrix", "row", "column", "value"]
_HEADINGS = (
    {"matrix", "name", "id", "identifier", "matriz"},
    {"row", "zeile", "fila", "ligne", "i"},
    {"column", "col", "spalte", "columna", "colonne", "j"},
    {"value", "answer", "number", "wert", "valor", "valeur"},
)
MOST_HEADINGS = 50


def _columns(header: Sequence[str]) -> list[int] | None:
    """Which columns have matrix, row, column and value; None where the first line is no such header."""
    words = [cell.strip().lower() for cell in header[:MOST_HEADINGS]]
    found = [[place for place, word in enumerate(words) if word in names] for names in _HEADINGS]
    return [places[0] for places in found] if all(len(places) == 1 for places in found) else None


def _delimiter(text: str) -> str:
    """What stands between cells: the mark that Excel names in the first line, else the first of these that occurs.

    In a single column of numbers with decimal commas nothing does.
    """
    first = text.split("\n", 1)[0].strip()
    if first.lower().startswith("sep=") and len(first) == 5:
        return first[4]
    if _columns(first.split(",")) is not None:
        return ","
    decimal_commas = '"' not in text and re.search(r"\.[0-9]", text) is None
    return next((mark for mark in ("\t", ";") if mark in text), "\t" if decimal_commas else ",")


def _table(name: str, first: list[str], lines: Iterator[list[str]]) -> AnswerPage:
    """The cells of a table. Raises AnswerError where they are too many, or cells a line without a header."""
    page: list[list[Entry]] = []
    left = MOST_CELLS
    for line in chain([first], lines):
        left -= max(1, len(line))
        if left < 0:
            raise AnswerError(f"{name}: more than {MOST_CELLS:,} cells")
        page.append([read_number(cell[: MOST_TEXT + 1]) for cell in line])
    listed = [_is_listed(row) for row in page if any(cell.kind != "blank" for cell in row)]
    cells_a_line = all(listed) or (len(listed) > 2 and all(listed[1:]))  # with a header that is not known
    if (len(listed) < 2 and not any(cell.kind == "number" for row in page for cell in row)) or cells_a_line:
        raise AnswerError(
            f"{name}: line 1: expected the header {','.join(HEADER)}, or blocks of numbers, each with its name above it"
        )
    return AnswerPage(page, lines=range(1, len(page) + 1))


def _is_listed(row: Sequence[Entry]) -> bool:
    """Whether a line is a cell of a matrix: Z1,1,2,0.5, with a remark behind it or not."""
    words, *rest = row
    return (
        words.is_words and 4 <= len(row) <= 5 and all(each.kind == "number" and each.decimals == 0 for each in rest[:2])
    )


def read_text(name: str, content: bytes) -> Answers:
    """Markdown tables, printed arrays, lists or lines of numbers, each with its name."""
    return answers_on(name, [page_of_text(name, _text(name, content))])


def _line(
    name: str, number: int, line: list[str], columns: Sequence[int], width: int
) -> tuple[str, tuple[int, int], Entry]:
    """A cell of a matrix; `columns` has the places of matrix, row, column and value, `width` is the header's."""
    if len(line) <= max(columns):
        raise AnswerError(f"{name}: line {number}: expected {','.join(HEADER)}")
    matrix, *counts, value = (line[place] for place in columns)
    if max(columns) == columns[3] == width - 1 == len(line) - 2 and line[-1].strip().isdigit():
        value = f"{value},{line[-1]}"  # a decimal comma that was not quoted
    try:
        row, column = map(int, counts)
    except ValueError:
        row = column = 0
    if not (1 <= row <= MOST_CELLS and 1 <= column <= MOST_CELLS):
        raise AnswerError(f"{name}: line {number}: expected row and column as numbers from 1")
    return matrix.strip()[:MOST_TEXT], (row - 1, column - 1), read_number(value[: MOST_TEXT + 1])


def read_notebook(name: str, content: bytes) -> Answers:
    """What a notebook says and printed."""
    return answers_on(name, [page_of_text(name, text_of_notebook(name, _text(name, content)))])


def read_ods(name: str, content: bytes) -> Answers:
    """The cells of an OpenDocument sheet."""
    return answers_on(name, pages_of_ods(name, content))


def read_docx(name: str, content: bytes) -> Answers:
    """The lines and tables of a Word document."""
    return answers_on(name, [page_of_text(name, text_of_docx(name, content))])


def read_xlsx(name: str, content: bytes) -> Answers:
    """A filled-in worksheet workbook."""
    from tracer.answers.workbooks import read_workbook

    return read_workbook(name, content)


_INSTEAD = {  # of files that people have
    ".xls": "save it as .xlsx",
    ".doc": "save it as .docx",
    ".numbers": "export it as .xlsx",
    **dict.fromkeys((".pdf", ".png", ".jpg", ".jpeg", ".heic"), "type its numbers into the worksheet"),
}
_READERS: dict[str, Callable[[str, bytes], Answers]] = {
    ".json": read_json,
    ".csv": read_csv,
    ".tsv": read_csv,
    **dict.fromkeys((".txt", ".md", ".py", ".m", ".r", ".jl", ".nb", ".wl", ".tex", ".log", ".out"), read_text),
    ".ipynb": read_notebook,
    ".xlsx": read_xlsx,
    ".ods": read_ods,
    ".docx": read_docx,
}
