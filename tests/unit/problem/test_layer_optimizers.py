"""An optimizer with layers: torch.optim's numbers over 20 passes, its states, and what does not go with it."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.problem.test_optimizers import CASES, CLASSES
from tracer.api import check, load, trace, train
from tracer.errors import ProblemError
from tracer.expression.text import matrix_text
from tracer.lesson.build import build
from tracer.presentation.theme import theme_of
from tracer.problem.problem import Problem
from tracer.problem.remarks import conventions
from tracer.run.storage import load_trace, save_trace
from tracer.run.training import trace as run_recorded
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.plan import make_plan

X = [[1.0, 0.5], [0.2, -1.0], [0.4, 0.3], [-0.7, 0.9]]
Y = [[1.0], [0.0], [1.0], [0.5]]
W1, B1 = [[0.1, -0.2], [0.3, 0.4]], [0.1, -0.1]
W2, B2 = [[0.5], [-0.6]], [0.2]
TARGET_MINUS_OUTPUT = {"error": "target - output"}


def document(table: dict[str, Any], convention: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    layers = [
        {"activation": "tanh", "weights": W1, "bias": B1},
        {"activation": "sigmoid", "weights": W2, "bias": B2},
    ]
    return {
        "learning_rate": 0.1, "loss": "half_squared_error", "data": {"X": X, "Y": Y}, "layers": layers,
        "optimizer": table, "convention": convention or {}, **more,
    }  # fmt: skip


def by_torch(name: str, options: dict[str, Any], clip: float | None, steps: int, batch: int = 4, **how: Any) -> Any:
    """The parameters after each pass; `how`: mean, or only the weights."""
    parameters = {
        key: torch.tensor(each, dtype=torch.float64, requires_grad=True)
        for key, each in (("W1", W1), ("b1", [B1]), ("W2", W2), ("b2", [B2]))
    }
    trained = [each for key, each in parameters.items() if not how.get("weights") or key in ("W1", "W2")]
    settings = {key: tuple(each) if isinstance(each, list) else each for key, each in options.items()}
    optimizer = getattr(torch.optim, CLASSES[name])(trained, lr=0.1, **settings)
    x, y = torch.tensor(X, dtype=torch.float64), torch.tensor(Y, dtype=torch.float64)
    found, starts = [], range(0, len(X), batch)
    for number in range(steps):
        rows = slice(starts[number % len(starts)], starts[number % len(starts)] + batch)
        hidden = torch.tanh(x[rows] @ parameters["W1"] + parameters["b1"])
        output = torch.sigmoid(hidden @ parameters["W2"] + parameters["b2"])
        loss = 0.5 * ((y[rows] - output) ** 2).sum()
        optimizer.zero_grad()
        (loss / len(x[rows]) if how.get("mean") else loss).backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(trained, clip)
        optimizer.step()
        found.append({key: each.detach().numpy().copy() for key, each in parameters.items()})
    return found


def agree(passes: Any, expected: Any, turned: bool = False) -> None:
    for one, wanted in zip(passes, expected, strict=True):
        for key, want in wanted.items():
            made = one[f"{key}_next"]
            assert np.allclose(made.T if turned else made, want, rtol=1e-9, atol=1e-12), (one.epoch, key)


@pytest.mark.parametrize("error", ["output - target", "target - output"])
@pytest.mark.parametrize(("name", "options", "clip"), CASES)
def test_twenty_passes_are_torchs(name: str, options: dict[str, Any], clip: float | None, error: str) -> None:
    table = {"name": name, **options, **({"clip_norm": clip} if clip else {})}
    problem = document(table, {"error": error})
    agree(trace(problem, range(1, 21)).passes, by_torch(name, options, clip, 20))


ADAM = {"name": "adam", "clip_norm": 0.3, "weight_decay": 0.1}
ADAM_OPTIONS = {"weight_decay": 0.1}


@pytest.mark.parametrize(
    ("convention", "how"),
    [
        ({"reduction": "mean"}, {"mean": True}),
        ({"reduction": "mean", "reduction_in": "gradient", **TARGET_MINUS_OUTPUT}, {"mean": True}),
        ({"bias_update": False, **TARGET_MINUS_OUTPUT}, {"weights": True}),
        ({"samples": "columns"}, {}),
        ({"samples": "columns", **TARGET_MINUS_OUTPUT}, {}),
    ],
)
def test_conventions_leave_what_it_does(convention: dict[str, Any], how: dict[str, Any]) -> None:
    problem = document(ADAM, convention)
    turned = convention.get("samples") == "columns"
    if turned:
        problem["data"] = {key: np.transpose(each).tolist() for key, each in problem["data"].items()}
        for layer in problem["layers"]:
            layer["weights"] = np.transpose(layer["weights"]).tolist()
    agree(trace(problem, range(1, 11)).passes, by_torch("adam", ADAM_OPTIONS, 0.3, 10, **how), turned)


def test_batches_carry_the_states_along() -> None:
    problem = document({"name": "adam"}, batch_size=3)
    run = trace(problem, (1, 2, 3))
    passes = list(run.passes)
    agree(passes, by_torch("adam", {}, None, 6, batch=3))
    for one, following in pairwise(passes):
        assert np.array_equal(one["W1_squares_next"], following["W1_squares"])
    assert run.last["step"].tolist() == [[5.0]]
    assert np.array_equal(train(problem, 3).final["W2"], run.last["W2_next"])


def test_the_bias_inside_the_weights_is_followed_with_them() -> None:
    problem = document(ADAM, {"bias_in": "weights"})
    for layer, bias in zip(problem["layers"], (B1, B2), strict=True):
        layer["weights"] = [bias, *layer["weights"]]
        del layer["bias"]
    expected = by_torch("adam", ADAM_OPTIONS, 0.3, 10)
    for one, want in zip(trace(problem, range(1, 11)).passes, expected, strict=True):
        assert np.allclose(one["W1_next"], np.vstack([want["b1"], want["W1"]]), rtol=1e-9, atol=1e-12)


def test_the_states_are_those_of_the_gradient_whatever_the_sign() -> None:
    first, second = (
        trace(document({"name": "rmsprop", "momentum": 0.5, "centered": True}, convention), (1, 2)).last
        for convention in ({}, TARGET_MINUS_OUTPUT)
    )
    for each in ("W1_velocity_next", "W1_mean_next", "W1_squares_next", "b2_mean"):
        assert np.allclose(first[each], second[each], rtol=1e-12)
    assert np.allclose(first["dW1"], -second["dW1"])


def test_the_eleven_steps_stay_eleven() -> None:
    program = build(load(document({"name": "adamw", "clip_norm": 1.0})))
    assert [step.number for step in program.steps] == list(range(12))
    made = {each.id: each for step in program.steps[10:] for each in step.assignments}
    assert (made["W1_mean_next"].role, made["W1_mean_next"].of, made["W1_mean_next"].kind) == (
        "updated",
        "W1_mean",
        "mean",
    )
    assert (made["W2_squares_hat"].role, made["W2_squares_hat"].of) == ("state", "W2")
    assert program.assignments["W1_next"].kind == "weights" and program.assignments["b1_next"].kind == "bias"
    assert program.step_of("W1_mean").number == program.step_of("step").number == 1
    assert program.step_of("b1_mean_next").number == 11 and program.step_of("dW1_clipped").number == 10
    assert {each.layer for each in made.values()} == {None, 1, 2}


def test_formulas_turn_the_sign_where_it_enters() -> None:
    program = build(load(document({"name": "adam", "weight_decay": 0.01}, TARGET_MINUS_OUTPUT)))
    rules = {each.id: each.expression for each in program.assignments.values() if each.expression is not None}
    assert matrix_text(rules["W1_mean_next"]) == "0.9·W1_mean + 0.1·(0.01·W1 − dW1)"
    assert matrix_text(rules["W1_mean_hat"]) == "W1_mean_next/(1 − 0.9^step_next)"
    plain = build(load(document({"name": "adam"}, TARGET_MINUS_OUTPUT)))
    made = plain.assignments["W1_mean_next"].expression
    assert made is not None and matrix_text(made) == "0.9·W1_mean − 0.1·dW1"


def test_saved_and_read_again(tmp_path: Any) -> None:
    run = trace(document(ADAM), (1, 2))
    save_trace(run, tmp_path / "run.npz")
    again = load_trace(tmp_path / "run.npz")
    assert again.problem.to_document() == load(run.problem.to_document()).to_document()
    assert np.array_equal(again.last["W1_squares_hat"], run.last["W1_squares_hat"])


def test_plain_gradient_descent_needs_no_mention() -> None:
    plain = document({"name": "sgd"})
    bare = {key: each for key, each in plain.items() if key != "optimizer"}
    assert load(plain).sha256 == load(bare).sha256 != load(document({"name": "adam"})).sha256


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"convention": {"learning_rate_in": "delta"}}, "convention.learning_rate_in = 'delta', expected 'update'"),
        ({"convention": {"learning_rate_in": "change"}}, "convention.learning_rate_in = 'change', expected 'update'"),
        ({"reproduce": {"rate_twice": True}}, "found it with reproduce.rate_twice, expected one or the other"),
        ({"reproduce": {"updated_weights_sent_back": True}}, "found it with reproduce.updated_weights_sent_back"),
        ({"optimizer": {"name": "adam", "momentum": 0.9}}, "found it for adam, which has betas, eps, weight_decay"),
        ({"decimals": {"W1_velocity": 3}}, "unknown key 'W1_velocity'"),
        ({"names": {"W1_mean": "W1"}}, "W1"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_it_is_said_once(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ProblemError, match=r"found|unknown") as wrong:
        load(document({"name": "adam"}) | change)
    assert says in str(wrong.value) and len(str(wrong.value).splitlines()) == 1


@pytest.mark.parametrize("style", ["matrix", "article", "hand", "mazur"])
def test_every_matrix_has_a_name_in_every_style(style: str) -> None:
    run = trace(document(ADAM, TARGET_MINUS_OUTPUT, names={"style": style, "W2_mean": "momentum of wout"}))
    names = [run.name(each) for each in run.last]
    assert len(set(names)) == len(names) and "momentum of wout" in names


def test_right_answers_are_right_and_a_wrong_state_is_carried() -> None:
    problem = document({"name": "adam", "clip_norm": 0.3})
    run = trace(problem)
    computed = [each.id for step in run.first.steps for each in step.assignments if each.expression is not None]
    answers = {each: run[each].copy() for each in computed}
    assert {each["verdict"] for each in check(problem, answers).to_document()["cells"]} <= {"correct", "rounded"}
    answers["W1_mean_next"] = answers["W1_mean_next"] * 3
    answers["W1_mean_hat"] = answers["W1_mean_hat"] * 3
    verdicts = {each["id"]: each["verdict"] for each in check(problem, answers).to_document()["cells"]}
    assert verdicts["W1_mean_next"] in ("wrong", "slip") and verdicts["W1_mean_hat"] == "carried"


def test_its_rule_is_said_on_every_surface_and_in_spanish() -> None:
    problem = load(document({"name": "adam", "betas": [0.8, 0.9], "clip_norm": 0.3}))
    assert isinstance(problem, Problem)
    said = conventions(problem)[-1]
    assert said.startswith("Adam: ") and "(betas 0.8 and 0.9)" in said and "longer than 0.3" in said
    steps = {step.number: step.why for step in build(problem).steps}
    assert said in steps[10] and "biases stand here too" in steps[10] and said in steps[11] and said not in steps[9]
    run = run_recorded(problem)
    for language, word in (("en", "running mean"), ("es", "media móvil")):
        page = render_worksheet(run, make_plan(problem, run.first.program), theme=theme_of(language))
        assert word in page
