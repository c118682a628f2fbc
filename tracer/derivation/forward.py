"""The book's first part: the network with its numbers, each layer forward, and the derivatives for the way back."""

from __future__ import annotations

from tracer.derivation.calculus import of_activation, of_both, of_loss
from tracer.derivation.network_cells import NetworkCells
from tracer.derivation.picture import ARROW, draw, draw_sums
from tracer.derivation.typeset import (
    EQUALS,
    Chapter,
    Contents,
    Figure,
    Formula,
    Passage,
    equation,
    formula,
    say,
    spoken,
)
from tracer.derivation.written import written
from tracer.expression.digits import as_typed
from tracer.problem.problem import Problem
from tracer.program import roles
from tracer.program.program import LayerMatrices

MOST_STAGES = 9  # of an activation with numbers put in: all that any has


def network(cells: NetworkCells) -> Chapter:
    """The network with every connection named, and everything that is given."""
    first = cells.program.layer(1)
    passages = (
        Passage("picture", "", tuple(_picture(cells, first))),
        Passage("data", first.inputs, tuple(_data(cells))),
        Passage("parameters", first.weights, tuple(_parameters(cells))),
    )
    return Chapter("network", "The network", passages)


def _picture(cells: NetworkCells, first: LayerMatrices) -> Contents:
    yield say(
        "Every connection has a weight and every weight a name: {weight} leads from the first input to the first "
        "unit of the next layer.",
        weight=cells.symbol(cells.first(first.weights)),
    )
    yield Figure(ARROW + draw(cells))


def _data(cells: NetworkCells) -> Contents:
    samples = "; every row is a sample" if cells.rows > 1 else ""
    yield say(f"The inputs, and the targets{samples}:")
    yield from (_given(cells, each) for each in cells.program.given)


def _parameters(cells: NetworkCells) -> Contents:
    convention = cells.problem.convention
    biases = "Each bias belongs to a unit"
    if convention.leading:
        biases = f"The first row holds the biases, whose input is always {as_typed(convention.bias_input)}"
    yield say(
        "The weights as matrices: one row for each unit where a connection starts, one column for each unit where it "
        f"ends. {biases}; the learning rate sets the length of a step."
    )
    yield from (_given(cells, each) for each in cells.program.parameters)
    yield formula((cells.rate(),), (f"<mo>=</mo><mn>{as_typed(cells.problem.learning_rate)}</mn>",))


def _given(cells: NetworkCells, identifier: str) -> Formula:
    stages = ((EQUALS, cells.symbol, "symbols"), (EQUALS, cells.value, "values"))
    return equation(cells.block(identifier), stages, cells.matrix(identifier))


def forward(cells: NetworkCells, layer: int) -> Chapter:
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


def _sums(cells: NetworkCells, own: LayerMatrices) -> Contents:
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


def _activations(cells: NetworkCells, own: LayerMatrices) -> Contents:
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


def _loss(cells: NetworkCells) -> Contents:
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
        contents = [say(_OF_ACTIVATION, name=spoken(name)), *written(found)]
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
    yield from written((of_loss(problem),))
    if problem.fused:
        yield say("Loss and output activation taken together, with respect to the input of the output layer:")
        yield from written((of_both(problem),))
    if problem.convention.reduction == "mean" and problem.convention.reduction_in == "gradient":
        yield say("The loss is the mean over the samples; their number divides dW and db, and nothing before them.")
    elif problem.convention.reduction == "mean":
        yield say("The loss is the mean over the samples, so every sample's derivative is divided by their number.")
    if problem.convention.sign < 0:
        follows = "are the deltas" if problem.convention.learning_rate_in == "change" else "is all that follows"
        yield say(f"The error here is target − output, so it is the negative of this derivative, as {follows}.")
