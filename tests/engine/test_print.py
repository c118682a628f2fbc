"""What comes out of the printer: built-in examples as LibreOffice prints them, in two fonts."""

import os
import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tests.conftest import require_font, require_program
from tracer.problem.reading import load_problem
from tracer.run.training import trace
from tracer.spreadsheet.print_setup import LEAST_SCALE, break_rows, choose_page, set_up
from tracer.workbook.workbook import write_workbook

pytestmark = pytest.mark.engine

ZOOM = 3  # the finest that pdftohtml measures type with
LEAST_TYPE = 8  # points
MOST_PAGES = {"article": 25, "hand": 40}
ON_SCREEN = ("Presenter", "Record", "After", "Gradient check", "Moved parameters")
NO_CARLITO = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><include>/etc/fonts/fonts.conf</include><selectfont><rejectfont>
<pattern><patelt name="family"><string>Carlito</string></patelt></pattern>
<pattern><patelt name="family"><string>Calibri</string></patelt></pattern>
</rejectfont></selectfont></fontconfig>"""
FONT = re.compile(r'fontspec id="(\d+)" size="(\d+)"')


@dataclass(frozen=True)
class Printed:
    """A workbook, and the PDF of it."""

    name: str
    path: Path
    pdf: Path

    @cached_property
    def book(self) -> openpyxl.Workbook:
        return openpyxl.load_workbook(self.path)

    @cached_property
    def pages(self) -> list[str]:
        """The XML of each page: its texts and the sizes of their type."""
        command = [require_program("pdftohtml"), "-xml", "-i", "-stdout", "-zoom", str(ZOOM), self.pdf]
        text = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()
        return text.split("<page ")[1:]

    @cached_property
    def words(self) -> list[str]:
        """The words of each page, a blank between them."""
        return [" ".join(unescape(re.sub("<[^>]*>", " ", page)).split()) for page in self.pages]

    def of(self, title: str) -> list[str]:
        """The words of the pages of a sheet."""
        return [words for words in self.words if re.search(rf"(^| ){re.escape(title)} · page [0-9]+ of", words)]

    @cached_property
    def steps(self) -> list[str]:
        titles = [title for title in self.book.sheetnames if title.startswith("Step")]
        assert len(titles) > 10, "the sheets of the steps have another name"
        return titles


def convert(path: Path, **environment: str) -> Path:
    profile = (path.parent / "profile").as_uri()
    command = [require_program("soffice"), f"-env:UserInstallation={profile}", "--headless", "--convert-to", "pdf"]
    settings = {**os.environ, **environment}
    command += ["--outdir", str(path.parent), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=300, env=settings)
    return path.with_suffix(".pdf")


@pytest.fixture(scope="module", params=["article", "hand"])
def printed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Printed:
    path = tmp_path_factory.mktemp("printed") / "book.xlsx"
    write_workbook(trace(load_problem(request.param)), path)
    return Printed(request.param, path, convert(path))


def without_carlito(printed: Printed, folder: Path) -> Printed:
    """The same book printed where neither Calibri nor a font as wide is installed."""
    (folder / "fonts.conf").write_text(NO_CARLITO)
    (folder / "book.xlsx").write_bytes(printed.path.read_bytes())
    pdf = convert(folder / "book.xlsx", FONTCONFIG_FILE=str(folder / "fonts.conf"))
    return Printed(printed.name, printed.path, pdf)


def test_type_is_large_enough_to_read(printed: Printed) -> None:
    require_font("Carlito")  # as wide as Calibri; a wider font is printed smaller
    sizes: dict[str, float] = {}
    for page in printed.pages:
        sizes.update({number: int(size) / ZOOM for number, size in FONT.findall(page)})
        used = set(re.findall(r'<text [^>]*font="(\d+)"', page))
        assert used, "a page without a word"
        for number in used:
            assert sizes[number] > LEAST_TYPE - 0.5, re.sub("<[^>]*>", " ", page)[:300]  # whole numbers: half is lost


def said(sheet: Worksheet, row: int) -> list[str]:
    """The words of a line: signs from another font, and what is joined to them, stand elsewhere in a PDF."""
    return re.findall(r"(?<![\w\u0302])[A-Za-z]{2,}(?![\w\u0302])", str(sheet.cell(row, 2).value))


def assert_nothing_is_cut(printed: Printed) -> None:
    """Every sheet's head stands on its first page whole, and no number became a row of signs."""
    text = " ".join(printed.words)
    assert "###" not in text and "#REF" not in text and "Err:" not in text
    for title in printed.steps:
        missing = [word for row in (1, 2, 3) for word in said(printed.book[title], row)]
        missing = [word for word in missing if word not in printed.of(title)[0]]
        assert not missing, (title, missing)
    assert len(printed.of("Certificate")) == 1 and "agree" in printed.of("Certificate")[0]


def assert_few_pages(printed: Printed) -> None:
    assert len(printed.pages) <= MOST_PAGES[printed.name]
    for title in printed.steps:
        formulas = str(printed.book[title]["B3"].value).count("\n") + 1
        assert 1 <= len(printed.of(title)) <= max(2, formulas), title


def test_nothing_is_cut_off(printed: Printed) -> None:
    assert_nothing_is_cut(printed)


def test_a_step_takes_a_page_or_two_or_one_for_each_formula_and_the_book_few(printed: Printed) -> None:
    assert_few_pages(printed)


def test_print_does_not_depend_on_a_font(printed: Printed, tmp_path: Path) -> None:
    other = without_carlito(printed, tmp_path)
    assert_nothing_is_cut(other)
    assert_few_pages(other)
    assert len(other.pages) == len(printed.pages)


def test_sheets_for_the_screen_are_not_printed_and_the_start_sheet_says_so(printed: Printed) -> None:
    for title in ON_SCREEN:
        sheet = printed.book[title]
        assert not printed.of(title)
        (row,) = {int(row) for row in re.findall("[0-9]+", str(sheet.print_area).rpartition("!")[2])}
        assert sheet.row_dimensions[row].hidden and row > sheet.max_row - 1
        assert all(cell.value is None for cell in sheet[row])
    assert f"left out when the book is printed: {', '.join((*ON_SCREEN[:1], *ON_SCREEN[2:], 'Record'))}" in " ".join(
        printed.of("Start")
    )


def test_titles_are_repeated_pages_numbered_and_one_page_is_the_width(printed: Printed) -> None:
    for sheet in printed.book:
        setup = sheet.page_setup
        assert sheet.sheet_properties.pageSetUpPr.fitToPage and (setup.fitToWidth, setup.scale) == (1, None)
        assert "&P" in sheet.oddFooter.right.text
    for title in printed.steps:
        assert printed.book[title].print_title_rows == "$1:$3"


def test_a_page_holds_what_it_was_chosen_for() -> None:
    for characters in (20, 60, 96, 120, 130):
        for height in (100, 400, 600, 800, 1200):
            page = choose_page((characters, height))
            assert page.characters >= characters and page.scale >= LEAST_SCALE
            assert page.whole or height > 600
            assert not page.whole or height < 1000
    assert choose_page((400, 100)).orientation == "landscape" and not choose_page((400, 100)).whole


def test_a_page_for_two_areas_holds_each_of_them() -> None:
    wide, high = (120.0, 200.0), (60.0, 900.0)
    assert choose_page(wide).orientation == "landscape"
    assert choose_page(wide, high).orientation == "portrait" and choose_page(wide, high).whole


def test_what_is_longer_than_a_page_is_broken_where_it_may_be() -> None:
    sheet = openpyxl.Workbook().active
    page = choose_page((60, 2000))
    set_up(sheet, page, ["A1:F150"], "1:1")
    break_rows(sheet, page, range(2, 151), lambda _: 13.5, lambda row: row % 10 == 0, 13.5)
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
    assert [each.id for each in sheet.row_breaks.brk] == [49, 99]
