"""CSV: a cell a line under the header `matrix,row,column,value`, or blocks of numbers, each with its name."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain

from tracer.answers.handed_in import MOST_CELLS, MOST_TEXT, AnswerError, AnswerPage, Answers, filled
from tracer.answers.numbers import Entry, read_number
from tracer.answers.pages import answers_on


def answers_of_csv(name: str, text: str) -> Answers:
    """A header `matrix,row,column,value`, then a cell a line; or blocks of numbers, each with its name."""
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
