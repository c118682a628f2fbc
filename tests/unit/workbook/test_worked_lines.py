"""The worked lines of a workbook, read as a person would with a pocket calculator."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

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
            cells = [cell for cell in row if cell.value is not None and cell.column > 6]
            texts = [str(cell.value) for cell in cells]
            numbers = [text for text in texts if re.match(r"= [0-9(\-−emlt]", text) and not re.search(r"\[|_", text)]
            stages += [text.removeprefix("= ") for text in numbers[-1:]]
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
