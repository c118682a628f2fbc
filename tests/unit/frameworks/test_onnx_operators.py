"""Operators of ONNX, one at a time, as somebody's own script writes them: what the reference implementation gives."""

from typing import Any

import numpy as np
import pytest

from tests.conftest import require_module
from tracer.api import trace
from tracer.errors import TracerError
from tracer.frameworks.models import from_onnx

RNG = np.random.default_rng(8)
ROWS, IMAGE, DEEP = (3, 4), (1, 2, 5, 6), (1, 8, 2, 2)
CLOSE = 1e-9


def whole(*numbers: int) -> Any:
    return np.array(numbers, np.int64)


def model(kind: str, shape: tuple[int, ...], numbers: dict[str, Any], opset: int, settings: dict[str, Any]) -> Any:
    """One operator, of an input times a weight."""
    onnx = require_module("onnx")
    helper, double = onnx.helper, onnx.TensorProto.DOUBLE
    given = {"w": RNG.normal(size=shape[1:]) + 1, **numbers}
    nodes = [helper.make_node("Mul", ["x", "w"], ["h"]), helper.make_node(kind, ["h", *numbers], ["y"], **settings)]
    x, y = (helper.make_tensor_value_info(name, double, size) for name, size in (("x", shape), ("y", None)))
    tensors = [onnx.numpy_helper.from_array(np.asarray(each), name) for name, each in given.items()]
    graph = helper.make_graph(nodes, "one", [x], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


KERNEL, GATES = RNG.normal(size=(3, 2, 3, 3)), RNG.normal(size=(1, 12, 2))
SCALES = np.array([1, 1, 2, 1.5], np.float32)
OPERATORS: dict[str, tuple[str, tuple[int, ...], dict[str, Any], dict[str, Any]]] = {
    "selu": ("Selu", ROWS, {}, {"alpha": 1.2, "gamma": 0.8}),
    "elu": ("Elu", ROWS, {}, {"alpha": 0.4}),
    "leaky": ("LeakyRelu", ROWS, {}, {"alpha": 0.3}),
    "shares of the last axis": ("Softmax", (2, 3, 4), {}, {}),
    "their logarithms": ("LogSoftmax", (2, 3, 4), {}, {}),
    "shares of the rows": ("Softmax", (2, 3, 4), {}, {"axis": 1}),
    "thresholded": ("ThresholdedRelu", ROWS, {}, {"alpha": 0.2}),
    "shrink": ("Shrink", ROWS, {}, {"lambd": 0.3, "bias": 0.1}),
    "length": ("LpNormalization", ROWS, {}, {"axis": 1}),
    "sums from behind": ("CumSum", ROWS, {"axis": whole(1)[0]}, {"exclusive": 1, "reverse": 1}),
    "depth first": ("DepthToSpace", DEEP, {}, {"blocksize": 2}),
    "columns first": ("DepthToSpace", DEEP, {}, {"blocksize": 2, "mode": "CRD"}),
    "space to depth": ("SpaceToDepth", (1, 2, 4, 4), {}, {"blocksize": 2}),
    "mean, same": ("AveragePool", IMAGE, {}, {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    "mean, one edge": ("AveragePool", IMAGE, {}, {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 1, 1, 0]}),
    "mean, edge counted": (
        "AveragePool", IMAGE, {}, {"kernel_shape": [3, 3], "pads": [0, 1, 1, 0], "count_include_pad": 1}),
    "mean of a row": ("AveragePool", (1, 2, 6), {}, {"kernel_shape": [3], "strides": [2], "pads": [1, 1]}),
    "largest, same": ("MaxPool", IMAGE, {}, {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    "convolution, same": ("Conv", IMAGE, {"kernel": KERNEL}, {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    "transposed, cut behind": (
        "ConvTranspose", (1, 3, 3, 3), {"kernel": KERNEL}, {"strides": [2, 2], "pads": [0, 0, 1, 1]}),
    "larger, nearest": ("Resize", (1, 1, 3, 3), {"roi": np.zeros(0), "scales": SCALES}, {}),
    "larger, linear": ("Resize", (1, 1, 3, 3), {"roi": np.zeros(0), "scales": SCALES}, {"mode": "linear"}),
    "groups": ("GroupNormalization", (2, 4, 3), {"scale": np.array([1.0, 2]), "bias": np.array([0.5, 0])},
               {"num_groups": 2}),
    "elements": ("ScatterElements", ROWS, {"at": np.array([[0, -1], [1, 2], [2, 0]]), "new": RNG.normal(size=(3, 2))},
                 {"axis": 1}),
    "rows": ("ScatterND", ROWS, {"at": np.array([[0], [2]]), "new": RNG.normal(size=(2, 4))}, {}),
    "one at the largest": ("Hardmax", ROWS, {}, {"axis": 1}),
    "arctangent": ("Atan", ROWS, {}, {}),
    "places": ("GatherND", ROWS, {"at": np.array([[0, 1], [2, 3]])}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_is_what_the_reference_implementation_gives(name: str) -> None:
    kind, shape, numbers, settings = OPERATORS[name]
    made = model(kind, shape, numbers, 18, settings)
    x = RNG.normal(size=shape)
    (expected,) = require_module("onnx.reference").ReferenceEvaluator(made).run(None, {"x": x})
    problem = from_onnx(made, x, RNG.normal(size=expected.shape), loss="mse_loss")
    targets = from_targets(problem)
    assert abs(trace(problem).last.loss - ((expected.ravel() - targets.ravel()) ** 2).mean()) < CLOSE


def from_targets(problem: Any) -> Any:
    """The targets of a problem, as one row of numbers in the order of the outputs."""
    blocks = [each for name, each in problem.given.items() if name.startswith("target")]
    return np.concatenate([np.ravel(each) for each in blocks])


def test_softmax_before_opset_13_is_over_all_the_rest() -> None:
    made, x = model("Softmax", (2, 3, 2), {}, 11, {}), RNG.normal(size=(2, 3, 2))
    weight = require_module("onnx").numpy_helper.to_array(made.graph.initializer[0])
    powers = np.exp((x * weight).reshape(2, 6))
    shares = powers / powers.sum(1, keepdims=True)
    problem = from_onnx(made, x, np.zeros((2, 3, 2)), loss="mse_loss")
    assert abs(trace(problem).last.loss - (shares**2).mean()) < CLOSE


@pytest.mark.parametrize(
    ("kind", "numbers", "settings", "says"),
    [
        ("Cast", {}, {"to": 7}, "makes whole numbers of computed ones"),
        ("Unique", {}, {}, "picks by the order of computed numbers"),
        ("LSTM", {"W": GATES, "R": np.ones((1, 12, 3)), "B": np.zeros((1, 24)), "lengths": np.array([2, 3], np.int32)},
         {"hidden_size": 3}, "samples of several lengths"),
        ("AveragePool", {}, {"kernel_shape": [1, 1, 1]}, "of more than two dimensions"),
        ("ScatterElements", {"at": whole(0).reshape(1, 1, 1), "new": np.ones((1, 1, 1))}, {"reduction": "mul"},
         "with reduction=mul"),
    ],
)  # fmt: skip
def test_what_would_give_other_numbers_is_refused(kind: str, numbers: Any, settings: Any, says: str) -> None:
    with pytest.raises(TracerError, match=says):
        from_onnx(model(kind, (3, 2, 2), numbers, 18, settings), RNG.normal(size=(3, 2, 2)), [[0]], loss="mse_loss")


def classifier(transform: str, coefficients: Any) -> Any:
    """A classifier as sklearn's converter writes it: labels first, then a map of probabilities."""
    onnx = require_module("onnx")
    helper, types = onnx.helper, onnx.TensorProto
    rows = len(coefficients)
    nodes = [
        helper.make_node("Scaler", ["x"], ["scaled"], domain="ai.onnx.ml", offset=[1.0, 0, 0], scale=[0.5, 2, 1]),
        helper.make_node("LinearClassifier", ["scaled"], ["label", "scores"], domain="ai.onnx.ml",
                         classlabels_ints=list(range(rows)), post_transform=transform,
                         coefficients=np.ravel(coefficients).tolist(), intercepts=[0.1 * k for k in range(rows)]),
        helper.make_node("Normalizer", ["scores"], ["shares"], domain="ai.onnx.ml", norm="L1"),
        helper.make_node("ZipMap", ["shares"], ["map"], domain="ai.onnx.ml", classlabels_int64s=list(range(rows))),
    ]  # fmt: skip
    x = helper.make_tensor_value_info("x", types.FLOAT, [None, 3])
    label = helper.make_tensor_value_info("label", types.INT64, [None])
    shares = helper.make_tensor_type_proto(types.FLOAT, [])
    maps = helper.make_sequence_type_proto(helper.make_map_type_proto(types.INT64, shares))
    outputs = [label, helper.make_value_info("map", maps)]
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(helper.make_graph(nodes, "classifier", [x], outputs), opset_imports=opsets)


@pytest.mark.parametrize(("transform", "rows"), [("SOFTMAX", 3), ("LOGISTIC", 2)])
def test_a_classifier_of_an_estimator_gives_its_probabilities_to_the_loss(transform: str, rows: int) -> None:
    table, X, labels = RNG.normal(size=(rows, 3)), RNG.normal(size=(4, 3)), np.array([0, 1, 1, 0])
    scores = (X - [1, 0, 0]) * [0.5, 2, 1] @ table.T + 0.1 * np.arange(rows)
    powers = np.exp(scores) if transform == "SOFTMAX" else 1 / (1 + np.exp(-scores))
    shares = powers / powers.sum(1, keepdims=True)
    problem = from_onnx(classifier(transform, table), X, labels, loss="cross_entropy")
    assert (
        abs(trace(problem).last.loss + np.log(shares[np.arange(4), labels]).mean()) < 1e-6
    )  # kept in single precision
    assert {"label.coefficients", "label.intercepts"} == problem.origin.keys()


def test_whole_numbers_are_divided_to_whole_ones() -> None:
    """As exporters work out where a part of a tensor ends."""
    onnx = require_module("onnx")
    made = model("Slice", (2, 8), {"start": whole(0), "end": whole(0)}, 18, {})
    numbers = {"size": whole(8), "three": whole(3), "axis": whole(1)}
    made.graph.initializer.extend(onnx.numpy_helper.from_array(each, name) for name, each in numbers.items())
    made.graph.node.insert(0, onnx.helper.make_node("Div", ["size", "three"], ["third"]))
    made.graph.node[2].input[2:] = ["third", "axis"]
    x = RNG.normal(size=(2, 8))
    weight = onnx.numpy_helper.to_array(made.graph.initializer[0])
    problem = from_onnx(made, x, np.zeros((2, 2)), loss="mse_loss")
    assert abs(trace(problem).last.loss - ((x * weight)[:, :2] ** 2).mean()) < CLOSE
