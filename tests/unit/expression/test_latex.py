import pytest

from tests.latex import spelled, typeset
from tests.letters import ROW, A, B, C, minus, p, q, times, value
from tests.unit.expression.test_mathml import CELLS, MATRICES
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.label import Label, label_latex
from tracer.expression.latex import cell_latex, matrix_latex


def cell_name(cell: s.Cell) -> str:
    return cell.matrix.lower()


@pytest.mark.parametrize(("matrix", "expected"), MATRICES)
def test_a_matrix_says_what_its_mathml_says(matrix: m.Matrix, expected: str) -> None:
    latex = matrix_latex(matrix, str)
    assert spelled(latex) == expected
    typeset(latex)


@pytest.mark.parametrize(("cell", "expected"), CELLS)
def test_a_cell_says_what_its_mathml_says(cell: s.Scalar, expected: str) -> None:
    latex = cell_latex(cell, cell_name)
    assert spelled(latex) == expected
    typeset(latex)


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (matrix_latex(m.add(m.MatMul(A, B), ROW), lambda name: label_latex(Label(name))), r"A \cdot B + \mathrm{row}"),
        (matrix_latex(m.MatMul(m.Transpose(A), m.add(B, C)), str), r"{A}^{\mathsf{T}} \cdot \left(B + C\right)"),
        (matrix_latex(m.column_sums(A), str), r"\sum_{\mathrm{rows}} A"),
        (cell_latex(times(value(-0.42), value(1.0, None)), cell_name), r"\left(-0.420\right)\left(1\right)"),
        (cell_latex(s.Raised(0.9, minus(p, q)), cell_name), r"0.9^{p - q}"),
        (cell_latex(s.Quotient(p, s.Exp(minus(p, q))), cell_name), r"\frac{p}{e^{p - q}}"),
        (
            cell_latex(s.Where(p, ">=", q, p, q), cell_name),
            r"\begin{cases} p & p \geq q \\ q & \text{else} \end{cases}",
        ),
        (cell_latex(value(-2.5e300), cell_name), r"-2.500 \times 10^{300}"),
        (cell_latex(s.Power(value(2e-7, None), 2), cell_name), r"{\left(2 \times 10^{-7}\right)}^{2}"),
        (cell_latex(value(float("-inf")), cell_name), r"-\infty"),
    ],
)
def test_the_commands(latex: str, expected: str) -> None:
    assert latex == expected
    typeset(latex)


def test_an_index_and_a_power_do_not_meet() -> None:
    """Two superscripts on one letter are an error in LaTeX."""
    updated = m.Symbol("W1_next", (2, 2))
    latex = matrix_latex(m.Transpose(updated), lambda name: label_latex(Label(name)))
    assert latex == r"{W_{1}^{\mathrm{next}}}^{\mathsf{T}}"
    typeset(latex)


def test_what_is_left_open_is_seen() -> None:
    """The reader of these tests can fail."""
    for wrong in (r"\frac{a}{b", r"a}", r"\begin{cases} a & b", r"\unknown"):
        with pytest.raises((AssertionError, KeyError, StopIteration, RuntimeError)):
            spelled(wrong)
    with pytest.raises(ValueError, match="Unknown symbol"):
        typeset(r"\unknown")
