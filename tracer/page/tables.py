"""The tables of a page: a matrix with a heading for every row and column, so that each cell can be named aloud."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from tracer.presentation.board import BoardPlace
from tracer.presentation.excerpt import kept
from tracer.presentation.shown import Shown
from tracer.program import roles
from tracer.program.program import Program
from tracer.run.passes import Pass

MOST_ROWS, KEPT_ROWS = 14, (8, 2)  # a longer matrix shows its first and last rows
MOST_COLUMNS, KEPT_COLUMNS = 14, (8, 2)
PADDING, LEAST_ACROSS = 1.5, 5  # of a cell, in characters

Axes = tuple[str, str]


def axes(program: Program, identifier: str) -> Axes:
    """What a row and a column of a matrix stand for; "" where there is only one."""
    if not program.by_layers:
        return "row", "column"
    rows, columns = _axes(program, identifier)
    return (columns, rows) if program.turned else (rows, columns)


def _axes(program: Program, identifier: str) -> Axes:
    """Those with a sample in each row."""
    what, layer = program.quantity(program.follows(identifier) or identifier), 0
    if what != roles.LEARNING_RATE:
        layer = program.assignments[identifier].layer or 0
    unit = "output" if layer in (0, len(program.layers)) else "unit"
    if what == roles.INPUTS:
        return "sample", "input"
    if what.kind == "weights":
        return ("input" if layer == 1 else "unit before"), unit
    if what.kind == "bias":
        return "", unit
    if what == roles.JACOBIAN:
        return "output", "input of output"
    alone = what in (roles.LOSS, roles.LEARNING_RATE) or identifier in program.of_optimizer
    return ("", "") if alone else ("sample", unit)


class Body(NamedTuple):
    """The rows of a table, and how wide they are in characters."""

    markup: Markup
    across: float


def table_body(one: Pass, decimals: Shown, place: BoardPlace, words: Axes) -> Body:
    """The rows of a table, one piece of text for each; headings are numbers that are read out with their word."""
    rows, columns = table_rows(place.rows), table_columns(place.columns)
    values = one[place.id]
    if None in rows or None in columns:
        values = values[np.ix_(_places(rows), _places(columns))]
    texts, width = decimals.texts(place.id, values), values.shape[1]
    lines = [f"<tr><td></td>{''.join(_heading('col', words[1], c, place.columns) for c in columns)}</tr>"]
    start = 0
    for row in rows:
        cells = ["⋮"] * width if row is None else texts[start : start + width]
        start += width if row is not None else 0
        if None in columns:
            cells.insert(columns.index(None), "⋮" if row is None else "⋯")
        lines.append(f"<tr>{_heading('row', words[0], row, place.rows)}<td>{'</td><td>'.join(cells)}</td></tr>")
    return Body(Markup("\n".join(lines)), 2 + len(columns) * (PADDING + max(LEAST_ACROSS, *map(len, texts))))


def _places(kept: list[int | None]) -> list[int]:
    return [each for each in kept if each is not None]


@cache
def _heading(scope: str, word: str, index: int | None, count: int) -> str:
    if index is None:
        return "<td></td>"
    if not word:
        return f'<th scope="{scope}"></th>' if count > 1 else "<td></td>"
    return f'<th scope="{scope}" aria-label="{word} {index + 1}">{index + 1}</th>'


def table_rows(rows: int) -> list[int | None]:
    """The rows of a table that are shown; None stands for those left out."""
    return kept(rows, MOST_ROWS, *KEPT_ROWS)


def table_columns(columns: int) -> list[int | None]:
    """The columns of a table that are shown; None stands for those left out."""
    return kept(columns, MOST_COLUMNS, *KEPT_COLUMNS)
