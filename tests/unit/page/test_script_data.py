"""What the page's script is given: every kind of expression, and no more than a page can hold."""

import json
import re
from typing import Any, get_args

import numpy as np
import pytest

from tests.letters import NUMBER, ROW, A, B, one, p, times, u, v, zero
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.page import script_data as scripts
from tracer.page.script_data import STYLES, Rules, engine_script, script_data, written
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.example_groups import ELEVEN_STEPS
from tracer.problem.losses import LOSSES
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import example_names, load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace

BLOCK = s.Block("A", 0, 1, 2, 1, transposed=True)
SCALARS: dict[s.Scalar, Any] = {
    s.Number(0.5): 0.5,
    u: "u",
    p: ["cell", [], "P", 0, 0],
    s.Value(0.25, 3, of=p): ["value", [], 0.25, 3],
    s.Omitted(9, 1.5): ["omitted", [], 9, 1.5],
    s.Negative(u): ["negative", ["u"]],
    s.Sum((u, v)): ["sum", ["u", "v"]],
    times(u, v): ["product", ["u", "v"]],
    s.Quotient(u, v): ["quotient", ["u", "v"]],
    s.Power(u, 2): ["power", ["u"], 2],
    s.Exp(u, bounded=True): ["exp", ["u"]],
    s.Raised(0.9, u): ["raised", ["u"], 0.9],
    s.Log(u): ["log", ["u"]],
    s.Tanh(u): ["tanh", ["u"]],
    s.Function("sqrt", u): ["function", ["u"], "sqrt"],
    s.Absolute(u): ["absolute", ["u"]],
    s.Maximum((zero, u)): ["maximum", [0.0, "u"]],
    s.Where(u, ">=", v, one, zero): ["where", ["u", "v", 1.0, 0.0], ">="],
    s.Round(u, 2): ["round", ["u"], 2],
    s.Stable(u, v): ["stable", ["u", "v"]],
    s.Fold("sum", u, (("u", BLOCK),)): ["fold", ["u"], "sum", [["u", ("A", 0, 1, 2, 1, True)]]],
}
MATRICES: dict[m.Matrix, Any] = {
    A: "A",
    m.Constant(2.0): 2.0,
    m.Identity(3): ["identity", [], 3],
    m.MatMul(A, B): ["matmul", ["A", "B"]],
    m.Transpose(A): ["transpose", ["A"]],
    m.subtract(A, NUMBER): ["broadcast", ["A", "number"], "-"],
    m.Apply(times(u, v), (("u", A), ("v", B))): ["apply", ["A", "B"], ["u", "v"], 0],
    m.row_maxima(A): ["reduce", ["A"], "max", "columns"],
    m.Row(A, 1): ["row", ["A"], 1],
    m.Stack((ROW, ROW)): ["stack", ["row", "row"]],
    m.Repeat(m.Row(A, 0), "rows", (3, 2)): ["repeat", [["row", ["A"], 0]], "rows", 3, 2],
    m.Stack((A, A), "columns"): ["stack", ["A", "A"], "columns"],
    m.Part(A, (0, None), (1,)): ["part", ["A"], (0, None), (1,)],
    m.Scatter(NUMBER, (1,), (0,), (2, 2)): ["scatter", ["number"], (1,), (0,), 2, 2],
    m.Reshape(A, (1, A.shape[0] * A.shape[1])): ["reshape", ["A"], 1, A.shape[0] * A.shape[1]],
    m.Correlation(A, NUMBER, A.shape, padding=0): ["correlation", ["A", "number"], *A.shape, 1, 1, 0],
    m.Spread(A, NUMBER, A.shape, step=2): ["spread", ["A", "number"], *A.shape, 2, 1, 0],
    m.Pool("max", A, A.shape): ["pool", ["A"], "max", *A.shape],
    m.FirstMaximum(A, A.shape): ["firstmaximum", ["A"], *A.shape],
    m.Detached(A): ["detached", ["A"]],
    m.Rounded(A, 2): ["rounded", ["A"], 2],
    m.StableForm(A, B): ["stable", ["A", "B"]],
}


def softmaxed(rows: int) -> Trace:
    random = np.random.default_rng(3)
    X, Y = random.normal(size=(rows, 2)), np.eye(2)[random.integers(0, 2, rows)]
    layers = [{"activation": "softmax", "weights": [[0.1, 0.2], [0.3, 0.4]]}]
    document = {"learning_rate": 0.1, "loss": "cross_entropy", "layers": layers}
    document |= {"data": {"X": X.tolist(), "Y": Y.tolist()}, "names": {"style": "hand"}}
    return trace(problem_from_document(document, "made", "made"))


@pytest.mark.parametrize("kind", get_args(s.Scalar), ids=lambda kind: kind.__name__)
def test_every_scalar_expression_is_written(kind: type) -> None:
    samples = [(each, expected) for each, expected in SCALARS.items() if isinstance(each, kind)]
    assert samples
    assert [written(each) for each, _ in samples] == [expected for _, expected in samples]


@pytest.mark.parametrize("kind", get_args(m.Matrix), ids=lambda kind: kind.__name__)
def test_every_matrix_expression_is_written(kind: type) -> None:
    samples = [(each, expected) for each, expected in MATRICES.items() if isinstance(each, kind)]
    assert samples
    assert [Rules().matrix(each) for each, _ in samples] == [expected for _, expected in samples]


@pytest.mark.parametrize("language", [SCALARS, MATRICES], ids=["scalar", "matrix"])
def test_the_engine_reads_every_kind_of_expression(language: dict[Any, Any]) -> None:
    read = set(re.findall(r'case "(\w+)"', engine_script()))
    kinds = {each[0] for each in language.values() if isinstance(each, list)}
    assert kinds <= read | {"symbol", "constant"}


def test_a_rule_of_cells_is_written_once() -> None:
    rules = Rules()
    assert [rules.matrix(m.Apply(template, (("u", A),))) for template in (s.Tanh(u), s.Log(u), s.Tanh(u))] == [
        ["apply", ["A"], ["u"], place] for place in (0, 1, 0)
    ]
    assert rules.written == [["tanh", ["u"]], ["log", ["u"]]]


@pytest.mark.parametrize("name", example_names(ELEVEN_STEPS))
def test_the_data_of_an_example_keep_every_digit(name: str) -> None:
    run = trace(load_problem(name))
    data = json.loads(json.dumps(script_data(run, run.last), allow_nan=False))
    made = {each["id"]: each.get("value") for each in data["computed"]}
    assert list(made) == list(run.last.program.computed)
    for key, rows in (data["given"] | made).items():
        assert rows is None or np.array_equal(rows, run.last[key]), key


def test_the_default_page_has_room_for_its_data() -> None:
    run = trace(load_problem("article"))
    text = json.dumps(script_data(run, run.last), separators=(",", ":"))
    assert len(text) < 20_000
    assert text == json.dumps(script_data(trace(load_problem("article")), run.last), separators=(",", ":"))


def test_a_large_pass_is_sent_without_its_values_and_with_fewer_names(monkeypatch: pytest.MonkeyPatch) -> None:
    run = softmaxed(rows=4)
    small = script_data(run, run.last)
    assert small and list(small["labels"]) == list(STYLES)
    cells = sum(run.last[key].size for key in run.last)
    monkeypatch.setattr(scripts, "MOST_SHIPPED", cells - 1)
    large = script_data(run, run.last)
    assert large and list(large["labels"]) == ["matrix", "hand"]
    assert all(set(each) == {"id", "shape", "rule", "stage"} for each in large["computed"])
    monkeypatch.setattr(scripts, "MOST_SHIPPED", cells)
    assert script_data(run, run.last) == small


def test_a_pass_too_large_to_recalculate_has_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    run = softmaxed(rows=4)
    cells = sum(run.last[key].size for key in run.last)
    monkeypatch.setattr(scripts, "MOST_CELLS", cells)
    assert script_data(run, run.last)
    monkeypatch.setattr(scripts, "MOST_CELLS", cells - 1)
    assert script_data(run, run.last) is None


def test_what_is_not_the_gradient_is_marked() -> None:
    document = load_problem("article").to_document() | {"reproduce": {"updated_weights_sent_back": True}}
    run = trace(problem_from_document(document, "made", "made"))
    data = script_data(run, run.last)
    assert data
    departs = {key for key, each in data["derivatives"].items() if each.get("departs")}
    assert departs == {"E1", "D1", "dW1", "db1"}


def test_the_engine_knows_no_step_activation_or_loss() -> None:
    source = engine_script()
    words = {*LOSSES, *ACTIVATIONS, "sample", "layer", "epoch"} - {"tanh", "arctan"}  # functions of numbers too
    assert not [word for word in words if re.search(word, source, re.IGNORECASE)]
    assert not re.findall(r'"(?:[WbZASDEJXYL]|dW|db)[0-9]*(?:_next)?"', source)


def test_the_engine_runs_under_a_content_security_policy_and_in_a_script_element() -> None:
    source = engine_script()
    assert not re.search(r"\beval\b|new Function|document\.|window\.|fetch|import\b|</script|<!--", source)
    assert "/**" not in source and len(source.encode()) < 46_000
