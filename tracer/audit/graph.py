"""The graph of a book's cells: what each is made of, in an order of computation, and their values at chosen points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tracer.audit import grids
from tracer.audit.lowering import Lowering
from tracer.audit.numbers import PointRow, cells_of, value
from tracer.audit.package import AuditedPlace, BookCells, WrittenFormula
from tracer.audit.parsing import UnreadFormulaError
from tracer.expression import scalar as s
from tracer.spreadsheet.columns import address

MOST_OPERANDS = 3_000_000  # of all formulas together
CLOSE = 1e-9  # of the size of a number: our value and the book's own are the same
WRITTEN_E = 1e-2  # where e is written with a few digits


@dataclass
class BookGraph:
    """`made`: the cells that are computed, each from its expression; every other number is typed in (`typed`).

    `unread`: formulas that are left as numbers, each with the reason. `order`: computed cells, each after all that it
    is made of, sheet by sheet and row by row.
    """

    book: BookCells
    made: dict[s.Cell, s.Scalar] = field(default_factory=dict)
    typed: dict[s.Cell, float] = field(default_factory=dict)
    unread: dict[s.Cell, str] = field(default_factory=dict)
    uses: dict[s.Cell, tuple[s.Cell, ...]] = field(default_factory=dict)
    order: list[s.Cell] = field(default_factory=list)

    @cached_property
    def users(self) -> dict[s.Cell, list[s.Cell]]:
        """For every cell those that are computed from it, in their order."""
        found: dict[s.Cell, list[s.Cell]] = {}
        for cell in self.order:
            for used in self.uses[cell]:
                found.setdefault(used, []).append(cell)
        return found

    def shown(self, cell: s.Cell) -> float | None:
        """The number that the book shows in a cell."""
        found = self.book.sheets[cell.matrix].values.get((cell.row, cell.column))
        return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None

    def formula(self, cell: s.Cell) -> str:
        """The formula of a cell as the spreadsheet shows it, or "" """
        from tracer.audit.writing import formula_at

        return formula_at(self.book, cell)

    def values(
        self, leaves: Mapping[s.Cell, PointRow], fixed: Mapping[s.Cell, PointRow] | None = None
    ) -> dict[s.Cell, PointRow]:
        """Every cell's numbers: typed ones are `leaves` or as they are; `fixed` cells are not computed."""
        found = {cell: np.float64(number) for cell, number in self.typed.items()}
        found.update(leaves)  # type: ignore[arg-type]
        found.update(fixed or {})  # type: ignore[arg-type]
        held = fixed or {}
        with np.errstate(all="ignore"):
            for cell in self.order:
                if cell not in held:
                    found[cell] = value(self.made[cell], found)  # type: ignore[arg-type, assignment]
        return found  # type: ignore[return-value]


def root(graph: BookGraph, cell: s.Cell) -> s.Cell:
    """The cell that a copy shows: = B7 leads to B7, and on."""
    seen = 0
    while isinstance(made := graph.made.get(cell), s.Cell) and seen < 1_000:
        cell, seen = made, seen + 1
    return cell


def name_of(cell: s.Cell) -> str:
    """A cell with its sheet, as in Sheet1!Y33 or 'Step 1'!B7."""
    plain = cell.matrix.isidentifier() and cell.matrix.isascii()
    title = cell.matrix if plain else "'" + cell.matrix.replace("'", "''") + "'"
    return f"{title}!{address(cell.row, cell.column)}"


def build(book: BookCells) -> BookGraph:
    """Read every formula of a book."""
    graph, lowering = BookGraph(book), Lowering(book)
    operands = 0
    for title, sheet in book.sheets.items():
        for place in sorted(sheet.values.keys() | sheet.formulas.keys()):
            _spread_arrays(book, title, place)
        for place, shown in sheet.values.items():
            if isinstance(shown, float) and place not in sheet.formulas:
                graph.typed[s.Cell(title, *place)] = shown
        for place in sorted(sheet.formulas):
            cell = s.Cell(title, *place)
            made = _made(graph, lowering, cell) if operands <= MOST_OPERANDS else None
            if made is None:
                graph.unread.setdefault(cell, "the book holds more than is read")
            else:
                graph.made[cell] = made
                graph.uses[cell] = tuple(cells_of(made))
                operands += len(graph.uses[cell])
    _settle(graph)
    return graph


def _spread_arrays(book: BookCells, title: str, place: AuditedPlace) -> None:
    """An array's formula stands in its first cell alone: the others that it fills get it too."""
    formula = book.sheets[title].formulas.get(place)
    if formula is None or formula.spread is None or formula.origin != place:
        return
    top, left, bottom, right = formula.spread
    if (bottom - top + 1) * (right - left + 1) > grids.MOST_ITEMS:
        return
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            book.sheets[title].values.setdefault((row, column), None)
            book.sheets[title].formulas.setdefault((row, column), formula)


def _made(graph: BookGraph, lowering: Lowering, cell: s.Cell) -> s.Scalar | None:
    try:
        found = lowering.expression(cell.matrix, (cell.row, cell.column))
        if isinstance(found, str):
            raise UnreadFormulaError("gives a text")
        return grids.number(found)
    except UnreadFormulaError as wrong:
        graph.unread[cell] = str(wrong)
    except (RecursionError, OverflowError):
        graph.unread[cell] = "is too deep"
    return None


def _settle(graph: BookGraph) -> None:
    """Order the computed cells; what is not read, what uses nothing, and circles stay as the numbers they show."""
    for cell in [cell for cell, used in graph.uses.items() if not used]:
        expression = graph.made.pop(cell)
        del graph.uses[cell]
        with np.errstate(all="ignore"):
            graph.typed[cell] = float(value(expression, {}))
    for cell in [cell for cell, made in graph.made.items() if _only_compares(graph, made)]:
        expression = graph.made.pop(cell)
        del graph.uses[cell]
        typed = {each: np.float64(graph.typed.get(each, 0.0)) for each in cells_of(expression)}
        graph.typed[cell] = float(value(expression, typed))  # type: ignore[arg-type]
    graph.order = list(_ordered(graph))
    for cell in graph.made.keys() - set(graph.order):
        graph.unread[cell] = "goes in a circle"
        del graph.made[cell], graph.uses[cell]
    for cell in graph.unread:
        shown = graph.shown(cell)
        graph.typed[cell] = shown if shown is not None else np.nan
    for used in {each for operands in graph.uses.values() for each in operands}:
        if used not in graph.made and used not in graph.typed:
            graph.typed[used] = np.nan


def _only_compares(graph: BookGraph, node: s.Scalar) -> bool:
    """Whether an expression is 1 or 0 by typed labels alone, as in a row of one-hot targets."""
    match node:
        case s.Where(left, "=", right, s.Number(), s.Number()):
            return all(each not in graph.made for each in (*cells_of(left), *cells_of(right)))
    return False


def _ordered(graph: BookGraph) -> Iterator[s.Cell]:
    state: dict[s.Cell, int] = {}  # 1: on the way, 2: done, 3: in a circle
    for start in graph.made:
        stack = [(start, iter(graph.uses[start]))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            cell, rest = stack[-1]
            below = next((each for each in rest if each in graph.made and state.get(each) != 2), None)
            if below is None:
                stack.pop()
                if state[cell] == 1:
                    state[cell] = 2
                    yield cell
                elif stack:
                    state[stack[-1][0]] = 3
            elif below in state:
                state[cell] = 3
            else:
                state[below] = 1
                stack.append((below, iter(graph.uses[below])))


def look_through_rounding(graph: BookGraph) -> bool:
    """Take ROUND out of all expressions: what is right without it is right. Whether there was any."""
    found = False
    for cell, made in graph.made.items():
        plain = _unrounded(made)
        if plain != made:
            graph.made[cell], found = plain, True
    return found


def _unrounded(node: s.Scalar) -> s.Scalar:
    if isinstance(node, s.Round):
        return _unrounded(node.operand)
    parts = s.children(node)
    plain = tuple(map(_unrounded, parts))
    return s.rebuild(node, plain) if plain != parts else node


def _formulas(graph: BookGraph) -> Iterator[WrittenFormula]:
    return (each for sheet in graph.book.sheets.values() for each in sheet.formulas.values())


def differing(graph: BookGraph) -> list[s.Cell]:
    """The computed cells whose shown number is not what their formula gives."""
    found = graph.values({})
    close = WRITTEN_E if any("2.71" in each.text for each in _formulas(graph)) else CLOSE
    wrong = []
    for cell in graph.order:
        shown = graph.shown(cell)
        own = float(found[cell])
        if shown is not None and not (
            abs(own - shown) <= close * max(1.0, abs(shown)) or (np.isnan(own) and np.isnan(shown))
        ):
            wrong.append(cell)
    return wrong
