"""The chain rule through one layer: its deltas as error times slope, and its factors, one after the other.

The row of one sample is worked, as a column: symbols, letters, numbers, values; then all samples follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from tracer.derivation.cells import NameOf
from tracer.derivation.network_cells import NetworkCells
from tracer.derivation.typeset import (
    EQUALS,
    LEAST_SCALE,
    PAGE,
    Contents,
    Formula,
    LineStage,
    crossed,
    em_width,
    equation,
    formula,
    operator,
    row,
    say,
    spoken,
    table,
)
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.label import label_mathml
from tracer.expression.mathml import cell_mathml, cell_mathml_terms
from tracer.program import roles

MOST_PATHS = 3  # units of a layer whose deltas are written out as products; of more they are matrices of their own
MOST_JACOBIANS = 3  # samples whose Jacobian is shown


class Chain:
    """How the rules of the backward matrices of one layer (counted from 1) are written."""

    def __init__(self, cells: NetworkCells, layer: int) -> None:
        self.cells, self.own = cells, cells.program.layer(layer)
        self.inputs, self.units = cells.program.assignments[self.own.weights].shape

    @property
    def is_output(self) -> bool:
        return self.cells.is_output(self.own.number)

    @property
    def following(self) -> Chain:
        """That of the next layer."""
        return Chain(self.cells, self.own.number + 1)

    @property
    def fused(self) -> bool:
        """Whether the error is already the gradient by what goes into the layer."""
        return self.cells.program.assignments[self.own.error].of == self.own.pre_activation

    @property
    def carries_rate(self) -> bool:
        """Whether the deltas carry the learning rate, which comes in with the output's."""
        program = self.cells.program
        used = traversal.symbols(self.cells.rule(program.layers[-1].delta))
        return any(program.quantity(each.name) == roles.LEARNING_RATE for each in used)

    @property
    def scaled(self) -> bool:
        """Whether a sign, the rate or 1/N enters the parameters' gradients, beside what the delta carries."""
        made = self.cells.program.assignments
        return made[self.own.weights_gradient].factor != made[self.own.delta].factor

    @property
    def apart(self) -> bool:
        """Whether the delta has a passage of its own, rather than being a product wherever it comes."""
        return self.cells.rows > 1 or self.units > MOST_PATHS or not self._is_product()

    def _is_product(self) -> bool:
        """Whether the delta is a plain product, such as error times slope."""
        delta = self.own.delta
        if isinstance(self.cells.program.assignments[delta].expression, m.Rounded):
            return False
        return not isinstance(self.cells.lowered(self.cells.first(delta)), s.Sum | s.Fold)

    def rule(self, written_out: bool) -> Callable[[s.Cell], s.Scalar]:
        """A cell's rule as a sum of products that begin with the layer's delta, or with what that is made of."""

        def term(made: s.Scalar) -> s.Scalar:
            parts = _factors(made)
            deltas = [part for part in parts if isinstance(part, s.Cell) and part.matrix == self.own.delta]
            others = [part for part in parts if part not in deltas]
            first: list[s.Scalar] = list(deltas)
            if written_out:
                first = [factor for each in deltas for factor in _factors(self.cells.lowered(each))]
            together = (*first, *others)
            return s.Product(together) if len(together) > 1 else together[0]

        def of(cell: s.Cell) -> s.Scalar:
            made = self.cells.lowered(cell)
            terms = tuple(map(term, made.terms() if isinstance(made, s.Fold) else (made,)))
            return s.Sum(terms) if len(terms) > 1 else terms[0]

        return of

    def weight_names(self, target: s.Cell) -> NameOf:
        """In the gradient of a weight what came in is ∂Z/∂W."""
        return self._names(target, self.own.inputs, lambda came_in: (came_in.row, target.column))

    def path_names(self, target: s.Cell) -> NameOf:
        """In the error that is sent back through the layer the weight between is ∂Z/∂A of the layer before."""
        return self._names(target, self.own.weights, lambda weight: (target.row, weight.column))

    def _names(self, target: s.Cell, local: str, at: Callable[[s.Cell], tuple[int, int]]) -> NameOf:
        """The cells of one factor as derivatives of the layer's sums, `at` their places, by what `target` is by."""

        def of(cell: s.Cell) -> str:
            if cell.matrix != local:
                return self.cells.factor(cell)
            return self.cells.ratio(s.Cell(self.own.pre_activation, *at(cell)), self.cells.owner(target))

        return of

    def only_term(self, top: s.Cell, by: s.Cell) -> Formula:
        """∂top/∂by three times: as that, with the sum put in and all terms but one struck out, and the factor left."""
        letters = self.cells.work(top).letters
        terms = letters.terms if isinstance(letters, s.Sum) else (letters,)
        gone = {s.Cell("gone", k, 0): term for k, term in enumerate(terms) if by not in _factors(term)}
        places = {term: place for place, term in gone.items()}
        kept = s.Sum(tuple(places.get(term, term) for term in terms))

        def name(cell: s.Cell) -> str:
            return crossed(cell_mathml(gone[cell], self.cells.symbol)) if cell in gone else self.cells.symbol(cell)

        (term,) = (term for term in terms if term not in places)
        left = next(factor for factor in _factors(term) if factor != by)
        put_in = _derivative(cell_mathml_terms(kept, name), label_mathml(self.cells.label(by)))
        equals = row(operator(EQUALS), cell_mathml(left, self.cells.symbol))
        return formula((self.cells.ratio(top, by),), put_in, (equals,))


def _derivative(terms: Sequence[str], by: str) -> Sequence[str]:
    """= ∂(sum)/∂by; of a sum too wide for a fraction = ∂/∂by (sum), in pieces between which the line may break."""
    sign, under = operator("∂"), row(operator("∂"), by)
    fraction = f"<mfrac>{row(sign, row(operator('('), *terms, operator(')')))}{under}</mfrac>"
    if em_width(fraction) <= PAGE / LEAST_SCALE:
        return (row(operator(EQUALS), fraction),)
    first, *others = (*terms[:-1], row(terms[-1], operator(")")))
    return row(operator(EQUALS), f"<mfrac>{sign}{under}</mfrac>", operator("("), first), *others


def _factors(term: s.Scalar) -> tuple[s.Scalar, ...]:
    return term.factors if isinstance(term, s.Product) else (term,)


class Factors:
    """The factors of the chain rule through one layer."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.cells, self.own = chain, chain.cells, chain.own
        self.several_samples = self.cells.rows > 1

    def error(self) -> Contents:
        if self.chain.fused:
            yield say(
                "First, how the loss changes with the input of each output unit. Recall the derivative of loss and "
                "activation taken together:"
            )
        else:
            yield say("First, how the loss changes with each output. Recall the derivative of the loss:")
        yield from self._worked(self.own.error)

    def _worked(self, identifier: str) -> Contents:
        """A backward matrix: the row of one sample as a column, worked; then all samples."""
        column = self.cells.column(identifier)
        yield equation(column, self.cells.stages(column))
        if self.several_samples:
            yield say(f"{self.cells.that_was}; for all of them, one row each:")
            yield self.cells.known(identifier)

    def slopes(self) -> Contents:
        yield say(
            "Now we need how each output of the layer changes with its own input. Recall the derivative of {name}:",
            name=spoken(self.cells.problem.layers[self.own.number - 1].activation),
        )
        yield from self._worked(self.own.slope)
        if self.cells.program.assignments[self.own.slope].reproduced:
            yield say("Only each output's own input is kept here, as in the publication; the others should count too.")

    def jacobians(self) -> Contents:
        yield say(
            "Now we need how each output changes with the inputs. Recall the derivatives of softmax: every output "
            "depends on every input, so they fill a whole matrix, one row for each output:"
        )
        first = self.own.jacobians[self.cells.sample]
        others = [each for each in self.own.jacobians if each != first]
        block = self.cells.block(first)
        yield equation(block, self.cells.stages(block))
        if others:
            yield say(f"{self.cells.that_was}. The others likewise:")
            yield from map(self.cells.known, islice(others, MOST_JACOBIANS - 1))

    def delta(self) -> Contents:
        identifier, chain = self.own.delta, self.chain
        if chain.fused:
            yield say(f"{'Times the learning rate it' if chain.carries_rate else 'It'} is the delta of the layer:")
        elif self.own.jacobians:
            yield say("Each input acts on the loss through every output, and the paths add up:")
        else:
            yield say("These factors together say how the loss changes with the layer's inputs:")
        column = self.cells.column(identifier)
        yield equation(column, self.cells.stages(column, most=2))
        if not self.several_samples:
            return
        yield say(f"{self.cells.that_was}; for all of them, one row each:")
        made = self.cells.in_matrices(identifier)
        if made is None:
            yield self.cells.known(identifier)
            return
        yield formula((f"{self.cells.matrix(identifier)}{self.cells.equals_rule(identifier)}",))
        yield made

    def local(self) -> Contents:
        """How a sum changes with a weight: what came in."""
        cells, own = self.cells, self.own
        Z, weight = cells.first(own.pre_activation), cells.first(own.weights)
        yield say(
            "Now we need how a sum changes with one of its weights. {weight} appears in one term; the other terms "
            "do not change with it:",
            weight=cells.symbol(weight),
        )
        yield self.chain.only_term(Z, weight)
        yield say(f"{self._likewise()}:")
        came_in = cells.column(own.inputs)
        stages = []
        for unit in range(min(self.chain.units, MOST_PATHS)):

            def ratio(cell: s.Cell, unit: int = unit) -> str:
                return cells.ratio(s.Cell(Z.matrix, Z.row, unit), s.Cell(weight.matrix, cell.column, unit))

            stages.append((row(operator(",") if unit else "", table(came_in, ratio, "symbols")),))
            stages.append((row(operator(EQUALS), table(came_in, cells.symbol, "symbols")),))
        stages.append((row(operator(EQUALS), table(came_in, cells.value, "values")),))
        yield formula(*stages)

    def _likewise(self) -> str:
        if self.chain.units > MOST_PATHS:
            return "Likewise for the other weights; those of further units continue in the same way"
        return "Likewise for the other weights" if self.chain.inputs * self.chain.units > 1 else "With its number"

    def error_sent_back(self) -> Contents:
        cells, following = self.cells, self.chain.following.own
        Z, A = cells.first(following.pre_activation), cells.first(self.own.activation)
        yield say(
            "Still missing is how the loss changes with the output of a unit. {A} feeds every unit of the "
            "next layer, so it acts along several paths. Recall {Z}; {A} appears in one term, next to its weight:"
            if self.chain.following.units > 1
            else "Still missing is how the loss changes with the output of a unit. Recall {Z}; {A} appears in one "
            "term, next to its weight:",
            A=cells.symbol(A),
            Z=cells.symbol(Z),
        )
        yield self.chain.only_term(Z, A)
        yield say("Likewise for all of them; this is the matrix of weights again:")
        stages: list[LineStage] = [
            (
                EQUALS,
                lambda w: cells.ratio(s.Cell(Z.matrix, Z.row, w.column), s.Cell(A.matrix, A.row, w.row)),
                "symbols",
            ),
            (EQUALS, cells.symbol, "symbols"),
            (EQUALS, cells.value, "values"),
        ]
        yield equation(cells.block(following.weights), stages)
        if following.new_weights in (each.name for each in traversal.symbols(cells.rule(self.own.error))):
            yield say("The updated weights are used here instead, as in the publication:")
            yield cells.known(following.new_weights)
        yield from self._paths(self.chain.following)

    def _paths(self, following: Chain) -> Contents:
        several = following.units > 1
        yield say(
            "Recall what was found for the next layer. The paths add up:" if several else "So, recalling the rest:"
        )
        column = self.cells.column(self.own.error)
        rule = following.rule(not following.apart)
        yield equation(column, self.cells.stages(column, rule, following.path_names, most=2))
        if self.several_samples:
            yield say(f"{self.cells.that_was}; for all of them, one row each:")
            made = self.cells.in_matrices(self.own.error)
            assert made is not None
            yield made
