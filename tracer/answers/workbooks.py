"""Answers out of a workbook, as any spreadsheet program saved it: a filled-in worksheet, or a book of one's own.

A worksheet's matrices are found by their defined names or, where a program dropped those, by the headings in the cells
("Z1 · step 2 · 3×3"); their rows by the numbers before them, so that rows may have been inserted and sheets
reordered. Where there are none the sheets are pages with blocks. Formulas are never evaluated and count by the
value saved with them. package.py looks at the file first, xls.py at an old one.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from python_calamine import CalamineWorkbook

from tracer.answers.handed_in import MOST_CELLS, MOST_TEXT, AnswerError, AnswerPage, Answers, Grid
from tracer.answers.in_words import MOST_WORDS, InWords, questions, step_titled
from tracer.answers.numbers import BLANK, Entry, of_float, read_number, unreadable
from tracer.answers.package import Span, checked_package
from tracer.answers.pages import answers_on
from tracer.answers.xls import checked_xls
from tracer.program.naming_policy import RATE, of_defined_name

Rows: TypeAlias = Sequence[Sequence[Any]]

_IDENTIFIER = r"[A-Za-z][A-Za-z0-9_]{0,99}"
_HEADING = re.compile(rf"({_IDENTIFIER}) · ([^·]{{1,60}}) · ([0-9]{{1,6}})×([0-9]{{1,6}})\b.*")
_STEP = re.compile(r"[0-9]")  # "step 2" in any language; what is given has no number
_HASH = re.compile(r"[0-9a-f]{64}")
_STUDENT = {"student_name": "name", "student_id": "id"}
NAMES = "Names"  # the sheet that a program's worksheet lists its matrices on
MOST_FOUND = 1_000  # matrices
MOST_BETWEEN = 200  # rows looked through for the numbered rows of a matrix, beside its own
A_DATE = "a date, not a number; type a fraction as =3/8"


class _CellText(NamedTuple):
    """Words in a cell of a sheet."""

    words: str
    sheet: str
    row: int
    column: int


@dataclass(frozen=True)
class _Located:
    """A matrix's place: its first cell and its shape; what is `given` is no answer."""

    sheet: str
    row: int
    column: int
    shape: tuple[int, int]
    given: bool = False

    @property
    def cells(self) -> int:
        return self.shape[0] * self.shape[1]


def read_workbook(name: str, content: bytes) -> Answers:
    """The answers in a workbook. Raises AnswerError, naming the file, where it cannot be read."""
    package = checked_package(name, content)
    return _answers_in(name, _sheets(name, package.content), package.names)


def read_old_workbook(name: str, content: bytes) -> Answers:
    """The answers in an .xls, whose matrices are found by their headings. Raises AnswerError as above."""
    return _answers_in(name, _sheets(name, checked_xls(name, content)), {})


def _answers_in(name: str, sheets: Mapping[str, Rows], names: Mapping[str, Span]) -> Answers:
    texts = list(_texts(sheets))
    places = _matrices(_headings(texts), names, sheets)
    if not places:
        return answers_on(name, (AnswerPage(_entries(rows), name=each) for each, rows in sheets.items()))
    if sum(each.cells for each in places.values()) > MOST_CELLS:
        raise AnswerError(f"{name}: more than {MOST_CELLS:,} cells")
    grids = {key: _grid(sheets[each.sheet], each) for key, each in places.items()}
    matrices = {key: grid for key, grid in grids.items() if not places[key].given}
    printed = {key: grid for key, grid in grids.items() if places[key].given}
    student = _student(names, sheets, texts) or None
    words = tuple(_in_words(sheets, texts))
    return Answers(name, matrices, student=student, problem_sha256=_hash(texts), printed=printed, words=words)


def _sheets(name: str, content: bytes) -> dict[str, Rows]:
    """The values of every sheet's cells, from its first row and column."""
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return {each: book.get_sheet_by_name(each).to_python(skip_empty_area=False) for each in book.sheet_names}
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as wrong:  # a panic of the library is no Exception
        raise AnswerError(f"{name}: cannot be read as a workbook, or damaged ({str(wrong)[:MOST_TEXT]})") from None


# Where the matrices are


def _headings(texts: Iterable[_CellText]) -> dict[str, _Located]:
    """The matrices with a worksheet's heading in the cells, the first of each."""
    found: dict[str, _Located] = {}
    for words, sheet, row, column in texts:
        heading = _HEADING.fullmatch(words.strip()) if "·" in words else None
        if heading is not None and len(found) < MOST_FOUND:
            shape = (int(heading[3]), int(heading[4]))
            found.setdefault(heading[1], _Located(sheet, row + 1, column, shape, not _STEP.search(heading[2])))
    return found


def _matrices(
    headings: Mapping[str, _Located], names: Mapping[str, Span], sheets: Mapping[str, Rows]
) -> dict[str, _Located]:
    """Where each matrix begins: by its defined name, else below its heading."""
    found, listed = dict(headings), _listed(sheets)
    for name, (sheet, row, column, last_row, last_column) in names.items():
        identifier = listed.get(name) or of_defined_name(name)
        if identifier is not None and sheet in sheets and len(found) < MOST_FOUND:
            known = headings.get(identifier)
            shape = known.shape if known else (last_row - row + 1, last_column - column + 1)
            found[identifier] = _Located(sheet, row, column, shape, bool(known and known.given))
    return found


def _listed(sheets: Mapping[str, Rows]) -> dict[str, str]:
    """The identifiers by their defined names, where a sheet has them side by side."""
    rows = sheets.get(NAMES, ())
    pairs = ((str(row[0]), str(row[1])) for row in rows[1 : MOST_FOUND + 1] if len(row) > 1)
    return {name: each for each, name in pairs if re.fullmatch(_IDENTIFIER, each) and each != RATE}


# What stands in them


def _grid(rows: Rows, found: _Located) -> Grid:
    """The entries of a matrix; its rows are the numbered ones, or where none is numbered those that follow."""
    height, width = found.shape
    places = _numbered(rows, found, height) or range(found.row, found.row + height)
    columns = range(found.column, found.column + width)
    return tuple(tuple(_entry(_at(rows, row, column)) for column in columns) for row in places)


def _numbered(rows: Rows, found: _Located, height: int) -> list[int] | None:
    """The rows with 1, 2, … before them."""
    places: list[int] = []
    if not found.column:
        return None
    for row in range(found.row, min(len(rows), found.row + height + MOST_BETWEEN)):
        label = _at(rows, row, found.column - 1)
        if label != "" and str(label).removesuffix(".0").strip() == str(len(places) + 1):
            places.append(row)
            if len(places) == height:
                return places
    return None


def _at(rows: Rows, row: int, column: int) -> Any:
    return rows[row][column] if 0 <= row < len(rows) and 0 <= column < len(rows[row]) else ""


def _entries(rows: Rows) -> list[list[Entry]]:
    return [[_entry(cell) for cell in row] for row in rows]


def _entry(value: Any) -> Entry:
    return BLANK if value == "" else read_cell(value)


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


def _student(names: Mapping[str, Span], sheets: Mapping[str, Rows], texts: Sequence[_CellText]) -> dict[str, str]:
    """Name and ID, by their defined names or the labels before them."""
    student: dict[str, str] = {}
    for name, key in _STUDENT.items():
        if name in names and names[name][0] in sheets:
            sheet, row, column, *_ = names[name]
            student[key] = _words(_at(sheets[sheet], row, column))
        else:
            labels = _labels(key)
            beside = (
                _words(_at(sheets[each.sheet], each.row, each.column + 1)) for each in texts if each.words in labels
            )
            student[key] = next(filter(None, beside), "")
    return {key: words for key, words in student.items() if words}


def _in_words(sheets: Mapping[str, Rows], texts: Sequence[_CellText]) -> Iterator[InWords]:
    """What stands below the questions of a worksheet, each under the title of its step.

    Titles are looked for up to an answer only where there is one, which is seldom.
    """
    step, looked_at = None, 0
    for place, each in enumerate(texts):
        asked = questions().get(each.words.strip())
        below = _at(sheets[each.sheet], each.row + 1, each.column) if asked is not None else ""
        words = below.strip() if isinstance(below, str) else ""
        if asked is None or not words or words in questions():
            continue
        titles = (step_titled(text.words.strip()) for text in reversed(texts[looked_at : place + 1]))
        step, looked_at = next(filter(None, titles), step), place + 1
        if step is not None:
            yield InWords(step, asked, words[:MOST_WORDS])


def _labels(key: str) -> set[str]:
    """What a worksheet calls the name or the ID, in every language that there is."""
    from tracer.presentation.theme import languages, theme_of

    return {theme_of(each).say(f"sheet.{key}") for each in languages()}


def _texts(sheets: Mapping[str, Rows]) -> Iterator[_CellText]:
    for sheet, rows in sheets.items():
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if cell and isinstance(cell, str):
                    yield _CellText(cell, sheet, row, column)


def _hash(texts: Iterable[_CellText]) -> str | None:
    """The hash of the problem that a worksheet was made for."""
    return next((each.words for each in texts if len(each.words) == 64 and _HASH.fullmatch(each.words)), None)


def _words(value: Any) -> str:
    return (str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)).strip()[:MOST_TEXT]
