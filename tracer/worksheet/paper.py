"""The sheets of a worksheet's workbook on paper: name, variant and page on each, boxes large enough to write in."""

from __future__ import annotations

from collections.abc import Callable

from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.worksheet import Worksheet

from tracer.presentation.theme import Theme
from tracer.spreadsheet.columns import address
from tracer.spreadsheet.print_setup import MILLIMETRE, ROW, break_rows, choose_page, set_up
from tracer.spreadsheet.sheet_data import SheetData
from tracer.worksheet.plan import Plan

LEAST_SCALE = 0.8
BOX_HEIGHT = 9.2 * MILLIMETRE / LEAST_SCALE  # points, so that 9 mm are left where a sheet is printed smallest
BOX_WIDTH = 18.4 * MILLIMETRE / LEAST_SCALE / 5.25  # characters of a column of 18 mm
MOST_TITLE = 60


def name_pages(sheet: Worksheet, title: str, plan: Plan, theme: Theme) -> None:
    """Room for name and ID at the head of every printed page, the variant and the page at its foot."""
    who = f"{theme.say('sheet.name')}: ____________________   {theme.say('sheet.id')}: ____________"
    variant = f"{title[:MOST_TITLE]} · {plan.variant}"
    page = theme.say("book.page", page="&P", pages="&N")
    sheet.HeaderFooter.oddHeader = HeaderFooterItem(left=_HeaderFooterPart(who.replace("&", "&&")))
    sheet.HeaderFooter.oddFooter = HeaderFooterItem(
        left=_HeaderFooterPart(variant.replace("&", "&&")), right=_HeaderFooterPart(f"&A · {page}")
    )


def put_on_paper(
    sheet: Worksheet,
    data: SheetData,
    characters: float,
    last: tuple[int, int],
    titles: int,
    whole: Callable[[int], bool],
) -> None:
    """Print the sheet down to the `last` row and column, repeating the first `titles` rows.

    A page ends only before a row at which nothing is cut: where `whole`.
    """

    def height_of(row: int) -> float:
        return data.heights.get(row, ROW)

    rows = range(1, last[0] + 1)
    page = choose_page((characters, sum(map(height_of, rows))), least=LEAST_SCALE)
    set_up(sheet, page, [f"A1:{address(*last)}"], f"1:{titles}")
    repeated = sum(map(height_of, range(1, titles + 1)))
    break_rows(sheet, page, list(rows)[titles:], height_of, whole, repeated)
