"""Spreadsheet formulas as trees: a tokenizer and a parser by precedence, with the spreadsheet's own (−2^2 is 4).

Pure text: nothing is evaluated. What cannot be read raises UnreadFormulaError, and the cell stays a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from tracer.spreadsheet.columns import column_number

DEEPEST = 100  # brackets within brackets
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384


class UnreadFormulaError(Exception):
    """A formula that is not read; the message says what in it."""


class ReferenceCorner(NamedTuple):
    """Row and column from 1 as written, and whether a $ holds each fast."""

    row: int
    column: int
    fixed_row: bool
    fixed_column: bool


@dataclass(frozen=True, slots=True)
class Literal:
    value: float | str | bool


@dataclass(frozen=True, slots=True)
class Reference:
    """A cell, or a range from `first` to `last`; `sheet` is None for the formula's own."""

    sheet: str | None
    first: ReferenceCorner
    last: ReferenceCorner | None = None


@dataclass(frozen=True, slots=True)
class NameNode:
    """A defined name, a parameter of LET or LAMBDA, or a table's."""

    name: str


@dataclass(frozen=True, slots=True)
class Spill:
    """The whole array that a formula fills from its first cell: A1#."""

    of: FormulaNode


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[FormulaNode | None, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """A LAMBDA called at once, or a call of what a call gives."""

    function: FormulaNode
    arguments: tuple[FormulaNode | None, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    sign: str
    operand: FormulaNode


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: FormulaNode
    right: FormulaNode


@dataclass(frozen=True, slots=True)
class Bracketed:
    inner: FormulaNode


@dataclass(frozen=True, slots=True)
class ArrayConstant:
    """An array constant."""

    rows: tuple[tuple[FormulaNode, ...], ...]


FormulaNode: TypeAlias = (
    Literal | Reference | NameNode | Spill | Call | Applied | Unary | Binary | Bracketed | ArrayConstant
)

POWER_OF = {"=": 1, "<>": 1, "<": 1, "<=": 1, ">": 1, ">=": 1, "&": 2, "+": 3, "-": 3, "*": 4, "/": 4, "^": 5}
_SHEET = r"(?:'(?:[^']|'')+'|[\w.]+)!"
_CELL = r"\$?[A-Za-z]{1,3}\$?[0-9]{1,7}"
_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<text>"(?:[^"]|"")*") |
    (?P<error>\#(?:N/A|REF!|VALUE!|DIV/0!|NUM!|NAME\?|NULL!)) |
    (?P<range>(?:{_SHEET})?{_CELL}:{_CELL}(?![\w.(])) |
    (?P<lines>(?:{_SHEET})?(?:\$?[A-Za-z]{{1,3}}:\$?[A-Za-z]{{1,3}}|\$?[0-9]+:\$?[0-9]+)(?![\w.(])) |
    (?P<cell>(?:{_SHEET})?{_CELL}(?![\w.(!])) |
    (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?) |
    (?P<name>(?:{_SHEET})?[^\W\d][\w.\\?]*) |
    (?P<operator><>|<=|>=|[-+*/^&=<>%(),;:{{}}\#@])
    )""",
    re.VERBOSE,
)
_PARTS = re.compile(r"(?:(.+)!)?(\$?)([A-Za-z]{1,3})(\$?)([0-9]{1,7})(?::(\$?)([A-Za-z]{1,3})(\$?)([0-9]{1,7}))?")


@lru_cache(maxsize=20_000)
def parse(text: str) -> FormulaNode:
    """The tree of a formula without its "=". Raises UnreadFormulaError.

    >>> parse("-A1^2")
    Binary(operator='^', left=Unary(sign='-', operand=Reference(sheet=None, first=ReferenceCorner(row=1, column=1, \
fixed_row=False, fixed_column=False), last=None)), right=Literal(value=2.0))
    """
    parser = _Parser(_tokens(text))
    tree = parser.expression(0)
    if parser.kind != "end":
        raise UnreadFormulaError(f"“{parser.text}” has no place")
    return tree


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise UnreadFormulaError(f"“{text[at : at + 12]}” is not read")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return [*found, ("end", "")]


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0]

    @property
    def text(self) -> str:
        return self.tokens[self.at][1]

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def expect(self, text: str) -> None:
        if self.text != text:
            raise UnreadFormulaError(f"“{text}” is missing")
        self.take()

    def expression(self, least: int) -> FormulaNode:
        self.depth += 1
        if self.depth > DEEPEST:
            raise UnreadFormulaError("too many brackets")
        left = self.operand()
        while self.kind == "operator" and POWER_OF.get(self.text, 0) > least:
            operator = self.take()
            left = Binary(operator, left, self.expression(POWER_OF[operator]))
        self.depth -= 1
        return left

    def operand(self) -> FormulaNode:
        if self.kind == "operator" and self.text in "+-@":
            sign = self.take()
            inner = self.operand()
            return inner if sign == "@" else Unary(sign, inner)
        found = self.primary()
        while self.kind == "operator" and self.text in ("%", "#", "("):
            if self.text == "(":
                self.take()
                found = Applied(found, self.arguments())
            else:
                found = Unary("%", found) if self.take() == "%" else Spill(found)
        return found

    def primary(self) -> FormulaNode:
        kind, text = self.kind, self.take()
        match kind:
            case "number":
                return Literal(float(text))
            case "text":
                return Literal(text[1:-1].replace('""', '"'))
            case "cell" | "range":
                return _reference(text)
            case "name":
                return self.named(text)
            case "operator" if text == "(":
                inner = self.expression(0)
                self.expect(")")
                return Bracketed(inner)
            case "operator" if text == "{":
                return self.array()
        raise UnreadFormulaError(f"“{text}” is not read" if text else "something is missing at its end")

    def named(self, text: str) -> FormulaNode:
        if text.upper() in ("TRUE", "FALSE") and self.text != "(":
            return Literal(text.upper() == "TRUE")
        if self.text != "(":
            return NameNode(text.removeprefix("_xlpm."))
        self.take()
        name = text.upper().removeprefix("_XLFN.").removeprefix("_XLWS.").removeprefix("_XLFN.")
        return Call(name, self.arguments())

    def arguments(self) -> tuple[FormulaNode | None, ...]:
        if self.text == ")":
            self.take()
            return ()
        found: list[FormulaNode | None] = []
        while True:
            found.append(None if self.text in (",", ")") and self.kind == "operator" else self.expression(0))
            if self.kind == "operator" and self.text == ",":
                self.take()
                continue
            self.expect(")")
            return tuple(found)

    def array(self) -> FormulaNode:
        rows: list[tuple[FormulaNode, ...]] = []
        row: list[FormulaNode] = []
        while True:
            row.append(self.expression(0))
            mark = self.take()
            if mark in (";", "}"):
                rows.append(tuple(row))
                row = []
            if mark == "}":
                break
            if mark not in (",", ";"):
                raise UnreadFormulaError("an array is not read")
        if len({len(each) for each in rows}) != 1:
            raise UnreadFormulaError("an array is not read")
        return ArrayConstant(tuple(rows))


def _reference(text: str) -> Reference:
    found = _PARTS.fullmatch(text)
    if found is None:
        raise UnreadFormulaError(f"“{text}” is not read")
    sheet = found[1]
    if sheet is not None:
        sheet = sheet[1:-1].replace("''", "'") if sheet.startswith("'") else sheet
        if "[" in sheet:
            raise UnreadFormulaError("refers to another file")
    first = _corner(found[2], found[3], found[4], found[5])
    return Reference(sheet, first, _corner(found[6], found[7], found[8], found[9]) if found[7] else None)


def _corner(hold_column: str, letters: str, hold_row: str, digits: str) -> ReferenceCorner:
    row, column = int(digits), column_number(letters.upper())
    if not 0 < row <= LAST_ROW or column > LAST_COLUMN:
        raise UnreadFormulaError(f"there is no cell {letters}{digits}")
    return ReferenceCorner(row, column, bool(hold_row), bool(hold_column))
