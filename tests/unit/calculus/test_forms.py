"""What an expression is made of, told by its form: addends, factors, softmax along or down, means, functions."""

import numpy as np
import pytest

from tracer.calculus.forms import (
    addends,
    argument_of,
    factors,
    function_named,
    is_squared,
    mean_form,
    root_form,
    softmax_form,
    summed,
    sums_in,
)
from tracer.expression import matrix as m
from tracer.expression.evaluate import evaluate
from tracer.formulas.functions import CALLED
from tracer.problem.reading import load_any

A, B, C = (m.Symbol(name, (2, 3)) for name in "ABC")
K = m.Symbol("K", (2, 2))
VALUES = {name: np.random.default_rng(k).normal(size=(2, 3)) for k, name in enumerate("ABC")}


def test_the_addends_of_a_sum_have_their_signs_and_make_it_again() -> None:
    total = m.subtract(m.add(A, B), m.subtract(C, A))
    assert [(each.sign, each.matrix) for each in addends(total)] == [(1, A), (1, B), (-1, C), (1, A)]
    assert np.allclose(evaluate(summed(addends(total)), VALUES), evaluate(total, VALUES))
    turned = m.subtract(m.multiply(m.Constant(-1.0), C), A)
    assert np.allclose(evaluate(summed(addends(turned)), VALUES), evaluate(turned, VALUES))
    assert [each.matrix for each in addends(A)] == [A]


def test_sums_are_found_inside_other_things_and_each_as_a_whole() -> None:
    inner = m.add(A, B)
    assert sums_in(CALLED["tanh"].make(inner)) == [inner]
    assert sums_in(m.add(m.multiply(inner, C), A)) == [m.add(m.multiply(inner, C), A), inner]
    assert sums_in(CALLED["softmax"].make(m.add(K, K), axis=1)) == [m.add(K, K)]


@pytest.mark.parametrize("axis", [0, 1])
def test_softmax_is_known_along_the_rows_and_down_the_columns(axis: int) -> None:
    form = softmax_form(CALLED["softmax"].make(A, axis=axis))
    assert form is not None and form.argument == A and form.across is (axis == 1)
    assert softmax_form(CALLED["sigmoid"].make(A)) is None and softmax_form(m.Transpose(A)) is None


@pytest.mark.parametrize(("axis", "among"), [(None, 6), (0, 2), (1, 3)])
def test_a_mean_says_of_how_many(axis: int | None, among: int) -> None:
    form = mean_form(CALLED["mean"].make(A, axis=axis))
    assert form is not None and form.among == among and form.total.operand == A
    assert mean_form(m.divide(m.total(A), m.Constant(5.0))) is None
    assert mean_form(CALLED["sum"].make(A, axis=axis)) is None


def test_squares_roots_factors_and_functions() -> None:
    norm = load_any("batch-norm-paper").program.assignments  # type: ignore[union-attr]
    rules = {each: norm[each].expression for each in ("v", "s", "n", "a")}
    variance = mean_form(rules["v"])  # type: ignore[arg-type]
    assert variance is not None and is_squared(variance.total.operand) and not is_squared(A)
    assert is_squared(m.multiply(A, A)) and not is_squared(m.multiply(A, B))
    assert root_form(rules["s"]) is not None and root_form(rules["n"]) is None  # type: ignore[arg-type]
    assert factors(m.divide(m.multiply(A, B), m.Constant(2.0))) == [A, B]
    assert [function_named(CALLED[name].make(A)) for name in ("tanh", "relu", "sqrt")] == ["tanh", "relu", "sqrt"]
    assert function_named(CALLED["leaky_relu"].make(A, slope=0.2)) == "leaky_relu"
    assert function_named(m.add(A, B)) is None and argument_of(CALLED["tanh"].make(A)) == A
