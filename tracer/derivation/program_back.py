"""The way back through one forward step of a program: how the loss depends on what that step made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tracer.calculus.row_functions import recognised
from tracer.derivation.cells import Cells
from tracer.derivation.functions import function_name
from tracer.derivation.links import ChainLinks, Link
from tracer.derivation.matrices import rule, worked
from tracer.derivation.typeset import (
    EQUALS,
    NEARLY,
    Chapter,
    Contents,
    Cut,
    Formula,
    Passage,
    fitted,
    operator,
    row,
    say,
    shown_cells,
    spoken,
    table,
)
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.mathml import cell_mathml
from tracer.program.program import Step
from tracer.program.roles import Assignment

MOST_NAMED = 4  # matrices of a sentence


class BackwardChapters:
    """The backward steps of a program's book."""

    def __init__(self, cells: Cells) -> None:
        self.cells, self.links, self.program = cells, ChainLinks(cells), cells.program
        self.users: dict[str, list[str]] = {}
        for each in self.program.assignments.values():
            if each.role in ("intermediate", "loss") and each.expression is not None:
                for used in dict.fromkeys(symbol.name for symbol in traversal.symbols(each.expression)):
                    self.users.setdefault(used, []).append(each.id)

    def chapter(self, step: Step) -> Chapter:
        """Its local derivatives, gradients and contributions, in the order in which they are made."""
        passages = tuple(self._passage(each) for each in step.assignments)
        return Chapter(f"back-{step.number}", f"Step {step.number} · {step.title}", passages)

    def _passage(self, made: Assignment) -> Passage:
        match made.role:
            case "local_derivative":
                return Passage("local-derivative", made.id, tuple(self._local(made)))
            case "contribution":
                return Passage("contribution", made.id, tuple(self._contribution(made)))
            case _:
                return Passage("gradient", made.id, tuple(self._gradient(made)))

    # one matrix at a time

    def _local(self, made: Assignment) -> Contents:
        of = made.of or ""
        name, by = function_name(self.cells, of), self._used_for(made.id)
        recall = " Recall the derivative of {name}:" if name else ""
        if any(recognised(node) is not None for node in traversal.parts(self.cells.rule(of))):
            asks = f"A part of the derivative of {{of}} with respect to {{by}}{'.' if recall else ':'}"
        else:
            asks = "How does {of} change, cell by cell, with {by}?" if by else _FIXED
        yield say(f"{asks}{recall}", of=self.cells.matrix(of), by=self._named(by) if by else "", name=spoken(name))
        yield rule(self.cells, made.id)
        yield from worked(self.cells, made.id)
        if made.id not in self.program.first_uses:
            sums = (self.cells.one[made.id].sum(axis=axis) for axis in (0, 1, None))
            nothing = any(np.allclose(each, 0.0) for each in sums)
            yield say(f"Nothing goes back this way{', since these add up to 0' if nothing else ''}.")

    def _contribution(self, made: Assignment) -> Contents:
        of = made.of or ""
        through = self._reached(made)
        yield say(
            f"{{of}} is used more than once. What comes back to it {'through {through}' if through else 'here'}:",
            of=self.cells.matrix(of),
            through=self._named(through) if through else "",
        )
        yield from self._told(made)

    def _gradient(self, made: Assignment) -> Contents:
        of = made.of or ""
        ways = [each for each in self.users.get(of, []) if each == self.program.loss or each in self.program.gradients]
        names = {"of": self.cells.matrix(of), "loss": self.cells.matrix(self.program.loss)}
        asks = f"How does the loss change with {'the parameter ' if of in self.program.parameters else ''}{{of}}"
        if not ways:
            yield say(f"{asks}? Not at all:", **names)
        elif ways == [self.program.loss]:
            yield say(f"{asks}? It enters the loss {{loss}} directly:", **names)
        else:
            how = " What comes back along these ways adds up:" if len(ways) > 1 else self._how(made, *ways)
            yield say(f"{asks}, which acts on it through {{ways}}?{how}", **names, ways=self._named(ways))
        yield from self._told(made)
        yield from self._jacobian(made, ways)

    def _told(self, made: Assignment) -> Contents:
        yield rule(self.cells, made.id)
        yield from worked(self.cells, made.id)

    def _named(self, identifiers: Sequence[str]) -> str:
        """Names in a row, with an "and" before the last."""
        names = [self.cells.matrix(each) for each in identifiers[:MOST_NAMED]]
        if len(identifiers) > MOST_NAMED:
            names.append(f"<mtext>{len(identifiers) - MOST_NAMED} more</mtext>")
        *first, last = names
        return f"{'<mo>,</mo>'.join(first)}<mtext>&#160;and&#160;</mtext>{last}" if first else last

    def _used_for(self, identifier: str) -> list[str]:
        """What a local derivative is taken with respect to: the matrices to whose gradients it is sent on."""
        to = (
            each.of
            for each in self.program.assignments.values()
            if each.role in ("gradient", "contribution") and each.of and each.expression is not None
            if any(symbol.name == identifier for symbol in traversal.symbols(each.expression))
        )
        return list(dict.fromkeys(to))

    def _reached(self, made: Assignment) -> list[str]:
        """The matrices whose gradients a contribution is made of."""
        expression = self.cells.rule(made.id)
        used = dict.fromkeys(symbol.name for symbol in traversal.symbols(expression))
        parts = (self.program.assignments.get(each) for each in used)
        return [each.of for each in parts if each is not None and each.role == "gradient" and each.of]

    def _how(self, made: Assignment, user: str) -> str:
        """How the gradient that came back to its only user is sent on, as the expression says."""
        if _of_rows(self.cells.rule(user)):
            return f" Recall the derivative of {function_name(self.cells, user)}:"
        expression = self.cells.rule(made.id)
        if any(isinstance(part, m.MatMul) for part in traversal.parts(expression)):
            return " The gradient that came back is multiplied by the other matrix, transposed:"
        symbols = {each.name for each in traversal.symbols(expression)}
        if any(self.program.assignments[each].role == "local_derivative" for each in symbols - {self.program.rate}):
            return " The gradient that came back, times the local derivative:"
        if isinstance(expression, m.Correlation | m.Spread):
            return " The gradient that came back meets the other matrix wherever that was used:"
        if isinstance(expression, m.Reduce):
            return " It is used for every row, column or cell, so what came back adds up:"
        return ""

    # the Jacobian of one row

    def _jacobian(self, made: Assignment, ways: Sequence[str]) -> Contents:
        """The derivatives of each output of one row of a softmax with respect to each of its inputs."""
        for user in ways:
            if user == self.program.loss or not _of_rows(self.cells.rule(user)):
                continue
            grid = list(self._grid(made, user))
            if len(grid) > 1:
                yield say(
                    "In full for one row of {user}: the derivative of every output (down) with respect to every input "
                    "(across). What came back to the row, times this matrix, is the row of {gradient}.",
                    user=self.cells.matrix(user),
                    gradient=self.cells.matrix(made.id),
                )
                yield _jacobian_formula(self.cells, self.links, grid)

    def _grid(self, made: Assignment, user: str) -> Iterator[list[Link]]:
        """The links between the outputs of one row (down) and its inputs (across)."""
        gradient = self.program.gradients[user]
        found = self._linked(self.cells.first(made.id), gradient)
        places = sorted((link.top.row, link.top.column) for link in found)
        columns = [self._linked(s.Cell(made.id, *place), gradient) for place in places]
        by_top = [{(link.top.row, link.top.column): link for link in column} for column in columns]
        if all(set(column) == set(places) for column in by_top):
            yield from ([column[place] for column in by_top] for place in places)

    def _linked(self, cell: s.Cell, gradient: str) -> list[Link]:
        links = self.links.of(cell) or ()
        return [link for link in links if link.gradient is not None and link.gradient.matrix == gradient]


_FIXED = "{of} is made of a value, too, that no gradient goes back to. How does it change with that, cell by cell?"


def _of_rows(expression: m.Matrix) -> bool:
    """Whether it is a function of rows, or of columns, as a whole."""
    inner = expression.operand if isinstance(expression, m.Transpose) else expression
    return recognised(inner) is not None


def _jacobian_formula(cells: Cells, links: ChainLinks, grid: list[list[Link]]) -> Formula:
    """Derivatives in fractions = in letters = with numbers = values."""
    places = s.Block("", 0, 0, len(grid), len(grid[0]))

    def link(place: s.Cell) -> Link:
        return grid[place.row][place.column]

    def letters(place: s.Cell) -> str:
        return cell_mathml(links.worked(link(place)).letters, cells.symbol)

    def numbers(place: s.Cell) -> str:
        return cells.numbers(links.worked(link(place)).stages[0])

    def value(place: s.Cell) -> str:
        return cell_mathml(links.shown(link(place)), cells.symbol)

    exact = all(links.exact(link(place)) for place in shown_cells(places))
    signs = ("", EQUALS, EQUALS, EQUALS if exact else NEARLY)
    writers = (lambda place: cells.ratio(link(place).top, link(place).by), letters, numbers, value)

    def stages(cut: Cut) -> Iterator[Sequence[str]]:
        for sign, write in zip(signs, writers, strict=True):
            yield (row(operator(sign) if sign else "", table(places, write, "derived", cut=cut)),)

    return fitted(stages)
