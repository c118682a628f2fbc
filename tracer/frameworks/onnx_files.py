"""ONNX models: read with the `onnx` package, and nothing of them executed."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks.graph import Graph, GraphOperation, Ref, Start
from tracer.frameworks.naming import valid
from tracer.frameworks.objectives import add_loss
from tracer.frameworks.onnx_estimators import linear_model
from tracer.frameworks.onnx_rules import PREFIX
from tracer.frameworks.optional import framework
from tracer.frameworks.writing import shape_of_value

LARGEST_FILE = 128 * 2**20
MOST_NODES, MOST_NUMBERS = 20_000, 20_000_000
_CONSTANT_INPUTS = {
    "BatchNormalization": (3, 4), "Reshape": (1,), "Slice": (1, 2, 3, 4), "Clip": (1, 2), "Pow": (1,), "Pad": (1, 2, 3),
    "Resize": (1, 2, 3), "Expand": (1,), "Tile": (1,), "Split": (1,), "Unsqueeze": (1,), "Squeeze": (1,),
    "Upsample": (1,), "Dropout": (1, 2), "Where": (0,), "LSTM": (4, 5, 6), "GRU": (4, 5), "RNN": (4, 5),
}  # fmt: skip
"""Inputs of operators that no training changes."""
_SOFTMAX_OF_ONE = 13  # the opset since which softmax is of one dimension
_PLAIN = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softplus": "softplus", "Softsign": "softsign",
    "Identity": "identity",
}  # fmt: skip


def read_onnx(source: Any, name: str) -> Any:
    """The model of a file or of bytes; one that was read already is taken as it is. Raises ProblemError."""
    onnx = framework("onnx", "onnx")
    if isinstance(source, onnx.ModelProto):
        return source
    if hasattr(source, "model_proto"):  # as torch.onnx.export gives it
        return source.model_proto
    path = Path(source)
    try:
        if not path.is_file():
            raise ProblemError(str(path), "", "no such file")
        if path.stat().st_size > LARGEST_FILE:
            raise ProblemError(str(path), "", f"is larger than {LARGEST_FILE >> 20} MB")
        content = path.read_bytes()
    except OSError as wrong:
        raise ProblemError(str(path), "", f"cannot be read: {wrong.strerror or wrong}") from None
    _refuse_code(path, content)
    try:
        model = onnx.load_model_from_string(content)
    except Exception:
        raise ProblemError(str(path), "", "is no ONNX model that can be read") from None
    _check_size(onnx, model, str(path))
    try:
        onnx.external_data_helper.load_external_data_for_model(model, str(path.parent))
    except Exception as wrong:
        raise ProblemError(str(path), "", f"its numbers in another file cannot be read: {wrong}") from None
    return model


def _refuse_code(path: Path, content: bytes) -> None:
    """Refuse files that run code when they are read."""
    says = ""
    if content[:2] == b"\x80\x02" or content[:1] == b"\x80" or path.suffix in (".pkl", ".pickle", ".joblib"):
        says = "is a pickle, which runs code of its own when it is read"
    elif content[:4] == b"PK\x03\x04" or path.suffix in (".pt", ".pth"):
        says = "is what torch.save or TorchScript writes, which runs code of its own when it is read"
    elif content[:8] == b"\x89HDF\r\n\x1a\n":
        says = "is a Keras or HDF5 file"
    if says:
        says += '; export the model with torch.onnx.export(model, inputs, "model.onnx"), or take it over in Python'
        raise ProblemError(str(path), "", f"{says} with tracer.from_torch or tracer.from_keras")


def _check_size(onnx: Any, model: Any, name: str) -> None:
    graph = model.graph
    numbers = sum(int(np.prod(each.dims, dtype=float)) for each in graph.initializer)
    if len(graph.node) > MOST_NODES or numbers > MOST_NUMBERS:
        says = f"has {len(graph.node):,} operators and {numbers:,} numbers, more than a person reads"
        raise ProblemError(name, "", says)


def graph_of_onnx(source: Any, inputs: Any, targets: Any, loss: str, given: Any, title: str | None, name: str) -> Graph:
    """The graph of an ONNX model with its loss. Raises ProblemError."""
    model = read_onnx(source, name)
    onnx = framework("onnx", "onnx")
    if model.functions:
        model = onnx.inliner.inline_local_functions(model)
    reading = _OnnxReading(onnx, model, Graph(title or model.graph.name or "Model"), set(given), name)
    reading.start(inputs)
    wanted = output_of(model)
    nodes = needed_for(wanted, _fused(onnx, list(model.graph.node), reading.numbers))
    for node in nodes:
        reading.add(node)
    output = reading.values[wanted]
    if not isinstance(output, Ref):
        raise ProblemError(name, "", "what the model gives depends neither on its inputs nor on parameters")
    shape = shape_of_value(reading.graph, output, name)
    add_loss(reading.graph, loss, output, shape, targets, name)
    return reading.graph


def output_of(model: Any) -> str:
    """The output that a loss takes: the first of broken numbers; of probabilities by name the numbers themselves."""
    maps = {each.output[0]: each.input[0] for each in model.graph.node if each.op_type == "ZipMap"}
    tensors = [each for each in model.graph.output if each.type.HasField("tensor_type")]
    numbers = [each.name for each in tensors if each.type.tensor_type.elem_type in (0, 1, 10, 11, 16)]
    named_ones = [maps[each.name] for each in model.graph.output if each.name in maps]
    return str(next(iter([*numbers, *named_ones]), model.graph.output[0].name))


def needed_for(output: str, nodes: list[Any]) -> list[Any]:
    """The nodes that an output is made of."""
    needed, found = {output}, []
    for node in reversed(nodes):
        if needed & set(node.output):
            needed |= set(node.input)
            found.append(node)
    return found[::-1]


class _OnnxReading:
    """Reads the nodes of a model, in order."""

    def __init__(self, onnx: Any, model: Any, graph: Graph, given: set[str], name: str) -> None:
        self.onnx, self.model, self.graph, self.name = onnx, model, graph, name
        self.numbers = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
        self.values: dict[str, Any] = {"": None}
        self._opset = next((each.version for each in model.opset_import if not each.domain), _SOFTMAX_OF_ONE)
        self._given = given
        self._taken: set[str] = set()

    def start(self, inputs: Any) -> None:
        """Inputs by name, and the numbers of the model: parameters, or constants."""
        wanted = [each for each in self.model.graph.input if each.name not in self.numbers]
        names = [each.name for each in wanted]
        told = dict(inputs) if isinstance(inputs, Mapping) else dict(
            zip(names, inputs if isinstance(inputs, tuple) else (inputs,), strict=False)
        )  # fmt: skip
        missing = [each for each in names if each not in told]
        if missing:
            raise ProblemError(self.name, "inputs", f"found none for {', '.join(missing)}, expected {', '.join(names)}")
        for each in wanted:
            self._input(each, np.asarray(told[each.name]))
        constant = self._constant_names()
        for key, array in self.numbers.items():
            learned = array.dtype.kind == "f" and array.ndim > 0 and key not in constant and _is_plain(array)
            if not learned:
                self.values[key] = array
                continue
            kind = "given" if key in self._given else "parameter"
            own = key.removeprefix("model.").removeprefix("module.")
            own = self._free(own)
            self.graph.starts[own] = Start(array.astype(np.float64), kind)  # type: ignore[arg-type]
            self.values[key] = Ref(own)

    def _input(self, each: Any, array: Any) -> None:
        dimensions = [d.dim_value for d in each.type.tensor_type.shape.dim]
        if array.ndim == len(dimensions) - 1 and array.ndim == 1:  # one sample alone
            array = array[None]
        if len(dimensions) != array.ndim and array.ndim == 2 and all(d > 0 for d in dimensions[1:]):
            if int(np.prod(dimensions[1:])) != array.shape[1]:
                says = f"found {array.shape[1]} numbers for a sample, expected {dimensions[1:]} for {each.name}"
                raise ProblemError(self.name, "inputs", says)
            array = array.reshape(len(array), *dimensions[1:])
        if each.type.tensor_type.elem_type in (6, 7, 9):  # whole numbers, true and false
            self.values[each.name] = array.astype(np.int64)
            return
        own = self._free(each.name)
        self.graph.starts[own] = Start(array.astype(np.float64), "given")
        self.values[each.name] = Ref(own)

    def _constant_names(self) -> set[str]:
        """The numbers that operators take as settings only."""
        used: dict[str, set[bool]] = {}
        for node in self.model.graph.node:
            for k, each in enumerate(node.input):
                used.setdefault(each, set()).add(k in _CONSTANT_INPUTS.get(node.op_type, ()))
        return {name for name, settings in used.items() if settings == {True}}

    def _free(self, wanted: str) -> str:
        name, number = wanted, 2
        while name in self._taken:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name)
        return name

    def add(self, node: Any) -> None:
        if node.op_type == "Identity" and node.input[0] in self.numbers:  # numbers that are shared by an exporter
            self.numbers[node.output[0]] = self.numbers[node.input[0]]
        attributes = {each.name: self._attribute(each) for each in node.attribute}
        settings = _CONSTANT_INPUTS.get(node.op_type, ())
        inputs = [
            self.numbers[each] if k in settings and each in self.numbers else self._value(each)
            for k, each in enumerate(node.input)
        ]
        module, wanted = _module_of(node)
        own = self._free(wanted)
        if node.op_type in ("LinearRegressor", "LinearClassifier"):
            made = linear_model(node, own, inputs[0], attributes, self._weights_of(own))
            self.graph.operations += made
            self.values[node.output[-1]] = Ref(own)
            return
        if node.op_type == "Normalizer" and self.graph.operations[-1].kind == "softmax":  # shares are so already
            self.values[node.output[0]] = inputs[0]
            return
        kind, arguments = self._adapted(node, inputs, attributes)
        shown = node.op_type
        self.graph.operations.append(GraphOperation(kind, own, arguments, module, "", shown))
        outputs = [each for each in node.output if each]
        several = len(node.output) > 1 or node.op_type in ("Split", "LSTM", "GRU", "RNN", "Dropout")
        if node.op_type in ("BatchNormalization", "LayerNormalization", "MaxPool", "RMSNormalization"):
            several = False
        for each in outputs:
            self.values[each] = Ref(own, list(node.output).index(each)) if several else Ref(own)

    def _weights_of(self, own: str) -> Callable[[str, Any], Ref]:
        def entered(part: str, numbers: Any) -> Ref:
            name = self._free(f"{own}.{part}")
            self.graph.starts[name] = Start(numbers, "given" if name in self._given else "parameter")
            return Ref(name)

        return entered

    def _value(self, name: str) -> Any:
        if name not in self.values:
            raise ProblemError(self.name, name, "is used before it is made; the model is damaged")
        return self.values[name]

    def _attribute(self, attribute: Any) -> Any:
        value = self.onnx.helper.get_attribute_value(attribute)
        if isinstance(value, self.onnx.TensorProto):
            return self.onnx.numpy_helper.to_array(value)
        if isinstance(value, bytes):
            return value.decode(errors="replace")
        if isinstance(value, self.onnx.GraphProto):
            return None
        values = list(value) if not isinstance(value, int | float | str) else value
        return [v.decode() if isinstance(v, bytes) else v for v in values] if isinstance(values, list) else values

    def _adapted(self, node: Any, inputs: list[Any], attributes: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """What a plain network is made of under its own names, so that it may have the eleven steps."""
        if node.op_type in _PLAIN:
            return _PLAIN[node.op_type], {"self": inputs[0]}
        plain = attributes.get("alpha", 1.0) == attributes.get("beta", 1.0) == 1.0 and not attributes.get("transA")
        if node.op_type == "Gemm" and plain and (len(inputs) < 3 or self._is_row(inputs[2])):
            kind = "linear" if attributes.get("transB") else "dense"
            bias = inputs[2] if len(inputs) > 2 else None
            return kind, {"input": inputs[0], "weight": inputs[1], "bias": bias}
        softmax_of_one = node.op_type in ("Softmax", "LogSoftmax") and self._softmax_of_one(inputs[0], attributes)
        match node.op_type:
            case "LeakyRelu":
                return "leaky_relu", {"self": inputs[0], "negative_slope": float(attributes.get("alpha", 0.01))}
            case "Elu":
                return "elu", {"self": inputs[0], "alpha": float(attributes.get("alpha", 1.0))}
            case "Normalizer":
                order = str(attributes.get("norm", "MAX"))[1:]
                return PREFIX + node.op_type, {"inputs": inputs, "order": int(order) if order.isdecimal() else 0}
            case "Gelu":
                return "gelu", {"self": inputs[0], "approximate": attributes.get("approximate", "none")}
            case "Softmax" if softmax_of_one:
                return "softmax", {"self": inputs[0], "dim": attributes.get("axis", -1)}
            case "LogSoftmax" if softmax_of_one:
                return "log_softmax", {"self": inputs[0], "dim": attributes.get("axis", -1)}
        more = {"num_outputs": len(node.output)} if node.op_type == "Split" and "num_outputs" not in attributes else {}
        return PREFIX + node.op_type, {"inputs": inputs, **attributes, **more}

    def _softmax_of_one(self, value: Any, attributes: dict[str, Any]) -> bool:
        """Whether a softmax is along one dimension: always since opset 13, before that along the last."""
        if self._opset >= _SOFTMAX_OF_ONE:
            return True
        shape = shape_of_value(self.graph, value, self.name) if isinstance(value, Ref) else np.shape(value)
        attributes.setdefault("axis", 1)
        return attributes["axis"] in (-1, len(shape) - 1)

    def _is_row(self, value: Any) -> bool:
        return (
            isinstance(value, Ref)
            and value.name in self.graph.starts
            and _row_shaped(self.graph.starts[value.name].numbers)
        )


def _row_shaped(array: Any) -> bool:
    """Whether it is a row: n numbers, or 1×n."""
    return bool(array.ndim == 1 or (array.ndim == 2 and len(array) == 1))


def _is_plain(array: Any) -> bool:
    """Whether numbers may be weights: finite, and no mask's minus infinity."""
    return bool(np.isfinite(array).all() and (np.abs(array) < 1e4).all())


def _module_of(node: Any) -> tuple[str, str]:
    """The module that a node was written for, as exporters note it, and the name of what it makes."""
    for each in node.metadata_props:
        if each.key == "pkg.torch.onnx.name_scopes":
            scopes = _listed(each.value)
            if len(scopes) > 1 and scopes[-2]:
                return scopes[-2], scopes[-2] if node.op_type in _WHOLE else f"{scopes[-2]}.{node.op_type.lower()}"
    parts = [each for each in re.split(r"[/]", node.name) if each]
    if len(parts) > 1:
        module = ".".join(parts[:-1])
        return module, module if node.op_type in _WHOLE else f"{module}.{node.op_type.lower()}"
    output = node.output[0] if node.output else node.op_type
    readable = not re.fullmatch(r"\d+|.*::.*", output)
    return "", valid(output) if readable else node.op_type.lower()


_WHOLE = ("Gemm", "MatMul", "Conv", "ConvTranspose", "LSTM", "GRU", "RNN", "Relu", "MaxPool", "LayerNormalization")


def _listed(text: str) -> list[str]:
    try:
        found = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return []
    return [str(each) for each in found] if isinstance(found, list) else []


def _fused(onnx: Any, nodes: list[Any], numbers: Mapping[str, Any]) -> list[Any]:
    """Nodes with GELU in one where an exporter wrote it out with erf, and a bias with its product."""
    known = {**numbers}
    for node in nodes:
        if node.op_type == "Constant" and node.attribute:
            value = onnx.helper.get_attribute_value(node.attribute[0])
            known[node.output[0]] = (
                onnx.numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)
            )
    made = {each: node for node in nodes for each in node.output}
    used: dict[str, list[Any]] = {}
    for node in nodes:
        for each in node.input:
            used.setdefault(each, []).append(node)
    gone: set[int] = set()
    swapped: dict[int, Any] = {}
    for node in nodes:
        found = _gelu_around(node, made, used, known) if node.op_type == "Erf" else None
        if found is not None:
            x, inside, last = found
            gone |= {id(each) for each in inside}
            swapped[id(last)] = onnx.helper.make_node("Gelu", [x], list(last.output), name=last.name)
        sums = used.get(node.output[0], []) if node.op_type == "MatMul" and node.input[1] in numbers else []
        if len(sums) == 1 and sums[0].op_type == "Add" and numbers[node.input[1]].ndim == 2:
            bias = next((each for each in sums[0].input if each in numbers and _row_shaped(numbers[each])), None)
            if bias is not None:
                gone.add(id(node))
                name = node.name
                swapped[id(sums[0])] = onnx.helper.make_node(
                    "Gemm", [node.input[0], node.input[1], bias], list(sums[0].output), name=name
                )
    return [swapped.get(id(each), each) for each in nodes if id(each) not in gone]


def _gelu_around(
    erf: Any, made: Mapping[str, Any], used: Mapping[str, list[Any]], known: Mapping[str, Any]
) -> tuple[str, list[Any], Any] | None:
    """x·½(1 + erf(x/√2)) around a node: what it is of, the nodes within, and the last one."""

    def number(name: str) -> float | None:
        array = known.get(name)
        return float(np.asarray(array).ravel()[0]) if array is not None and np.size(array) == 1 else None

    def only(name: str, kind: str) -> Any:
        found = used.get(name, [])
        return found[0] if len(found) == 1 and found[0].op_type == kind else None

    inner = made.get(erf.input[0])
    if inner is None or inner.op_type not in ("Div", "Mul"):
        return None
    scale = number(inner.input[1])
    expected = 2**0.5 if inner.op_type == "Div" else 0.5**0.5
    plus = only(erf.output[0], "Add")
    if scale is None or abs(scale - expected) > 1e-4 or plus is None:
        return None
    x, inside, last, factors = inner.input[0], [inner, erf, plus], plus, 0
    while last.op_type == "Add" or factors < 2:
        product = only(last.output[0], "Mul")
        if product is None:
            return None
        other = next((each for each in product.input if each != last.output[0]), "")
        half = made.get(other)
        if number(other) == 0.5 or other == x:
            factors += 1
        elif half is not None and half.op_type == "Mul" and x in half.input and 0.5 in map(number, half.input):
            factors += 2
            inside.append(half)
        else:
            return None
        inside.append(product)
        last = product
    return x, inside[:-1], last
