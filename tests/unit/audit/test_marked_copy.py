"""The marked copy changes nothing but the parts that its marks are in; our own workbooks are found right."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

import tracer
from tests.audit_books import row_book
from tracer.audit.auditing import audit_book, audit_cells, audit_file
from tracer.audit.graph import build
from tracer.audit.marked_copy import write_marked_copy
from tracer.audit.package import WrittenFormula, read_book
from tracer.audit.role_map import named_roles
from tracer.audit.writing import formula_at
from tracer.presentation import palette


def test_wrong_cells_are_coloured_formulas_stay_and_a_sheet_says_why(tmp_path: Path) -> None:
    content = row_book("half-slope")
    path = tmp_path / "copy.xlsx"
    write_marked_copy(audit_book("book.xlsx", content), path)
    copied, before = load_workbook(path), load_workbook(BytesIO(content))
    assert copied.sheetnames == ["Sheet", "Audit"]
    assert copied["Sheet"]["AD4"].fill.fgColor.rgb == f"FF{palette.AGAIN}"
    assert copied["Sheet"]["AC4"].fill.fgColor.rgb != f"FF{palette.AGAIN}"
    for row, other in zip(copied["Sheet"], before["Sheet"], strict=True):
        assert [cell.value for cell in row] == [cell.value for cell in other]
    assert "Sheet!AD4" in [cell.value for cell in copied["Audit"]["A"]]


def test_other_parts_stay_byte_for_byte(tmp_path: Path) -> None:
    content = row_book("half-slope")
    write_marked_copy(audit_book("book.xlsx", content), tmp_path / "copy.xlsx")
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(tmp_path / "copy.xlsx") as new:
        changed = {name for name in old.namelist() if old.read(name) != new.read(name)}
        assert changed == {
            "xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml",
            "xl/worksheets/sheet1.xml",
        }  # fmt: skip


BY_NAMES = ("svm", "distillation")  # nothing but their defined names says what their loss is


@pytest.mark.parametrize(
    "example", ["mazur", "xor", "adam-paper", "softmax", "rnn-paper", *BY_NAMES, "hand", "adamw", "mixture-of-experts"]
)
def test_nothing_is_accused_in_our_own_workbooks(example: str, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    tracer.write_workbook(tracer.trace(example), path)
    found = audit_file(path).document()
    assert found["first_wrong"] is None and found["gradients"] and not found["notes"]


@pytest.mark.parametrize("example", BY_NAMES)
def test_a_planted_fault_in_a_gradient_known_by_a_name_is_found(example: str, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    tracer.write_workbook(tracer.trace(example), path)
    content = path.read_bytes()
    graph = build(read_book("book", content))
    for cell in list(named_roles(graph).gradients)[-3:]:
        book = read_book("book", content)
        formula = f"({formula_at(book, cell)[1:]})+0.01"
        book.sheets[cell.matrix].formulas[cell.row, cell.column] = WrittenFormula(formula, (cell.row, cell.column))
        assert any(cell in each.cells for each in audit_cells(book).wrong), cell
