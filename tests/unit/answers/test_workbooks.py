"""Filled-in workbooks read back, whatever a spreadsheet program did to them; hostile ones refused."""

import csv
import datetime as dt
import io
import re
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from openpyxl import Workbook

from tests.worksheets import addresses
from tracer.answers.in_words import questions
from tracer.answers.key import key_of
from tracer.answers.naming import named
from tracer.answers.numbers import read_number
from tracer.answers.reading import AnswerError, Answers, read_answers, read_content
from tracer.judging.sheet import lay_beside
from tracer.presentation.theme import theme_of
from tracer.problem.reading import load_any, load_problem
from tracer.program.naming_policy import RATE
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.worksheet.book import write_worksheet_book
from tracer.worksheet.files import write_worksheets
from tracer.worksheet.plan import Plan, make_plan


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trace, Plan, Path]:
    problem = load_problem("article")
    run = trace(problem)
    plan = make_plan(problem, run.first.program)
    path = tmp_path_factory.mktemp("sheet") / "worksheet.xlsx"
    write_worksheet_book(run, plan, path)
    return run, plan, path


def filled(sheet: tuple[Trace, Plan, Path]) -> Workbook:
    """The worksheet with every answer typed in, to four decimals."""
    run, plan, path = sheet
    book = openpyxl.load_workbook(path)
    for (identifier, i, j), address in addresses(path, plan).items():
        book["Worksheet"][address] = round(float(run[identifier][i, j]), 4)
    return book


def read(book: Workbook) -> Answers:
    buffer = io.BytesIO()
    book.save(buffer)
    return read_content("filled.xlsx", buffer.getvalue())


def assert_all_there(answers: Answers, sheet: tuple[Trace, Plan, Path]) -> None:
    run, plan, _ = sheet
    assert answers.matrices.keys() == plan.blank
    for identifier, grid in answers.matrices.items():
        values = np.array([[entry.value for entry in row] for row in grid])
        np.testing.assert_array_equal(values, np.round(run[identifier], 4), identifier)


def test_a_round_trip(sheet: tuple[Trace, Plan, Path]) -> None:
    book = filled(sheet)
    for name, value in (("student_name", "Ada"), ("student_id", 4711)):
        ((title, cell),) = book.defined_names[name].destinations
        book[title][cell.replace("$", "")] = value
    answers = read(book)
    assert_all_there(answers, sheet)
    assert answers.student == {"name": "Ada", "id": "4711"}
    assert answers.problem_sha256 == load_problem("article").sha256


def test_what_was_printed_is_no_answer(tmp_path: Path) -> None:
    """What of it is given and what computed, the problem says that it is laid beside; another one takes nothing."""
    problem = load_problem("article")
    run = trace(problem)
    plan = make_plan(problem, run.first.program, give="2,3")
    write_worksheet_book(run, plan, tmp_path / "worksheet.xlsx")
    answers = read(filled((run, plan, tmp_path / "worksheet.xlsx")))
    assert answers.matrices.keys() == plan.blank and not answers.given
    assert answers.printed.keys() == {*run.first.program.inputs, *plan.given} - {RATE}
    beside = lay_beside(answers, key_of(problem))
    assert beside.key.printed == plan.given and not beside.notes
    other = lay_beside(answers, key_of(load_problem("logistic-regression")))
    assert not other.key.printed and "given.A1: differs from this problem's numbers; recalculated" in other.notes


def without_names(book: Workbook) -> None:
    book.defined_names.clear()


def with_a_sheet_before(book: Workbook) -> None:
    book.create_sheet("Notes", 0)["B2"] = "see Z1"


def with_columns_before(book: Workbook) -> None:
    without_names(book)
    book["Worksheet"].insert_cols(1, 3)


def with_rows_between(book: Workbook) -> None:
    """Rows put in as a program does, but without its moving the names: these are dropped."""
    without_names(book)
    sheet = book["Worksheet"]
    for merged in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(merged))
    row = next(cell.row for row in sheet.iter_rows() for cell in row if str(cell.value).startswith("A1 · step"))
    sheet.insert_rows(row + 2, 2)
    sheet.insert_rows(3)


@pytest.mark.parametrize("change", [without_names, with_a_sheet_before, with_columns_before, with_rows_between])
def test_what_programs_and_students_change_does_not_matter(
    sheet: tuple[Trace, Plan, Path], change: Callable[[Workbook], None]
) -> None:
    book = filled(sheet)
    change(book)
    assert_all_there(read(book), sheet)


def test_a_name_that_grew_by_an_inserted_row(sheet: tuple[Trace, Plan, Path]) -> None:
    book = filled(sheet)
    ((_, cells),) = book.defined_names["A1_"].destinations
    with_rows_between(book)
    first, last = (re.fullmatch(r"([A-Z]+)([0-9]+)", each) for each in cells.replace("$", "").split(":"))
    assert first and last
    grown = f"${first[1]}${int(first[2]) + 1}:${last[1]}${int(last[2]) + 3}"
    book.defined_names["A1_"] = openpyxl.workbook.defined_name.DefinedName("A1_", attr_text=f"Worksheet!{grown}")
    assert_all_there(read(book), sheet)


def test_a_worksheet_saved_as_csv(sheet: tuple[Trace, Plan, Path]) -> None:
    """Names, ID and formulas are gone; the headings, and the given numbers beside the answers, are not."""
    text = io.StringIO()
    for row in filled(sheet)["Worksheet"].iter_rows(values_only=True):
        csv.writer(text).writerow(["" if str(value).startswith("=") else value for value in row])
    answers = named(read_content("filled.csv", text.getvalue().encode()), key_of(load_problem("article")))
    assert_all_there(answers, sheet)
    assert not answers.notes


def test_what_stands_in_a_cell(sheet: tuple[Trace, Plan, Path]) -> None:
    _, plan, path = sheet
    book = openpyxl.load_workbook(path)
    places = addresses(path, plan)
    typed = ["0,42", "3/8", "−1.5", dt.datetime(2024, 3, 8), "about 2", True, "=1/3", None, 7]
    for (i, j), value in zip(np.ndindex(3, 3), typed, strict=True):
        book["Worksheet"][places["Z1", i, j]] = value
    entries = [entry for row in read(book).matrices["Z1"] for entry in row]
    assert [entry.value for entry in entries[:3]] == [0.42, 0.375, -1.5]
    assert [entry.kind for entry in entries] == [
        "number", "number", "number", "unreadable", "unreadable", "unreadable", "blank", "blank", "number",
    ]  # fmt: skip
    assert "=3/8" in entries[3].note


def test_a_book_of_ones_own_with_a_name_above_each_block() -> None:
    book = Workbook()
    for row in (["Z1"], [1.5, "2,5", 1], [3, 4, None], [], ["A1", None, None, None, "E"], [0.5, 0.75, 1, None, 2]):
        book.active.append(row)
    answers = named(read(book), key_of(load_problem("article")))
    found = answers.matrices
    assert [[entry.value for entry in row[:2]] for row in found["Z1"]] == [[1.5, 2.5], [3, 4]]
    assert [[entry.kind for entry in row] for row in found["Z1"]][1] == ["number", "number", "blank"]
    assert [[entry.value for entry in row] for row in found["A1"]] == [[0.5, 0.75, 1]]
    assert [(each.where, each.found) for each in answers.not_read] == [("Sheet!E5", "a number under “E”: 2")]


def repacked(path: Path, **parts: bytes) -> bytes:
    """A package with parts replaced or added."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return buffer.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
ROWS = b"<worksheet " + MAIN + b"><sheetData>%s</sheetData></worksheet>"
FAR = ROWS % b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
TALL = ROWS % b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>'
ENTITIES = (
    b'<!DOCTYPE worksheet [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    + ROWS % b'<row r="1"><c r="A1" t="str"><v>&b;</v></c></row>'
)
RENAMED = b"<Relationships><Relationship Type='x/worksheet' Target='worksheets/sheet1.png'/></Relationships>"


@pytest.mark.parametrize(
    ("part", "content", "says"),
    [
        (SHEET, FAR, "row 1,048,576 and column 16,384"),
        (SHEET, TALL, "row 1,048,576 and column 1"),
        (SHEET, ENTITIES, "document type"),
        ("xl/workbook.xml", b'<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><workbook>&x;</workbook>', "type"),
        (SHEET, b"<worksheet><sheetData>", "damaged"),
        ("xl/_rels/workbook.xml.rels", RENAMED, "not XML"),
        ("xl/media/a.xml", b"<a>" + b" " * 70_000_000 + b"</a>", "unpacks to more"),
        ("xl/workbook.bin", b"", "not an .xlsx workbook"),
    ],
)
def test_hostile_packages_are_refused(sheet: tuple[Trace, Plan, Path], part: str, content: bytes, says: str) -> None:
    started = time.monotonic()
    with pytest.raises(AnswerError) as wrong:
        read_content("bad.xlsx", repacked(sheet[2], **{part: content}))
    assert says in str(wrong.value)
    assert str(wrong.value).startswith("bad.xlsx: ") and "\n" not in str(wrong.value)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("cut", [0, 10, 3_000])
def test_truncated_and_renamed_files_are_refused(sheet: tuple[Trace, Plan, Path], tmp_path: Path, cut: int) -> None:
    path = tmp_path / "short.xlsx"
    path.write_bytes(sheet[2].read_bytes()[:cut] if cut else b'{"Z1": [[1]]}')
    with pytest.raises(AnswerError, match=r"short\.xlsx: "):
        read_answers(path)


def test_a_workbook_without_matrices_is_refused() -> None:
    book = Workbook()
    book.active["A1"] = "hello"
    with pytest.raises(AnswerError, match="found no matrix"):
        named(read(book), key_of(load_problem("article")))


def test_a_printed_matrix_that_the_problem_does_not_have_is_said(sheet: tuple[Trace, Plan, Path]) -> None:
    run, _, _ = sheet
    assert run.last.program.layers[1:]  # two layers; the other problem has one
    answers = replace(read_answers(sheet[2]), printed={"E1": ((read_number("0.5"),),)})
    other = lay_beside(answers, key_of(load_problem("linear-regression")))
    assert "E1: not a matrix of this problem; ignored" in other.notes


@pytest.mark.parametrize(
    ("name", "language", "steps"),
    [
        ("mlp-paper", "es", ["2", "3", "4", "4", "5", "6", "7", "8", "9", "10", "10", "11"]),
        ("self-attention-paper", "en", ["1", "2", "3", "4", "5", "4 ←", "3 ←", "2 ←", "1 ←", "6"]),
    ],
)
def test_what_stands_below_a_question_is_kept_with_its_step(
    name: str, language: str, steps: list[str], tmp_path: Path
) -> None:
    problem = load_any(name)
    run = trace(problem)
    plan = make_plan(problem, run.first.program, mode="exam")
    write_worksheet_book(run, plan, tmp_path / "exam.xlsx", theme=theme_of(language))
    book = openpyxl.load_workbook(tmp_path / "exam.xlsx")
    asked = [cell for title in book.sheetnames for row in book[title] for cell in row if cell.value in questions()]
    for k, cell in enumerate(asked):
        cell.parent.cell(cell.row + 1, cell.column, f"because of {k}")
    found = read(book).words
    assert [each.step for each in found] == steps
    assert [each.text for each in found] == [f"because of {k}" for k in range(len(steps))]
    assert [each.kind for each in found] == [questions()[cell.value] for cell in asked]


def test_a_key_has_an_answer_to_every_question(tmp_path: Path) -> None:
    problem = load_problem("article")
    run = trace(problem)
    plan = make_plan(problem, run.first.program)
    paths = write_worksheets(run, [plan], tmp_path, theme_of("en", None))
    page = next(path for path in paths if path.name.endswith("key.html")).read_text()
    assert page.count('class="model"') == page.count('class="question') > 5
