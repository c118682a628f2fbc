"""The tables of a page: a matrix with a heading for every row and column, so that each cell can be named aloud."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup

from tracer.board import Place
from tracer.shown import Shown
from tracer.trace import Pass

MOST_ROWS, KEPT_ROWS = 14, (8, 2)  # a longer matrix shows its first and last rows
MOST_COLUMNS, KEPT_COLUMNS = 14, (8, 2)

Axes = tuple[str, str]


def axes(identifier: str, depth: int) -> Axes:
    """What a row and a column of a matrix stand for; "" where there is only one.

    >>> axes("W2", 3), axes("Z1", 3), axes("b1", 3)
    (('unit before', 'unit'), ('sample', 'unit'), ('', 'unit'))
    """
    found = re.fullmatch(r"(d?[WbJ]|[XYELZASD])(\d*)(?:_next)?", identifier)
    kind, layer = (found[1], int(found[2] or 0)) if found else ("", 0)
    unit = "output" if layer == depth else "unit"
    match kind.lstrip("d"):
        case "X":
            return "sample", "input"
        case "Y" | "E" if layer == 0:
            return "sample", "output"
        case "W":
            return ("input" if layer == 1 else "unit before"), unit
        case "b":
            return "", unit
        case "J":
            return "output", "input of output"
        case "L" | "":
            return "", ""
        case _:
            return "sample", unit


def table_body(one: Pass, decimals: Shown, place: Place, words: Axes) -> Markup:
    """The rows of a table, one piece of text for each; headings are numbers that are read out with their word."""
    values = one[place.id]
    columns, rows = kept_columns(place.columns), kept_rows(place.rows)
    lines = [f"<tr><td></td>{''.join(_heading('col', words[1], c, place.columns) for c in columns)}</tr>"]
    for row in rows:
        head = _heading("row", words[0], row, place.rows)
        cells = ("⋮" if row is None else "⋯" if c is None else decimals.text(place.id, float(values[row, c]))
                 for c in columns)  # fmt: skip
        lines.append(f"<tr>{head}<td>{'</td><td>'.join(cells)}</td></tr>")
    return Markup("\n".join(lines))


def _heading(scope: str, word: str, index: int | None, count: int) -> str:
    if index is None:
        return "<td></td>"
    if not word:
        return f'<th scope="{scope}"></th>' if count > 1 else "<td></td>"
    return f'<th scope="{scope}" aria-label="{word} {index + 1}">{index + 1}</th>'


def kept_rows(rows: int) -> list[int | None]:
    """The rows of a table that are shown; None stands for those left out."""
    return _kept(rows, MOST_ROWS, KEPT_ROWS)


def kept_columns(columns: int) -> list[int | None]:
    """The columns of a table that are shown; None stands for those left out."""
    return _kept(columns, MOST_COLUMNS, KEPT_COLUMNS)


def _kept(count: int, most: int, kept: Sequence[int]) -> list[int | None]:
    if count <= most:
        return list(range(count))
    first, last = kept
    return [*range(first), None, *range(count - last, count)]
