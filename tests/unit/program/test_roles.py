"""What each matrix is: its role, what it is of, and the factor that a convention puts into a gradient."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from tests.marking import document
from tests.traces import example_document
from tracer.api import load
from tracer.problem.problem import Problem, problem_from_document
from tracer.run.training import trace

SIGN, RATE, MEAN = {"error": "target - output"}, {"learning_rate_in": "delta"}, {"reduction": "mean"}
ROLES = {
    "X": {"role": "given", "kind": "input"},
    "Y": {"role": "given", "kind": "target"},
    "W1": {"role": "parameter", "kind": "weights"},
    "b2": {"role": "parameter", "kind": "bias"},
    "Z1": {"role": "intermediate", "kind": "pre_activation"},
    "A2": {"role": "intermediate", "kind": "activation"},
    "L": {"role": "loss"},
    "E": {"role": "gradient", "kind": "error", "of": "A2"},
    "E1": {"role": "gradient", "kind": "error", "of": "A1"},
    "S1": {"role": "local_derivative", "kind": "slope", "of": "A1"},
    "J1": {"role": "local_derivative", "kind": "jacobian", "of": "A2"},
    "D2": {"role": "gradient", "kind": "delta", "of": "Z2"},
    "dW1": {"role": "gradient", "kind": "weights", "of": "W1"},
    "db2": {"role": "gradient", "kind": "bias", "of": "b2"},
    "W1_next": {"role": "updated", "kind": "weights", "of": "W1"},
}


def problem(convention: dict[str, Any], reproduce: dict[str, Any] | None = None) -> Problem:
    made = example_document("softmax-classifier") | {"convention": convention, "reproduce": reproduce or {}}
    return problem_from_document(made, "p", "p")


def told(made: Problem) -> dict[str, dict[str, Any]]:
    """What `trace --json` says of each matrix beside its value."""
    steps = trace(made).to_document()["epochs"][0]["iterations"][0]["steps"]
    keys = ("role", "kind", "of", "factor")
    found = [(each["id"], each) for step in steps for each in step["assignments"]]
    return {name: {key: each[key] for key in keys if key in each} for name, each in found}


def test_every_matrix_has_its_role() -> None:
    found = told(problem({}))
    assert {key: found[key] for key in ROLES} == ROLES
    assert all(each["role"] for each in found.values())


def test_a_fused_error_is_the_gradient_of_the_pre_activation() -> None:
    found = told(problem({"softmax_slope": "fused"}))
    assert found["E"]["of"] == found["D2"]["of"] == "Z2"


CHANGE = {"learning_rate_in": "change"}
IN_GRADIENT = {**MEAN, "reduction_in": "gradient"}


@pytest.mark.parametrize("chosen", list(product([{}, SIGN], [{}, RATE, CHANGE], [MEAN, IN_GRADIENT])))
def test_a_parameters_gradient_has_the_factors_that_enter_there(chosen: tuple[dict[str, str], ...]) -> None:
    made = problem({key: value for part in chosen for key, value in part.items()})
    found, plain = trace(made), trace(problem({}))
    sign, shared = -1.0 if SIGN in chosen else 1.0, 1 / made.rows
    before = sign * (1.0 if IN_GRADIENT in chosen else shared)
    rate = made.learning_rate
    of_parameters = -rate * shared if CHANGE in chosen else sign * shared * (rate if RATE in chosen else 1.0)
    for each in (each for each in found.last.program.assignments.values() if each.role == "gradient"):
        np.testing.assert_allclose(found[each.id], each.factor * plain[each.id], rtol=1e-12, atol=1e-15)
        delta = before * (rate if RATE in chosen and each.id != "E" else 1.0)
        assert each.factor == pytest.approx(of_parameters if each.kind in ("weights", "bias") else delta)
    mean = trace(problem(MEAN))
    for name in ("W1_next", "b1_next", "W2_next", "b2_next"):
        np.testing.assert_allclose(found[name], mean[name], rtol=1e-12)


@pytest.mark.parametrize("chosen", list(product([{}, SIGN], [{}, RATE], [{}, MEAN])))
def test_a_gradient_is_that_of_the_summed_loss_times_its_factor(chosen: tuple[dict[str, str], ...]) -> None:
    made = problem({key: value for part in chosen for key, value in part.items()})
    found, plain = trace(made), trace(problem({}))
    expected = (-1.0 if SIGN in chosen else 1.0) / (made.rows if MEAN in chosen else 1)
    later = expected * (made.learning_rate if RATE in chosen else 1.0)
    gradients = [each for each in found.last.program.assignments.values() if each.role == "gradient"]
    assert len(gradients) == 8
    for each in gradients:
        np.testing.assert_allclose(found[each.id], each.factor * plain[each.id], rtol=1e-12, atol=1e-15)
        assert each.factor == pytest.approx(expected if each.id == "E" else later, rel=1e-15)
        assert each.to_document().get("factor", 1.0) == each.factor


@pytest.mark.parametrize(
    ("reproduce", "what"),
    [
        ({"softmax_slope": "diagonal"}, {"S2", "D2", "E1", "D1", "dW1", "dW2", "db1", "db2"}),
        ({"updated_weights_sent_back": True}, {"E1", "D1", "dW1", "db1"}),
        ({"rate_twice": True}, set()),
    ],
)
def test_what_is_not_the_gradient_is_called_reproduced(reproduce: dict[str, Any], what: set[str]) -> None:
    found = told(problem({}, reproduce))
    called = {key for key, each in found.items() if each.get("kind") == "reproduced"}
    assert {each for each in called if found[each]["role"] != "updated"} == what
    new = {key for key in called if found[key]["role"] == "updated"}
    changed = {f"{key[1:]}_next" for key in what if key.startswith("d")}
    assert new == (changed or {"W1_next", "W2_next", "b1_next", "b2_next"})


def test_what_an_optimizer_keeps_belongs_to_its_parameter() -> None:
    program = trace(load({**document(), "optimizer": {"name": "adam", "clip_norm": 1.0}})).last.program
    found = {of for key in program.assignments if (of := program.follows(key)) is not None}
    own = {key for key in program.assignments if program.follows(key) == "W1"}
    assert found == {"W1", "b1", "W2", "b2"} and program.follows("clip_factor") is program.follows("W1_next") is None
    kept = {f"W1_{what}{when}" for what in ("mean", "squares") for when in ("", "_next", "_hat")}
    assert own == kept | {"dW1_clipped"}
