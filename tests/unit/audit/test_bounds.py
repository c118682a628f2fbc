"""Hostile and huge books end in one line, with bounded time and memory."""

import io
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.audit_books import row_book
from tests.hostile import zipped
from tracer.audit import bounds
from tracer.audit.auditing import audit_book
from tracer.audit.bounds import ENDED, TOO_LARGE, TOO_LONG, AuditOutcome, AuditRequest, audit_in_bounds
from tracer.audit.package import AuditError, read_book

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
WORKBOOK = f'<workbook {MAIN} {OFFICE}><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
)
on_linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size of a process, as Linux says it")
by_copy = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="what is put in its place has to be inherited")


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is a copy of this one, whatever else runs here: what is put in a function's place is inherited."""
    monkeypatch.setattr(bounds, "can_copy", lambda: True)


def book_of(cells: str, workbook: str = WORKBOOK) -> bytes:
    """A workbook of one sheet whose cells are this XML."""
    sheet = f"<worksheet {MAIN}><sheetData>{cells}</sheetData></worksheet>"
    return zipped({
        "xl/workbook.xml": workbook, "xl/_rels/workbook.xml.rels": RELATIONS, "xl/worksheets/sheet1.xml": sheet
    })  # fmt: skip


def formulas(*texts: str) -> str:
    return "".join(f'<row r="{k}"><c r="A{k}"><f>{text}</f></c></row>' for k, text in enumerate(texts, 1))


def test_cells_without_an_address_follow_the_one_before() -> None:
    second = '<row r="2"><c><v>2</v></c><c><v>3</v></c><c r="E2"><v>5</v></c><c><v>7</v></c></row>'
    found = read_book("book", book_of(f"{second}<row><c><v>11</v></c></row>")).sheets["S"].values
    assert found == {(2, 1): 2.0, (2, 2): 3.0, (2, 5): 5.0, (2, 6): 7.0, (3, 1): 11.0}


HOSTILE = {
    "a million cells": "<row>" + "<c/>" * 1_000_000 + "</row>",
    "brackets": formulas("(" * 8_000 + "B1" + ")" * 8_000),
    "functions": formulas("SIN(" * 3_000 + "B1" + ")" * 3_000),
    "signs": formulas("-" * 16_000 + "B1"),
    "percents": formulas("B1" + "%" * 16_000),
    "a long sum": formulas("+".join(["B1"] * 5_000)),
    "a tower of powers": formulas("^".join(["B1"] * 5_000)),
    "a formula of 40,000 letters": formulas("1+" * 20_000 + "B1"),
    "a circle": formulas("A2", "A3", "A1"),
    "a cell of itself": formulas("A1+1"),
    "a chain": formulas("B1", *(f"A{k}+1" for k in range(1, 5_000))),
    "all cells": formulas(*["SUM(A1:XFD1048576)"] * 50),
    "sums of sums": formulas(*["SUMPRODUCT(B1:CZ900,B1:CZ900)"] * 200),
    "doubling": formulas("LET(a,B1+B1,b,a+a,c,b+b,d,c+c,e,d+d,f,e+e,g,f+f,h,g+g,i,h+h,j,i+i,k,j+j,l,k+k,m,l+l,m+m)"),
    "recursion": formulas("LET(f,LAMBDA(g,g(g)),f(f))"),
    "rows beyond the last": '<row><c r="XFE1048577"><f>A9999999</f></c></row>',
    "an array of all cells": '<row><c r="A1"><f t="array" ref="A1:XFD1048576">B1+1</f></c></row>',
}  # fmt: skip


@by_copy
@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_book_is_one_line_within_the_bounds(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST_SECONDS", 2.0)  # for a cheap test: the bound itself is longer
    path = tmp_path / "book.xlsx"
    path.write_bytes(book_of(HOSTILE[name]))
    try:
        outcome = audit_in_bounds(AuditRequest(path))
        assert (outcome.status, len(outcome.lines)) == (2, 1)
    except AuditError as wrong:
        assert str(wrong).startswith("book.xlsx: ") and "\n" not in str(wrong) and ENDED not in str(wrong)


def test_a_book_that_unpacks_to_much_more_is_refused_before_it_is_unpacked() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", WORKBOOK)
        package.writestr("xl/_rels/workbook.xml.rels", RELATIONS)
        with package.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(200):
                part.write(b" " * 1_000_000)
    with pytest.raises(AuditError, match="unpacks to more than"):
        audit_book("book.xlsx", content.getvalue())


def test_entities_are_refused_wherever_they_are_declared() -> None:
    declared = '<!DOCTYPE a [<!ENTITY b "c">]>'
    for content in (
        book_of("", f"{declared}<workbook>&b;</workbook>"),
        book_of("", "<!-- " + " " * 5_000 + f"-->{declared}<workbook>&b;</workbook>"),
    ):
        with pytest.raises(AuditError, match="document type"):
            audit_book("book.xlsx", content)


@by_copy
@on_linux
@pytest.mark.usefixtures("copied")
def test_what_takes_too_much_memory_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def grow(request: AuditRequest) -> AuditOutcome:
        pieces = [bytearray(50_000_000) for _ in range(1_000)]
        raise AssertionError(f"not reached with {len(pieces)}")

    monkeypatch.setattr(bounds, "_outcome", grow)
    with pytest.raises(AuditError, match=f"book.xlsx: {TOO_LARGE}"):
        audit_in_bounds(AuditRequest(tmp_path / "book.xlsx"))


@by_copy
@pytest.mark.usefixtures("copied")
def test_what_takes_too_long_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(request: AuditRequest) -> AuditOutcome:
        while True:
            pass

    monkeypatch.setattr(bounds, "_outcome", work)
    monkeypatch.setattr(bounds, "MOST_SECONDS", 0.3)
    with pytest.raises(AuditError, match=f"book.xlsx: {TOO_LONG}"):
        audit_in_bounds(AuditRequest(tmp_path / "book.xlsx"))
    monkeypatch.setattr(bounds, "_outcome", lambda request: time.sleep(60))  # as a library that does not come back
    monkeypatch.setattr(bounds, "LONGEST", 0.3)
    with pytest.raises(AuditError, match=f"book.xlsx: {TOO_LONG}"):
        audit_in_bounds(AuditRequest(tmp_path / "book.xlsx"))


@by_copy
@pytest.mark.usefixtures("copied")
def test_a_process_that_ends_of_itself_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "_outcome", lambda request: sys.exit(3))
    with pytest.raises(AuditError, match=f"book.xlsx: {ENDED}"):
        audit_in_bounds(AuditRequest(tmp_path / "book.xlsx"))


def test_a_book_within_the_bounds_is_audited_as_ever(tmp_path: Path) -> None:
    path, content = tmp_path / "book.xlsx", row_book("half-slope")
    path.write_bytes(content)
    outcome = audit_in_bounds(AuditRequest(path, folder=tmp_path / "marked"))
    assert outcome.document == audit_book("book.xlsx", content).document() and outcome.status == 1
    assert (tmp_path / "marked" / "book.audited.xlsx").exists()
