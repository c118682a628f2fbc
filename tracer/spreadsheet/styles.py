"""The cell styles of a workbook, as numbers for the sheet data.

openpyxl registers each style once, on a cell of a scratch sheet that is taken out again.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.styles.differential import DifferentialStyle

from tracer.presentation import palette
from tracer.presentation.palette import Highlight

FONT = "Calibri"
_FILLS: dict[Highlight, str | None] = {"active": palette.ACTIVE, "input": palette.INPUT, "plain": None}
_FAINT_FILLS: dict[Highlight, str] = {"active": palette.FAINT_ACTIVE, "input": palette.FAINT_INPUT}
_EDGES: dict[Highlight, Literal["medium", "mediumDashed", "thin"]] = {
    "active": "medium",
    "input": "mediumDashed",
    "plain": "thin",
}
_THIN_EDGES: dict[Highlight, Literal["thin", "dashed"]] = {"active": "thin", "input": "dashed", "plain": "thin"}


def number_format(decimals: int | None) -> str:
    """The format of so many decimals, in which zero has no sign; None shows a number as it was typed.

    >>> number_format(2), number_format(None)
    ('[>=0.005]0.00;[<=-0.005]-0.00;0.00', 'General')
    """
    if decimals is None:
        return "General"
    digits = "0." + "0" * decimals if decimals else "0"
    half = f"0.{'0' * decimals}5"
    return f"[>={half}]{digits};[<=-{half}]-{digits};{digits}"


def signed_format(decimals: int | None, sign: str) -> str:
    """The same with a sign behind the number.

    >>> signed_format(1, "✓")
    '[>=0.05]0.0" ✓";[<=-0.05]-0.0" ✓";0.0" ✓"'
    """
    return ";".join(f'{each}" {sign}"' for each in number_format(decimals).split(";"))


class Styles:
    """Style numbers by what a cell is for."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._scratch = workbook.create_sheet("scratch")
        self.value = cache(self._value)
        self.staged = cache(self._staged)
        self.heading = cache(self._heading)
        self.bare_value = cache(self._bare_value)
        self.choice = cache(self._choice)
        self.answer = cache(self._answer)
        self.marked = cache(self._marked)
        self.points = cache(self._points)
        self.tint = cache(self._tint)
        self.conditional = cache(self._conditional)
        self.title = self._text(size=16, bold=True)
        self.formula = self._text(size=11, bold=True, wrap=True)
        self.note = self._text(size=10, wrap=True)
        self.plain = self._text(size=10)
        self.hidden = self._text(size=8, colour="FFFFFF")
        self.worked = self._text(size=10, wrap=True)
        self.left_out = self._text(size=10, centre=True)
        self.sign = self._text(size=11, bold=True, centre=True)
        self.beside_value = self._text(size=10, right=True)
        self.band = self._text(size=11, bold=True, colour="455A64")
        self.wrapped_title = self._text(size=16, bold=True, wrap=True)
        beside = Alignment("left", vertical="center", shrink_to_fit=True, indent=1)
        self.shrunk_title = self._register(Font(name=FONT, size=16, bold=True, color=palette.INK), None, beside)
        self.lecture = self._text(size=16, wrap=True)
        self.lecture_formula = self._text(size=16, bold=True, wrap=True)
        self.lecture_heading = self._text(size=16, bold=True, shrink=True, left=True)
        self.lecture_left_out = self._text(size=16, centre=True)
        self.lecture_legend = cache(lambda role: self._heading(role, False, 16))
        self.link = self._text(size=10, colour="0563C1", underline=True)

    def finish(self) -> None:
        """Take the scratch sheet out; the styles stay."""
        self._workbook.remove(self._scratch)

    def _value(self, role: Highlight, decimals: int | None, typed: bool) -> int:
        side = Side(style=_EDGES[role], color=palette.INK if role != "plain" else palette.LINE)
        return self._register(
            Font(name=FONT, size=10, color=palette.TYPED if typed else palette.INK),
            _FILLS[role],
            Alignment(horizontal="right", vertical="center", indent=1),
            Border(left=side, right=side, top=side, bottom=side),
            number_format(decimals),
        )

    def _staged(self, role: Highlight, decimals: int | None) -> int:
        """Of a number on the stage that has no part in the cell worked there."""
        side = Side(style="thin", color=palette.LINE)
        return self._register(
            Font(name=FONT, size=10, color=palette.INK),
            _FAINT_FILLS[role],
            Alignment(horizontal="right", vertical="center", indent=1),
            Border(left=side, right=side, top=side, bottom=side),
            number_format(decimals),
        )

    def _heading(self, role: Highlight, bold: bool, size: int = 10) -> int:
        return self._register(
            Font(name=FONT, size=size, bold=bold, color=palette.INK),
            _FILLS[role] or palette.HEADING,
            Alignment(horizontal="left", vertical="center", shrink_to_fit=True),
        )

    def _bare_value(self, decimals: int | None, size: int = 10) -> int:
        """Of a cell that conditional formats dress."""
        return self._register(
            Font(name=FONT, size=size, color=palette.INK),
            None,
            Alignment(horizontal="right", vertical="center", indent=1),
            number=number_format(decimals),
        )

    def _answer(self, decimals: int | None = None, is_text: bool = False) -> int:
        """Of a cell to be filled in, open where the sheet is protected."""
        side = Side(style="medium", color=palette.INK)
        return self._register(
            Font(name=FONT, size=10, color=palette.TYPED),
            None,
            Alignment(horizontal="left" if is_text else "right", vertical="center", indent=1),
            Border(left=side, right=side, top=side, bottom=side),
            "@" if is_text else number_format(decimals),
            open_cell=True,
        )

    def _marked(self, fill: str | None, edge: Literal["thin", "thick"], decimals: int | None, sign: str) -> int:
        """Of an answer that was marked; its sign stands behind the number."""
        side = Side(style=edge, color=palette.INK if edge == "thick" else palette.LINE)
        return self._register(
            Font(name=FONT, size=10, color=palette.INK),
            fill,
            Alignment(horizontal="right", vertical="center"),
            Border(left=side, right=side, top=side, bottom=side),
            signed_format(decimals, sign),
        )

    def _points(self, bold: bool) -> int:
        return self._register(Font(name=FONT, size=10, bold=bold), None, Alignment(horizontal="right"), number="0.00")

    def _tint(self, colour: str) -> int:
        """The number of a conditional format that fills a cell."""
        style = DifferentialStyle(fill=PatternFill("solid", start_color=colour, end_color=colour))
        return int(self._workbook._differential_styles.add(style))  # type: ignore[attr-defined]

    def _conditional(self, role: Highlight, heading: bool) -> int:
        """The number of what a conditional format adds to a bare cell in a role; it can draw no thick edges."""
        fill = _FILLS[role] or (palette.HEADING if heading else None)
        side = Side(style=_THIN_EDGES[role], color=palette.INK if role != "plain" else palette.LINE)
        style = DifferentialStyle(
            fill=PatternFill("solid", start_color=fill, end_color=fill) if fill else None,
            border=None if heading else Border(left=side, right=side, top=side, bottom=side),
        )
        return int(self._workbook._differential_styles.add(style))  # type: ignore[attr-defined]

    def _choice(self, is_text: bool) -> int:
        """Of a cell in which something is chosen; as text, 2.1 does not become a date anywhere."""
        side = Side(style="medium", color=palette.TYPED)
        return self._register(
            Font(name=FONT, size=16, bold=True, color=palette.TYPED),
            None,
            Alignment(horizontal="center", vertical="center"),
            Border(left=side, right=side, top=side, bottom=side),
            "@" if is_text else "General",
        )

    def _text(
        self,
        size: int,
        bold: bool = False,
        wrap: bool = False,
        colour: str = palette.INK,
        underline: bool = False,
        shrink: bool = False,
        left: bool = False,
        centre: bool = False,
        right: bool = False,
        top: bool = False,
    ) -> int:
        font = Font(name=FONT, size=size, bold=bold, color=colour, underline="single" if underline else None)
        side = "left" if left else "center" if centre else "right" if right else None
        alignment = Alignment(side, vertical="top" if top else "center", wrap_text=wrap, shrink_to_fit=shrink)
        return self._register(font, None, alignment)

    def _register(
        self,
        font: Font,
        fill: str | None,
        alignment: Alignment,
        border: Border | None = None,
        number: str = "General",
        open_cell: bool = False,
    ) -> int:
        cell = self._scratch.cell(self._scratch.max_row + 1, 1)  # a style belongs to its cell for good
        cell.font, cell.alignment, cell.number_format = font, alignment, number
        cell.fill = PatternFill("solid", start_color=fill) if fill else PatternFill()
        cell.border = border or Border()
        if open_cell:
            cell.protection = Protection(locked=False)
        return int(cell.style_id)
