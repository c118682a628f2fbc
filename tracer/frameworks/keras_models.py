"""Models of Keras 3, Sequential and functional, of any backend: each layer by its configuration and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks import keras_images, keras_sequences
from tracer.frameworks.graph import Graph, GraphOperation, Ref, Start
from tracer.frameworks.keras_functions import FUNCTIONS, arguments_of
from tracer.frameworks.keras_layers import LAYERS, LayerReading
from tracer.frameworks.keras_training import add_compiled_loss
from tracer.frameworks.objectives import LOSS, add_loss
from tracer.frameworks.optional import framework
from tracer.frameworks.writing import shape_of_value
from tracer.program import naming_policy as named

ROOMS = (keras_images, keras_sequences)
"""The modules that fill the table of layers, beside its own."""


def graph_of_keras(
    model: Any, X: Any, Y: Any, loss: str | None, training: bool, title: str | None, name: str
) -> tuple[Graph, Mapping[str, Any]]:
    """The graph of a model with its compiled loss, or the one named; and Keras' variable for each parameter's name.

    Raises ProblemError.
    """
    framework("keras", "keras")
    inputs = list(X) if isinstance(X, list | tuple) else [X[key] for key in X] if isinstance(X, Mapping) else [X]
    arrays = [np.asarray(each) for each in inputs]
    if not getattr(model, "built", True) or not hasattr(model, "outputs"):
        model(*(each[:1] for each in arrays))
    if not getattr(model, "inputs", None):
        says = f"found {type(model).__name__}, expected a Sequential or functional model: keras.Model(inputs, outputs)"
        raise ProblemError(name, "", says)
    reading = _KerasReading(Graph(title or model.name), name, training)
    for tensor, array in zip(model.inputs, arrays, strict=True):
        reading.input(tensor, array, model.dtype)
    output = reading.value(model.outputs[0])
    shape = shape_of_value(reading.graph, output, name)
    if loss is None:
        add_compiled_loss(model, reading.graph, output, shape, Y, name)
    else:
        add_loss(reading.graph, loss, output, shape, np.asarray(Y), name)
    reading.penalties()
    if reading.dropped:
        reading.graph.remarks.append("Dropout is off here.")
    return reading.graph, reading.variables


class _KerasReading(LayerReading):
    """Follows a model from its outputs back to its inputs."""

    def __init__(self, graph: Graph, name: str, training: bool) -> None:
        super().__init__(graph, name, training)
        self._values: dict[Any, Any] = {}
        self._regularized: list[tuple[str, float]] = []
        self._prefix = ""

    def input(self, tensor: Any, array: Any, dtype: str) -> None:
        """Numbers for an input; whole ones where the model takes whole ones."""
        key = self.free(str(tensor.name).removeprefix("keras_tensor") or "x")
        if str(tensor.dtype).startswith(("int", "uint", "bool")) or self._is_looked_up(tensor, array):
            self._values[id(tensor)] = array.astype(np.int64)
            return
        name = named.INPUTS if key.strip("_0123456789") in ("", "input_layer", "input") else key
        name = self.free(name) if name != key else key
        self.graph.starts[name] = Start(array.astype(np.float64), "given")
        self._values[id(tensor)] = Ref(name)

    def _is_looked_up(self, tensor: Any, array: Any) -> bool:
        """Whether an embedding takes it in, as numbers of rows."""
        users = tensor._keras_history.operation._outbound_nodes
        return any(type(each.operation).__name__ == "Embedding" for each in users) and bool(
            (array == array.round()).all()
        )

    def value(self, tensor: Any) -> Any:
        """The value that a tensor of the model has."""
        if id(tensor) in self._values:
            return self._values[id(tensor)]
        history = tensor._keras_history
        layer, node = history.operation, history.operation._inbound_nodes[history.node_index]
        given = [self.value(each) for each in node.input_tensors]
        made = self._layer(layer, given, node)
        outputs = node.output_tensors
        several = isinstance(made, list | tuple)
        for k, each in enumerate(outputs):
            self._values[id(each)] = made[k] if several else made
        return self._values[id(tensor)]

    def _layer(self, layer: Any, given: list[Any], node: Any) -> Any:
        if hasattr(layer, "outputs") and hasattr(layer, "inputs"):  # a model within the model
            inner = dict(self._values)
            before, self._prefix = self._prefix, f"{self._prefix}{layer.name}."
            for tensor, value in zip(layer.inputs, given, strict=True):
                self._values[id(tensor)] = value
            made = [self.value(each) for each in layer.outputs]
            self._values, self._prefix = inner, before
            return made if len(made) > 1 else made[0]
        kind = type(layer).__name__
        self.begin(f"{self._prefix}{layer.name}", kind)
        function = ".ops." in type(layer).__module__
        if kind not in (FUNCTIONS if function else LAYERS):
            called = f"keras.{'ops' if function else 'layers'}.{kind}"
            says = f"{called} is not known; take over the part of the model before or after it"
            raise ProblemError(f"{self.file}.{layer.name}", "", says)
        if function:
            return FUNCTIONS[kind](self, layer, arguments_of(node, self.value))
        self._refuse_settings(layer)
        regularizer = getattr(layer, "kernel_regularizer", None)
        made = LAYERS[kind](self, layer, given, node)
        if regularizer is not None:
            self._regularized.append((self.weight_name(layer, "kernel"), self._squares(regularizer, layer.name)))
        return made

    def _refuse_settings(self, layer: Any) -> None:
        """Refuse what adds to the loss, or changes weights after a step, and is not known."""
        known = ("kernel_regularizer",)
        settings = [each for each in dir(layer) if each.endswith(("_regularizer", "_constraint"))]
        for each in settings:
            if not each.startswith("_") and each not in known and getattr(layer, each, None) is not None:
                raise self.refuse(f"has a {each}, which is not known; leave it out")

    def _squares(self, regularizer: Any, name: str) -> float:
        told = regularizer.get_config()
        if float(told.get("l1", 0.0)) or "l2" not in told:
            raise ProblemError(f"{self.file}.{name}", "", "found a regularizer other than L2; leave it out")
        return float(told["l2"])

    def penalties(self) -> None:
        """What regularizers add to the loss: so much of the squares of the weights."""
        if not self._regularized:
            return
        last = self.graph.operations.pop()
        self.graph.operations.append(GraphOperation(last.kind, "misfit", last.arguments, shown=last.shown))
        total = "misfit"
        for k, (weight, factor) in enumerate(self._regularized):
            square, one = f"{weight}_squared", f"{weight}_penalty"
            self.graph.operations += [
                GraphOperation("square", square, {"self": Ref(weight)}, shown="Penalty"),
                GraphOperation("sum", f"{weight}_sum", {"self": Ref(square)}, shown="Penalty"),
                GraphOperation(
                    "mul", one, {"self": Ref(f"{weight}_sum"), "other": np.asarray(factor)}, shown="Penalty"
                ),
            ]
            name = LOSS if k == len(self._regularized) - 1 else f"loss_so_far_{k}"
            arguments = {"self": Ref(total), "other": Ref(one)}
            self.graph.operations.append(GraphOperation("add", name, arguments, shown="Loss"))
            total = name
        self.graph.loss = Ref(LOSS)
