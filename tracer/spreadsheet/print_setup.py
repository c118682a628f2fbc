"""How a sheet is printed: so that A4 and Letter both hold it, in type that can be read.

Type is 10 points on the sheets, so a page is scaled to 80 % at the least; what does not fit one
page then goes on to the next, at a place where no matrix is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

LEAST_SCALE = 0.8
INCH, MILLIMETRE = 72.0, 72.0 / 25.4  # in points
SIDES, ENDS = 0.3, 0.6  # margins in inches: left and right, top and bottom
SHORT = 210 * MILLIMETRE - 2 * SIDES * INCH  # the narrower of both papers is A4 …
LONG = 11 * INCH - 2 * SIDES * INCH  # … and the shorter one Letter
CHARACTER = 5.25 * 1.09  # points that a column is wide for each character of its width; LibreOffice takes more
ROW = 13.5  # points of a row of 10-point type


@dataclass(frozen=True)
class Page:
    """Paper, turned one way; `width` and `height` in points at full size."""

    orientation: Literal["portrait", "landscape"]
    scale: float

    @property
    def width(self) -> float:
        """Points of a sheet that fit across."""
        return (SHORT if self.orientation == "portrait" else LONG) / self.scale

    @property
    def height(self) -> float:
        """Points of a sheet that fit down, between header and footer."""
        lower = 2 * (ENDS - SIDES) * INCH
        return ((LONG if self.orientation == "portrait" else SHORT) - lower) / self.scale

    @property
    def characters(self) -> float:
        """How many characters of column width fit across."""
        return self.width / CHARACTER


def choose_page(characters: float, height: float) -> Page:
    """The page that shows so many characters of columns, and so many points of rows, largest."""
    turned: tuple[Page, Page] = (Page("portrait", 1.0), Page("landscape", 1.0))
    wide = [min(1.0, page.width / (characters * CHARACTER)) for page in turned]
    whole = [min(fit, page.height / height) for fit, page in zip(wide, turned, strict=True)]
    best = 0 if whole[0] >= whole[1] else 1
    if whole[best] < LEAST_SCALE:  # on several pages: portrait ones where they are wide enough
        best = 0 if wide[0] >= LEAST_SCALE or wide[0] >= wide[1] else 1
    return Page(turned[best].orientation, max(LEAST_SCALE, whole[best]))


def set_up(sheet: Worksheet, page: Page, areas: Sequence[str], titles: str) -> None:
    """Print some areas of rows of `ROW` points, each from a new page, with the rows `titles` (as in 1:3) repeated."""
    sheet.page_setup.orientation = page.orientation
    sheet.page_setup.scale = int(100 * page.scale)
    sheet.sheet_format.defaultRowHeight, sheet.sheet_format.customHeight = ROW, True
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=False)
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
    """Break a long area before rows at which it is `allowed`; `repeated` points are taken by the titles."""
    room, used, last = page.height, repeated, 0
    for k, row in enumerate(rows):
        used += height_of(row)
        if allowed(row):
            last = k
        if used > room and last > 0:
            sheet.row_breaks.append(Break(id=rows[last] - 1))
            used = repeated + sum(map(height_of, rows[last : k + 1]))
            last = 0


def break_columns(sheet: Worksheet, page: Page, widths: Sequence[float], before: Sequence[int]) -> None:
    """Break columns that are too wide together; `before` has the indices at which that may be, counted from 0."""
    used, last = 0.0, 0
    for k, width in enumerate(widths):
        used += width
        if k in before:
            last = k
        if used > page.characters and last > 0:
            sheet.col_breaks.append(Break(id=last + 1))
            used, last = sum(widths[last : k + 1]), 0
