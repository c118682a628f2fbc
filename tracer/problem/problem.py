"""A problem, read and checked: everything that the rest of the product knows of the file.

`resolve` makes it from the tables of the file (schema.py) and checks what only shows when they
are put together: shapes, sizes, what loss and activation ask of each other, identifiers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np

from tracer.errors import ProblemError, ShapeError
from tracer.expression.digits import round_half_away
from tracer.expression.numpy_source import faster_by_columns
from tracer.problem.convention import (
    CROSS_ENTROPIES,
    Convention,
    Decimals,
    Names,
    Reproduce,
    counted,
    identifiers,
    misnamed,
    show,
    unsuitable,
)
from tracer.problem.hints import problem_error, rows_expected
from tracer.problem.initial import Layer, Matrix, Wanted, beyond_memory, draw_parameters, frozen
from tracer.problem.mark_scheme import MarkScheme, no_such_step
from tracer.problem.names import names_of
from tracer.problem.schema import Data, RawLayer, RawProblem, read_document
from tracer.program import naming_policy as named

__all__ = [
    "Convention",
    "Data",
    "Decimals",
    "Layer",
    "Names",
    "Problem",
    "Reproduce",
    "problem_from_document",
]

Refuse: TypeAlias = Callable[[str, str], ProblemError]
Parameters: TypeAlias = Sequence[tuple[Matrix, Matrix | None]]
SIMPLE = ("learning_rate", "epochs", "loss", "carry_rounded")
AS_READ = (*SIMPLE, "description", "source", "decimals", "convention", "reproduce", "names", "marks")
TARGET_SUM_TOLERANCE = 1e-12  # the fused cross-entropy counts on it
LEAKY_SLOPE = 0.01
UNHASHED = ("title", "description", "source", "names", "marks")  # they change no number


def _shape(matrix: Matrix) -> str:
    return f"{matrix.shape[0]}×{matrix.shape[1]}"


def _require_same_shape(identifier: str, old: Matrix | None, new: Matrix | None) -> None:
    expected, found = ("none" if matrix is None else str(matrix.shape) for matrix in (old, new))
    if found != expected:
        raise ShapeError(f"{identifier}: found shape {found}, expected {expected}")


@dataclass(frozen=True, eq=False)
class Problem:
    """A network, its data and how it is to be worked. X is (rows, inputs), Y (rows, outputs).

    All matrices are float64 and refuse to be written to. `title` is the name where the file has none.
    Two problems are equal if their names and all that `to_document` says are.
    """

    name: str
    title: str
    description: str | None
    source: str | None
    learning_rate: float
    epochs: int
    batch_size: int
    loss: str
    loss_shown: Literal["sum", "mean"]
    decimals: Decimals
    carry_rounded: bool
    X: Matrix
    Y: Matrix
    layers: tuple[Layer, ...]
    convention: Convention
    reproduce: Reproduce
    names: Names
    marks: MarkScheme

    def __repr__(self) -> str:
        return f"<Problem {self.name!r}: {'→'.join(map(str, self.sizes))}, {self.rows} samples>"

    @property
    def depth(self) -> int:
        """The number of layers, L."""
        return len(self.layers)

    @property
    def output(self) -> str:
        """The identifier of the outputs, the activation of the last layer."""
        return named.activation(self.depth)

    @property
    def rows(self) -> int:
        """The number of samples, N."""
        return int(self.X.shape[0])

    @property
    def sizes(self) -> tuple[int, ...]:
        """Columns of X, then the units of each layer: (4, 3, 1)."""
        return (int(self.X.shape[1]), *(layer.units for layer in self.layers))

    @cached_property
    def parameters(self) -> tuple[Matrix, ...]:
        """W1, b1, W2, … as the network starts, laid out for speed; biases only where layers have them."""
        pairs = (each for layer in self.layers for each in (layer.weights, layer.bias))
        return tuple(
            frozen(np.asfortranarray(each)) if faster_by_columns(each.shape) else each
            for each in pairs
            if each is not None
        )

    def batches(self) -> list[tuple[int, int]]:
        """The row ranges [start, stop) of an epoch's iterations, in file order; the last may be shorter."""
        stops = [*range(0, self.rows, self.batch_size), self.rows]
        return list(pairwise(stops))

    def with_parameters(self, parameters: Parameters) -> Problem:
        """The same problem starting from other weights and biases, a pair for each layer.

        Raises ShapeError unless every matrix has the shape of the one it replaces, and ValueError
        unless there is a pair for every layer.
        """
        layers = []
        for number, (layer, (weights, bias)) in enumerate(zip(self.layers, parameters, strict=True), start=1):
            _require_same_shape(f"W{number}", layer.weights, weights)
            _require_same_shape(f"b{number}", layer.bias, bias)
            new_bias = None if bias is None else frozen(bias)
            layers.append(replace(layer, weights=frozen(weights), bias=new_bias))
        return replace(self, layers=tuple(layers))

    def to_document(self) -> dict[str, Any]:
        """The problem as a problem file with every choice and number written out.

        `problem_from_document` makes an equal problem from it.
        """
        texts = {key: getattr(self, key) for key in ("title", "description", "source")}
        return {
            **{key: text for key, text in texts.items() if text is not None},
            **{key: getattr(self, key) for key in (*SIMPLE, "batch_size", "loss_shown")},
            "decimals": dict(self.decimals.table) or self.decimals.default,
            "data": {"X": self.X.tolist(), "Y": self.Y.tolist()},
            "layers": [layer.to_document() for layer in self.layers],
            "convention": self.convention.model_dump(),
            "reproduce": self.reproduce.model_dump(exclude_none=True),
            "names": {"style": self.names.style, **self.names.own},
            **({"marks": marks} if (marks := self.marks.to_document()) else {}),
        }

    @cached_property
    def sha256(self) -> str:
        """Of the canonical JSON of the document without title, description, source, names and marks."""
        document = {key: value for key, value in self.to_document().items() if key not in UNHASHED}
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @cached_property
    def built(self) -> dict[int | str, Any]:
        """What was built for it so far, to be built once: programs by their rows, and batches of them."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """All but what was made of it: functions that were compiled go to no other process."""
        return {key: value for key, value in self.__dict__.items() if key not in ("built", "parameters")}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Problem):
            return NotImplemented
        return self.name == other.name and self.to_document() == other.to_document()

    def __hash__(self) -> int:
        return hash((self.name, self.sha256))


def problem_from_document(document: object, name: str, file: str) -> Problem:
    """The problem of a document with its data written in it. Raises ProblemError, naming `file`."""
    raw = read_document(document, file)
    if raw.data.X is None or raw.data.Y is None:
        raise ProblemError(file, "data", "found a data file, expected X and Y")
    return resolve(raw, Data(raw.data.X, targets_of(raw, file)), name, file)


def targets_of(raw: RawProblem, file: str) -> Matrix:
    """The targets as typed; class labels, which go with a softmax output, as a column for each class.

    Raises ProblemError where there are labels and no softmax, or a label has no output.
    """
    given, output = raw.data.Y, raw.layers[-1]
    if isinstance(given, np.ndarray):
        return given
    assert given is not None  # the caller has seen that they are typed in
    if output.activation != "softmax":
        raise problem_error(file, "data.Y", rows_expected(given, targets=True))
    outputs = output.units if output.turned is None else output.turned.shape[1]
    assert outputs is not None  # a layer has units or weights
    for row, label in enumerate(given):
        if label >= outputs:
            says = f"found class {label}, expected 0 to {outputs - 1}: the output layer has {counted(outputs, 'unit')}"
            raise problem_error(file, f"data.Y[{row}]", says)
    return np.eye(outputs)[list(given)]


def resolve(raw: RawProblem, data: Data, name: str, file: str) -> Problem:
    """The problem of a file's tables. Raises ProblemError for what does not fit together."""
    refuse = partial(problem_error, file)
    if len(data.X) != len(data.Y):
        raise refuse("data", f"X is {_shape(data.X)} and Y {_shape(data.Y)}, expected as many rows in both")
    rows = len(data.X)
    batch_size = rows if raw.batch_size is None else raw.batch_size
    if batch_size > rows:
        raise refuse("batch_size", f"found {show(batch_size)}, expected at most {rows}, the rows of X")
    shapes = _checked_shapes(raw.layers, data, refuse)
    _check_loss(raw, data, refuse)
    biased = [layer.has_bias for layer in raw.layers]
    rows_of_jacobians = rows if raw.layers[-1].activation == "softmax" else 0
    for section, table in (
        ("decimals", raw.decimals.table), ("names", raw.names.own), ("marks", raw.marks.matrices),
    ):  # fmt: skip
        wrong = misnamed(table, identifiers(biased), rows_of_jacobians)
        if wrong:
            raise refuse(section, wrong)
    wrong = no_such_step(raw.marks, len(biased))
    if wrong:
        raise refuse("marks", wrong)
    problem = Problem(
        name=name,
        title=name if raw.title is None else raw.title,
        batch_size=batch_size,
        loss_shown=raw.loss_shown or raw.convention.reduction,
        X=frozen(data.X),
        Y=frozen(data.Y),
        layers=_with_parameters(raw, shapes),
        **{key: getattr(raw, key) for key in AS_READ},
    )
    clash = names_of(problem).clash(identifiers(biased)) if problem.names.own else None
    if clash:
        named, other = clash
        raise refuse(
            f"names.{named}", f"found {show(raw.names.own[named])}, expected a name that {other} does not have"
        )
    return problem


def _checked_shapes(layers: Sequence[RawLayer], data: Data, refuse: Refuse) -> list[tuple[int, int]]:
    """(inputs, units) of each layer; nothing is allocated for layers given by `units`."""
    inputs, whose = data.X.shape[1], f"the columns of X, which is {_shape(data.X)}"
    shapes = []
    for k, layer in enumerate(layers):
        units = layer.units or _columns_fitting(layer, inputs, whose, partial(_at_layer, refuse, k))
        if layer.activation == "softmax" and k < len(layers) - 1:
            raise refuse(f"layers[{k}].activation", "found softmax in a hidden layer, expected it only in the last")
        shapes.append((inputs, units))
        inputs, whose = units, f"the units of layers[{k}], whose weights are {inputs}×{units}"
    last = f"layers[{len(layers) - 1}]." + ("units" if layers[-1].units else "weights")
    if inputs != data.Y.shape[1]:
        says = f"found {show(inputs)} as the units of the output layer, expected {data.Y.shape[1]}"
        hint = "; for classes: one column of Y per class" if _classes_in_a_column(layers[-1], data) else ""
        raise refuse(last, f"{says}: the columns of Y, which is {_shape(data.Y)}{hint}")
    too_large = beyond_memory(len(data.X), shapes)
    if too_large:
        raise refuse("layers", too_large)
    return shapes


def _classes_in_a_column(output: RawLayer, data: Data) -> bool:
    return output.activation == "softmax" and data.Y.shape[1] == 1


def _at_layer(refuse: Refuse, k: int, key: str, says: str) -> ProblemError:
    return refuse(f"layers[{k}].{key}", says)


def _columns_fitting(layer: RawLayer, inputs: int, whose: str, refuse: Refuse) -> int:
    """The units of a layer with typed weights, once its weights and bias are seen to fit."""
    weights = layer.turned
    assert weights is not None  # RawLayer has one of units and weights
    rows, units = weights.shape
    if rows != inputs:
        says = f"found {_shape(weights)}, expected {counted(inputs, 'row')}: {whose}"
        raise refuse("weights", says + _turn(layer, inputs))
    if isinstance(layer.bias, np.ndarray) and layer.bias.shape[1] != units:
        says = f"found {counted(layer.bias.shape[1], 'number')}, expected {units}: the columns of the weights"
        raise refuse("bias", f"{says}, which are {_shape(weights)} (or one number that all units share)")
    return int(units)


def _turn(layer: RawLayer, inputs: int) -> str:
    """What may be meant where the weights fit the other way round; a square matrix is never guessed at."""
    assert layer.weights is not None  # asked for by the caller
    other = "inputs x outputs" if layer.weights_are == "outputs x inputs" else "outputs x inputs"
    fits = layer.turned is not None and layer.turned.shape[1] == inputs
    return f'; with rows and columns exchanged they fit: weights_are = "{other}"' if fits else ""


def _check_loss(raw: RawProblem, data: Data, refuse: Refuse) -> None:
    """Refuse a loss, convention or reproduction that does not suit the output layer or the targets."""
    wrong = unsuitable(raw.convention, raw.reproduce, raw.loss, raw.layers[-1].activation)
    if wrong:
        raise refuse(*wrong)
    if raw.loss not in CROSS_ENTROPIES:
        return
    outside = ~((data.Y >= 0) & (data.Y <= 1)).all(axis=1)
    if outside.any():
        row = int(outside.argmax())
        found = next(value for value in data.Y[row].tolist() if not 0 <= value <= 1)
        raise refuse(data.target_place(row), f"found {show(found)}, expected targets from 0 to 1 for {raw.loss}")
    sums = data.Y.sum(axis=1)
    off = np.abs(sums - 1) > TARGET_SUM_TOLERANCE
    if raw.loss == "cross_entropy" and off.any():
        row = int(off.argmax())
        says = f"found targets whose sum is {sums[row]:.10g}, expected a row of Y to sum to 1 for cross_entropy"
        raise refuse(data.target_place(row), says)


def _with_parameters(raw: RawProblem, shapes: Sequence[tuple[int, int]]) -> tuple[Layer, ...]:
    """The layers with their parameters, typed or drawn; drawn ones are rounded where `carry_rounded` asks."""
    wanted = [
        Wanted(inputs, units, layer.has_bias)
        for layer, (inputs, units) in zip(raw.layers, shapes, strict=True)
        if layer.units
    ]
    drawn = draw_parameters(raw.initial, wanted)
    layers = []
    for number, layer in enumerate(raw.layers, start=1):
        weights, bias = _typed(layer) if layer.weights is not None else next(drawn)
        if layer.units and raw.carry_rounded:  # by hand one works with the printed numbers
            weights = round_half_away(weights, raw.decimals.of(f"W{number}"))
            bias = None if bias is None else round_half_away(bias, raw.decimals.of(f"b{number}"))
        slope = LEAKY_SLOPE if layer.slope is None else layer.slope
        frozen_bias = None if bias is None else frozen(bias)
        layers.append(Layer(layer.activation, slope, frozen(weights), frozen_bias))
    return tuple(layers)


def _typed(layer: RawLayer) -> tuple[Matrix, Matrix | None]:
    weights = layer.turned
    assert weights is not None  # asked for by the caller
    bias = np.atleast_2d(np.asarray(layer.bias, dtype=np.float64)) if layer.has_bias else None
    return weights, bias
