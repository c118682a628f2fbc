"""Writing cells: Tracer's sheets beside XlsxWriter, PyExcelerate and openpyxl; then whole workbooks.

With the name of a subject as its argument it writes that once and prints the memory it took.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import openpyxl
import pyexcelerate
import xlsxwriter
from numpy.typing import NDArray
from openpyxl.styles import Border, Font, Side

from benchmarks.measure import Goal, by_turns, child, goals, markdown, peak_memory, spread
from benchmarks.problems import made_problem
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.spreadsheet.package import write_workbook_file
from tracer.spreadsheet.sheet_data import SheetData, column_letters
from tracer.spreadsheet.styles import Styles, number_format
from tracer.workbook.workbook import write_workbook

Array: TypeAlias = NDArray[np.float64]
Writer: TypeAlias = Callable[[Array, Path], None]

ROUNDS = 5
COLUMNS = 50
LETTERS = [column_letters(column) for column in range(1, COLUMNS + 1)]


def made_values(cells: int) -> Array:
    return np.random.default_rng(1).normal(size=(cells // COLUMNS, COLUMNS))


def formula(row: int, column: int) -> str:
    """Z = X W + b with two inputs."""
    letters = LETTERS[column]
    return f"$A{row + 9}*{letters}$3+$B{row + 9}*{letters}$4+{letters}$5"


def tracer_numbers(values: Array, path: Path) -> None:
    _tracer(lambda data, style: data.numbers(1, 1, values, style), path)


def tracer_formulas(values: Array, path: Path) -> None:
    _tracer(lambda data, style: data.formulas(1, 1, values, style, formula, alike=True), path)


def _tracer(fill: Callable[[SheetData, int], None], path: Path) -> None:
    book, data = openpyxl.Workbook(), SheetData()
    styles = Styles(book)
    fill(data, styles.value("active", 3, False))
    styles.finish()
    write_workbook_file(book, {"Sheet": data}, path)


def xlsxwriter_numbers(values: Array, path: Path) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet, style = book.add_worksheet(), book.add_format({"border": 2, "num_format": number_format(3)})
        for r, row in enumerate(values):
            for c, value in enumerate(row.tolist()):
                sheet.write_number(r, c, value, style)


def xlsxwriter_formulas(values: Array, path: Path) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet, style = book.add_worksheet(), book.add_format({"border": 2, "num_format": number_format(3)})
        for r, row in enumerate(values):
            for c, value in enumerate(row.tolist()):
                sheet.write_formula(r, c, formula(r, c), style, value)


def pyexcelerate_numbers(values: Array, path: Path) -> None:
    book = pyexcelerate.Workbook()
    book.new_sheet("Sheet", data=values.tolist())
    book.save(str(path))


def openpyxl_numbers(values: Array, path: Path) -> None:
    _openpyxl(values, path, lambda r, c, value: value)


def openpyxl_formulas(values: Array, path: Path) -> None:
    _openpyxl(values, path, lambda r, c, value: f"={formula(r, c)}")


def _openpyxl(values: Array, path: Path, content: Callable[[int, int, float], object]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    font, border, shown = Font(size=10), Border(left=Side("medium"), right=Side("medium")), number_format(3)
    for r, row in enumerate(values.tolist()):
        for c, value in enumerate(row):
            cell = sheet.cell(r + 1, c + 1, content(r, c, value))
            cell.font, cell.border, cell.number_format = font, border, shown
    book.save(path)


class Subject(NamedTuple):
    write: Writer
    cells: int


OURS = ("Tracer, numbers", "Tracer, formulas with values")
SUBJECTS = {
    OURS[0]: Subject(tracer_numbers, 1_000_000),
    "XlsxWriter, numbers": Subject(xlsxwriter_numbers, 1_000_000),
    "PyExcelerate, numbers, no style": Subject(pyexcelerate_numbers, 1_000_000),
    "openpyxl, numbers, a style per cell": Subject(openpyxl_numbers, 100_000),
    OURS[1]: Subject(tracer_formulas, 1_000_000),
    "XlsxWriter, formulas with values": Subject(xlsxwriter_formulas, 100_000),
    "openpyxl, formulas, a style per cell": Subject(openpyxl_formulas, 100_000),
}
ASKED = {"XlsxWriter, numbers": 4, "XlsxWriter, formulas with values": 25, "openpyxl, numbers, a style per cell": 20}
CELLS = f"""Sheets of {COLUMNS} columns, float64 of 17 digits; every cell has number format and border where not said
otherwise. Cells per second, by turns, {ROUNDS} rounds, everything on one core, with the standard library's zlib (Tracer
takes its level 1, the others their default). Numbers of cells are smaller for the slow ones. XlsxWriter
in its constant_memory mode; openpyxl writes no values of formulas; both keep 16 digits. Memory is what a process that
writes the sheet once held at most (VmHWM), less what it held after its imports: the numbers themselves are in it."""


def _rates(folder: Path) -> dict[str, list[float]]:
    """Cells per second."""
    path = folder / "book.xlsx"
    values = {name: made_values(subject.cells) for name, subject in SUBJECTS.items()}
    runs = {name: (lambda n=name, s=subject: s.write(values[n], path)) for name, subject in SUBJECTS.items()}
    seconds = by_turns(runs, ROUNDS)
    return {name: [SUBJECTS[name].cells / each for each in seconds[name]] for name in SUBJECTS}


def _cells_table(rates: Mapping[str, Sequence[float]], memory: Mapping[str, float]) -> str:
    rows = []
    for name, subject in SUBJECTS.items():
        ours = OURS["formulas" in name]
        times = statistics.median(rates[ours]) / statistics.median(rates[name])
        each = (f"{rate:,.0f}" for rate in spread(rates[name]))
        rows.append((name, f"{subject.cells:,}", *each, f"{times:.1f} ×", f"{memory[name]:.0f} MB"))
    return markdown(("what", "cells", "cells/s, median", "min", "max", "Tracer is faster", "memory"), rows)


def _goals(rates: Mapping[str, Sequence[float]], memory: Mapping[str, float]) -> str:
    medians = {name: statistics.median(each) for name, each in rates.items()}
    return goals(
        [
            Goal("numbers a second", 900_000, medians[OURS[0]]),
            Goal("formulas a second", 700_000, medians[OURS[1]]),
            Goal("memory for a million cells, MB", 100, max(memory[name] for name in OURS), most=True),
            *(
                Goal(f"times {name}", times, medians[OURS["formulas" in name]] / medians[name])
                for name, times in ASKED.items()
            ),
        ]
    )


BOOKS: dict[str, Callable[[], Trace]] = {
    "article": lambda: trace(load_problem("article")),
    "article, 20 epochs": lambda: trace(load_problem("article"), range(1, 21)),
    "784-128-10, 64 samples": lambda: trace(made_problem((784, 128, 10), 64)),
}


def cells_of(path: Path) -> tuple[int, int]:
    """How many sheets a workbook has, and how many cells on them all."""
    with zipfile.ZipFile(path) as package:
        sheets = [name for name in package.namelist() if name.startswith("xl/worksheets/sheet")]
        return len(sheets), sum(package.read(name).count(b"<c ") for name in sheets)


def _books_table(folder: Path) -> str:
    rows = []
    for name, made in BOOKS.items():
        path, recorded = folder / "book.xlsx", made()
        seconds = by_turns({name: lambda r=recorded, p=path: write_workbook(r, p)}, ROUNDS)[name]
        (sheets, cells), size = cells_of(path), path.stat().st_size / 1e6
        times = (f"{each:.2f} s" for each in spread(seconds))
        memory = child("workbooks", name)
        rows.append((name, sheets, f"{cells:,}", f"{size:.1f} MB", *times, f"{memory:.0f} MB"))
    return markdown(("workbook", "sheets", "cells", "file", "median", "min", "max", "memory"), rows)


def report() -> str:
    """The section of RESULTS.md."""
    memory = {name: child("workbooks", name) for name in SUBJECTS}
    with tempfile.TemporaryDirectory() as folder:
        rates = _rates(Path(folder))
        cells = f"{CELLS}\n\n{_cells_table(rates, memory)}\n\n{_goals(rates, memory)}"
        return f"## Workbooks\n\n{cells}\n\nWhole workbooks, from a trace:\n\n{_books_table(Path(folder))}\n"


def _memory(name: str) -> float:
    """MB that one subject, or one workbook, takes to write."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        before = peak_memory()
        if name in BOOKS:
            write_workbook(BOOKS[name](), path)
        else:
            subject = SUBJECTS[name]
            subject.write(made_values(subject.cells), path)
        return peak_memory() - before


if __name__ == "__main__":
    print(json.dumps(_memory(sys.argv[1])))
