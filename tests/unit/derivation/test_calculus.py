"""The derivations of the book: every line of them equals the derivative, by central differences."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from tracer.calculus.by_hand import LEFT, Derivation, of_log_softmax
from tracer.derivation.calculus import MOST_OUTPUTS, of_activation, of_both, of_loss
from tracer.derivation.functions import by_variables
from tracer.expression import scalar as s
from tracer.expression.evaluate import evaluate_cell
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES
from tracer.problem.problem import problem_from_document

STEP = 1e-5
ALPHA = 0.25
Point = Mapping[s.Scalar, float]
z, a, y = s.Variable("z"), s.Variable("a"), s.Variable("y")
CASES = [(name, k) for name in ACTIVATIONS for k in range(len(of_activation(name, ALPHA, 0, 3)))]


def at(expression: s.Scalar, point: Point) -> float:
    """The value of an expression whose letters, variables or cells, stand at a point."""
    names = {letter.name: s.Number(value) for letter, value in point.items() if isinstance(letter, s.Variable)}
    return evaluate_cell(s.substitute(expression, names), lambda cell: point[cell])


def slope(value: Callable[[Point], float], by: s.Scalar, point: Point) -> float:
    """Central differences."""
    ahead, behind = ({**point, by: point[by] + side * STEP} for side in (1, -1))
    return (value(ahead) - value(behind)) / (2 * STEP)


def assert_every_line_is_the_derivative(
    derivation: Derivation, value: Callable[[Point], float], point: Point, results: Point
) -> None:
    """`value` is what is derived; `results` has the letters that stand for what came out (a)."""
    expected = slope(value, derivation.by, point)
    for line in derivation.lines:
        taken = {
            s.Cell(LEFT, k, 0): slope(lambda p, inside=inside: at(inside, p), derivation.by, point)
            for k, inside in enumerate(line.of)
        }
        assert all(abs(taken[s.Cell(LEFT, k, 0)]) < 1e-12 for k in line.none), line
        found = at(line.right, {**point, **results, **taken})
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-8), line


def softmax(values: list[float]) -> list[float]:
    powers = np.exp(values)
    return list(powers / powers.sum())


@pytest.mark.parametrize("outputs", [2, 3, MOST_OUTPUTS])
@pytest.mark.parametrize(("name", "number"), CASES)
def test_every_line_of_an_activation(name: str, number: int, outputs: int) -> None:
    derivation = of_activation(name, ALPHA, 0, outputs)[number]
    draw = np.random.default_rng(number)
    for size in draw.uniform(0.1, 3.0, 5):
        if name == "softmax":
            inputs = draw.uniform(-2, 2, outputs).tolist()
            point: Point = {s.Cell("z", 0, k): inputs[k] for k in range(outputs)}
            results = {s.Cell("a", 0, k): value for k, value in enumerate(softmax(inputs))}
            assert at(derivation.value, point) == pytest.approx(results[derivation.name])
        else:
            point = {z: float(size) * (-1 if derivation.case == "<" else 1)}
            results = {a: at(derivation.value, point)}
        assert_every_line_is_the_derivative(derivation, lambda p: at(derivation.value, p), point, results)


@pytest.mark.parametrize("outputs", [2, 3, MOST_OUTPUTS])
@pytest.mark.parametrize("number", [0, 1])
def test_every_line_of_log_softmax(number: int, outputs: int) -> None:
    derivation = of_log_softmax(outputs)[number]
    inputs = np.random.default_rng(number).uniform(-2, 2, outputs).tolist()
    point: Point = {s.Cell("z", 0, k): inputs[k] for k in range(outputs)}
    shares: Point = {s.Cell("p", 0, k): value for k, value in enumerate(softmax(inputs))}
    assert at(derivation.value, point) == pytest.approx(np.log(softmax(inputs)[number]))
    assert_every_line_is_the_derivative(derivation, lambda p: at(derivation.value, p), point, shares)


@pytest.mark.parametrize("exponent", [2.0, 3.0, 1.7])
def test_every_line_of_a_power_of_a_sum(exponent: float) -> None:
    u, v = s.Variable("u"), s.Variable("v")
    template = s.Power(s.difference(u, v), exponent)
    for derivation in by_variables(template, ("u", "v")):
        assert len(derivation.lines) == 2 and derivation.partial
        assert_every_line_is_the_derivative(derivation, lambda p: at(template, p), {u: 1.3, v: 0.4}, {})


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "softmax"])
@pytest.mark.parametrize("point", [-1.3, -0.2, 0.4, 2.0])
def test_a_derivation_begins_with_the_activation_and_ends_with_its_slope(name: str, point: float) -> None:
    rule = ACTIVATIONS[name]
    found = [each for each in of_activation(name, ALPHA, 0, 3) if each.case in ("", ">" if point > 0 else "<")]
    (derivation,) = found
    known = {z: point, s.Variable("alpha"): ALPHA}
    value = at(rule.value, known)
    assert at(derivation.value, known) == pytest.approx(value)
    assert at(derivation.lines[-1].right, {**known, a: value}) == pytest.approx(at(rule.slope, {**known, a: value}))


@pytest.mark.parametrize(("at_zero", "name", "taken"), [(0, "relu", "0"), (1, "relu", "1"), (0, "leaky_relu", "0.25")])
def test_the_slope_at_a_kink_is_said(at_zero: int, name: str, taken: str) -> None:
    assert of_activation(name, ALPHA, at_zero, 1)[-1].says.endswith(f"taken to be {taken}.")


def test_every_activation_and_loss_has_its_lines() -> None:
    for name in ACTIVATIONS:
        lines = [line for each in of_activation(name, ALPHA, 0, 3) for line in each.lines]
        assert len(lines) > 1 or name == "linear"
    for name in LOSSES:
        assert len(of_loss(problem(name, 2)).lines) > 1


def problem(loss: str, outputs: int, fused: bool = False) -> Any:
    output = "softmax" if loss == "cross_entropy" else "sigmoid"
    document = {
        "learning_rate": 0.1,
        "loss": loss,
        "data": {"X": [[1.0]], "Y": [[1.0] + [-1.0 if loss == "hinge" else 0.0] * (outputs - 1)]},
        "layers": [{"activation": output, "weights": [[0.5] * outputs]}],
        "convention": {"softmax_slope": "fused" if fused else "jacobian"},
    }
    return problem_from_document(document, "drawn", "drawn.toml")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("outputs", [1, 3])
def test_every_line_of_a_loss(loss: str, outputs: int) -> None:
    derivation = of_loss(problem(loss, outputs))
    for out, target in np.random.default_rng(1).uniform(0.05, 0.95, (5, 2)):
        point = {a: float(out), y: float(target)}
        assert_every_line_is_the_derivative(derivation, lambda p: at(derivation.value, p), point, {})


def test_every_line_of_sigmoid_and_its_loss_together() -> None:
    derivation = of_both(problem("binary_cross_entropy", 1, fused=True))
    logistic = ACTIVATIONS["sigmoid"].value
    for inside, target in np.random.default_rng(2).uniform(-2, 2, (5, 2)):
        point = {z: float(inside), y: float(target)}

        def value(p: Point) -> float:
            return at(derivation.value, {**p, a: at(logistic, p)})

        assert_every_line_is_the_derivative(derivation, value, point, {a: at(logistic, point)})


@pytest.mark.parametrize("outputs", [2, 3, MOST_OUTPUTS])
def test_every_line_of_softmax_and_its_loss_together(outputs: int) -> None:
    derivation = of_both(problem("cross_entropy", outputs, fused=True))
    draw = np.random.default_rng(3)
    targets = softmax(draw.uniform(-1, 1, outputs).tolist())
    inputs = {s.Cell("z", 0, k): value for k, value in enumerate(draw.uniform(-2, 2, outputs).tolist())}
    fixed = {s.Cell("y", 0, k): value for k, value in enumerate(targets)}

    def results(p: Point) -> dict[s.Scalar, float]:
        made = softmax([p[s.Cell("z", 0, k)] for k in range(outputs)])
        return {s.Cell("a", 0, k): value for k, value in enumerate(made)}

    def value(p: Point) -> float:
        return at(derivation.value, {**fixed, **results(p)})

    assert_every_line_is_the_derivative(derivation, value, {**inputs, **fixed}, results(inputs))
