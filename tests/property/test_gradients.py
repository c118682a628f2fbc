"""The trace against gradients that somebody else computed: PyTorch, and difference quotients."""

from itertools import combinations
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.agreement import assert_agrees
from tests.conftest import require_module
from tests.reference import (
    KINKED,
    batches_of,
    convention,
    forward,
    is_worked,
    loss_of,
    loss_shown,
    parameters_of,
)
from tests.strategies import OUTPUTS, documents
from tests.traces import first_pass, passes
from tracer.expression import numpy_source

Document = dict[str, Any]
# Rounding of Z reaches a gradient through up to five layers, each a few roundings of its largest term.
NEAR = 1e-11


def arrays(document: Document) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.array(document["data"][key], dtype=float) for key in "XY")  # type: ignore[return-value]


def assume_worked(document: Document, *kinks: Any) -> None:
    assume(is_worked(document, forward(document, arrays(document)[0], parameters_of(document)), *kinks))


# PyTorch ---------------------------------------------------------------------------------------


def torch_activation(torch: Any, layer: Document, Z: Any) -> Any:
    functional = torch.nn.functional
    return {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky_relu": lambda z: functional.leaky_relu(z, layer.get("slope", 0.01)),
        "elu": functional.elu,
        "softplus": lambda z: functional.softplus(z, threshold=500),
        "gelu": lambda z: functional.gelu(z, approximate="tanh"),
        "gelu_erf": functional.gelu,
        "silu": functional.silu,
        "softsign": functional.softsign,
        "arctan": torch.atan,
        "linear": lambda z: z * 1.0,
        "softmax": lambda z: torch.softmax(z, dim=1),
    }[layer["activation"]](Z)


def torch_loss(torch: Any, document: Document, Y: Any, Z: Any, A: Any) -> Any:
    """The loss of each sample."""
    loss, functional = document["loss"], torch.nn.functional
    fused = convention(document, "softmax_slope") == "fused"
    if loss == "cross_entropy":
        return -(Y * (functional.log_softmax(Z, dim=1) if fused else A.log())).sum(1)
    if loss == "binary_cross_entropy" and fused:
        return functional.binary_cross_entropy_with_logits(Z, Y, reduction="none").sum(1)
    if loss == "binary_cross_entropy":
        return -(Y * A.log() + (1 - Y) * (1 - A).log()).sum(1)
    if "absolute" in loss:
        return (A - Y).abs().sum(1) / (Y.shape[1] if loss == "mean_absolute_error" else 1)
    if loss == "hinge":
        return torch.relu(1 - Y * A).sum(1)
    factor = {"half_squared_error": 0.5, "squared_error": 1.0, "mean_squared_error": 1 / Y.shape[1]}[loss]
    return factor * functional.mse_loss(A, Y, reduction="none").sum(1)


class TorchPass:
    """One pass over a batch by autograd: every Z, A and parameter keeps its gradient."""

    def __init__(self, document: Document, X: np.ndarray, Y: np.ndarray, parameters: dict[str, np.ndarray]) -> None:
        torch = require_module("torch")
        self.made = {key: torch.tensor(value, requires_grad=True) for key, value in parameters.items()}
        A, target = torch.tensor(X), torch.tensor(Y)
        for number, layer in enumerate(document["layers"], start=1):
            Z = A @ self.made[f"W{number}"]
            Z = Z + self.made[f"b{number}"] if f"b{number}" in self.made else Z
            A = torch_activation(torch, layer, Z)
            for each in (Z, A):
                each.retain_grad()
            self.made |= {f"Z{number}": Z, f"A{number}": A}
        losses = torch_loss(torch, document, target, Z, A)
        self.loss = float(losses.detach().mean() if loss_shown(document) == "mean" else losses.detach().sum())
        (losses.mean() if convention(document, "reduction") == "mean" else losses.sum()).backward()

    def value(self, key: str) -> np.ndarray:
        return self.made[key].detach().numpy()

    def gradient(self, key: str) -> np.ndarray:
        return self.made[key].grad.numpy()

    def expected(self, document: Document) -> dict[str, np.ndarray]:
        """What the trace should hold, under the problem's conventions."""
        sign = 1.0 if convention(document, "error") == "output - target" else -1.0
        rate, depth = document["learning_rate"], len(document["layers"])
        carried = sign * (rate if convention(document, "learning_rate_in") == "delta" else 1.0)
        fused = convention(document, "softmax_slope") == "fused"
        found = {
            "L": np.array([[self.loss]]),
            "E": sign * self.gradient(f"Z{depth}" if fused else f"A{depth}"),
        }
        for number in range(1, depth + 1):
            found |= {f"{kind}{number}": self.value(f"{kind}{number}") for kind in "ZA"}
            found[f"D{number}"] = carried * self.gradient(f"Z{number}")
            if number < depth:
                found[f"E{number}"] = carried * self.gradient(f"A{number}")
        for key in (key for key in self.made if key[0] in "Wb"):
            found[f"d{key}"] = carried * self.gradient(key)
            moves = key[0] == "W" or convention(document, "bias_update")
            found[f"{key}_next"] = self.value(key) - (rate * self.gradient(key) if moves else 0.0)
        return found


def assert_all_agree(found: Any, expected: dict[str, np.ndarray], to: float = NEAR) -> None:
    """Each matrix to `to` of its own largest cell, or of what the pass adds up."""
    largest = max(1.0, *(float(np.abs(value).max()) for value in expected.values()))
    for key, value in expected.items():
        assert_agrees(found[key], value, largest, key, to)


@pytest.mark.parametrize("outputs", OUTPUTS)
@settings(max_examples=12)
@given(data=st.data())
def test_every_gradient_and_update_is_the_one_of_pytorch(outputs: tuple[str, str, bool], data: st.DataObject) -> None:
    document = data.draw(documents(outputs))
    assume_worked(document)
    first = first_pass(document)
    X, Y = arrays(document)
    rows = batches_of(document)[0]
    expected = TorchPass(document, X[rows], Y[rows], parameters_of(document)).expected(document)
    assert_all_agree(first, expected)
    hidden = {key for key in first if key not in expected and key[0] not in "SJ"}
    assert hidden == {"X", "Y", *parameters_of(document)}, "a matrix that no one checks"


@settings(max_examples=60)
@given(documents(most_layers=4), st.integers(1, 3))
def test_so_they_are_where_matrices_are_large(document: Document, epochs: int) -> None:
    """Computed in place, in memory for many passes, and column by column where weights are tall: here all of them."""
    with patch.multiple(numpy_source, LARGE=1, VERY_LARGE=1):
        found = passes(document, range(1, epochs + 1))
    for one, usual in zip(found, passes(document, range(1, epochs + 1)), strict=True):
        assert_all_agree(one, dict(usual.matrices), to=1e-9)
    arrays_made = [matrix for one in found for matrix in one.computed]
    assert not any(np.shares_memory(*pair) for pair in combinations(arrays_made, 2)), "one name, one matrix"


def test_so_they_are_in_a_network_of_a_hundred_units() -> None:
    random = np.random.default_rng(3)
    document: Document = {
        "learning_rate": 0.5,
        "loss": "cross_entropy",
        "batch_size": 70,
        "convention": {"reduction": "mean"},
        "data": {
            "X": random.uniform(-1, 1, (140, 300)).tolist(),
            "Y": np.eye(5)[random.integers(0, 5, 140)].tolist(),
        },
        "layers": [
            {"activation": "sigmoid", "weights": random.uniform(-0.2, 0.2, (300, 120)).tolist(), "bias": [0.1] * 120},
            {"activation": "tanh", "weights": random.uniform(-0.2, 0.2, (120, 60)).tolist()},
            {"activation": "softmax", "weights": random.uniform(-0.2, 0.2, (60, 5)).tolist(), "bias": [0.0] * 5},
        ],
    }
    X, Y = arrays(document)
    parameters = parameters_of(document)
    for one in passes(document, (1, 2, 3)):
        rows = slice(one.start, one.stop)
        expected = TorchPass(document, X[rows], Y[rows], parameters).expected(document)
        assert_all_agree(one, expected)
        parameters = {key: expected[f"{key}_next"] for key in parameters}


@settings(max_examples=60)
@given(documents(most_layers=3), st.integers(2, 3))
def test_iterations_and_epochs_each_start_from_the_update_before(document: Document, epochs: int) -> None:
    document["convention"].pop("bias_update", None)
    X, Y = arrays(document)
    parameters = parameters_of(document)
    recorded = []
    for _ in range(epochs):
        for rows in batches_of(document):
            assume(is_worked(document, forward(document, X[rows], parameters), 1e-6))
            assume(all(np.abs(value).max() < 1e3 for value in parameters.values()))
            expected = TorchPass(document, X[rows], Y[rows], parameters).expected(document)
            recorded.append((rows, expected))
            parameters = {key: expected[f"{key}_next"] for key in parameters}
    found = passes(document, range(1, epochs + 1))
    assert len(found) == len(recorded)
    for one, (rows, expected) in zip(found, recorded, strict=True):
        assert (one.start, one.stop) == (rows.start, rows.stop)
        assert_all_agree(one, expected, to=1e-8)  # differences of one pass grow in the next


# Difference quotients ----------------------------------------------------------------------------


@pytest.mark.parametrize("outputs", OUTPUTS)
@settings(max_examples=5)
@given(data=st.data())
def test_every_parameter_gradient_is_the_difference_quotient(
    outputs: tuple[str, str, bool], data: st.DataObject
) -> None:
    """(L(w + h) − L(w − h))/2h with h = 1e-5 is off by h²/6·L‴ and by the rounding of L, about 1e-16·L/h.

    That is 1e-11 of either; curvature grows with the inputs and weights, here up to 2 and 1, so 1e-6
    of the largest loss or gradient leaves room, and a wrong rule is off by far more.
    """
    document = data.draw(documents(outputs, most_layers=4))
    assume_worked(document, 1e-3, (*KINKED, "elu", "softsign"))  # the curvature of the last two jumps at 0
    document.pop("batch_size", None)
    X, Y = arrays(document)
    parameters = parameters_of(document)
    found = first_pass(document)
    sign = 1.0 if convention(document, "error") == "output - target" else -1.0
    rate = document["learning_rate"] if convention(document, "learning_rate_in") == "delta" else 1.0
    reduction = convention(document, "reduction")
    largest = max(1.0, abs(loss_of(document, X, Y, parameters, reduction)))
    for key, value in parameters.items():
        quotients = np.empty_like(value)
        for place in np.ndindex(value.shape):
            losses = []
            for step in (1e-5, -1e-5):
                moved = value.copy()
                moved[place] += step
                losses.append(loss_of(document, X, Y, {**parameters, key: moved}, reduction))
            quotients[place] = (losses[0] - losses[1]) / 2e-5
        size = max(largest, float(np.abs(quotients).max()))
        assert_agrees(found[f"d{key}"] * sign / rate, quotients, size, f"d{key}", to=1e-6)


# At the kink --------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", KINKED)
@pytest.mark.parametrize("at_zero", [0, 1])
@settings(max_examples=25)
@given(data=st.data())
def test_at_a_pre_activation_of_exactly_zero_the_convention_gives_the_slope(
    activation: str, at_zero: int, data: st.DataObject
) -> None:
    """Rows of zeros without bias make Z exactly 0; by hand: the slope there is 1, or the negative side's."""
    document = data.draw(documents(most_layers=2, hand=True))
    layer = document["layers"][0]
    layer["activation"] = activation
    layer.pop("bias", None)
    if activation == "relu":
        layer.pop("slope", None)
    if len(document["layers"]) == 1:
        document["loss"] = "half_squared_error"
        document["convention"].pop("softmax_slope", None)
    document["data"]["X"][0] = [0.0] * len(document["data"]["X"][0])
    document["convention"]["relu_slope_at_zero"] = at_zero
    document.pop("batch_size", None)
    assume_worked(document, 0.0)
    found = first_pass(document)
    negative_side = 0.0 if activation == "relu" else layer.get("slope", 0.01)
    assert (found["Z1"][0] == 0.0).all()
    expected = np.where(found["Z1"] > 0, 1.0, negative_side)
    expected[found["Z1"] == 0.0] = 1.0 if at_zero else negative_side
    assert (found["S1"] == expected).all()
    if len(document["layers"]) > 1:
        assert (found["D1"] == found["E1"] * expected).all()
