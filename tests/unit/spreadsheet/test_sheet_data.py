"""The cells of a sheet: every digit, every formula at its place, within a spreadsheet's limits."""

import re
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tracer.errors import ExportError
from tracer.spreadsheet.columns import address
from tracer.spreadsheet.columns import column_letters as letters
from tracer.spreadsheet.fill import MARKS
from tracer.spreadsheet.sheet_data import MOST_COLUMNS, MOST_FORMULA, MOST_ROWS, SheetData

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
STYLE = 3


def cells(data: SheetData) -> dict[str, tuple[str | None, str | None]]:
    """Formula and value by address; rows and cells must come in order, once each."""
    sheet = etree.fromstring(b"".join(data.xml()))
    rows = [int(row.get("r")) for row in sheet]
    assert rows == sorted(set(rows))
    found = {}
    for row, element in zip(rows, sheet, strict=True):
        letters = [re.fullmatch(f"([A-Z]+){row}", cell.get("r"))[1] for cell in element]  # type: ignore[index]
        assert letters == sorted(set(letters), key=lambda text: (len(text), text))
        found.update({cell.get("r"): (cell.findtext("f"), cell.findtext("v")) for cell in element})
    return found


def filled(values: np.ndarray, formula: Callable[[int, int], str], alike: bool) -> dict[str, tuple[str, str]]:
    data = SheetData()
    data.formulas(5, 2, values, STYLE, formula, alike)
    return cells(data)  # type: ignore[return-value]


@given(st.lists(NUMBERS, min_size=1, max_size=30))
def test_a_number_has_the_digits_that_repr_gives_it(numbers: list[float]) -> None:
    data = SheetData()
    data.numbers(1, 1, np.array([numbers]), STYLE)
    texts = [text for _, text in cells(data).values()]
    assert [Decimal(str(text)) for text in texts] == [Decimal(repr(number)) for number in numbers]
    assert [np.copysign(1, float(str(text))) for text in texts] == [np.copysign(1, number) for number in numbers]


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (2500, 2), (2, 5000)])
def test_each_number_stands_at_its_place(shape: tuple[int, int]) -> None:
    """However many are written out at once."""
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    data = SheetData()
    data.numbers(4, 3, values, STYLE)
    expected = {address(4 + r, 3 + c): (None, str(values[r, c])) for r, c in np.ndindex(*shape)}
    assert cells(data) == expected


FORMULAS = {
    "no address": lambda row, column: "1+1",
    "moving and fixed rows": lambda row, column: f"A{row + 1}*$B$7+'Step 2'!C{row + 12}%",
    "marked up": lambda row, column: f'IF(A{row + 9}<B3,"a & b",">")',
    "its own row": lambda row, column: f"SUM(H{row + 5}:{'JKL'[column]}{row + 5})",
    "moving columns": lambda row, column: (
        f"SUMPRODUCT('Step 0'!{letters(25 + row)}9:{letters(25 + row)}72,{'JKL'[column]}9:{'JKL'[column]}72)"
    ),
    "rows and columns that meet": lambda row, column: f"{letters(row + 5)}{row + 5}+{letters(column + 5)}5",
    "columns backwards": lambda row, column: f"{letters(9 - row)}2",
    "as many rows as there are marks": lambda row, column: "+".join(f"A{row + k}" for k in range(1, len(MARKS))),
    "more rows than there are marks": lambda row, column: "+".join(f"A{row + k}" for k in range(1, len(MARKS) + 9)),
    "rows apart": lambda row, column: f"A{2 * row + 1}",
    "a last row unlike the others": lambda row, column: f"A{row + 1}" if row < 3 else "0",
}


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_formulas_filled_down_are_those_of_each_cell(formula: Callable[[int, int], str]) -> None:
    values = np.linspace(0.1, 1.0, 12).reshape(4, 3)
    found = filled(values, formula, alike=True)
    assert found == filled(values, formula, alike=False)
    assert found == {address(5 + r, 2 + c): (formula(r, c), repr(float(values[r, c]))) for r, c in np.ndindex(4, 3)}


@pytest.mark.parametrize("kind", ["no address", "moving and fixed rows", "its own row", "moving columns"])
def test_a_column_of_formulas_is_written_from_a_few_of_them(kind: str) -> None:
    """Or a large network's workbook would take many times as long."""
    asked: set[tuple[int, int]] = set()

    def formula(row: int, column: int) -> str:
        asked.add((row, column))
        return FORMULAS[kind](row, column)

    filled(np.zeros((50, 3)), formula, alike=True)
    assert len(asked) <= 12


def test_texts_and_matrices_share_a_row_in_order() -> None:
    data = SheetData()
    data.text(2, 9, "behind", STYLE)
    data.numbers(2, 3, np.ones((2, 2)), STYLE)
    data.blank(2, 1, STYLE)
    data.numbers(1, 5, np.ones((3, 1)), STYLE)
    data.live_text(3, 2, 'FIXED(1)&" < 2"', "1.00 < 2", STYLE)
    assert list(cells(data)) == ["E1", "A2", "C2", "D2", "E2", "I2", "B3", "C3", "D3", "E3"]
    assert cells(data)["B3"] == ('FIXED(1)&" < 2"', "1.00 < 2")


def test_the_dimension_reaches_from_the_first_cell_to_the_last() -> None:
    data = SheetData()
    assert data.dimension() == "A1:A1"
    data.numbers(5, 3, np.ones((2, 4)), STYLE)
    data.text(2, 5, "above", STYLE)
    data.blank(3, 27, STYLE)
    assert data.dimension() == "C2:AA6"


def test_the_last_row_and_column_of_a_sheet_can_be_used() -> None:
    data = SheetData()
    data.numbers(MOST_ROWS - 1, MOST_COLUMNS - 1, np.eye(2), STYLE)
    assert list(cells(data))[-1] == "XFD1048576"


@pytest.mark.parametrize("place", [(MOST_ROWS, 1), (1, MOST_COLUMNS)])
def test_what_does_not_fit_a_sheet_is_refused(place: tuple[int, int]) -> None:
    with pytest.raises(ExportError, match="1,048,576 rows and 16,384 columns"):
        SheetData().numbers(*place, np.eye(2), STYLE)


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan])
def test_a_number_that_no_cell_holds_is_refused(number: float) -> None:
    with pytest.raises(ExportError, match="infinite"):
        SheetData().numbers(1, 1, np.array([[1.0, number]]), STYLE)


def test_a_formula_that_outgrows_its_cell_further_down_is_refused() -> None:
    """Row numbers get longer: A9 fits, A10 does not."""

    def formula(row: int, column: int) -> str:
        return f"A{row + 9}+".ljust(MOST_FORMULA + row, "1")

    filled(np.ones((1, 1)), formula, alike=True)
    with pytest.raises(ExportError, match="8,193 characters"):
        filled(np.ones((2, 1)), formula, alike=True)
