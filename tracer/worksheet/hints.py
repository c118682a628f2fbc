"""Beside the board of a workbook, in the cell's own row: in practice the formula of each cell that is marked ✗, on a
sheet with planted slips the sign of each cell that has an x."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from tracer.expression import scalar as s
from tracer.expression.lower import lower
from tracer.expression.notation import Notation
from tracer.expression.text import cell_text
from tracer.presentation.shown import Shown
from tracer.program.program import Program
from tracer.run.passes import Pass
from tracer.spreadsheet.sheet_data import MOST_FORMULA
from tracer.worksheet.board import WorksheetBoard
from tracer.worksheet.marks import AGAIN, HiddenBoard, sign_of, text
from tracer.worksheet.plan import Plan

BETWEEN = "   "


def hints(
    one: Pass, plan: Plan, board: WorksheetBoard, shown: Shown, name: Callable[[s.Cell], str], notation: Notation
) -> Iterator[tuple[int, str]]:
    """A sheet row and the formula that writes its hints; as many of them as a formula has room for."""
    rows: dict[int, list[str]] = defaultdict(list)
    for identifier in sorted(plan.blank, key=board.corner):
        made = one.program.assignments[identifier]
        assert made.expression is not None  # only computed matrices are left blank
        for row in range(made.shape[0]):
            for column in range(made.shape[1]):
                cell, rule = s.Cell(identifier, row, column), lower(made.expression, row, column)
                letters = cell_text(shown.work(one, identifier, rule).letters, name, notation)
                hint = text(f"{name(cell)} = {letters}{BETWEEN}")
                rows[board.corner(identifier)[0] + row].append(f'IF({board.mark(cell)}={text(AGAIN)},{hint},"")')
    yield from _joined(rows)


def signs(
    program: Program, plan: Plan, hidden: HiddenBoard, name: Callable[[s.Cell], str]
) -> Iterator[tuple[int, str]]:
    """Of a sheet with planted slips: a sheet row and the formula that writes the signs of its cells with an x."""
    board, rows = hidden.board, dict[int, list[str]]()
    for identifier in sorted(plan.blank, key=board.corner):
        for row, column in np.ndindex(program.assignments[identifier].shape):
            cell = s.Cell(identifier, row, column)
            sign = f"{text(f'{name(cell)} ')}&{sign_of(cell, hidden)}&{text(BETWEEN)}"
            parts = rows.setdefault(board.corner(identifier)[0] + row, [])
            parts.append(f'IF({board.mark(cell)}="","",{sign})')
    yield from _joined(rows)


def _joined(rows: Mapping[int, list[str]]) -> Iterator[tuple[int, str]]:
    """Each row's texts as one formula, as many of them as it has room for."""
    for row, parts in rows.items():
        formula = "&".join(parts)
        while len(formula) > MOST_FORMULA:
            parts.pop()
            formula = "&".join(parts)
        yield row, formula
