"""Pages out of text: tables in Markdown, printed arrays and lists, lines of numbers, each under its name.

A line becomes a row of cells. Brackets become rows with their name above them; nothing in the text is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tracer.answers.handed_in import MOST_CELLS, MOST_TEXT, AnswerError, AnswerPage
from tracer.answers.numbers import Entry, read_number

MOST_LETTERS = 2_000_000  # of a text; nobody writes more by hand
MOST_IN_LINE = 100_000
MOST_OF_ARRAY, MOST_UNCLOSED = 200_000, 20  # letters between brackets; brackets that never close
LEFT_OUT = ("...", "…")  # what a printed array has in place of most of its numbers

_OPENING = re.compile(r"(?<![\w\])])\[")
_BRACKET = re.compile(r"[\[\]]")
_BEFORE = re.compile(r"(?:\b(?:np|numpy|torch|tf|jnp)\.)?\b(?:array|asarray|matrix|tensor|Tensor|list)\s*\(\s*$")
_BEHIND = re.compile(r"(?:\s*,\s*\w+\s*=\s*[^,()\n]*(?:\([^()\n]*\))?)*\s*\)*[ \t]*[,;}]*")
_QUOTED = re.compile(r"(['\"])([^'\"]{1,200})\1$")  # the key of a dictionary
_CAST = re.compile(r"\b(?:np\.)?float(?:16|32|64)?\(([^()]*)\)")
_R_HEAD = re.compile(r"^[ \t]*(?:\[,[0-9]{1,6}\][ \t]*)+$", re.M)  # of a matrix that R prints
_R_ROW = re.compile(r"^[ \t]*\[[0-9]{1,6},?\](?=[ \t]+[-+−.0-9])", re.M)
_SCALE = re.compile(r"[ \t]*1(?:\.0*)?(e[+-]?[0-9]{1,3})[ \t]*\*[ \t]*")  # MATLAB's, over all that follows
_PROMPT = re.compile(r"^(?:In|Out) ?\[[0-9 ]{0,9}\]: ?", re.M)
_RULE = frozenset("|:-+= ")  # of a table
_FENCE = re.compile(r"\s*(?:```|~~~)")
_EQUALS = re.compile(r"[=:]+")
_SHAPE = re.compile(r"\[ *[0-9]+ *, *[0-9]+ *\] *[:=]")
_DECIMAL_COMMA = re.compile(r"[-+−]?\d*,\d+(?:[eE][-+]?\d+)?")
_PIPE = re.compile(r"(?<!\\)\|")
_ORNAMENT = "*`$ \t"


def page_of_text(name: str, text: str) -> AnswerPage:
    """The rows of a text. Raises AnswerError where it is too long."""
    for most, letters in ((MOST_LETTERS, len(text)), (MOST_IN_LINE, max(map(len, text.split("\n"))))):
        if letters > most:
            where = " in a line" if most == MOST_IN_LINE else ""
            raise AnswerError(f"{name}: {letters:,} characters{where} is too long (at most {most:,})")
    rows: list[list[Entry]] = []
    left, text = MOST_CELLS, text.replace("\r\n", "\n")
    for pattern in (_PROMPT, _R_HEAD, _R_ROW):
        text = pattern.sub("", text)
    for cells in _with_corner(_rows(text)):
        left -= len(cells)
        if left < 0:
            raise AnswerError(f"{name}: more than {MOST_CELLS:,} cells")
        rows.append([read_number(each[: MOST_TEXT + 1]) for each in cells])
    return rows


def _rows(text: str) -> Iterator[list[str]]:
    at = 0
    for begin, end, rows in _arrays(text):
        before, line = text[at:begin].rpartition("\n")[::2]
        yield from _lines(before)
        name = _BEFORE.sub("", line).strip().rstrip("=:(").strip(" ,;{}()")
        quoted = _QUOTED.search(name)
        if name:
            yield [quoted[2] if quoted else name]
        yield from rows
        yield []
        at = end
    yield from _lines(text[at:])


# Brackets


def _arrays(text: str) -> Iterator[tuple[int, int, list[list[str]]]]:
    """Where a bracket begins and ends, and the rows in it; those that never close, or hold no number, are none."""
    at = unclosed = 0
    while (found := _OPENING.search(text, at)) is not None and unclosed < MOST_UNCLOSED:
        begin = found.start()
        end = _closing(text, begin)
        if end is None:
            at, unclosed = begin + 1, unclosed + 1
            continue
        at = end
        rows = _array(_CAST.sub(r"\1", text[begin:end]))
        if rows is not None and not _SHAPE.match(text, begin):
            behind = _BEHIND.match(text, end)
            at = behind.end() if behind else end
            yield begin, at, rows


def _closing(text: str, begin: int) -> int | None:
    depth = 0
    for bracket in _BRACKET.finditer(text, begin, begin + MOST_OF_ARRAY):
        depth += 1 if bracket[0] == "[" else -1
        if depth == 0:
            return bracket.end()
    return None


def _array(text: str) -> list[list[str]] | None:
    """The rows of a bracket: of its innermost ones, or of itself, where a semicolon ends a row."""
    inner = re.findall(r"\[([^\[\]]*)\]", text)
    if len(inner) == 1 and ";" in inner[0]:
        inner = inner[0].split(";")
    rows = [_numbers(each, within=True) for each in inner]
    if any(mark in text for mark in LEFT_OUT):
        return [[LEFT_OUT[0]]]
    cells = [cell for row in rows for cell in row]
    return rows if any(read_number(cell).kind == "number" for cell in cells) else None


def _numbers(text: str, within: bool = False) -> list[str]:
    """The numbers in a row, apart by commas, spaces or both.

    A comma in each of several is a decimal one, and so it is in one alone that is not `within` brackets.
    """
    tokens = [token.strip("\"'").removesuffix(",") for token in text.replace(", ", " ").split()]
    if (len(tokens) > 1 or not within) and all(_DECIMAL_COMMA.fullmatch(token) for token in tokens):
        return tokens
    return [cell.strip("\"'") for token in tokens for cell in token.split(",") if cell]


# Lines


def _lines(text: str) -> Iterator[list[str]]:
    power, begun = "", False
    for line in text.split("\n"):
        if scale := _SCALE.fullmatch(line):
            power, begun = scale[1], False
        elif _FENCE.match(line):
            yield []
        elif not (_RULE.issuperset(line) and set("-=|") & set(line)):  # a rule, or the empty head of a table
            cells = _line(line)
            if power and cells and all(map(_is_number, cells)):
                begun, cells = True, [f"{cell}{power}" for cell in cells]
            elif cells or begun:
                power = ""
            if cells or not power:
                yield cells


def _line(line: str) -> list[str]:
    """The cells of a line."""
    if line.strip().startswith("|") or len(_PIPE.findall(line)) > 1:
        return [cell.strip(_ORNAMENT) for cell in _PIPE.split(line.strip().removeprefix("|").removesuffix("|"))]
    for mark in ("\t", ";"):
        if mark in line:
            return [cell.strip(_ORNAMENT) for cell in line.split(mark)]
    if not line.strip():
        return []
    label, _, behind = line.strip().partition(" ")
    for name, rest, sure in (_named(line), ("", line, True), (label, behind, False)):
        cells = _numbers(rest)
        if cells and all(map(_is_number, cells)) and (sure or len(cells) > 1 or not cells[0].isdigit()):
            return [name, *cells] if name else cells
    return [line.strip()]


def _named(line: str) -> tuple[str, str, bool]:
    """A name and what follows after the equals sign or colon."""
    mark = _EQUALS.search(line)
    if mark is None or not any(map(str.isalpha, line[: mark.start()])):
        return "", "", False
    return line[: mark.start()].strip(), line[mark.end() :].strip(), True


def _is_number(cell: str) -> bool:
    return read_number(cell[: MOST_TEXT + 1]).kind == "number"


def _with_corner(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """The rows, with an empty corner where a line of column numbers has one cell less than what it heads."""
    before: list[str] | None = None
    for row in rows:
        if before is not None:
            heads = len(row) == len(before) + 1 and any(before == _numbered(len(before), start) for start in (0, 1))
            yield ["", *before] if heads else before
        before = row
    if before is not None:
        yield before


def _numbered(count: int, start: int) -> list[str]:
    return [str(start + k) for k in range(count)]


def is_left_out(grid: Sequence[Sequence[Entry]]) -> bool:
    """Whether a printed array leaves most of its numbers out."""
    return any(entry.text in LEFT_OUT for row in grid for entry in row)
