"""The first sheet: title, what the colours mean, the steps as links, the conventions."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl.worksheet.worksheet import Worksheet

from tracer.export.book import NARROW, Book, link
from tracer.export.palette import LEGEND
from tracer.network.program import Step
from tracer.network.remarks import conventions, departures


def fill_start(book: Book, sheet: Worksheet, links: Sequence[tuple[str, Step]]) -> None:
    """Title, what the colours mean, the steps as links, the conventions."""
    data, styles, problem = book.data["Start"], book.styles, book.problem
    sheet.column_dimensions["A"].width = NARROW
    sheet.column_dimensions["B"].width, sheet.column_dimensions["C"].width = 26, 90
    data.text(1, 2, problem.title, styles.title)
    data.heights[1] = 26
    row = 2
    about = (problem.description, f"Source: {problem.source}" if problem.source else None)
    losses = [one.loss for one in book.passes]
    sizes = "→".join(map(str, problem.sizes))
    facts = f"{sizes}, {problem.rows} samples, learning rate {problem.learning_rate:g}; loss {losses[0]:.6g}"
    for text in (*(each for each in about if each), facts, *departures(problem)):
        data.text(row, 2, text, styles.note)
        data.heights[row] = 15.0 * (1 + len(text) // 110)
        sheet.merged_cells.add(f"B{row}:C{row}")
        row += 1
    row += 1
    for role, words in LEGEND:
        data.text(row, 2, words, styles.heading(role, False))
        row += 1
    data.text(row, 2, "blue: typed in; edit only these", styles.value("plain", None, True))
    row += 2
    for title, step in links:
        data.text(row, 2, title, styles.link)
        data.text(row, 3, step.title, styles.plain)
        link(sheet, f"B{row}", title)
        row += 1
    row += 1
    for text in conventions(problem):
        data.text(row, 2, text, styles.note)
        sheet.merged_cells.add(f"B{row}:C{row}")
        row += 1
