"""The marked workbook: what was written, with colour, sign and note; points that add up; texts that stay texts."""

import zipfile
from pathlib import Path
from typing import Any

import ironcalc
import openpyxl
import pytest
from openpyxl.cell.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from tests.marking import document, mark, with_rule, worked
from tracer.classroom.findings import Reveal
from tracer.classroom.marked_workbook import write_marked_workbook
from tracer.presentation import palette

PROBLEM = document(marks={"Z1": 2, "step 10": 3})
RIGHT = worked(PROBLEM, remembers=2.0)
NO_BIAS = worked(PROBLEM, with_rule(PROBLEM, "Z1", lambda m: m["X"] @ m["W1"]))


def written(folder: Path, answers: Any, reveal: Reveal = "hint", **more: Any) -> Path:
    path = folder / "ada.marked.xlsx"
    write_marked_workbook(mark(PROBLEM, answers, **more), reveal, path)
    return path


def sheets(path: Path) -> tuple[Worksheet, Worksheet]:
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Marked", "Marks"]
    return book["Marked"], book["Marks"]


def cells(sheet: Worksheet) -> list[Cell]:
    return [cell for row in sheet.iter_rows() for cell in row if isinstance(cell, Cell) and cell.value is not None]


def first_of(sheet: Worksheet, name: str) -> Cell:
    """The first cell of a matrix, below the two lines of its heading."""
    (heading,) = (cell for cell in cells(sheet) if cell.value == name)
    found = sheet.cell(heading.row + 2, heading.column)
    assert isinstance(found, Cell)
    return found


def everything(path: Path) -> str:
    with zipfile.ZipFile(path) as package:
        return "".join(package.read(name).decode() for name in package.namelist() if name.endswith((".xml", ".vml")))


def test_an_answer_keeps_its_number_and_has_a_colour_a_sign_and_a_note(tmp_path: Path) -> None:
    sheet, _ = sheets(written(tmp_path, NO_BIAS))
    wrong, follows = first_of(sheet, "Z1"), first_of(sheet, "A1")
    assert wrong.value == float(NO_BIAS["Z1"][0][0]) and wrong.fill.start_color.rgb == f"00{palette.AGAIN}"
    assert '0.000" ✗"' in wrong.number_format and wrong.border.left.style == "thick", "start here"
    assert wrong.comment is not None and wrong.comment.text.startswith("Slip: the bias 0.46 was not added")
    assert follows.fill.start_color.rgb == f"00{palette.HEADING}" and '" ↪"' in follows.number_format
    assert follows.comment is None


def test_blank_and_unreadable_answers_are_said_in_words(tmp_path: Path) -> None:
    answers = RIGHT | {"Z1": [[None, "what?", *RIGHT["Z1"][0][2:]], *RIGHT["Z1"][1:]]}
    first = first_of(sheets(written(tmp_path, answers))[0], "Z1")
    following = first.offset(0, 1)
    assert (first.value, following.value) == ("–", "what? ?")
    assert [cell.comment.text for cell in (first, following) if cell.comment] == ["Blank", "Unreadable: not a number"]
    alignments = [cell.alignment for cell in (first, following, following.offset(1, 0))]
    assert {(each.horizontal, each.vertical) for each in alignments} == {("right", "center")}, "as the numbers do"


def test_the_head_has_the_line_that_helps_and_whose_it_is(tmp_path: Path) -> None:
    sheet, marks = sheets(written(tmp_path, NO_BIAS, student={"name": "Bo", "id": "7"}))
    assert str(sheet["B2"].value).startswith("Start at Z1[1,1]; ") and marks["B2"].value == sheet["B2"].value
    assert "Bo · 7 · answers.json" in [cell.value for cell in cells(sheet)]


def test_points_add_up_by_matrix_and_step_and_in_a_spreadsheet_engine(tmp_path: Path) -> None:
    path = written(tmp_path, NO_BIAS)
    book = openpyxl.load_workbook(path, data_only=True)["Marks"]
    table = {str(row[2]): row[4:6] for row in book.iter_rows(values_only=True) if isinstance(row[4], float)}
    assert table["Z1"] == (0, 2) and table["dW1"] == (0.75, 0.75)
    assert table["step 10"] == (3, 3) and table["all"] == (17, 19)
    row, of_z1 = (next(cell.row for cell in cells(book) if cell.value == each) for each in ("all", "Z1"))
    engine = ironcalc.load_from_xlsx(str(path))
    engine.set_user_input(1, of_z1, 5, "2")  # a teacher gives the points for Z1 after all
    engine.evaluate()
    assert engine.get_formatted_cell_value(1, row, 5) == "19.00"


@pytest.mark.parametrize(
    ("reveal", "right", "slip"), [("none", False, False), ("hint", False, True), ("key", True, True)]
)
def test_what_may_be_seen(tmp_path: Path, reveal: Reveal, right: bool, slip: bool) -> None:
    marked = mark(PROBLEM, NO_BIAS)
    assert marked.first_wrong is not None
    expected = f"{marked.first_wrong.expected:.3f}".replace("-", "−")
    assert expected.startswith("0.0") or expected not in NO_BIAS["Z1"][0]
    sheet, marks = sheets(path := written(tmp_path, NO_BIAS, reveal))
    said = [str(cell.value) for each in (sheet, marks) for cell in cells(each) if isinstance(cell.value, str)]
    said += [cell.comment.text for cell in cells(sheet) if cell.comment]
    assert any(expected in each for each in said) is right
    assert ("was not added" in everything(path)) is slip
    assert (f"→ {expected}" in said) is right, "beside the cell"


def test_a_strangers_texts_stay_texts(tmp_path: Path) -> None:
    evil = "=HYPERLINK(1)&\x07<c>"
    path = written(tmp_path, {"Z1": [[evil, "+1+1", "@A1"]]}, student={"name": evil, "id": "-1+2"})
    sheet, marks = sheets(path)
    found = [cell for each in (sheet, marks) for cell in cells(each) if "HYPERLINK" in str(cell.value)]
    assert len(found) >= 3 and all(cell.data_type == "s" for cell in found)
    assert "\x07" not in everything(path) and "\ufffd" in everything(path)
    with zipfile.ZipFile(path) as package:
        formulas = package.read("xl/worksheets/sheet1.xml").count(b"<f>")
    assert formulas == 0


def test_the_same_sheet_gives_the_same_bytes(tmp_path: Path) -> None:
    once = written(tmp_path, NO_BIAS).read_bytes()
    assert written(tmp_path, NO_BIAS).read_bytes() == once


def test_what_a_note_quotes_is_printable(tmp_path: Path) -> None:
    """A fraction may have white space of any kind in it, and a slip's sentence quotes what was written."""
    z = [list(row) for row in NO_BIAS["Z1"]]
    z[0][0] = f"{round(1000 * float(z[0][0]))}\u000b/1000"
    sheet, _ = sheets(written(tmp_path, {**NO_BIAS, "Z1": z}))
    note = first_of(sheet, "Z1").comment
    assert note is not None and "the bias 0.46 was not added" in note.text and "\u000b" not in note.text


def test_a_band_has_its_title_where_something_of_it_is_there(tmp_path: Path) -> None:
    first = {each: grid for each, grid in RIGHT.items() if each in ("Z1", "A1")}
    of_all, of_few = (
        [cell.value for cell in cells(sheets(written(tmp_path, answers))[0])] for answers in (RIGHT, first)
    )
    titles = [each for each in of_all if isinstance(each, str) and each.startswith(("Data", "Layer"))]
    assert len(titles) == 1 + len(PROBLEM["layers"]) and titles[:2] == [each for each in of_few if each in titles[:2]]
