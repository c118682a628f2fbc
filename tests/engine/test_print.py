"""What comes out of the printer: the built-in examples as LibreOffice prints them."""

import re
import subprocess
from pathlib import Path

import openpyxl
import pytest

from tests.conftest import require_program
from tracer.problem.reading import load_problem
from tracer.run.training import trace
from tracer.spreadsheet.print_setup import LEAST_SCALE, choose_page
from tracer.workbook.workbook import write_workbook

pytestmark = pytest.mark.engine

ZOOM = 3  # the finest that pdftohtml measures type with
LEAST_TYPE = 8  # points
FONT = re.compile(r'fontspec id="(\d+)" size="(\d+)"')


@pytest.fixture(scope="module", params=["article", "hand"])
def printed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A workbook, and the PDF of it."""
    folder = tmp_path_factory.mktemp("printed")
    write_workbook(trace(load_problem(request.param)), folder / "book.xlsx")
    profile = (folder / "profile").as_uri()
    command = [require_program("soffice"), f"-env:UserInstallation={profile}", "--headless", "--convert-to", "pdf"]
    subprocess.run([*command, "--outdir", folder, folder / "book.xlsx"], check=True, capture_output=True, timeout=300)
    return folder / "book.xlsx", folder / "book.pdf"


def pages(pdf: Path) -> list[str]:
    command = [require_program("pdftohtml"), "-xml", "-i", "-stdout", "-zoom", str(ZOOM), pdf]
    text = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()
    return text.split("<page ")[1:]


def steps_of(book: openpyxl.Workbook) -> list[str]:
    titles = [title for title in book.sheetnames if title.startswith("Step")]
    assert len(titles) > 10, "the sheets of the steps have another name"
    return titles


def test_type_is_large_enough_to_read(printed: tuple[Path, Path]) -> None:
    sizes: dict[str, float] = {}
    for page in pages(printed[1]):
        sizes.update({number: int(size) / ZOOM for number, size in FONT.findall(page)})
        used = set(re.findall(r'<text [^>]*font="(\d+)"', page))
        assert used, "a page without a word"
        for number in used:
            assert sizes[number] > LEAST_TYPE - 0.5, re.sub("<[^>]*>", " ", page)[:300]  # whole numbers: half is lost


def test_nothing_is_cut_off(printed: tuple[Path, Path]) -> None:
    text = " ".join(pages(printed[1]))
    assert "Certificate" in text and "Step 11" in text
    assert "###" not in text and "#REF" not in text and "Err:" not in text


def test_a_step_takes_a_page_and_a_page_for_its_lines(printed: tuple[Path, Path]) -> None:
    """Only the last steps, with the whole board, may need a second one."""
    book = openpyxl.load_workbook(printed[0], read_only=False)
    titles = steps_of(book)
    for title in titles[:-2]:
        taken = [page for page in pages(printed[1]) if re.search(rf">\s*{re.escape(title)} · page", page)]
        assert 1 <= len(taken) <= 3, (title, len(taken))


def test_titles_are_repeated_and_pages_numbered(printed: tuple[Path, Path]) -> None:
    book = openpyxl.load_workbook(printed[0])
    for title in steps_of(book):
        sheet = book[title]
        assert sheet.print_title_rows == "$1:$3"
        assert sheet.page_setup.scale >= 100 * LEAST_SCALE
        assert "&P" in sheet.oddFooter.right.text


def test_a_page_holds_what_it_was_chosen_for() -> None:
    for characters in (20, 60, 96, 120, 130):
        for height in (100, 400, 800):
            page = choose_page(characters, height)
            assert page.characters >= characters and page.scale >= LEAST_SCALE
            assert page.height >= height or page.scale == LEAST_SCALE
