"""The page's engine in a real browser reads an expression of any kind as Python does."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.agreement import assert_agrees, sizes
from tests.browser.asking import ASK, Document, ask, assert_lines, by_cell, cells_of, plain, turned_round
from tests.conformance import data_of
from tests.strategies import EXPRESSION_SIZES, Made, expressions
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.digits import as_typed, fixed
from tracer.expression.evaluate import evaluate
from tracer.expression.label import Label, label_mathml
from tracer.expression.lower import lower
from tracer.expression.worked import work
from tracer.page.script_data import written
from tracer.problem.activations import ACTIVATIONS

pytestmark = pytest.mark.browser


def indexed(cell: s.Cell) -> str:
    return label_mathml(Label(cell.matrix, f"{cell.row + 1},{cell.column + 1}"))


def assert_read_alike(page: Any, expression: m.Matrix, values: Mapping[str, Any], decimals: int | None) -> Document:
    """Structure, precedents and worked lines of every cell are Python's; the values are handed back."""
    cells = {("R", *place): lower(expression, *place) for place in np.ndindex(expression.shape)}
    found = ask(page, ASK, data=data_of(values, expression, decimals), cells=list(cells), style="matrix")
    structures, sources = by_cell(found["expressions"]), by_cell(found["precedents"])

    def value(cell: s.Cell) -> s.Value:
        return s.Value(float(values[cell.matrix][cell.row, cell.column]), decimals)

    for (cell, lowered), worked in zip(cells.items(), found["worked"], strict=True):
        assert structures[cell] == plain(written(lowered))
        assert sources[cell] == cells_of(lowered)
        assert_lines(worked, work(lowered, value, 3 if decimals is None else decimals), indexed, expression)
    assert by_cell(found["dependents"]) == turned_round(sources)
    return found["values"]


@settings(max_examples=100)
@given(made=expressions(), decimals=st.sampled_from([None, 0, 2, 3, 6]))
def test_a_random_expression_reads_as_in_python(page: Any, made: Made, decimals: int | None) -> None:
    found = assert_read_alike(page, made.expression, made.values, decimals)["R"]
    expected = evaluate(made.expression, made.values)
    assert_agrees(found, expected, sizes(made.expression, made.values, EXPRESSION_SIZES))


@pytest.mark.parametrize("terms", [12, 13, 50, 51, 300])
def test_long_sums_are_cut_where_python_cuts_them(page: Any, terms: int) -> None:
    random = np.random.default_rng(terms)
    values = {"P": random.normal(size=(2, terms)), "Q": random.normal(size=(terms, 2)), "B": np.ones((1, 2))}
    P, Q, B = (m.Symbol(key, value.shape) for key, value in values.items())
    squares = m.row_sums(m.Apply(s.Power(s.Variable("u"), 2), (("u", P),)))
    both = m.add(m.MatMul(P, Q), B)
    scaled = m.MatMul(m.multiply(m.Constant(0.5), P), Q)  # no block: its terms are written out one by one
    for expression in (both, m.divide(both, squares), m.row_maxima(P), m.row_maxima(m.multiply(P, P)), scaled):
        found = assert_read_alike(page, expression, values, 3)["R"]
        assert_agrees(found, evaluate(expression, values), terms * 4.0)


def test_a_fold_within_a_fold_keeps_its_own_variable(page: Any) -> None:
    values = {"P": np.array([[0.25, 3.0, -1.5], [2.0, 0.5, 1.0]])}
    P, u, v = m.Symbol("P", (2, 3)), s.Variable("u"), s.Variable("v")
    expression = m.row_sums(m.Apply(s.Product((u, v)), (("u", P), ("v", m.row_maxima(P)))))
    assert assert_read_alike(page, expression, values, 2)["R"] == [[5.25], [7.0]]


def test_what_is_taken_off_is_written_as_python_writes_it(page: Any) -> None:
    """−(b·(c − d)) is b·(d − c), where −b/(c + d) keeps its sum as it is."""
    numbers = {"A": 0.5, "B": -1.25, "C": 2.0, "D": 3.5}
    values = {key: np.array([[value]]) for key, value in numbers.items()}
    A, B, C, D = (m.Symbol(key, (1, 1)) for key in values)
    for expression, expected in (
        (m.subtract(A, m.divide(B, m.add(C, D))), 0.5 + 1.25 / 5.5),
        (m.subtract(A, m.multiply(B, m.subtract(C, D))), 0.5 - 1.25 * 1.5),
        (m.subtract(A, m.multiply(B, m.add(C, D))), 0.5 + 1.25 * 5.5),
        (m.subtract(A, m.multiply(m.subtract(C, D), B)), 0.5 - 1.25 * 1.5),
        (m.subtract(A, m.subtract(B, C)), 0.5 + 3.25),
    ):
        assert assert_read_alike(page, expression, values, 3)["R"] == [[pytest.approx(expected, rel=1e-14)]]


def test_what_float64_leaves_where_terms_cancel_has_no_digits(page: Any) -> None:
    values = {"P": np.array([[0.1]]), "Q": np.array([[0.2]]), "B": np.array([[0.3]])}
    P, Q, B = (m.Symbol(key, (1, 1)) for key in values)
    assert_read_alike(page, m.multiply(m.subtract(m.add(P, Q), B), P), values, None)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_numbers_far_out_are_read_in_the_form_that_does_not_overflow(page: Any, name: str) -> None:
    values = {"Z": np.array([[1000.0, -1000.0, 0.5], [-800.0, -801.0, -750.0], [0.0, 709.0, 710.0]])}
    Z = m.Symbol("Z", (3, 3))
    found = assert_read_alike(page, ACTIVATIONS[name].apply(Z, 0.01), values, 3)["R"]
    assert_agrees(found, evaluate(ACTIVATIONS[name].apply(Z, 0.01), values), 1.0)


NUMBERS = st.one_of(
    st.floats(),
    st.builds(lambda x, k: x * 10.0**k, st.floats(-10, 10), st.integers(-12, 17)),
    st.integers(-(10**6), 10**6).map(lambda k: k / 1000),
    st.builds(lambda k, off: (k + 0.5 + off) / 1000, st.integers(0, 9999), st.sampled_from([-2e-9, -9e-10, 1e-10])),
    st.builds(lambda k, towards: math.nextafter(10.0**k, towards), st.integers(-17, 17), st.sampled_from([0.0, 1e99])),
    st.sampled_from([0.35 * 3, 1.005, 2.5, -0.5, 1e16, 9999999999999998.0, 2.0**52, 1e-7, 5e-324, 1.7e308, -0.0]),
)


@example(numbers=[-0.5, -1.0, -0.4, -0.0, 0.5, 1.0, -1.5, -9.5], decimals=0)
@example(numbers=[-1.0, -0.0005, -0.0004, -0.05, 0.0005, 1.005, 0.35 * 3], decimals=3)
@settings(max_examples=100)
@given(numbers=st.lists(NUMBERS, min_size=1, max_size=40), decimals=st.sampled_from([0, 1, 3, 3, 3, 6, 9, 12, 15]))
def test_numbers_are_shown_with_the_digits_of_python(page: Any, numbers: list[float], decimals: int) -> None:
    # an exact tie of a number too large to be scaled goes to the even digit in Python, upwards in JavaScript
    numbers = [x for x in numbers if not abs(x) * 10.0**decimals >= 2.0**52 or abs(x) >= 1e16 or x == round(x)]
    assume(numbers)
    texts = "data => { const e = TracerEngine.open(data); return e.values.M[0].map((_, k) => e.text('M', 0, k)); }"
    assert page.evaluate(texts, data_of({"M": [numbers]}, decimals=None)) == list(map(as_typed, numbers))
    rounded = page.evaluate(texts, data_of({"M": [numbers]}, decimals=decimals))
    assert rounded == [fixed(number, decimals) for number in numbers]
