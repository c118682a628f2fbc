"""The sheet of a workbook with planted slips on which the learner says which rules were broken, and puts numbers right.

Every matrix has its line, so that the lines do not tell where the slips are. Whether a rule was used is worked out from
the printed numbers on the hidden sheet, by that rule; the file does not say it. The key lists the slips.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet as Sheet

from tracer.expression import scalar as s
from tracer.expression.formula import literal, to_formula
from tracer.expression.label import label_text
from tracer.expression.lower import lower
from tracer.judging.numbers import SLACK
from tracer.judging.tutor import tutor
from tracer.spreadsheet.columns import address, column_letters
from tracer.spreadsheet.print_setup import ROW
from tracer.worksheet.marks import AGAIN as AGAIN_SIGN
from tracer.worksheet.marks import COARSE, NO_NUMBER, RIGHT, WAITS, text
from tracer.worksheet.paper import put_on_paper
from tracer.worksheet.planting import Planted
from tracer.worksheet.quantities import AGAIN, HALF, MOST_DECIMALS, QUANTITIES, PlacesWritten
from tracer.worksheet.sheet import Worksheet
from tracer.worksheet.slips import WrongRuleOf

NAME, ADVICE, ADVICE_MARK, NUMBER, NUMBER_MARK = range(1, 6)
WIDTHS = (26.0, 90.0, 8.0, 40.0, 8.0)
TOP, LINES = 3, 3  # the first line of a matrix; the lines of text that an advice takes


class FindingSheet:
    """Writes the sheet, and what it is worked out from behind the marks."""

    def __init__(self, worksheet: Worksheet, planted: Planted) -> None:
        self.worksheet, self.planted = worksheet, planted
        self.say, self.styles = worksheet.say, worksheet.book.styles
        self.sheet: Sheet
        self.sheet, self.data = worksheet.add_sheet("find")
        self.behind_row = len(QUANTITIES) * worksheet.board.height + 2

    def fill(self) -> None:
        title = self.say("book.planted") if self.worksheet.key else self.say("book.find")
        self.data.text(1, NAME, title, self.styles.title)
        last = self._slips() if self.worksheet.key else self._lines()
        for column, width in enumerate(WIDTHS, start=1):
            self.sheet.column_dimensions[column_letters(column)].width = width
        self.sheet.protection.sheet = True
        put_on_paper(self.sheet, self.data, sum(WIDTHS), (last, NUMBER_MARK), 2, lambda row: True)

    def _slips(self) -> int:
        """On the key: each matrix with a slip, and what a tutor says of it."""
        row = 2
        for row, (name, says) in enumerate(self.planted.told(self.worksheet.theme, self.worksheet.book.headings), TOP):
            self.data.text(row, NAME, name, self.styles.plain)
            self.data.text(row, ADVICE, says, self.styles.note)
            self.data.heights[row] = LINES * ROW
        return row

    def _lines(self) -> int:
        for column, heading in ((NAME, "matrix"), (ADVICE, "advice"), (ADVICE_MARK, "verdict"), (NUMBER, "mended"),
                                (NUMBER_MARK, "verdict")):  # fmt: skip
            self.data.text(2, column, self.say(f"book.{heading}"), self.styles.heading("plain", True))
        row = TOP - 1
        for row, (identifier, choices) in enumerate(self.planted.choices.items(), TOP):
            self._line(row, identifier, choices)
        return row

    def _line(self, row: int, identifier: str, choices: Sequence[WrongRuleOf]) -> None:
        self.data.text(row, NAME, label_text(self.worksheet.book.headings.names.matrix(identifier)), self.styles.plain)
        for column, style in ((ADVICE, self.styles.answer(None, True)), (NUMBER, self.styles.answer())):
            self.data.blank(row, column, style)
        self.data.heights[row] = LINES * ROW
        advice, number = address(row, ADVICE), address(row, NUMBER)
        first = self.behind_row
        found = self._found(identifier, f"'{self.sheet.title}'!{number}")
        for choice in choices:
            self._choice(identifier, choice)
        hidden = self.worksheet.board.hidden
        options = DataValidation(type="list", formula1=f"{hidden}$A${first + 1}:$A${self.behind_row - 1}")
        options.add(advice)
        self.sheet.add_data_validation(options)
        used = text(AGAIN_SIGN)
        for behind in range(first + 1, self.behind_row):
            used = f"IF({advice}={hidden}A{behind},IF({hidden}B{behind}=0,{text(RIGHT)},{text(AGAIN_SIGN)}),{used})"
        self._sign(row, ADVICE_MARK, f'IF({advice}="","",IF({found}<0,{text(WAITS)},{used}))')
        signs = ",".join(map(text, (WAITS, AGAIN_SIGN, COARSE, RIGHT)))
        judged = f"IF(COUNT({number})=0,{text(NO_NUMBER)},CHOOSE(2+{found},{signs}))"
        self._sign(row, NUMBER_MARK, f'IF({number}="","",{judged})')

    def _sign(self, row: int, column: int, formula: str) -> None:
        self.data.live_text(row, column, formula, "", self.styles.left_out)

    # Behind

    def _behind(self, formulas: Sequence[str], summary: str, says: str) -> str:
        """A row of the hidden sheet: a text, a summary of the formulas, the formulas; where the summary stands."""
        row, hidden = self.behind_row, self.worksheet.hidden
        self.behind_row += 1
        cells = f"{address(row, 3)}:{address(row, 2 + len(formulas))}"
        for column, formula in enumerate((f"{summary}({cells})", *formulas), start=2):
            hidden.live_text(row, column, formula, "", self.styles.plain)
        if says:
            hidden.text(row, 1, says, self.styles.plain)
        return f"{self.worksheet.board.hidden}{address(row, 2)}"

    def _cells(self, identifier: str) -> list[s.Cell]:
        return [s.Cell(identifier, *place) for place in np.ndindex(self.planted.values[identifier].shape)]

    def _choice(self, identifier: str, choice: WrongRuleOf) -> None:
        """0 where a rule gives every printed number of the matrix from the printed numbers that it takes."""
        board, formulas = self.worksheet.board, list[str]()
        rows, columns = choice.rule.shape
        for cell in self._cells(identifier):
            lowered = lower(choice.rule, min(cell.row, rows - 1), min(cell.column, columns - 1))
            made = to_formula(lowered, PlacesWritten(board.written))
            off = f"ABS(({made})-{board.written(cell)})"
            formulas.append(f"IFERROR(IF({off}<={HALF}*{board.quantity('unit', cell)},0,1),1)")
        says = tutor(self.planted.work, choice.idea, (identifier, 0, 0), theme=self.worksheet.theme)
        self._behind(formulas, "SUM", says)

    def _found(self, identifier: str, number: str) -> str:
        """What a number is in the place of a wrong cell with an x: 2 right, 1 too coarse, 0 wrong; −1 without an x."""
        board = self.worksheet.board
        own = f"10^-({'+'.join(f'({number}<>ROUND({number},{k}))' for k in range(MOST_DECIMALS))})"
        formulas = []
        for cell in self._cells(identifier):
            x = f"{board.worksheet}{self.worksheet.places.mark(cell)}"
            key, value, unit, reach, verdict = (board.quantity(each, cell) for each in
                                                ("key", "value", "unit", "reach", "verdict"))  # fmt: skip
            rounded = f"ABS({number}-{key})<={HALF}*{unit}"
            cut = f"AND(ABS({number})<=ABS({key}),ABS({number}-{key})<(1+{literal(SLACK)})*{unit})"
            follows = f"ABS({number}-{value})<={HALF}*{unit}+{reach}"
            near = f"MIN(ABS({number}-{key}),ABS({number}-{value}))<={HALF}*{own}"
            told = f"IF(OR({rounded},{cut},{follows}),2,IF({near},1,0))"
            formulas.append(f'IF(AND({x}<>"",{verdict}={AGAIN}),{told},-1)')
        return self._behind(formulas, "MAX", "")
