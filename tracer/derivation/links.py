"""The links of the chain rule, read off the rules of a program's gradients: ∂L/∂v = Σ ∂L/∂u · ∂u/∂v.

A cell of a gradient is linear in cells of the gradients before it on the way back. What each of them is multiplied by
is the derivative of one cell with respect to the other, in the program's own local derivatives and operands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np

from tracer.calculus.tidy import ONE, ZERO, tidy
from tracer.derivation.cells import Cells
from tracer.expression import scalar as s
from tracer.expression.digits import as_typed, decimals_for
from tracer.expression.evaluate import evaluate_cell
from tracer.expression.worked import Worked, holds, work
from tracer.presentation.shown import DEFAULT, SIGNIFICANT

MOST_TYPED = 6  # characters of a number that is a factor as it is
MOST_LINKS = 60  # of one cell that are looked for; with more it is the end of a path
LinkShare: TypeAlias = tuple[s.Cell | None, s.Scalar]
"""A cell of a gradient (None: of the loss itself, whose gradient is 1), and a term of what it is multiplied by."""


@dataclass(frozen=True)
class Link:
    """∂top/∂by = `rule`, worth `value`; `gradient` is the cell that holds ∂L/∂top, None where top is the loss."""

    gradient: s.Cell | None
    top: s.Cell
    by: s.Cell
    rule: s.Scalar
    value: float


def rounded(value: float) -> s.Value:
    """A number with as many digits as it takes to tell it."""
    return s.Value(value, max(DEFAULT, decimals_for(np.array([value]), SIGNIFICANT)))


def _together(shares: Iterable[LinkShare]) -> Iterator[LinkShare]:
    """The shares with those of one cell added up."""
    found: dict[s.Cell | None, list[s.Scalar]] = {}
    for head, share in shares:
        found.setdefault(head, []).append(share)
    for head, terms in found.items():
        yield head, s.Sum(tuple(terms)) if len(terms) > 1 else terms[0]


class ChainLinks:
    """The links that lead to the cells of a program's gradients."""

    def __init__(self, cells: Cells) -> None:
        self.cells, self.assignments = cells, cells.program.assignments
        self.of = cache(self._of)

    def number(self, cell: s.Cell) -> float:
        return float(self.cells.one[cell.matrix][cell.row, cell.column])

    def worked(self, link: Link) -> Worked:
        """Its rule in letters, with numbers, and what they come to."""

        def value(cell: s.Cell) -> s.Value:
            return s.Value(self.number(cell), self.decimals(cell))

        shown = self.shown(link).decimals
        return work(link.rule, value, DEFAULT if shown is None else shown)

    def shown(self, link: Link) -> s.Value:
        """Its value, with the digits of the cell that it is, or as many as it takes to tell it."""
        match link.rule:
            case s.Cell():
                return s.Value(link.value, self.decimals(link.rule))
            case s.Number() if len(as_typed(link.value)) <= MOST_TYPED:
                return s.Value(link.value, None)
            case _:
                return rounded(link.value)

    def exact(self, link: Link) -> bool:
        """Whether the numbers that are shown of its rule give the digits of its value."""
        shown = self.shown(link)
        if isinstance(link.rule, s.Cell | s.Number):
            return isinstance(link.rule, s.Cell) or shown.decimals is None
        return holds(self.worked(link).stages[0], shown)

    def decimals(self, cell: s.Cell) -> int | None:
        return self.cells.decimals.decimals[cell.matrix]

    def _of(self, gradient: s.Cell) -> tuple[Link, ...] | None:
        """The links of a gradient's cell, those that are 0 by their rule left out; None where they are too many."""
        by, found = self.cells.owner(gradient), self._shares(gradient)
        if found is None:
            return None
        loss = s.Cell(self.cells.program.loss, 0, 0)
        links = []
        for head, share in _together(found):
            rule = tidy(share)
            if rule != ZERO:
                top = loss if head is None else self.cells.owner(head)
                links.append(Link(head, top, by, rule, evaluate_cell(rule, self.number)))
        return tuple(links)

    def _shares(self, gradient: s.Cell) -> list[LinkShare] | None:
        found: list[LinkShare] = []
        for share in self._in(self.cells.lowered(gradient)):
            found.append(share)
            if len(found) > MOST_LINKS:
                return None
        return found

    def _in(self, expression: s.Scalar) -> Iterator[LinkShare]:
        """An expression as a sum of gradients' cells, each times something. Raises TypeError where it is none."""
        if not self._holds(expression):
            yield None, expression
            return
        match expression:
            case s.Cell():
                if self.assignments[expression.matrix].role == "gradient":
                    yield expression, ONE
                else:
                    yield from self._in(self.cells.lowered(expression))
            case s.Negative(operand):
                yield from ((head, s.Negative(share)) for head, share in self._in(operand))
            case s.Sum(terms):
                for term in terms:
                    yield from self._in(term)
            case s.Fold(operation="sum"):
                for term in expression.terms():
                    yield from self._in(term)
            case s.Product(factors):
                (linear,) = (each for each in factors if self._holds(each))
                others = tuple(each for each in factors if each is not linear)
                yield from ((head, s.Product((*others, share))) for head, share in _together(self._in(linear)))
            case s.Quotient(above, below):
                yield from ((head, s.Quotient(share, below)) for head, share in self._in(above))
            case s.Round(operand):
                yield from self._in(operand)
            case _:
                raise TypeError(f"a gradient is no sum of others: {expression}")

    def _holds(self, expression: s.Scalar) -> bool:
        """Whether a gradient that came back, or a part of one, is in an expression."""
        match expression:
            case s.Cell(matrix):
                return self._came_back(matrix)
            case s.Fold(_, template, blocks):
                return self._holds(template) or any(self._came_back(block.matrix) for _, block in blocks)
            case _:
                return any(map(self._holds, s.children(expression)))

    def _came_back(self, matrix: str) -> bool:
        """Whether a matrix is a gradient, or what one sends on; a part that enters the loss directly is neither."""
        made = self.assignments.get(matrix)
        return made is not None and made.role in ("gradient", "contribution")
