"""The layers of Keras, each as operations; images have their channels last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks.graph import Graph, GraphOperation, Ref, Start

MadeLayer: TypeAlias = Callable[["LayerReading", Any, list[Any], Any], Any]
LAYERS: dict[str, MadeLayer] = {}
_ACTIVATIONS = {
    "relu": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "softplus": "softplus", "softsign": "softsign",
    "silu": "silu",
    "swish": "silu", "exponential": "exp", "selu": "selu", "mish": "mish", "relu6": "relu6", "hard_silu": "hardswish",
    "hard_sigmoid": "hardsigmoid", "elu": "elu", "leaky_relu": "leaky_relu", "gelu": "gelu", "softmax": "softmax",
    "log_softmax": "log_softmax", "celu": "celu", "log_sigmoid": "log_sigmoid", "hard_tanh": "hardtanh",
    "tanh_shrink": "tanhshrink", "soft_shrink": "softshrink", "hard_shrink": "hardshrink",
}  # fmt: skip


class LayerReading:
    """Writes the operations of one layer after the other; names are the layers'."""

    def __init__(self, graph: Graph, file: str, training: bool) -> None:
        self.graph, self.file, self.training = graph, file, training
        self.module, self.shown = "", ""
        self.dropped = False
        self._taken: set[str] = set()
        self._weights: dict[int, str] = {}
        self.variables: dict[str, Any] = {}

    def begin(self, module: str, kind: str) -> None:
        """The layer that the next operations are of."""
        self.module, self.shown = module, kind

    def free(self, wanted: str) -> str:
        """A name of its own."""
        name, number = wanted, 2
        while name in self._taken:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name)
        return name

    def refuse(self, says: str) -> ProblemError:
        return ProblemError(f"{self.file}.{self.module}", "", f"keras.layers.{self.shown} {says}")

    def apply(self, kind: str, part: str = "", /, **arguments: Any) -> Ref:
        """An operation of the layer; `part` where it is not the layer as a whole."""
        name = self.free(f"{self.module}.{part}" if part else self.module)
        self.graph.operations.append(GraphOperation(kind, name, arguments, self.module, "", self.shown))
        return Ref(name)

    def weight(self, layer: Any, attribute: str, matrix: tuple[int, int] | None = None) -> Ref | None:
        """A weight of the layer under its own name; None where it has none. What is not trained is given."""
        variable = getattr(layer, attribute, None)
        if variable is None:
            return None
        if id(variable) not in self._weights:
            name = self.free(f"{self.module}.{attribute}".replace("._", "."))
            numbers = np.asarray(variable.numpy() if hasattr(variable, "numpy") else variable, np.float64)
            learned = bool(variable.trainable) and bool(layer.trainable)
            self.graph.starts[name] = Start(numbers, "parameter" if learned else "given", matrix)
            self._weights[id(variable)] = name
            self.variables[name] = variable
        return Ref(self._weights[id(variable)])

    def weight_name(self, layer: Any, attribute: str) -> str:
        """The name under which a weight was entered."""
        found = self.weight(layer, attribute)
        assert found is not None
        return found.name

    def activated(self, value: Any, activation: Any) -> Any:
        """A layer's activation function, where it is any."""
        name = getattr(activation, "__name__", str(activation)) if activation is not None else "linear"
        if name == "linear":
            return value
        if name not in _ACTIVATIONS:
            raise self.refuse(f"has the activation {name!r}, which is not known")
        defaults: dict[str, dict[str, Any]] = {"gelu": {"approximate": "none"}, "softmax": {"dim": -1},
                                               "log_softmax": {"dim": -1},
                                "leaky_relu": {"negative_slope": 0.2}}  # fmt: skip
        more = defaults.get(name, {})
        return self.apply(_ACTIVATIONS[name], _ACTIVATIONS[name], self=value, **more)

    def first(self, value: Any) -> Any:
        """(samples, …, channels) with the channels second, as operations on images take them."""
        return self.apply("movedim", "channels_first", self=value, source=-1, destination=1)

    def last(self, value: Any) -> Any:
        return self.apply("movedim", "channels_last", self=value, source=1, destination=-1)


def layer(*kinds: str) -> Callable[[MadeLayer], MadeLayer]:
    """Enter what a layer is under the names of its classes."""

    def entered(made: MadeLayer) -> MadeLayer:
        LAYERS.update(dict.fromkeys(kinds, made))
        return made

    return entered


def pair(value: Any) -> list[int]:
    return [int(each) for each in (value if isinstance(value, tuple | list) else [value])]


@layer("InputLayer", "ActivityRegularization", "Identity")
def _same(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    return given[0]


@layer("Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout")
def _dropout(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    at.dropped = True
    return given[0]


@layer("Dense")
def _dense(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    made = at.apply("dense", input=given[0], weight=at.weight(own, "kernel"), bias=at.weight(own, "bias"))
    return at.activated(made, own.activation)


@layer("TimeDistributed")
def _time_distributed(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    if type(own.layer).__name__ != "Dense":
        raise at.refuse(f"of {type(own.layer).__name__} is not known, only of Dense")
    at.begin(f"{at.module}.{own.layer.name}", "Dense")
    return _dense(at, own.layer, given, node)


@layer("Activation")
def _activation(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    return at.activated(given[0], own.activation)


@layer("ReLU", "LeakyReLU", "ELU", "Softmax", "PReLU")
def _activations(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    match type(own).__name__:
        case "ReLU":
            if own.max_value is not None or own.threshold:
                raise at.refuse("with a largest value or a threshold is not known")
            slope = float(own.negative_slope)
            more = {"negative_slope": slope} if slope else {}
            return at.apply("leaky_relu" if slope else "relu", self=given[0], **more)
        case "LeakyReLU":
            return at.apply("leaky_relu", self=given[0], negative_slope=float(own.negative_slope))
        case "ELU":
            return at.apply("elu", self=given[0], alpha=float(own.alpha))
        case "PReLU":
            return at.apply("onnx.PRelu", inputs=[given[0], at.weight(own, "alpha")])
    return at.apply("softmax", self=given[0], dim=int(own.axis))


@layer("Flatten")
def _flatten(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    return at.apply("flatten", self=given[0], start_dim=1)


@layer("Reshape")
def _reshape(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    return at.apply("onnx.Reshape", inputs=[given[0], np.array([0, *own.target_shape])])


@layer("Permute")
def _permute(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    return at.apply("permute", self=given[0], dims=[0, *own.dims])


@layer("RepeatVector")
def _repeat(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    wide = at.apply("unsqueeze", "wide", self=given[0], dim=1)
    return at.apply("repeat", self=wide, repeats=[1, int(own.n), 1])


@layer("EinsumDense")
def _einsum_dense(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    bias = at.weight(own, "bias")
    product = at.apply("einsum", "product", equation=own.equation, tensors=[given[0], at.weight(own, "kernel")])
    made = product if bias is None else at.apply("add", self=product, other=bias)
    return at.activated(made, own.activation)


@layer("UnitNormalization")
def _unit_norm(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    return _unit(at, given[0], own.axis)


@layer("Dot")
def _dot(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    """Products summed over one axis of each; the axes that are left follow one another."""
    axes = pair(own.axes) * (1 if isinstance(own.axes, list | tuple) else 2)
    ranks = [len(each.shape) for each in node.input_tensors]
    if own.normalize:
        given = [_unit(at, each, axis) for each, axis in zip(given, axes, strict=True)]
    one, other = "abcd"[: ranks[0]], "a" + "xyz"[: ranks[1] - 1]
    summed = one[axes[0] % ranks[0]]
    place = axes[1] % ranks[1]
    other = other[:place] + summed + other[place + 1 :]
    left = "".join(each for each in one + other[1:] if each != summed)
    made = at.apply("einsum", equation=f"{one},{other}->{left}", tensors=given)
    return made if len(left) > 1 else at.apply("unsqueeze", "column", self=made, dim=-1)


def _unit(at: LayerReading, value: Any, axis: int) -> Any:
    summed = at.apply("sum", "sum", self=at.apply("square", "squares", self=value), dim=axis, keepdim=True)
    return at.apply("div", "unit", self=value, other=at.apply("sqrt", "length", self=summed))


@layer("Rescaling")
def _rescaling(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    scaled = at.apply("mul", "scaled", self=given[0], other=np.asarray(float(own.scale)))
    return at.apply("add", self=scaled, other=np.asarray(float(own.offset)))


@layer("Embedding")
def _embedding(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    return at.apply("embedding", weight=at.weight(own, "embeddings"), indices=given[0])


@layer("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
def _merged(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    kind = {"Add": "add", "Subtract": "sub", "Multiply": "mul", "Average": "add", "Maximum": "maximum",
            "Minimum": "minimum"}[type(own).__name__]  # fmt: skip
    found = given[0]
    for each in given[1:]:
        found = at.apply(kind, self=found, other=each)
    if type(own).__name__ == "Average":
        found = at.apply("div", "mean", self=found, other=np.asarray(float(len(given))))
    return found


@layer("Concatenate")
def _concatenate(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    return at.apply("cat", tensors=given, dim=int(own.axis))


# norms


@layer("BatchNormalization")
def _batch_norm(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    rank = len(node.input_tensors[0].shape)
    if own.axis not in (-1, rank - 1):
        raise at.refuse("along another axis than the last is not known")
    x = at.first(given[0]) if rank > 2 else given[0]
    made = at.apply(
        "batch_norm", input=x, weight=at.weight(own, "gamma"), bias=at.weight(own, "beta"),
        running_mean=at.weight(own, "moving_mean"), running_var=at.weight(own, "moving_variance"),
        training=at.training, eps=float(own.epsilon),
    )  # fmt: skip
    return at.last(made) if rank > 2 else made


@layer("LayerNormalization", "RMSNormalization")
def _layer_norm(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    axes = pair(own.axis)
    rank = len(node.input_tensors[0].shape)
    if [each % rank for each in axes] != list(range(rank - len(axes), rank)):
        raise at.refuse("along other axes than the last is not known")
    shape = [int(each) for each in node.input_tensors[0].shape[-len(axes) :]]
    if type(own).__name__ == "RMSNormalization":
        return at.apply("rms_norm", input=given[0], normalized_shape=shape, weight=at.weight(own, "scale"),
                        eps=float(own.epsilon))  # fmt: skip
    return at.apply("layer_norm", input=given[0], normalized_shape=shape, weight=at.weight(own, "gamma"),
                    bias=at.weight(own, "beta"), eps=float(own.epsilon))  # fmt: skip


@layer("GroupNormalization")
def _group_norm(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    made = at.apply("group_norm", input=at.first(given[0]), num_groups=int(own.groups), weight=at.weight(own, "gamma"),
                    bias=at.weight(own, "beta"), eps=float(own.epsilon))  # fmt: skip
    return at.last(made)
