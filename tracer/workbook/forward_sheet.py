"""The forward pass over all samples once more, live, with the parameters that a run began or ended with.

The board of a step has one batch, and the parameters before its update. What an epoch did to every
output shows only when they are computed again: on the sheet After and, where an epoch has several
batches, on the sheet Before. Both are written from the expressions of the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.formula import EXPANDED_RULES, to_formula
from tracer.expression.label import label_text
from tracer.expression.lower import lower
from tracer.presentation.board import LARGE_COLUMNS, LARGE_ROWS, BoardPlace, lay_out
from tracer.presentation.headings import band_title, detail
from tracer.problem.program_problem import ProgramProblem
from tracer.program.program import Program
from tracer.run.passes import AnyProblem, Pass, Trace
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.print_setup import ROW, choose_page, leave_out, set_up
from tracer.spreadsheet.sheet_data import MOST_FORMULA, address, column_letters
from tracer.workbook.addresses import SheetAddresses
from tracer.workbook.book import LEFT, NARROW, TOP, Book
from tracer.workbook.matrix_cells import LARGEST_FIXED
from tracer.workbook.pass_layout import layout_of

BEFORE, AFTER = "Before", "After"
MOST_CELLS = 1_000  # of such a sheet; a larger pass stays as it was recorded
LARGEST = 1e12  # numbers from here on are no longer written out

AddressOf: TypeAlias = Callable[[int, int], str]
"""The address of a cell of a matrix, its sheet in front, by row and column counted from 0."""
Lookup: TypeAlias = Callable[[str], AddressOf]
"""The cells of a matrix, by its identifier."""


def why_not_live(trace: Trace[AnyProblem]) -> str | None:
    """Why the end of a run is not computed in the workbook from its beginning; None where it is."""
    if any(after.number > before.number + 1 for before, after in pairwise(trace.epochs)):
        return "the epochs between are not in this book"
    for one in map(forward_part, (trace.at_start, trace.at_end)):
        if not all(bool((abs(matrix) < LARGEST).all()) for matrix in one.matrices.values()):
            return "the numbers are too large"
        if not _fits(one):
            limits = f"{MOST_CELLS:,} cells, {LARGE_ROWS} rows, {LARGE_COLUMNS} columns or {EXPANDED_RULES} outputs"
            return f"that takes more than {limits}"
    return None


def forward_part(one: Pass) -> Pass:
    """A pass up to its loss."""
    steps = one.program.steps
    last = steps.index(one.program.step_of(one.program.loss))
    program = Program(steps[: last + 1], one.program.rows)
    return replace(one, program=program, computed=one.computed[: len(program.computed)])


def _fits(one: Pass) -> bool:
    """Whether a forward pass is small enough for a sheet of its own."""
    cells = sum(matrix.size for matrix in one.matrices.values())
    outputs = one[one.program.targets].size if one.program.by_layers else 1
    if cells > MOST_CELLS or outputs > EXPANDED_RULES or lay_out(one.program).excerpts:
        return False
    at = SheetAddresses(lay_out(one.program))
    long = one.program.computed if not one.program.by_layers else (one.program.loss,)
    return all(len(to_formula(cell, at)) <= MOST_FORMULA for name in long for cell in _lowered(one.program, name))


def _lowered(program: Program, name: str) -> Iterator[s.Scalar]:
    """Every cell of a computed matrix, in letters."""
    made = program.assignments[name].expression
    assert made is not None
    return (lower(made, row, column) for row in range(made.shape[0]) for column in range(made.shape[1]))


def write_before(book: Book) -> Lookup:
    """Where the matrices before the first update stand; on a sheet of their own where no batch has all samples."""
    first = book.trace.first
    parameters = recorded(book, first)
    if first.stop - first.start == book.problem.rows:
        return parameters
    words = "The forward pass over all samples with the parameters before the first update."
    return _write(book, BEFORE, words, forward_part(book.trace.at_start), parameters)


def write_after(book: Book) -> Lookup:
    """Where the matrices of all samples after the last update stand."""
    words = "The forward pass over all samples with the parameters after the last update."
    updated, carried = recorded(book, book.trace.last), book.trace.last.program.carried
    return _write(book, AFTER, words, forward_part(book.trace.at_end), lambda name: updated(carried[name]))


def recorded(book: Book, one: Pass) -> Lookup:
    """Where the matrices of a recorded pass are computed or typed in."""
    places = book.places_of(one.program)
    return lambda name: cells_of(book.home[one.epoch, one.iteration, name], places[name], book.top)


def by_sample(book: Book, name: str) -> AddressOf:
    """Where what is given of every sample is typed in: each batch of the first epoch has its own."""
    problem, passes = book.problem, book.trace.epochs[0].iterations
    if isinstance(problem, ProgramProblem):
        return recorded(book, book.trace.first)(name)
    size = problem.batch_size

    @cache
    def of_batch(number: int) -> AddressOf:
        return recorded(book, passes[number])(name)

    if passes[0].program.turned:
        return lambda row, column: of_batch(column // size)(row, column % size)
    return lambda row, column: of_batch(row // size)(row % size, column)


def cells_of(title: str, place: BoardPlace, board_top: int = TOP) -> AddressOf:
    """Where the cells of a matrix stand, by its sheet and its place on the board, which begins at a row there."""
    top, left = board_top + place.row, LEFT + place.column
    return lambda row, column: f"'{title}'!{address(top + row, left + column)}"


def _write(book: Book, title: str, words: str, one: Pass, parameters: Lookup) -> Lookup:
    """A sheet with the board of a forward pass; returns where its matrices stand."""
    layout = layout_of(book.trace, one, 0)
    board, sheet, data, styles = layout.board, book.add_sheet(title), book.data[title], book.styles
    for column, width in enumerate((NARROW, *layout.widths), start=1):
        sheet.column_dimensions[column_letters(column)].width = width
    whole = 0, board.columns - 1
    _across(book, title, 1, whole, title, styles.shrunk_title)
    _across(book, title, 2, whole, words, styles.note)
    data.heights |= {1: 24.0, 2: 3 * ROW}
    book.leave_room_for_links(title, 4)
    for band in board.bands:
        data.text(TOP + band.row, LEFT, band_title(book.problem, band, one), styles.band)
    addresses = SheetAddresses(board)
    for name, made in one.program.assignments.items():
        place, values = board.places[name], one[name]
        heading = book.headings.of(name, *values.shape)
        for k, text in enumerate((label_text(heading.name), detail(heading))):
            slot = place.column, place.column + board.slot - 1
            _across(book, title, TOP + place.heading_row + k, slot, text, styles.heading("plain", k == 0))
        decimals = layout.decimals.decimals[name] if np.abs(values).max() < LARGEST_FIXED else None
        cells = _live(made.expression, addresses) if made.expression else _given(book, name, parameters)
        style = styles.value("plain", decimals, False)
        data.formulas(TOP + place.row, LEFT + place.column, values, style, cells)
    page = choose_page((sum(layout.widths), (TOP + board.rows) * ROW))
    set_up(sheet, page, [f"{address(1, LEFT)}:{address(TOP + board.rows, LEFT + whole[1])}"], "1:2")
    leave_out(sheet, data, TOP + board.rows)
    return lambda name: cells_of(title, board.places[name])


def _across(book: Book, title: str, row: int, columns: tuple[int, int], text: str, style: int) -> None:
    """A text from one board column to another."""
    first, last = (LEFT + column for column in columns)
    book.data[title].text(row, first, text, style)
    for column in range(first + 1, last + 1):
        book.data[title].blank(row, column, style)
    merge(book.workbook[title], row, first, last)


def _given(book: Book, name: str, parameters: Lookup) -> AddressOf:
    return by_sample(book, name) if name in book.trace.last.program.given else parameters(name)


def _live(expression: m.Matrix, addresses: SheetAddresses) -> AddressOf:
    return lambda row, column: to_formula(lower(expression, row, column), addresses)
