"""Pages out of text: tables in Markdown, printed arrays and lists, lines of numbers, each under its name.

A line becomes a row of cells, or gives numbers a name (statements.py). Nothing in the text is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from tracer.answers.arrays import ARRAY, FOLDED, Lifted, lift, numbers_in
from tracer.answers.dialects import plain_lines
from tracer.answers.handed_in import MOST_CELLS, MOST_TEXT, AnswerError, AnswerPage, Assigned
from tracer.answers.indices import counted_from_1
from tracer.answers.numbers import Entry, read_number
from tracer.answers.statements import Statement, goes_on, statements

MOST_LETTERS = 1_000_000  # of a text; nobody writes more by hand
MOST_IN_LINE, MOST_LINES = 100_000, 50_000

_SCALE = re.compile(r"[ \t]*1(?:\.0*)?(e[+-]?[0-9]{1,3})[ \t]*\*[ \t]*")  # MATLAB's, over all that follows
_RULE = frozenset("|:-+= ")  # of a table
_FENCE = re.compile(r"\s*(?:```|~~~)")
_PIPE = re.compile(r"(?<!\\)\|")
_MARKS = dict.fromkeys(map(ord, "\ue000\ue001\x1d\x1e"))  # that stand for arrays and statements here
_ORNAMENT = "*`$ \t"
_UNIT = re.compile(r"[^\W\d]\w{0,20}[0-9]\w{0,4}[+'⁺]?")  # h1, out_o2: numbers may stand below


def page_of_text(name: str, text: str) -> AnswerPage:
    """The rows of a text. Raises AnswerError where it is too long."""
    for most, letters in ((MOST_LETTERS, len(text)), (MOST_IN_LINE, max(map(len, text.split("\n"))))):
        if letters > most:
            where = " in a line" if most == MOST_IN_LINE else ""
            raise AnswerError(f"{name}: {letters:,} characters{where} is too long (at most {most:,})")
    if (lines := text.count("\n")) > MOST_LINES:
        raise AnswerError(f"{name}: {lines:,} lines is too long (at most {MOST_LINES:,})")
    writing = _Writing(name, lift(plain_lines(text.translate(_MARKS))))
    number = 1
    for line in writing.lifted.text.split("\n"):
        writing.line(number, line)
        number += 1 + line.count(FOLDED)
    return writing.page()


class _Writing:
    """The rows of a text as they come, with what a line leaves open for the next."""

    def __init__(self, name: str, lifted: Lifted) -> None:
        self.name, self.lifted = name, lifted
        self.rows: list[list[str] | Sequence[Entry]] = []
        self.lines: list[int] = []
        self.assigned: dict[int, Assigned] = {}
        self.open: tuple[int, Statement] | None = None
        self.power, self.begun, self.left = "", False, MOST_CELLS

    def page(self) -> AnswerPage:
        self._close()
        rows = [[each if isinstance(each, Entry) else _entry(each) for each in row] for row in self.rows]
        _head(rows)
        return AnswerPage(rows, counted_from_1(self.assigned), self.lines)

    def line(self, number: int, line: str) -> None:
        if self.open is not None and goes_on(line):
            self.open = (self.open[0], self.open[1].after(line, self.lifted))
            return
        if self.open is not None and (longer := self.open[1].with_row(line)) is not None:
            self.open = (self.open[0], longer)
            return
        self._close()
        if scale := _SCALE.fullmatch(line):
            self.power, self.begun = scale[1], False
        elif _FENCE.match(line):
            self._put(number, [])
        elif not (_RULE.issuperset(line) and set("-=|") & set(line)):  # a rule, or the empty head of a table
            cells = _cells(line)
            if cells is not None:
                self._row(number, cells)
            else:
                self._statements(number, line)

    def _statements(self, number: int, line: str) -> None:
        for each in statements(line.strip().strip("=").strip() if _is_heading(line) else line, self.lifted):
            self._close()
            if isinstance(each, Statement):
                self.open = (number, each)
            else:
                self._words(number, each)

    def _words(self, number: int, text: str) -> None:
        """A line that says no name: numbers, an array, or words."""
        if ARRAY.search(text) and not any(map(str.isalnum, ARRAY.sub("", text))):
            for each in ARRAY.findall(text):
                for row in self.lifted.arrays[int(each)]:
                    self._put(number, list(row))
                self._put(number, [])
        else:
            self._row(number, _spaced(text))

    def _close(self) -> None:
        """Put the statement that no line goes on with in its place."""
        if self.open is None:
            return
        (number, each), self.open = self.open, None
        if each.value is None:
            self._row(number, [_shown(each.text)])
            return
        for value in filter(None, (each.before, each.value)):
            name = f"{value.name} new" if each.before is not None and value is each.value else value.name
            self.assigned[len(self.rows)] = Assigned(name, value.grid, value.printed_by)
            self.left -= sum(map(len, value.grid))
            self._put(number, [name])

    def _row(self, number: int, cells: list[str]) -> None:
        if self.power and cells and all(map(_is_number, cells)):
            self.begun, cells = True, [f"{cell}{self.power}" for cell in cells]
        elif cells or self.begun:
            self.power = ""
        if cells or not self.power:
            self._put(number, cells)

    def _put(self, number: int, cells: list[str] | Sequence[Entry]) -> None:
        self.left -= len(cells)
        if self.left < 0:
            raise AnswerError(f"{self.name}: more than {MOST_CELLS:,} cells")
        self.rows.append(cells)
        self.lines.append(number)


def _cells(line: str) -> list[str] | None:
    """The cells of a line of a table, or of an empty one; None where marks separate none."""
    if line.strip().startswith("|") or len(_PIPE.findall(line)) > 1:
        return [cell.strip(_ORNAMENT) for cell in _PIPE.split(line.strip().removeprefix("|").removesuffix("|"))]
    for mark in ("\t", ";"):
        if mark in line.strip() and "=" not in line and not ARRAY.search(line):
            return [cell.strip(_ORNAMENT) for cell in line.split(mark)]
    return None if line.strip() else []


def _is_heading(line: str) -> bool:
    """== forward: h1, h2 ==."""
    return line.strip().startswith("==") and line.strip().endswith("==")


def _spaced(line: str) -> list[str]:
    """Numbers in a line, a name before them or none; or the line as it is."""
    label, _, behind = line.strip().partition(" ")
    for name, rest in (("", line), (label, behind)):
        cells = numbers_in(rest)
        if cells and all(map(_is_number, cells)) and (not name or len(cells) > 1 or not cells[0].isdigit()):
            return [name, *cells] if name else cells
    return [_shown(line)]


def _shown(text: str) -> str:
    """A line with arrays in it as it can be shown."""
    return ARRAY.sub("[…]", text).replace(FOLDED, "").strip()


def _is_number(cell: str) -> bool:
    return read_number(cell[: MOST_TEXT + 1]).kind == "number"


def _entry(cell: str) -> Entry:
    return read_number(cell[: MOST_TEXT + 1])


# Heads of columns


def _head(rows: list[list[Entry]]) -> None:
    """Give lines of names over numbers a cell for each name, and an empty corner where one is missing."""
    for above, below in pairwise(rows):
        if len(above) == 1 and len(below) > 1 and above[0].is_words:
            above[:] = _names(above[0].text, below) or above
        elif above and len(below) == len(above) + 1 and any(_numbered(above, start) for start in (0, 1)):
            above.insert(0, _entry(""))


def _names(text: str, below: Iterable[Entry]) -> list[Entry]:
    """The names of units in a line, where there are as many as numbers below."""
    count = sum(1 for each in below if each.kind == "number")
    names = re.split(r"[\s,;]+", text.rpartition(":")[2].strip(" ="))
    if len(names) == count > 1 and all(map(_UNIT.fullmatch, names)):
        return [_entry(each) for each in names]
    return []


def _numbered(cells: Sequence[Entry], start: int) -> bool:
    return [each.text for each in cells] == [str(start + k) for k in range(len(cells))]
