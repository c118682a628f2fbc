"""The network of a book as a problem: `[[layers]]` where it is a plain perceptron, otherwise a program, cell by cell.

What is written was traced before: it gives the book's loss, and the gradients of that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, assert_never

import numpy as np

from tracer.audit.graph import name_of, root
from tracer.audit.known import Study
from tracer.audit.numbers import value
from tracer.audit.package import AuditError
from tracer.audit.perceptron import FoundPerceptron, perceptrons
from tracer.audit.report import Audit
from tracer.audit.roles import ancestors
from tracer.audit.targets import labels_of
from tracer.errors import TracerError
from tracer.expression import scalar as s
from tracer.expression.arrays import Array
from tracer.problem.problem import Problem
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.reading import problem_of_table
from tracer.program import naming_policy as named
from tracer.run.training import trace
from tracer.spreadsheet.columns import address

MOST_FORMULAS = 3_000
CLOSE = 1e-9
NO_RATE = 0.1  # where a book has no update
_FUNCTIONS = ("sqrt", "sin", "cos")


def problem_of(audit: Audit) -> Problem | ProgramProblem:
    """The problem of the network that an audit found. Raises AuditError, in one line, where there is none to be had."""
    study = audit.study
    if study is None or not study.roles.losses:
        raise AuditError(f"{audit.file}: no loss was found, so there is no problem to write; name it with --loss CELL")
    for found in perceptrons(study, _parameters(audit, study)):
        document = {**_head(audit, audit.factor), **found.document}
        problem = _read(document)
        if problem is not None and _agrees(audit, study, problem, _in_layers(found), audit.factor):
            return problem
    program = _Taken(study, _parameters(audit, study))
    problem = problem_of_table({**_head(audit, 1.0), **program.document()}, audit.file)
    if not _agrees(audit, study, problem, program.places(), 1.0):
        raise AuditError(f"{audit.file}: the network could not be taken over: its program gives other numbers")
    return problem


def _parameters(audit: Audit, study: Study) -> frozenset[s.Cell]:
    """The typed parameters of the first loss; every typed cell with a gradient, where no update says which they are."""
    loss = study.roles.losses[0]
    typed = {each for each in study.gradients[loss] if each in study.graph.typed}
    return frozenset(each for each in audit.parameters if each in typed)


def _head(audit: Audit, factor: float) -> dict[str, Any]:
    rate = abs(audit.change / factor) if audit.change else NO_RATE
    loss = audit.implied or name_of(audit.losses[0])
    said = [f"Found by an audit of {audit.file}; its loss is {loss}."]
    if not audit.change:
        said.append(f"The book has no update: the learning rate of {NO_RATE} is made up.")
    if abs(factor - 1.0) < CLOSE < abs(audit.factor - 1.0):
        said.append(f"The book's gradients are {audit.factor:.6g} times those of its loss.")
    return {"title": re.sub(r"\.\w+$", "", audit.file), "description": " ".join(said), "learning_rate": rate}


def _read(document: Mapping[str, Any]) -> Problem | ProgramProblem | None:
    try:
        return problem_of_table(document, "problem")
    except TracerError:
        return None


def _in_layers(found: FoundPerceptron) -> dict[s.Cell, tuple[str, int, int]]:
    """For each parameter its gradient's matrix, row and column."""
    matrix = {"weights": named.weights, "bias": named.bias}
    return {cell: (named.gradient(matrix[kind](layer)), i, j) for cell, (kind, layer, i, j) in found.places.items()}


def _agrees(
    audit: Audit,
    study: Study,
    problem: Problem | ProgramProblem,
    places: Mapping[s.Cell, tuple[str, int, int]],
    factor: float,
) -> bool:
    """Whether a problem's loss and gradients are the book's, the latter times a factor."""
    try:
        found = trace(problem).last
    except TracerError:
        return False
    loss = study.roles.losses[0]
    book = float(study.row(loss)[0])
    if not _close(found.loss, book):
        return False
    gradients = study.gradients[loss]
    return all(
        _close(_at(found[name], i, j), factor * float(np.ravel(gradients.get(cell, 0.0))[0]))
        for cell, (name, i, j) in places.items()
    )


def _at(matrix: Array, row: int, column: int) -> float:
    return float(matrix[row, column])


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= CLOSE * max(1e-3, abs(one), abs(other))


class _Taken:
    """The loss of a book as a program: a matrix of one cell for each of its cells, in steps by depth."""

    def __init__(self, study: Study, parameters: frozenset[s.Cell]) -> None:
        self.study, self.loss = study, study.roles.losses[0]
        graph, roles = study.graph, study.roles
        before = ancestors(graph, (self.loss,), roles.updates, roles.implied)
        self.computed = [each for each in graph.order if each in before and each not in roles.updates]
        self.computed = [each for each in self.computed if root(graph, each) == each or each == self.loss]
        if len(self.computed) > MOST_FORMULAS:
            raise AuditError(
                f"{graph.book.name}: the network has {len(self.computed):,} computed cells; "
                f"up to {MOST_FORMULAS:,} can be written as a program"
            )
        inner = {*self.computed, self.loss}
        self.starts = [each for each in before if each not in inner and root(graph, each) == each]
        self.parameters = parameters
        self.prefix = _prefixes(sorted({each.matrix for each in before if each.matrix}))

    def name(self, cell: s.Cell) -> str:
        origin = cell if cell == self.loss else root(self.study.graph, cell)
        if not origin.matrix:
            return named.LOSS
        prefix = self.prefix[origin.matrix]
        return (
            f"{prefix if prefix[:1].isalpha() or not prefix else 'Sheet_' + prefix}{address(origin.row, origin.column)}"
        )

    def document(self) -> dict[str, Any]:
        numbers = {each: float(self.study.row(each)[0]) for each in sorted(self.starts, key=_place)}
        given = {self.name(each): number for each, number in numbers.items() if each not in self.parameters}
        parameters = {self.name(each): number for each, number in numbers.items() if each in self.parameters}
        return {"given": given, "parameters": parameters, "steps": list(self.steps())}

    def steps(self) -> Iterator[dict[str, Any]]:
        depth: dict[s.Cell, int] = {}
        together: dict[int, list[str]] = {}
        for cell in self.computed:
            made = self.study.graph.made[cell]
            used = (root(self.study.graph, each) for each in self.study.graph.uses[cell])
            depth[cell] = 1 + max((depth.get(each, 0) for each in used), default=0)
            if cell != self.loss:
                together.setdefault(depth[cell], []).append(f"{self.name(cell)} = {self.text(made)}")
        implied = self.study.roles.implied.get(self.loss)
        last = implied if implied is not None else self.study.graph.made[self.loss]
        for number, formulas in sorted(together.items()):
            yield {"title": f"Stage {number}", "formulas": formulas}
        yield {"title": "Loss", "formulas": [f"{self.name(self.loss)} = {self.text(last)}"]}

    def places(self) -> dict[s.Cell, tuple[str, int, int]]:
        return {each: (named.gradient(self.name(each)), 0, 0) for each in self.parameters if each in set(self.starts)}

    def text(self, node: s.Scalar) -> str:
        """An expression in the notation of programs. Raises AuditError for what that does not have."""
        match node:
            case s.Cell():
                return self.name(node)
            case s.Number(number) | s.Value(number) | s.Omitted(_, number):
                return f"({number!r})" if number < 0 else repr(number)
            case s.Sum(terms):
                return "(" + self.added(terms) + ")"
            case s.Negative(inner):
                return f"(-{self.text(inner)})"
            case s.Product(factors):
                return " * ".join(self.text(each) for each in factors)
            case s.Quotient(above, below):
                return f"({self.text(above)} / ({self.text(below)}))"
            case s.Power(base, exponent):
                return f"({self.text(base)}) ** {exponent:g}"
            case s.Raised(base, exponent):
                return f"exp({math.log(base)!r} * ({self.text(exponent)}))"
            case s.Where(left, "=", right, then, otherwise) if labels_of(self.study.graph, left, right):
                return self.text(then if self.typed(left) == self.typed(right) else otherwise)
            case s.Where(left, relation, right, then, otherwise) if relation != "=":
                texts = [self.text(each) for each in (left, right, then, otherwise)]
                return f"where({texts[0]} {relation} {texts[1]}, {texts[2]}, {texts[3]})"
            case s.Stable(_, computed):
                return self.text(computed)
            case s.Fold():
                return self.text(s.expand(node))
            case _:
                return self.function(node)

    def typed(self, node: s.Scalar) -> float:
        """The number of an expression over typed cells."""
        return float(np.ravel(value(node, self.study.values))[0])

    def added(self, terms: Iterable[s.Scalar]) -> str:
        found = ""
        for each in terms:
            negative = isinstance(each, s.Negative)
            text = self.text(each.operand if isinstance(each, s.Negative) else each)
            found += (" - " if found else "-") + text if negative else (" + " if found else "") + text
        return found

    def function(self, node: s.OfNumbers | s.Where | s.Variable) -> str:
        match node:
            case s.Exp(argument):
                return f"exp({self.text(argument)})"
            case s.Log(argument):
                return f"log({self.text(argument)})"
            case s.Tanh(argument):
                return f"tanh({self.text(argument)})"
            case s.Function(name, argument) if name in _FUNCTIONS:
                return f"{name}({self.text(argument)})"
            case s.Absolute(operand):
                return f"abs({self.text(operand)})"
            case s.Maximum(operands):
                texts = [self.text(each) for each in operands]
                while len(texts) > 1:
                    texts[:2] = [f"maximum({texts[0]}, {texts[1]})"]
                return texts[0]
            case s.Where() | s.Round() | s.Function() | s.Variable():
                raise AuditError(
                    f"{self.study.graph.book.name}: a formula has what no program says: {type(node).__name__}"
                )
            case _:
                assert_never(node)


def _place(cell: s.Cell) -> tuple[str, int, int]:
    return cell.matrix, cell.row, cell.column


def _prefixes(titles: Sequence[str]) -> dict[str, str]:
    """What stands before a sheet's addresses: its title, or its number where the letters of that do not tell."""
    if len(titles) == 1:
        return {titles[0]: ""}
    plain = {title: re.sub(r"\W", "", title, flags=re.ASCII) for title in titles}
    alone = {title: list(plain.values()).count(word) == 1 and word[:1].isalpha() for title, word in plain.items()}
    return {title: f"{plain[title] if alone[title] else f'Sheet{k}'}_" for k, title in enumerate(titles, start=1)}
