"""The presenter sheet: every matrix and one step cell, in type for a lecture.

Whatever step is chosen, the sheet shows its title, why and formulas, one cell worked out, the values known by then, and
what is computed from what. All of it refers to the step sheets. The matrices stand in the order in which they come to
be known, so that no row is empty above one that is not. Hidden columns beside them find the step's place in time, and
from that what each matrix is to the step; the cells and their conditional formats look at nothing else.
"""

from __future__ import annotations

import math

import numpy as np
from openpyxl.formatting.rule import Rule
from openpyxl.worksheet.datavalidation import DataValidation

from tracer.presentation.headings import MARKS, highlights
from tracer.presentation.palette import LEGEND, Highlight
from tracer.presentation.shelves import shelves
from tracer.presentation.stage import Operand
from tracer.presentation.stage_grid import Staged
from tracer.program.program import Step
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.print_setup import LEAST_SCALE, ROW, break_rows, choose_page, leave_out, set_up
from tracer.spreadsheet.sheet_data import address, column_letters
from tracer.workbook.book import LEFT, NARROW, Book, link
from tracer.workbook.flow import lines_of
from tracer.workbook.forward_sheet import cells_of
from tracer.workbook.matrix_cells import LARGEST_FIXED
from tracer.workbook.pass_layout import PassLayout
from tracer.workbook.staging import LEAST_WIDTH, MARGIN, WIDEST_HEADING, stage_heading
from tracer.workbook.worked_lines import worked_formula

TITLE = "Presenter"
TYPE = 16  # points
LARGER = TYPE / 10  # than on the step sheets
TOP = 7  # the first row of the matrices, below title, why, formulas, worked line, legend and links
WORKED = 3  # of the texts of a head
MOST_LINES = 4  # of one of them
MOST_CELLS = 5_000  # of the matrices; more are no picture for a lecture
MOST_FROZEN = 260.0  # points of the head that stay in sight
ABSENT = 0
CODES: dict[Highlight, int] = {"plain": 1, "input": 2, "active": 3}  # what a matrix is to the step shown
LABEL, PLACE, HEAD, NAME, ROLE = 0, 1, 2, 6, 7  # the hidden columns; a head takes four
HIDDEN = 8


def write_presenter(book: Book, layout: PassLayout) -> None:
    """Add the sheet of a pass, whose step sheets are there, behind the start; none where its board is too large."""
    sheet = PresenterSheet(book, layout)
    if sum(len(each.down) * len(each.across) for each in sheet.matrices) <= MOST_CELLS:
        sheet.fill()


class PresenterSheet:
    """All matrices, which follow a step cell."""

    def __init__(self, book: Book, layout: PassLayout) -> None:
        self.book, self.layout, self.one = book, layout, layout.one
        self.steps = self.one.steps
        self.homes = [book.sheet_title(self.one, step) for step in self.steps]
        self.roles = [highlights(self.one.program, step) for step in self.steps]
        shapes = {each: self.one[each].shape for each in self.roles[-1]}
        self.matrices = list(shelves(shapes, lambda each: math.ceil(self._wide(each) / LEAST_WIDTH)))
        self.columns = max(each.column + each.span for each in self.matrices)
        self.first = LEFT + self.columns + 1  # of the hidden columns
        self.chosen = address(1, LEFT + 1, absolute=True)
        self.place = self._hidden(TOP, PLACE)
        self.in_text = not all(step.label.isdecimal() for step in self.steps)
        self.initial = next(k for k, step in enumerate(self.steps) if _computes(step))

    def fill(self) -> None:
        self.sheet = self.book.add_sheet(TITLE)
        self.book.workbook.move_sheet(self.sheet, 1 - self.book.workbook.index(self.sheet))
        self.data = self.book.data[TITLE]
        self._set_columns()
        self._step_cell()
        self._list_of_steps()
        self._head()
        for k, staged in enumerate(self.matrices):
            self._matrix(TOP + k, staged)
        for row in range(TOP, self.last + 1):
            self.data.heights[row] = ROW * LARGER
        self._print_set_up()

    @property
    def last(self) -> int:
        """The last row of the matrices."""
        return TOP + max(each.row + len(each.down) for each in self.matrices)

    def _name(self, identifier: str) -> str:
        """What stands over a matrix, without a mark."""
        return stage_heading(self.book.headings, Operand(identifier), self.one[identifier].shape, "plain")

    def _wide(self, identifier: str) -> float:
        """Characters that a heading needs, with its mark."""
        return min(len(MARKS["active"]) + len(self._name(identifier)) + MARGIN, WIDEST_HEADING)

    def _hidden(self, row: int, column: int) -> str:
        return address(row, self.first + column, absolute=True)

    def _set_columns(self) -> None:
        widths = [LEAST_WIDTH] * self.columns
        for staged in self.matrices:
            for _, column, cell in staged.cells():
                if cell is not None:
                    text = self.layout.decimals.text(cell.matrix, float(self.one[cell.matrix][cell.row, cell.column]))
                    widths[column] = max(widths[column], len(text) + MARGIN)
        for column, width in enumerate((NARROW, *(LARGER * width for width in widths), NARROW), start=1):
            self.sheet.column_dimensions[column_letters(column)].width = width
        for column in range(self.first, self.first + HIDDEN):
            self.sheet.column_dimensions[column_letters(column)].hidden = True
        self.widths = widths

    def _step_cell(self) -> None:
        """The cell to choose a step in: text where labels are no whole numbers, since 2.1 can become a date."""
        styles, labels = self.book.styles, [step.label for step in self.steps]
        self.data.text(1, LEFT, "step shown:", styles.note)
        if self.in_text:
            self.data.text(1, LEFT + 1, labels[self.initial], styles.choice(True))
            steps = f"{self._hidden(TOP, LABEL)}:{self._hidden(TOP + len(labels) - 1, LABEL)}"
        else:
            self.data.numbers(1, LEFT + 1, np.array([[float(labels[self.initial])]]), styles.choice(False))
            steps = f'"{",".join(labels)}"'
        choice = DataValidation("list", formula1=steps, errorTitle="Step", error=self._no_such_step())
        choice.showErrorMessage = not self.in_text  # 2,1 is understood though it does not stand in the list
        choice.add(address(1, LEFT + 1))
        self.sheet.add_data_validation(choice)

    def _no_such_step(self) -> str:
        return f"There is no such step; choose one from the list, {self.steps[0].label} to {self.steps[-1].label}."

    def _list_of_steps(self) -> None:
        """A row for each step, which passes on its own place and head, or those of a chosen step further down."""
        style = self.book.styles.plain
        nothing = (self._no_such_step(), "", "", "")
        for k, step in enumerate(self.steps):
            row, last = TOP + k, step is self.steps[-1]
            self.data.text(row, self.first + LABEL, step.label, style)
            below = "-1" if last else self._hidden(row + 1, PLACE)
            self._number(row, PLACE, f"IF({self._is_chosen(k)},{k},{below})", self.initial if k <= self.initial else -1)
            known = self._texts(self.initial) if k <= self.initial else nothing
            for n, text in enumerate(known):
                own = self._own_text(k, n)
                below = f'"{nothing[n]}"' if last else self._hidden(row + 1, HEAD + n)
                formula = f"IF({self.place}={k},{own},{below})"
                self.data.live_text(row, self.first + HEAD + n, formula, text, style)

    def _texts(self, k: int) -> tuple[str, ...]:
        """The head of a step: title, why, formulas, and a cell worked out."""
        home = self.homes[k]
        return *self.book.heads[home], self.book.worked.get(home, "")

    def _own_text(self, k: int, n: int) -> str:
        """A formula for one of them, as the step's own sheet has it."""
        home, stages = self.homes[k], self.layout.stages[self.steps[k].label]
        if n < WORKED:
            return f"'{home}'!{address(1 + n, LEFT, absolute=True)}"
        return worked_formula(self.book, home, self.layout.decimals, stages[0]) if stages else '""'

    def _number(self, row: int, column: int, formula: str, value: float) -> None:
        """A formula in a hidden column."""
        values, style = np.array([[float(value)]]), self.book.styles.plain
        self.data.formulas(row, self.first + column, values, style, lambda *_: formula)

    def _is_chosen(self, k: int) -> str:
        """Whether the step cell holds a step's label: as text, with a decimal comma too, or as a number."""
        label = self.steps[k].label
        spelled = [f'"{each}"' for each in sorted({label, label.replace(".", ",")})]
        if _is_number(label):
            spelled.append(label)
        return f"OR({','.join(f'{self.chosen}={each}' for each in spelled)})"

    def _head(self) -> None:
        """Title, why, formulas and a worked cell as the list of steps has them; legend and links as on a step sheet."""
        styles, width = self.book.styles, sum(self.widths)
        texts = self._texts(self.initial)
        for n, style in enumerate((styles.shrunk_title, styles.lecture, styles.lecture_formula, styles.lecture)):
            row, first = 1 + n, LEFT + 2 if n == 0 else LEFT
            self.data.live_text(row, first, self._hidden(TOP, HEAD + n), texts[n], style)
            merge(self.sheet, row, first, LEFT + self.columns - 1)
            lines = max(lines_of(self._texts(k)[n], width) for k in range(len(self.steps))) if n else 1
            self.data.heights[row] = ROW * LARGER * min(lines, MOST_LINES) + 4
        slot = max(1, self.columns // len(LEGEND))
        links = ("", "Start", self.homes[0])
        for k, ((role, words), title) in enumerate(zip(LEGEND, links, strict=True)):
            first = LEFT + k * slot
            self._across(5, first, slot - 1, styles.lecture_legend(role), text=words)
            if title:
                self.data.text(6, first, title if title == "Start" else f"{title} →", styles.link)
                link(self.sheet, address(6, first), title)
        self.data.heights[5] = ROW * LARGER
        in_sight = sum(self.data.heights[row] for row in (1, 2, 3, 4, 5)) <= MOST_FROZEN
        self.sheet.freeze_panes = address(TOP if in_sight else 2, LEFT)

    def _across(self, row: int, first: int, count: int, style: int, text: str, formula: str = "") -> None:
        """A text over some columns, live where it has a formula."""
        if formula:
            self.data.live_text(row, first, formula, text, style)
        else:
            self.data.text(row, first, text, style)
        for column in range(first + 1, first + count):
            self.data.blank(row, column, style)
        if count > 1:
            merge(self.sheet, row, first, first + count - 1)

    def _matrix(self, row: int, staged: Staged) -> None:
        """A matrix, with its name and its role in a row of the hidden columns."""
        identifier = staged.operand.id
        now = self.roles[self.initial].get(identifier)
        self._number(row, ROLE, self._role(identifier), CODES[now] if now else ABSENT)
        self._heading(row, staged, now)
        self._values(staged, self._hidden(row, ROLE), now)
        self._formats(staged, self._hidden(row, ROLE))

    def _role(self, identifier: str) -> str:
        """The role at the step shown: computed, computed from, known, or none yet."""
        at: dict[Highlight, list[str]] = {role: [] for role in CODES}
        for k, known in enumerate(self.roles):
            if identifier in known:
                at[known[identifier]].append(f"{self.place}={k}")
        first = next(k for k, known in enumerate(self.roles) if identifier in known)
        text = f"IF({self.place}>={first},{CODES['plain']},{ABSENT})"
        for role in ("input", "active"):
            if at[role]:
                text = f"IF(OR({','.join(at[role])}),{CODES[role]},{text})"
        return text

    def _heading(self, row: int, staged: Staged, now: Highlight | None) -> None:
        role, name = self._hidden(row, ROLE), self._name(staged.operand.id)
        self.data.text(row, self.first + NAME, name, self.book.styles.plain)
        marks = "".join(f'IF({role}={CODES[each]},"{MARKS[each]}","")&' for each in ("active", "input"))
        formula = f'IF({role}>{ABSENT},{marks}{self._hidden(row, NAME)},"")'
        at = (TOP + staged.row, LEFT + staged.column, staged.span)
        self._across(*at, self.book.styles.lecture_heading, MARKS[now] + name if now else "", formula)

    def _values(self, staged: Staged, role: str, now: Highlight | None) -> None:
        """The cells of the step sheet that has the matrix, once it is known."""
        identifier, styles = staged.operand.id, self.book.styles
        values, decimals = self.one[identifier], self.layout.decimals.decimals[identifier]
        style = styles.bare_value(decimals if np.abs(values).max() < LARGEST_FIXED else None, TYPE)
        home = self.book.home[self.one.epoch, self.one.iteration, identifier]
        whole = cells_of(home, self.layout.board.places[identifier], self.book.top)
        for row, column, cell in staged.cells():
            at = (TOP + row, LEFT + column)
            if cell is None:
                self.data.live_text(*at, f'IF({role}>{ABSENT},"⋯","")', "⋯" if now else "", styles.lecture_left_out)
                continue
            formula = f'IF({role}>{ABSENT},{whole(cell.row, cell.column)},"")'
            if now:
                self.data.reference(*at, formula, float(values[cell.row, cell.column]), style)
            else:
                self.data.live_text(*at, formula, "", style)

    def _formats(self, staged: Staged, role: str) -> None:
        """Colours and edges by role."""
        heading = _range(staged.row, staged.column, 1, staged.span)
        values = _range(staged.row + 1, staged.column, len(staged.down), len(staged.across))
        for each, code in CODES.items():
            for cells, is_heading in ((heading, True), (values, False)):
                style = self.book.styles.conditional(each, is_heading)
                rule = Rule("expression", dxfId=style, formula=[f"{role}={code}"])
                self.sheet.conditional_formatting.add(cells, rule)

    def _print_set_up(self) -> None:
        """On its own it is printed as a step sheet is; where it is too long for a page, it ends between shelves."""
        rows = range(1, self.last + 1)
        page = choose_page((LARGER * sum(self.widths), sum(map(self._height, rows))), least=LEAST_SCALE / LARGER)
        set_up(self.sheet, page, [f"{address(1, LEFT)}:{address(self.last, LEFT + self.columns - 1)}"], "1:4")
        starts = {TOP + each.row for each in self.matrices}
        head = sum(map(self._height, range(1, 5)))
        break_rows(self.sheet, page, range(5, self.last + 1), self._height, starts.__contains__, head)
        leave_out(self.sheet, self.data, max(self.last, TOP + max(len(self.matrices), len(self.steps))))

    def _height(self, row: int) -> float:
        return self.data.heights.get(row, ROW)


def _computes(step: Step) -> bool:
    return any(each.expression is not None for each in step.assignments)


def _is_number(label: str) -> bool:
    """Whether a label typed as a number is this step's: 2.10 is the number 2.1, which is another step."""
    try:
        return f"{float(label):g}" == label
    except ValueError:
        return False


def _range(row: int, column: int, rows: int, columns: int) -> str:
    """A range of the sheet by its place on the board."""
    first, last = address(TOP + row, LEFT + column), address(TOP + row + rows - 1, LEFT + column + columns - 1)
    return f"{first}:{last}"
