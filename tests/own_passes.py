"""Backward passes in numpy, as people write them at home: right ones, and ones with a mistake."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tracer

Array = Any
N, RATE = 5, 0.3
RNG = np.random.default_rng(11)
X = RNG.normal(size=(N, 3))
LABELS = np.array([0, 2, 1, 2, 0])
Y = np.eye(3)[LABELS]
W1, W2, W3 = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 4)), RNG.normal(size=(4, 3))
b1, b2, b3 = RNG.normal(size=4) * 0.3, RNG.normal(size=4) * 0.3, RNG.normal(size=3) * 0.1


def problem(reduction: str = "mean") -> Any:
    """ReLU, tanh and softmax with cross-entropy."""
    convention = {"reduction": reduction, "softmax_slope": "fused"}
    layers: list[Any] = [(W1, b1), (W2, b2), (W3, b3)]
    return tracer.from_arrays(X, LABELS, layers, activations=["relu", "tanh", "softmax"], loss="cross_entropy",
                              convention=convention, learning_rate=RATE)  # fmt: skip


@dataclass
class Own:
    """One pass, whose parts can each be done another way."""

    top: Callable[[Array, Array], Array] = lambda d, p: d
    left3: Callable[..., Array] = lambda z, a: a
    sum3: Callable[[Array], Array] = lambda d: d.sum(0)
    weights3: Callable[[Array], Array] = lambda dW: W3
    slope2: Callable[..., Array] = lambda z, a: 1 - a**2
    left2: Callable[..., Array] = lambda z, a: a
    product2: Callable[..., Array] = lambda a, d: a.T @ d
    back1: Callable[[Array, Array], Array] = lambda d, e: d @ W2.T
    mask: Callable[..., Array] = lambda z, e: z > 0
    delta1: Callable[..., Array] = lambda e, d: d
    sum1: Callable[[Array], Array] = lambda d: d.sum(0)
    forward: Callable[[Array, Array], Array] = lambda W, b: b
    all: Callable[[dict[str, Array]], dict[str, Array]] = lambda g: g

    def gradients(self) -> dict[str, Array]:
        z1 = X @ W1 + self.forward(W1, b1)
        a1 = np.maximum(z1, 0)
        z2 = a1 @ W2 + self.forward(W2, b2)
        a2 = np.tanh(z2)
        z3 = a2 @ W3 + self.forward(W3, b3)
        p = np.exp(z3) / np.exp(z3).sum(1, keepdims=True)
        d3 = self.top((p - Y) / N, p)
        g = {"dW3": self.left3(z2, a2).T @ d3, "db3": self.sum3(d3)}
        e2 = d3 @ self.weights3(g["dW3"]).T
        d2 = e2 * self.slope2(z2, a2)
        g |= {"dW2": self.product2(self.left2(z1, a1), d2), "db2": d2.sum(0)}
        e1 = self.back1(d2, e2)
        d1 = e1 * self.mask(z1, e1)
        g |= {"dW1": X.T @ self.delta1(e1, d1), "db1": self.sum1(d1)}
        return self.all(g)


BROKEN: dict[str, tuple[Own, str, str]] = {
    "mask": (Own(mask=lambda z, e: 1), "dW1", "without the ReLU mask"),
    "missing sum": (Own(sum3=lambda d: d[0]), "db3", "of the first sample alone: the sum"),
    "wrong operand": (Own(left2=lambda z, a: z), "dW2", "with Z1 in place of A1"),
    "mean twice": (Own(all=lambda g: {k: v / N for k, v in g.items()}), "dW3", "divided by the 5 samples twice"),
    "stale activation": (
        Own(left3=lambda z, a: np.tanh(np.maximum(X @ _next("W1") + _next("b1"), 0) @ _next("W2") + _next("b2"))),
        "dW3", "with A2 of another pass",
    ),
    "softmax's extra slope": (Own(top=lambda d, p: d * p * (1 - p)), "dW3", "with the extra slope A3(1 − A3)"),
    "cross terms": (Own(top=lambda d, p: -Y * (1 - p) / N), "dW3", "the softmax's cross terms are missing"),
    "stopped at the loss": (Own(top=lambda d, p: -Y / p / N), "dW3", "the slope of the softmax is missing"),
    "updated weights": (Own(weights3=lambda dW: W3 - RATE * dW), "dW2", "with W3 updated already"),
    "no transpose": (Own(back1=lambda d, e: d @ W2), "dW1", "with W2 in place of its transpose"),
    "slope left out": (Own(slope2=lambda z, a: 1), "dW2", "without the slope of A2"),
    "slope of the pre-activation": (Own(slope2=lambda z, a: 1 - z**2), "dW2", "taken at Z2 in place of A2"),
    "another slope": (Own(slope2=lambda z, a: a * (1 - a)), "dW2", "with the slope of a sigmoid"),
    "product of sums": (Own(product2=lambda a, d: np.outer(a.sum(0), d.sum(0))), "dW2", "made of sums"),
    "error for delta": (Own(delta1=lambda e, d: e), "dW1", "with E1 in place of D1"),
    "mask the wrong way round": (Own(mask=lambda z, e: z <= 0), "dW1", "the wrong way round"),
    "slope of a leaky ReLU": (Own(mask=lambda z, e: np.where(z > 0, 1, 0.01)), "dW1", "leaky ReLU, 0.01 below 0"),
    "weight decay": (Own(all=lambda g: g | {f"dW{k}": g[f"dW{k}"] + 0.01 * W for k, W in ((1, W1), (2, W2), (3, W3))}),
                     "dW3", "0.01 times the parameter added: a penalty, or weight decay"),
    "labels from 1": (Own(top=lambda d, p: (p - np.roll(Y, 1, 1)) / N), "dW3", "classes of Y counted one too far"),
    "sigmoids for a softmax": (
        Own(top=lambda d, p: (1 / (1 + np.exp(-_logits())) - Y) / N), "dW3", "with the sigmoid of Z3 in place of A3"),
    "bias forgotten in the forward pass": (
        Own(forward=lambda W, b: b * (W is not W2)), "dW3", "with the forward pass computed without b2"),
    "mean of the bias": (Own(sum1=lambda d: d.mean(0)), "db1", "divided by the 5 samples once more"),
}  # fmt: skip


def _logits() -> Array:
    return tracer.trace(problem())["Z3"]


def _next(name: str) -> Array:
    return tracer.trace(problem())[f"{name}_next"]


def numeric() -> dict[str, Array]:
    """By central differences, as one checks a pass."""

    def loss(W1: Array, b1: Array, W2: Array, b2: Array, W3: Array, b3: Array) -> float:
        z3 = np.tanh(np.maximum(X @ W1 + b1, 0) @ W2 + b2) @ W3 + b3
        return float((np.log(np.exp(z3).sum(1)) - (Y * z3).sum(1)).mean())

    at = {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "W3": W3, "b3": b3}
    found = {}
    for name, each in at.items():
        gradient = np.zeros_like(each)
        for place in np.ndindex(each.shape):
            sides = []
            for step in (1e-5, -1e-5):
                moved = each.copy()
                moved[place] += step
                sides.append(loss(**{**at, name: moved}))
            gradient[place] = (sides[0] - sides[1]) / 2e-5
        found[f"d{name}"] = gradient
    return found


def _in_layers(g: dict[str, Array]) -> Any:
    return [(g[f"dW{k}"], g[f"db{k}"]) for k in (1, 2, 3)]


def _in_one_row(g: dict[str, Array]) -> Any:
    return np.concatenate([part.ravel() for pair in _in_layers(g) for part in pair])


def _each(change: Callable[[Array], Array]) -> Callable[[dict[str, Array]], dict[str, Array]]:
    return lambda g: {key: change(value) for key, value in g.items()}


def _renamed(change: Callable[[str], str]) -> Callable[[dict[str, Array]], dict[str, Array]]:
    return lambda g: {change(key): value for key, value in g.items()}


RIGHT: dict[str, tuple[str, Callable[[dict[str, Array]], Any]]] = {
    "as it is": ("mean", lambda g: g),
    "summed": ("mean", _each(lambda v: v * N)),
    "averaged": ("sum", lambda g: g),
    "summed, of a summed loss": ("sum", _each(lambda v: v * N)),
    "in single precision": ("mean", _each(lambda v: v.astype(np.float32))),
    "in single precision and summed": ("mean", _each(lambda v: (v * N).astype(np.float32))),
    "transposed": ("mean", _each(lambda v: v.T if v.ndim == 2 else v)),
    "transposed and summed": ("mean", _each(lambda v: (v.T if v.ndim == 2 else v) * N)),
    "biases as rows": ("mean", _each(np.atleast_2d)),
    "biases as columns": ("mean", _each(lambda v: v[:, None] if v.ndim == 1 else v)),
    "what is added": ("mean", _each(lambda v: -v)),
    "as lists": ("mean", _each(lambda v: v.tolist())),
    "by central differences": ("mean", lambda g: numeric()),
    "under the parameters' names": ("mean", _renamed(lambda key: key[1:])),
    "layer by layer": ("mean", _in_layers),
    "layers by name": ("mean", lambda g: [{"W": W, "b": b} for W, b in _in_layers(g)]),
    "in one row": ("mean", _in_one_row),
    "in half precision": ("mean", _each(lambda v: v.astype(np.float16))),
    "columns first": ("mean", _each(lambda v: np.asfortranarray(v.T if v.ndim == 2 else v))),
    "under other names": ("mean", _renamed(lambda key: f"grad_{key[1:]}")),
}
