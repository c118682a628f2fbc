"""A graph that is a plain multilayer perceptron, as `[[layers]]`: then it has the eleven steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer.frameworks.graph import Graph, GraphOperation, Ref, refs_of
from tracer.program import naming_policy as named

_AS_THEY_ARE = ("sigmoid", "tanh", "relu", "silu", "softsign")
_NOTHING = ("identity", "clone", "contiguous", "to", "dropout", "alias")


@dataclass
class DenseLayer:
    """W of inputs × units, its bias, both by the names of the framework's parameters, and its activation."""

    weight: str
    turned: bool
    bias: str | None
    module: str
    activation: Mapping[str, Any]


@dataclass
class LayeredNetwork:
    """What a graph is as `[[layers]]`: its table, and which parameter is which matrix."""

    document: dict[str, Any]
    layers: list[DenseLayer]


def as_layers(graph: Graph, settings: Mapping[str, Any]) -> LayeredNetwork | None:
    """The graph as a problem with layers; None where it is anything else."""
    if graph.with_respect_to or not graph.operations:
        return None
    *body, loss = graph.operations
    value = next((key for key, start in graph.starts.items() if start.kind == "given"), None)
    layers: list[DenseLayer] = []
    for operation in body:
        if value is None or not _goes_on(operation, value):
            return None
        value = operation.name
        if not _taken(graph, layers, operation):
            return None
    inputs = [start for start in graph.starts.values() if start.kind == "given"]
    if not layers or len(inputs) != 1 or inputs[0].numbers.ndim != 2 or not _goes_on(loss, value or ""):
        return None
    used = [name for each in layers for name in (each.weight, each.bias) if name]
    own = [key for key, start in graph.starts.items() if start.kind == "parameter"]
    if sorted(used) != sorted(own):
        return None
    told = _loss_of(loss, layers, len(inputs[0].numbers), _units(graph, layers[-1]))
    if told is None:
        return None
    return LayeredNetwork(_document(graph, settings, layers, inputs[0].numbers, told), layers)


def _goes_on(operation: GraphOperation, value: str) -> bool:
    """Whether an operation takes in what the one before gave."""
    first = next(iter(operation.arguments.values()), None)
    return isinstance(first, Ref) and first == Ref(value) and refs_of(operation).count(value) == 1


def _taken(graph: Graph, layers: list[DenseLayer], operation: GraphOperation) -> bool:
    """Whether an operation is a layer, the activation of one, or nothing; it is entered there."""
    if operation.kind in _NOTHING and "mask" not in operation.arguments:
        return True
    if operation.kind in ("linear", "dense"):
        weight, bias = operation.arguments.get("weight"), operation.arguments.get("bias")
        if not isinstance(weight, Ref) or not isinstance(bias, Ref | None) or not _is_parameter(graph, weight, 2):
            return False
        if bias is not None and not (_is_parameter(graph, bias, 1) or _is_row(graph, bias)):
            return False
        turned = operation.kind == "linear"
        name = None if bias is None else bias.name
        layers.append(DenseLayer(weight.name, turned, name, operation.module, {"activation": "linear"}))
        return True
    if not layers or layers[-1].activation != {"activation": "linear"}:
        return False
    activation = _activation(operation)
    if activation is None:
        return False
    layers[-1].activation = activation
    return True


def _is_row(graph: Graph, ref: Ref) -> bool:
    return _is_parameter(graph, ref, 2) and len(graph.starts[ref.name].numbers) == 1


def _is_parameter(graph: Graph, ref: Ref, dimensions: int) -> bool:
    start = graph.starts.get(ref.name)
    return start is not None and start.kind == "parameter" and start.numbers.ndim == dimensions


def _activation(operation: GraphOperation) -> dict[str, Any] | None:
    kind, given = operation.kind, operation.arguments
    if kind in _AS_THEY_ARE:
        return {"activation": kind}
    match kind:
        case "leaky_relu":
            return {"activation": kind, "slope": float(given.get("negative_slope", 0.01))}
        case "elu" if given.get("alpha", 1.0) == 1.0 and len(given) <= 2:
            return {"activation": kind}
        case "softplus" if given.get("beta", 1.0) == 1.0:
            return {"activation": kind}
        case "gelu":
            return {"activation": kind, "form": "tanh" if given.get("approximate") == "tanh" else "erf"}
        case "softmax" if given.get("dim") in (1, -1):
            return {"activation": kind}
    return None


def _units(graph: Graph, layer: DenseLayer) -> int:
    shape = graph.starts[layer.weight].numbers.shape
    return int(shape[0] if layer.turned else shape[1])


@dataclass
class _Told:
    """A loss as a problem file has it."""

    loss: str
    reduction: str
    targets: Any
    fused: bool = False
    output: str | None = None


def _loss_of(operation: GraphOperation, layers: list[DenseLayer], rows: int, units: int) -> _Told | None:
    given = operation.arguments
    target, reduction = given.get("target"), given.get("reduction", 1)
    if (
        not isinstance(target, np.ndarray)
        or reduction not in (1, 2)
        or set(given) - {"self", "target", "reduction", "samples"}
    ):
        return None
    how = "mean" if reduction == 1 else "sum"
    last = layers[-1].activation["activation"]
    if any(each.activation["activation"] == "softmax" for each in layers[:-1]):
        return None
    match operation.kind:
        case "cross_entropy_loss" if last == "linear":
            return _classes(target, units, how, True, "softmax")
        case "cross_entropy_of_shares" if last == "softmax":
            return _classes(target, units, "mean", False, None)
    if target.shape != (rows, units):
        return None
    match operation.kind:
        case "mse_loss":
            return _Told("mean_squared_error" if how == "mean" else "squared_error", how, target)
        case "l1_loss":
            return _Told("mean_absolute_error" if how == "mean" else "absolute_error", how, target)
        case "half_squared_error" | "squared_error" if given.get("samples") == rows:
            return _Told(operation.kind, "mean", target)
        case "hinge_loss" if given.get("samples") == rows and (np.abs(target) == 1).all():
            return _Told("hinge", "mean", target)
        case "binary_cross_entropy" if last == "sigmoid" and (units == 1 or how == "sum"):
            return _Told("binary_cross_entropy", how, target)
        case "binary_cross_entropy_with_logits" if last == "linear" and (units == 1 or how == "sum"):
            return _Told("binary_cross_entropy", how, target, True, "sigmoid")
    return None


def _classes(target: Any, units: int, how: str, fused: bool, output: str | None) -> _Told | None:
    """Labels stay labels; rows must be shares that sum to 1."""
    if target.ndim == 1 and units > 1:
        if (target < 0).any() or (target >= units).any():
            return None
        return _Told("cross_entropy", how, target.astype(int), fused, output)
    if target.ndim != 2 or target.shape[1] != units or not np.allclose(target.sum(axis=1), 1, atol=1e-12):
        return None
    return _Told("cross_entropy", how, target, fused, output)


def _document(
    graph: Graph, settings: Mapping[str, Any], layers: list[DenseLayer], X: Any, told: _Told
) -> dict[str, Any]:
    if told.output is not None:
        layers[-1].activation = {"activation": told.output}
    convention: dict[str, Any] = {"reduction": told.reduction}
    if told.fused:
        convention["softmax_slope"] = "fused"
    tables = []
    for each in layers:
        weights = graph.starts[each.weight].numbers
        bias = {} if each.bias is None else {"bias": graph.starts[each.bias].numbers.tolist()}
        tables.append({**each.activation, "weights": (weights.T if each.turned else weights).tolist(), **bias})
    return {
        "title": graph.title,
        "description": " ".join([*graph.remarks, _which(layers)]),
        **settings,
        "loss": told.loss,
        "convention": convention,
        "data": {named.INPUTS: X.tolist(), named.TARGETS: told.targets.tolist()},
        "layers": tables,
    }


def _which(layers: list[DenseLayer]) -> str:
    """Which parameter of the model each matrix is."""
    said = []
    for number, each in enumerate(layers, start=1):
        turned = " transposed" if each.turned else ""
        bias = f", its bias {each.bias}" if each.bias else ""
        said.append(f"layer {number} has the weights {each.weight}{turned}{bias}")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}."
