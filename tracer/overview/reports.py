"""The reports of a class: one for the projector, without a name; one for the teacher alone, as page and workbook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tracer.classroom.class_marks import MarksLine
from tracer.classroom.findings import printable
from tracer.expression.label import label_text
from tracer.files import write_text
from tracer.judging.points import points_text
from tracer.overview.summary import LEAST_GROUP, ClassSummary, StudentRow, needs_a_word, rows, sharing
from tracer.presentation.templates import render
from tracer.presentation.theme import Theme
from tracer.problem.names import names_of
from tracer.run.passes import AnyProblem
from tracer.spreadsheet.columns import column_letters
from tracer.spreadsheet.package import write_workbook_file

_CELL = re.compile(r"(\w+)\[([0-9]+),([0-9]+)\]")
PUBLIC, PRIVATE, BOOK = "class.html", "class-private.html", "class.xlsx"
WIDTHS = (26.0, 34.0)  # of names and files in the workbook
LEAST_WIDTH = 7.0  # of its other columns
MOST_ROWS = 5_000  # in a map that somebody reads


def write_reports(
    folder: Path, problem: AnyProblem, lines: Iterable[MarksLine], order: Sequence[str], theme: Theme, shared: bool
) -> list[Path]:
    """Write the three reports. `lines` is gone through several times. Raises ExportError."""
    summary = ClassSummary()
    for line in lines:
        summary.add(line)
    found = [each for each, _ in zip(rows(lines), range(MOST_ROWS), strict=False)]
    matrices = [each for each in order if any(each in row.shares for row in found)]
    write_text(folder / PUBLIC, public_page(problem, summary, theme))
    pairs = sharing(lines) if shared else None
    write_text(folder / PRIVATE, private_page(problem, found, matrices, theme, pairs))
    write_book(folder / BOOK, problem, found, matrices, theme)
    return [folder / each for each in (PUBLIC, PRIVATE, BOOK)]


def public_page(problem: AnyProblem, summary: ClassSummary, theme: Theme) -> str:
    """The page for the projector: no names, and no number that stands for fewer than five sheets."""
    counted = [(low, high, count) for low, high, count in summary.bins() if count]
    bins = [
        {"from": points_text(low * summary.most), "to": points_text(high * summary.most), "count": count}
        for low, high, count in counted
    ]
    return render(
        "class.html.j2", None, problem=problem, say=theme.say, language=theme.language, summary=summary,
        enough=summary.judged >= LEAST_GROUP, bins=bins, largest=max((count for *_, count in counted), default=1),
        most=points_text(summary.most), number=theme.number,
        hardest=[(_called(problem, cell), count) for cell, count in summary.hardest()],
    )  # fmt: skip


def _called(problem: AnyProblem, cell: str) -> str:
    """A cell of marks.csv as the problem's names have it."""
    found = _CELL.fullmatch(cell)
    assert found is not None  # class_marks.py writes them so
    return label_text(names_of(problem).cell(found[1], int(found[2]) - 1, int(found[3]) - 1))


def private_page(
    problem: AnyProblem,
    found: Sequence[StudentRow],
    matrices: Sequence[str],
    theme: Theme,
    pairs: Sequence[tuple[str, str, list[str]]] | None,
) -> str:
    """The page for the teacher: the map of students and matrices, and who needs a word first."""
    return render(
        "class_private.html.j2", None, problem=problem, say=theme.say, language=theme.language, rows=found,
        matrices=matrices, first=needs_a_word(found), pairs=pairs, points=points_text, printable=printable,
        number=theme.number, variants=any(each.variant for each in found),
    )  # fmt: skip


def write_book(
    path: Path, problem: AnyProblem, found: Sequence[StudentRow], matrices: Sequence[str], theme: Theme
) -> None:
    """The map as a workbook, to sort and to filter."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.worksheet.properties import PageSetupProperties

    book = Workbook()
    sheet = book.active
    assert sheet is not None  # a new workbook has one
    sheet.title = theme.say("class.title")[:31]
    heads = [theme.say(f"class.{each}") for each in ("student", "file", "variant", "total", "points")]
    sheet.append([*heads, *matrices])
    for each in found:
        cells = [each.shares.get(matrix) for matrix in matrices]
        total = None if each.fault else each.points
        sheet.append(
            [_text(each.called), _text(each.file), each.variant, None if each.fault else each.share, total, *cells]
        )
    for row in sheet.iter_rows(min_row=2, min_col=4):
        for cell in row:
            cell.number_format = "0%" if cell.column != 5 else "0.00"
    for cell in sheet[1]:
        cell.font = Font(name="Calibri", size=11, bold=True)
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = sheet.dimensions
    heads_wide = (max(LEAST_WIDTH, 1.3 * len(head) + 3) for head in [*heads, *matrices][len(WIDTHS) :])
    for column, width in enumerate((*WIDTHS, *heads_wide), start=1):  # bold, with the button of the filter
        sheet.column_dimensions[column_letters(column)].width = width
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    book.properties.creator, book.properties.title = "Tracer", problem.title
    write_workbook_file(book, {}, path)


def _text(text: str) -> str:
    """A stranger's text, which is no formula to a spreadsheet."""
    plain = printable(text)
    return f"'{plain}" if plain[:1] in ("=", "+", "-", "@") else plain
