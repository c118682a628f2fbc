"""How wide a formula will be, in ems, so that a line of the book can be made to fit the page.

Reckoned from the markup alone, for the widest of the fonts that the book asks for; other fonts, and a
browser's finer rules, come out narrower.
"""

from __future__ import annotations

from itertools import zip_longest
from xml.etree import ElementTree as ET

LETTER, NARROW, WIDE, CAPITAL = 0.66, 0.42, 1.05, 0.79
_NARROW = frozenset("()[]{}|.,:;'⋮ijlt ")
_WIDE = frozenset("mwMW@%⋯∑")
SLANT = 0.27  # what a single letter takes more than one within a word, being italic
SCRIPT = 0.77  # size of a subscript or superscript
_RELATION, _SIGN, _FENCE = 1.45, 1.35, 0.64
OPERATORS = {
    **dict.fromkeys("=≈><≤≥≠", _RELATION),
    **dict.fromkeys("+−×⊙", _SIGN),
    **dict.fromkeys("()[]", _FENCE),
    "·": 0.9,
    ",": 0.6,
    "∂": 0.85,
    "∑": 1.5,
    "…": 1.4,
}
BETWEEN_COLUMNS = 0.95
AROUND_FRACTION = 0.2


def em_width(markup: str) -> float:
    """The width of MathML (without <math>) at the size of type around it."""
    return _width(ET.fromstring(f"<mrow>{markup}</mrow>"))


def _width(element: ET.Element) -> float:
    parts = [_width(child) for child in element]
    match element.tag:
        case "mo":
            return OPERATORS.get((element.text or "").strip(), _text(element.text or ""))
        case "mi":
            return _text(element.text or "") + (SLANT if len(element.text or "") == 1 else 0.0)
        case "mn" | "mtext":
            return _text(element.text or "")
        case "mfrac":
            return max(parts) + AROUND_FRACTION
        case "msub" | "msup":
            return parts[0] + SCRIPT * parts[1]
        case "msubsup":
            return parts[0] + SCRIPT * max(parts[1:])
        case "munder" | "mover":
            return max(parts[0], SCRIPT * parts[1])
        case "mtable":
            return _table(element)
        case _:
            return sum(parts)


def _table(table: ET.Element) -> float:
    columns = zip_longest(*([_width(cell) for cell in row] for row in table), fillvalue=0.0)
    widest = [max(column) for column in columns]
    return sum(widest) + BETWEEN_COLUMNS * len(widest)


def _text(text: str) -> float:
    return sum(map(_letter, text))


def _letter(letter: str) -> float:
    if letter in _NARROW:
        return NARROW
    return WIDE if letter in _WIDE else CAPITAL if letter.isupper() else LETTER
