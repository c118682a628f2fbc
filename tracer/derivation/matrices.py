"""What is written for any computed matrix: its rule, one cell in full, and all of its cells."""

from __future__ import annotations

from tracer.derivation.cells import Cells
from tracer.derivation.typeset import EQUALS, Contents, Formula, LineStage, equation, formula, row, say

SMALLEST = 0.6  # a matrix of expressions that is set smaller than this is left out
MOST_STAGES = 9  # of numbers, where a function has several


def worked(cells: Cells, identifier: str, one: str = "One cell in full:", every: str = "And every cell:") -> Contents:
    """A cell worked out from letters to its value, then the whole matrix."""
    made = cells.program.assignments[identifier]
    if not cells.varies(identifier):
        yield equation(cells.block(identifier), _symbols_and_values(cells), cells.matrix(identifier))
        return
    if made.shape == (1, 1):
        yield cells.example(cells.first(identifier))
        return
    yield say(one)
    yield cells.example(cells.first(identifier))
    yield say(every)
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
    made = equation(block, stages, name)
    if made.scale >= SMALLEST:
        return made
    without = [each for each in stages if each[2] not in ("letters",)]
    shorter = equation(block, without, name)
    return shorter if shorter.scale >= SMALLEST else equation(block, _symbols_and_values(cells), name)


def rule(cells: Cells, identifier: str) -> Formula:
    """The name of a matrix (of a gradient also the derivative that it is) = its rule in whole matrices."""
    fraction = cells.fraction(identifier)
    first = [(fraction,), (row(f"<mo>{EQUALS}</mo>", cells.matrix(identifier)),)] if fraction else [(cells.matrix(identifier),)]
    return formula(*first, (cells.equals_rule(identifier),))


def given(cells: Cells, identifier: str) -> Formula:
    """A matrix that is given: symbols = values."""
    return equation(cells.block(identifier), _symbols_and_values(cells), cells.matrix(identifier))


def _symbols_and_values(cells: Cells) -> list[LineStage]:
    return [(EQUALS, cells.symbol, "symbols"), (EQUALS, cells.value, "values")]
