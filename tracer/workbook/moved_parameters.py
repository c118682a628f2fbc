"""The sheet of forward passes with one parameter moved: where L(θ + h) and L(θ − h) come from.

For every parameter and both signs the assignments between it and the loss stand once more, as
formulas lowered from the same expressions. What does not change with it is brought here from the
step sheets, so that everything follows when an input is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from openpyxl.worksheet.worksheet import Worksheet

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.arrays import Array
from tracer.expression.formula import to_formula
from tracer.expression.label import label_text
from tracer.expression.lower import lower
from tracer.presentation.headings import place_of
from tracer.presentation.palette import Highlight
from tracer.run.differences import Estimate, Path
from tracer.run.passes import Pass
from tracer.spreadsheet.print_setup import ROW, break_rows, choose_page, leave_out, set_up
from tracer.spreadsheet.sheet_data import MOST_FORMULA, SheetData, address, column_letters
from tracer.workbook.book import LEFT, NARROW, Book
from tracer.workbook.forward_sheet import AddressOf, recorded

MOVED = "Moved parameters"
HEAD_ROWS = 4
WIDTH = 11.0
ROW_MARK = 0xE000  # private-use characters stand for the rows of a copy, whose formulas are written once
LONGEST_ROW = 7  # digits of a row number

Corner = tuple[int, int]


@dataclass(frozen=True)
class MovedPlan:
    """Where a pass goes on the sheet, from the row `top` on.

    First what is brought, one under the other; then the copies, with columns of its own for each matrix.
    """

    one: Pass
    paths: tuple[Path, ...]
    top: int

    @cached_property
    def brought(self) -> dict[str, Corner]:
        """The first cell of each matrix that stays as it is."""
        names = {name for path in self.paths for name in (path.parameter, *path.held)}
        corners, row = {}, self.top + 2
        for name in (name for name in self.one if name in names):
            corners[name] = (row, LEFT)
            row += self.one[name].shape[0] + 2
        return corners

    @cached_property
    def slots(self) -> dict[str, int]:
        """The first column of each matrix of a copy: the parameter (""), L, then those between; "end" is behind them.

        A column is free before each, the same ones in every pass.
        """
        widths = {"": max(self.one[name].shape[1] for name in self.brought)}
        widths |= {name: made.shape[1] for path in self.paths for name, made in path.expressions.items()}
        loss = self.one.program.loss
        order = ("", loss, *(name for name in self.one.program.computed if name in widths and name != loss))
        slots, column = {}, LEFT
        for name in order:
            slots[name] = column
            column += widths[name] + 1
        return slots | {"end": column}

    def columns(self, path: Path) -> dict[str, int]:
        """The first column of each matrix of a parameter's copies."""
        return {path.parameter: self.slots[""], **{name: self.slots[name] for name in path.ids}}

    @cached_property
    def formulas(self) -> dict[str, dict[str, list[list[str]]]]:
        """By parameter, the formulas of every matrix on its way to the loss, with marks for rows."""
        found: dict[str, dict[str, list[list[str]]]] = {}
        for path in self.paths:
            addresses = _Marked(self.columns(path), self.brought)
            found[path.parameter] = {name: _formulas(made, addresses) for name, made in path.expressions.items()}
        return found

    @property
    def fits(self) -> bool:
        """Whether every formula is short enough for a cell, in whichever rows it comes to stand."""
        cells = (text for made in self.formulas.values() for rows in made.values() for row in rows for text in row)
        lengths = (len(text) + (LONGEST_ROW - 1) * sum(ord(c) >= ROW_MARK for c in text) for text in cells)
        return all(length <= MOST_FORMULA for length in lengths)


@dataclass(frozen=True)
class _Marked:
    """Addresses of a copy: marks for the rows of what it computes, the cells of what was brought."""

    columns: Mapping[str, int]
    brought: Mapping[str, Corner]

    def cell(self, cell: s.Cell) -> str:
        if cell.matrix in self.columns:
            return f"{column_letters(self.columns[cell.matrix] + cell.column)}{chr(ROW_MARK + cell.row)}"
        row, column = self.brought[cell.matrix]
        return address(row + cell.row, column + cell.column, absolute=True)

    def block(self, block: s.Block) -> str:
        last = s.Cell(block.matrix, block.row + block.rows - 1, block.column + block.columns - 1)
        return f"{self.cell(s.Cell(block.matrix, block.row, block.column))}:{self.cell(last)}"


def _formulas(made: m.Matrix, addresses: _Marked) -> list[list[str]]:
    rows, columns = made.shape
    return [[to_formula(lower(made, i, j), addresses) for j in range(columns)] for i in range(rows)]


@dataclass(frozen=True)
class Copy:
    """A forward pass with one cell moved, as it stands on the sheet."""

    top: int
    columns: Mapping[str, int]
    values: Mapping[str, Array]

    @property
    def heading(self) -> str:
        """Where it begins."""
        return address(self.top - 2, LEFT)

    def range(self, name: str) -> str:
        """The cells of a matrix, as seen from another sheet."""
        left = self.columns[name]
        return range_of(
            lambda row, column: f"'{MOVED}'!{address(self.top + row, left + column)}", self.values[name].shape
        )


def range_of(cells: AddressOf, shape: m.Shape) -> str:
    """The whole of a matrix on its sheet, by where its cells are."""
    first, last = cells(0, 0), cells(shape[0] - 1, shape[1] - 1)
    return first if first == last else f"{first}:{last.rpartition('!')[2]}"


def cells_needed(one: Pass, paths: Iterable[Path]) -> int:
    """How many cells the copies of a pass take."""
    return sum(2 * one[path.parameter].size * sum(one[name].size for name in (path.parameter, *path.ids))
               for path in paths)  # fmt: skip


class MovedParameters:
    """Writes the sheet, which is there once a pass was begun."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.row = 1 + HEAD_ROWS
        self.sheet: Worksheet | None = None
        self.gaps: set[int] = set()
        self.breaks: set[int] = set()  # rows before which a page may end

    def plan(self, one: Pass, paths: Sequence[Path]) -> MovedPlan:
        """Where a pass goes if it is written next."""
        return MovedPlan(one, tuple(paths), self.row)

    def begin(self, plan: MovedPlan) -> None:
        """Bring what stays as it is."""
        data, styles = self._data(), self.book.styles
        words = " · ".join(filter(None, (place_of(self.book.trace, plan.one), "brought from the step sheets")))
        data.text(plan.top, LEFT, words, styles.band)
        self.breaks.add(plan.top)
        where = recorded(self.book, plan.one)
        for name, (row, column) in plan.brought.items():
            values = plan.one[name]
            self._heading(row - 1, column, name, values.shape[1])
            self.breaks.add(row - 1)
            data.formulas(row, column, values, styles.value("plain", None, False), where(name), alike=True)
            self.row = row + values.shape[0] + 1
        self.gaps = {column - 1 for column in plan.slots.values()}

    def write(self, plan: MovedPlan, path: Path, moved: Estimate, step_at: str) -> tuple[Copy, Copy]:
        """Both passes for a cell of a parameter, + h and − h; `step_at` is where h stands."""
        up = self._copy(plan, path, moved, "+", step_at)
        return up, self._copy(plan, path, moved, "-", step_at)

    def finish(self) -> None:
        """Column widths and print set-up."""
        if self.sheet is None:
            return
        last = max(self.gaps) - 1
        widths = [NARROW if column in self.gaps else WIDTH for column in range(1, last + 1)]
        for column, width in enumerate(widths, start=1):
            self.sheet.column_dimensions[column_letters(column)].width = width
        page = choose_page((sum(widths[1:]), ROW * self.row))
        set_up(self.sheet, page, [f"{address(1, LEFT)}:{address(self.row - 1, last)}"], "1:1")
        heights = self._data().heights
        rows = range(2, self.row)
        break_rows(self.sheet, page, rows, lambda row: heights.get(row, ROW), self.breaks.__contains__, heights[1])
        leave_out(self.sheet, self._data(), self.row)

    def _data(self) -> SheetData:
        if self.sheet is None:
            self.sheet = self.book.add_sheet(MOVED)
            self.sheet.freeze_panes = address(2, 1)
            data, styles = self.book.data[MOVED], self.book.styles
            data.text(1, LEFT, "The loss with one parameter moved by h", styles.title)
            data.heights[1] = 24
            data.text(2, LEFT, "The forward passes behind Gradient check: orange is moved, yellow is L.", styles.plain)
            self.book.leave_room_for_links(MOVED, 3)
        return self.book.data[MOVED]

    def _copy(self, plan: MovedPlan, path: Path, moved: Estimate, sign: Literal["+", "-"], step_at: str) -> Copy:
        data, names, columns = self._data(), self.book.headings.names, plan.columns(path)
        cell = label_text(names.cell(path.parameter, moved.row, moved.column))
        data.text(self.row, LEFT, f"{cell} {'+' if sign == '+' else '−'} h", self.book.styles.band)
        self.breaks.add(self.row)
        values = path.run(plan.one, moved.row, moved.column, moved.h if sign == "+" else -moved.h)
        copy = Copy(self.row + 2, columns, values)
        for name, left in columns.items():
            self._heading(copy.top - 1, left, name, values[name].shape[1])
        self._parameter(plan, path, moved, copy, sign + step_at)
        rows = {ROW_MARK + k: str(copy.top + k) for k in range(max(value.shape[0] for value in values.values()))}
        for name, texts in plan.formulas[path.parameter].items():
            written = [[text.translate(rows) for text in line] for line in texts]
            kind: Highlight = "active" if name == plan.one.program.loss else "plain"
            self._cells(copy.top, columns[name], values[name], kind, written)
        self.row = copy.top + len(rows) + 1
        return copy

    def _parameter(self, plan: MovedPlan, path: Path, moved: Estimate, copy: Copy, step: str) -> None:
        """The parameter's matrix as it was brought, with the step added to one cell."""
        values, left = copy.values[path.parameter], copy.columns[path.parameter]
        row, column = plan.brought[path.parameter]
        for i in range(values.shape[0]):
            for j in range(values.shape[1]):
                here = (i, j) == (moved.row, moved.column)
                text = address(row + i, column + j, absolute=True) + (step if here else "")
                value = values[i : i + 1, j : j + 1]
                self._cells(copy.top + i, left + j, value, "input" if here else "plain", [[text]])

    def _cells(self, row: int, column: int, values: Array, role: Highlight, formulas: list[list[str]]) -> None:
        style = self.book.styles.value(role, None, False)
        self._data().formulas(row, column, values, style, lambda i, j: formulas[i][j])

    def _heading(self, row: int, column: int, name: str, columns: int) -> None:
        data, style = self._data(), self.book.styles.heading("plain", True)
        data.text(row, column, label_text(self.book.headings.names.matrix(name)), style)
        for k in range(1, columns):
            data.blank(row, column + k, style)
