"""Columns by letter, and addresses of cells; rows and columns count from 1."""

from __future__ import annotations

from functools import cache


@cache
def column_letters(column: int) -> str:
    """The letters of a column counted from 1.

    >>> column_letters(1), column_letters(28)
    ('A', 'AB')
    """
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@cache
def column_number(letters: str) -> int:
    """The column that has these letters.

    >>> column_number("A"), column_number("AB")
    (1, 28)
    """
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number


def address(row: int, column: int, absolute: bool = False) -> str:
    """The address of a cell counted from 1."""
    mark = "$" if absolute else ""
    return f"{mark}{column_letters(column)}{mark}{row}"
