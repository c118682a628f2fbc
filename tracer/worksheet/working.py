"""The sheet beside a worksheet: each step's formula, an example worked with the learner's own numbers, a line to
complete, and a question.

The example is a formula over the cells of the board, so that no number of it is in the file; it waits for the cells
that it is made from. The boxes of a line to complete are marked too: they show a wrong row or weight.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracer.expression import scalar as s
from tracer.expression.label import label_text
from tracer.expression.live import to_live_text
from tracer.expression.lower import lower, precedents
from tracer.expression.text import cell_text, matrix_text
from tracer.program.program import Step
from tracer.program.roles import Assignment
from tracer.spreadsheet.columns import address, column_letters
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.print_setup import ROW
from tracer.worksheet.checks import Check, checks
from tracer.worksheet.marks import AGAIN, NO_NUMBER, RIGHT, WAITS, if_any, text
from tracer.worksheet.paper import BOX_HEIGHT, BOX_WIDTH, put_on_paper
from tracer.worksheet.quantities import HALF
from tracer.worksheet.sheet import Worksheet
from tracer.worksheet.told import all_words

LEFT, BOXES = 2, 4  # the columns of texts and of the first box
MOST_BOXES, MOST_BEFORE = 16, 200
NARROW, NAME_WIDTH, LEAST_BOX = 3.0, 16.0, 9.0

Terms = Sequence[Sequence[s.Cell]]


class Working:
    """Writes the sheet of a worksheet."""

    def __init__(self, worksheet: Worksheet) -> None:
        self.worksheet, self.plan, self.one = worksheet, worksheet.plan, worksheet.one
        self.board = _OnBoard(worksheet)
        self.symbols = worksheet.book.headings.symbols
        self.sheet, self.data = worksheet.add_sheet("working")
        self.say, self.notation, self.styles = worksheet.say, worksheet.theme.notation, worksheet.book.styles
        self.words = all_words(self.one.program, worksheet.theme)
        self.row, self.last = 1, LEFT + MOST_BOXES
        self.on_paper = self.plan.mode == "print"
        self.breaks = set[int]()  # the rows before which a printed page may end

    def fill(self) -> None:
        self._line(self.say("book.working_title"), self.styles.title)
        self.data.heights[1] = 24.0
        for step in self.one.steps:
            if any(self.plan.shows(each.id, self.one.program) and each.expression for each in step.assignments):
                self._step(step)
        box = BOX_WIDTH if self.on_paper else LEAST_BOX
        widths = [NARROW, NAME_WIDTH, *[NARROW, box] * (MOST_BOXES + 1)]
        for column, width in enumerate(widths, start=1):
            self.sheet.column_dimensions[column_letters(column)].width = width
        self.sheet.protection.sheet = True
        self.sheet.protection.insertRows = self.sheet.protection.formatColumns = False
        characters, last = sum(widths[: self.last]), (self.row, self.last)
        put_on_paper(self.sheet, self.data, characters, last, 1, self.breaks.__contains__)

    def _step(self, step: Step) -> None:
        self.row += 1
        self.breaks.add(self.row)
        words = self.words[step.label]
        asks = any(each.id in self.plan.blank for each in step.assignments)
        self._line(self.say("book.step_title", label=words.label, title=words.title), self.styles.band)
        self._line(words.words or words.why, self.styles.plain)
        if asks and words.predict:
            self._question(words.predict, words.predict_answer)
        for each in step.assignments:
            if self.plan.shows(each.id, self.one.program):
                self._matrix(each)
        if asks and words.question:
            self._question(words.question, words.question_answer)

    def _matrix(self, made: Assignment) -> None:
        assert made.expression is not None  # a step computes its matrices, or none of them
        asked = made.id in self.plan.blank
        name = label_text(self.symbols.matrix(made.id))
        in_letters = matrix_text(made.expression, lambda each: label_text(self.symbols.matrix(each)), self.notation)
        self._line(f"{name} = {in_letters}", self.styles.plain)
        for place in range(min(2, made.shape[0] * made.shape[1])):
            row, column = divmod(place, made.shape[1])
            cell, rule = s.Cell(made.id, row, column), lower(made.expression, row, column)
            match self.plan.example(made.shape, row, column):
                case "worked" if asked or all(map(self._is_printed, precedents(rule))):
                    self._worked(cell, rule)
                case "completion" if asked:
                    self._completion(cell, rule)
        if asked and not self.worksheet.key:
            one, theme = self.one, self.worksheet.theme
            for check in checks(made, self.worksheet.trace, one, self.plan, self.worksheet.shown, theme):
                self._check(made, check)

    def _is_printed(self, cell: s.Cell) -> bool:
        return self.plan.prints(cell.matrix, self.one.program)

    def _check(self, made: Assignment, check: Check) -> None:
        """What must hold, with a cell before it: to tick, or in practice what the learner's own cells say."""
        if not self.plan.marks:
            self.data.blank(self.row, LEFT, self.styles.answer(None, True))
        elif check.kind != "shape":
            whole = self.board.whole(made.id)
            sums = [f"SUM({self.board.row(made.id, row)})" for row in range(made.shape[0])]
            off = f"{made.shape[1]}*{HALF}*10^-{self.worksheet.asked[made.id]}"
            near = ",".join(f"ABS({each}-1)<={off}" for each in sums)
            said = f"IF(AND({near}),{text(RIGHT)},{text(AGAIN)})" if check.kind == "rows" else f"SUM({whole})"
            unfinished = f"COUNT({whole})<{made.shape[0] * made.shape[1]}"
            self.data.live_text(self.row, LEFT, f'IF({unfinished},"",{said})', "", self.styles.left_out)
        self.data.text(self.row, LEFT + 2, check.words, self.styles.plain)
        self.row += 1

    def _worked(self, cell: s.Cell, rule: s.Scalar) -> None:
        """The cell in letters, with the learner's numbers put in, and what that comes to."""
        worked = self.worksheet.shown.work(self.one, cell.matrix, rule)
        before = self._before(rule)
        if _has_omitted(worked.letters) or len(before) > MOST_BEFORE:
            return
        self._line(f"{self._name(cell)} = {cell_text(worked.letters, self._name, self.notation)}", self.styles.plain)
        waits = [f"COUNT({self.board.cell(each)})=0" for each in before]
        for stage in (worked.stages[0], worked.result):
            live = to_live_text(stage, self.board, self.notation)
            formula = if_any(waits, text("= " if self.on_paper else WAITS), f'"= "&{live.formula}')
            shown = f"= {live.text}" if self.worksheet.key else ""
            self.data.live_text(self.row, LEFT + 1, formula, shown, self.styles.plain)
            self.row += 1

    def _completion(self, cell: s.Cell, rule: s.Scalar) -> None:
        """A box for each operand, with its mark below, and the answer as it stands on the board."""
        terms = _terms(rule)
        if terms is None or sum(map(len, terms)) >= MOST_BOXES:
            return
        self.data.text(self.row, LEFT, f"{self._name(cell)} =", self.styles.plain)
        if self.on_paper:
            self.data.heights[self.row] = BOX_HEIGHT
        column = BOXES
        for k, factors in enumerate(terms):
            for n, operand in enumerate(factors):
                if k or n:
                    self.data.text(self.row, column - 1, "·" if n else "+", self.styles.left_out)
                self._box(column, operand)
                column += 2
        answer, self.last = self.board.cell(cell), max(self.last, column)
        self.data.text(self.row, column - 1, "=", self.styles.left_out)
        if self.on_paper:
            self.data.blank(self.row, column, self.styles.answer())
        else:
            there = f'IF({answer}="",{text(self.say("book.on_board"))},{answer})'
            self.data.live_text(self.row, column, there, "", self.styles.plain)
        self.row += 2

    def _box(self, column: int, operand: s.Cell) -> None:
        box, own = address(self.row, column), self.board.cell(operand)
        decimals = self.worksheet.shown.decimals[operand.matrix]
        if self.worksheet.key:
            value = self.one[operand.matrix][operand.row : operand.row + 1, operand.column : operand.column + 1]
            self.data.numbers(self.row, column, value, self.styles.answer(decimals))
        else:
            self.data.blank(self.row, column, self.styles.answer())
        if not self.plan.marks:
            return
        asked = self.worksheet.asked.get(operand.matrix, 9 if decimals is None else decimals)
        near = f"ABS({box}-{own})<={HALF}*10^-{asked}"
        judged = f"IF(COUNT({own})=0,{text(WAITS)},IF({near},{text(RIGHT)},{text(AGAIN)}))"
        formula = f'IF({box}="","",IF(COUNT({box})=0,{text(NO_NUMBER)},{judged}))'
        mark = RIGHT if self.worksheet.key else ""
        self.data.live_text(self.row + 1, column, formula, mark, self.styles.left_out)

    def _question(self, words: str, model: str) -> None:
        """A question and a line to write on; on the key an answer as it might be."""
        self._line(words, self.styles.plain)
        if self.worksheet.key:
            self._line(model, self.styles.plain)
            return
        last = LEFT + MOST_BOXES
        for column in range(LEFT, last + 1):
            self.data.blank(self.row, column, self.styles.answer(None, True))
        merge(self.sheet, self.row, LEFT, last)
        self.data.heights[self.row] = 2 * ROW
        self.row += 1

    def _line(self, words: str, style: int) -> None:
        self.data.text(self.row, LEFT, words, style)
        self.row += 1

    def _name(self, cell: s.Cell) -> str:
        return self.worksheet.symbol(cell)

    def _before(self, rule: s.Scalar) -> list[s.Cell]:
        return [each for each in precedents(rule) if each.matrix in self.plan.blank]


class _OnBoard:
    """Addresses on the board, from another sheet."""

    def __init__(self, worksheet: Worksheet) -> None:
        self.places, self.sheet = worksheet.places, f"'{worksheet.sheet.title}'"

    def cell(self, cell: s.Cell) -> str:
        return f"{self.sheet}!{self.places.cell(cell)}"

    def block(self, block: s.Block) -> str:
        return f"{self.sheet}!{self.places.block(block)}"

    def whole(self, identifier: str) -> str:
        return f"{self.sheet}!{self.places.whole(identifier)}"

    def row(self, identifier: str, row: int) -> str:
        """The range of a row of a matrix."""
        return self.block(s.Block(identifier, row, 0, 1, self.places.board.places[identifier].columns))


def _has_omitted(expression: s.Scalar) -> bool:
    """Whether terms were left out, for which their value would stand."""
    return isinstance(expression, s.Omitted) or any(map(_has_omitted, s.children(expression)))


def _terms(rule: s.Scalar) -> Terms | None:
    """The cells of a sum of products, term by term; None for any other rule."""
    match rule:
        case s.Cell():
            return [[rule]]
        case s.Fold(operation="sum"):
            return _terms(s.expand(rule))
        case s.Product(factors):
            cells = [each for each in factors if isinstance(each, s.Cell)]
            return [cells] if len(cells) == len(factors) else None
        case s.Sum(terms):
            parts = [_terms(each) for each in terms]
            return None if None in parts else [term for part in parts if part is not None for term in part]
        case _:
            return None
