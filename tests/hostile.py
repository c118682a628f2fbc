"""Answer files as nobody should hand them in: pieces of every kind of file, put together and damaged at random."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

from hypothesis import strategies as st

from tests import old_books

ODD_NUMBERS = (
    "0 1 -1 0e999 5e-324 0e300 1e308 -1e999 1,5 7,4 1.234,5 3/8 1/0 12% 1.2×10^-3 1,2·10⁻³ .12 0.12. nan ... … ٣ ² 0x1F"
    " 1_000 1e 1e+ - + . , 1..2 " + "9" * 70
)
ODD_NAMES = (
    "Z1 A1 Z2 A2 E E1 D1 D2 S1 dW1 dW2 W1 W1_next b1 b1_next L X Y z1 z2 h1 h2 o1 out_h1 net_o2 w1 w5+ w11 w31_new wh"
    " dL_dz2 ∂E/∂w5 𝟃E/𝟃w1 δE/δw1 delta1 δ_Y1 Δw_Y1H2 θ theta_0 E_tot s(1) d(3) x(2) 0.weight fc1.bias.grad output w0"
    " hidden_layer_input W1[1,2] Z1[0,0] Z1[9999,9999] student Name ID matrix row column value Z9 E0 J1 zz __ σ'(Z1)"
    " weights gradient_of_weights A_B h_A w123456 z000 error"
)
ODD_MARKS = (
    " |\n|\n\n|\t|;|,|¦| = |: |=|≈|->| → |=>|[|]|[[|]]|(|)|{|}|tensor(|array(|np.array(|, dtype=float32)|', |'|\"|$|$$"
    "|\\frac{|\\begin{bmatrix} | & | \\\\ | \\end{bmatrix}|^{(1)}|_{1}|\\partial |>>> |> |julia> |In [1]: |Out[1]:"
    "|[1,] |     [,1]  [,2]|1.0e-03 *|OrderedDict([|<tf.Tensor: shape=(2,), numpy=|c(|```|---|sep=;|\r\n|\x00|\x1d|\x1e"
    "|\ue000|\ue0000\ue001|\ue0009999\ue001|\u202e|\ufeff|2×2 Matrix{Float64}:|[[1]]"
)
NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.floats(-9, 9).map(lambda value: f"{value:.4f}"),
    st.sampled_from(ODD_NUMBERS.split()),
)
NAMES = st.one_of(st.sampled_from(ODD_NAMES.split()), st.text(max_size=12))
MARKS = st.sampled_from([each.replace("¦", "|") for each in ODD_MARKS.split("|")])
TEXTS = st.lists(st.one_of(NUMBERS, NAMES, MARKS, st.text(max_size=5)), max_size=60).map("".join)
VALUES = st.recursive(
    st.one_of(NUMBERS, NAMES, st.none(), st.booleans(), st.floats(), st.integers()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=20,
)
CELLS = st.tuples(
    st.sampled_from(["A1", "A2", "B1", "B2", "C3", "xfd1", "XFD1048576", "A0", "AAAA1", "A99999999", "a1", "Z1", "1A"]),
    st.sampled_from(["n", "str", "inlineStr", "s", "b", "e", "d", ""]),
    st.one_of(NUMBERS, NAMES),
)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def zipped(parts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in parts.items():
            package.writestr(name, text.encode("utf-8", "surrogatepass"))
    return buffer.getvalue()


def xlsx(cells: list[tuple[str, str, str]]) -> bytes:
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relations = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    rows = "".join(f'<row><c r="{at}" t="{kind}"><v>{escaped(text)}</v></c></row>' for at, kind, text in cells)
    return zipped({
        "xl/workbook.xml": f'<workbook {main} {relations}><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{rows}</sheetData></worksheet>",
    })  # fmt: skip


def ods(cells: list[tuple[str, str, str]]) -> bytes:
    def cell(at: str, kind: str, text: str) -> str:
        kinds = {"n": "float", "d": "date", "b": "boolean"}
        repeated = f' table:number-columns-repeated="{len(at) ** 6}"' if at.islower() else ""
        value = f'office:value-type="{kinds.get(kind, "string")}" office:value="{escaped(text)}"'
        return f"<table:table-cell {value}{repeated}><text:p>{escaped(text)}</text:p></table:table-cell>"

    rows = "".join(f"<table:table-row>{cell(*each)}</table:table-row>" for each in cells)
    spaces = 'xmlns:table="t" xmlns:office="o" xmlns:text="x"'
    return zipped(
        {"content.xml": f'<office:document {spaces}><table:table table:name="S">{rows}</table:table></office:document>'}
    )


def xls(cells: list[tuple[str, str, str]]) -> bytes:
    """Texts and numbers in the first rows; where an address is odd its cell is far away or of another kind."""

    def record(number: int, at: str, kind: str, words: str) -> old_books.Record:
        row, column = (number, number % 3) if at.isupper() else (len(at) ** 6 % 65_536, ord(at[0]) ** 3 % 65_536)
        match kind:
            case "n":
                return old_books.number(row, column, float(len(words)) / 8)
            case "s":
                return old_books.shared(row, column, len(words) % 5)
            case "b":
                return old_books.whole(row, column, *range(len(words)))
            case "e":
                return old_books.formula(row, column, 1.5, words.encode("utf-8", "surrogatepass"))
            case "d":
                return len(words) * 37 % 4_096, words.encode("utf-8", "surrogatepass")
        return old_books.label(row, column, words.encode("utf-8", "replace").decode()[:40])

    sheet = [record(number, *each) for number, each in enumerate(cells)]
    shared = old_books.texts("Z1", "1.5", "wh", count=3 + len(sheet) % 2)
    return old_books.xls(sheet[:8], sheet[8:], shared=shared)


def docx(text: str) -> bytes:
    lines = "".join(f"<w:p><w:r><w:t>{escaped(each)}</w:t></w:r></w:p>" for each in text.split("\n"))
    cells = "".join(f"<w:tc><w:p><w:t>{escaped(each)}</w:t></w:p></w:tc>" for each in text.split(" "))
    return zipped(
        {"word/document.xml": f'<w:document xmlns:w="w"><w:tbl><w:tr>{cells}</w:tr></w:tbl>{lines}</w:document>'}
    )


def notebook(text: str) -> bytes:
    cells = [
        {"cell_type": "code", "source": text, "outputs": [{"text": text.split("\n")}, {"data": {"text/plain": text}}]},
        {"cell_type": "markdown", "source": [text]},
    ]
    return json.dumps({"cells": cells}).encode()


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


WRITTEN: dict[str, st.SearchStrategy[bytes]] = {
    **{f"a{end}": TEXTS.map(encoded) for end in (".txt", ".md", ".csv", ".tsv", ".py", ".m", ".R", ".tex", ".yaml")},
    "a.json": st.dictionaries(NAMES, VALUES, max_size=6).map(lambda each: json.dumps(each).encode()),
    "b.json": VALUES.map(lambda each: json.dumps(each).encode()),
    "a.ipynb": TEXTS.map(notebook),
    "a.xlsx": st.lists(CELLS, max_size=12).map(xlsx),
    "a.xls": st.lists(CELLS, max_size=12).map(xls),
    "a.ods": st.lists(CELLS, max_size=12).map(ods),
    "a.docx": TEXTS.filter(lambda text: text.isprintable()).map(docx),
}


@st.composite
def files(draw: Callable[[st.SearchStrategy[object]], object]) -> tuple[str, bytes]:
    """A name and the content of a file, damaged now and then."""
    name = draw(st.sampled_from(sorted(WRITTEN)))
    assert isinstance(name, str)
    content = draw(WRITTEN[name])
    assert isinstance(content, bytes)
    if content and draw(st.integers(0, 5)) == 0:
        at = draw(st.integers(0, len(content) - 1))
        assert isinstance(at, int)
        content = draw(st.sampled_from([content[:at], content[at:], content[:at] + b"\xff" + content[at + 1 :]]))
        assert isinstance(content, bytes)
    return name, content
