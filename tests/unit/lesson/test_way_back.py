"""The backward half of the eleven steps is derived, and conventions are rewrites of what was derived."""

import math
from itertools import product
from typing import Any

import numpy as np
import pytest

from tracer.calculus.reverse import Gradient, sent_back
from tracer.calculus.tidy import part
from tracer.expression import matrix as m
from tracer.expression.evaluate import evaluate
from tracer.expression.text import matrix_text
from tracer.formulas.derived import derive
from tracer.formulas.forward import Forward, ForwardStep
from tracer.lesson.build import build
from tracer.lesson.conventions import rewritten
from tracer.lesson.network_symbols import NetworkSymbols
from tracer.lesson.way_back import derived
from tracer.problem.example_groups import ELEVEN_STEPS
from tracer.problem.optimizers import Optimizer
from tracer.problem.problem import Problem
from tracer.problem.reading import example_names, load_problem, problem_of_table
from tracer.program.roles import Assignment

PLAIN = {"error": "output - target", "learning_rate_in": "update", "reduction": "sum", "relu_slope_at_zero": 0}


def example(name: str, **convention: Any) -> Problem:
    document = load_problem(name).to_document()
    document["convention"] = {**PLAIN, **convention}
    problem = problem_of_table({**document, "reproduce": {}, "carry_rounded": False})
    assert isinstance(problem, Problem)
    return problem


def of_program(problem: Problem) -> dict[str, m.Matrix | None]:
    """What the general way back of a program makes of the same forward half, by what it is the gradient of."""
    found = list(build(problem).assignments.values())
    forward = tuple((each.id, each.expression) for each in found if each.role in ("intermediate", "loss"))
    given, parameters = (
        {each.id: each.shape for each in found if each.role == role} for role in ("given", "parameter")
    )
    steps = (ForwardStep("", "", "", forward),)  # type: ignore[arg-type]
    program = derive(Forward(steps, given, parameters, build(problem).loss), Optimizer())
    return {of: program.assignments[made].expression for of, made in program.gradients.items()}


def test_most_of_the_examples_trees_are_those_of_a_program() -> None:
    """As a program has them but for names; the others are a slope of 1, a softmax and a loss that is told otherwise."""
    alike = [
        _named_alike(each, general[each.of or ""])
        for name in example_names(ELEVEN_STEPS)
        for problem in [example(name)]
        for general in [of_program(problem)]
        for each in derived(NetworkSymbols(problem, problem.batch_size))
        if each.role == "gradient"
    ]
    assert sum(alike) >= 0.87 * len(alike)


def _named_alike(each: Assignment, general: m.Matrix | None) -> bool:
    """Whether two trees are the same but for the identifiers of their matrices."""
    assert each.expression is not None and general is not None
    return _shape_of(each.expression) == _shape_of(general)


def _shape_of(made: m.Matrix) -> Any:
    if isinstance(made, m.Symbol):
        return made.shape
    parts = {name: getattr(made, name) for name in made.__dataclass_fields__}
    return type(made), tuple(_part_of(each) for each in parts.values())


def _part_of(each: Any) -> Any:
    if isinstance(each, tuple):
        return tuple(map(_part_of, each))
    return _shape_of(each) if isinstance(each, m.Matrix.__args__) else each  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", example_names(ELEVEN_STEPS))
def test_without_conventions_nothing_is_rewritten_but_a_softmaxs_slope(name: str) -> None:
    problem = example(name)
    net = NetworkSymbols(problem, problem.batch_size)
    plain = {each.id: each for each in derived(net)}
    for each in rewritten(net, plain.values()):
        told_otherwise = net.jacobians and each.layer == net.depth and each.kind in ("jacobian", "delta")
        assert told_otherwise or each == plain[each.id]


CHOICES: dict[str, tuple[Any, ...]] = {
    "error": ("output - target", "target - output"),
    "learning_rate_in": ("update", "delta", "change"),
    "reduction": ("sum", "mean"),
    "reduction_in": ("error", "gradient"),
}


@pytest.mark.parametrize("name", ["article", "softmax-classifier"])
@pytest.mark.parametrize("chosen", list(product(*CHOICES.values())), ids=str)
def test_every_rewrite_keeps_the_factor_that_it_takes_in(name: str, chosen: tuple[Any, ...]) -> None:
    """The values of the rewritten half are those of the derived one, times the factor that each assignment tells."""
    problem = example(name, **dict(zip(CHOICES, chosen, strict=True)))
    net = NetworkSymbols(problem, problem.rows)
    values = dict(zip(build(problem, problem.rows).inputs, _start(problem), strict=True))
    forward = [each for each in build(problem, problem.rows).assignments.values() if each.role == "intermediate"]
    plain, told = _run(values, [*forward, *derived(net)]), _run(values, [*forward, *rewritten(net, derived(net))])
    for each in rewritten(net, derived(net)):
        if each.role == "gradient":
            assert np.allclose(told[each.id], each.factor * plain[each.id], rtol=1e-12, atol=1e-15), each.id
    assert math.isclose(abs(_factor(net, "dW1")), _expected(chosen, problem), rel_tol=1e-12)


def _start(problem: Problem) -> list[Any]:
    return [*problem.data(0, problem.rows), *problem.parameters, np.array([[problem.learning_rate]])]


def _run(values: dict[str, Any], made: list[Assignment]) -> dict[str, Any]:
    found = dict(values)
    for each in made:
        assert each.expression is not None
        found[each.id] = evaluate(each.expression, found)
    return found


def _factor(net: NetworkSymbols, identifier: str) -> float:
    return next(each.factor for each in rewritten(net, derived(net)) if each.id == identifier)


def _expected(chosen: tuple[Any, ...], problem: Problem) -> float:
    _, rate, reduction, _ = chosen
    return (1.0 if rate == "update" else problem.learning_rate) / (problem.rows if reduction == "mean" else 1)


def test_rows_and_columns_of_a_product_are_those_of_its_operands() -> None:
    A, B = m.Symbol("A", (2, 3)), m.Symbol("B", (4, 3))
    made = part(m.MatMul(A, m.Transpose(B)), range(2), (1, 2, 3))
    assert matrix_text(made) == matrix_text(m.MatMul(A, m.Transpose(m.Part(B, (1, 2, 3), (0, 1, 2)))))
    assert part(A, range(2), range(3)) is A
    values = {"A": np.arange(6.0).reshape(2, 3), "B": np.arange(12.0).reshape(4, 3) - 5}
    assert np.array_equal(evaluate(made, values), (values["A"] @ values["B"].T)[:, 1:])


def test_a_slope_of_1_is_a_matrix_where_every_slope_is_to_be_told() -> None:
    Z, A, E = (m.Symbol(name, (2, 3)) for name in "ZAE")
    linear = problem_of_table(
        {"learning_rate": 1, "loss": "squared_error", "data": {"X": [[1]], "Y": [[1]]},
         "layers": [{"activation": "linear", "weights": [[1]]}]}
    )  # fmt: skip
    assert isinstance(linear, Problem)
    rule = NetworkSymbols(linear, 1).function(1).apply(Z, 0.0)
    slopes: list[m.Matrix] = []

    def apart(local: m.Matrix, _: m.Matrix) -> m.Matrix:
        slopes.append(local)
        return A

    ((_, sent),) = sent_back(rule, A, Gradient(Z.shape, E), {"Z"}, apart, every_slope=True)
    assert sent == m.multiply(E, A) and np.array_equal(evaluate(slopes[0], {"Z": np.ones((2, 3))}), np.ones((2, 3)))
    ((_, sent),) = sent_back(rule, A, Gradient(Z.shape, E), {"Z"}, apart)
    assert sent == E and len(slopes) == 1
