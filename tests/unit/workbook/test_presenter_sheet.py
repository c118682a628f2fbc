"""The presenter sheet as it is written: what a viewer sees that does not calculate, and what the file holds."""

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tests.presenter import presented
from tracer.presentation.headings import MARKS, highlights
from tracer.presentation.palette import Highlight
from tracer.presentation.stage_grid import Staged
from tracer.problem.problem import Problem, problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.workbook.book import LEFT
from tracer.workbook.presenter_sheet import MOST_CELLS, TOP
from tracer.workbook.workbook import write_workbook


def layers(*sizes: int, rows: int = 2) -> Problem:
    """A problem of linear layers whose numbers do not matter."""
    document: dict[str, Any] = {
        "learning_rate": 0.1,
        "loss": "squared_error",
        "data": {"X": [[0.5] * sizes[0]] * rows, "Y": [[1.0] * sizes[-1]] * rows},
        "layers": [{"activation": "tanh", "units": units} for units in sizes[1:]],
    }
    return problem_from_document(document, "layers", "layers")


def written(recorded: Trace, folder: Path, data_only: bool = False) -> Any:
    write_workbook(recorded, folder / "book.xlsx")
    return openpyxl.load_workbook(folder / "book.xlsx", data_only=data_only)


def on_sheet(sheet: Worksheet, place: Staged) -> tuple[Any, list[list[Any]]]:
    """The heading of a matrix, and its cells."""
    rows = [[sheet.cell(TOP + place.row + 1 + i, LEFT + place.column + j).value for j in range(len(place.across))]
            for i in range(len(place.down))]  # fmt: skip
    return sheet.cell(TOP + place.row, LEFT + place.column).value, rows


@pytest.mark.parametrize("name", ["article", "hand", "linear-regression"])
def test_the_cached_values_are_those_of_the_first_step_that_computes(name: str, tmp_path: Path) -> None:
    recorded = trace(load_problem(name))
    one = recorded.first
    book = written(recorded, tmp_path, data_only=True)
    sheet, step = book["Presenter"], one.steps[2]
    known = highlights(one.program, step)
    assert float(sheet["C1"].value) == float(step.label)
    assert sheet["D1"].value == book[f"Step {step.label}"]["B1"].value
    for identifier, place in presented(recorded).items():
        heading, cells = on_sheet(sheet, place)
        if identifier in known:
            assert heading.startswith(MARKS[known[identifier]])
            assert (heading[:2] in MARKS.values()) == (known[identifier] != "plain")
            assert np.array_equal(np.array(cells, dtype=float), one[identifier]), identifier
        else:
            assert not heading and not any(value for row in cells for value in row), identifier


@pytest.mark.parametrize("name", ["article", "hand"])
def test_the_step_cell_offers_the_steps(name: str, tmp_path: Path) -> None:
    """The cell is a number where all are whole, else text, so that no program makes a date of 2.1."""
    recorded = trace(load_problem(name))
    sheet = written(recorded, tmp_path)["Presenter"]
    (choice,) = sheet.data_validations.dataValidation
    assert choice.type == "list" and str(choice.sqref) == "C1"
    labels = [step.label for step in recorded.first.steps]
    if name == "article":
        assert choice.formula1.strip('"').split(",") == labels
        assert (sheet["C1"].value, sheet["C1"].number_format) == (2.0, "General")
    else:
        assert [row[0].value for row in sheet[choice.formula1.replace("$", "")]] == labels
        assert (sheet["C1"].value, sheet["C1"].number_format) == ("2.1", "@")


def test_it_comes_behind_the_start_and_every_sheet_keeps_its_cells(tmp_path: Path) -> None:
    book = written(trace(load_problem("article")), tmp_path)
    assert book.sheetnames[:3] == ["Start", "Presenter", "Step 0"]
    assert book["Presenter"]["B1"].value == "step shown:"
    assert book["Step 3"]["B1"].value.startswith("Step 3 · ")
    links = [cell.hyperlink.location for cell in book["Presenter"][6] if cell.hyperlink]
    assert links == ["'Start'!A1", "'Step 0'!A1"]


def test_colours_follow_the_role_of_each_matrix(tmp_path: Path) -> None:
    """The same colours as on step sheets, on the headings and on the cells; nothing on another sheet is asked."""
    recorded = trace(load_problem("article"))
    sheet = written(recorded, tmp_path)["Presenter"]
    fills: dict[str, set[Any]] = {}
    for cells in sheet.conditional_formatting:
        for rule in cells.rules:
            (formula,) = rule.formula
            assert re.fullmatch(r"\$[A-Z]+\$\d+=[123]", formula)
            fill = rule.dxf.fill.bgColor.rgb[-6:] if rule.dxf.fill else None
            assert rule.dxf.fill or rule.dxf.border
            fills.setdefault(f"{cells.sqref} {formula[-1]}", set()).add(fill)
    assert len(fills) == 6 * len(presented(recorded))
    expected: dict[str, tuple[str | None, ...]] = {"3": ("FFF176",), "2": ("F9BC7A",), "1": ("ECEFF1", None)}
    for key, colours in fills.items():
        assert colours <= set(expected[key[-1]]) and len(colours) == 1, key


def test_a_role_is_what_the_steps_say(tmp_path: Path) -> None:
    """The hidden formula of each matrix, read at every step."""
    recorded = trace(load_problem("article"))
    one = recorded.first
    sheet = written(recorded, tmp_path)["Presenter"]
    codes: dict[Highlight | None, int] = {None: 0, "plain": 1, "input": 2, "active": 3}
    known = [highlights(one.program, step) for step in one.steps]
    column = LEFT + max(each.column + each.span for each in presented(recorded).values()) + 1
    assert all(sheet.column_dimensions[cell.column_letter].hidden for cell in sheet[TOP][column - 1 :])
    for row, identifier in enumerate(known[-1], start=TOP):
        formula = sheet.cell(row, column + 7).value
        for k, at in enumerate(known):
            assert _evaluated(formula, k) == codes[at.get(identifier)], (identifier, k)


def _evaluated(formula: str, place: int) -> int:
    """An IF of comparisons with the step's place, by Python's own reading."""
    text = re.sub(r"\$[A-Z]+\$\d+", "place", formula[1:]).replace("OR(", "any_of(").replace("IF(", "choose(")
    text = re.sub(r"(?<![><])=", "==", text)
    names = {"place": place, "any_of": lambda *tests: any(tests), "choose": lambda test, yes, no: yes if test else no}
    return int(eval(text, {"__builtins__": {}}, names))


def test_no_formula_is_longer_than_a_cell_takes(tmp_path: Path) -> None:
    """Nor does one hold a text of more than 255 characters, which Excel refuses."""
    sheet = written(trace(layers(*[1] * 12)), tmp_path)["Presenter"]
    formulas = [cell.value for row in sheet for cell in row if isinstance(cell.value, str) and cell.value[:1] == "="]
    assert len(formulas) > 500
    assert max(map(len, formulas)) <= 8192
    assert max(len(text) for formula in formulas for text in re.findall('"([^"]*)"', formula)) <= 255


def test_many_matrices_have_no_presenter_sheet(tmp_path: Path) -> None:
    for depth, has_one in ((6, True), (9, False)):
        recorded = trace(layers(*[12] * depth, rows=8))
        shown = sum(len(each.down) * len(each.across) for each in presented(recorded).values())
        assert (shown <= MOST_CELLS) == has_one
        write_workbook(recorded, tmp_path / "book.xlsx")
        with zipfile.ZipFile(tmp_path / "book.xlsx") as package:
            assert (b'name="Presenter"' in package.read("xl/workbook.xml")) == has_one


def test_it_is_made_for_a_lecture(tmp_path: Path) -> None:
    """Type of 16 points; no row is empty above one that is not, at any step; operands and results on one screen."""
    recorded = trace(load_problem("article"))
    sheet, places = written(recorded, tmp_path)["Presenter"], presented(recorded)
    for place in places.values():
        corner = sheet.cell(TOP + place.row + 1, LEFT + place.column)
        assert (corner.font.size, sheet.cell(TOP + place.row, LEFT + place.column).font.size) == (16, 16)
    for step in recorded.first.steps:
        known = [places[each] for each in highlights(recorded.first.program, step)]
        rows = {row for each in known for row in range(each.row, each.row + 1 + len(each.down))}
        assert rows == set(range(max(rows) + 1)), step.label
    assert max(rows) <= 40 and max(each.column + each.span for each in places.values()) <= 19
