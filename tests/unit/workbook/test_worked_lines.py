"""The worked lines of a workbook, read as a person would with a pocket calculator."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from tracer.expression.digits import round_half_away
from tracer.problem.reading import load_problem
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook

NAMES = ["article", "hand", "mazur", "softmax-classifier", "logistic-regression", "xor", "linear-regression"]
FUNCTIONS = {
    "exp": math.exp,
    "ln": math.log,
    "tanh": math.tanh,
    "max": max,
    "abs": abs,
}
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def by_calculator(text: str) -> float:
    """What a line comes to: only numbers, signs and the functions of the sheet."""
    plain = text.replace("−", "-").replace("·", "*").replace("⁻", "-")
    plain = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: f"**{found[0].translate(SUPERSCRIPTS)}", plain)
    plain = re.sub(r"\)\s*\(", ")*(", plain)
    plain = re.sub(r"(?<=[0-9])\(", "*(", plain)
    plain = re.sub(r"\)(?=[0-9a-z])", ")*", plain)
    assert re.fullmatch(r"[0-9.+\-*/(), ]*", re.sub("|".join(FUNCTIONS), "", plain)), text
    return float(eval(plain, {"__builtins__": {}}, FUNCTIONS))


def lines(path: Path) -> Iterator[tuple[str, list[str], str, float, int]]:
    """(sheet, stages, sign, value, decimals shown) of every worked line whose numbers are all written out."""
    book = openpyxl.load_workbook(path, data_only=True)
    for sheet in book:
        if "Step" not in sheet.title:
            continue
        stages: list[str] = []
        for row in sheet.iter_rows(min_row=6):
            cells = [cell for cell in row if cell.value is not None]
            texts = [str(cell.value) for cell in cells]
            numbers = [text.rsplit("= ", 1)[-1] for text in texts if text.startswith("= ")]
            stages += [text for text in numbers if re.match(r"[0-9(\-−emlt]", text) and not re.search(r"\[|_", text)]
            if texts[-2:-1] and texts[-2] in ("=", "≈") and isinstance(cells[-1].value, float | int):
                decimals = re.search(r"0\.(0+);", cells[-1].number_format + ";")
                yield sheet.title, stages, texts[-2], float(cells[-1].value), len(decimals[1]) if decimals else 0
                stages = []


@pytest.mark.parametrize("name", NAMES)
def test_a_line_comes_to_the_value_that_stands_behind_it(name: str, tmp_path: Path) -> None:
    write_workbook(trace(load_problem(name)), tmp_path / "book.xlsx")
    checked = 0
    for sheet, stages, sign, value, decimals in lines(tmp_path / "book.xlsx"):
        for stage in stages:
            if "…" in stage or "where" in stage or "if" in stage:
                continue
            found = by_calculator(stage)
            unit = 10.0**-decimals
            if sign == "=":
                shown = [round_half_away(each, decimals) for each in (found, value)]
                assert abs(shown[0] - shown[1]) < 0.1 * unit, (sheet, stage, value)
            else:
                assert abs(found - value) <= max(60 * unit, 0.05 * abs(value)), (sheet, stage, value)
            checked += 1
    assert checked > 30


@pytest.mark.parametrize("name", ["article", "softmax-classifier", "hand"])
def test_lines_are_near_the_left_and_in_the_row_of_their_value(name: str, tmp_path: Path) -> None:
    """Within 1300 pixels at 100 %, a character being 7 pixels wide; integers as they were typed."""
    write_workbook(trace(load_problem(name)), tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx", data_only=True)
    signs = 0
    for sheet in (each for each in book if each.title.startswith("Step ")):
        widths = {letters: dimension.width for letters, dimension in sheet.column_dimensions.items()}
        for cell in (cell for row in sheet.iter_rows(min_row=6) for cell in row if cell.value in ("=", "≈")):
            before = [get_column_letter(k) for k in range(1, cell.column + 2)]
            assert sum(7 * widths.get(each, 8.43) + 5 for each in before) < 1300, (sheet.title, cell.coordinate)
            signs += 1
    assert signs > 20
    if name == "article":
        lines = [str(cell.value) for row in book["Step 2"] for cell in row]
        assert "= (1)(0.42) + (0)(0.1) + (1)(0.6) + (0)(0.92) + 0.46" in lines
