"""The sheet of moved parameters as it is read; engines recalculate it in tests/engine."""

import openpyxl
import pytest
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet.worksheet import Worksheet

from tests.traces import example
from tracer.expression.label import label_text
from tracer.problem.names import names_of
from tracer.run.differences import path_to_loss
from tracer.spreadsheet.sheet_data import MOST_ROWS
from tracer.workbook import moved_parameters
from tracer.workbook.moved_parameters import NARROW, ROW_MARK, WIDTH, MovedPlan
from tracer.workbook.workbook import write_workbook


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Worksheet:
    path = tmp_path_factory.mktemp("moved") / "book.xlsx"
    write_workbook(example("article"), path)
    return openpyxl.load_workbook(path)["Moved parameters"]


def copies(sheet: Worksheet) -> list[int]:
    """The rows of the headings of the copies."""
    return [cell.row + 1 for cell in sheet["B"] if str(cell.value).endswith(("+ h", "− h"))]


def test_every_matrix_has_its_name_over_all_its_columns(sheet: Worksheet) -> None:
    names = names_of(example("article").problem)
    known = {label_text(names.matrix(each)) for each in example("article").first}
    brought = [cell.row for cell in sheet["B"] if cell.value in known]
    assert len(brought) == 7 + len(copies(sheet)) and len(copies(sheet)) == 2 * 19
    for row in brought:
        columns = [cell.column for cell in sheet[row] if cell.fill.fill_type == "solid"]
        assert columns == [cell.column for cell in sheet[row + 1] if cell.value is not None]
        begins = [column for column in columns if column - 1 not in columns]
        assert [cell.column for cell in sheet[row] if cell.value in known] == begins


def test_a_pass_fits_where_its_longest_formula_does_in_the_last_rows_of_a_sheet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = example("article").first
    plan = MovedPlan(one, tuple(path_to_loss(one.program, name) for name in ("W1", "b1", "W2", "b2")), 5)
    last = {ROW_MARK + k: str(MOST_ROWS - 9 + k) for k in range(9)}
    written = (text for made in plan.formulas.values() for rows in made.values() for row in rows for text in row)
    longest = max(len(text.translate(last)) for text in written)
    for most, fits in ((longest, True), (longest - 1, False)):
        monkeypatch.setattr(moved_parameters, "MOST_FORMULA", most)
        assert plan.fits is fits


def test_each_copy_moves_the_cell_that_it_is_named_after_and_no_other(sheet: Worksheet) -> None:
    for row in copies(sheet):
        name, sign, _ = str(sheet.cell(row - 1, 2).value).rsplit(" ", 2)
        matrix, _, place = name.rstrip("]").partition("[")
        *above, column = (place or "1").split(",")  # of a bias the place in its row, where it has more than one
        moved = [
            (cell.row - row, cell.column - 1, str(cell.value).partition("'")[0][-1])
            for line in sheet.iter_rows(row + 1, row + 4, 2, 5)
            for cell in line
            if "Gradient check" in str(cell.value)
        ]
        assert sheet.cell(row, 2).value == matrix and moved == [
            (int("".join(above) or 1), int(column), sign.replace("−", "-"))
        ]


def test_columns_are_wide_where_they_hold_something_and_narrow_between(sheet: Worksheet) -> None:
    filled = {cell.column for row in sheet.iter_rows(2) for cell in row if cell.value is not None}
    widths = {column_index_from_string(each): found.width for each, found in sheet.column_dimensions.items()}
    assert widths == {column: WIDTH if column in filled else NARROW for column in range(1, max(filled) + 1)}
