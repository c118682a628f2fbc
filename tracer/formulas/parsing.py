"""A formula's text as Python's own syntax tree, within bounds. Nothing is ever evaluated or executed."""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from dataclasses import dataclass

MOST_CHARACTERS = 10_000
MOST_LEVELS = 100
_USED = ("if", "else", "and", "or", "not", "in", "is", "None", "True", "False")  # as Python's own, told elsewhere
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class FormulaError(ValueError):
    """What is wrong with a formula, and the column (from 0) where it stands."""

    def __init__(self, says: str, column: int = 0) -> None:
        self.says, self.column = says, column
        super().__init__(says)


@dataclass(frozen=True)
class ParsedFormula:
    """name = expression; `text` is as typed, without spaces around it."""

    text: str
    name: str
    expression: ast.expr

    def column(self, node: ast.AST) -> int:
        """Where a node begins, in characters from the beginning of the text."""
        lines = self.text.split("\n")
        before = sum(len(line) + 1 for line in lines[: getattr(node, "lineno", 1) - 1])
        line = lines[getattr(node, "lineno", 1) - 1]
        return before + len(line.encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore"))


def parsed(text: str) -> ParsedFormula:
    """The formula of a text. Raises FormulaError for anything but `name = expression`."""
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(f"found {len(text):,} characters, expected at most {MOST_CHARACTERS:,} in a formula")
    text = text.strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of `1(2)`, we say ourselves
            tree = ast.parse(text)
    except SyntaxError as wrong:
        for found in NAME.finditer(text):
            if keyword.iskeyword(found[0]) and found[0] not in _USED:
                raise FormulaError(misnamed(found[0]) or "", found.start()) from None
        column = max((wrong.offset or 1) - 1, 0)
        raise FormulaError("not a formula that can be read here", min(column, len(text))) from None
    except (ValueError, RecursionError, MemoryError):
        raise FormulaError("not a formula that can be read: it nests too deep, or holds what is no text") from None
    match tree.body:
        case [ast.Assign([ast.Name(name)], expression)]:
            pass
        case _:
            raise FormulaError("expected name = expression, as in Z = X @ W + b")
    _check_depth(expression)
    wrong_name = misnamed(name)
    if wrong_name:
        raise FormulaError(wrong_name)
    return ParsedFormula(text, name, expression)


def misnamed(name: str) -> str | None:
    """What is wrong with a matrix's name, or None."""
    if keyword.iskeyword(name):
        other = "lam" if name == "lambda" else f"{name}_"
        return f"found {name!r}, a word of Python, as a name; {other!r} would do"
    if not NAME.fullmatch(name) or len(name) > 100:
        return f"found {name[:40]!r} as a name, expected a letter followed by letters, digits and _ (ASCII)"
    return None


def _check_depth(expression: ast.expr) -> None:
    level: list[ast.AST] = [expression]
    for _ in range(MOST_LEVELS):
        level = [inside for node in level for inside in ast.iter_child_nodes(node)]
        if not level:
            return
    raise FormulaError(f"found an expression of more than {MOST_LEVELS} levels; split it into several formulas")
