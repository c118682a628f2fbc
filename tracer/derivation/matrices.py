"""What is written for any computed matrix: its rule, one cell in full, and all of its cells."""

from __future__ import annotations

from tracer.derivation.cells import Cells
from tracer.derivation.typeset import (
    EQUALS,
    Contents,
    Formula,
    LineStage,
    equation,
    formula,
    operator,
    row,
    say,
    shown_cells,
)
from tracer.expression import scalar as s

SMALLEST = 0.75  # a matrix of expressions that is set smaller than this is left out


def worked(cells: Cells, identifier: str) -> Contents:
    """A cell worked out from letters to its value, then the whole matrix."""
    made = cells.program.assignments[identifier]
    if not cells.varies(identifier):
        yield equation(cells.block(identifier), _symbols_and_values(cells), cells.matrix(identifier))
        return
    if made.shape == (1, 1):
        yield cells.example(cells.first(identifier))
        return
    if not _moved(cells, identifier):
        yield say("One cell in full:")
        yield cells.example(cells.first(identifier))
        yield say("And every cell:")
    yield from whole(cells, identifier)


def whole(cells: Cells, identifier: str) -> Contents:
    """All cells of a matrix: as a formula of whole matrices, in symbols and with numbers, or cell by cell."""
    products = [cells.in_matrices(identifier, numbers) for numbers in (False, True)]
    if products[0] is not None and products[1] is not None:
        yield from (each for each in products if each is not None and each.scale >= SMALLEST)
        if min(each.scale for each in products if each is not None) >= SMALLEST:
            return
    yield cell_by_cell(cells, identifier)


def cell_by_cell(cells: Cells, identifier: str) -> Formula:
    """Symbols = expressions = numbers = values; where the expressions are too wide, symbols = values."""
    block, name = cells.block(identifier), cells.matrix(identifier)
    stages = cells.stages(block)
    if _moved(cells, identifier):
        stages = [each for each in stages if each[2] != "numbers"]
    for left_out in ((), ("letters",)):
        made = equation(block, [each for each in stages if each[2] not in left_out], name)
        if made.scale >= SMALLEST:
            return made
    return equation(block, _symbols_and_values(cells), name)


def _moved(cells: Cells, identifier: str) -> bool:
    """Whether a matrix is cells of others as they are, in other places."""
    return all(isinstance(cells.lowered(cell), s.Cell) for cell in shown_cells(cells.block(identifier)))


def rule(cells: Cells, identifier: str) -> Formula:
    """The name of a matrix (of a gradient also the derivative that it is) = its rule in whole matrices."""
    fraction = cells.fraction(identifier)
    name = cells.matrix(identifier)
    first = [(fraction,), (row(operator(EQUALS), name),)] if fraction else [(name,)]
    return formula(*first, (cells.equals_rule(identifier),))


def given(cells: Cells, identifier: str) -> Formula:
    """A matrix that is given: symbols = values."""
    if cells.program.assignments[identifier].shape == (1, 1):
        cell = cells.first(identifier)
        return formula((cells.symbol(cell),), (row(operator(EQUALS), cells.value(cell)),))
    return equation(cells.block(identifier), _symbols_and_values(cells), cells.matrix(identifier))


def _symbols_and_values(cells: Cells) -> list[LineStage]:
    return [(EQUALS, cells.symbol, "symbols"), (EQUALS, cells.value, "values")]
