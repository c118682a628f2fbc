"""One pass through a network in plain numpy, written from a textbook and DESIGN, not from the product.

Works on the problem document itself. `one_pass` gives every matrix by its identifier, with what
[reproduce] asks for; `loss_of` is the forward pass alone, for difference quotients.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Document = dict[str, Any]
KINKED = ("relu", "leaky_relu")


def parameters_of(document: Document) -> dict[str, Array]:
    """W1, b1, … as two-dimensional arrays; a shared bias is 1×1."""
    found = {}
    for number, layer in enumerate(document["layers"], start=1):
        found[f"W{number}"] = np.array(layer["weights"], dtype=float)
        if "bias" in layer:
            found[f"b{number}"] = np.atleast_2d(np.array(layer["bias"], dtype=float))
    return found


def batches_of(document: Document) -> list[slice]:
    rows = len(document["data"]["X"])
    size = document.get("batch_size", rows)
    return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]


def convention(document: Document, key: str) -> Any:
    defaults = {
        "error": "output - target",
        "learning_rate_in": "update",
        "reduction": "sum",
        "bias_update": True,
        "softmax_slope": "jacobian",
        "relu_slope_at_zero": 0,
    }
    return document["convention"].get(key, defaults[key])


def loss_shown(document: Document) -> str:
    return document.get("loss_shown", convention(document, "reduction"))


GELU_FACTOR = math.sqrt(2 / math.pi)


def normal_share(Z: Array) -> Array:
    return np.vectorize(lambda z: math.erfc(-z / math.sqrt(2)) / 2, otypes=[float])(Z)


def activate(layer: Document, Z: Array) -> Array:
    match layer["activation"]:
        case "sigmoid":
            return 1 / (1 + np.exp(-Z))
        case "tanh":
            return np.tanh(Z)
        case "relu":
            return np.where(Z > 0, Z, 0)
        case "leaky_relu":
            return np.where(Z > 0, Z, layer.get("slope", 0.01) * Z)
        case "elu":
            return np.where(Z > 0, Z, np.expm1(np.minimum(Z, 0)))
        case "softplus":
            return np.logaddexp(0, Z)
        case "gelu":
            return Z * (1 + np.tanh(GELU_FACTOR * (Z + 0.044715 * Z**3))) / 2
        case "gelu_erf":
            return Z * normal_share(Z)
        case "silu":
            return Z / (1 + np.exp(-Z))
        case "softsign":
            return Z / (1 + np.abs(Z))
        case "arctan":
            return np.arctan(Z)
        case "linear":
            return Z
        case "softmax":
            powers = np.exp(Z - Z.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)
    raise ValueError(layer)


def slope(layer: Document, Z: Array, at_zero: int) -> Array:
    """φ′(z), cell by cell; for softmax the diagonal of the Jacobian."""
    A = activate(layer, Z)
    positive = Z >= 0 if at_zero else Z > 0
    match layer["activation"]:
        case "sigmoid" | "softmax":
            return A * (1 - A)
        case "tanh":
            return 1 - A * A
        case "relu":
            return np.where(positive, 1.0, 0.0)
        case "leaky_relu":
            return np.where(positive, 1.0, layer.get("slope", 0.01))
        case "elu":
            return np.where(Z > 0, 1.0, np.exp(np.minimum(Z, 0)))
        case "softplus":
            return 1 / (1 + np.exp(-Z))
        case "gelu":
            bent = np.tanh(GELU_FACTOR * (Z + 0.044715 * Z**3))
            return (1 + bent) / 2 + Z / 2 * (1 - bent**2) * GELU_FACTOR * (1 + 3 * 0.044715 * Z**2)
        case "gelu_erf":
            return normal_share(Z) + Z * np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi)
        case "silu":
            share = 1 / (1 + np.exp(-Z))
            return share + Z * share * (1 - share)
        case "softsign":
            return 1 / (1 + np.abs(Z)) ** 2
        case "arctan":
            return 1 / (1 + Z**2)
        case "linear":
            return np.ones_like(Z)
    raise ValueError(layer)


def forward(document: Document, X: Array, parameters: dict[str, Array]) -> dict[str, Array]:
    made = {"A0": X}
    for number, layer in enumerate(document["layers"], start=1):
        bias = parameters.get(f"b{number}", 0.0)
        made[f"Z{number}"] = made[f"A{number - 1}"] @ parameters[f"W{number}"] + bias
        made[f"A{number}"] = activate(layer, made[f"Z{number}"])
    return made


def per_sample(loss: str, Y: Array, A: Array) -> Array:
    """The loss of each sample, summed over the outputs."""
    match loss:
        case "half_squared_error":
            terms = (Y - A) ** 2 / 2
        case "squared_error":
            terms = (Y - A) ** 2
        case "mean_squared_error":
            terms = (Y - A) ** 2 / Y.shape[1]
        case "absolute_error":
            terms = np.abs(Y - A)
        case "mean_absolute_error":
            terms = np.abs(Y - A) / Y.shape[1]
        case "hinge":
            terms = np.maximum(0, 1 - Y * A)
        case "cross_entropy":
            terms = -Y * np.log(A)
        case "binary_cross_entropy":
            terms = -Y * np.log(A) - (1 - Y) * np.log(1 - A)
        case _:
            raise ValueError(loss)
    return terms.sum(axis=1)


def gradient(loss: str, Y: Array, A: Array) -> Array:
    """∂(the loss of a sample)/∂a."""
    match loss:
        case "half_squared_error":
            return A - Y
        case "squared_error":
            return 2 * (A - Y)
        case "mean_squared_error":
            return 2 / Y.shape[1] * (A - Y)
        case "absolute_error":
            return np.sign(A - Y)
        case "mean_absolute_error":
            return np.sign(A - Y) / Y.shape[1]
        case "hinge":
            return np.where(1 - Y * A > 0, -Y, 0.0)
        case "cross_entropy":
            return -Y / A
        case "binary_cross_entropy":
            return (1 - Y) / (1 - A) - Y / A
    raise ValueError(loss)


def loss_of(document: Document, X: Array, Y: Array, parameters: dict[str, Array], reduction: str) -> float:
    A = forward(document, X, parameters)[f"A{len(document['layers'])}"]
    losses = per_sample(document["loss"], Y, A)
    return float(losses.mean() if reduction == "mean" else losses.sum())


def output_delta(document: Document, E: Array, Z: Array, A: Array) -> Array:
    """E times the slope of the output, whatever the problem takes for it; without the learning rate."""
    output, diagonal = (
        document["layers"][-1],
        document.get("reproduce", {}).get("softmax_slope") == "diagonal",
    )
    if convention(document, "softmax_slope") == "fused":
        return E
    if output["activation"] == "softmax" and not diagonal:
        return A * (E - (E * A).sum(axis=1, keepdims=True))
    return E * slope(output, Z, convention(document, "relu_slope_at_zero"))


def one_pass(document: Document, X: Array, Y: Array, parameters: dict[str, Array]) -> dict[str, Array]:
    """Every matrix of one pass but L, S and J; `…_next` hold the updated parameters."""
    reproduce = document.get("reproduce", {})
    twice = reproduce.get("rate_twice", False)
    rate, where = document["learning_rate"], convention(document, "learning_rate_in")
    in_delta, in_update = twice or where == "delta", twice or where == "update"
    sign = 1.0 if convention(document, "error") == "output - target" else -1.0
    depth = len(document["layers"])
    made = forward(document, X, parameters)
    Z, A = made[f"Z{depth}"], made[f"A{depth}"]
    fused = convention(document, "softmax_slope") == "fused"
    made["E"] = sign * (A - Y if fused else gradient(document["loss"], Y, A))
    if convention(document, "reduction") == "mean":
        made["E"] = made["E"] / len(X)
    D = output_delta(document, made["E"], Z, A) * (rate if in_delta else 1)
    for number in range(depth, 0, -1):
        made[f"D{number}"] = D
        made[f"dW{number}"] = made[f"A{number - 1}"].T @ D
        step = sign * (rate if in_update else 1)
        made[f"W{number}_next"] = parameters[f"W{number}"] - step * made[f"dW{number}"]
        bias = parameters.get(f"b{number}")
        if bias is not None:
            made[f"db{number}"] = D.sum(axis=0, keepdims=True) if bias.size == D.shape[1] else D.sum().reshape(1, 1)
            moved = step * made[f"db{number}"] if convention(document, "bias_update") else 0.0
            made[f"b{number}_next"] = bias - moved
        if number > 1:
            updated = reproduce.get("updated_weights_sent_back", False)
            W = made[f"W{number}_next"] if updated else parameters[f"W{number}"]
            made[f"E{number - 1}"] = D @ W.T
            at_zero = convention(document, "relu_slope_at_zero")
            S = slope(document["layers"][number - 2], made[f"Z{number - 1}"], at_zero)
            D = made[f"E{number - 1}"] * S
    return made


def is_worked(
    document: Document, made: dict[str, Array], from_kink: float = 1e-9, kinked: tuple[str, ...] = KINKED
) -> bool:
    """Whether rounding cannot decide the outcome: no Z at a kink, no output at the edge of (0, 1)."""
    for number, layer in enumerate(document["layers"], start=1):
        if layer["activation"] in kinked and np.abs(made[f"Z{number}"]).min() < from_kink:
            return False
    A, Y = made[f"A{len(document['layers'])}"], np.array(document["data"]["Y"], dtype=float)
    if "absolute" in document["loss"] and np.abs(A[:, None] - Y).min() < from_kink:
        return False
    if document["loss"] == "hinge" and np.abs(1 - Y * A[:, None]).min() < from_kink:
        return False
    if document["loss"] == "cross_entropy" and A.shape[1] == 1:
        return True  # the softmax of one unit is 1
    return "cross_entropy" not in document["loss"] or (A.min() > 1e-4 and A.max() < 1 - 1e-4)
