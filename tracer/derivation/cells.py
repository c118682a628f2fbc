"""What is written for the cells of one pass: their symbols, their rules in letters, with numbers, and their values.

A backward cell is written as the derivative that it is, wherever it is one. Everything is read from
the expressions of the pass; nothing is computed here a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count

from tracer.derivation.blocks import EQUALS, NEARLY, Line, Stage, line, operator, row, shown_cells
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.evaluate import evaluate_cell
from tracer.expression.label import Label, Name, Ratio, label_mathml
from tracer.expression.lower import lower
from tracer.expression.mathml import cell_mathml, cell_mathml_terms
from tracer.expression.worked import Worked, as_shown, branch, holds, no_cell, work
from tracer.presentation.headings import Headings
from tracer.presentation.shown import DEFAULT, shown
from tracer.problem.remarks import is_gradient
from tracer.program.program import LayerMatrices
from tracer.run.passes import Pass, Trace

MOST_TERMS = 5  # of a sum that are written out
_STRUCK = "struck"  # the matrix of the cells that stand for terms that are zero
_CONTRARY = {">": "≤", ">=": "&lt;", "=": "≠"}
_RELATIONS = {">": "&gt;", ">=": "≥", "=": "="}

NameOf = Callable[[s.Cell], str]


class Cells:
    """The cells of one pass of a trace."""

    def __init__(self, trace: Trace, one: Pass) -> None:
        self.trace, self.one = trace, one
        self.problem, self.program = trace.problem, one.program
        headings = Headings(trace.problem)
        self.names, self.symbols = headings.names, headings.symbols
        self.decimals = shown(trace, one)

    def layer(self, number: int) -> LayerMatrices:
        """The identifiers of a layer's matrices."""
        return self.program.layer(number)

    # names

    def matrix(self, identifier: str) -> str:
        """What a whole matrix is called."""
        return label_mathml(self.names.matrix(identifier))

    def name(self, cell: s.Cell) -> Name:
        """A backward cell is the fraction that it is, an updated parameter has a hat unless its style has a mark."""
        place = (cell.row, cell.column)
        fraction = self.symbols.fraction(cell.matrix, place) if is_gradient(self.problem, cell.matrix) else None
        name = fraction or self.symbols.cell(cell.matrix, *place)
        if isinstance(name, Label) and name.base == cell.matrix:
            made = self.program.assignments.get(cell.matrix)
            of = made.of if made is not None and made.role == "updated" else None
            return replace(name, base=of or name.base, hat=of is not None)
        return name

    def symbol(self, cell: s.Cell) -> str:
        """A cell by its name; a backward one is a fraction."""
        return label_mathml(self.name(cell))

    def factor(self, cell: s.Cell) -> str:
        """The symbol within a formula: in parentheses where a sign or a factor belongs to it."""
        name = self.name(cell)
        if isinstance(name, Ratio) and (name.negative or name.factor):
            return row(operator("("), label_mathml(name), operator(")"))
        return label_mathml(name)

    def ratio(self, top: s.Cell, bottom: s.Cell) -> str:
        """The derivative of one cell with respect to another: ∂h1_in1/∂W_i1j1."""
        over, under = (self.symbols.cell(cell.matrix, cell.row, cell.column) for cell in (top, bottom))
        assert isinstance(over, Label) and isinstance(under, Label)
        return label_mathml(Ratio(over, under))

    # rules

    def rule(self, identifier: str) -> m.Matrix:
        """The expression of a computed matrix, as it is before it is rounded."""
        made = self.program.assignments[identifier].expression
        assert made is not None
        return made.operand if isinstance(made, m.Rounded) else made

    def lowered(self, cell: s.Cell) -> s.Scalar:
        """What a cell is made of."""
        return lower(self.rule(cell.matrix), cell.row, cell.column)

    def block(self, identifier: str) -> s.Block:
        """All cells of a matrix."""
        return s.Block(identifier, 0, 0, *self.program.assignments[identifier].shape)

    def work(self, cell: s.Cell, expression: s.Scalar | None = None, most_terms: int = MOST_TERMS) -> Worked:
        """A cell worked out, by its own rule or by another one that comes to the same."""

        def value(other: s.Cell) -> s.Value:
            number = float(self.one[other.matrix][other.row, other.column])
            return s.Value(number, self.decimals.decimals[other.matrix])

        decimals = self.decimals.decimals[cell.matrix]
        made = self.lowered(cell) if expression is None else expression
        return work(made, value, DEFAULT if decimals is None else decimals, most_terms)

    # what is written

    def value(self, cell: s.Cell) -> str:
        """A cell's number, as it is shown."""
        text = self.decimals.text(cell.matrix, float(self.one[cell.matrix][cell.row, cell.column]))
        number = f"<mn>{text.removeprefix('−')}</mn>"
        return row(operator("−"), number) if text.startswith("−") else number

    def letters(self, worked: Worked, name: NameOf | None = None) -> str:
        return cell_mathml(worked.letters, name or self.factor)

    def numbers(self, stage: s.Scalar) -> str:
        """A stage with numbers; terms that are zero are struck out."""
        return "".join(self.pieces(stage))

    def pieces(self, stage: s.Scalar, name: NameOf | None = None) -> list[str]:
        """A stage term by term, in letters or with numbers."""
        if isinstance(stage, s.Where) and not _holds_cells(stage):
            return [self._since(stage)]
        kept, struck = strike(stage)
        names = name or self.factor

        def of(cell: s.Cell) -> str:
            return crossed(cell_mathml(struck[cell], names)) if cell in struck else names(cell)

        return cell_mathml_terms(kept, of)

    def _since(self, where: s.Where) -> str:
        """The side that counts, and why: 1 since 1.35 > 0."""
        sign = (_RELATIONS if _applies(where) else _CONTRARY)[where.relation]
        condition = row(self.numbers(where.left), operator(sign), self.numbers(where.right))
        return row(row(self.numbers(branch(where))), "<mtext>&#160;since&#160;</mtext>", condition)

    def stages(
        self,
        cells: s.Block,
        rule: Callable[[s.Cell], s.Scalar] | None = None,
        name: Callable[[s.Cell], NameOf] | None = None,
        most: int = 1,
    ) -> list[Stage]:
        """Symbols = letters = numbers = … = values, over the cells of a block, with at most `most` stages of numbers.

        `rule` gives another expression of a cell than its own, `name` the names in its letters.
        """
        works = {cell: self.work(cell, rule(cell) if rule else None) for cell in shown_cells(cells)}
        lengths = {len(worked.stages) for worked in works.values()}
        steps = min(most, *lengths) if len(lengths) == 1 else 1

        def letters(cell: s.Cell) -> str:
            return self.letters(works[cell], name(cell) if name else None)

        def numbers(number: int) -> Callable[[s.Cell], str]:
            return lambda cell: self.numbers(works[cell].stages[number])

        made: list[Stage] = [(EQUALS, self.symbol, "symbols")]
        if any(map(_holds_cells, (worked.letters for worked in works.values()))):
            if not any(isinstance(worked.letters, s.Where) for worked in works.values()):
                made.append((EQUALS, letters, "letters"))
            made += [(EQUALS, numbers(k), "numbers") for k in range(steps)]
        exact = all(_gives(stage, worked) for worked in works.values() for stage in worked.stages[:steps])
        return [*made, (EQUALS if exact else NEARLY, self.value, "values")]

    def example(
        self, cell: s.Cell, rule: s.Scalar | None = None, name: NameOf | None = None, until: str = "value"
    ) -> Line:
        """One cell in full: symbol = letters = numbers = each term's value = value."""
        worked = self.work(cell, rule)
        made: list[list[str]] = [[self.symbol(cell)], _after(EQUALS, self.pieces(worked.letters, name))]
        if until == "value":
            stages = (*worked.stages[:1], *worked.stages[1:][-1:])  # the numbers put in, and what they come to last
            made += [_after(EQUALS, self.pieces(stage)) for stage in stages]
            exact = all(_gives(stage, worked) for stage in stages)
            made.append([row(operator(EQUALS if exact else NEARLY), self.value(cell))])
        return line(*made)


def _gives(stage: s.Scalar, worked: Worked) -> bool:
    """Whether the digits that a stage shows give those of the result, by the same branch."""
    same = not isinstance(stage, s.Where) or _applies(stage) == _applies(as_shown(stage))
    return same and holds(stage, worked.result)


def _applies(where: s.Scalar) -> bool:
    """Whether a condition between numbers holds."""
    assert isinstance(where, s.Where)
    return evaluate_cell(replace(where, then=s.Number(1.0), otherwise=s.Number(0.0)), no_cell) != 0


def _after(sign: str, pieces: list[str]) -> list[str]:
    return [row(operator(sign), pieces[0]), *pieces[1:]]


def crossed(content: str) -> str:
    """A term that is zero: struck out, with a small 0 behind it."""
    zero = '<mpadded voffset="0.9em" class="nought"><mn>0</mn></mpadded>'
    return f'<mrow><mrow class="struck">{content}</mrow>{zero}</mrow>'


def strike(expression: s.Scalar) -> tuple[s.Scalar, Mapping[s.Cell, s.Scalar]]:
    """The expression with every term set aside that is exactly zero because a factor of it is."""
    struck: dict[s.Cell, s.Scalar] = {}
    numbers = count()

    def visit(part: s.Scalar) -> s.Scalar:
        if isinstance(part, s.Sum):
            return s.Sum(tuple(map(term, part.terms)))
        parts = s.children(part)
        return s.rebuild(part, tuple(map(visit, parts))) if parts else part

    def term(part: s.Scalar) -> s.Scalar:
        if isinstance(part, s.Negative):
            return s.Negative(term(part.operand))
        product = isinstance(part, s.Product | s.Quotient | s.Power)
        if not product or _holds_cells(part) or evaluate_cell(part, no_cell) != 0:
            return visit(part)
        struck[place := s.Cell(_STRUCK, next(numbers), 0)] = part
        return place

    return term(expression), struck


def _holds_cells(expression: s.Scalar) -> bool:
    return isinstance(expression, s.Cell | s.Variable) or any(map(_holds_cells, s.children(expression)))
