"""A problem, read and checked: everything that the rest of the product knows of the file.

`problem_of` makes it from the tables of the file (schema.py) once everything in them fits together (fit.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, pairwise
from typing import Any, Literal, TypeAlias

import numpy as np

from tracer.errors import ProblemError, ShapeError
from tracer.expression.arrays import Array
from tracer.expression.digits import round_half_away
from tracer.expression.numpy_source import faster_by_columns
from tracer.problem.convention import (
    Convention,
    Decimals,
    Naming,
    Reproduce,
    identifiers,
    show,
)
from tracer.problem.fit import has_bias, misfits, sizes, unfit_labels
from tracer.problem.hints import Mistake, problem_error
from tracer.problem.identity import Identified
from tracer.problem.initial import Layer, Wanted, draw_parameters, frozen
from tracer.problem.losses import EVERY_LOSS, RULES
from tracer.problem.mark_scheme import MarkScheme
from tracer.problem.mistakes import Read, read_document
from tracer.problem.names import network_names
from tracer.problem.optimizers import Optimizer
from tracer.problem.redrawn import Redrawn
from tracer.problem.schema import Data, RawData, RawLayer, RawProblem
from tracer.program import naming_policy as named

__all__ = [
    "Convention",
    "Data",
    "Decimals",
    "Layer",
    "Naming",
    "Problem",
    "Reproduce",
    "problem_from_document",
]

Parameters: TypeAlias = Sequence[tuple[Array, Array | None]]
SIMPLE = ("learning_rate", "epochs", "carry_rounded")
AS_READ = (
    *SIMPLE, "loss", "description", "source", "decimals", "convention", "reproduce", "names", "marks", "variants",
)  # fmt: skip
TURNED = " (all told with a sample in each row, though the file has one in each column)"
MOST_MISFITS = 200  # told or counted, before looking for more is no help
LEAKY_SLOPE = 0.01


def _require_same_shape(identifier: str, old: Array | None, new: Array | None) -> None:
    expected, found = ("none" if matrix is None else str(matrix.shape) for matrix in (old, new))
    if found != expected:
        raise ShapeError(f"{identifier}: found shape {found}, expected {expected}")


@dataclass(frozen=True, eq=False)
class Problem(Identified):
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
    X: Array
    Y: Array
    layers: tuple[Layer, ...]
    convention: Convention
    reproduce: Reproduce
    optimizer: Optimizer
    names: Naming
    marks: MarkScheme
    variants: Redrawn

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

    def weight_at(self, start: int, end: int) -> tuple[int, int]:
        """Where in its matrix the weight from a unit (or input) to one of the next layer stands; all from 0."""
        return self.placed(start + self.convention.leading, end)

    def output_at(self, layer: int, sample: int, unit: int) -> tuple[int, int]:
        """Where in its matrix the output of a unit (of layer 0: an input) stands; samples and units from 0."""
        return self.placed(sample, unit + (self.convention.leading if layer < self.depth else 0))

    def placed(self, row: int, column: int) -> tuple[int, int]:
        """A place in a matrix with a sample in each row, as this problem writes it."""
        return (column, row) if self.convention.turned else (row, column)

    @cached_property
    def parameters(self) -> tuple[Array, ...]:
        """W1, b1, W2, … as the network starts, laid out for speed, then the optimizer's states of them."""
        states = self.optimizer.start({name: self.starting[name] for name in self.trained})
        matrices = map(self.laid_out, (*self.starting.values(), *map(frozen, states.values())))
        return tuple(frozen(np.asfortranarray(each)) if faster_by_columns(each.shape) else each for each in matrices)

    @property
    def starting(self) -> dict[str, Array]:
        """W1, b1, W2, … with their identifiers; biases only where layers have them."""
        found = {}
        for number, layer in enumerate(self.layers, start=1):
            found[named.weights(number)] = layer.weights
            if layer.bias is not None:
                found[named.bias(number)] = layer.bias
        return found

    @property
    def trained(self) -> tuple[str, ...]:
        """The parameters that the optimizer changes: W1, b1, W2, …, without biases that stay."""
        stay = set() if self.convention.bias_update else {named.bias(n) for n in range(1, self.depth + 1)}
        return tuple(each for each in self.starting if each not in stay)

    def data(self, start: int, stop: int) -> tuple[Array, ...]:
        """X and Y of the samples [start, stop), in the order of a program's inputs."""
        return self.taken_in(self.X[start:stop]), self.laid_out(self.Y[start:stop])

    def laid_out(self, matrix: Array) -> Array:
        """A matrix with a sample in each row as this problem writes it, or one that it wrote so again."""
        return matrix.T if self.convention.turned else matrix

    def taken_in(self, inputs: Array) -> Array:
        """Samples, one in each row, as the first layer takes them in: after the bias's 1 where W holds the bias."""
        if self.convention.leading:
            inputs = frozen(np.insert(inputs, 0, self.convention.bias_input, axis=1))
        return self.laid_out(inputs)

    @property
    def excluded(self) -> tuple[float, ...]:
        """The outputs at which the loss's gradient would divide by zero."""
        return () if self.fused else EVERY_LOSS[self.loss].excluded

    @property
    def fused(self) -> bool:
        """Whether the error at the output is the gradient with respect to its pre-activation already."""
        return self.convention.softmax_slope == "fused" or self.loss in RULES

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

    def _layer_document(self, layer: Layer) -> dict[str, Any]:
        return layer.to_document() | {"weights": self.laid_out(layer.weights).tolist()}

    def to_document(self) -> dict[str, Any]:
        """The problem as a problem file with every choice and number written out.

        `problem_from_document` makes an equal problem from it.
        """
        texts = {key: getattr(self, key) for key in ("title", "description", "source")}
        return {
            **{key: text for key, text in texts.items() if text is not None},
            **{key: getattr(self, key) for key in (*SIMPLE, "batch_size", "loss_shown")},
            "rule" if self.loss in RULES else "loss": self.loss,
            "decimals": dict(self.decimals.table) or self.decimals.default,
            "data": {"X": self.laid_out(self.X).tolist(), "Y": self.laid_out(self.Y).tolist()},
            "layers": [self._layer_document(layer) for layer in self.layers],
            "convention": self.convention.to_document(),
            "reproduce": self.reproduce.model_dump(exclude_none=True),
            **({"optimizer": self.optimizer.to_document()} if self.optimizer != Optimizer() else {}),
            "names": {"style": self.names.style, **self.names.own},
            **({"marks": marks} if (marks := self.marks.to_document()) else {}),
            **({"variants": variants} if (variants := self.variants.to_document()) else {}),
        }


def problem_from_document(document: object, name: str, file: str) -> Problem:
    """The problem of a document with its data written in it. Raises ProblemError, naming `file`."""
    return problem_of(document, name, file, _no_data_file)


def _no_data_file(raw: RawData, file: str) -> Data:
    raise ProblemError(file, "data", "found a data file, expected X and Y")


def problem_of(document: object, name: str, file: str, read_data: Callable[[RawData, str], Data]) -> Problem:
    """The problem of a document; `read_data` finds X and Y where it names a table file.

    Raises ProblemError with all that is wrong in the document.
    """
    read = read_document(document)
    raw, mistakes = read.raw, list(read.mistakes)
    if raw is None:
        raise problem_error(file, mistakes, read.more)
    raw = raw.by_rows
    data = _data(read, raw, file, mistakes, read_data)
    if data is not None:
        found = islice(misfits(raw, data, read.spoilt), MOST_MISFITS)
        mistakes += (Mistake(each.place, each.says + (TURNED if raw.convention.turned else "")) for each in found)
    if data is None or mistakes:
        raise problem_error(file, mistakes, read.more)
    return _resolved(raw, data, name, file)


def _data(
    read: Read, raw: RawProblem, file: str, mistakes: list[Mistake], read_data: Callable[[RawData, str], Data]
) -> Data | None:
    """X and Y; None, with what is wrong added to the mistakes, where they cannot be had."""
    if raw.data.X is None or raw.data.Y is None:
        try:
            return read_data(raw.data, file)
        except ProblemError as wrong:
            mistakes.append(Mistake(wrong.place, wrong.says))
            return None
    if isinstance(raw.data.Y, np.ndarray):
        return Data(raw.data.X, raw.data.Y)
    unfit = list(islice(unfit_labels(raw, raw.data.Y), MOST_MISFITS)) if "layers" not in read.spoilt else []
    mistakes += unfit
    outputs = raw.layers[-1].outputs
    return None if unfit or max(raw.data.Y) >= outputs else Data(raw.data.X, np.eye(outputs)[list(raw.data.Y)])


def _resolved(raw: RawProblem, data: Data, name: str, file: str) -> Problem:
    """The problem of tables in which everything fits, as far as one sees before the parameters are drawn."""
    rows, biased = len(data.X), has_bias(raw)
    problem = Problem(
        name=name,
        title=name if raw.title is None else raw.title,
        batch_size=rows if raw.batch_size is None else raw.batch_size,
        loss_shown=raw.loss_shown or raw.convention.reduction,
        optimizer=raw.optimizer or Optimizer(),
        X=frozen(data.X),
        Y=frozen(data.Y),
        layers=_with_parameters(raw, sizes(raw.layers, data, raw.convention.leading), biased),
        **{key: getattr(raw, key) for key in AS_READ},
    )
    every = (*identifiers(biased), *problem.optimizer.added(problem.trained))
    states = problem.optimizer.unfit_states({name: problem.starting[name] for name in problem.trained})
    unfit = [Mistake(f"optimizer.state.{name}", says) for name, says in states]
    if unfit:
        raise problem_error(file, unfit)
    clash = network_names(problem).clash(every) if problem.names.own else None
    if clash:
        named, other = clash
        says = f"found {show(raw.names.own[named])}, expected a name that {other} does not have"
        raise problem_error(file, [Mistake(f"names.{named}", says)])
    return problem


def _with_parameters(raw: RawProblem, shapes: Sequence[tuple[int, int]], biased: Sequence[bool]) -> tuple[Layer, ...]:
    """The layers with their parameters, typed or drawn; drawn ones are rounded where `carry_rounded` asks."""
    wanted = [
        Wanted(inputs, units, bias)
        for layer, (inputs, units), bias in zip(raw.layers, shapes, biased, strict=True)
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
        layers.append(Layer(layer.function, slope, frozen(weights), frozen_bias))
    return tuple(layers)


def _typed(layer: RawLayer) -> tuple[Array, Array | None]:
    weights = layer.turned
    assert weights is not None  # asked for by the caller
    bias = np.atleast_2d(np.asarray(layer.bias, dtype=np.float64)) if layer.has_bias else None
    return weights, bias
