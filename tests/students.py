"""Simulated students: they work a problem in plain numpy, step by step, and write down what they get.

Written from DESIGN, not from the product: `compute` is the right rule of every matrix on what the student
remembers of those before it. wrong_rules.py has the wrong ones.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests import reference

Array = NDArray[np.float64]
Document = dict[str, Any]
Answers = dict[str, list[list[str | None]]]
HIDDEN = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "linear")
OUTPUTS = (
    ("half_squared_error", "sigmoid"), ("half_squared_error", "linear"), ("half_squared_error", "tanh"),
    ("half_squared_error", "softmax"), ("squared_error", "sigmoid"), ("mean_squared_error", "linear"),
    ("mean_squared_error", "relu"), ("squared_error", "softplus"), ("cross_entropy", "softmax"),
    ("cross_entropy", "softmax"), ("binary_cross_entropy", "sigmoid"), ("binary_cross_entropy", "softmax"),
)  # fmt: skip


@dataclass
class Work:
    """A problem in a student's head: sizes, conventions, and the right rule of each matrix."""

    document: Document
    layers: list[Document] = field(init=False)

    def __post_init__(self) -> None:
        self.layers = self.document["layers"]
        self.depth = len(self.layers)
        start = reference.batches_of(self.document)[0]
        self.X = np.array(self.document["data"]["X"], dtype=float)[start]
        self.Y = np.array(self.document["data"]["Y"], dtype=float)[start]
        self.N, self.K = self.Y.shape
        self.rate = self.document["learning_rate"]
        self.loss = self.document["loss"]
        self.sign = 1.0 if self.convention("error") == "output - target" else -1.0
        self.fused = self.convention("softmax_slope") == "fused"
        self.mean = self.convention("reduction") == "mean"
        self.jacobians = self.layers[-1]["activation"] == "softmax" and not self.fused
        self.mean_in_gradient = self.mean and self.convention("reduction_in") == "gradient"
        self.rate_in_change = self.convention("learning_rate_in") == "change"
        self.rate_in_delta = self.convention("learning_rate_in") == "delta"

    def convention(self, key: str) -> Any:
        return reference.convention({"convention": {}} | self.document, key)

    def given(self) -> dict[str, Array]:
        return {"X": self.X, "Y": self.Y} | reference.parameters_of(self.document)

    def has_bias(self, layer: int) -> bool:
        return "bias" in self.layers[layer - 1]

    def order(self) -> Iterator[str]:
        """The computed matrices in order of time."""
        for layer in range(1, self.depth + 1):
            yield from (f"Z{layer}", f"A{layer}")
        yield from ("L", "E")
        if self.jacobians:
            yield from (f"J{sample + 1}" for sample in range(self.N))
        for layer in range(self.depth, 0, -1):
            if layer < self.depth or not (self.jacobians or self.fused):
                yield f"S{layer}"
        yield f"D{self.depth}"
        for layer in range(self.depth - 1, 0, -1):
            yield from (f"E{layer}", f"D{layer}")
        for layer in range(self.depth, 0, -1):
            yield from (f"dW{layer}", f"W{layer}_next")
        for layer in range(self.depth, 0, -1):
            if self.has_bias(layer):
                yield from (f"db{layer}", f"b{layer}_next")

    # The right rules, on what is remembered

    def compute(self, name: str, m: dict[str, Array]) -> Array:
        kind, layer = split(name)
        return getattr(self, f"_{kind}")(m, layer)

    def A(self, m: dict[str, Array], layer: int) -> Array:
        return m[f"A{layer}"] if layer else m["X"]

    def error(self, m: dict[str, Array], layer: int) -> Array:
        return m["E"] if layer == self.depth else m[f"E{layer}"]

    def with_rate(self, delta: Array) -> Array:
        return delta * self.rate if self.rate_in_delta else delta

    def signed(self, gradient: Array) -> Array:
        """∂L/∂… with the problem's sign, averaged where it asks for that."""
        return self.sign * gradient / (self.N if self.mean and not self.mean_in_gradient else 1)

    def _Z(self, m: dict[str, Array], layer: int) -> Array:
        return self.A(m, layer - 1) @ m[f"W{layer}"] + m.get(f"b{layer}", 0.0)

    def _A(self, m: dict[str, Array], layer: int) -> Array:
        return reference.activate(self.layers[layer - 1], m[f"Z{layer}"])

    def _L(self, m: dict[str, Array], layer: int) -> Array:
        if self.fused:
            terms = self._fused_terms(m[f"Z{self.depth}"])
        else:
            terms = reference.per_sample(self.loss, self.Y, m[f"A{self.depth}"])
        shown = reference.loss_shown({"convention": {}} | self.document)
        return np.array([[terms.mean() if shown == "mean" else terms.sum()]])

    def _fused_terms(self, Z: Array) -> Array:
        if self.loss == "cross_entropy":
            return np.log(np.exp(Z).sum(axis=1)) - (self.Y * Z).sum(axis=1)
        return (np.logaddexp(0, Z) - self.Y * Z).sum(axis=1)

    def _E(self, m: dict[str, Array], layer: int) -> Array:
        if layer:
            return m[f"D{layer + 1}"] @ m[f"W{layer + 1}"].T
        A = m[f"A{self.depth}"]
        return self.signed(A - self.Y if self.fused else reference.gradient(self.loss, self.Y, A))

    def _J(self, m: dict[str, Array], sample: int) -> Array:
        a = m[f"A{self.depth}"][sample - 1]
        return np.diag(a) - np.outer(a, a)

    def _S(self, m: dict[str, Array], layer: int) -> Array:
        return self.slope(self.layers[layer - 1], m[f"Z{layer}"], m[f"A{layer}"])

    def slope(self, layer: Document, Z: Array, A: Array) -> Array:
        """By hand a slope is worked from a where that can be."""
        match layer["activation"]:
            case "sigmoid" | "softmax":
                return A * (1 - A)
            case "tanh":
                return 1 - A * A
        return reference.slope(layer, Z, self.convention("relu_slope_at_zero"))

    def _D(self, m: dict[str, Array], layer: int) -> Array:
        E = self.error(m, layer)
        if layer < self.depth:
            return E * m[f"S{layer}"]
        if self.fused:
            return self.with_rate(E)
        if self.jacobians:
            return self.with_rate(np.array([E[n] @ m[f"J{n + 1}"] for n in range(self.N)]))
        return self.with_rate(E * m[f"S{layer}"])

    def entered(self, sums: Array) -> Array:
        """With what comes into dW and db alone: 1/N, −rate."""
        shared = sums / self.N if self.mean_in_gradient else sums
        return -self.sign * self.rate * shared if self.rate_in_change else shared

    def _dW(self, m: dict[str, Array], layer: int) -> Array:
        return self.entered(self.A(m, layer - 1).T @ m[f"D{layer}"])

    def _db(self, m: dict[str, Array], layer: int) -> Array:
        D = m[f"D{layer}"]
        shared = m[f"b{layer}"].size == 1
        return self.entered(D.sum().reshape(1, 1) if shared else D.sum(axis=0, keepdims=True))

    def _W_next(self, m: dict[str, Array], layer: int) -> Array:
        return m[f"W{layer}"] - self.step() * m[f"dW{layer}"]

    def _b_next(self, m: dict[str, Array], layer: int) -> Array:
        return m[f"b{layer}"] - (self.step() * m[f"db{layer}"] if self.convention("bias_update") else 0.0)

    def step(self) -> float:
        """What a gradient is multiplied by before it was subtracted; add it."""
        if self.rate_in_change:
            return -1.0
        return self.sign * (1.0 if self.rate_in_delta else self.rate)


def split(name: str) -> tuple[str, int]:
    """Kind and number of an identifier."""
    plain = name.removesuffix("_next")
    kind = plain.rstrip("0123456789")
    return kind + ("_next" if plain != name else ""), int(plain[len(kind) :] or 0)


def rounded(value: float, decimals: int, how: str = ROUND_HALF_UP) -> str:
    """A number as written by hand."""
    step = Decimal(1).scaleb(-decimals)
    text = f"{Decimal(repr(value)).quantize(step, rounding=how):f}"
    return text.removeprefix("-") if float(text) == 0 else text


@dataclass
class Habit:
    """How a student writes and remembers. `decimals` are written at least; `how` cuts or rounds."""

    decimals: int = 3
    remembers: float = 0.0  # how likely a number is remembered in full
    more: int = 0  # digits that are written beyond `decimals`, now and then
    how: str = ROUND_HALF_UP
    drops_zeros: bool = False
    leaves_out: float = 0.0  # how likely a matrix is not written down
    asked: Mapping[str, int] = field(default_factory=dict)  # decimals of matrices that are asked for others


def work_through(
    work: Work,
    habit: Habit,
    random: np.random.Generator,
    rules: Callable[[str, dict[str, Array]], Array] | None = None,
    given: dict[str, Array] | None = None,
    spoil: Callable[[str, list[list[str]], Array], Array] | None = None,
) -> Answers:
    """What a student writes, up to where they come to a division by zero or the like.

    `rules` stands for `work.compute`; `spoil` may change what is written of a matrix, and returns what is
    remembered of it.
    """
    memory = work.given() | (given or {})
    answers: Answers = {}
    for name in work.order():
        with np.errstate(all="ignore"):
            value = (rules or work.compute)(name, memory)
        if not np.isfinite(value).all() or np.abs(value).max(initial=0.0) > 1e9:
            break
        left_out = random.random() < habit.leaves_out
        texts, remembered = _written(value, replace(habit, decimals=habit.asked.get(name, habit.decimals)), random)
        if spoil is not None and not left_out:
            remembered = spoil(name, texts, remembered)
        memory[name] = remembered
        if not left_out:
            answers[name] = texts  # type: ignore[assignment]
    return answers


def _written(value: Array, habit: Habit, random: np.random.Generator) -> tuple[list[list[str]], Array]:
    texts, memory = [], value.copy()
    for i, row in enumerate(value.tolist()):
        line = []
        for j, number in enumerate(row):
            digits = habit.decimals + (int(random.integers(0, habit.more + 1)) if habit.more else 0)
            text = rounded(number, digits, habit.how)
            if random.random() >= habit.remembers:
                memory[i, j] = float(text)
            line.append(text.rstrip("0").removesuffix(".") if habit.drops_zeros and "." in text else text)
        texts.append(line)
    return texts, memory


def as_file(answers: Answers, **more: Any) -> bytes:
    return json.dumps(answers | more).encode()


# Problems


def random_document(random: np.random.Generator, rows: int | None = None) -> Document:
    """A network with numbers of two decimals over activations, losses and conventions."""
    loss, output = OUTPUTS[random.integers(len(OUTPUTS))]
    depth = int(random.choice([1, 2, 2, 2, 3]))
    rows = int(random.integers(1, 6)) if rows is None else rows
    sizes = [int(size) for size in random.integers(1, 5, depth + 1)]
    if output == "softmax":
        sizes[-1] = max(2, sizes[-1])
    names = [str(random.choice(HIDDEN)) for _ in range(depth - 1)] + [output]
    fused = (output, loss) in reference_fused() and random.random() < 0.5
    document = {
        "learning_rate": float(random.choice([0.05, 0.2, 0.3])),
        "loss": loss,
        "data": {"X": _hundredths(random, (rows, sizes[0]), 2.0), "Y": _targets(random, rows, sizes[-1], loss)},
        "layers": [_layer(random, *each) for each in zip(names, sizes[:-1], sizes[1:], strict=True)],
        "convention": {
            "error": str(random.choice(["output - target", "target - output"])),
            "reduction": str(random.choice(["sum", "mean"])),
            "learning_rate_in": str(random.choice(["update", "update", "delta"])),
            "softmax_slope": "fused" if fused else "jacobian",
            "relu_slope_at_zero": int(random.integers(2)),
        },
    }
    return document


def reference_fused() -> set[tuple[str, str]]:
    return {("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")}


def _hundredths(random: np.random.Generator, shape: tuple[int, int], largest: float = 1.0) -> list[list[float]]:
    most = round(largest * 100)
    return [[k / 100 for k in row] for row in random.integers(-most, most + 1, shape).tolist()]


def _targets(random: np.random.Generator, rows: int, outputs: int, loss: str) -> list[list[float]]:
    if loss == "cross_entropy":
        return [[float(k == target) for k in range(outputs)] for target in random.integers(0, outputs, rows)]
    if loss == "binary_cross_entropy":
        return [[float(bit) for bit in row] for row in random.integers(0, 2, (rows, outputs)).tolist()]
    return [[abs(k) for k in row] for row in _hundredths(random, (rows, outputs))]


def _layer(random: np.random.Generator, activation: str, inputs: int, units: int) -> Document:
    layer: Document = {"activation": activation, "weights": _hundredths(random, (inputs, units))}
    match int(random.integers(6)):
        case 0:
            pass
        case 1:
            layer["bias"] = _hundredths(random, (1, 1))[0][0]
        case _:
            layer["bias"] = _hundredths(random, (1, units))[0]
    return layer


def is_workable(work: Work) -> bool:
    """Whether a hand can work it: no output so near 0 or 1 that a logarithm or a division runs away."""
    made = reference.forward({"layers": work.layers}, work.X, reference.parameters_of(work.document))
    A = made[f"A{work.depth}"]
    far = "cross_entropy" not in work.loss or (A.min() > 0.03 and A.max() < 0.97)
    return far and all(math.isfinite(float(np.abs(each).max())) for each in made.values())
