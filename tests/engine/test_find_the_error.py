"""Find the error in the workbook, recalculated: x beside numbers, rules chosen from the list, numbers put right."""

from pathlib import Path

import openpyxl
import pytest

from tests.engine.recalculate import by_cellrune
from tests.engine.test_schema import errors
from tests.finding import Cell, FindSheet, find_sheet
from tests.worksheets import addresses
from tracer.expression import scalar as s
from tracer.presentation.board import lay_out
from tracer.spreadsheet.columns import address
from tracer.worksheet.board import WorksheetBoard
from tracer.worksheet.book import write_worksheet_book
from tracer.worksheet.finding import ADVICE, ADVICE_MARK, NAME, NUMBER, NUMBER_MARK, TOP

pytestmark = pytest.mark.engine

FIND, BOARD = "Find the error", "Worksheet"
SIGNS = {"slip": "✗", "wrong": "✗", "carried": "↪"}


class Book:
    """The workbook of a sheet, to be typed into and recalculated."""

    def __init__(self, sheet: FindSheet, folder: Path) -> None:
        self.sheet, self.path = sheet, folder / "find.xlsx"
        write_worksheet_book(sheet.run, sheet.plan, self.path, planted=sheet.planted)
        self.places = WorksheetBoard(lay_out(sheet.planted.key.program), True)
        self.rows = {each: row for row, each in enumerate(sheet.planted.choices, TOP)}
        self.typed: dict[tuple[str, str], str | float] = {}

    def cross(self, cell: Cell) -> None:
        self.typed[BOARD, self.places.mark(s.Cell(*cell))] = "x"

    def choose(self, matrix: str, says: str) -> None:
        self.typed[FIND, address(self.rows[matrix], ADVICE)] = says

    def mend(self, matrix: str, number: float) -> None:
        self.typed[FIND, address(self.rows[matrix], NUMBER)] = number

    def read(self, wanted: list[tuple[str, str]]) -> list[object]:
        book, target = openpyxl.load_workbook(self.path), self.path.with_name("typed.xlsx")
        for (title, place), value in self.typed.items():
            cell = book[title][place]
            assert cell.value is None and not cell.protection.locked, f"{title}!{place} is no open cell"
            cell.value = value
        book.save(target)
        found = by_cellrune(target, wanted)
        return [found[each] for each in wanted]

    def marks(self, matrix: str) -> list[object]:
        """The signs of the chosen rule and of the mended number."""
        return self.read([(FIND, address(self.rows[matrix], column)) for column in (ADVICE_MARK, NUMBER_MARK)])

    def line(self, cell: Cell) -> object:
        """What stands beside the board in the row of a cell."""
        row = self.places.corner(cell[0])[0] + cell[1]
        return self.read([(BOARD, address(row, self.places.last_column + 2))])[0]


@pytest.mark.parametrize("name", ["mlp-paper", "rnn-paper"])
def test_a_slip_is_marked_chosen_and_mended(tmp_path: Path, name: str) -> None:
    sheet = find_sheet(name)
    book = Book(sheet, tmp_path)
    for matrix in sheet.planted.slips:
        cell, names = sheet.wrong(matrix), openpyxl.load_workbook(book.path)[FIND]
        assert names.cell(book.rows[matrix], NAME).value == sheet.called(matrix)
        right = float(sheet.right(cell))
        book.choose(matrix, sheet.says(matrix))
        book.mend(matrix, right)
        assert book.marks(matrix) == ["…", "…"]  # as long as the cell is not found
        book.cross(cell)
        assert str(book.line(cell)).strip().endswith("✗")
        assert book.marks(matrix) == ["✓", "✓"]
        other = next(each for each in sheet.choices(matrix) if each != sheet.says(matrix))
        printed = float(sheet.planted.values[matrix][cell[1], cell[2]])
        book.choose(matrix, other)
        book.mend(matrix, printed)
        assert book.marks(matrix) == ["✗", "✗"]


def test_every_cell_with_an_x_shows_what_the_judge_says(tmp_path: Path) -> None:
    """One cell of each row of the board at a time, and each of them a number as it is printed on the page."""
    sheet = find_sheet("rnn-paper")
    book = Book(sheet, tmp_path)
    verdicts = sheet.verdicts()
    for cell in verdicts:
        book.cross(cell)
    rows = {book.places.corner(cell[0])[0] + cell[1] for cell in verdicts}
    lines = book.read([(BOARD, address(row, book.places.last_column + 2)) for row in sorted(rows)])
    found = [each for each in " ".join(map(str, lines)) if each in "✓✗↪≈…?"]
    assert sorted(found) == sorted(SIGNS.get(verdict, "✓") for verdict in verdicts.values())
    plain = openpyxl.load_workbook(book.path)[BOARD]
    for (matrix, row, column), place in addresses(book.path, sheet.plan).items():
        assert plain[place].value == float(sheet.planted.texts(matrix)[row][column].replace("−", "-"))


def test_the_key_has_the_right_numbers_and_says_what_was_planted(tmp_path: Path) -> None:
    sheet, path = find_sheet("mlp-paper"), tmp_path / "key.xlsx"
    write_worksheet_book(sheet.run, sheet.plan, path, True, planted=sheet.planted)
    book = openpyxl.load_workbook(path)
    told = [(row[NAME - 1], row[ADVICE - 1]) for row in book[FIND].iter_rows(min_row=TOP, values_only=True)]
    assert sorted(map(str, told)) == sorted(str((sheet.called(each), sheet.says(each))) for each in sheet.planted.slips)
    assert "Working" in book.sheetnames


@pytest.mark.parametrize("key", [False, True])
def test_the_workbook_keeps_the_schema(tmp_path: Path, key: bool) -> None:
    sheet, path = find_sheet("rnn-paper"), tmp_path / "find.xlsx"
    write_worksheet_book(sheet.run, sheet.plan, path, key, planted=sheet.planted)
    assert errors(path) == []


@pytest.mark.parametrize("name", ["article", "mlp-paper", "rnn-paper", "batch-norm-paper"])
def test_every_number_has_room_in_its_column(name: str, tmp_path: Path) -> None:
    sheet = find_sheet(name)
    write_worksheet_book(sheet.run, sheet.plan, tmp_path / "find.xlsx", planted=sheet.planted)
    board = openpyxl.load_workbook(tmp_path / "find.xlsx")[BOARD]
    places = WorksheetBoard(lay_out(sheet.planted.key.program), True)
    seen = 0
    for matrix in sheet.planted.values:
        row, column = places.corner(matrix)
        for i, texts in enumerate(sheet.planted.texts(matrix)):
            for j, text in enumerate(texts):
                assert board.cell(row + i, column + j).value == pytest.approx(float(text.replace("−", "-")), abs=1e-9)
                width = board.column_dimensions[address(1, column + j).rstrip("1")].width
                assert width >= len(text) + 1, (matrix, text, width)
                seen += 1
    assert seen > 10
