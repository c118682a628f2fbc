"""The stage on a sheet's columns: nothing covers anything, operands line up with the result as the formula reads."""

from collections.abc import Iterator
from functools import cache

import pytest

from tests.programs import SAMPLES
from tests.traces import example
from tracer.expression.lower import lower, precedents
from tracer.presentation.headings import Headings
from tracer.presentation.shown import shown
from tracer.presentation.stage import Operand, Products, stage_of
from tracer.presentation.stage_grid import SheetColumns, StageGrid, kept_with
from tracer.problem.example_groups import ELEVEN_STEPS
from tracer.problem.program_problem import program_from_document
from tracer.problem.reading import example_names
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.workbook.pass_layout import layout_of, staged
from tracer.workbook.staging import MARGIN, StagedFormula

EVERY = [*example_names(ELEVEN_STEPS), *SAMPLES]


@cache
def recorded(name: str) -> Trace:
    if name in SAMPLES:
        return trace(program_from_document(SAMPLES[name].document(), "sample", "sample"))
    return example(name)


def formulas(name: str) -> Iterator[StagedFormula]:
    run = recorded(name)
    layout = staged(layout_of(run, run.first, 0), Headings(run.problem, run.first.program))
    return (formula for formulas in layout.stages.values() for formula in formulas)


def taken(grid: StageGrid) -> list[tuple[int, int]]:
    """The cells of every heading, number and sign."""
    matrices = (*grid.operands, grid.result)
    headings = [(each.row, each.column + k) for each in matrices for k in range(each.span)]
    cells = [(row, column) for each in matrices for row, column, _ in each.cells()]
    row, column, count = grid.ones or (0, 0, -1)
    ones = [(row + k, column) for k in range(count + 1)]
    return [*headings, *cells, *((row, column) for row, column, _ in grid.signs), *ones]


@pytest.mark.parametrize("name", EVERY)
def test_nothing_covers_anything_and_every_number_has_room(name: str) -> None:
    run = recorded(name)
    layout = staged(layout_of(run, run.first, 0), Headings(run.problem, run.first.program))
    decimals = shown(run, run.first)
    for formula in formulas(name):
        places = taken(formula.grid)
        assert len(places) == len(set(places)), formula.made.id
        assert max(row for row, _ in places) < formula.grid.rows
        assert min(column for _, column in places) >= -1  # a line that goes on has its sign in the margin
        for each in (*formula.grid.operands, formula.grid.result):
            for _, column, cell in each.cells():
                if cell is not None:
                    text = decimals.text(cell.matrix, float(run.first[cell.matrix][cell.row, cell.column]))
                    assert layout.widths[column] >= len(text) + MARGIN


@pytest.mark.parametrize("name", EVERY)
def test_what_the_asked_cell_is_made_of_is_on_stage(name: str) -> None:
    """All of it, where matrices are shown whole; of large ones what the formula meets first."""
    for formula in formulas(name):
        assert formula.made.expression is not None
        on_stage = {cell for each in formula.grid.operands for _, _, cell in each.cells()}
        made_of = set(precedents(lower(formula.made.expression, formula.asked.row, formula.asked.column)))
        whole = all(None not in each.down + each.across for each in formula.grid.operands)
        assert made_of <= on_stage if whole else made_of & on_stage, formula.made.id
        assert formula.asked in {cell for _, _, cell in formula.grid.result.cells()}


@pytest.mark.parametrize("name", EVERY)
def test_in_a_product_row_meets_column(name: str) -> None:
    for formula in formulas(name):
        assert formula.made.expression is not None
        stage, grid = stage_of(formula.made.expression), formula.grid
        if isinstance(stage, Products):
            lefts, above = grid.operands[: len(stage.pairs)], grid.operands[len(stage.pairs) :]
            assert all((each.row, each.down) == (grid.result.row, grid.result.down) for each in lefts)
            assert all((each.column, each.across) == (grid.result.column, grid.result.across) for each in above)
            assert [each.operand for each in grid.operands] == [*(left for left, _ in stage.pairs), *(
                right for _, right in stage.pairs), *stage.rows]  # fmt: skip


def test_of_a_large_matrix_the_first_the_asked_and_the_last_are_shown() -> None:
    assert kept_with(20, 8, 11) == (0, 1, 2, None, 11, None, 19)
    assert kept_with(20, 8, 3) == (0, 1, 2, 3, None, 19)
    assert kept_with(8, 8, 5) == tuple(range(8))


def test_a_matrix_stands_between_narrow_columns_where_it_fits() -> None:
    columns = SheetColumns(slot=3, room=11, heading_span=lambda operand, column: 1)
    assert [columns.beside(k, 2) for k in range(5)] == [0, 1, 4, 4, 4]
    assert columns.beside(2, 5) == 2
    assert columns.heading_span(Operand("X"), 0) == 1
