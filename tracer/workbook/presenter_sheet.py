"""The presenter sheet: one board and one step cell, for a lecture.

Whatever step is chosen, the sheet shows its title, why and formulas, the values known by then, and
what is computed from what. All of it refers to the step sheets. Hidden columns beside the board find
the step's place in time, and from that what each matrix is to the step; the board's cells and its
conditional formats look at nothing else.
"""

from __future__ import annotations

import numpy as np
from openpyxl.formatting.rule import Rule
from openpyxl.worksheet.datavalidation import DataValidation

from tracer.expression.label import label_text
from tracer.presentation.board import HEADING_ROWS, Place, kept_columns, kept_rows
from tracer.presentation.headings import MARKS, band_title, detail, highlights
from tracer.presentation.palette import LEGEND, Highlight
from tracer.program.program import Step
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.print_setup import ROW, break_rows, choose_page, leave_out, set_up
from tracer.spreadsheet.sheet_data import address, column_letters
from tracer.workbook.book import LEFT, NARROW, TOP, Book, link
from tracer.workbook.matrix_cells import LARGEST_FIXED
from tracer.workbook.pass_layout import PassLayout

TITLE = "Presenter"
MOST_CELLS = 5_000  # of the board; a larger one is no picture for a lecture
MOST_FROZEN = 200.0  # points of the head that stay in sight
ABSENT = 0
CODES: dict[Highlight, int] = {"plain": 1, "input": 2, "active": 3}  # what a matrix is to the step shown
LABEL, PLACE, HEAD, NAME, DETAIL, ROLE = 0, 1, 2, 5, 6, 7  # the hidden columns; a head takes three
HIDDEN = 8


def write_presenter(book: Book, layout: PassLayout) -> None:
    """Add the sheet of a pass, whose step sheets are there, behind the start; none where its board is too large."""
    shown = map(layout.board.shown, layout.board.places)
    if sum(place.rows * place.columns for place in shown) <= MOST_CELLS:
        PresenterSheet(book, layout).fill()


class PresenterSheet:
    """One board that follows its step cell."""

    def __init__(self, book: Book, layout: PassLayout) -> None:
        self.book, self.layout = book, layout
        self.one, self.board = layout.one, layout.board
        self.sheet = book.add_sheet(TITLE)
        book.workbook.move_sheet(self.sheet, 1 - book.workbook.index(self.sheet))
        self.data = book.data[TITLE]
        self.steps = self.one.steps
        self.homes = [book.sheet_title(self.one, step) for step in self.steps]
        self.roles = [highlights(self.one.program, step) for step in self.steps]
        self.first = LEFT + self.board.columns + 1  # of the hidden columns
        self.chosen = address(1, LEFT + 1, absolute=True)
        self.place = self._hidden(TOP, PLACE)
        self.in_text = not all(step.label.isdecimal() for step in self.steps)
        self.initial = next(k for k, step in enumerate(self.steps) if _computes(step))

    def fill(self) -> None:
        self._set_columns()
        self._step_cell()
        self._list_of_steps()
        self._head()
        for band in self.board.bands:
            title = band_title(self.book.problem, band, self.one)
            self.data.text(TOP + band.row, LEFT, title, self.book.styles.band)
        for k, identifier in enumerate(self.roles[-1]):
            self._matrix(TOP + k, identifier)
        self._print_set_up()

    def _hidden(self, row: int, column: int) -> str:
        return address(row, self.first + column, absolute=True)

    def _set_columns(self) -> None:
        widths = {1: NARROW, **dict(enumerate(self.layout.widths, start=LEFT)), self.first - 1: NARROW}
        for column, width in widths.items():
            self.sheet.column_dimensions[column_letters(column)].width = width
        for column in range(self.first, self.first + HIDDEN):
            self.sheet.column_dimensions[column_letters(column)].hidden = True

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
        nothing = (self._no_such_step(), "", "")
        for k, step in enumerate(self.steps):
            row, last = TOP + k, step is self.steps[-1]
            self.data.text(row, self.first + LABEL, step.label, style)
            below = "-1" if last else self._hidden(row + 1, PLACE)
            self._number(row, PLACE, f"IF({self._is_chosen(k)},{k},{below})", self.initial if k <= self.initial else -1)
            known = self.book.heads[self.homes[self.initial]] if k <= self.initial else nothing
            for n, text in enumerate(known):
                own = f"'{self.homes[k]}'!{address(1 + n, LEFT, absolute=True)}"
                below = f'"{nothing[n]}"' if last else self._hidden(row + 1, HEAD + n)
                formula = f"IF({self.place}={k},{own},{below})"
                self.data.live_text(row, self.first + HEAD + n, formula, text, style)

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
        """Title, why and formulas as the list of steps has them; legend and links as on a step sheet."""
        styles, heights = self.book.styles, [self.book.data[home].heights for home in self.homes]
        texts = self.book.heads[self.homes[self.initial]]
        for n, style in enumerate((styles.shrunk_title, styles.note, styles.formula)):
            row, first = 1 + n, LEFT + 2 if n == 0 else LEFT
            self.data.live_text(row, first, self._hidden(TOP, HEAD + n), texts[n], style)
            self.data.heights[row] = max(each[row] for each in heights)
            last = LEFT + self.layout.head_columns - 1
            merge(self.sheet, row, first, last)
        links = ("", "Start", self.homes[0])
        for k, ((role, words), title) in enumerate(zip(LEGEND, links, strict=True)):
            first = LEFT + k * (self.board.slot + 1)
            self._across(4, first, styles.heading(role, False), text=words)
            if title:
                self.data.text(5, first, title if title == "Start" else f"{title} →", styles.link)
                link(self.sheet, address(5, first), title)
        in_sight = sum(self.data.heights[row] for row in (1, 2, 3)) <= MOST_FROZEN
        self.sheet.freeze_panes = address(TOP if in_sight else 2, LEFT)

    def _across(self, row: int, first: int, style: int, text: str, formula: str = "") -> None:
        """A text over the width of a slot, live where it has a formula."""
        last = first + self.board.slot - 1
        if formula:
            self.data.live_text(row, first, formula, text, style)
        else:
            self.data.text(row, first, text, style)
        for column in range(first + 1, last + 1):
            self.data.blank(row, column, style)
        merge(self.sheet, row, first, last)

    def _matrix(self, row: int, identifier: str) -> None:
        """A matrix on the board, with its name and its role in a row of the hidden columns."""
        place, now = self.board.shown(identifier), self.roles[self.initial].get(identifier)
        self._number(row, ROLE, self._role(identifier), CODES[now] if now else ABSENT)
        self._heading(row, place, now)
        role = self._hidden(row, ROLE)
        self._values(place, role, now)
        self._formats(place, role)

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

    def _heading(self, row: int, place: Place, now: Highlight | None) -> None:
        heading = self.book.headings.of(place.id, *self.one[place.id].shape)
        role = self._hidden(row, ROLE)
        marks = "".join(f'IF({role}={CODES[each]},"{MARKS[each]}","")&' for each in ("active", "input"))
        mark = MARKS[now] if now else ""
        for k, text in enumerate((label_text(heading.name), detail(heading))):
            self.data.text(row, self.first + NAME + k, text, self.book.styles.plain)
            formula = f'IF({role}>{ABSENT},{marks if k == 0 else ""}{self._hidden(row, NAME + k)},"")'
            text = (mark if k == 0 else "") + text if now else ""
            style = self.book.styles.bare_headings[k]
            self._across(TOP + place.heading_row + k, LEFT + place.column, style, text, formula)

    def _values(self, shown: Place, role: str, now: Highlight | None) -> None:
        """The cells of the step sheet that has the matrix, once it is known; of a large one an excerpt."""
        values, decimals = self.one[shown.id], self.layout.decimals.decimals[shown.id]
        style = self.book.styles.bare_value(decimals if np.abs(values).max() < LARGEST_FIXED else None)
        place, home = self.board.places[shown.id], self.book.home[self.one.epoch, self.one.iteration, shown.id]

        def formula(i: int, j: int) -> str:
            at = address(TOP + place.row + i, LEFT + place.column + j)
            return f"IF({role}>{ABSENT},'{home}'!{at},\"\")"

        if now and shown is place:
            self.data.formulas(TOP + shown.row, LEFT + shown.column, values, style, formula, alike=True)
            return
        for row, i in enumerate(kept_rows(place.rows), start=TOP + shown.row):
            for column, j in enumerate(kept_columns(place.columns), start=LEFT + shown.column):
                if i is None or j is None:
                    mark = "⋮" if i is None else "⋯"
                    live = f'IF({role}>{ABSENT},"{mark}","")'
                    self.data.live_text(row, column, live, mark if now else "", self.book.styles.left_out)
                elif now:
                    text, value = formula(i, j), values[i : i + 1, j : j + 1]
                    self.data.formulas(row, column, value, style, lambda *_, text=text: text)
                else:
                    self.data.live_text(row, column, formula(i, j), "", style)

    def _formats(self, place: Place, role: str) -> None:
        """Colours and edges by role."""
        heading = _range(place.heading_row, place.column, HEADING_ROWS, self.board.slot)
        values = _range(place.row, place.column, place.rows, place.columns)
        for each, code in CODES.items():
            for cells, is_heading in ((heading, True), (values, False)):
                style = self.book.styles.conditional(each, is_heading)
                rule = Rule("expression", dxfId=style, formula=[f"{role}={code}"])
                self.sheet.conditional_formatting.add(cells, rule)

    def _print_set_up(self) -> None:
        """As a step sheet is printed: where it is too long for a page, it is broken between matrices."""
        last = TOP + self.board.rows - 1
        page = choose_page((sum(self.layout.widths), sum(map(self._height, range(1, last + 1)))))
        area = f"{address(1, LEFT)}:{address(last, LEFT + self.board.columns - 1)}"
        set_up(self.sheet, page, [area], "1:3")
        shown = map(self.board.shown, self.board.places)
        within = {TOP + row for place in shown for row in range(place.heading_row + 1, place.row + place.rows)}
        head = sum(map(self._height, range(1, 4)))
        break_rows(self.sheet, page, range(4, last + 1), self._height, lambda row: row not in within, head)
        leave_out(self.sheet, self.data, last)

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
