import pytest

from tests.letters import (
    COLUMN,
    NUMBER,
    ROW,
    A,
    B,
    C,
    letter,
    minus,
    one,
    p,
    plus,
    q,
    r,
    times,
    two,
    u,
    v,
    value,
)
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.latex import matrix_latex
from tracer.expression.mathml import matrix_mathml
from tracer.expression.text import cell_text, matrix_text
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES

E = m.Symbol("E", (2, 2))
Y = m.Symbol("Y", (2, 2))


def loss(name: str, kind: str = "value") -> m.Matrix:
    return m.Apply(getattr(LOSSES[name], kind), (("y", Y), ("a", A)))


MATRICES: list[tuple[m.Matrix, str]] = [
    (m.add(m.MatMul(A, B), ROW), "A·B + row"),
    (m.MatMul(m.add(A, B), C), "(A + B)·C"),
    (m.MatMul(A, m.MatMul(B, C)), "A·(B·C)"),
    (m.MatMul(m.MatMul(A, B), C), "A·B·C"),
    (m.MatMul(m.Transpose(A), B), "Aᵀ·B"),
    (m.Transpose(m.MatMul(A, B)), "(A·B)ᵀ"),
    (m.multiply(A, B), "A ⊙ B"),
    (m.multiply(A, COLUMN), "A ⊙ column"),
    (m.multiply(NUMBER, A), "number·A"),
    (m.multiply(m.Constant(0.5), m.total(A)), "0.5·Σ A"),
    (m.multiply(m.Constant(-0.5), A), "(−0.5)·A"),
    (m.multiply(A, m.multiply(B, C)), "A ⊙ (B ⊙ C)"),
    (m.subtract(A, m.subtract(B, C)), "A − (B − C)"),
    (m.subtract(m.subtract(A, B), C), "A − B − C"),
    (m.subtract(A, m.multiply(NUMBER, B)), "A − number·B"),
    (m.divide(A, m.Constant(3.0)), "A/3"),
    (m.divide(m.add(A, B), m.multiply(A, B)), "(A + B)/(A ⊙ B)"),
    (m.column_sums(A), "Σ_rows A"),
    (m.row_sums(m.add(A, B)), "Σ_columns (A + B)"),
    (m.row_maxima(A), "max_columns A"),
    (m.total(A), "Σ A"),
    (m.Row(A, 1), "A[2]"),
    (m.Stack((m.Row(A, 0), m.Row(A, 1))), "[A[1]; A[2]]"),
    (m.Stack((ROW, ROW, ROW)), "[row; row; …]"),
    (m.Rounded(m.MatMul(A, B), 3), "round(A·B, 3)"),
    (m.subtract(m.Identity(2), A), "I − A"),
    (m.StableForm(A, B), "A"),
    (ACTIVATIONS["sigmoid"].apply(A, 0.0), "1/(1 + exp(−A))"),
    (ACTIVATIONS["tanh"].apply(m.add(A, B), 0.0), "tanh(A + B)"),
    (ACTIVATIONS["softplus"].apply(A, 0.0), "ln(1 + exp(A))"),
    (ACTIVATIONS["softmax"].apply(A, 0.0), "exp(A)/Σ_columns exp(A)"),
    (ACTIVATIONS["leaky_relu"].apply(A, 0.01), "(A where A > 0, else 0.01·A)"),
    (ACTIVATIONS["relu"].slopes(A, B, 0.0, 1), "(1 where A ≥ 0, else 0)"),
    (ACTIVATIONS["sigmoid"].slopes(A, B, 0.0, 0), "B ⊙ (1 − B)"),
    (ACTIVATIONS["tanh"].slopes(A, B, 0.0, 0), "1 − B²"),
    (m.total(loss("half_squared_error")), "Σ (Y − A)²"),
    (loss("squared_error", "gradient"), "2·(A − Y)"),
    (loss("cross_entropy", "gradient"), "−(Y/A)"),
    (loss("binary_cross_entropy", "gradient"), "(1 − Y)/(1 − A) − Y/A"),
]


@pytest.mark.parametrize(("matrix", "expected"), MATRICES)
def test_a_matrix_reads_in_letters(matrix: m.Matrix, expected: str) -> None:
    assert matrix_text(matrix) == expected


def test_identifiers_read_as_their_display_names() -> None:
    assert matrix_text(m.MatMul(A, B), {"A": "X", "B": "wh"}.__getitem__) == "X·wh"


def test_a_product_of_a_sum_does_not_read_as_the_sum_of_a_product() -> None:
    of_a_sum, of_a_product = m.MatMul(m.row_sums(A), ROW), m.row_sums(m.MatMul(A, B))
    assert matrix_text(of_a_sum) != matrix_text(of_a_product).replace("B", "row")


def test_a_fraction_of_numbers_times_a_matrix_is_no_cell_by_cell_product() -> None:
    gradient = s.substitute(LOSSES["mean_squared_error"].gradient, {"K": s.Number(3.0)})
    assert matrix_text(m.Apply(gradient, (("y", Y), ("a", A)))) == "2/3·(A − Y)"


CELLS: list[tuple[s.Scalar, str]] = [
    (plus(p, q, r), "p + q + r"),
    (minus(p, plus(q, r)), "p − (q + r)"),
    (minus(p, minus(q, r)), "p − (q − r)"),
    (plus(s.Negative(p), q), "−p + q"),
    (s.Negative(plus(p, q)), "−(p + q)"),
    (s.Negative(times(p, q)), "−(p·q)"),
    (minus(p, times(q, r)), "p − q·r"),
    (times(p, minus(one, p)), "p·(1 − p)"),
    (times(s.Negative(p), q), "(−p)·q"),
    (s.Quotient(p, times(q, r)), "p/(q·r)"),
    (s.Quotient(times(p, q), r), "p·q/r"),
    (times(p, s.Quotient(q, r)), "p·(q/r)"),
    (s.Power(s.Negative(p), 2), "(−p)²"),
    (s.Negative(s.Power(p, 2)), "−p²"),
    (s.Power(minus(p, q), 12), "(p − q)¹²"),
    (s.Power(s.Number(-2.0), 2), "(−2)²"),
    (s.Power(s.Power(p, 2), 3), "(p²)³"),
    (s.Absolute(s.Negative(p)), "|−p|"),
    (s.Maximum((s.Number(0.0), p)), "max(0, p)"),
    (s.Where(p, ">=", q, p, s.Negative(q)), "(p where p ≥ q, else −q)"),
    (s.Log(minus(one, p)), "ln(1 − p)"),
    (s.Round(plus(p, q), 2), "round(p + q, 2)"),
    (s.Stable(p, q), "p"),
    (s.Omitted(5, 1.0), "… (5 more)"),
    (s.Fold("sum", times(u, v), (("u", s.Block("P", 0, 0, 1, 2)), ("v", s.Block("Q", 0, 0, 1, 2)))),
     "p·q + p[1,2]·q[1,2]"),
    (s.Fold("max", u, (("u", s.Block("P", 0, 0, 2, 1)),)), "max(p, p[2,1])"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "expected"), CELLS)
def test_a_cell_reads_in_letters(cell: s.Scalar, expected: str) -> None:
    assert cell_text(cell, letter) == expected


NUMBERS: list[tuple[s.Scalar, str]] = [
    (plus(times(value(1.0), value(0.42)), times(value(0.0), value(0.1)), value(0.46)),
     "(1.000)(0.420) + (0.000)(0.100) + 0.460"),
    (times(value(-0.5), value(2.0)), "(−0.500)(2.000)"),
    (plus(value(0.5), value(-0.107)), "0.500 − 0.107"),
    (minus(value(0.5), value(-0.107)), "0.500 − (−0.107)"),
    (plus(value(-0.5), value(1.0)), "−0.500 + 1.000"),
    (s.Power(value(-0.378), 2), "(−0.378)²"),
    (s.Negative(value(-0.5)), "−(−0.500)"),
    (s.Exp(s.Negative(value(-0.5))), "exp(−(−0.500))"),
    (s.Raised(0.9, s.Sum((value(2.0), value(1.0)))), "0.9^(2.000 + 1.000)"),
    (times(two, value(-0.25, None)), "(2)(−0.25)"),
    (value(0.42, None), "0.42"),
    (value(3.0, None), "3"),
    (value(-0.0004), "0.000"),
    (value(1.05 - 2e-16, 1), "1.1"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "expected"), NUMBERS)
def test_numbers_put_in_read_as_by_hand(cell: s.Scalar, expected: str) -> None:
    assert cell_text(cell, letter) == expected


@pytest.mark.parametrize(
    ("rows", "columns", "says"),
    [
        ((0, 1, 2, 3), (0, 1, 2), "X[all]"),
        ((1,), (0, 1, 2), "X[row 2]"),
        ((0, 1), (0, 1, 2), "X[rows 1–2]"),
        ((0, 1, 2, 3), (2,), "X[column 3]"),
        ((3,), (0, 1), "X[row 4, columns 1–2]"),
        ((3, 0, 3), (0, 1, 2), "X[rows 4, 1, 4]"),
        ((0, 1, 2, 3), (None, 0, 1, 2, None), "X[columns –, 1, 2, 3, –]"),
    ],
)
def test_picked_rows_and_columns_are_counted_as_cells_are(
    rows: tuple[int | None, ...], columns: tuple[int | None, ...], says: str
) -> None:
    part = m.Part(m.Symbol("X", (4, 3)), rows, columns)
    assert matrix_text(part, str) == says
    assert says[2:-1] in matrix_latex(part, str)
    assert f"<mtext>{says[2:-1]}</mtext>" in matrix_mathml(part, str)
