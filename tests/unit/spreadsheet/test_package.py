"""The package of a workbook: what a spreadsheet program asks of it before it opens it without repair."""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import combinations, pairwise
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import openpyxl
import pytest
from lxml import etree
from openpyxl.chart import LineChart, Reference
from openpyxl.drawing.image import Image
from PIL import Image as Picture

from tests.marking import document, mark, with_rule, worked
from tracer.classroom.marked_workbook import write_marked_workbook
from tracer.judging.marking import MarkedSheet
from tracer.presentation.theme import theme_of
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.spreadsheet.package import write_workbook_file
from tracer.spreadsheet.sheet_data import SheetData
from tracer.workbook.workbook import write_workbook
from tracer.worksheet.book import write_worksheet_book
from tracer.worksheet.plan import Plan, make_plan

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
ADDRESS = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
LOOKS_LIKE_A_CELL = re.compile(r"[A-Za-z]{1,3}[0-9]+|[Rr][0-9]*[Cc]?[0-9]*|[Cc][0-9]*|TRUE|FALSE", re.IGNORECASE)
# The children of a worksheet that may occur here, in the order of its schema (ECMA-376, CT_Worksheet).
ORDER = ("sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetProtection", "mergeCells",
         "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions", "pageMargins", "pageSetup",
         "headerFooter", "rowBreaks", "colBreaks", "ignoredErrors", "drawing", "legacyDrawing")  # fmt: skip

MATRIX_FORMULAS, MARKED = "matrix formulas", "marked answers"

Range = tuple[int, int, int, int]
"""Left, top, right and bottom, counted from 1."""


class Package:
    """The parts of a workbook file."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as package:
            assert package.testzip() is None
            self.names = package.namelist()
            self.parts = {name: package.read(name) for name in self.names}

    def xml(self, name: str) -> Any:
        return etree.fromstring(self.parts[name])

    @cached_property
    def workbook(self) -> Any:
        return self.xml("xl/workbook.xml")

    def relationships(self, name: str) -> dict[str, str]:
        """The targets within the package of a part's relationships, by their ids."""
        folder, file = PurePosixPath(name).parent, PurePosixPath(name).name
        rels = str(folder / "_rels" / f"{file}.rels")
        if rels not in self.parts:
            return {}
        inside = [each for each in self.xml(rels) if each.get("TargetMode") != "External"]
        return {each.get("Id"): _resolved(folder, each.get("Target")) for each in inside}

    @cached_property
    def sheets(self) -> dict[str, Any]:
        """The worksheets by title."""
        parts = self.relationships("xl/workbook.xml")
        return {each.get("name"): self.xml(parts[each.get(ID)]) for each in self.workbook.iter(f"{MAIN}sheet")}

    @property
    def defined(self) -> list[tuple[str, str | None, str]]:
        """Name, sheet where it is of one alone, and what it stands for."""
        names = self.workbook.iter(f"{MAIN}definedName")
        return [(each.get("name"), each.get("localSheetId"), each.text) for each in names]


def _resolved(folder: PurePosixPath, target: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath("/") / folder / target).parts[1:]:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def corners(reference: str) -> Range:
    first, _, last = reference.partition(":")
    return (*_place(first), *_place(last or first))


def _place(address: str) -> tuple[int, int]:
    found = ADDRESS.fullmatch(address)
    assert found, address
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - 64
    assert 1 <= column <= 16_384 and 1 <= int(found[2]) <= 1_048_576, address
    return column, int(found[2])


def overlap(one: Range, other: Range) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _problem(name: str, **changes: Any) -> Any:
    return problem_from_document(load_problem(name).to_document() | changes, name, name)


def _large() -> Any:
    """Matrices too large for the board, of which other sheets show an excerpt."""
    layers = [{"activation": "tanh", "units": 21}, {"activation": "sigmoid", "units": 1}]
    data = {"X": np.linspace(-1, 1, 60).reshape(4, 15).tolist(), "Y": [[0], [1]] * 2}
    document = {"learning_rate": 0.1, "loss": "half_squared_error", "layers": layers, "data": data}
    return problem_from_document(document, "large", "large")


BOOKS = {
    "article": lambda: trace(load_problem("article")),
    "softmax": lambda: trace(load_problem("softmax-classifier")),
    "mini-batches": lambda: trace(_problem("article", batch_size=2)),
    "three epochs": lambda: trace(load_problem("mazur"), (1, 2, 5)),
    "large": lambda: trace(_large()),
    MATRIX_FORMULAS: lambda: trace(load_problem("article")),
    "a title to be escaped": lambda: trace(_problem("xor", title='<XOR> & "friends" & more'.ljust(300, "!"))),
}


def _worksheet(problem: Any, mode: Any, **choices: Any) -> tuple[Trace, Plan]:
    run = trace(problem)
    return run, make_plan(run.problem, run.first.program, mode, **choices)


WORKSHEETS = {
    "a worksheet": lambda: _worksheet(load_problem("softmax-classifier"), "practice", sums=True),
    "a worksheet of single numbers": lambda: _worksheet(load_problem("logistic-regression"), "practice", give="4"),
    "a large worksheet to print": lambda: _worksheet(_large(), "print"),
    "a worksheet's title to be escaped": lambda: _worksheet(BOOKS["a title to be escaped"]().problem, "exam"),
}


@cache
def package_of(name: str) -> Package:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        if name == MARKED:
            write_marked_workbook(_marked(), "key", path)
        elif name in WORKSHEETS:
            write_worksheet_book(*WORKSHEETS[name](), path, False, theme_of("es"))
        else:
            write_workbook(BOOKS[name](), path, matrix_formulas=name == MATRIX_FORMULAS)
        return Package(path)


def _marked() -> MarkedSheet:
    """A sheet with notes at its answers, a name to be escaped among them."""
    problem = document()
    answers = worked(problem, with_rule(problem, "Z1", lambda m: m["X"] @ m["W1"]))
    return mark(problem, answers | {"D2": [[None, '<"&>', "1"]]}, student={"name": '=1+1 <"&>'})


@pytest.fixture(params=[*BOOKS, MARKED, *WORKSHEETS])
def package(request: pytest.FixtureRequest) -> Package:
    found = package_of(request.param)
    assert_is_full(found, request.param)
    return found


def assert_is_full(package: Package, name: str) -> None:
    """The tests go through what a book has: there is some of each kind to go through."""
    counts = Counter(
        etree.QName(each).localname for sheet in package.sheets.values() for each in sheet.iter(f"{MAIN}*")
    )
    expected = {"row", "c", "v", "f", "col", "mergeCell", "oddFooter"}
    if name in BOOKS:
        expected |= {"hyperlink", "conditionalFormatting", "cfRule"}
    if name in BOOKS or name in WORKSHEETS:
        expected |= {"dataValidation"}
    assert len(package.sheets) > 1 and package.defined and expected <= counts.keys(), name
    arrays = [f for sheet in package.sheets.values() for f in sheet.iter(f"{MAIN}f") if f.get("t") == "array"]
    assert bool(arrays) is (name == MATRIX_FORMULAS)


def test_every_part_is_well_formed_and_there_once(package: Package) -> None:
    assert not [name for name, times in Counter(map(str.lower, package.names)).items() if times > 1]
    for name in package.names:
        if name.endswith((".xml", ".rels")):
            package.xml(name)


def test_every_part_has_a_content_type_and_every_type_its_part(package: Package) -> None:
    types = package.xml("[Content_Types].xml")
    defaults = {each.get("Extension").lower() for each in types.iter(f"{TYPES}Default")}
    overrides = [each.get("PartName") for each in types.iter(f"{TYPES}Override")]
    assert len(set(overrides)) == len(overrides)
    assert {name.removeprefix("/") for name in overrides} <= set(package.names)
    for name in set(package.names) - {"[Content_Types].xml"}:
        assert f"/{name}" in overrides or name.rpartition(".")[2].lower() in defaults, name
        plain = name.endswith(".xml") and f"/{name}" not in overrides
        assert not plain, f"{name}: application/xml says nothing of what it is"


def test_every_relationship_has_its_target(package: Package) -> None:
    reached = set(package.relationships(""))
    for name in (*package.names, ""):
        targets = package.relationships(name).values()
        assert set(targets) <= set(package.names), name
        reached |= set(targets)
    parts = {name for name in package.names if not name.endswith(".rels")} - {"[Content_Types].xml"}
    assert parts <= reached, "a part that nothing leads to"


def test_every_relationship_that_a_part_names_is_there(package: Package) -> None:
    for name in package.names:
        if name.startswith("xl/") and name.endswith(".xml"):
            used = {
                value
                for each in package.xml(name).iter()
                for key, value in each.attrib.items()
                if key.startswith(ID.removesuffix("id"))
            }
            assert used <= set(package.relationships(name)), name


def test_sheet_names_are_legal_and_unique(package: Package) -> None:
    titles = list(package.sheets)
    assert len({title.lower() for title in titles}) == len(list(package.workbook.iter(f"{MAIN}sheet")))
    for title in titles:
        assert re.fullmatch(r"[^\[\]:*?/\\]{1,31}", title), title
        assert not title.startswith("'") and not title.endswith("'"), title


def test_defined_names_are_unique_legal_and_lead_to_cells(package: Package) -> None:
    assert not [k for k, times in Counter((n.lower(), own) for n, own, _ in package.defined).items() if times > 1]
    for name, own, text in package.defined:
        built_in = name.startswith("_xlnm.")
        assert built_in or re.fullmatch(r"[A-Za-z_\\][\w.\\]{0,254}", name), name
        assert not LOOKS_LIKE_A_CELL.fullmatch(name), name
        assert own is None or 0 <= int(own) < len(package.sheets), name
        for title, reference in _destinations(text):
            assert title in package.sheets, f"{name}: {text}"
            if not re.fullmatch(r"\$[A-Z]+:\$[A-Z]+|\$\d+:\$\d+", reference):  # print titles: whole rows, columns
                corners(reference)
            assert own is None or list(package.sheets)[int(own)] == title, f"{name}: {text}"


def _destinations(text: str) -> Iterator[tuple[str, str]]:
    found = list(re.finditer(r"(?:'((?:[^']|'')+)'|([A-Za-z]\w*))!([$A-Z0-9:]+)(?:,|$)", text))
    assert "".join(each[0] for each in found) == text, text
    return ((each[1].replace("''", "'") if each[1] else each[2], each[3]) for each in found)


def test_cells_come_in_order_and_once_each_within_the_dimension(package: Package) -> None:
    for title, sheet in package.sheets.items():
        (dimension,) = (corners(each.get("ref")) for each in sheet.iter(f"{MAIN}dimension"))
        rows = [int(row.get("r")) for row in sheet.iter(f"{MAIN}row")]
        assert all(before < after for before, after in pairwise(rows)), title
        places = [_place(cell.get("r")) for cell in sheet.iter(f"{MAIN}c")]
        for row in sheet.iter(f"{MAIN}row"):
            columns = [_place(cell.get("r")) for cell in row]
            assert all(place[1] == int(row.get("r")) for place in columns), title
            assert all(before < after for before, after in pairwise(columns)), f"{title}, row {row.get('r')}"
        if places:
            span = [f(place[k] for place in places) for f in (min, max) for k in (0, 1)]
            assert tuple(span) == dimension, title


def test_cells_hold_what_their_type_says(package: Package) -> None:
    for title, sheet in package.sheets.items():
        for cell in sheet.iter(f"{MAIN}c"):
            kind, value, formula = cell.get("t", "n"), cell.findtext(f"{MAIN}v"), cell.findtext(f"{MAIN}f")
            where = f"{title}!{cell.get('r')}"
            assert kind in ("n", "str", "inlineStr"), f"{where}: an error, or a table of strings that is not there"
            assert formula is None or value is not None, f"{where}: no cached value"
            assert kind != "n" or value is None or np.isfinite(float(value)), where
            assert kind != "str" or formula is not None, where
            assert len(formula or "") <= 8_192 and len("".join(cell.itertext())) <= 32_767, where
            assert "#REF!" not in (formula or ""), where


def test_merged_ranges_and_arrays_do_not_overlap(package: Package) -> None:
    for title, sheet in package.sheets.items():
        merged = [corners(each.get("ref")) for each in sheet.iter(f"{MAIN}mergeCell")]
        arrays = {}
        for cell in sheet.iter(f"{MAIN}c"):
            for formula in cell.iter(f"{MAIN}f"):
                assert formula.get("t", "normal") in ("normal", "array"), "shared formulas are not written"
                if formula.get("t") == "array":
                    arrays[cell.get("r")] = corners(formula.get("ref"))
                    assert arrays[cell.get("r")][:2] == _place(cell.get("r")), "an array begins in its own cell"
        for one, other in combinations([*merged, *arrays.values()], 2):
            assert not overlap(one, other), title
        for cell in sheet.iter(f"{MAIN}c"):
            if cell.find(f"{MAIN}f") is not None and cell.get("r") not in arrays:
                here = corners(cell.get("r"))
                assert not any(overlap(here, array) for array in arrays.values()), f"{title}!{cell.get('r')}"
        for left, top, right, bottom in merged:
            assert (left, top) != (right, bottom), f"{title}: a merged range of one cell"


def test_only_the_first_cell_of_a_merged_range_holds_something(package: Package) -> None:
    """A spreadsheet throws the rest away."""
    for title, sheet in package.sheets.items():
        filled = {_place(cell.get("r")) for cell in sheet.iter(f"{MAIN}c") if len(cell)}
        for each in sheet.iter(f"{MAIN}mergeCell"):
            left, top, right, bottom = corners(each.get("ref"))
            inside = {(c, r) for c in range(left, right + 1) for r in range(top, bottom + 1)} - {(left, top)}
            assert not inside & filled, f"{title}!{each.get('ref')}"


def test_every_style_is_defined(package: Package) -> None:
    styles = package.xml("xl/styles.xml")

    def count(kind: str) -> int:
        found = styles.find(f"{MAIN}{kind}")
        return 0 if found is None else len(found)

    for own in styles.find(f"{MAIN}cellXfs"):
        for key, kind in (("fontId", "fonts"), ("fillId", "fills"), ("borderId", "borders"), ("xfId", "cellStyleXfs")):
            assert int(own.get(key, 0)) < count(kind), kind
    formats = [int(each.get("numFmtId")) for each in styles.iter(f"{MAIN}numFmt")]
    assert {int(own.get("numFmtId")) for own in styles.find(f"{MAIN}cellXfs")} <= {*formats, *range(164)}
    for title, sheet in package.sheets.items():
        used = {int(each.get("s", 0)) for kind in ("c", "row") for each in sheet.iter(f"{MAIN}{kind}")}
        used |= {int(each.get("style", 0)) for each in sheet.iter(f"{MAIN}col")}
        assert max(used) < count("cellXfs"), title
        rules = [int(each.get("dxfId")) for each in sheet.iter(f"{MAIN}cfRule") if each.get("dxfId")]
        assert all(rule < count("dxfs") for rule in rules), title


def test_sheets_are_made_as_their_schema_has_it(package: Package) -> None:
    for title, sheet in package.sheets.items():
        kinds = [etree.QName(each).localname for each in sheet]
        assert kinds == sorted(kinds, key=ORDER.index), title
        repeated = [kind for kind, times in Counter(kinds).items() if times > 1]
        assert set(repeated) <= {"conditionalFormatting"}, title
        for each in sheet.iter(f"{MAIN}mergeCells", f"{MAIN}dataValidations"):
            assert int(each.get("count", len(each))) == len(each), title
        for each in sheet.iter(f"{MAIN}oddHeader", f"{MAIN}oddFooter"):
            assert len(each.text or "") <= 255, title


def test_links_lead_to_sheets_and_conditional_formats_stay_on_theirs(package: Package) -> None:
    for title, sheet in package.sheets.items():
        for each in sheet.iter(f"{MAIN}hyperlink"):
            ((target, reference),) = _destinations(each.get("location"))
            assert target in package.sheets, f"{title}: {each.get('location')}"
            corners(reference)
            corners(each.get("ref"))
        for kind in ("conditionalFormatting", "dataValidation"):
            ranges = [corners(part) for each in sheet.iter(f"{MAIN}{kind}") for part in each.get("sqref").split()]
            assert ranges or sheet.find(f".//{MAIN}{kind}") is None
        assert not [each.text for each in sheet.iter(f"{MAIN}formula") if "!" in each.text], title


def test_the_calculation_chain_is_left_to_the_program(package: Package) -> None:
    """No stale order of calculation, and everything is calculated when the book is opened."""
    assert not [name for name in package.names if "calcChain" in name or "externalLink" in name or "vba" in name]
    (how,) = package.workbook.iter(f"{MAIN}calcPr")
    assert how.get("fullCalcOnLoad") in ("1", "true")


ALT_TEXTS = {"Chart": 'The loss falls from 1 to ½ & stays "there" <here>', "Picture": "Two inputs,\none output"}


def test_a_chart_and_a_picture_say_what_they_show(tmp_path: Path) -> None:
    """Each sheet's own text, whichever sheets have a drawing."""
    book = openpyxl.Workbook()
    sheets = {title: book.create_sheet(title) for title in ("Chart", "Nothing", "Picture", "No words")}
    book.remove(book.worksheets[0])
    data = {title: SheetData() for title in sheets}
    data["Chart"].numbers(1, 1, np.array([[1.0], [0.5]]), 0)
    chart = LineChart()
    chart.add_data(Reference(sheets["Chart"], min_col=1, min_row=1, max_row=2))
    sheets["Chart"].add_chart(chart, "C1")
    for title in ("Picture", "No words"):
        picture = io.BytesIO()
        Picture.new("RGB", (8, 8)).save(picture, "PNG")
        sheets[title].add_image(Image(picture), "B2")
    for title, text in ALT_TEXTS.items():
        data[title].alt_text = text
    write_workbook_file(book, data, tmp_path / "book.xlsx")
    package = Package(tmp_path / "book.xlsx")
    drawings = [list(package.xml(f"xl/drawings/drawing{k}.xml").iter("{*}cNvPr")) for k in (1, 2, 3)]
    described = [[(each.get("name"), each.get("descr")) for each in drawing] for drawing in drawings]
    assert described == [
        [("Chart 1", ALT_TEXTS["Chart"])],
        [("Image 1", ALT_TEXTS["Picture"])],
        [("Image 1", "Picture")],  # openpyxl's own
    ]
