"""Reads the book of a derivation back from its markup alone: what it prints, and what that comes to."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import lxml.html
from lxml.etree import _Element as Element
from lxml.etree import tostring

CUT = ("⋯", "⋮", "⋱")
_SCOPE = {
    **{"exp": math.exp, "ln": math.log, "tanh": math.tanh, "abs": abs, "nan": math.nan},
    "max": lambda *values: max(values),  # of one value too
    **{"arctan": math.atan, "cos": math.cos, "sin": math.sin, "sqrt": math.sqrt, "Φ": NormalDist().cdf},
}
_SIGNS = {"−": "-", "·": "*", "×": "*", "⊙": "*", "≤": "<=", "≥": ">=", "≠": "!="}


@dataclass(frozen=True)
class Table:
    """A matrix of a line: the sign before it and its cells, None where rows or columns are left out."""

    sign: str
    kind: str
    rows: tuple[tuple[Element | None, ...], ...]

    def cells(self) -> Iterator[tuple[str, Element]]:
        """The cells that say what they are of."""
        for row in self.rows:
            yield from ((cell.get("data-cell"), cell) for cell in row if cell is not None and cell.get("data-cell"))

    @property
    def whole(self) -> bool:
        return all(cell is not None for row in self.rows for cell in row)


@dataclass(frozen=True)
class Line:
    """The stages of a line: of each its <math> elements, and its matrix where it has one."""

    block: str
    of: str
    stages: tuple[tuple[tuple[Element, ...], Table | None], ...]

    @property
    def tables(self) -> list[Table]:
        return [table for _, table in self.stages if table is not None]


@dataclass(frozen=True)
class Book:
    document: Element
    blocks: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    text: str


def read_book(html: str) -> Book:
    document = lxml.html.fromstring(html.split("\n", 1)[1])
    blocks = [element for element in document.iter("div") if element.get("data-block")]
    lines = [_line(block, part) for block in blocks for part in block.iter("div") if part.get("class") == "line"]
    kinds = tuple((block.get("data-block"), block.get("data-of")) for block in blocks)
    return Book(document, kinds, tuple(lines), document.text_content())


def _line(block: Element, part: Element) -> Line:
    stages = []
    for stage in part:
        pieces = tuple(stage.iter("math"))
        stages.append((pieces, _table(pieces[0])))
    return Line(block.get("data-block"), block.get("data-of"), tuple(stages))


def _table(piece: Element) -> Table | None:
    tables = [table for table in piece.iter("mtable") if table.get("data-kind")]
    if not tables:
        return None
    rows = tuple(tuple(None if cell.text_content() in CUT else cell for cell in row) for row in tables[0])
    before = piece[0][0]
    return Table(before.text if before.tag == "mo" and before.text != "[" else "", tables[0].get("data-kind"), rows)


def plain(element: Element) -> str:
    return element.text_content()


def worth(elements: Element | tuple[Element, ...], known: Mapping[str, float] | None = None) -> float | None:
    """What a formula comes to; `known` has the values of symbols by their markup.

    None where terms are left out.
    """
    parts = elements if isinstance(elements, tuple) else (elements,)
    if any("more)" in plain(part) for part in parts):
        return None
    source = "".join(_source(part, known or {}) for part in parts)
    source = re.sub(r"^[=≈]", "", re.sub(r"\)\(", ")*(", source))
    try:
        return float(eval(source, _SCOPE))
    except (OverflowError, ZeroDivisionError):
        return math.nan


def markup(element: Element) -> str:
    return tostring(element, encoding="unicode", with_tail=False)


def _equal(condition: str) -> str:
    """A condition as Python has it: one equal sign compares."""
    return re.sub(r"(?<![<>!=])=(?!=)", "==", condition)


def _source(element: Element, known: Mapping[str, float]) -> str:
    if known and (found := known.get(markup(element))) is not None:
        return f"({found!r})"
    parts = list(element)
    text = (element.text or "").strip()
    match element.tag:
        case "mn":
            return text.replace("−", "-")
        case "mi":
            return text
        case "mrow" if len(parts) > 1 and parts[0].text == "{" and parts[1].tag == "mtable":
            (value, condition), (other, _) = parts[1]
            when = _source(condition[-1] if len(condition) else condition, known).replace("if", "")
            when = _equal(when)
            return f"(({_source(value, known)}) if ({when}) else ({_source(other, known)}))"
        case "mrow" if len(parts) > 1 and parts[0].text == "|":
            return f"abs({''.join(_source(part, known) for part in parts[1:-1])})"
        case "mo":
            return _SIGNS.get(text, text)
        case "mfrac":
            return f"(({_source(parts[0], known)})/({_source(parts[1], known)}))"
        case "msqrt":
            return f"sqrt({''.join(_source(part, known) for part in parts)})"
        case "msup":
            base, power = (_source(part, known) for part in parts)
            return f"exp({power})" if base == "e" else f"(({base})**({power}))"
        case "mpadded":  # the small 0 behind a term that is struck out
            return ""
        case "mrow" | "math" | "mtd":
            words = [part.tag == "mtext" and "since" in plain(part) for part in parts]
            if not any(words):
                return "".join(_source(part, known) for part in parts)
            value, reason = (_source(parts[words.index(True) + side], known) for side in (-1, 1))
            return f"({value} if {_equal(reason)} else nan)"
        case _:
            raise ValueError(f"cannot work out {markup(element)}")
