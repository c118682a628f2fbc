"""The audit on one network in six layouts: right books, books with planted faults, and books without a network."""

import json
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.audit_books import LAYOUTS, ROW_FAULTS, Layout, block_book, faults, first_wrong, row_book, row_fault_cell
from tracer.audit.auditing import audit_book
from tracer.audit.graph import name_of
from tracer.audit.package import AuditError
from tracer.audit.words import summary

BY_NAME = {layout.name: layout for layout in LAYOUTS}


@pytest.mark.parametrize("layout", BY_NAME)
def test_nothing_is_accused_in_a_right_book(layout: str) -> None:
    audit = audit_book("book.xlsx", block_book(BY_NAME[layout]))
    found = audit.document()
    assert audit.status == 0 and found["first_wrong"] is None and not found["conventions"]
    assert len(found["gradients"]) == 21 and {each["verdict"] for each in found["gradients"]} == {"right"}
    assert found["loss"].startswith("Net!")


@pytest.mark.parametrize("fault", faults())
@pytest.mark.parametrize("layout", BY_NAME)
def test_the_first_wrong_cell_of_a_planted_fault_is_named(layout: str, fault: str) -> None:
    planted, where = faults()[fault], BY_NAME[layout]
    audit = audit_book("book.xlsx", block_book(where, planted))
    first = audit.document()["first_wrong"]
    assert audit.status == 1
    assert (first["cell"], first["slug"] in planted.slugs) == (first_wrong(where, planted), True), first


def test_nothing_is_accused_in_a_right_book_with_a_row_per_epoch() -> None:
    found = audit_book("book.xlsx", row_book()).document()
    assert found["first_wrong"] is None and len(found["gradients"]) == 12 * 8


@pytest.mark.parametrize("fault", ROW_FAULTS)
def test_a_fault_in_every_row_is_one_finding(fault: str) -> None:
    audit = audit_book("book.xlsx", row_book(fault))
    first = audit.document()["first_wrong"]
    assert audit.status == 1 and len(audit.wrong) == 1
    assert first["cell"] == f"Sheet!{row_fault_cell(fault)}" and len(first["repeats"]) == 11
    other = {"wrong unit": "wrong-row-or-target", "term-dropped-or-doubled": "other"}
    assert first["slug"] == other.get(fault, fault)


def test_the_formula_that_belongs_there_is_in_the_sheets_own_addresses_and_an_experiment_shows_it() -> None:
    first = audit_book("book.xlsx", row_book("wrong unit")).document()["first_wrong"]
    assert first["should_be"] == "=((R4-A4)*R4*(1-R4)*N4+(T4-B4)*T4*(1-T4)*P4)*L4*(1-L4)*C4"
    assert first["experiment"].startswith("type 0.251 for 0.25 into G4: the loss in W4 goes from ")


@pytest.mark.parametrize("sign", ["∂", "𝜕", "𝛛", "𝟃", "δ", "d"])
def test_a_derivative_is_read_however_its_d_is_written(sign: str) -> None:
    """The last row has no update after it: its headings alone say what its numbers are."""
    content = row_book("wrong unit", epochs=1)
    buffer = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, old.read(entry).decode().replace("∂", sign))
    assert audit_book("book.xlsx", buffer.getvalue()).document()["first_wrong"]["cell"] == "Sheet!Z4"


def test_a_named_loss_is_taken() -> None:
    audit = audit_book("book.xlsx", row_book(epochs=1), loss="W4")
    assert name_of(audit.losses[0]) == "Sheet!W4"
    with pytest.raises(AuditError, match="--loss A1: no formula"):
        audit_book("book.xlsx", row_book(epochs=1), loss="A1")


def _book(rows: list[list[object]]) -> bytes:
    workbook, buffer = Workbook(), BytesIO()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    workbook.save(buffer)
    return buffer.getvalue()


NO_NETWORKS: dict[str, list[list[object]]] = {
    "budget": [["rent", 900], ["food", 350], ["all", "=B1+B2"], ["income", 1500], ["left", "=B4-B3"]],
    "timetable": [["Monday", "Tuesday"], ["Maths", "Latin"], ["8:00", "9:00"]],
    "regression": [["x", "y"], [1, 2.1], [2, 3.9], [3, 6.2], ["slope", "=LINEST(B2:B4,A2:A4)"]],
    "squares": [[1, 2.1, "=2*A1", "=(B1-C1)^2"], [2, 3.9, "=2*A2", "=(B2-C2)^2"], ["", "", "", "=SUM(D1:D2)"]],
    "loan": [[1000, 0.01, 50], ["=A1*(1+$B$1)-$C$1"], ["=A2*(1+$B$1)-$C$1"], ["=A3*(1+$B$1)-$C$1"]],
    "grades": [["a", 2.0, 1.0, "=AVERAGE(B1:C1)"], ["b", 3.0, 1.3, "=AVERAGE(B2:C2)"], ["", "", "", "=STDEV(D1:D2)"]],
    "variance": [[1.5, "=A1-A$3", "=B1^2"], [2.5, "=A2-A$3", "=B2^2"], ["=AVERAGE(A1:A2)", "", "=SUM(C1:C2)/2"]],
    "stock": [["cost", "sold", "due"], [3, 7, "=A2*B2"], [4, 2, "=A3*B3"], ["", "", "=SUMPRODUCT(A2:A3,B2:B3)"]],
    "newton": [[2.0, "=A1-(A1^2-2)/(2*A1)"], ["=B1", "=A2-(A2^2-2)/(2*A2)"], ["=B2", "=A3-(A3^2-2)/(2*A3)"]],
    "overtime": [["hours", 45], ["over", "=MAX(0,B1-40)"], ["pay", "=B1*20+B2*10"]],
}  # fmt: skip


@pytest.mark.parametrize("name", NO_NETWORKS)
def test_a_book_without_a_network_ends_with_two(name: str) -> None:
    assert audit_book("book.xlsx", _book(NO_NETWORKS[name])).status == 2


def test_the_command_says_in_a_line_what_was_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "budget.xlsx"
    path.write_bytes(_book(NO_NETWORKS["budget"]))
    done = subprocess.run([sys.executable, "-m", "tracer", "audit", str(path)], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout.count("\n") == 1 and "no network was found" in done.stdout


def test_the_command_prints_one_document(tmp_path: Path) -> None:
    path = tmp_path / "net.xlsx"
    path.write_bytes(row_book("half-slope"))
    done = subprocess.run(
        [sys.executable, "-m", "tracer", "audit", str(path), "--json"], capture_output=True, text=True
    )
    assert done.returncode == 1 and json.loads(done.stdout)["first_wrong"]["slug"] == "half-slope"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 no zip",
        _book([["=A1"]])[:400],
        _book([["=" + "(" * 300 + "1" + ")" * 300]]),
        _book([["=B1", "=A1"]]),
        _book([["=SUM(A2:XFD1048576)"]]),
    ],
)
def test_damaged_and_odd_books_are_one_line(content: bytes) -> None:
    try:
        assert audit_book("book.xlsx", content).status == 2
    except AuditError as wrong:
        assert str(wrong).startswith("book.xlsx: ") and "\n" not in str(wrong)


def test_entities_are_refused() -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("xl/workbook.xml", '<!DOCTYPE a [<!ENTITY b "c">]><workbook>&b;</workbook>')
    with pytest.raises(AuditError, match="document type"):
        audit_book("book.xlsx", buffer.getvalue())


def test_layouts_are_five_and_faults_at_least_twelve() -> None:
    assert len(LAYOUTS) == 5 and len(faults()) >= 12 and len(ROW_FAULTS) >= 12 and isinstance(LAYOUTS[0], Layout)


def test_where_the_forward_pass_alone_is_wrong_the_headline_says_how_many_formulas() -> None:
    book, content = Workbook(), BytesIO()
    rows = [
        ["x", 0.5, -1.2, 0.8],
        ["w", 0.3, 0.7, -0.4],
        ["z", "=SUMPRODUCT(B1:D1,B2:D2)"],
        ["softplus", "=LOG(1+EXP(B3))"],
    ]
    for row in rows:
        book.active.append(row)
    book.save(content)
    audit = audit_book("book.xlsx", content.getvalue())
    assert audit.status == 1 and summary(audit) == "one formula is wrong."


def test_a_zero_that_gradients_are_added_to_is_no_parameter() -> None:
    """Of parts of a matrix, each with a gradient of its own: what is padded with zeros is added up."""
    book, content = Workbook(), BytesIO()
    rows = [
        ["x", 0.8, "y", 0.3, "w", 0.5, "v", -0.7, "rate", 0.1, "padding", 0],
        ["h", "=B1*F1", "o", "=B2*H1", "L", "=(D2-D1)^2/2"],
        ["do", "=D2-D1", "dv", "=B3*B2", "dh", "=L1+B3*H1", "dw", "=F3*B1"],
        ["w new", "=F1-J1*H3", "v new", "=H1-J1*D3"],
    ]
    for row in rows:
        book.active.append(row)
    book.save(content)
    audit = audit_book("book.xlsx", content.getvalue())
    assert audit.status == 0 and audit.study is not None
    assert {name_of(each) for each in audit.study.roles.updates} == {"Sheet!B4", "Sheet!D4"}
