"""What differs from language to language within a formula: the decimal mark and a few words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notation:
    """The marks and words of one language; `more` says in words that {count} terms are left out."""

    decimal: str = "."
    rows: str = "rows"
    columns: str = "columns"
    where: str = "where"
    otherwise: str = "else"
    more: str = "{count} more"
    rounded: str = "round"

    @property
    def separator(self) -> str:
        """Between the arguments of a function: never the decimal mark."""
        return ";" if self.decimal == "," else ","

    def number(self, text: str) -> str:
        """A number that was written with a point.

        >>> Notation(decimal=",").number("−0.42")
        '−0,42'
        """
        return text.replace(".", self.decimal)

    def omitted(self, count: int) -> str:
        """In place of so many terms."""
        return self.more.replace("{count}", str(count))

    def over(self, axis: str) -> str:
        """What a sum runs over; "" where that is everything."""
        return {"rows": self.rows, "columns": self.columns}.get(axis, "")


ENGLISH = Notation()
