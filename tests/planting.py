"""Faults planted at random in the formulas of a book that is right."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from tracer.audit.auditing import audit_cells
from tracer.audit.graph import build
from tracer.audit.grids import number
from tracer.audit.lowering import Lowering
from tracer.audit.numbers import PointRow, cells_of, value
from tracer.audit.package import BookCells, WrittenFormula, read_book
from tracer.audit.parsing import UnreadFormulaError
from tracer.audit.report import Audit
from tracer.audit.writing import formula_at
from tracer.expression import scalar as s
from tracer.spreadsheet.columns import address

REFERENCE = re.compile(r"(?<![A-Z'!$:])([A-Z]{1,2})([0-9]+)(?![0-9:(!])")
LEAST = 1e-6  # of a number: a fault that changes less is none


def places(content: bytes, audit: Audit | None = None) -> list[s.Cell]:
    """The cells of a right book that compute a gradient or an update, copies aside; `audit` is its own, if known."""
    audit = audit or audit_cells(read_book("book", content))
    steps = [each for each in audit.carried if each.matrix.startswith("Step")]
    cells = [each.cell for each in audit.gradients] + sorted(steps, key=lambda c: (c.matrix, c.row, c.column))
    return [each for each in cells if not isinstance(audit.graph.made[each], s.Cell)]


def planted(
    content: bytes, cells: list[s.Cell], random: np.random.Generator, count: int
) -> Iterator[tuple[s.Cell, str, BookCells]]:
    """Books with one fault each: the cell, the wrong formula and the book."""
    right = read_book("book", content)
    numbers = build(right).values({})
    made = 0
    while made < count:
        cell = cells[int(random.integers(len(cells)))]
        text = formula_at(right, cell)[1:]
        wrong = _changed(text, cell, random)
        book = copied(right)
        book.sheets[cell.matrix].formulas[cell.row, cell.column] = WrittenFormula(wrong, (cell.row, cell.column))
        if wrong != text and _differs(book, cell, numbers):
            made += 1
            yield cell, wrong, book


def copied(book: BookCells) -> BookCells:
    """A book whose formulas can be changed without the other's."""
    sheets = {
        title: replace(sheet, values=dict(sheet.values), formulas=dict(sheet.formulas))
        for title, sheet in book.sheets.items()
    }
    return replace(book, sheets=sheets)


def _differs(book: BookCells, cell: s.Cell, numbers: Mapping[s.Cell, PointRow]) -> bool:
    """Whether a cell's formula gives another number than it did, of the same cells."""
    try:
        found = number(Lowering(book).expression(cell.matrix, (cell.row, cell.column)))
    except UnreadFormulaError:  # of a text
        return False
    known = {each: numbers.get(each, np.float64(0.0)) for each in cells_of(found)}
    off, right = float(value(found, known)), float(numbers[cell])  # type: ignore[arg-type]
    return abs(off - right) > LEAST * max(abs(right), 1e-9)


def _changed(text: str, cell: s.Cell, random: np.random.Generator) -> str:
    """A formula with a reference moved, a sign turned or a term left out."""
    kind = int(random.integers(4))
    found = list(REFERENCE.finditer(text))
    if kind == 0:
        return f"-({text})"
    if kind == 1 and text.count("+") == 1 and "(" not in text:
        return text.split("+")[0]
    if kind == 2:
        return f"({text})*2"
    if not found:
        return text
    chosen = found[int(random.integers(len(found)))]
    down, right = ((1, 0), (-1, 0), (0, 1), (0, -1))[int(random.integers(4))]
    letters = sum((ord(c) - 64) * 26**k for k, c in enumerate(reversed(chosen[1])))
    row, column = int(chosen[2]) + down, letters + right
    if row < 1 or column < 1 or (row, column) == (cell.row, cell.column):
        return text
    return text[: chosen.start()] + address(row, column) + text[chosen.end() :]
