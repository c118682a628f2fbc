"""The book's first part: the network with its numbers, each layer forward, and the derivatives for the way back."""

from __future__ import annotations

from html import escape

from tracer.calculus.by_hand import LEFT, Derivation
from tracer.derivation.calculus import of_activation, of_both, of_loss
from tracer.derivation.cells import Cells
from tracer.derivation.picture import ARROW, draw, draw_sums
from tracer.derivation.typeset import (
    EQUALS,
    Chapter,
    Contents,
    Figure,
    Formula,
    Passage,
    crossed,
    equation,
    formula,
    operator,
    row,
    say,
    spoken,
)
from tracer.expression import scalar as s
from tracer.expression.digits import as_typed
from tracer.expression.mathml import cell_mathml
from tracer.problem.problem import Problem
from tracer.program import roles
from tracer.program.program import LayerMatrices

MOST_STAGES = 9  # of an activation with numbers put in: all that any has


def network(cells: Cells) -> Chapter:
    """The network with every connection named, and everything that is given."""
    first = cells.program.layer(1)
    passages = (
        Passage("picture", "", tuple(_picture(cells, first))),
        Passage("data", first.inputs, tuple(_data(cells))),
        Passage("parameters", first.weights, tuple(_parameters(cells))),
    )
    return Chapter("network", "The network", passages)


def _picture(cells: Cells, first: LayerMatrices) -> Contents:
    yield say(
        "Every connection has a weight and every weight a name: {weight} leads from the first input to the first "
        "unit of the next layer.",
        weight=cells.symbol(cells.first(first.weights)),
    )
    yield Figure(ARROW + draw(cells))


def _data(cells: Cells) -> Contents:
    samples = "; every row is a sample" if cells.rows > 1 else ""
    yield say(f"The inputs, and the targets{samples}:")
    yield from (_given(cells, each) for each in cells.program.given)


def _parameters(cells: Cells) -> Contents:
    yield say(
        "The weights as matrices: one row for each unit where a connection starts, one column for each unit where it "
        "ends. Each bias belongs to a unit; the learning rate sets the length of a step."
    )
    yield from (_given(cells, each) for each in cells.program.parameters)
    yield formula((cells.rate(),), (f"<mo>=</mo><mn>{as_typed(cells.problem.learning_rate)}</mn>",))


def _given(cells: Cells, identifier: str) -> Formula:
    stages = ((EQUALS, cells.symbol, "symbols"), (EQUALS, cells.value, "values"))
    return equation(cells.block(identifier), stages, cells.matrix(identifier))


def forward(cells: Cells, layer: int) -> Chapter:
    """One layer: its sums, its activations, and at the output the loss."""
    own, program = cells.program.layer(layer), cells.program
    function = cells.problem.layers[layer - 1].activation.replace("_", " ")
    passages = [
        Passage("sums", own.pre_activation, tuple(_sums(cells, own))),
        Passage("activations", own.activation, tuple(_activations(cells, own))),
    ]
    if cells.is_output(layer):
        passages.append(Passage("loss", program.loss, tuple(_loss(cells))))
    title = f"Layer {layer} forward: {cells.kind_of_layer(layer)}, {function}"
    return Chapter(f"forward-{layer}", title, tuple(passages))


def _sums(cells: Cells, own: LayerMatrices) -> Contents:
    Z = own.pre_activation
    yield say(_SUM if roles.BIAS in own.quantities else _SUM_WITHOUT_BIAS)
    yield Figure(draw_sums(cells, own.number))
    yield from _where_there_is(cells.in_matrices(Z, numbers=False, whole=False))
    yield say("One of them in full, with numbers:")
    yield cells.example(cells.first(Z))
    rows, columns = cells.program.assignments[Z].shape
    if rows == columns == 1:
        return
    yield say("The others likewise:")
    yield from _where_there_is(cells.in_matrices(Z, whole=False))
    if rows > 1:
        yield say("And for all samples at once:")
        yield from _where_there_is(cells.in_matrices(Z))


_SUM = "The input of a unit is the sum of everything that arrives, each times its weight, plus the bias:"
_SUM_WITHOUT_BIAS = "The input of a unit is the sum of everything that arrives, each times its weight:"


def _where_there_is(made: Formula | None) -> Contents:
    if made is not None:
        yield made


def _activations(cells: Cells, own: LayerMatrices) -> Contents:
    A, sample = own.activation, cells.row(own.activation)
    yield say(
        "The output of a unit is its sum passed through the activation function, here {name}: {rule}.",
        name=spoken(cells.problem.layers[own.number - 1].activation),
        rule=f"{cells.matrix(A)}{cells.equals_rule(A)}",
    )
    yield equation(sample, cells.stages(sample, most=MOST_STAGES))
    if cells.rows > 1:
        yield say("For all samples:")
        yield cells.known(A)


def _loss(cells: Cells) -> Contents:
    program = cells.program
    yield say("The targets, and the network's outputs:" if cells.rows == 1 else "The targets, and the outputs:")
    yield cells.known(program.targets)
    yield cells.known(program.output)
    yield say("The loss says in one number how far apart they are:")
    yield formula((cells.matrix(program.loss), cells.equals_rule(program.loss)))
    yield cells.example(cells.first(program.loss))


def derivatives(problem: Problem) -> Chapter:
    """Every activation used, each once, and the loss."""
    passages = []
    at_zero, outputs = problem.convention.relu_slope_at_zero, problem.sizes[-1]
    for name, slope in dict.fromkeys((layer.activation, layer.slope) for layer in problem.layers):
        found = of_activation(name, slope, at_zero, outputs)
        contents = [say(_OF_ACTIVATION, name=spoken(name)), *_written(found)]
        passages.append(Passage("activation", name, tuple(contents)))
    passages.append(Passage("loss-derivative", problem.loss, tuple(_of_loss(problem))))
    return Chapter("derivatives", "The derivatives that the chain rule needs", tuple(passages))


_OF_ACTIVATION = "{name}, with <math><mi>z</mi></math> for the input and <math><mi>a</mi></math> for the output:"


def _of_loss(problem: Problem) -> Contents:
    yield say(
        "The loss, {name}. One output <math><mi>a</mi></math> with its target <math><mi>y</mi></math> "
        "contributes this much:",
        name=spoken(problem.loss),
    )
    yield from _written((of_loss(problem),))
    if problem.convention.softmax_slope == "fused":
        yield say("Loss and output activation taken together, with respect to the input of the output layer:")
        yield from _written((of_both(problem),))
    if problem.convention.reduction == "mean":
        yield say("The loss is the mean over the samples, so every sample's derivative is divided by their number.")
    if problem.convention.sign < 0:
        yield say(
            "The error here is target − output, so it is the negative of this derivative, as is all that follows."
        )


def _written(found: tuple[Derivation, ...]) -> Contents:
    for each in found:
        if each.says and not each.case:
            yield say(each.says)
        yield _opening(each)
        yield from _equalities(each)
        if each.says and each.case:
            yield say(each.says)


def _opening(derivation: Derivation) -> Formula:
    """a = …, where z > 0."""
    first = f"{_letter(derivation.name)}<mo>=</mo>{cell_mathml(derivation.value, _name)}"
    if not derivation.case:
        return formula((first,))
    return formula(
        (first,), (f"<mtext>&#160;where&#160;</mtext><mi>z</mi><mo>{escape(derivation.case)}</mo><mn>0</mn>",)
    )


def _equalities(derivation: Derivation) -> Contents:
    """Each line; those that need a word have it before them."""
    several = isinstance(derivation.by, s.Cell)
    sign = "<mo>∂</mo>" if several else "<mi>d</mi>"
    by = row(sign, _letter(derivation.by))
    start = f"<mfrac>{row(sign, _letter(derivation.name))}{by}</mfrac>"
    stages: list[tuple[str, ...]] = [(start,)]
    for each in derivation.lines:
        if each.says and len(stages) > 1:
            yield formula(*stages)
            stages = []
        if each.says:
            yield say(each.says)

        def name(cell: s.Cell, of: tuple[s.Scalar, ...] = each.of, none: tuple[int, ...] = each.none) -> str:
            if cell.matrix != LEFT:
                return _name(cell)
            inside = cell_mathml(of[cell.row], _name)
            taken = f"<mfrac>{sign}{by}</mfrac>{row(operator('('), inside, operator(')'))}"
            return crossed(taken) if cell.row in none else row(taken)

        stages.append((row(operator(EQUALS), cell_mathml(each.right, name)),))
    yield formula(*stages)


def _letter(letter: s.Scalar) -> str:
    return cell_mathml(letter, _name)


def _name(cell: s.Cell) -> str:
    return f"<msub><mi>{cell.matrix}</mi><mn>{cell.column + 1}</mn></msub>"
