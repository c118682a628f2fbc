"""Layers and their parameters; drawing those that are given by `units`, the same for the same seed.

The order is a contract: first `skip` uniforms that are thrown away, then W1, b1, W2, … row by
row, only for layers given by `units`. A seed of an old article then gives the article's numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from tracer.expression.arrays import Array
from tracer.problem.convention import FieldError, FileSection, counted, one_of

RandomSource: TypeAlias = np.random.Generator | np.random.RandomState
LARGEST = 1e100  # beyond it squares and products leave float64
LARGEST_NORMAL = 1e98  # so that what is drawn stays within LARGEST, and a saved problem can be read again
LONGEST_SKIP = 200_000_000  # seconds; more would only look like a hang
CHUNK = 1_000_000
MOST_CELLS = 200_000_000  # 1.6 GB of float64
CELLS_PER_UNIT = 6  # Z, A, S, D, E and room for one more, per row

BoundedNumber: TypeAlias = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]


def frozen(values: Array) -> Array:
    """A float64 copy that refuses to be written to, its zeros without sign."""
    matrix = np.array(values, dtype=np.float64) + 0.0
    matrix.setflags(write=False)
    return matrix


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer with its parameters: weights (inputs, units); bias (1, units), (1, 1) if shared, or None.

    `slope` is leaky ReLU's on the negative side and means nothing to the others.
    """

    activation: str
    slope: float
    weights: Array
    bias: Array | None

    @property
    def inputs(self) -> int:
        return int(self.weights.shape[0])

    @property
    def units(self) -> int:
        return int(self.weights.shape[1])

    @property
    def shared_bias(self) -> bool:
        """One bias for several units? (For a single unit there is no difference.)"""
        return self.bias is not None and self.bias.shape[1] < self.units

    def to_document(self) -> dict[str, Any]:
        """The layer as a `[[layers]]` table."""
        name, form = ("gelu", "erf") if self.activation == "gelu_erf" else (self.activation, None)
        table: dict[str, Any] = {"activation": name, "weights": self.weights.tolist()}
        if form is not None:
            table["form"] = form
        if self.activation == "leaky_relu":
            table["slope"] = self.slope
        if self.bias is not None:
            table["bias"] = float(self.bias[0, 0]) if self.shared_bias else self.bias[0].tolist()
        return table


class Uniform(FileSection):
    """Uniform on [low, high)."""

    distribution: Literal["uniform"]
    low: BoundedNumber
    high: BoundedNumber

    @field_validator("high")
    @classmethod
    def _not_below_low(cls, high: float, info: ValidationInfo) -> float:
        low = info.data.get("low", high)
        if high < low:
            raise ValueError(f"a number not below low ({low!r})")
        return high

    def draw(self, source: RandomSource, shape: tuple[int, int], fan: tuple[int, int]) -> Array:
        """A matrix of `shape`; `fan` (inputs, units of the layer) plays no part."""
        return source.uniform(self.low, self.high, shape)


class Normal(FileSection):
    """Normal with mean and standard deviation."""

    distribution: Literal["normal"]
    mean: Annotated[float, Field(ge=-LARGEST_NORMAL, le=LARGEST_NORMAL)]
    std: Annotated[float, Field(ge=0, le=LARGEST_NORMAL)]

    def draw(self, source: RandomSource, shape: tuple[int, int], fan: tuple[int, int]) -> Array:
        """A matrix of `shape`; `fan` (inputs, units of the layer) plays no part."""
        return source.normal(self.mean, self.std, shape)


class Xavier(FileSection):
    """Uniform within ±√(6 / (inputs + units)) of the layer (Glorot and Bengio 2010)."""

    distribution: Literal["xavier"] = "xavier"

    def draw(self, source: RandomSource, shape: tuple[int, int], fan: tuple[int, int]) -> Array:
        """A matrix of `shape` for a layer of `fan` (inputs, units)."""
        limit = math.sqrt(6.0 / sum(fan))
        return source.uniform(-limit, limit, shape)


class He(FileSection):
    """Normal with mean 0 and standard deviation √(2 / inputs) of the layer (He et al. 2015)."""

    distribution: Literal["he"]

    def draw(self, source: RandomSource, shape: tuple[int, int], fan: tuple[int, int]) -> Array:
        """A matrix of `shape` for a layer of `fan` (inputs, units)."""
        return source.normal(0.0, math.sqrt(2.0 / fan[0]), shape)


class Zeros(FileSection):
    """All zero; takes nothing from the stream."""

    distribution: Literal["zeros"] = "zeros"

    def draw(self, source: RandomSource, shape: tuple[int, int], fan: tuple[int, int]) -> Array:
        """Zeros of `shape`; nothing is drawn."""
        return np.zeros(shape)


DISTRIBUTIONS: dict[str, type[FileSection]] = {
    "uniform": Uniform,
    "normal": Normal,
    "xavier": Xavier,
    "he": He,
    "zeros": Zeros,
}
PARAMETERS = {"uniform": "low = 0.0, high = 1.0", "normal": "mean = 0.0, std = 1.0"}


def _bare_word(value: object) -> object:
    """A table for the bare word of a distribution that needs no parameters. Raises FieldError."""
    if not isinstance(value, str):
        return value
    word = one_of(value, DISTRIBUTIONS)
    if word in PARAMETERS:
        table = f'{{ distribution = "{word}", {PARAMETERS[word]} }}'
        raise FieldError(f"found {word!r}, expected a table such as {table}")
    return {"distribution": word}


Distribution: TypeAlias = Annotated[
    Uniform | Normal | Xavier | He | Zeros, Field(discriminator="distribution"), BeforeValidator(_bare_word)
]


class Initial(FileSection):
    """The section `[initial]`: where the parameters of layers given by `units` come from."""

    generator: Literal["default", "legacy"] = "default"
    seed: Annotated[int, Field(ge=0, le=10**100)] = 0
    skip: Annotated[int, Field(ge=0, le=LONGEST_SKIP)] = 0
    weights: Distribution = Xavier()
    bias: Distribution = Zeros()

    @field_validator("seed")
    @classmethod
    def _old_seeds_have_32_bits(cls, seed: int, info: ValidationInfo) -> int:
        if info.data.get("generator") == "legacy" and seed >= 2**32:
            raise ValueError("a whole number below 4294967296, as the legacy generator takes")
        return seed


@dataclass(frozen=True)
class Wanted:
    """A layer whose parameters are to be drawn."""

    inputs: int
    units: int
    bias: bool


def beyond_memory(rows: int, shapes: Sequence[tuple[int, int]]) -> str | None:
    """What to say of layers (inputs, units) too large to be traced; None where they fit.

    To be asked before any of it is allocated.
    """
    weights = sum(inputs * units for inputs, units in shapes)
    cells = CELLS_PER_UNIT * rows * sum(units for _, units in shapes) + 3 * weights
    if cells <= MOST_CELLS:
        return None
    sizes = [str(size) if size < 1e12 else f"{size:.1e}" for size in (shapes[0][0], *(units for _, units in shapes))]
    network = "-".join(sizes[:12]) + ("-…" if len(sizes) > 12 else "")
    widest = max(sizes[1:], key=float)
    says = f"found {widest}: a {network} network with {counted(rows, 'row')} takes about {cells:.1e} cells"
    return f"{says}, expected at most {MOST_CELLS:.0e}"


def _stream(initial: Initial) -> RandomSource:
    """The generator, with the first `skip` uniforms thrown away."""
    legacy = initial.generator == "legacy"
    source: RandomSource = np.random.RandomState(initial.seed) if legacy else np.random.default_rng(initial.seed)
    for start in range(0, initial.skip, CHUNK):
        source.uniform(size=min(CHUNK, initial.skip - start))
    return source


def draw_matrices(initial: Initial, shapes: Sequence[tuple[int, int]]) -> Iterator[Array]:
    """Matrices of these shapes in turn, as weights of so many inputs and units are drawn."""
    source = _stream(initial)
    for shape in shapes:
        yield initial.weights.draw(source, shape, shape)


def draw_parameters(initial: Initial, layers: Sequence[Wanted]) -> Iterator[tuple[Array, Array | None]]:
    """Weights (inputs, units) and bias (1, units), or None for no bias, of each layer in turn."""
    source = _stream(initial)
    for layer in layers:
        fan = (layer.inputs, layer.units)
        weights = initial.weights.draw(source, fan, fan)
        yield weights, initial.bias.draw(source, (1, layer.units), fan) if layer.bias else None
