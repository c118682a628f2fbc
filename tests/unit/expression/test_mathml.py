import xml.etree.ElementTree as ElementTree

import pytest

from tests.letters import NUMBER, ROW, A, B, C, minus, one, p, plus, q, r, times, two, value
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.mathml import cell_mathml, cell_mathml_terms, matrix_mathml
from tracer.problem.activations import ACTIVATIONS


def matrix_name(identifier: str) -> str:
    return f"<mi>{identifier}</mi>"


def cell_name(cell: s.Cell) -> str:
    return f"<mi>{cell.matrix.lower()}</mi>"


def spelled(markup: str) -> str:
    """The markup as one line: a fraction {above/below}, a script ^{…} or _{…}, the rest as it stands."""
    return _spell(ElementTree.fromstring(markup))


def _spell(element: ElementTree.Element) -> str:
    parts = [_spell(child) for child in element]
    match element.tag, parts:
        case "mfrac", [above, below]:
            return f"{{{above}/{below}}}"
        case "msup", [base, script]:
            return f"{base}^{{{script}}}"
        case (("msub" | "munder"), [base, script]):
            return f"{base}_{{{script}}}"
        case "mtable", rows:
            return "; ".join(rows)
        case "mtr", cells:
            return " if ".join(cells)
        case (("mrow" | "mtd"), _):
            return "".join(parts)
        case (("mi" | "mn" | "mo" | "mtext"), []):
            return element.text or ""
    raise AssertionError(f"{element.tag} with {len(parts)} children")


MATRICES: list[tuple[m.Matrix, str]] = [
    (m.add(m.MatMul(A, B), ROW), "A·B+row"),
    (m.MatMul(m.add(A, B), C), "(A+B)·C"),
    (m.MatMul(A, m.MatMul(B, C)), "A·(B·C)"),
    (m.MatMul(m.Transpose(A), B), "A^{T}·B"),
    (m.Transpose(m.add(A, B)), "(A+B)^{T}"),
    (m.multiply(A, B), "A⊙B"),
    (m.multiply(NUMBER, A), "number·A"),
    (m.multiply(m.Constant(-0.5), A), "(−0.5)·A"),
    (m.subtract(A, m.subtract(B, C)), "A−(B−C)"),
    (m.divide(m.add(A, B), m.Constant(3.0)), "{A+B/3}"),
    (m.multiply(m.divide(A, B), C), "{A/B}⊙C"),
    (m.column_sums(A), "∑_{rows}A"),
    (m.row_maxima(m.add(A, B)), "max_{columns}(A+B)"),
    (m.total(A), "∑A"),
    (m.Row(A, 1), "A_{2,:}"),
    (m.Stack((ROW, ROW, ROW)), "[row; row; ⋮]"),
    (m.Rounded(A, 3), "round_{3}(A)"),
    (m.subtract(m.Identity(2), A), "I−A"),
    (m.StableForm(A, B), "A"),
    (ACTIVATIONS["sigmoid"].apply(A, 0.0), "{1/1+e^{−A}}"),
    (ACTIVATIONS["softmax"].apply(A, 0.0), "{e^{A}/∑_{columns}e^{A}}"),
    (ACTIVATIONS["tanh"].apply(A, 0.0), "tanh(A)"),
    (ACTIVATIONS["softplus"].apply(A, 0.0), "ln(1+e^{A})"),
    (ACTIVATIONS["tanh"].slopes(A, B, 0.0, 0), "1−B^{2}"),
    (ACTIVATIONS["relu"].slopes(A, B, 0.0, 0), "{1 if A>0; 0 if else"),
    (ACTIVATIONS["relu"].slopes(A, B, 0.0, 1), "{1 if A≥0; 0 if else"),
]


@pytest.mark.parametrize(("matrix", "expected"), MATRICES)
def test_a_matrix_is_marked_up_in_letters(matrix: m.Matrix, expected: str) -> None:
    assert spelled(matrix_mathml(matrix, matrix_name)) == expected


CELLS: list[tuple[s.Scalar, str]] = [
    (minus(p, plus(q, r)), "p−(q+r)"),
    (s.Negative(times(p, q)), "−(p·q)"),
    (times(p, minus(one, p)), "p·(1−p)"),
    (s.Quotient(p, times(q, r)), "{p/q·r}"),
    (s.Power(s.Quotient(p, q), 2), "({p/q})^{2}"),
    (s.Power(s.Negative(p), 2), "(−p)^{2}"),
    (s.Negative(s.Power(value(2.0, None), 2)), "−2^{2}"),
    (s.Power(value(-2.0, None), 2), "(−2)^{2}"),
    (s.Power(s.Exp(p), 2), "(e^{p})^{2}"),
    (s.Exp(minus(p, q)), "e^{p−q}"),
    (s.Raised(0.9, minus(p, q)), "0.9^{p−q}"),
    (s.Absolute(p), "|p|"),
    (s.Maximum((s.Number(0.0), p)), "max(0,p)"),
    (s.Round(p, 2), "round_{2}(p)"),
    (s.Stable(p, q), "p"),
    (s.Omitted(5, 1.0), "⋯(5 more)"),
    (plus(times(value(1.0), value(-0.42)), value(0.46)), "(1.000)(−0.420)+0.460"),
    (plus(value(0.5), value(-0.107)), "0.500−0.107"),
    (minus(value(0.5), value(-0.107)), "0.500−(−0.107)"),
    (s.Quotient(value(-1.0), value(-2.0)), "{−1.000/−2.000}"),
    (times(two, value(0.25, None)), "(2)(0.25)"),
]


@pytest.mark.parametrize(("cell", "expected"), CELLS)
def test_a_cell_is_marked_up_with_letters_or_numbers(cell: s.Scalar, expected: str) -> None:
    assert spelled(cell_mathml(cell, cell_name)) == expected


TERMS: list[tuple[s.Scalar, list[str]]] = [
    (s.Round(plus(p, q, r), 2), ["round_{2}(p", "+q", "+r)"]),
    (s.Round(minus(p, q), 2), ["round_{2}(p", "−q)"]),
    (s.Round(s.Sum((p,)), 2), ["round_{2}(p)"]),
    (s.Round(p, 2), ["round_{2}(p)"]),
    (plus(p, s.Negative(q), r), ["p", "−q", "+r"]),
    (times(p, q), ["p·q"]),
    (times(p, plus(p, q, r)), ["p·(p", "+q", "+r)"]),
    (times(value(0.5, 1), plus(p, q, r)), ["(0.5)(p", "+q", "+r)"]),
    (times(p, plus(p, q)), ["p·(p+q)"]),  # short enough to stay together
    (s.Quotient(plus(p, q, r, p), two), ["{p+q+r+p/2}"]),
    (s.Quotient(plus(times(p, q), q, r, p), two), ["{1/2}·(p·q", "+q", "+r", "+p)"]),
]


@pytest.mark.parametrize(("cell", "expected"), TERMS)
def test_a_sum_comes_in_pieces_within_round_and_parentheses_too(cell: s.Scalar, expected: list[str]) -> None:
    """Lines are broken between the pieces, so that a bracket stands with the term that it belongs to."""
    assert [spelled(f"<mrow>{piece}</mrow>") for piece in cell_mathml_terms(cell, cell_name)] == expected


def test_a_minus_is_an_operator_and_the_number_is_a_number() -> None:
    assert cell_mathml(value(-0.5), cell_name) == "<mrow><mo>−</mo><mn>0.500</mn></mrow>"
    assert cell_mathml(value(0.5), cell_name) == "<mn>0.500</mn>"


def test_a_greater_sign_is_escaped() -> None:
    where = s.Where(p, ">", q, p, q)
    assert "<mo>&gt;</mo>" in cell_mathml(where, cell_name)
