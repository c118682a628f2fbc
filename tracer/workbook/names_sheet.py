"""The hidden sheet Names: where every matrix stands, for whoever reads the book by a script.

Spreadsheet programs ignore the case of defined names, and some drop them; here they stand beside the identifiers.
"""

from __future__ import annotations

from tracer.spreadsheet.print_setup import ROW, choose_page, set_up
from tracer.spreadsheet.sheet_data import address, column_letters
from tracer.workbook.book import Book

TITLE = "Names"
COLUMNS = (("identifier", 24.0), ("defined name", 26.0), ("sheet", 22.0), ("address", 18.0))


def write_names(book: Book) -> None:
    """Add the sheet: a row for every matrix, in order of time; with several epochs where it stands in the last."""
    sheet = book.add_sheet(TITLE)
    sheet.sheet_state = "hidden"
    data, styles = book.data[TITLE], book.styles
    for column, (heading, width) in enumerate(COLUMNS, start=1):
        sheet.column_dimensions[column_letters(column)].width = width
        data.text(1, column, heading, styles.heading("plain", True))
    defined = book.workbook.defined_names
    named = [(identifier, name) for identifier, name in book.names.items() if name in defined]
    for row, (identifier, name) in enumerate(named, start=2):
        title, _, cells = (defined[name].attr_text or "").rpartition("!")
        for column, text in enumerate((identifier, name, title.strip("'"), cells), start=1):
            data.text(row, column, text, styles.plain)
    sheet.freeze_panes = address(2, 1)
    page = choose_page((sum(width for _, width in COLUMNS), ROW * (len(named) + 1)))
    set_up(sheet, page, [f"A1:{address(len(named) + 1, len(COLUMNS))}"], "1:1")
