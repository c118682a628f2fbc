"""Numbers as people write them: a comma for the point, a fraction, a typographic minus."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

LONGEST = 60  # characters of a number; nobody types more
MOST, LEAST = 1e30, 1e-30  # sizes of numbers; beyond them nobody calculates by hand
MOST_EXPONENT = 40
SIGNIFICANT = 1e-12  # of a number's size: what float64 and spreadsheets hold beyond that is not compared

EntryKind: TypeAlias = Literal["number", "blank", "unreadable"]

_DECIMAL = re.compile(
    r"([+-]?)(\d*)(?:([.,])(\d*))?(?:(?:[eE]|\*\^|[x*·×⋅•]10(?:\^|\*\*))\(?([+-]?\d{1,3})\)?)?(%?)", re.ASCII
)
_FRACTION = re.compile(r"([+-]?)(\d{1,15})\s*/\s*(\d{1,15})", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+", re.ASCII)
_UNSEEN = "\u00a0\u202f\u200b\u200e\u200f\u061c\u2066\u2067\u2068\u2069\u202a\u202b\u202c\u202d\u202e\ufeff"
_RAISED = re.compile("10([⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_LOWERED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
_REMARK = re.compile(r"(?<=[0-9.,%])\s*\([^()]*[^()0-9.,\s][^()]*\)$")  # 0.12 (rounded)
UNSEEN = dict.fromkeys(map(ord, _UNSEEN))
_CLEANED = str.maketrans("−–\N{NON-BREAKING HYPHEN}⁄", "---/", _UNSEEN)  # spaces of no width, marks of direction
_AMOUNT = re.compile(r"[-+−≈~]?\s*\d+(?:[.,]\d+)?\s*(?:[%?!°].*|\(.*\)|[A-Za-z]{1,3})")  # 3 cm, 1.48 (rounded)
_BEFORE = ("=", "≈", "~")  # a number
_SHEET_ERROR = re.compile(r"#[A-Z/0]+[!?]?")  # #DIV/0!, #N/A
_NO_WORDS = frozenset({"nan", "-nan", "inf", "+inf", "-inf", "infinity", "-infinity", "none", "null", "n/a", "na"})
NOT_A_NUMBER, TOO_LONG = "not a number", "too long to be a number"


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in a cell of an answer; `decimals` are those written, None where it is exact (3/8).

    `bare`: a spreadsheet's number, which keeps no zeros at its end: 0.010 and 0.01 are the same to it.
    """

    text: str
    kind: EntryKind
    value: float = math.nan
    decimals: int | None = None
    note: str = ""
    bare: bool = False

    def unit(self, asked: int) -> float:
        """One in its last place, where so many decimals were asked for: at least float64's own."""
        written = asked if self.decimals is None else max(self.decimals, asked)
        return max(10.0**-written, SIGNIFICANT * abs(self.value))

    @property
    def is_words(self) -> bool:
        """Whether words stand here, and not a number that cannot be read."""
        text = self.text.strip()
        return (
            self.kind == "unreadable"
            and self.note in (NOT_A_NUMBER, TOO_LONG)
            and _SHEET_ERROR.fullmatch(text) is None
            and any(map(str.isalpha, text))
            and text.lower() not in _NO_WORDS
            and _AMOUNT.fullmatch(text) is None
        )

    @property
    def digits(self) -> int:
        """The significant digits written; of an exact number as many as float64 has."""
        if self.kind != "number" or self.value == 0:
            return 0
        return 15 if self.decimals is None else math.floor(math.log10(abs(self.value))) + 1 + self.decimals

    def own_unit(self) -> float:
        """One in the last place written."""
        return 0.0 if self.decimals is None else 10.0**-self.decimals


BLANK = Entry("", "blank")


def unreadable(text: str, note: str = NOT_A_NUMBER) -> Entry:
    return Entry(text[:LONGEST], "unreadable", note=note)


@lru_cache(maxsize=4096)  # the files of a class have most numbers in common
def read_number(text: str) -> Entry:
    """What a text says.

    >>> read_number("−0,42").value, read_number("3/8").value, read_number(".50").decimals
    (-0.42, 0.375, 2)
    >>> read_number("1,2·10⁻³").value, read_number("≈ 0.12 (rounded)").value, read_number("12 %").decimals
    (0.0012, 0.12, 2)
    """
    plain = text.translate(_CLEANED).strip()
    if not plain.isascii():
        plain = _RAISED.sub(lambda found: f"10^{found[1].translate(_LOWERED)}", plain)
    plain = plain[1:].strip() if plain[:1] in _BEFORE else plain
    if not plain:
        return BLANK
    if len(plain) > LONGEST:
        return unreadable(text, TOO_LONG)
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if fraction := _FRACTION.fullmatch(plain):
        return _fraction(text, fraction)
    if plain[-1:] in ")." and len(plain) > 1:
        plain = _REMARK.sub("", plain).removesuffix(".")
    found = _DECIMAL.fullmatch(plain.replace(" ", ""))
    if found is None or not (found[2] or found[4]):
        return unreadable(text)
    power = int(found[5] or 0) - 2 * len(found[6])
    value = float(f"{found[1]}{found[2] or '0'}.{found[4] or '0'}e{power}")
    if abs(power) > MOST_EXPONENT or not _is_of_a_size(value):
        return unreadable(text, "a number that is too large" if power >= 0 else "a number that is too small")
    return Entry(text.strip(), "number", value, len(found[4] or "") - power)


def of_float(value: float, text: str = "") -> Entry:
    """A number of a spreadsheet, which keeps no trailing zeros."""
    if not _is_of_a_size(value):
        return unreadable(text or str(value), "a number that is too large or too small")
    shown = repr(float(value)).removesuffix(".0")
    decimals = read_number(shown).decimals if "e" in shown else len(shown.partition(".")[2])
    return Entry(text or shown, "number", float(value), decimals, bare=True)


def _is_of_a_size(value: float) -> bool:
    return value == 0.0 or LEAST <= abs(value) <= MOST


def _fraction(text: str, found: re.Match[str]) -> Entry:
    if int(found[3]) == 0:
        return unreadable(text, "a division by zero")
    value = int(found[2]) / int(found[3])
    return Entry(text.strip(), "number", -value if found[1] == "-" else value)
