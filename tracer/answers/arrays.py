"""Arrays in brackets, lifted out of a text: a mark stands in their place, so that a line stays a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tracer.answers.handed_in import MOST_TEXT, Grid
from tracer.answers.numbers import Entry, read_number

MOST_OF_ARRAY, MOST_UNCLOSED = 200_000, 20  # letters between brackets; brackets that never close
LEFT_OUT = ("...", "…")  # what a printed array has in place of most of its numbers
FOLDED = "\x1d"  # the end of a line that an array went on over
ARRAY = re.compile("\ue000([0-9]+)\ue001")  # an array's mark

_OPENING = re.compile(r"(?<![\w\])])\[")
_BRACKET = re.compile(r"[\[\]]")
_ENTRY = re.compile(r"[-+−]?\d*,\d+(?:[eE][-+]?\d+)?")
_SHAPE = re.compile(r"\[ *[0-9]+ *, *[0-9]+ *\] *[:=]")
_CALL = r"(?:\b(np|numpy|torch|tf|jnp)\.)?\b(?:array|asarray|matrix|tensor|Tensor|list|Matrix|Variable)\s*\(\s*"
_WRAPPED = re.compile(
    rf"(?:{_CALL}){{1,4}}(?=\ue000)(\ue000[0-9]+\ue001)(?:\s*,\s*\w+\s*=\s*[^,()\n]{{0,80}}(?:\([^()\n]{{0,80}}\))?)*\s*\)*>?"
)


@dataclass(frozen=True)
class Lifted:
    """A text with marks for arrays, and the arrays; `printed_by` names the library in whose form each stands."""

    text: str
    arrays: Sequence[Grid]
    printed_by: Sequence[str]


def lift(text: str) -> Lifted:
    """Take the arrays out of a text; brackets that never close, or hold no number, stay where they are."""
    parts: list[str] = []
    arrays: list[Grid] = []
    at = copied = unclosed = 0
    while (found := _OPENING.search(text, at)) is not None and unclosed < MOST_UNCLOSED:
        begin = found.start()
        end = _closing(text, begin)
        if end is None:
            at, unclosed = begin + 1, unclosed + 1
            continue
        at = end
        rows = None if _SHAPE.match(text, begin) else _rows(text[begin:end])
        if rows is not None:
            lines = FOLDED * text.count("\n", begin, end)
            parts += [text[copied:begin], f"\ue000{len(arrays)}\ue001{lines}"]
            copied = end
            arrays.append(tuple(tuple(read_number(each[: MOST_TEXT + 1]) for each in row) for row in rows))
    printed_by = [""] * len(arrays)

    def unwrapped(wrapped: re.Match[str]) -> str:
        library = "torch" if "ensor" in wrapped[0] and "tf" not in (wrapped[1] or "") else wrapped[1] or "numpy"
        for number in ARRAY.findall(wrapped[2]):
            printed_by[int(number)] = library
        return wrapped[2] + FOLDED * wrapped[0].count("\n") + FOLDED * wrapped[0].count(FOLDED)

    return Lifted(_WRAPPED.sub(unwrapped, "".join((*parts, text[copied:]))), arrays, printed_by)


def _closing(text: str, begin: int) -> int | None:
    depth = 0
    for bracket in _BRACKET.finditer(text, begin, begin + MOST_OF_ARRAY):
        depth += 1 if bracket[0] == "[" else -1
        if depth == 0:
            return bracket.end()
    return None


def _rows(text: str) -> list[list[str]] | None:
    """The rows of a bracket: of its innermost ones, or of itself, where a semicolon or a line ends a row."""
    inner = re.findall(r"\[([^\[\]]*)\]", text)
    if len(inner) == 1:
        inner = [each for each in re.split("[;\n]", inner[0]) if each.strip()] if ";" in inner[0] else inner
    rows = [_with_commas(each) or numbers_in(each, within=True) for each in inner]
    if any(mark in text for mark in LEFT_OUT):
        return [[LEFT_OUT[0]]]
    cells = [cell for row in rows for cell in row]
    return rows if any(read_number(cell[: MOST_TEXT + 1]).kind == "number" for cell in cells) else None


def _with_commas(row: str) -> list[str]:
    """The numbers of a row that semicolons separate, since their commas are decimal ones; none where it is none."""
    cells = [cell.strip() for cell in row.split(";")]
    return cells if len(cells) > 1 and all(map(_ENTRY.fullmatch, cells)) else []


def numbers_in(text: str, within: bool = False) -> list[str]:
    """The numbers in a row, apart by commas, spaces or both.

    A comma between two digits alone may be a decimal one or separate: the number stays whole, and the shape that is
    expected tells (layouts.py). `within` brackets several commas without a space separate.
    """
    text = _TIMES.sub(r"\1e\2", text)
    tokens = [token.strip("\"'").removesuffix(",") for token in text.replace(", ", " ").split()]
    if all(_ENTRY.fullmatch(token) for token in tokens):
        return tokens
    return [cell.strip("\"'") for token in tokens for cell in token.split(",") if cell]


_TIMES = re.compile(r"(?<=[0-9.])()\s?[x×·*]\s?10\s?(?:\^|\*\*)\s?\(?([-+−]?[0-9]{1,3})\)?")


def is_left_out(grid: Sequence[Sequence[Entry]]) -> bool:
    """Whether a printed array leaves most of its numbers out."""
    return any(entry.text in LEFT_OUT for row in grid for entry in row)
