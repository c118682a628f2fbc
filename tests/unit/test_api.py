"""What `import tracer` offers: one name for each thing, imported late, and the same words for the same mistake."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracer
from tests.conftest import require_module

LAYERS = [
    {"activation": "sigmoid", "weights": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], "bias": [0.1, 0.2, 0.3]},
    {"activation": "softmax", "weights": [[0.1, -0.2], [0.3, 0.4], [0.5, 0.6]], "bias": [0.0, 0.1]},
]
TABLE = {
    "learning_rate": 0.5,
    "loss": "cross_entropy",
    "data": {"X": [[1, 0], [0, 1], [1, 1]], "Y": [[1, 0], [0, 1], [0, 1]]},
    "layers": LAYERS,
}
OFFERED = [
    "Problem", "Program", "Trace", "TracerError", "__version__", "check", "compare", "from_arrays", "from_keras",
    "from_onnx", "from_sklearn", "from_torch", "load", "of", "trace", "train", "write_derivation",
    "write_page", "write_workbook", "write_worksheet",
]  # fmt: skip


def test_the_root_offers_this_and_no_more() -> None:
    assert tracer.__all__ == OFFERED == dir(tracer)
    assert (Path(tracer.__file__).parent / "py.typed").exists()
    with pytest.raises(AttributeError, match="has no attribute 'tracing'"):
        _ = tracer.tracing


def test_importing_it_imports_nothing_heavy() -> None:
    code = "import tracer, sys; assert not {'numpy', 'openpyxl', 'jinja2', 'pydantic'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("turn", [1, 2])
def test_every_function_works_twice_and_after_everything_has_been_imported(turn: int, tmp_path: Path) -> None:
    import tracer.cli  # imports all commands

    assert callable(tracer.trace) and callable(tracer.check) and callable(tracer.train) and callable(tracer.load)
    problem = tracer.load(TABLE)
    assert isinstance(problem, tracer.Problem)
    run = tracer.trace(problem)
    assert isinstance(run, tracer.Trace) and isinstance(run.last.program, tracer.Program)
    assert run.to_document()["epochs"][0]["iterations"][0]["loss"] == run.last.loss
    assert len(tracer.train(problem, epochs=3).losses) == 3
    written = [
        tracer.write_workbook(run, tmp_path / "a.xlsx"),
        tracer.write_page(problem, tmp_path / "a.html"),
        tracer.write_derivation(run, str(tmp_path / "b.html")),
        *tracer.write_worksheet(problem, tmp_path / "sheets", mode="exam", blank="2,3"),
    ]
    assert all(path.stat().st_size > 1000 for path in written) and len(written) == 7
    assert tracer.check(problem, {"Z1": run["Z1"]}).all_right and tracer.__version__[0].isdigit()


def test_a_dict_may_hold_arrays_and_says_the_same_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "problem.json").write_text(json.dumps(TABLE))
    from_file = tracer.load(tmp_path / "problem.json")
    held = {**TABLE, "data": {key: np.array(value) for key, value in TABLE["data"].items()}}  # type: ignore[attr-defined]
    assert tracer.load(held) == from_file == tracer.load(TABLE)
    wrong = {**TABLE, "learning_rat": 0.1}
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    said = []
    for source in (wrong, tmp_path / "wrong.json"):
        with pytest.raises(tracer.TracerError) as refused:
            tracer.load(source)
        said.append(str(refused.value).partition(": ")[2])
    assert said[0] == said[1] and "learning_rate" in said[0]


def arrays_of(**changes: Any) -> dict[str, Any]:
    given = {
        "X": [[1, 0], [0, 1], [1, 1]], "Y": [0, 1, 1], "weights": [each["weights"] for each in LAYERS],
        "biases": [each["bias"] for each in LAYERS], "activations": ["sigmoid", "softmax"], "loss": "cross_entropy",
        "learning_rate": 0.5,
    }  # fmt: skip
    return given | changes


def test_arrays_as_frameworks_give_them_make_the_same_problem() -> None:
    plain = tracer.load(TABLE)
    assert tracer.from_arrays(**arrays_of()) == plain
    turned = [np.array(each["weights"]).T for each in LAYERS]
    rows = [[each["bias"]] for each in LAYERS]
    made = tracer.from_arrays(
        **arrays_of(weights=turned, biases=rows, weights_are="outputs x inputs", Y=np.eye(2)[[0, 1, 1]])
    )
    assert made == plain and made.sha256 == plain.sha256


def test_a_tensor_is_taken_as_it_is() -> None:
    torch = require_module("torch")
    layers = [torch.nn.Linear(2, 3), torch.nn.Linear(3, 2)]
    made = tracer.from_arrays(
        torch.eye(2), torch.tensor([0, 1]), [each.weight for each in layers], [each.bias for each in layers],
        activations=["sigmoid", "softmax"], loss="cross_entropy", weights_are="outputs x inputs",
    )  # fmt: skip
    outputs = torch.softmax(layers[1](torch.sigmoid(layers[0](torch.eye(2)))), 1)
    np.testing.assert_allclose(tracer.trace(made)["A2"], outputs.detach().numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"Y": [0, 1, 2]}, r"data\.Y\[2\] \(row 3\): found class 2, expected 0 to 1: the output layer has 2 units"),
        ({"activations": "sigmoid", "loss": "squared_error"}, r"data\.Y: found a list of numbers, expected rows"),
        ({"weights": [np.ones((3, 2)), np.ones((3, 2))]}, r'they fit: weights_are = "outputs x inputs"'),
        ({"weights": [np.ones((4, 3)), np.ones((3, 2))]}, r"weights.*expected 2 rows: the columns of X, which is 3×2$"),
        ({"biases": [[0.1, 0.2], None]}, r"layers\[0\]\.bias.*found 2 numbers, expected 3"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused_with_what_would(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(tracer.TracerError, match=says):
        tracer.from_arrays(**arrays_of(**changes))


def test_a_square_matrix_is_never_turned_in_silence() -> None:
    W = np.array([[0.1, 0.2], [0.3, 0.4]])
    same = {"X": [[1, 0]], "Y": [[1, 0]], "weights": [W], "loss": "squared_error"}
    assert np.array_equal(tracer.from_arrays(**same).layers[0].weights, W)
    turned = tracer.from_arrays(**same, weights_are="outputs x inputs")
    assert np.array_equal(turned.layers[0].weights, W.T)


def test_what_was_checked_prints_and_shows_itself() -> None:
    run = tracer.trace(TABLE)
    wrong = run["Z1"].copy()
    wrong[0, 0] = 7.0
    found = tracer.check(TABLE, {"Z1": wrong})
    assert repr(found) == f"<Checked: {found.score} of 9 cells count>" and found.score == 8 and not found.all_right
    assert [mark.verdict for mark in found].count("wrong") == 1 and len(found) == 9
    assert "Z1[1,1]" in str(found)
    shown = found._repr_html_()
    assert shown.count("<tr") == 10 and "✗" in shown and "Z1[1,1]" in shown
    assert found.to_document()["summary"]["score"] == 8


def test_pairs_and_a_layout_say_the_same_as_weights_and_biases() -> None:
    plain = tracer.load(TABLE)
    given = arrays_of()
    pairs = [(np.array(W).T, b) for W, b in zip(given["weights"], given["biases"], strict=True)]
    made = tracer.from_arrays(**{**given, "weights": pairs, "biases": None}, layout="torch")
    assert made == plain
    with pytest.raises(tracer.TracerError, match="layout: found 'jax', expected one of 'torch', 'numpy', 'keras'"):
        tracer.from_arrays(**given, layout="jax")
    with pytest.raises(tracer.TracerError, match=r"found pairs .* and single matrices"):
        tracer.from_arrays(**{**given, "weights": [pairs[0], given["weights"][1]], "biases": None})


@pytest.mark.parametrize(("loss", "targets"), [("cross_entropy", [0, 2]), ("mse_loss", None), ("l1_loss", None)])
def test_pytorchs_losses_of_logits_are_averaged_as_there(loss: str, targets: Any) -> None:
    torch = require_module("torch")
    rng = np.random.default_rng(3)
    X, W, b, Y = rng.normal(size=(2, 3)), rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=(2, 3))
    made = tracer.from_arrays(X, Y if targets is None else targets, [(W, b)], activations="linear", loss=loss)
    w = torch.tensor(W, requires_grad=True)
    outputs = torch.tensor(X) @ w + torch.tensor(b)
    expected = getattr(torch.nn.functional, loss)(outputs, torch.tensor(Y if targets is None else targets))
    expected.backward()
    run = tracer.trace(made)
    assert abs(run.last.loss - expected.item()) < 1e-12
    np.testing.assert_allclose(run["dW1"], w.grad.numpy(), atol=1e-12)
