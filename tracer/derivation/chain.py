"""The chain rule over the expressions: deltas written out as error times slope, factors as the fractions they are."""

from __future__ import annotations

from collections.abc import Callable

from tracer.derivation.blocks import operator, row
from tracer.derivation.cells import Cells, NameOf, crossed
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.label import label_mathml
from tracer.expression.mathml import cell_mathml
from tracer.program.naming_policy import RATE

MOST_PATHS = 3  # units of a layer whose deltas are written out as products; of more they are matrices of their own


class Chain:
    """How the rules of the backward matrices of one pass are written."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.rows = cells.program.rows

    @property
    def carries_rate(self) -> bool:
        """Whether the deltas carry the learning rate."""
        output = self.cells.rule(self.cells.layer(self.cells.problem.depth).delta)
        return any(symbol.name == RATE for symbol in m.symbols(output))

    def factors(self, layer: int) -> bool:
        """Whether the layer's delta is a plain product, such as error times slope."""
        identifier = self.cells.layer(layer).delta
        if isinstance(self.cells.program.assignments[identifier].expression, m.Rounded):
            return False
        made = self.cells.lowered(s.Cell(identifier, 0, 0))
        return not isinstance(made, s.Sum | s.Fold)

    def apart(self, layer: int) -> bool:
        """Whether the layer's delta has a block of its own, rather than being a product wherever it comes."""
        return self.rows > 1 or self.cells.problem.sizes[layer] > MOST_PATHS or not self.factors(layer)

    def rule(self, layer: int, written_out: bool) -> Callable[[s.Cell], s.Scalar]:
        """A cell's rule as a sum of products that begin with the layer's delta, or with what that is made of."""
        delta = self.cells.layer(layer).delta

        def term(made: s.Scalar) -> s.Scalar:
            parts = _factors(made)
            deltas = [part for part in parts if isinstance(part, s.Cell) and part.matrix == delta]
            others = [part for part in parts if part not in deltas]
            first: list[s.Scalar] = list(deltas)
            if written_out:
                first = [factor for each in deltas for factor in _factors(self.cells.lowered(each))]
            return s.Product((*first, *others)) if len(first) + len(others) > 1 else first[0]

        def of(cell: s.Cell) -> s.Scalar:
            made = self.cells.lowered(cell)
            terms = tuple(map(term, made.terms() if isinstance(made, s.Fold) else (made,)))
            return s.Sum(terms) if len(terms) > 1 else terms[0]

        return of

    def weight_names(self, layer: int) -> Callable[[s.Cell], NameOf]:
        """In the gradient of a weight what came in is ∂Z/∂W."""
        before = self.cells.layer(layer).inputs

        def names(target: s.Cell) -> NameOf:
            def of(cell: s.Cell) -> str:
                if cell.matrix != before:
                    return self.cells.factor(cell)
                weight = s.Cell(self.cells.layer(layer).weights, target.row, target.column)
                return self.cells.ratio(s.Cell(self.cells.layer(layer).pre_activation, cell.row, target.column), weight)

            return of

        return names

    def path_names(self, layer: int) -> Callable[[s.Cell], NameOf]:
        """In the error sent back to a layer the weight between is ∂Z of the next layer/∂A."""
        weights = self.cells.layer(layer + 1).weights

        def names(target: s.Cell) -> NameOf:
            def of(cell: s.Cell) -> str:
                if cell.matrix != weights:
                    return self.cells.factor(cell)
                return self.cells.ratio(
                    s.Cell(self.cells.layer(layer + 1).pre_activation, target.row, cell.column),
                    s.Cell(self.cells.layer(layer).activation, target.row, target.column),
                )

            return of

        return names

    def only_term(self, top: s.Cell, by: s.Cell) -> tuple[str, str, str]:
        """∂top/∂by three times: as that, with the sum put in and all terms but one struck out, and the factor left."""
        letters = self.cells.work(top).letters
        terms = letters.terms if isinstance(letters, s.Sum) else (letters,)
        gone = {s.Cell("gone", k, 0): term for k, term in enumerate(terms) if by not in _factors(term)}
        places = {term: place for place, term in gone.items()}
        kept = s.Sum(tuple(places.get(term, term) for term in terms))

        def name(cell: s.Cell) -> str:
            return crossed(cell_mathml(gone[cell], self.cells.symbol)) if cell in gone else self.cells.symbol(cell)

        inside = row(operator("("), cell_mathml(kept, name), operator(")"))
        under = row(operator("∂"), label_mathml(self.cells.symbols.cell(by.matrix, by.row, by.column)))
        (term,) = (term for term in terms if term not in places)
        left = [factor for factor in _factors(term) if factor != by]
        fraction = f"<mfrac>{row(operator('∂'), inside)}{under}</mfrac>"
        return self.cells.ratio(top, by), fraction, cell_mathml(left[0], self.cells.symbol)


def _factors(term: s.Scalar) -> tuple[s.Scalar, ...]:
    return term.factors if isinstance(term, s.Product) else (term,)
