"""ONNX models, taken over: loss, intermediates and gradients as the framework has them that wrote the file."""

import io
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import require_module
from tests.torch_modules import FIFTEEN, OTHERS, Case, precise
from tests.unit.frameworks.test_pytorch import CLOSE, autograd, gradients
from tracer.api import load, trace
from tracer.cli import main
from tracer.errors import TracerError
from tracer.frameworks.models import from_onnx
from tracer.frameworks.onnx_files import graph_of_onnx
from tracer.frameworks.writing import places_of, write_program
from tracer.problem.problem import Problem
from tracer.problem.reading import problem_of_table

WRITTEN = [
    "mlp", "activations", "cnn with max pool", "average pool", "layer norm", "rnn", "lstm", "gru", "embedding",
    "multihead attention", "transformer encoder layer", "transposed convolution",
]  # fmt: skip
FLOAT32 = 1e-6  # what exporters write of eps and of √2 is in single precision


def exported(name: str) -> tuple[Case, Any]:
    """A case in evaluation, and its model as ONNX; no two parameters alike, which exporters would make one."""
    onnx = require_module("onnx")
    case = {**FIFTEEN, **OTHERS}[name]()
    case.module.eval()
    with torch.no_grad():
        for parameter in case.module.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = io.BytesIO()
        torch.onnx.export(case.module, (case.inputs,), written, dynamo=False)
    return case, onnx.load_model_from_string(written.getvalue())


@pytest.mark.parametrize("name", WRITTEN)
def test_loss_and_gradients_are_those_of_the_model_that_was_written(name: str) -> None:
    with precise():
        case, model = exported(name)
        problem = from_onnx(model, case.inputs.numpy(), case.targets.numpy(), loss=case.loss)
        loss, expected = autograd(case)
    run = trace(problem)
    assert abs(run.last.loss - loss) < FLOAT32
    found = gradients(problem, run)
    named = found.keys() & expected.keys()
    assert len(named) >= 2
    for key in named:
        np.testing.assert_allclose(found[key], expected[key], rtol=0, atol=FLOAT32, err_msg=key)
    assert isinstance(problem, Problem) == (name == "mlp")


@pytest.mark.parametrize(
    "name", ["activations", "cnn with max pool", "layer norm", "lstm", "transformer encoder layer"]
)
def test_every_intermediate_is_that_of_the_reference_implementation(name: str) -> None:
    with precise():
        case, model = exported(name)
    reference = require_module("onnx.reference")
    graph = graph_of_onnx(model, case.inputs.numpy(), case.targets.numpy(), case.loss, (), None, "m")
    written = write_program(graph, "m", {"learning_rate": 0.1})
    run = trace(problem_of_table(written.document, "m"))
    names = [each for node in model.graph.node for each in node.output if each]
    feeds = {model.graph.input[0].name: case.inputs.numpy()}
    expected = reference.ReferenceEvaluator(model).run(names, feeds)
    by_size = {}
    for operation in graph.operations[:-1]:
        value = written.values[operation.name]
        for each in value if isinstance(value, tuple) else (value,):
            if not hasattr(each, "cells"):
                continue
            flat = np.full(each.cells.size, np.nan)
            for matrix, of_tensor, of_matrix in places_of(written.draft, each):
                flat[of_tensor] = run[matrix].ravel()[of_matrix]
            by_size.setdefault(flat.size, []).append(flat)
    compared = 0
    for numbers in expected:
        numbers = np.asarray(numbers)
        if numbers.dtype != np.float64 or numbers.size < 4 or numbers.size not in by_size:
            continue
        gaps = [np.abs(flat - numbers.ravel()).max() for flat in by_size[numbers.size]]
        compared += bool(np.nanmin(gaps) < FLOAT32)
    assert compared >= 4


def small() -> Any:
    """A network as somebody's own script writes it: MatMul and Add, GELU with erf, a mask, no names of modules."""
    onnx = require_module("onnx")
    helper, rng = onnx.helper, np.random.default_rng(2)
    arrays = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4), "V": rng.normal(size=(4, 2)),
              "r": np.array(2**0.5),
              "one": np.array(1.0), "half": np.array(0.5)}  # fmt: skip
    nodes = [
        helper.make_node("MatMul", ["x", "W"], ["xW"]), helper.make_node("Add", ["xW", "b"], ["z"]),
        helper.make_node("Div", ["z", "r"], ["scaled"]), helper.make_node("Erf", ["scaled"], ["erf"]),
        helper.make_node("Add", ["erf", "one"], ["plus"]), helper.make_node("Mul", ["z", "plus"], ["twice"]),
        helper.make_node("Mul", ["twice", "half"], ["a"]), helper.make_node("MatMul", ["a", "V"], ["out"]),
    ]  # fmt: skip
    x = helper.make_tensor_value_info("x", onnx.TensorProto.DOUBLE, ["N", 3])
    out = helper.make_tensor_value_info("out", onnx.TensorProto.DOUBLE, ["N", 2])
    numbers = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    return helper.make_model(helper.make_graph(nodes, "small", [x], [out], numbers))


def test_a_model_of_somebody_elses_script() -> None:
    X, Y = np.random.default_rng(3).normal(size=(3, 3)), np.array([[1.0, 0], [0, 1], [1, 1]])
    model = small()
    problem = from_onnx(model, X, Y, loss="mse_loss")
    weights = {
        each.name: torch.tensor(require_module("onnx").numpy_helper.to_array(each)) for each in model.graph.initializer
    }
    for each in ("W", "b", "V"):
        weights[each].requires_grad_()
    hidden = torch.nn.functional.gelu(torch.tensor(X) @ weights["W"] + weights["b"])
    loss = ((hidden @ weights["V"] - torch.tensor(Y)) ** 2).mean()
    loss.backward()
    run = trace(problem)
    assert abs(run.last.loss - loss.item()) < CLOSE
    found = gradients(problem, run)
    assert found.keys() == {"W", "b", "V"}
    for key, each in found.items():
        np.testing.assert_allclose(each, weights[key].grad.numpy(), atol=CLOSE)


def test_the_command_line_takes_a_model_with_its_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                         monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    require_module("onnx").save(small(), tmp_path / "small.onnx")
    (tmp_path / "rows.csv").write_text("x1,x2,x3,y\n1,0,2,1\n0,1,1,0\n")
    told = ["--data", str(tmp_path / "rows.csv"), "--targets", "y", "--loss", "cross_entropy"]

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["tracer", *arguments])
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0), *capsys.readouterr()
        return 0, *capsys.readouterr()

    status, out, _ = run("import", str(tmp_path / "small.onnx"), *told, "-o", str(tmp_path / "mine.toml"))
    assert status == 0 and "mine.toml" in out
    text = (tmp_path / "mine.toml").read_text()
    assert ("# 3×4" in text and 'activation = "gelu"' in text) or "gelu(" in text
    taken = load(tmp_path / "mine.toml")
    direct = from_onnx(tmp_path / "small.onnx", np.array([[1, 0, 2], [0, 1, 1.0]]), [1, 0], loss="cross_entropy")
    assert taken.sha256 == direct.sha256
    status, out, _ = run("walkthrough", str(tmp_path / "small.onnx"), *told, "-o", str(tmp_path / "out"))
    assert status == 0 and (tmp_path / "out" / "small.xlsx").exists()
    status, _, said = run("import", str(tmp_path / "small.onnx"))
    assert status == 2 and "a model needs --data, --targets, --loss" in said
    status, _, said = run("walkthrough", "article", "--loss", "mse_loss", "-o", str(tmp_path))
    assert status == 2 and "expected it beside a model" in said


@pytest.mark.parametrize(("name", "says"), [("model.pt", "runs code"), ("model.pkl", "is a pickle"),
                                            ("model.onnx", "torch.save or TorchScript")])  # fmt: skip
def test_files_that_run_code_are_refused_with_the_reason(name: str, says: str, tmp_path: Path) -> None:
    require_module("onnx")
    torch.save(torch.nn.Linear(2, 1).state_dict(), tmp_path / name)
    if name.endswith(".pkl"):
        (tmp_path / name).write_bytes(b"\x80\x04N.")
    with pytest.raises(TracerError, match=says):
        from_onnx(tmp_path / name, np.ones((1, 2)), [1], loss="mse_loss")


def test_what_is_damaged_or_not_known_is_said(tmp_path: Path) -> None:
    require_module("onnx")
    (tmp_path / "m.onnx").write_bytes(b"\x08\x07nothing")
    with pytest.raises(TracerError, match="is no ONNX model"):
        from_onnx(tmp_path / "m.onnx", np.ones((1, 2)), [1], loss="mse_loss")
    model = small()
    model.graph.node[3].op_type = "NonMaxSuppression"
    with pytest.raises(TracerError, match="NonMaxSuppression is not known"):
        from_onnx(model, np.ones((1, 3)), np.ones((1, 2)), loss="mse_loss")
