"""Answers out of a filled-in worksheet workbook, as any spreadsheet program saved it.

Matrices are found by their defined names or, where a program dropped those, by the headings in the cells
("Z1 · step 2 · 3×3"); their rows by the numbers before them, so that rows may have been inserted and sheets
reordered. Formulas are never evaluated and count by the value saved with them. package.py looks at the file first.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from python_calamine import CalamineWorkbook

from tracer.check.handed_in import MOST_CELLS, MOST_TEXT, AnswerError, Answers, Grid, filled
from tracer.check.numbers import BLANK, Entry, of_float, read_number, unreadable
from tracer.check.package import Span, checked_package

Rows: TypeAlias = Sequence[Sequence[Any]]

_IDENTIFIER = r"[A-Za-z]{1,2}[0-9]{0,3}(?:_next)?"
_HEADING = re.compile(rf"({_IDENTIFIER})(?: · (step [0-9.]+|given) · ([0-9]{{1,6}})×([0-9]{{1,6}})\b.*)?")
_NAME = re.compile(r"([A-Za-z]{1,2}[0-9]{0,3})_|([A-Za-z]{1,2}[0-9]{0,3}_next)")
_STUDENT = {"student_name": "name", "student_id": "id"}
_LABELS = {"Name": "name", "ID": "id"}
MOST_BETWEEN = 200  # rows looked through for the numbered rows of a matrix, beside its own
A_DATE = "a date, not a number; type a fraction as =3/8"


@dataclass(frozen=True)
class _Found:
    """A matrix's place: its first cell, and its shape where that is known; what is `given` is no answer."""

    sheet: str
    row: int
    column: int
    shape: tuple[int, int] | None
    given: bool = False

    @property
    def cells(self) -> int:
        return self.shape[0] * self.shape[1] if self.shape else 0


def read_workbook(name: str, content: bytes) -> Answers:
    """The answers in a workbook. Raises AnswerError, naming the file, where it cannot be read."""
    names = checked_package(name, content)
    sheets = _sheets(name, content)
    places = {key: each for key, each in _matrices(_headings(sheets), names, sheets).items() if not each.given}
    if sum(each.cells for each in places.values()) > MOST_CELLS:
        raise AnswerError(f"{name}: more than {MOST_CELLS:,} cells")
    grids = {key: _grid(sheets[found.sheet], found) for key, found in places.items()}
    matrices = {key: grid for key, grid in grids.items() if grid}
    if not matrices:
        raise AnswerError(f"{name}: found no matrix, by a defined name (Z1_) or by a heading (Z1) over its cells")
    student = _student(names, sheets)
    return Answers(name, matrices, student=student or None, problem_sha256=_beside(sheets, "Problem"))


def _sheets(name: str, content: bytes) -> dict[str, Rows]:
    """The values of every sheet's cells, from its first row and column."""
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return {each: book.get_sheet_by_name(each).to_python(skip_empty_area=False) for each in book.sheet_names}
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as wrong:  # a panic of the library is no Exception
        raise AnswerError(f"{name}: cannot be read as a workbook ({str(wrong)[:MOST_TEXT]})") from None


# Where the matrices are


def _headings(sheets: Mapping[str, Rows]) -> dict[str, _Found]:
    """The matrices with a heading in the cells, the first of each; in a book of one's own it has no shape."""
    found: dict[str, _Found] = {}
    for title, rows in sheets.items():
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                heading = _HEADING.fullmatch(cell.strip()) if cell and isinstance(cell, str) else None
                if heading is None or (heading[2] is None and not _over_a_number(rows, row, column)):
                    continue
                shape = (int(heading[3]), int(heading[4])) if heading[2] else None
                known = found.get(heading[1])
                if known is None or (known.shape is None and shape is not None):
                    found[heading[1]] = _Found(title, row + 1, column, shape, heading[2] == "given")
    return found


def _over_a_number(rows: Rows, row: int, column: int) -> bool:
    return read_cell(_at(rows, row + 1, column)).kind == "number"


def _matrices(
    headings: Mapping[str, _Found], names: Mapping[str, Span], sheets: Mapping[str, Rows]
) -> dict[str, _Found]:
    """Where each matrix begins: by its defined name, else below its heading."""
    found = dict(headings)
    for name, (sheet, row, column, last_row, last_column) in names.items():
        matched = _NAME.fullmatch(name)
        if matched is not None and sheet in sheets:
            identifier = matched[1] or matched[2]
            known = headings.get(identifier)
            shape = known.shape if known else (last_row - row + 1, last_column - column + 1)
            found[identifier] = _Found(sheet, row, column, shape, bool(known and known.given))
    return found


# What stands in them


def _grid(rows: Rows, found: _Found) -> Grid:
    """The entries of a matrix; its rows are the numbered ones, or where none is numbered those that follow."""
    if found.shape is None:
        return _block(rows, found)
    height, width = found.shape
    numbered = _numbered(rows, found, height)
    cells = {
        (k, j): read_cell(_at(rows, row, found.column + j))
        for k, row in enumerate(numbered or range(found.row, found.row + height))
        for j in range(width)
    }
    return filled(cells)


def _numbered(rows: Rows, found: _Found, height: int) -> list[int] | None:
    """The rows with 1, 2, … before them."""
    places: list[int] = []
    for row in range(found.row, min(len(rows), found.row + height + MOST_BETWEEN)):
        label = _at(rows, row, found.column - 1) if found.column else ""
        if str(label).removesuffix(".0").strip() == str(len(places) + 1):
            places.append(row)
            if len(places) == height:
                return places
    return None


def _block(rows: Rows, found: _Found) -> Grid:
    """The numbers below a bare heading, as far as they go."""
    width = 0
    while read_cell(_at(rows, found.row, found.column + width)).kind != "blank":
        width += 1
    block: list[tuple[Entry, ...]] = []
    while True:
        entries = [read_cell(_at(rows, found.row + len(block), found.column + j)) for j in range(width)]
        if all(each.kind == "blank" for each in entries) or not any(each.kind == "number" for each in entries):
            return tuple(block)
        block.append(tuple(entries))


def _at(rows: Rows, row: int, column: int) -> Any:
    return rows[row][column] if 0 <= row < len(rows) and 0 <= column < len(rows[row]) else ""


def read_cell(value: Any) -> Entry:
    """What a cell says: typed numbers, text as people write numbers; dates and truth values are unreadable."""
    match value:
        case bool():
            return unreadable(str(value))
        case int() | float():
            return of_float(float(value))
        case str():
            return read_number(value[: MOST_TEXT + 1]) if value.strip() else BLANK
        case dt.date() | dt.time() | dt.timedelta():
            return unreadable(str(value), A_DATE)
        case _:
            return unreadable(str(value))


def _student(names: Mapping[str, Span], sheets: Mapping[str, Rows]) -> dict[str, str]:
    """Name and ID, by their defined names or the labels before them."""
    student: dict[str, str] = {}
    for name, key in _STUDENT.items():
        if name in names and names[name][0] in sheets:
            sheet, row, column, *_ = names[name]
            student[key] = _words(_at(sheets[sheet], row, column))
    for label, key in _LABELS.items():
        if not student.get(key):
            student[key] = _beside(sheets, label) or ""
    return {key: words for key, words in student.items() if words}


def _beside(sheets: Mapping[str, Rows], label: str) -> str | None:
    """The text in the cell to the right of a label."""
    for row, column, rows in _texts(sheets, label):
        words = _words(_at(rows, row, column + 1))
        if words:
            return words
    return None


def _texts(sheets: Mapping[str, Rows], words: str) -> Iterator[tuple[int, int, Rows]]:
    for rows in sheets.values():
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if cell == words:
                    yield row, column, rows


def _words(value: Any) -> str:
    return (str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)).strip()[:MOST_TEXT]
