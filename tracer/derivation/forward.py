"""The book's first part: the network with its numbers, and each layer forward."""

from __future__ import annotations

from collections.abc import Iterator

from tracer.derivation.blocks import EQUALS, Block, Line, Part, Picture, Section, equation, line, say, spoken
from tracer.derivation.cells import Cells
from tracer.derivation.forms import formula, of_row
from tracer.derivation.picture import ARROW, draw, draw_sums
from tracer.expression import scalar as s
from tracer.expression.digits import as_typed
from tracer.expression.mathml import matrix_mathml
from tracer.program.naming_policy import RATE

MOST_STAGES = 9  # of an activation with numbers put in: all that any has


def network(cells: Cells) -> Section:
    """The network with every connection named, and everything that is given."""
    problem = cells.problem
    weight = cells.symbol(s.Cell(cells.layer(1).weights, 0, 0))
    parts: tuple[Part, ...] = (
        say(
            "Every connection has a weight and every weight a name: {weight} leads from the first input to the first "
            "unit of the next layer.",
            weight=weight,
        ),
        Picture(ARROW + draw(cells)),
    )
    given = [_given(cells, each) for each in cells.program.given]
    parameters = cells.program.parameters
    rate = line((cells.symbol(s.Cell(RATE, 0, 0)),), (f"<mo>=</mo><mn>{as_typed(problem.learning_rate)}</mn>",))
    blocks = (
        Block("picture", "", parts),
        Block("data", cells.layer(1).inputs, (say(_DATA if cells.one.program.rows > 1 else _ONE_SAMPLE), *given)),
        Block(
            "parameters",
            cells.layer(1).weights,
            (say(_PARAMETERS), *(_given(cells, each) for each in parameters), rate),
        ),
    )
    return Section("network", "The network", blocks)


_ONE_SAMPLE = "What goes in, and what should come out:"
_DATA = "What goes in, and what should come out; every row is a sample:"
_PARAMETERS = (
    "The weights as matrices: a row for each unit where a connection starts, a column for each unit where it ends. "
    "A bias belongs to a unit; the learning rate says how long a step will be."
)


def _given(cells: Cells, identifier: str) -> Line:
    stages = ((EQUALS, cells.symbol, "symbols"), (EQUALS, cells.value, "values"))
    return equation(cells.block(identifier), stages, cells.matrix(identifier))


def forward(cells: Cells, layer: int) -> Section:
    """One layer: its sums, its activations, and at the output the loss."""
    made = cells.problem.layers[layer - 1]
    blocks = [Block("sums", cells.layer(layer).pre_activation, tuple(_sums(cells, layer)))]
    blocks.append(Block("activations", cells.layer(layer).activation, tuple(_activations(cells, layer))))
    if layer == cells.problem.depth:
        blocks.append(Block("loss", cells.program.loss, tuple(_loss(cells))))
    kind = "output layer" if layer == cells.problem.depth else "hidden layer"
    return Section(
        f"forward-{layer}", f"Layer {layer} forward: {kind}, {made.activation.replace('_', ' ')}", tuple(blocks)
    )


def _sums(cells: Cells, layer: int) -> Iterator[Part]:
    Z = cells.block(cells.layer(layer).pre_activation)
    sample, rule = Z.part(0, 0, 1, Z.columns), cells.rule(cells.layer(layer).pre_activation)
    yield say(_SUM if cells.problem.layers[layer - 1].bias is not None else _SUM_WITHOUT_BIAS)
    yield Picture(draw_sums(cells, layer))
    yield from _lines(formula(cells, sample, of_row(rule, 0), numbers=False))
    yield say("One of them in full, with the numbers put in:")
    yield cells.example(s.Cell(cells.layer(layer).pre_activation, 0, 0))
    if Z.rows == 1 and Z.columns == 1:
        return
    yield say("The others likewise:")
    yield from _lines(formula(cells, sample, of_row(rule, 0), numbers=True))
    if Z.rows > 1:
        yield say("And for all samples at once:")
        yield from _lines(formula(cells, Z, rule, numbers=True, name=cells.matrix(Z.matrix)))


_SUM = "What goes into a unit is the sum of everything that comes in, each times the weight on its way, plus the bias:"
_SUM_WITHOUT_BIAS = "What goes into a unit is the sum of everything that comes in, each times the weight on its way:"


def _lines(made: Line | None) -> Iterator[Part]:
    if made is not None:
        yield made


def _activations(cells: Cells, layer: int) -> Iterator[Part]:
    identifier = cells.layer(layer).activation
    A = cells.block(identifier)
    rule = matrix_mathml(cells.rule(identifier), cells.matrix)
    yield say(
        "What comes out of a unit is its sum put through the activation function, here {name}: {rule}.",
        name=spoken(cells.problem.layers[layer - 1].activation),
        rule=f"{cells.matrix(identifier)}<mo>=</mo>{rule}",
    )
    sample = A.part(0, 0, 1, A.columns)
    yield equation(sample, cells.stages(sample, most=MOST_STAGES))
    if A.rows > 1:
        yield say("For all samples:")
        yield equation(A, ((EQUALS, cells.value, "values"),), cells.matrix(identifier))


def _loss(cells: Cells) -> Iterator[Part]:
    A, Y = cells.block(cells.program.output), cells.block(cells.program.targets)
    yield say("The targets, and what the network gives instead:" if A.rows == 1 else "The targets, and the outputs:")
    for block in (Y, A):
        yield equation(block, ((EQUALS, cells.value, "values"),), cells.matrix(block.matrix))
    yield say("How far apart they are, in one number, the loss:")
    loss = cells.program.loss
    yield line((cells.matrix(loss), f"<mo>=</mo>{matrix_mathml(cells.rule(loss), cells.matrix)}"))
    yield cells.example(s.Cell(loss, 0, 0))
