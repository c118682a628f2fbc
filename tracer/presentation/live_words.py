"""Sentences that follow the numbers: each written once, read as a formula and as the text that it gives now.

Each also knows the longest text that it can become, so that its cell has room for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tracer.expression.digits import fixed
from tracer.expression.formula import literal
from tracer.expression.live import Live

MOST_LITERAL = 250  # characters of a text within a formula; Excel takes 255


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether something holds now, and how a formula asks."""

    formula: str
    holds: bool


@dataclass(frozen=True, slots=True)
class LiveNumber:
    """A number, and the formula of it ("" where it is only recorded)."""

    formula: str
    value: float

    def above(self, bound: float) -> Condition:
        return Condition(f"{self.formula}>{literal(float(bound))}", self.value > bound)

    def below(self, bound: float) -> Condition:
        return Condition(f"{self.formula}<{literal(float(bound))}", self.value < bound)

    def equals(self, other: LiveNumber) -> Condition:
        return Condition(f"{self.formula}={other.formula}", self.value == other.value)

    def plus(self, number: float) -> LiveNumber:
        return LiveNumber(f"({self.formula}+{literal(float(number))})", self.value + number)

    def written(self, decimals: int) -> Words:
        """The number with so many decimals, as FIXED writes it."""
        text = fixed(self.value, decimals).replace("−", "-")
        return Words(f"FIXED(ROUND({self.formula},{decimals})+0,{decimals},TRUE)", text, text)


@dataclass(frozen=True, slots=True)
class Words(Live):
    """A text that follows the numbers, with the longest that it can become, but for digits."""

    longest: str


def words(text: str) -> Words:
    """A text that stays as it is."""
    pieces = [text[k : k + MOST_LITERAL] for k in range(0, len(text), MOST_LITERAL)] or [""]
    return Words("&".join('"' + piece.replace('"', '""') + '"' for piece in pieces), text, text)


def joined(*parts: Live | str) -> Words:
    """Parts one after the other."""
    each = [_with_longest(part) for part in parts]
    formula = "&".join(part.formula for part in each)
    return Words(formula, "".join(part.text for part in each), "".join(part.longest for part in each))


def choose(condition: Condition, then: Live | str, otherwise: Live | str) -> Words:
    """One of two, as the numbers are."""
    yes, no = _with_longest(then), _with_longest(otherwise)
    text = yes.text if condition.holds else no.text
    formula = f"IF({condition.formula},{yes.formula},{no.formula})"
    return Words(formula, text, max(yes.longest, no.longest, key=len))


def _with_longest(part: Live | str) -> Words:
    if isinstance(part, str):
        return words(part)
    return part if isinstance(part, Words) else Words(part.formula, part.text, part.text)
