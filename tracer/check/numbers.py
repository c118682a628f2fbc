"""Numbers as people write them: a comma for the point, a fraction, a typographic minus."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

LONGEST = 60  # characters of a number; nobody types more
SIGNIFICANT = 1e-12  # of a number's size: what float64 and spreadsheets hold beyond that is not compared

Kind: TypeAlias = Literal["number", "blank", "unreadable"]

_DECIMAL = re.compile(r"([+-]?)(\d*)(?:([.,])(\d*))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
_FRACTION = re.compile(r"([+-]?)(\d{1,15})\s*/\s*(\d{1,15})", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+", re.ASCII)
_CLEANED = str.maketrans({"−": "-", "–": "-", "\N{NON-BREAKING HYPHEN}": "-", "\N{NARROW NO-BREAK SPACE}": None,
                          "\N{NO-BREAK SPACE}": None, "\N{ZERO WIDTH SPACE}": None, "⁄": "/"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in a cell of an answer; `decimals` are those written, None where it is exact (3/8)."""

    text: str
    kind: Kind
    value: float = math.nan
    decimals: int | None = None
    note: str = ""

    def unit(self, asked: int) -> float:
        """One in its last place, where so many decimals were asked for: at least float64's own."""
        written = asked if self.decimals is None else max(self.decimals, asked)
        return max(10.0**-written, SIGNIFICANT * abs(self.value))

    def own_unit(self) -> float:
        """One in the last place written."""
        return 0.0 if self.decimals is None else 10.0**-self.decimals


BLANK = Entry("", "blank")


def unreadable(text: str, note: str = "not a number") -> Entry:
    return Entry(text[:LONGEST], "unreadable", note=note)


def read_number(text: str) -> Entry:
    """What a text says.

    >>> read_number("−0,42").value, read_number("3/8").value, read_number(".50").decimals
    (-0.42, 0.375, 2)
    """
    plain = text.translate(_CLEANED).strip().removeprefix("=").strip()
    if not plain:
        return BLANK
    if len(plain) > LONGEST:
        return unreadable(text, "too long for a number")
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if fraction := _FRACTION.fullmatch(plain):
        return _fraction(text, fraction)
    found = _DECIMAL.fullmatch(plain.replace(" ", ""))
    if found is None or not (found[2] or found[4]):
        return unreadable(text)
    value = float(f"{found[1]}{found[2] or '0'}.{found[4] or '0'}e{found[5] or '0'}")
    if not math.isfinite(value):
        return unreadable(text, "too large a number")
    return Entry(text.strip(), "number", value, len(found[4] or "") - int(found[5] or 0))


def of_float(value: float, text: str = "") -> Entry:
    """A number of a spreadsheet, which keeps no trailing zeros."""
    if not math.isfinite(value):
        return unreadable(text or str(value))
    read = read_number(repr(float(value)).removesuffix(".0"))
    return Entry(text or read.text, "number", float(value), read.decimals)


def _fraction(text: str, found: re.Match[str]) -> Entry:
    if int(found[3]) == 0:
        return unreadable(text, "a fraction over 0")
    value = int(found[2]) / int(found[3])
    return Entry(text.strip(), "number", -value if found[1] == "-" else value)
