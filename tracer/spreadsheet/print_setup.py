"""How a sheet is printed: one page wide whatever the font, on A4 or Letter, in type that can be read.

The program that prints finds the scale, since how wide a column is depends on the fonts that are there. What fits a
page in readable type is fitted to one page; what is longer goes on to the next, at a place where no matrix is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from tracer.spreadsheet.sheet_data import SheetData, address

LEAST_SCALE = 0.755  # type is 10 points on the sheets
INCH, MILLIMETRE = 72.0, 72.0 / 25.4  # in points
SIDES, ENDS = 0.25, 0.55  # margins in inches: left and right, top and bottom
ACROSS, DOWN = 210 * MILLIMETRE - 2 * SIDES * INCH, 297 * MILLIMETRE - 2 * ENDS * INCH  # of A4, upright
TURNED_ACROSS, TURNED_DOWN = 297 * MILLIMETRE - 2 * SIDES * INCH, 210 * MILLIMETRE - 2 * ENDS * INCH
LETTER = 11.0 / 297 * 25.4  # how high Letter is beside A4
CHARACTER = 5.25 * 1.09  # points that a column is wide for each character of its width; LibreOffice takes more
ROW = 13.5  # points of a row of 10-point type


@dataclass(frozen=True)
class Page:
    """Paper, turned one way; `whole` if everything that it was chosen for fits it."""

    orientation: Literal["portrait", "landscape"]
    scale: float
    whole: bool = False

    @property
    def characters(self) -> float:
        """How many characters of column width fit across."""
        across = ACROSS if self.orientation == "portrait" else TURNED_ACROSS
        return across / self.scale / CHARACTER

    @property
    def height(self) -> float:
        """Points of a sheet that fit down, between header and footer, on either paper."""
        return (DOWN * LETTER if self.orientation == "portrait" else TURNED_DOWN) / self.scale


def choose_page(*areas: tuple[float, float], least: float = LEAST_SCALE) -> Page:
    """The page that shows areas of so many characters of columns and points of rows, one on each, largest.

    Where that would take type smaller than `least` of its size they go over several pages, upright if that is no
    smaller.
    """
    upright, turned = (
        (min(1.0, *(across / (wide * CHARACTER) for wide, _ in areas)), min(down / high for _, high in areas))
        for across, down in ((ACROSS, DOWN), (TURNED_ACROSS, TURNED_DOWN))
    )
    if max(min(upright), min(turned)) >= least:
        is_upright = min(upright) >= min(turned)
        return Page("portrait" if is_upright else "landscape", max(min(upright), min(turned)), whole=True)
    if upright[0] >= min(least, turned[0]):
        return Page("portrait", upright[0])
    return Page("landscape", turned[0])


def set_up(sheet: Worksheet, page: Page, areas: Sequence[str], titles: str, wide: int = 1) -> None:
    """Print some areas of rows of `ROW` points, each from a new page, with the rows `titles` (as in 1:3) repeated.

    `wide` is how many pages an area is wide.
    """
    sheet.page_setup.orientation = page.orientation
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = wide, int(page.whole)
    sheet.sheet_format.defaultRowHeight, sheet.sheet_format.customHeight = ROW, True
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_area = ",".join(areas)
    sheet.print_title_rows = titles
    margins = sheet.page_margins
    margins.left = margins.right = SIDES
    margins.top = margins.bottom = ENDS
    margins.header = margins.footer = 0.3


def break_rows(
    sheet: Worksheet,
    page: Page,
    rows: Sequence[int],
    height_of: Callable[[int], float],
    allowed: Callable[[int], bool],
    repeated: float,
) -> None:
    """Break an area too long for a page before rows at which it is `allowed`; the titles take `repeated` points."""
    room, used, last = page.height, repeated, 0
    for k, row in enumerate(() if page.whole else rows):
        used += height_of(row)
        if allowed(row):
            last = k
        if used > room and last > 0:
            sheet.row_breaks.append(Break(id=rows[last] - 1))
            used = repeated + sum(map(height_of, rows[last : k + 1]))
            last = 0


def leave_out(sheet: Worksheet, data: SheetData, last_row: int) -> None:
    """Keep a sheet for the screen out of a print-out of the book: all that it prints is a hidden row below the rest.

    Who clears the print area prints the sheet as it was set up.
    """
    data.folded.add(last_row + 2)
    sheet.print_area = address(last_row + 2, 1)
