"""Answer files that mean harm, or are not what their name says: one message, or read safely, in little time."""

import io
import resource
import struct
import time
import zipfile
from collections.abc import Iterator

import pytest

from tests.hostile import zipped
from tracer.answers import package
from tracer.answers.key import key_of
from tracer.answers.naming import named
from tracer.answers.reading import AnswerError, Answers, read_content
from tracer.audit.package import read_book
from tracer.errors import TracerError
from tracer.judging.sheet import lay_beside
from tracer.problem.reading import load_problem

MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
WORKBOOK = (
    b"<workbook " + MAIN + b' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    b'<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_TYPE = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="rId1" Type="' + _TYPE + b'/worksheet" Target="worksheets/sheet1.xml"/>'
    b'<Relationship Id="rId2" Type="' + _TYPE + b'/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
)
SHEET, TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
Z1 = '<row r="1"><c r="A1" t="str"><v>L</v></c></row><row r="2">{}</row>'


def sheet(rows: str) -> bytes:
    return b"<worksheet " + MAIN + b"><sheetData>" + rows.encode() + b"</sheetData></worksheet>"


def book(cells: str = '<c r="A2"><v>1.5</v></c>', **parts: bytes) -> bytes:
    """A workbook with the loss in its first sheet, and parts replaced or added."""
    whole = {
        "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": b"<Relationships/>",
        "xl/workbook.xml": WORKBOOK,
        "xl/_rels/workbook.xml.rels": RELATIONS,
        TEXTS: b"<sst " + MAIN + b"></sst>",
        SHEET: sheet(Z1.format(cells)),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for part, content in (whole | parts).items():
            package.writestr(part, content)
    return buffer.getvalue()


def first_cell(content: bytes, name: str = "answers.xlsx", matrix: str = "L") -> tuple[str, str, float]:
    answers = named(read_content(name, content), key_of(load_problem("article")))
    entry = answers.matrices[matrix][0][0]
    return entry.text, entry.kind, entry.value


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """No file may take long, or a gigabyte more."""
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.process_time() - started < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000  # kilobytes


EXPECTED_FAULTS = ("words", "cells", "characters in a line", "found no matrix", "lines", "numbers with names")


def test_a_book_may_unpack_to_as_much_as_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    content = book("".join(f'<c r="{letter}2"><v>1.5</v></c>' for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    with zipfile.ZipFile(io.BytesIO(content)) as unpacked:
        size = sum(each.file_size for each in unpacked.infolist())
    monkeypatch.setattr(package, "MOST_UNPACKED", size)
    assert first_cell(content)[2] == 1.5
    monkeypatch.setattr(package, "MOST_UNPACKED", size - 1)
    assert f"unpacks to more than the {size - 1:,} bytes" in refused(content)


def refused(content: bytes, name: str = "answers.xlsx") -> str:
    """What is said of a file that cannot be used."""
    with pytest.raises(AnswerError) as wrong:
        named(read_content(name, content), key_of(load_problem("article")))
    says = str(wrong.value)
    assert says.startswith(f"{name}: ") and "\n" not in says and len(says) < 500
    return says


# Workbooks


def test_the_book_of_these_tests_can_be_read() -> None:
    assert first_cell(book()) == ("1.5", "number", 1.5)


def lying(content: bytes, part: str, size: int) -> bytes:
    """A package whose directory says that a part is that small."""
    changed = bytearray(content)
    name = part.encode()
    for signature, sizes, length, start in ((b"PK\x03\x04", 22, 26, 30), (b"PK\x01\x02", 24, 28, 46)):
        at = -1
        while (at := changed.find(signature, at + 1)) >= 0:
            if changed[at + start : at + start + struct.unpack_from("<H", changed, at + length)[0]] == name:
                struct.pack_into("<I", changed, at + sizes, size)
    return bytes(changed)


MANY = sheet(Z1.format("".join(f'<c r="A2"><v>{k}</v></c>' for k in range(200_000))))
BOMB = sheet(Z1.format('<c r="A2"><v>1.5</v></c>' + " " * 70_000_000))
FAR = sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>')
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (book(**{SHEET: BOMB}), "unpacks to more than"),
        (lying(book(**{SHEET: BOMB}), SHEET, 500), "damaged"),
        (lying(book(**{SHEET: MANY}), SHEET, 500), "damaged"),
        (book(**{f"xl/{k}.xml": b"" for k in range(1_001)}), "unpacks to more than"),
        (book(**{SHEET: ENTITIES + sheet("<row r='1'><c r='A1'><v>&b;</v></c></row>")}), "document type"),
        (book(**{TEXTS: ENTITIES + b"<sst><si><t>&c;</t></si></sst>"}), "document type"),
        (book(**{"xl/workbook.xml": ENTITIES + WORKBOOK}), "document type"),
        (book(**{SHEET: ENTITIES.decode().encode("utf-16")}), "another encoding"),
        (book(**{SHEET: b'<?xml version="1.0" encoding="utf-7"?>' + sheet("")}), "another encoding"),
        (book(**{SHEET: sheet('<row r="1048576"><c r="A1048576"><v>1</v></c></row>')}), "row 1,048,576 and column 1"),
        (book(**{SHEET: sheet('<row r="1048576"><c><v>1</v></c></row>')}), "row 1,048,576 and column 1"),
        (book(**{SHEET: sheet('<row r="1"><c r="XFD1"/></row><row r="99999"><c/></row>')}), "column 16,384"),
        (
            book(**{SHEET: FAR.replace(b"<", b"<x:").replace(b"<x:/", b"</x:").replace(b"xmlns", b"xmlns:x")}),
            "row 1,048,576 and column 16,384",
        ),
        (
            book(
                "".join(f'<c r="{c}2" t="s"><v>0</v></c>' for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ") * 10,
                **{TEXTS: b"<sst " + MAIN + b"><si><t>" + b"a" * 1_000_000 + b"</t></si></sst>"},
            ),
            "too long",
        ),
        (book(**{"xl/workbook.bin": b""}), "not an .xlsx workbook"),
        (b"", "not an .xlsx workbook, or a damaged one"),
        (b"Z1,1\n", "not an .xlsx workbook, or a damaged one"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 5_000,
            "not an .xlsx workbook, or a damaged one",
        ),  # an .xls, renamed
        (b"%PDF-1.7\n", "not an .xlsx workbook, or a damaged one"),
    ],
)
def test_workbooks_that_are_refused(content: bytes, says: str) -> None:
    assert says in refused(content)


@pytest.mark.parametrize("cut", [4, 100, 400, -100, -30, -1])
def test_a_truncated_workbook_is_refused(cut: int) -> None:
    assert "damaged" in refused(book()[:cut])


def test_a_sheet_behind_whose_cells_a_bomb_lies_is_read_without_it() -> None:
    content = book(**{SHEET: sheet(Z1.format('<c r="A2"><v>1.5</v></c>')) + b" " * 50_000_000})
    started = time.process_time()
    assert first_cell(content) == ("1.5", "number", 1.5)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "formula",
    [
        'WEBSERVICE("http://127.0.0.1:9/?"&amp;A1)',
        "'[http://127.0.0.1:9/x.xlsx]S'!A1",
        "cmd|'/C calc'!A0",
        'HYPERLINK("file:///etc/passwd")',
        "A2+1",
        "1/0",
    ],
)
def test_formulas_count_by_the_value_saved_with_them(formula: str) -> None:
    """Whatever they would do, and if they go round in circles."""
    assert first_cell(book(f'<c r="A2"><f>{formula}</f><v>1.5</v></c>')) == ("1.5", "number", 1.5)
    assert first_cell(book(f'<c r="A2" t="str"><f>{formula}</f><v>=2+2</v></c>'))[1] == "unreadable"


def test_macros_external_links_and_climbing_paths_are_never_looked_at() -> None:
    inner = book()
    parts = {
        "xl/vbaProject.bin": b"\xcc\x61" * 1_000,
        "xl/externalLinks/externalLink1.xml": b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
        "../../../../tmp/climbed.xml": b"<x/>",
        "/etc/climbed.xml": b"<x/>",
        "xl/embeddings/nested.zip": inner,
    }
    assert first_cell(book(**parts)) == ("1.5", "number", 1.5)


def test_a_sheet_that_a_relation_puts_outside_of_the_package_is_none() -> None:
    relations = RELATIONS.replace(b"worksheets/sheet1.xml", b"../../../../etc/passwd.xml")
    assert refused(book(**{"xl/_rels/workbook.xml.rels": relations}))


@pytest.mark.parametrize("value", ["1e999", "-1e999", "NaN", "INF", "9" * 400])
def test_numbers_of_a_sheet_beyond_float64_are_not_read(value: str) -> None:
    content = book(f'<c r="A2"><v>{value}</v></c><c r="B2"><v>1</v></c>')
    try:
        assert first_cell(content)[1] == "unreadable"
    except AnswerError as wrong:  # the reader of sheets refuses it
        assert "answers.xlsx: " in str(wrong)


# Text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
        ("a.csv", book()),
        ("a.json", book()),
        ("a.txt", book()),
        ("a.md", b"\xd0\xcf\x11\xe0" + b"\x00" * 100),
        ("a.csv", b"Z1\n1.5\x00\n"),
        ("a.txt", b"Hello\nworld\n"),
        ("a.csv", b""),
        ("a.txt", b"="),
        ("a.json", b'{"Z1": ' * 200_000),
        ("a.json", b"[" * 10_000_000),
        ("a.json", b"[" + b"1," * 5_000_000 + b"1]"),
        ("a.txt", b"1 " * 900_000),
        ("a.txt", b"Z1\n1.5\n" * 300_000),
        ("a.csv", b'"' + b"a" * 1_000_000),
        ("a.txt", b"".join(b"name%d\n" % k for k in range(6_000)) + b"1\n"),
        ("a.docx", b"PK"),
        ("a.xlsm", book()),
    ],
)
def test_texts_that_are_refused(name: str, content: bytes) -> None:
    refused(content, name)


@pytest.mark.parametrize(
    "noise",
    [
        "a" * 500_000,
        *(
            each * (40_000 // len(each))
            for each in (
                "[",
                "[1 ",
                "]",
                "|",
                " ",
                "-",
                "| - ",
                "a",
                "(",
                "= ",
                "Z1 ",
                "Z1 = ",
                "`",
                "array(",
                ", a=",
                "Z1|",
                "Z1|1|",
                "9",
                "[\n",
                "[1\n",
                "Z1\n",
                "Z1 =\n",
                "|1|\n",
                "Z1|1\n",
                "1 ",
                "1,1 ",
                "'",
                '"',
            )
        ),
        ("Z1|" * 100 + "\n" + "1|" * 100 + "\n") * 300,
        ("1|" * 100 + "\n") * 900,
    ],
)
def test_no_text_takes_long(noise: str) -> None:
    """In front of a matrix, which is found or not."""
    content = f"{noise}\n\nA1\n0.5 0.5 0.5\n0.5 0.5 0.5\n0.5 0.5 0.5\n".encode()
    try:
        lay_beside(read_content("a.txt", content), key_of(load_problem("article")))
    except AnswerError as wrong:
        assert any(says in str(wrong) for says in EXPECTED_FAULTS)


@pytest.mark.parametrize(
    "text",
    ["1e999", "-1e400", "9" * 400, "NaN", "Infinity", "-Infinity", "1e999999999", "=1+1", "=cmd|'/C calc'!A0", "1/0"],
)
def test_what_is_no_number_is_unreadable_in_every_format(text: str) -> None:
    contents = {
        "a.json": f'{{"Z1": [["{text}", 1.5]]}}',
        "b.csv": f'matrix,row,column,value\nZ1,1,1,"{text}"\nZ1,1,2,1.5\n',
        "c.csv": f'Z1\n"{text}",1.5\n2,3\n',
        "d.md": f"Z1\n\n| {text.replace('|', '')} | 1.5 |\n|---|---|\n| 2 | 3 |\n",
    }
    if " " not in text:
        contents["e.txt"] = f"Z1 = [[{text}, 1.5], [2, 3]]\n"
    for name, content in contents.items():
        answers = named(read_content(name, content.encode()), key_of(load_problem("article")))
        entries = [entry for row in answers.matrices["Z1"] for entry in row]
        assert text not in [entry.text for entry in entries if entry.kind == "number"]
        assert 1.5 in [entry.value for entry in entries], name


@pytest.mark.parametrize("number", ["1e999", "9" * 5_000, "-" + "9" * 400, "1" + "0" * 999])
def test_json_numbers_without_end_are_unreadable(number: str) -> None:
    answers = read_content("a.json", f'{{"Z1": [[{number}, 1.5]]}}'.encode())
    assert [entry.kind for entry in answers.matrices["Z1"][0]] == ["unreadable", "number"]


@pytest.mark.parametrize(
    "content",
    [
        "Z1\n1,5;2\n".encode("utf-8-sig"),
        "Z1\n1,5;2\n".encode("utf-16"),
        "Z1 – Größe\n1,5;2\n".encode("cp1252"),
        "\u200fZ1\u200e\n\u200f1,5\u200e;\u202a2\u202c\n".encode(),
        "\u2068Z1\u2069\r\n\u00a01,5\u202f;2\r\n".encode(),
    ],
)
def test_encodings_and_marks_of_direction(content: bytes) -> None:
    assert first_cell(content, "a.csv", "Z1")[1:] == ("number", 1.5)


def test_names_that_try_to_be_something_else_are_only_told() -> None:
    name = "=HYPERLINK(1) [red]<script>\x1b[31m"
    answers = named(read_content("a.csv", f'"{name}"\n1.5\n\nZ1\n1.5\n'.encode()), key_of(load_problem("article")))
    assert isinstance(answers, Answers)
    assert any(name[:20] in each.found for each in answers.not_read)


@pytest.mark.parametrize(
    "cells", ["$C$5:$A$2", "$XFD$1048576", "$A$1:$XFD$1048576", "$A$2", "#REF!", "$A$0:$A$0", "$A$2:$A$9999999"]
)
def test_defined_names_that_lead_nowhere(cells: str) -> None:
    defined = f"<definedNames><definedName name='Z1_'>S!{cells}</definedName></definedNames></workbook>".encode()
    content = book(**{"xl/workbook.xml": WORKBOOK.replace(b"</workbook>", defined)})
    try:
        sheet = lay_beside(read_content("a.xlsx", content), key_of(load_problem("article")))
    except AnswerError as wrong:
        assert "more than 200,000 cells" in str(wrong)
    else:
        assert all(written.entries for written in sheet.written.values())


@pytest.mark.parametrize("name", ["a.xlsx", "a.ods", "a.docx"])
def test_a_damaged_zip_is_one_short_line_though_zipfile_quotes_all_of_it(name: str) -> None:
    """A name in a part's own header that goes on to the end of the file."""
    content = bytearray(zipped({"content.xml": "<a/>" * 9_000, "word/document.xml": "b", "xl/workbook.xml": "c"}))
    for at in [k for k in range(len(content)) if content[k : k + 4] == b"PK\x03\x04"]:
        content[at + 26 : at + 28] = b"\xff\xff"
    for read in (read_content, read_book):
        with pytest.raises(TracerError) as refused:
            read(name, bytes(content))
        assert str(refused.value).startswith(f"{name}: ") and len(str(refused.value)) < 300
        assert str(refused.value).isprintable()
