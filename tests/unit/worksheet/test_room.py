"""What stands in a worksheet has room, on the screen and on paper, and its working begins where one looks for it."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tests.room import PADDING, POINTS, Room, sheets, width_of
from tests.traces import example
from tracer.worksheet.book import write_worksheet_book
from tracer.worksheet.plan import Mode, make_plan
from tracer.worksheet.sheet import LEAST_WIDTH

EXAMPLES = ["article", "mazur", "hand", "softmax-classifier"]
MODES: list[tuple[Mode, bool]] = [("practice", False), ("print", False), ("exam", False), ("practice", True)]


def write(name: str, mode: Mode, key: bool, path: Path) -> None:
    run = example(name)
    write_worksheet_book(run, make_plan(run.problem, run.first.program, mode), path, key)


@cache
def worksheet(name: str, mode: Mode, key: bool) -> list[Room]:
    with TemporaryDirectory() as folder:
        write(name, mode, key, Path(folder, "sheet.xlsx"))
        return sheets(Path(folder, "sheet.xlsx"))


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(("mode", "key"), MODES)
def test_no_text_is_cut_and_all_but_the_hints_is_printed(name: str, mode: Mode, key: bool) -> None:
    for room in worksheet(name, mode, key):
        assert not list(room.cut())
        beside = [cell for cell in room.unprinted() if cell.column < room.sheet.max_column]
        assert not beside and (not list(room.unprinted()) or (mode == "practice" and not key))


def numbers_in(sheet: Worksheet, first: int, last: int) -> list[str]:
    """The numbers in some columns that are shown with so many decimals; others are cut to the room there is."""
    found = [""]
    for row in sheet.iter_rows(min_col=first, max_col=last):
        for cell in row:
            if isinstance(cell.value, int | float):
                decimals = len(cell.number_format.rpartition(".")[2]) if "." in cell.number_format else 0
                found += [f"{cell.value:.{decimals}f}"] if decimals else []
    return found


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(("mode", "key"), MODES)
def test_every_number_has_room(name: str, mode: Mode, key: bool) -> None:
    """A number that has none shows as ###."""
    room = worksheet(name, mode, key)[0]
    for column in range(1, room.sheet.max_column):
        longest = max(map(width_of, numbers_in(room.sheet, column, column)))
        assert longest == 0.0 or room.across(column, column) >= longest + PADDING, column


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(("mode", "key"), [("exam", False), ("practice", True)])
def test_a_matrix_is_as_wide_as_its_numbers_or_its_heading_and_no_wider(name: str, mode: Mode, key: bool) -> None:
    """Headings that stand over the same columns share their width."""
    room = worksheet(name, mode, key)[0]
    taken: dict[tuple[int, int], float] = {}
    for cell, text, (first, _, last, _) in room.texts():
        if last > first and cell.row > 8:
            taken[first, last] = max(taken.get((first, last), 0.0), room.taken(cell, text))
    assert len(taken) >= 3
    for (first, last), longest in taken.items():
        number = max(LEAST_WIDTH, *(len(each) + 1.5 for each in numbers_in(room.sheet, first, last)))
        assert room.across(first, last) <= max(POINTS * number * (last - first + 1), 1.6 * longest), (first, last)


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_worked_stands_behind_its_name_and_what_is_checked_behind_its_box(name: str, tmp_path: Path) -> None:
    write(name, "practice", False, tmp_path / "sheet.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "sheet.xlsx").worksheets[1]
    texts = {cell.coordinate: str(cell.value) for row in sheet for cell in row if cell.value is not None}
    assert {at[0] for at, text in texts.items() if text.startswith("=") and '"= "&' in text} == {"C"}
    assert {at[0] for at, text in texts.items() if not text.startswith("=") and len(text) > 20} == {"B", "D"}
