"""Reading what a learner handed in: JSON here, CSV in listed.py, workbooks in workbooks.py, other text in texts.py.

Answer files come from strangers: sizes are bounded, nothing in them is evaluated.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tracer.answers.dialects import without_dashes
from tracer.answers.handed_in import MOST_CELLS, MOST_TEXT
from tracer.answers.handed_in import AnswerError as AnswerError
from tracer.answers.handed_in import AnswerPage as AnswerPage
from tracer.answers.handed_in import Answers as Answers
from tracer.answers.handed_in import Grid as Grid
from tracer.answers.in_words import of_notes
from tracer.answers.listed import answers_of_csv
from tracer.answers.nested import name_within
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
    twice: dict[str, None] = {}
    document = _loaded(name, content, twice)
    if isinstance(document, list) and document and all(isinstance(each, dict) for each in document):
        document = _of_units(document)
    if not isinstance(document, dict):
        raise AnswerError(f"{name}: expected an object with a matrix for each identifier, found {_kind(document)}")
    for key in _WRAPPERS:
        if isinstance(document.get(key), dict):
            document = {**document.pop(key), **document}
    document = {key: value for each in document.items() for key, value in _within(*each)}
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


def _within(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A key's matrices by names of their own, where it holds several: {"grads": {"W1": …}} has W1.grad."""
    if key in _RESERVED or not isinstance(value, dict):
        yield key, value
        return
    yield from ((name_within(key, name), each) for name, each in value.items())


def _loaded(name: str, content: bytes, twice: dict[str, None]) -> Any:
    """The document of a JSON file; keys that stand in an object more than once go into `twice`."""
    left = [MOST_CELLS]
    if content.count(b"[") + content.count(b"{") > MOST_CELLS:
        raise AnswerError(f"{name}: more than {MOST_CELLS:,} lists and objects")

    def number(text: str) -> Entry:
        left[0] -= 1
        if left[0] < 0:
            raise AnswerError(f"{name}: more than {MOST_CELLS:,} numbers")
        return read_number(text[: MOST_TEXT + 1])

    try:
        return json.loads(
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


_RESERVED = {"student", "given", "filled", "problem_sha256"}  # "filled": what the worksheet worked out, nobody's work
_WRAPPERS = ("answers", "matrices")  # that somebody may have put all matrices into


def _grid(name: str, key: str, rows: Any, left: list[int]) -> Grid:
    place = f"{name}: {key[:MOST_TEXT]}"
    if not isinstance(rows, list):
        rows = [rows]  # a single number, as for the loss
    while rows and all(map(_is_nested, rows)):
        rows = [each for row in rows for each in row]  # of all time steps, or of all heads
    rows = (
        [row if isinstance(row, list) else [row] for row in rows] if any(isinstance(r, list) for r in rows) else [rows]
    )
    left[0] -= sum(map(len, rows))
    if left[0] < 0:
        raise AnswerError(f"{place}: more than {MOST_CELLS:,} cells")
    return tuple(tuple(map(_entry, row)) for row in rows)


def _is_nested(row: Any) -> bool:
    """Whether a row holds rows itself, and nothing else."""
    return isinstance(row, list) and bool(row) and all(isinstance(each, list) for each in row)


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
    """A cell a line, or blocks of numbers."""
    return answers_of_csv(name, _text(name, content))


def read_text(name: str, content: bytes) -> Answers:
    """Markdown tables, printed arrays, lists or lines of numbers, each with its name."""
    return answers_on(name, [page_of_text(name, _text(name, content))])


def read_yaml(name: str, content: bytes) -> Answers:
    """Lists with dashes or in brackets, each under its name."""
    return answers_on(name, [page_of_text(name, without_dashes(_text(name, content)))])


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


def read_xls(name: str, content: bytes) -> Answers:
    """A workbook of the format before .xlsx."""
    from tracer.answers.workbooks import read_old_workbook

    return read_old_workbook(name, content)


_INSTEAD = {  # of files that people have
    ".doc": "save it as .docx",
    ".numbers": "export it as .xlsx",
    **dict.fromkeys((".html", ".htm"), "“Save answers” on the worksheet's page writes the file to hand in"),
    **dict.fromkeys((".pdf", ".png", ".jpg", ".jpeg", ".heic"), "type its numbers into the worksheet"),
}
_READERS: dict[str, Callable[[str, bytes], Answers]] = {
    ".json": read_json,
    ".csv": read_csv,
    ".tsv": read_csv,
    **dict.fromkeys((".txt", ".md", ".py", ".m", ".r", ".jl", ".nb", ".wl", ".tex", ".log", ".out"), read_text),
    **dict.fromkeys((".yaml", ".yml"), read_yaml),
    ".ipynb": read_notebook,
    ".xlsx": read_xlsx,
    ".xls": read_xls,
    ".ods": read_ods,
    ".docx": read_docx,
}
