from collections.abc import Mapping
from typing import Any

import pytest

from tests.letters import minus, one, p, q, u
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.lower import lower
from tracer.expression.text import cell_text
from tracer.expression.worked import ValueOf, Worked, work
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES

Z, A, Y = (m.Symbol(letter, (1, 3)) for letter in "ZAY")
VALUES = {"Z": [[1.78, -0.5, 0.0]], "A": [[0.856, 0.378, 0.5]], "Y": [[1.0, 0.0, 0.0]]}


def given(values: Mapping[str, Any], decimals: int | None = 3) -> ValueOf:
    return lambda cell: s.Value(values[cell.matrix][cell.row][cell.column], decimals)


def letter(cell: s.Cell) -> str:
    return f"{cell.matrix.lower()}{cell.column + 1}"


def lines(worked: Worked) -> list[str]:
    """Letters, each stage, result."""
    return [cell_text(each, letter) for each in (worked.letters, *worked.stages, worked.result)]


def activation(name: str, kind: str = "value") -> m.Matrix:
    rule = ACTIVATIONS[name]
    return rule.apply(Z, 0.01) if kind == "value" else rule.slopes(Z, A, 0.01, 0)


def loss(name: str) -> m.Matrix:
    return m.total(m.Apply(LOSSES[name].value, (("y", Y), ("a", A))))


STAGES: list[tuple[m.Matrix, int, list[str]]] = [
    (activation("sigmoid"), 0,
     ["1/(1 + exp(−z1))", "1/(1 + exp(−1.780))", "1/(1 + 0.169)", "1/1.169", "0.856"]),
    (activation("sigmoid"), 1,
     ["1/(1 + exp(−z2))", "1/(1 + exp(−(−0.500)))", "1/(1 + 1.649)", "1/2.649", "0.378"]),
    (activation("sigmoid", "slope"), 0, ["a1·(1 − a1)", "(0.856)(1 − 0.856)", "(0.856)(0.144)", "0.123"]),
    (activation("tanh", "slope"), 1, ["1 − a2²", "1 − 0.378²", "1 − 0.143", "0.857"]),
    (activation("relu"), 1, ["max(0, z2)", "max(0, −0.500)", "0.000"]),
    (activation("relu", "slope"), 0, ["(1 where z1 > 0, else 0)", "(1 where 1.780 > 0, else 0)", "1.000"]),
    (activation("leaky_relu"), 1,
     ["(z2 where z2 > 0, else 0.01·z2)", "(−0.500 where −0.500 > 0, else (0.01)(−0.500))", "(0.01)(−0.500)",
      "−0.005"]),
    (activation("elu"), 0,
     ["(z1 where z1 > 0, else exp(z1) − 1)", "(1.780 where 1.780 > 0, else exp(1.780) − 1)", "1.780"]),
    (activation("softmax"), 0,
     ["exp(z1)/(exp(z1) + exp(z2) + exp(z3))", "exp(1.780)/(exp(1.780) + exp(−0.500) + exp(0.000))",
      "5.930/(5.930 + 0.607 + 1.000)", "5.930/7.536", "0.787"]),
    (activation("linear"), 1, ["z2", "−0.500", "−0.500"]),
    (loss("half_squared_error"), 0,
     ["(y1 − a1)² + (y2 − a2)² + (y3 − a3)²", "(1.000 − 0.856)² + (0.000 − 0.378)² + (0.000 − 0.500)²",
      "0.144² + (−0.378)² + (−0.500)²", "0.0207 + 0.143 + 0.250", "0.414"]),
    (loss("cross_entropy"), 0,
     ["−(y1·ln(a1)) − y2·ln(a2) − y3·ln(a3)",
      "−((1.000)(ln(0.856))) − (0.000)(ln(0.378)) − (0.000)(ln(0.500))",
      "−((1.000)(−0.155)) − (0.000)(−0.973) − (0.000)(−0.693)", "−(−0.155) − 0.000 − 0.000", "0.155"]),
]  # fmt: skip


@pytest.mark.parametrize(("matrix", "column", "expected"), STAGES)
def test_a_cell_is_worked_in_letters_numbers_each_terms_value_result(
    matrix: m.Matrix, column: int, expected: list[str]
) -> None:
    assert lines(work(lower(matrix, 0, column), given(VALUES), 3)) == expected


def weighted_sum(terms: int) -> s.Scalar:
    product = m.MatMul(m.Symbol("X", (1, terms)), m.Symbol("W", (terms, 1)))
    return lower(m.add(product, m.Symbol("B", (1, 1))), 0, 0)


def sum_values(terms: int) -> dict[str, Any]:
    return {"X": [[0.5] * terms], "W": [[k / 10] for k in range(terms)], "B": [[0.25]]}


def test_a_long_sum_is_cut_in_the_middle_and_its_result_is_whole() -> None:
    worked = work(weighted_sum(13), given(sum_values(13), None), 3)
    assert lines(worked) == [
        "x1·w1 + x2·w1 + x3·w1 + … (9 more) + x13·w1 + b1",
        "(0.5)(0) + (0.5)(0.1) + (0.5)(0.2) + … (9 more) + (0.5)(1.2) + 0.25",
        "0.000 + 0.0500 + 0.100 + … (9 more) + 0.600 + 0.25",
        "4.150",
    ]
    assert worked.result.value == pytest.approx(0.5 * 7.8 + 0.25)
    assert worked.exact


def test_a_sum_of_as_many_terms_as_are_allowed_is_written_out() -> None:
    assert "more" not in lines(work(weighted_sum(12), given(sum_values(12)), 3))[0]
    assert "(2 more)" in lines(work(weighted_sum(6), given(sum_values(6)), 3, most_terms=5))[0]


def test_two_terms_beside_a_sum_of_the_most_are_written_out_and_three_are_not() -> None:
    def letters(terms: int) -> str:
        cells = s.Sum(tuple(s.Cell("X", 0, k) for k in range(terms)))
        return lines(work(cells, given({"X": [[0.5] * terms]}), 3, most_terms=5))[0]

    assert letters(7) == "x1 + x2 + x3 + x4 + x5 + x6 + x7"
    assert letters(8) == "x1 + x2 + x3 + … (4 more) + x8"


def test_a_long_maximum_is_cut_and_keeps_the_largest_of_what_is_cut() -> None:
    cells = m.row_maxima(m.Symbol("X", (1, 20)))
    values = {"X": [[0.0] * 9 + [5.0] + [0.0] * 10]}
    worked = work(lower(cells, 0, 0), given(values, None), 1)
    assert lines(worked) == [
        "max(x1, x2, x3, … (16 more), x20)",
        "max(0, 0, 0, … (16 more), 0)",
        "5.0",
    ]
    assert worked.exact


def test_fewer_terms_than_are_kept_are_not_cut() -> None:
    assert lines(work(weighted_sum(4), given(sum_values(4)), 3, most_terms=3))[0].count("…") == 0


def test_digits_that_give_the_shown_result_are_exact_and_others_are_not() -> None:
    product = s.Product((p, q))
    full = {"P": [[0.8556]], "Q": [[2.5]]}  # 2.139; by the digits shown 0.86·2.50 = 2.15
    assert not work(product, given(full, 2), 2).exact
    assert work(product, given(full, 4), 2).exact
    assert work(product, given({"P": [[0.35]], "Q": [[3.0]]}, 2), 1).exact


def test_a_small_term_shows_three_of_its_digits() -> None:
    squares = s.Sum((s.Power(p, 2), s.Power(q, 2)))
    assert lines(work(squares, given({"P": [[0.0123]], "Q": [[2.0]]}, 4), 2))[2] == "0.000151 + 4.00"


def test_where_the_shown_form_overflows_the_computed_one_is_worked() -> None:
    values = {"Z": [[1000.0, 0.0, 0.0]]}
    softplus = work(lower(activation("softplus"), 0, 0), given(values), 3)
    assert lines(softplus)[0] == "max(0, z1) + ln(1 + exp(−|z1|))"
    softmax = work(lower(activation("softmax"), 0, 0), given(values), 3)
    assert lines(softmax)[-2:] == ["1.000/1.000", "1.000"]


@pytest.mark.parametrize(
    ("name", "kind", "z"),
    [
        ("sigmoid", "value", -710.0),
        ("sigmoid", "value", -1000.0),
        ("softplus", "slope", -800.0),
        ("elu", "value", 710.0),
        ("softmax", "value", -1000.0),
    ],
)
def test_a_pre_activation_far_out_can_be_worked(name: str, kind: str, z: float) -> None:
    others = 1000.0 if name == "softmax" else 0.0
    worked = work(lower(activation(name, kind), 0, 0), given({"Z": [[z, others, 0.0]]}), 3)
    assert worked.result.value == (710.0 if name == "elu" else 0.0)


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy"])
@pytest.mark.parametrize("kind", ["value", "gradient"])
def test_an_output_that_is_shown_as_zero_can_be_worked(name: str, kind: str) -> None:
    matrix = m.Apply(getattr(LOSSES[name], kind), (("y", Y), ("a", A)))
    worked = work(lower(matrix, 0, 0), given({"Y": [[1.0, 0, 0]], "A": [[0.0004, 0.5, 0.5]]}), 3)
    assert worked.result.value == pytest.approx(7.824046010856292 if kind == "value" else -2500.0)
    assert not worked.exact


def test_a_rounded_cell_is_worked_to_its_rounding() -> None:
    worked = work(s.Round(minus(one, p), 2), given({"P": [[0.35]]}, None), 2)
    assert lines(worked) == ["round(1 − p1, 2)", "round(1 − 0.35, 2)", "round(0.650, 2)", "0.65"]
    assert worked.result.value == 0.65


def test_what_is_about_to_be_rounded_shows_which_way_it_goes() -> None:
    worked = work(s.Round(minus(one, p), 2), given({"P": [[0.3551]]}, None), 2)
    assert lines(worked) == ["round(1 − p1, 2)", "round(1 − 0.3551, 2)", "round(0.6449, 2)", "0.64"]


def test_a_variable_that_is_left_is_refused() -> None:
    with pytest.raises(NameError):
        work(s.Sum((u, p)), given({"P": [[1.0]]}), 3)
