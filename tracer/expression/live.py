"""The live reading: a worked line as a spreadsheet formula that writes itself out as text.

`="("&FIXED(ROUND(B9,3)+0,3,TRUE)&")("&…` shows `(1.000)(0.420) + …` and follows when a cell is
changed. FIXED writes the same in every language; rounding first and adding 0 takes the sign off a
zero. Pure text, built from the stages of worked.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tracer.expression import scalar as s
from tracer.expression.digits import as_typed, fixed, typed_decimals
from tracer.expression.formula import Addresses, to_formula
from tracer.expression.notation import ENGLISH, Notation
from tracer.expression.text import CellWriter, PlainText
from tracer.expression.worked import branch, over_cells

FIRST_MARK, LAST_MARK = 0xE000, 0xF8FF  # private-use characters stand for the live parts in the text
LEAST_TYPED = 3  # decimals of a typed number, so that an edit of it shows
LEAST_JOINED, MOST_JOINED = 1e-4, 1e9  # between them a typed number joined to a text is written as it was typed
ATOM = 4


@dataclass(frozen=True, slots=True)
class Live:
    """A formula, without "=", and the text that it gives with the numbers of the trace."""

    formula: str
    text: str


def to_live_text(stage: s.Scalar, addresses: Addresses, notation: Notation = ENGLISH) -> Live:
    """The stage's text as a formula over the cells that its numbers came from."""
    return _LiveWriter(addresses, notation).join(stage)


def shown_decimals(value: float, decimals: int | None) -> int:
    """To how many decimals a number is written live; `decimals` is None where it was typed."""
    return max(LEAST_TYPED, typed_decimals(value)) if decimals is None else decimals


class _LiveWriter(CellWriter):
    """Writes numbers as marks, and turns the marked text into a formula that joins them."""

    def __init__(self, addresses: Addresses, notation: Notation) -> None:
        super().__init__(addresses.cell, notation=notation)
        self.addresses = addresses
        self.parts: list[Live] = []

    def join(self, expression: s.Scalar) -> Live:
        """An expression's text with its live parts, as one formula."""
        pieces = re.split(f"([{chr(FIRST_MARK)}-{chr(LAST_MARK)}])", self.write(expression))
        lives = [self._piece(piece) for piece in pieces if piece]
        return Live("&".join(each.formula for each in lives), "".join(each.text for each in lives))

    def read(self, expression: s.Scalar) -> PlainText:
        return (self._branches(expression), ATOM) if isinstance(expression, s.Where) else super().read(expression)

    def _branches(self, where: s.Where) -> str:
        """Only the branch that counts is written."""
        then, otherwise = (
            _LiveWriter(self.addresses, self.notation).join(each) for each in (where.then, where.otherwise)
        )
        left, right = (to_formula(over_cells(each), self.addresses) for each in (where.left, where.right))
        formula = f"IF({left}{where.relation}{right},{then.formula},{otherwise.formula})"
        return self._mark(formula, then.text if branch(where) is where.then else otherwise.text)

    def value(self, value: s.Value) -> PlainText:
        rounded, number = self._number(value)
        text = f"({number.text})" if number.text.startswith("-") else number.text
        return self._mark(f'IF({rounded}<0,"("&{number.formula}&")",{number.formula})', text), ATOM

    def factor(self, factor: s.Scalar) -> str:
        if isinstance(factor, s.Value):
            number = self._number(factor)[1]
            return f"({self._mark(number.formula, number.text)})"
        return super().factor(factor)

    def split_sign(self, term: s.Scalar) -> tuple[bool, s.Scalar]:
        """A number may change its sign, so only what the rule itself takes off is taken off."""
        return (True, term.operand) if isinstance(term, s.Negative) else (False, term)

    def _number(self, value: s.Value) -> tuple[str, Live]:
        """The rounded number, and its text."""
        number = value.of if value.of is not None else s.Number(value.value)
        if value.decimals is None and (value.value == 0 or LEAST_JOINED <= abs(value.value) < MOST_JOINED):
            text = self.notation.number(as_typed(value.value)).replace("−", "-")
            written = to_formula(number, self.addresses)
            return written, Live(f'{written}&""', text)
        decimals = shown_decimals(value.value, value.decimals)
        rounded = to_formula(s.Round(number, decimals), self.addresses)
        text = self.notation.number(fixed(value.value, decimals)).replace("−", "-")
        return rounded, Live(f"FIXED({rounded}+0,{decimals},TRUE)", text)

    def _mark(self, formula: str, text: str) -> str:
        self.parts.append(Live(formula, text))
        return chr(FIRST_MARK + len(self.parts) - 1)

    def _piece(self, piece: str) -> Live:
        if len(piece) == 1 and FIRST_MARK <= ord(piece) <= LAST_MARK:
            return self.parts[ord(piece) - FIRST_MARK]
        return Live('"' + piece.replace('"', '""') + '"', piece)
