"""What only shows when the tables of a problem file are put together.

Shapes and sizes, what loss and activation ask of each other, identifiers: each mistake with its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

import numpy as np

from tracer.expression.arrays import Array
from tracer.problem.activations import EVERY_ACTIVATION, THRESHOLDS
from tracer.problem.convention import CROSS_ENTROPIES, Reproduce, counted, identifiers, misnamed, show
from tracer.problem.convention import unsuitable as unsuitable_choice
from tracer.problem.hints import Mistake, rows_expected
from tracer.problem.initial import beyond_memory
from tracer.problem.losses import LOSSES, PERCEPTRON, RULES
from tracer.problem.mark_scheme import no_such_step
from tracer.problem.schema import Data, RawLayer, RawProblem
from tracer.program import naming_policy as named

TARGET_SUM_TOLERANCE = 1e-12  # the fused cross-entropy counts on it
FOR_THE_LOSS = {"loss", "data", "layers", "convention", "reproduce"}


def _shape(matrix: Array) -> str:
    return f"{matrix.shape[0]}×{matrix.shape[1]}"


def misfits(raw: RawProblem, data: Data, spoilt: Set[str | int]) -> Iterator[Mistake]:
    """Everything that does not fit together, but for what depends on sections that are `spoilt` by other mistakes."""
    rows = len(data.X)
    if rows != len(data.Y):
        yield Mistake("data", f"X is {_shape(data.X)} and Y {_shape(data.Y)}, expected as many rows in both")
    elif raw.batch_size is not None and raw.batch_size > rows:
        yield Mistake("batch_size", f"found {show(raw.batch_size)}, expected at most {rows}, the rows of X")
    shapes = list(_unfit_shapes(raw.layers, data, raw.convention.leading))
    yield from shapes or _too_large(raw.layers, data)
    unsuitable = [] if spoilt & FOR_THE_LOSS else list(_unsuitable(raw))
    yield from unsuitable
    if not (unsuitable or shapes or spoilt & FOR_THE_LOSS) and raw.loss in CROSS_ENTROPIES:
        yield from _unfit_targets(raw.loss, data)
    if not unsuitable and not spoilt & {"loss", "data", "layers", "rule"}:
        yield from _other_targets(raw, data)
    if raw.convention.leading and raw.names.style == "mazur":
        says = "found 'mazur' with bias_in = 'weights', expected 'matrix', 'article' or 'hand'"
        yield Mistake("names.style", f"{says}: it numbers the biases apart from the weights")
    softmax = raw.layers[-1].activation == "softmax" or "layers" in spoilt
    yield from _unknown_matrices(raw, max(rows, len(data.Y)) if softmax else 0)


def sizes(layers: Sequence[RawLayer], data: Data, leading: int = 0) -> list[tuple[int, int]]:
    """(inputs, units) of each layer, where all of them fit; nothing is allocated for layers given by `units`.

    `leading` rows of the weights stand before those of the inputs.
    """
    units = [layer.outputs for layer in layers]
    return [(inputs + leading, own) for inputs, own in zip([data.X.shape[1], *units], units, strict=False)]


def has_bias(raw: RawProblem) -> list[bool]:
    """Which layers have a bias of their own."""
    return [layer.has_bias and not raw.convention.leading for layer in raw.layers]


def trained(raw: RawProblem) -> list[str]:
    """The parameters that an optimizer changes, in their order: W1, b1, W2, …"""
    biases = raw.convention.bias_update
    pairs = enumerate(has_bias(raw), start=1)
    return [name for n, biased in pairs for name in (named.weights(n), *([named.bias(n)] if biased and biases else []))]


def unfit_labels(raw: RawProblem, labels: Sequence[int]) -> Iterator[Mistake]:
    """What is wrong with class labels as targets: there is no softmax, or a label has no output."""
    outputs = raw.layers[-1].outputs
    if raw.layers[-1].activation != "softmax":
        yield Mistake("data.Y", rows_expected(labels, targets=True))
        return
    expected = f"expected 0 to {outputs - 1}: the output layer has {counted(outputs, 'unit')}"
    for row, label in enumerate(labels):
        if label >= outputs:
            yield Mistake(f"data.Y[{row}]", f"found class {label}, {expected}")


def _unfit_shapes(layers: Sequence[RawLayer], data: Data, leading: int) -> Iterator[Mistake]:
    inputs, whose = data.X.shape[1], f"the columns of X, which is {_shape(data.X)}"
    for k, layer in enumerate(layers):
        if leading and layer.bias is not None:
            says = "found it with bias_in = 'weights', expected the bias as the first row of weights"
            yield Mistake(f"layers[{k}].bias", says)
        whose += " (and the bias before them)" if leading else ""
        yield from _unfit_parameters(layer, k, inputs + leading, whose)
        if layer.activation == "softmax" and k < len(layers) - 1:
            yield Mistake(f"layers[{k}].activation", "found softmax in a hidden layer, expected it only in the last")
        rows = inputs if layer.turned is None else layer.turned.shape[0]
        inputs, whose = layer.outputs, f"the units of layers[{k}], whose weights are {rows}×{layer.outputs}"
    if inputs != data.Y.shape[1]:
        says = f"found {show(inputs)} as the units of the output layer, expected {data.Y.shape[1]}"
        hint = "; for classes: one column of Y per class" if _classes_in_a_column(layers[-1], data) else ""
        last = f"layers[{len(layers) - 1}]." + ("units" if layers[-1].units else "weights")
        yield Mistake(last, f"{says}: the columns of Y, which is {_shape(data.Y)}{hint}")


def _unfit_parameters(layer: RawLayer, k: int, inputs: int, whose: str) -> Iterator[Mistake]:
    """What is wrong with the typed weights of a layer, and with its bias beside them."""
    weights = layer.turned
    if weights is None:
        return
    rows, units = weights.shape
    if rows != inputs:
        says = f"found {_shape(weights)}, expected {counted(inputs, 'row')}: {whose}"
        yield Mistake(f"layers[{k}].weights", says + _turn(layer, inputs))
    if isinstance(layer.bias, np.ndarray) and layer.bias.shape[1] != units:
        says = f"found {counted(layer.bias.shape[1], 'number')}, expected {units}: the columns of the weights"
        yield Mistake(f"layers[{k}].bias", f"{says}, which are {_shape(weights)} (or one number that all units share)")


def _classes_in_a_column(output: RawLayer, data: Data) -> bool:
    return output.activation == "softmax" and data.Y.shape[1] == 1


def _turn(layer: RawLayer, inputs: int) -> str:
    """What may be meant where the weights fit the other way round; a square matrix is never guessed at."""
    other = "inputs x outputs" if layer.weights_are == "outputs x inputs" else "outputs x inputs"
    return f'; with rows and columns exchanged they fit: weights_are = "{other}"' if layer.outputs == inputs else ""


def _too_large(layers: Sequence[RawLayer], data: Data) -> Iterator[Mistake]:
    """A network that takes more memory than there is, at its widest layer."""
    says = beyond_memory(len(data.X), sizes(layers, data))
    if says:
        widest = max(range(len(layers)), key=lambda k: layers[k].outputs)
        key = "units" if layers[widest].units else "weights"
        yield Mistake(f"layers[{widest}].{key}", says)


def _unsuitable(raw: RawProblem) -> Iterator[Mistake]:
    """A loss, convention or reproduction that does not suit the output layer."""
    yield from _unsuitable_optimizer(raw)
    by_rule = list(_unsuitable_rule(raw))
    if by_rule or raw.loss in RULES:
        yield from by_rule
        return
    wrong = unsuitable_choice(raw.convention, raw.reproduce, raw.loss, raw.layers[-1].activation)
    if wrong:
        yield Mistake(*wrong)


def _unsuitable_optimizer(raw: RawProblem) -> Iterator[Mistake]:
    """An optimizer follows ∂L/∂W, and applies the rate itself."""
    if raw.optimizer is None:
        return
    rate_in, reproduce = raw.convention.learning_rate_in, raw.reproduce
    if rate_in != "update":
        yield Mistake("optimizer", f"found it with convention.learning_rate_in = {show(rate_in)}, expected 'update'")
    for key in ("rate_twice", "updated_weights_sent_back"):
        if getattr(reproduce, key):
            yield Mistake("optimizer", f"found it with reproduce.{key}, expected one or the other")


def _unsuitable_rule(raw: RawProblem) -> Iterator[Mistake]:
    """A learning rule and units with a threshold each need the other, and one layer."""
    if raw.rule is None:
        yield from _without_rule(raw)
        return
    rule, convention, output = show(raw.rule), raw.convention, raw.layers[0].activation
    if raw.loss != raw.rule:
        yield Mistake("loss", f"found {show(raw.loss)} beside rule = {rule}, which has a loss of its own; leave it out")
    if len(raw.layers) > 1:
        yield Mistake("rule", f"found it with {len(raw.layers)} layers, expected a single layer")
    elif output not in THRESHOLDS:
        yield Mistake("layers[0].activation", f"found {output} with rule = {rule}, expected step or sign")
    if convention.softmax_slope == "fused":
        yield Mistake("convention.softmax_slope", f"found 'fused' with rule = {rule}, expected it only with a loss")
    if raw.reproduce != Reproduce():
        yield Mistake("reproduce", f"found it with rule = {rule}, expected it only with a loss")


def _without_rule(raw: RawProblem) -> Iterator[Mistake]:
    """What needs a learning rule, in a file that names none."""
    if raw.loss in RULES:
        says = f"found {show(raw.loss)}, which is a learning rule and no loss"
        yield Mistake("loss", f'{says}; write rule = "{raw.loss}" at the top in its place')
    for k, layer in enumerate(raw.layers):
        if layer.activation in THRESHOLDS:
            says = f"found {layer.activation}, which has no slope to learn by; for a single layer"
            yield Mistake(f"layers[{k}].activation", f'{says} write rule = "{PERCEPTRON}" in place of loss')


def _unfit_targets(loss: str, data: Data) -> Iterator[Mistake]:
    """Targets that a cross-entropy cannot take."""
    inside = ((data.Y >= 0) & (data.Y <= 1)).all(axis=1, keepdims=True)
    sums = data.Y.sum(axis=1, keepdims=True)
    fits = inside & (np.abs(sums - 1) <= (TARGET_SUM_TOLERANCE if loss == "cross_entropy" else np.inf))
    outside = set(np.flatnonzero(~inside).tolist())
    for row in np.flatnonzero(~fits).tolist():
        if row not in outside:
            says = f"found targets whose sum is {sums[row, 0]:.10g}, expected a row of Y to sum to 1 for cross_entropy"
        else:
            found = next(value for value in data.Y[row].tolist() if not 0 <= value <= 1)
            says = f"found {show(found)}, expected targets from 0 to 1 for {loss}"
        yield Mistake(data.target_place(row), says)


def _other_targets(raw: RawProblem, data: Data) -> Iterator[Mistake]:
    """Targets that are none of those that a loss takes, or the only ones that a unit with a threshold can give."""
    output, by_rule = raw.layers[-1].activation, raw.loss in RULES
    taken = EVERY_ACTIVATION[output].outputs if by_rule else LOSSES[raw.loss].targets
    whose = f"{output} units" if by_rule else raw.loss
    for row, targets in enumerate(data.Y.tolist() if taken else []):
        other = next((value for value in targets if value not in taken), None)
        if other is not None:
            says = f"found {show(other)}, expected targets {' or '.join(f'{each:g}' for each in taken)} for {whose}"
            yield Mistake(data.target_place(row), says)


def _unknown_matrices(raw: RawProblem, jacobians: int) -> Iterator[Mistake]:
    """Identifiers and steps that this network does not have."""
    known = (*identifiers(has_bias(raw)), *(raw.optimizer.added(trained(raw)) if raw.optimizer else ()))
    tables = (("decimals", raw.decimals.table), ("names", raw.names.own), ("marks", raw.marks.matrices))
    for section, table in tables:
        yield from (Mistake(section, says) for says in misnamed(table, known, jacobians))
    yield from (Mistake("marks", says) for says in no_such_step(raw.marks, len(raw.layers)))
