"""Worksheet workbooks filled in and recalculated: their marks are those of the checker, and they hold no answer."""

import re
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from tests.alike import MOST_UNTOLD, UNTOLD, sheets, signs
from tests.engine.recalculate import by_cellrune, by_file, by_ironcalc, by_libreoffice
from tests.fairness import problems
from tests.simulation import Teacher
from tests.unit.judging import test_lost_zeros as lost_zeros
from tests.worksheets import SHEET, Cells, addresses, fill, mark_addresses
from tracer.answers.numbers import read_number
from tracer.answers.reading import read_answers
from tracer.judging.marking import mark_answers
from tracer.presentation.theme import theme_of
from tracer.problem.problem import Problem, problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.spreadsheet.print_setup import ACROSS, CHARACTER, DOWN, ROW, TURNED_ACROSS, TURNED_DOWN
from tracer.worksheet.book import write_worksheet_book
from tracer.worksheet.plan import Plan, make_plan

ENGINES = {"cellrune": by_cellrune, "ironcalc": by_ironcalc}
Marks = dict[tuple[str, int, int], object]

pytestmark = pytest.mark.engine


def written(folder: Path, problem: Problem, key: bool = False, **choice: str | bool) -> tuple[Trace, Plan, Path]:
    """The worksheet of a problem."""
    run = trace(problem)
    plan = make_plan(problem, run.first.program, **choice)  # type: ignore[arg-type]
    path = folder / "worksheet.xlsx"
    write_worksheet_book(run, plan, path, key)
    return run, plan, path


def marks_of(path: Path, plan: Plan, engine: str = "cellrune") -> Marks:
    places = mark_addresses(path, plan)
    found = ENGINES[engine](path, [("Worksheet", each) for each in places.values()])
    return {key: found["Worksheet", each] for key, each in places.items()}


def rounded(run: Trace, decimals: int = 4) -> dict[str, list[list[float | None]]]:
    """Every computed matrix as a student with a good memory writes it."""
    return {each: np.round(run[each], decimals).tolist() for each in run.first.program.computed}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("example", ["article", "mazur", "softmax-classifier"])
def test_the_key_is_right_in_its_own_marks(tmp_path: Path, engine: str, example: str) -> None:
    _, plan, path = written(tmp_path, load_problem(example), key=True)
    assert set(marks_of(path, plan, engine).values()) == {"✓"}


def test_a_blank_sheet_has_blank_marks_and_says_so(tmp_path: Path) -> None:
    _, plan, path = written(tmp_path, load_problem("article"))
    assert set(marks_of(path, plan).values()) <= {"", None}
    assert by_cellrune(path, [("Worksheet", "C5")])["Worksheet", "C5"] == "0 of 99 cells"


def test_an_error_is_marked_once_and_what_follows_is_not_wrong(tmp_path: Path) -> None:
    problem = load_problem("article")
    run, plan, path = written(tmp_path, problem, feedback="cell")
    answers = rounded(run)
    answers["Z1"][0][0] = 2.48
    wrong = dict(answers, A1=[row.copy() for row in answers["A1"]])
    wrong["A1"][0][0] = 0.9227  # of 2.48
    marks = marks_of(fill(path, plan, wrong, tmp_path / "filled.xlsx"), plan)
    assert marks["Z1", 0, 0] == "✗"
    assert marks["A1", 0, 0] == "↪"
    assert marks["Z1", 0, 1] == marks["A1", 0, 1] == marks["A1", 1, 0] == "✓"
    assert [key for key, mark in marks.items() if mark == "✗" and key[0] in ("Z1", "A1")] == [("Z1", 0, 0)]


def test_a_mark_waits_for_earlier_cells_and_asks_for_a_number(tmp_path: Path) -> None:
    run, plan, path = written(tmp_path, load_problem("article"), feedback="cell")
    answers: Cells = {"A1": rounded(run)["A1"], "Z1": [["about 2", None, None], [None, 1.89, None], [None] * 3]}
    marks = marks_of(fill(path, plan, answers, tmp_path / "filled.xlsx"), plan)
    assert marks["Z1", 0, 0] == "?"
    assert marks["A1", 0, 0] == marks["A1", 0, 1] == "…"
    assert marks["A1", 1, 1] == marks["Z1", 1, 1] == "✓"


@pytest.mark.parametrize(("feedback", "expected"), [("cell", "✓"), ("step", "…"), ("end", "…")])
def test_feedback_waits_for_the_step_or_for_everything(tmp_path: Path, feedback: str, expected: str) -> None:
    run, plan, path = written(tmp_path, load_problem("article"), feedback=feedback)
    answers = {"Z1": rounded(run)["Z1"]}
    whole = marks_of(fill(path, plan, answers, tmp_path / "whole.xlsx"), plan)
    assert whole["Z1", 0, 0] == ("…" if feedback == "end" else "✓")
    answers = {"Z1": answers["Z1"], "A1": rounded(run)["A1"], "Z2": rounded(run)["Z2"]}  # step 4 has A2 and L, too
    step = marks_of(fill(path, plan, answers, tmp_path / "step.xlsx"), plan)
    assert step["Z2", 0, 0] == ("✓" if feedback == "cell" else "…")
    answers = {"Z1": answers["Z1"]}
    answers["Z1"][2][2] = None
    part = marks_of(fill(path, plan, answers, tmp_path / "part.xlsx"), plan)
    assert part["Z1", 0, 0] == expected


@pytest.mark.parametrize("number", range(4))
def test_workbook_and_command_mark_alike(tmp_path: Path, number: int) -> None:
    """The article's example and networks by lot, filled in by honest habits, by wrong rules and by nobody."""
    found = list(problems(np.random.default_rng(5), 3))
    document, random = (found[0], *found[-3:])[number][1], np.random.default_rng(number)
    teacher = Teacher.of(document)
    assert teacher is not None
    _, plan, path = written(tmp_path, problem_from_document(document, "p", "p"), feedback="cell")
    cells, untold = 0, Counter[tuple[str, str]]()
    for how, answers in list(sheets(document, teacher, random))[number::12]:
        numbers = {name: [[float(text or 0) for text in row] for row in rows] for name, rows in answers.items()}
        filled = fill(path, plan, numbers, tmp_path / "filled.xlsx")
        expected, marks = signs(mark_answers(read_answers(filled), teacher.conventions)), marks_of(filled, plan)
        for cell, (sign, verdict) in expected.items():
            if marks[cell] != sign:
                assert not how.startswith("habit") and (verdict, marks[cell]) in UNTOLD, (how, cell, marks[cell])
                untold[verdict, str(marks[cell])] += 1
        cells += len(expected)
    assert cells > 100 and untold.total() <= MOST_UNTOLD * cells, untold


def test_libreoffice_marks_as_the_others_do(tmp_path: Path) -> None:
    run, plan, path = written(tmp_path, load_problem("article"), feedback="cell")
    answers = rounded(run)
    answers["D2"][1][0] = 0.25
    filled = fill(path, plan, answers, tmp_path / "filled.xlsx")
    (again,) = by_libreoffice([filled], tmp_path)
    places = mark_addresses(filled, plan)
    theirs = by_file(again, [("Worksheet", each) for each in places.values()])
    ours = marks_of(filled, plan)
    assert {key: theirs["Worksheet", each] for key, each in places.items()} == ours
    assert ours["D2", 1, 0] == "✗"
    for saved in (again, *by_libreoffice([filled], tmp_path, "xls")):  # what LibreOffice saved is read back
        read = read_answers(saved)
        assert read.problem_sha256 == run.problem.sha256
        assert read.matrices.keys() == plan.blank
        for identifier, grid in read.matrices.items():
            assert [[entry.value for entry in row] for row in grid] == answers[identifier], saved.suffix


@pytest.mark.parametrize("mode", ["practice", "exam", "print"])
@pytest.mark.parametrize("give", [None, "2,3"])
def test_a_worksheet_holds_no_answer(tmp_path: Path, mode: str, give: str | None) -> None:
    run, plan, path = written(tmp_path, load_problem("mazur"), mode=mode, give=give)  # type: ignore[arg-type]
    with zipfile.ZipFile(path) as package:
        text = "\n".join(package.read(name).decode("utf-8", "ignore") for name in package.namelist())
    known = {float(value) for each in (*run.first.program.inputs, *plan.given) for value in run[each].flat}
    asked = {float(abs(value)) for each in plan.blank for value in run[each].flat} - known
    for digits in set(re.findall(r"[0-9]+\.[0-9]+", text)):
        if len(digits.replace(".", "").lstrip("0")) >= 4 and float(digits) not in known:
            near = 0.5 * 10.0 ** -len(digits.partition(".")[2])
            assert not [each for each in asked if abs(each - float(digits)) <= near], digits
    assert (plan.mode == "practice") == ("✗" in text)


def test_only_answers_are_open(tmp_path: Path) -> None:
    _, plan, path = written(tmp_path, load_problem("article"), blank="2,8")
    sheet = openpyxl.load_workbook(path)["Worksheet"]
    open_cells = {cell.coordinate for row in sheet.iter_rows() for cell in row if not cell.protection.locked}
    answers = set(addresses(path, plan).values())
    assert answers <= open_cells
    assert all(int(re.sub(r"\D", "", each)) < 8 for each in open_cells - answers)  # name and ID
    assert sheet.protection.sheet and not sheet.protection.password and not sheet.protection.insertRows
    rules = {each.promptTitle: each for each in sheet.data_validations.dataValidation}
    assert rules.keys() == plan.blank
    assert all(
        each.errorStyle == "warning" and "=3/8" in each.error and "0,42" in each.prompt for each in rules.values()
    )


def working(path: Path) -> dict[str, object]:
    """What the sheet "Working" shows, by address."""
    with zipfile.ZipFile(path) as package:
        places = re.findall(r'<c r="([A-Z]+[0-9]+)"', package.read("xl/worksheets/sheet2.xml").decode())
    return {at: value for (_, at), value in by_cellrune(path, [("Working", each) for each in places]).items() if value}


def test_the_example_is_worked_with_the_learners_own_numbers(tmp_path: Path) -> None:
    _, plan, path = written(tmp_path, load_problem("article"))
    blank = list(working(path).values())
    assert "= 1.480" in blank  # of given numbers alone
    assert "…" in blank
    assert not any("1/(1 + exp(−1" in str(each) for each in blank)
    answers = {"Z1": [[-0.5, 1.0, 1.0]] * 3}
    shown = list(working(fill(path, plan, answers, tmp_path / "filled.xlsx")).values())
    assert "= 1/(1 + exp(0.500))" in shown or "= 1/(1 + exp(−(−0.500)))" in shown or "= 0.378" in shown
    assert "= 1.480" in shown


def test_boxes_of_the_line_to_complete_are_marked(tmp_path: Path) -> None:
    _, _, path = written(tmp_path, load_problem("article"))
    row = next(int(at[1:]) for at, value in working(path).items() if value == "Z1[1,2] =")
    book = openpyxl.load_workbook(path)
    for cell, value in ((f"D{row}", 1), (f"F{row}", 0.88), (f"H{row}", 0), (f"J{row}", 0.1)):
        book["Working"][cell] = value
    book.save(tmp_path / "boxes.xlsx")
    shown = working(tmp_path / "boxes.xlsx")
    assert [shown[f"{column}{row + 1}"] for column in "DFHJ"] == ["✓", "✓", "✓", "✗"]
    assert f"L{row + 1}" not in shown


def test_an_exam_has_neither_examples_nor_marks(tmp_path: Path) -> None:
    _, _, path = written(tmp_path, load_problem("article"), mode="exam")
    shown = list(working(path).values())
    assert not any(str(each).startswith("=") or "[1,1]" in str(each) for each in shown)
    assert "Why Wᵀ and not W?" in shown


def column(path: Path, sheet: str, letters: str, rows: range) -> list[object]:
    """What stands in a column, where something does."""
    found = by_cellrune(path, [(sheet, f"{letters}{row}") for row in rows])
    return [value for value in found.values() if value]


def test_a_hint_is_the_formula_of_a_cell_that_is_marked(tmp_path: Path) -> None:
    run, plan, path = written(tmp_path, load_problem("article"), feedback="cell")
    answers = {each: rounded(run)[each] for each in ("Z1", "A1")}
    answers["Z1"][1][2], answers["A1"][1][2] = 9.0, 0.5
    filled = fill(path, plan, answers, tmp_path / "filled.xlsx")
    with zipfile.ZipFile(path) as package:
        (letters,) = set(
            re.findall(r'<c r="([A-Z]+)[0-9]+"[^>]*><f>IF\([A-Z]+[0-9]+="✗"', package.read(SHEET).decode())
        )
    (said,) = column(filled, "Worksheet", letters, range(8, 80))
    assert str(said).split("   ")[:2] == [
        "Z1[2,3] = X[2,1]·W1[1,3] + X[2,2]·W1[2,3] + X[2,3]·W1[3,3] + X[2,4]·W1[4,3] + b1[3]",
        "A1[2,3] = 1/(1 + exp(−Z1[2,3]))",
    ]
    assert column(path, "Worksheet", letters, range(8, 80)) == []


def test_checks_follow_the_learners_own_cells(tmp_path: Path) -> None:
    run, plan, path = written(tmp_path, load_problem("softmax-classifier"), blank="A2", sums=True)
    right = np.round(run["A2"], 3)
    for value, said in ((right[0, 0], "✓"), (0.5, "✗")):
        right[0, 0] = value
        shown = working(fill(path, plan, {"A2": right.tolist()}, tmp_path / "filled.xlsx"))
        (row,) = (at[1:] for at, each in shown.items() if str(each).startswith("Each row of A2 sums to 1"))
        assert shown[f"B{row}"] == said
        assert "The cells of A2 sum to 5.000, give or take rounding." in shown.values()
        assert shown[f"B{int(row) + 1}"] == pytest.approx(right.sum(), abs=1e-9)
    blank = working(path)
    assert f"B{row}" not in blank


def printed_scale(sheet: Worksheet) -> float:
    """At which the print area is one page wide, and one high if it is fitted to one, on A4."""
    first, last = re.findall("[A-Z]+", area := sheet.print_area.replace("$", "").partition("!")[2])
    columns = range(column_index_from_string(first), column_index_from_string(last) + 1)
    width = sum(sheet.column_dimensions[get_column_letter(column)].width for column in columns)
    rows = range(1, int(re.findall("[0-9]+", area)[-1]) + 1)
    height = sum(sheet.row_dimensions[row].height or ROW for row in rows)
    turned = sheet.page_setup.orientation == "landscape"
    across, down = (TURNED_ACROSS, TURNED_DOWN) if turned else (ACROSS, DOWN)
    return min(1.0, across / width / CHARACTER, down / height if sheet.page_setup.fitToHeight else 1.0)


def test_a_sheet_to_print_has_boxes_of_18_by_9_millimetres(tmp_path: Path) -> None:
    _, plan, path = written(tmp_path, load_problem("article"), mode="print")
    sheet = openpyxl.load_workbook(path)["Worksheet"]
    assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.page_setup.fitToWidth == 1
    scale = printed_scale(sheet)
    for at in addresses(path, plan).values():
        letters, row = re.fullmatch(r"([A-Z]+)([0-9]+)", at).groups()  # type: ignore[union-attr]
        assert sheet.row_dimensions[int(row)].height * scale >= 9 / 25.4 * 72
        assert sheet.column_dimensions[letters].width * 5.25 * scale >= 18 / 25.4 * 72
    assert "ID:" in sheet.oddHeader.left.text
    assert plan.problem_sha256[:8] in sheet.oddFooter.left.text and "page &P of &N" in sheet.oddFooter.right.text


def test_a_spanish_worksheet_is_read_back(tmp_path: Path) -> None:
    run = trace(load_problem("article"))
    plan = make_plan(run.problem, run.first.program, give="2,3")
    write_worksheet_book(run, plan, tmp_path / "hoja.xlsx", True, theme_of("es"))
    book = openpyxl.load_workbook(tmp_path / "hoja.xlsx")
    assert book.sheetnames == ["Hoja", "Desarrollo", "Marcas"] and book["Marcas"].sheet_state == "hidden"
    book["Hoja"][book.defined_names["student_id"].attr_text.rpartition("!")[2].replace("$", "")] = "A-7"
    book.save(tmp_path / "named.xlsx")
    for name in list(book.defined_names):
        del book.defined_names[name]
    book.save(tmp_path / "unnamed.xlsx")
    for file in ("named", "unnamed"):  # some programs drop the names
        answers = read_answers(tmp_path / f"{file}.xlsx")
        assert answers.matrices.keys() == plan.blank
        assert answers.printed.keys() == {"X", "Y", "W1", "b1", "W2", "b2", "Z1", "A1"}
        assert answers.problem_sha256 == run.problem.sha256
        assert answers.student == {"id": "A-7"}


def test_zeros_that_a_workbook_does_not_keep_are_no_missing_digits(tmp_path: Path) -> None:
    """Recalculated by another engine: no ≈ where `check` has ✓."""
    _, plan, blank = written(tmp_path, lost_zeros.ARTICLE)
    for seed in range(25):
        own = lost_zeros.written(3, seed)
        text = lost_zeros.verdicts(own, lambda each: read_number(lost_zeros.number(each).text))
        if text["too_coarse"]:
            break
    numbers = {each: [[float(text) for text in row] for row in rows] for each, rows in own.items()}
    filled = fill(blank, plan, numbers, tmp_path / "filled.xlsx")
    answers = read_answers(filled)
    assert {mark.verdict for mark in mark_answers(answers, lost_zeros.MARKER).marks} <= {"correct", "rounded"}
    assert set(marks_of(filled, plan).values()) == {"✓"}
