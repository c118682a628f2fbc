"""The eleven steps' backward half against the general way back through the same forward half."""

import json
from typing import Any

import numpy as np
import pytest

from tracer.formulas.derived import derive
from tracer.formulas.forward import Forward, ForwardStep
from tracer.problem.example_groups import ELEVEN_STEPS
from tracer.problem.optimizers import Optimizer
from tracer.problem.problem import Problem
from tracer.problem.reading import example_names, load_problem, problem_of_table
from tracer.run.training import trace

CONVENTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"error": "target - output"},
    {"learning_rate_in": "delta"},
    {"reduction": "mean", "error": "target - output"},
)


@pytest.mark.parametrize("name", example_names(ELEVEN_STEPS))
@pytest.mark.parametrize("convention", CONVENTIONS, ids=json.dumps)
def test_every_gradient_is_the_derived_one_times_its_factor(name: str, convention: dict[str, Any]) -> None:
    document = load_problem(name).to_document()
    document["convention"] = {**document["convention"], **convention}
    problem = problem_of_table({**document, "reproduce": {}, "carry_rounded": False})
    assert isinstance(problem, Problem)
    one = trace(problem).first
    found = list(one.program.assignments.values())
    forward = tuple((each.id, each.expression) for each in found if each.role in ("intermediate", "loss"))
    given, parameters = (
        {each.id: each.shape for each in found if each.role == role} for role in ("given", "parameter")
    )
    derived = derive(Forward((ForwardStep("", "", "", forward),), given, parameters, one.program.loss), Optimizer())  # type: ignore[arg-type]
    start = [one[key] for key in derived.inputs]
    values = dict(zip(derived.computed, derived.numpy.run(*start), strict=True))
    gradients = [each for each in found if each.role == "gradient"]
    assert gradients
    for each in gradients:
        scale = each.factor * (one.program.rows if problem.loss_shown == "mean" else 1)
        expected = scale * values[derived.gradients[str(each.of)]]
        size = max(1e-3, float(np.abs(expected).max()))
        assert np.allclose(one[each.id], expected, rtol=1e-11, atol=1e-12 * size), each.id
