"""One step's sheet: a head, and the board as far as it is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tracer.board import Board, Place, lay_out
from tracer.export.book import LEFT, NARROW, TOP, Book, link
from tracer.export.headings import Heading, Role, band_title, roles, step_words
from tracer.export.palette import ACTIVE_MARK, INPUT_MARK, LEGEND
from tracer.export.parts import PARTS, in_parts
from tracer.export.sheet_data import MOST_FORMULA, address, column_letters
from tracer.export.worked_lines import COLUMNS, WorkedLines
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.evaluate import evaluate_cell
from tracer.expression.formula import to_formula
from tracer.expression.label import label_text
from tracer.expression.lower import lower
from tracer.expression.text import matrix_text
from tracer.network.blackboard import RATE
from tracer.network.program import Assignment, Step
from tracer.network.remarks import departures
from tracer.shown import Shown, shown
from tracer.trace import Pass, Trace

LEAST_WIDTH = 9.0
LARGEST_FIXED = 1e12
CHARACTERS_PER_ROW = 2.9  # a row is as high as so many characters are wide
MARKS = {"active": f"{ACTIVE_MARK} ", "input": f"{INPUT_MARK} ", "plain": ""}


class Addresses:
    """Where a matrix lies on the sheet that is being written."""

    def __init__(self, board: Board) -> None:
        self.board = board

    def cell(self, cell: s.Cell) -> str:
        if cell.matrix == PARTS:  # to the right of everything
            return address(TOP + 1 + cell.row, LEFT + self.board.columns + 2 + COLUMNS)
        row, column = self.board.at(cell)
        return address(TOP + row, LEFT + column)

    def block(self, block: s.Block) -> str:
        top, left, bottom, right = self.board.corners(block)
        return f"{address(TOP + top, LEFT + left)}:{address(TOP + bottom, LEFT + right)}"


@dataclass(frozen=True)
class PassLayout:
    """What the sheets of one pass share; `index` counts the passes from 0."""

    one: Pass
    index: int
    board: Board
    decimals: Shown
    widths: list[float]


def layout_of(trace: Trace, one: Pass, index: int) -> PassLayout:
    """The board of a pass, what is shown on it, and columns wide enough for that."""
    board, decimals = lay_out(one.program), shown(trace, one)
    return PassLayout(one, index, board, decimals, column_widths(board, one, decimals))


class StepSheet:
    """One step's sheet: a head, and the board as far as it is known."""

    def __init__(self, book: Book, layout: PassLayout, step: Step, title: str) -> None:
        self.book, self.step, self.title = book, step, title
        self.one, self.index, self.board = layout.one, layout.index, layout.board
        self.decimals, self.widths = layout.decimals, layout.widths
        board, one = layout.board, layout.one
        self.sheet = book.add_sheet(title)
        self.data = book.data[title]
        self.roles = roles(one.program, step)
        self.addresses = Addresses(board)
        self.own = {each.id: each for each in step.assignments}
        self.has_parts = False

    def fill(self) -> None:
        self._set_columns()
        self._head()
        for band in self.board.bands:
            title = band_title(self.book.problem, band.layer, self.one)
            self.data.text(TOP + band.row, LEFT, title, self.book.styles.band)
        for identifier, role in self.roles.items():
            self._matrix(identifier, role)
        self._worked_lines()

    def link_to(self, before: str | None, behind: str | None) -> None:
        """Links to the steps before and behind, and to the start, over the three slots."""
        texts = (f"← {before}" if before else "", "Start", f"{behind} →" if behind else "")
        for k, (text, title) in enumerate(zip(texts, (before, "Start", behind), strict=True)):
            if title is not None:
                at = address(5, LEFT + k * (self.board.slot + 1))
                self.data.text(5, LEFT + k * (self.board.slot + 1), text, self.book.styles.link)
                link(self.sheet, at, title)

    def _set_columns(self) -> None:
        self.sheet.column_dimensions["A"].width = NARROW
        for column, width in enumerate(self.widths):
            self.sheet.column_dimensions[column_letters(LEFT + column)].width = width

    def _head(self) -> None:
        styles, step = self.book.styles, self.step
        last = LEFT + self.board.columns - 1
        title, why = step_words(self.book.trace, self.one, step)
        self._line(1, f"Step {step.label} · {title}", styles.title, last, 24)
        why = " ".join((why, *departures(self.book.problem)))
        self._line(2, why, styles.note, last, 14.0 * max(2, self._lines_of(why)))
        formulas = self._formulas()
        self._line(3, "\n".join(formulas), styles.formula, last, 16.0 * sum(map(self._lines_of, formulas)))
        for k, (role, words) in enumerate(LEGEND):
            first = LEFT + k * (self.board.slot + 1)
            self._across(4, words, styles.heading(role, False), first)
        self.sheet.freeze_panes = address(6, LEFT)

    def _lines_of(self, text: str) -> int:
        """How many lines a text takes over the width of the board."""
        return 1 + int(1.15 * len(text) // sum(self.widths))

    def _formulas(self) -> list[str]:
        names = self.book.headings.names

        def name(identifier: str) -> str:
            return label_text(names.matrix(identifier))

        made = [each for each in self.step.assignments if each.expression is not None]
        lines = [f"{name(each.id)} = {matrix_text(each.expression, name)}" for each in made if each.expression]
        if self.one is self.book.trace.first:
            return lines or ["given: the blue numbers are typed in; change one and everything after it follows"]
        return lines or ["brought over from the passes before"]

    def _worked_lines(self) -> None:
        """The step worked beside the board, on a page of its own in print."""
        first = LEFT + self.board.columns + 1
        names, styles = self.book.headings.symbols, self.book.styles
        lines = WorkedLines(self.data, styles, names, self.one, self.decimals, self.addresses, TOP, first)
        made = [each for each in self.step.assignments if each.expression is not None]
        for each, formula in zip(made, self._formulas(), strict=False):
            lines.write(each, formula)
        areas = [f"{address(1, LEFT)}:{address(TOP + self.board.rows, first - 2)}"]
        if made:
            for k, width in enumerate(lines.widths):
                self.sheet.column_dimensions[column_letters(first + k)].width = width
            areas.append(f"{address(TOP, first)}:{address(lines.row, first + COLUMNS - 1)}")
            self.sheet.column_dimensions[column_letters(first - 1)].width = NARROW
        high = self.board.rows * CHARACTERS_PER_ROW
        self.sheet.page_setup.orientation = "landscape" if sum(self.widths) > high else "portrait"
        self.sheet.print_area = ",".join(areas)
        self.sheet.page_setup.fitToHeight = len(areas)

    def _line(self, row: int, text: str, style: int, last: int, height: float) -> None:
        self.data.text(row, LEFT, text, style)
        self.data.heights[row] = height
        self.sheet.merged_cells.add(f"{address(row, LEFT)}:{address(row, last)}")

    def _matrix(self, identifier: str, role: Role) -> None:
        place = self.board.places[identifier]
        self._heading(identifier, place, role)
        source = self._source(identifier)
        decimals = self.decimals.decimals[identifier]
        if not np.abs(self.one[identifier]).max() < LARGEST_FIXED:
            decimals = None  # digits without end would be ###
        style = self.book.styles.value(role, decimals, source is None)
        at = (TOP + place.row, LEFT + place.column)
        if source is None:
            self.book.typed.add((self.one.epoch, self.one.iteration, identifier))
            self.data.numbers(*at, self.one[identifier], style)
        else:
            made = self.own.get(identifier)
            alike = made is None or made.expression is None or _alike(made.expression)
            self.data.formulas(*at, self.one[identifier], style, source, alike)
        if identifier in self.own or (identifier == RATE and self.step.number == 0):
            self.book.home[self.one.epoch, self.one.iteration, identifier] = self.title
            self.book.name_matrix(identifier, self.title, place)

    def _heading(self, identifier: str, place: Place, role: Role) -> None:
        heading = self.book.headings.of(identifier, place.rows, place.columns)
        for k, text in enumerate((MARKS[role] + label_text(heading.name), _detail(heading))):
            style = self.book.styles.heading(role, k == 0)
            self._across(TOP + place.heading_row + k, text, style, LEFT + place.column)

    def _across(self, row: int, text: str, style: int, first: int) -> None:
        """A text over the width of a slot."""
        last = first + self.board.slot - 1
        self.data.text(row, first, text, style)
        for column in range(first + 1, last + 1):
            self.data.blank(row, column, style)
        self.sheet.merged_cells.add(f"{address(row, first)}:{address(row, last)}")

    def _source(self, identifier: str) -> Callable[[int, int], str] | None:
        """How a cell of a matrix comes to this sheet: None where it is typed in."""
        one, made = self.one, self.own.get(identifier)
        if made is not None and made.expression is not None:
            return lambda row, column: self._live(made, row, column)
        home = self.book.home.get((one.epoch, one.iteration, identifier))
        if home is not None and identifier not in self.own:
            return self._reference(home, self.board.places[identifier])
        return self._given_before(identifier)

    def _live(self, made: Assignment, row: int, column: int) -> str:
        assert made.expression is not None
        whole, parts = in_parts(lower(made.expression, row, column), self._write, MOST_FORMULA)
        if parts and not self.has_parts:  # only the loss, a single cell, can grow so long
            self.has_parts = True
            for k, part in enumerate(parts):
                self._part(made.id, k, part)
        return self._write(whole)

    def _write(self, expression: s.Scalar) -> str:
        return to_formula(expression, self.addresses)

    def _part(self, identifier: str, k: int, part: s.Scalar) -> None:
        """A part of a formula that would be too long, in a cell beside the board."""
        column = LEFT + self.board.columns + 2 + COLUMNS
        self.data.text(TOP, column, f"parts of {identifier}", self.book.styles.note)
        value = evaluate_cell(part, lambda cell: float(self.one[cell.matrix][cell.row, cell.column]))
        values, text = np.array([[value]]), self._write(part)
        self.data.formulas(TOP + 1 + k, column, values, self.book.styles.plain, lambda *_: text)

    def _given_before(self, identifier: str) -> Callable[[int, int], str] | None:
        """A given matrix of a later pass: where the same numbers stand already."""
        for earlier in reversed(self.book.passes[: self.index]):
            same_rows = (earlier.start, earlier.stop) == (self.one.start, self.one.stop)
            wanted = identifier if identifier in ("X", "Y", RATE) else f"{identifier}_next"
            if (identifier in ("X", "Y") and not same_rows) or earlier[wanted] is not self.one[identifier]:
                if identifier in ("X", "Y"):
                    continue
                return None
            place = lay_out(earlier.program).places[wanted]
            return self._reference(self.book.home[earlier.epoch, earlier.iteration, wanted], place)
        return None

    def _reference(self, sheet: str, place: Place) -> Callable[[int, int], str]:
        top, left = TOP + place.row, LEFT + place.column
        return lambda row, column: f"'{sheet}'!{address(top + row, left + column)}"


def column_widths(board: Board, one: Pass, decimals: Shown) -> list[float]:
    """Widths at which the board's columns show every digit of a pass."""
    widths = [LEAST_WIDTH] * board.columns
    for identifier, place in board.places.items():
        for column in range(place.columns):
            texts = (decimals.text(identifier, value) for value in one[identifier][:, column].tolist())
            widths[place.column + column] = max(widths[place.column + column], max(map(len, texts)) + 2.5)
    for gap in board.gaps:
        widths[gap] = NARROW
    return widths


def _alike(expression: m.Matrix) -> bool:
    """Whether the formulas of a column differ by their row alone: not where a row has a rule of its own."""
    if isinstance(expression, m.Identity | m.Stack):
        return False
    return all(map(_alike, m.operands(expression)))


def _detail(heading: Heading) -> str:
    fraction = None if heading.fraction is None else label_text(heading.fraction)
    shown_name = label_text(heading.name)
    parts = (heading.symbol, fraction, heading.size)
    return " · ".join(part for part in parts if part and part != shown_name)
