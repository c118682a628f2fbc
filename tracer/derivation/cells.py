"""What is written for the matrices of one pass: symbols, rules in letters, with numbers, and values.

A backward cell is written as the derivative that it is, wherever it is one. Everything is read from
the expressions of the pass; nothing is computed here a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count

from tracer.derivation.operands import operands_of, row_of
from tracer.derivation.typeset import (
    CUTS,
    EQUALS,
    NEARLY,
    Cut,
    Formula,
    LineStage,
    crossed,
    equation,
    fitted,
    formula,
    operator,
    row,
    shown_cells,
    table,
)
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.evaluate import evaluate_cell
from tracer.expression.label import Label, Name, Ratio, label_mathml
from tracer.expression.lower import lower
from tracer.expression.mathml import cell_mathml, cell_mathml_terms, matrix_mathml
from tracer.expression.worked import Worked, as_shown, branch, holds, no_cell, work
from tracer.presentation.example import example_cell, of_samples
from tracer.presentation.shown import DEFAULT, shown
from tracer.problem.names import Names, names_of
from tracer.program.naming_policy import RATE
from tracer.run.passes import AnyProblem, Pass, Trace

MOST_TERMS = 5  # of a sum that are written out
_STRUCK = "struck"  # the matrix of the cells that stand for terms that are zero
_CONTRARY = {">": "≤", ">=": "&lt;", "=": "≠"}
_RELATIONS = {">": "&gt;", ">=": "≥", "=": "="}

NameOf = Callable[[s.Cell], str]


class Cells:
    """The cells of one pass of a trace: all that is handed round while its book is written."""

    sample = 0  # the row that is worked, of a matrix that has one for each sample

    def __init__(self, trace: Trace[AnyProblem], one: Pass) -> None:
        self.one, self.program = one, one.program
        self.names: Names = names_of(trace.problem)
        self.decimals = shown(trace, one)

    # which cells

    def first(self, identifier: str) -> s.Cell:
        """The cell of a matrix that is worked: of a computed one the first from which its rule can be seen."""
        if self.program.assignments[identifier].expression is None:
            return s.Cell(identifier, 0, 0)
        return example_cell(self.one, identifier)

    def _worked_row(self, identifier: str) -> int:
        return self.sample if of_samples(self.program, identifier) else 0

    def block(self, identifier: str) -> s.Block:
        """All cells of a matrix."""
        return s.Block(identifier, 0, 0, *self.program.assignments[identifier].shape)

    def row(self, identifier: str, number: int | None = None) -> s.Block:
        """One row of a matrix, of most matrices a sample; without a number the one that is worked."""
        block = self.block(identifier)
        return block.part(self._worked_row(identifier) if number is None else number, 0, 1, block.columns)

    def column(self, identifier: str, number: int | None = None) -> s.Block:
        """One row of a matrix, set as a column."""
        return replace(self.row(identifier, number), transposed=True)

    def owner(self, cell: s.Cell) -> s.Cell:
        """The cell that one belongs to: what a gradient is taken by, what an updated parameter was before."""
        own = self.program.assignments[cell.matrix]
        assert own.of is not None
        before = (
            self.program.assignments[own.of].shape[1] - own.shape[1]
        )  # the bias's 1, where the weights hold the bias
        return replace(cell, matrix=own.of, column=cell.column + before)

    # names

    def matrix(self, identifier: str) -> str:
        """What a whole matrix is called."""
        return label_mathml(self.names.matrix(identifier))

    def label(self, cell: s.Cell) -> Label:
        """What a cell is called that is no fraction."""
        label = self.names.cell(cell.matrix, cell.row, cell.column)
        assert isinstance(label, Label)
        return label

    def name(self, cell: s.Cell) -> Name:
        """A backward cell is the fraction that it is, an updated parameter has a hat unless its style has a mark."""
        place, assignment = (cell.row, cell.column), self.program.assignments.get(cell.matrix)
        if assignment is None:
            return self.label(cell)
        fraction = None if assignment.reproduced else self.names.fraction(cell.matrix, place)
        name = fraction or self.names.cell(cell.matrix, *place)
        new = cell.matrix in self.program.updated.values()
        if new and isinstance(name, Label) and name.base == cell.matrix:
            return replace(name, base=self.owner(cell).matrix, hat=True)
        return name

    def symbol(self, cell: s.Cell) -> str:
        """A cell by its name; a backward one is a fraction."""
        return label_mathml(self.name(cell))

    def fraction(self, identifier: str) -> str:
        """The derivative that a whole matrix is; "" where it is none."""
        found = self.names.fraction(identifier)
        return "" if found is None else label_mathml(found)

    def rate(self) -> str:
        """The learning rate, which no step assigns."""
        return self.symbol(s.Cell(RATE, 0, 0))

    def factor(self, cell: s.Cell) -> str:
        """The symbol within a formula: in parentheses where a sign or a factor belongs to it."""
        name = self.name(cell)
        if isinstance(name, Ratio) and (name.negative or name.factor):
            return row(operator("("), label_mathml(name), operator(")"))
        return label_mathml(name)

    def ratio(self, top: s.Cell, bottom: s.Cell) -> str:
        """The derivative of one cell with respect to another: ∂h1_in1/∂W_i1j1."""
        return label_mathml(Ratio(self.label(top), self.label(bottom)))

    # rules

    def rule(self, identifier: str) -> m.Matrix:
        """The expression of a computed matrix, as it is before it is rounded."""
        made = self.program.assignments[identifier].expression
        assert made is not None
        return made.operand if isinstance(made, m.Rounded) else made

    def lowered(self, cell: s.Cell) -> s.Scalar:
        """What a cell is made of."""
        return lower(self.rule(cell.matrix), cell.row, cell.column)

    def varies(self, identifier: str) -> bool:
        """Whether a matrix is made of others, and not of mere numbers."""
        return any(True for _ in traversal.symbols(self.rule(identifier)))

    def work(self, cell: s.Cell, expression: s.Scalar | None = None, most_terms: int = MOST_TERMS) -> Worked:
        """A cell worked out, by its own rule or by another one that comes to the same."""

        def value(other: s.Cell) -> s.Value:
            number = float(self.one[other.matrix][other.row, other.column])
            return s.Value(number, self.decimals.decimals[other.matrix])

        decimals = self.decimals.decimals[cell.matrix]
        made = self.lowered(cell) if expression is None else expression
        return work(made, value, DEFAULT if decimals is None else decimals, most_terms)

    # what is written for a cell

    def value(self, cell: s.Cell) -> str:
        """A cell's number, as it is shown."""
        text = self.decimals.text(cell.matrix, float(self.one[cell.matrix][cell.row, cell.column]))
        number = f"<mn>{text.removeprefix('−')}</mn>"
        return row(operator("−"), number) if text.startswith("−") else number

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

    def example(
        self, cell: s.Cell, rule: s.Scalar | None = None, name: NameOf | None = None, until: str = "value"
    ) -> Formula:
        """One cell in full: symbol = letters = numbers = each term's value = value."""
        worked = self.work(cell, rule)
        made: list[list[str]] = [[self.symbol(cell)], _after(EQUALS, self.pieces(worked.letters, name))]
        if until == "value":
            stages = (*worked.stages[:1], *worked.stages[1:][-1:])  # the numbers put in, and what they come to last
            made += [_after(EQUALS, self.pieces(stage)) for stage in stages]
            exact = all(_gives(stage, worked) for stage in stages)
            made.append([row(operator(EQUALS if exact else NEARLY), self.value(cell))])
        return formula(*made)

    # what is written for a matrix

    def known(self, identifier: str) -> Formula:
        """A matrix and its values."""
        return equation(self.block(identifier), ((EQUALS, self.value, "values"),), self.matrix(identifier))

    def equals_rule(self, identifier: str) -> str:
        """What follows the name of a matrix: = its rule in whole matrices."""
        return f"<mo>=</mo>{matrix_mathml(self.rule(identifier), self.matrix)}"

    def stages(
        self,
        cells: s.Block,
        rule: Callable[[s.Cell], s.Scalar] | None = None,
        name: Callable[[s.Cell], NameOf] | None = None,
        most: int = 1,
    ) -> list[LineStage]:
        """Symbols = letters = numbers = … = values, over the cells of a block, with at most `most` stages of numbers.

        `rule` gives another expression of a cell than its own, `name` the names in its letters.
        """
        works = {cell: self.work(cell, rule(cell) if rule else None) for cell in shown_cells(cells)}
        lengths = {len(worked.stages) for worked in works.values()}
        steps = min(most, *lengths) if len(lengths) == 1 else 1

        def letters(cell: s.Cell) -> str:
            return cell_mathml(works[cell].letters, name(cell) if name else self.factor)

        def numbers(cell: s.Cell, number: int) -> str:
            return self.numbers(works[cell].stages[number])

        made: list[LineStage] = [(EQUALS, self.symbol, "symbols")]
        if any(_holds_cells(worked.letters) for worked in works.values()):
            if not any(isinstance(worked.letters, s.Where) for worked in works.values()):
                made.append((EQUALS, letters, "letters"))
            made += [(EQUALS, partial(numbers, number=k), "numbers") for k in range(steps)]
        exact = all(_gives(stage, worked) for worked in works.values() for stage in worked.stages[:steps])
        return [*made, (EQUALS if exact else NEARLY, self.value, "values")]

    def in_matrices(self, identifier: str, numbers: bool = True, whole: bool = True) -> Formula | None:
        """A matrix, or its row that is worked, by its formula in whole matrices: [row] × [matrix] + [row] = [row].

        In symbols or with numbers; None where it is made of anything but products and sums of matrices.
        """
        made = self.rule(identifier)
        operands = operands_of(made if whole else row_of(made, self.sample))
        if operands is None:
            return None
        target = self.block(identifier) if whole else self.row(identifier)
        write, kind = (self.value, "given") if numbers else (self.symbol, "symbols")
        cut_off = any(max(each.shape) > CUTS[0].most for each in operands)  # nobody can add up what is left out
        sign = EQUALS if not numbers or cut_off or self.comes_to(target) else NEARLY

        def stages(cut: Cut) -> Iterator[Sequence[str]]:
            if whole:
                yield (self.matrix(identifier),)
            for before, block, _, repeated in operands:
                shown = EQUALS if whole and not before else before
                operand = write(block.at(0, 0)) if repeated is None else table(block, write, kind, repeated, cut)
                yield (row(operator(shown) if shown else "", operand),)
            yield (row(operator(sign), table(target, write, "values" if numbers else kind, cut=cut)),)

        return fitted(stages)

    def comes_to(self, target: s.Block) -> bool:
        """Whether the digits that are shown of the operands give those of the target, cell by cell."""
        works = (self.work(cell, most_terms=CUTS[0].most) for cell in shown_cells(target))
        return all(holds(worked.stages[0], worked.result) for worked in works)


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
