import pytest
from hypothesis import given

from tests.agreement import assert_agrees, sizes
from tests.letters import COLUMN, NUMBER, ROW, A, B, C, minus, one, u, v, zero
from tests.sheets import Grid
from tests.strategies import EXPRESSION_SIZES, Made, expressions
from tracer.errors import ExportError
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.evaluate import evaluate
from tracer.expression.matrix_formula import row_of, to_matrix_formula
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES


class Names(Grid):
    """Whole matrices by name, parts by their addresses: A lies in A1:B2."""

    def __init__(self) -> None:
        shapes = {each.name: each.shape for each in (A, B, C, ROW, COLUMN, NUMBER)}
        self.shapes = shapes
        super().__init__(shapes)

    def block(self, block: s.Block) -> str:
        whole = (block.rows, block.columns) == self.shapes[block.matrix]
        return f"{block.matrix}_" if whole else super().block(block)


def rule(template: s.Scalar, *arguments: m.Matrix) -> m.Apply:
    return m.Apply(template, tuple(zip("uv", arguments, strict=False)))


def loss(name: str, kind: str = "value") -> m.Matrix:
    return m.Apply(getattr(LOSSES[name], kind), (("y", B), ("a", A)))


SOFTMAX = ACTIVATIONS["softmax"].apply
MATRICES: list[tuple[m.Matrix, str]] = [
    (A, "A_"),
    (m.Constant(-2.0), "-2"),
    (m.add(m.MatMul(A, B), ROW), "MMULT(A_,B_)+row_"),
    (m.MatMul(m.Transpose(A), m.add(B, C)), "MMULT(TRANSPOSE(A_),B_+C_)"),
    (m.Transpose(m.Row(A, 1)), "TRANSPOSE(A2:B2)"),
    (m.Row(m.Transpose(A), 1), "TRANSPOSE(B1:B2)"),
    (m.Row(ROW, 0), "row_"),
    (m.Row(m.add(A, B), 1), "MMULT({0,1},A_+B_)"),
    (m.Row(m.Identity(3), 1), "{0,1,0}"),
    (m.subtract(A, m.subtract(B, C)), "A_-(B_-C_)"),
    (m.subtract(A, m.multiply(NUMBER, B)), "A_-number_*B_"),
    (m.multiply(m.add(A, B), COLUMN), "(A_+B_)*column_"),
    (m.multiply(A, m.Constant(-2.0)), "A_*(-2)"),
    (m.divide(A, m.multiply(B, C)), "A_/(B_*C_)"),
    (m.divide(m.total(A), m.Constant(3.0)), "SUM(A_)/3"),
    (m.column_sums(A), "MMULT({1,1},A_)"),
    (m.column_sums(ROW), "row_"),
    (m.column_sums(COLUMN), "SUM(column_)"),
    (m.row_sums(m.add(A, B)), "MMULT(A_+B_,{1;1})"),
    (m.row_sums(COLUMN), "column_"),
    (m.row_maxima(ROW), "MAX(row_)"),
    (m.row_maxima(COLUMN), "column_"),
    (m.Rounded(m.MatMul(A, B), 3), "ROUND(ROUND(MMULT(A_,B_),12),3)"),
    (m.Stack((ROW,)), "row_"),
    (m.StableForm(A, B), "B_"),
    (m.multiply(m.Transpose(ROW), m.subtract(m.Identity(2), ROW)), "TRANSPOSE(row_)*({1,0;0,1}-row_)"),
    (rule(s.Negative(s.Power(u, 2)), A), "-(A_^2)"),  # =-A_^2 is (−A)² in a spreadsheet
    (rule(s.Power(minus(u, v), 2), A, m.add(B, C)), "(A_-(B_+C_))^2"),
    (rule(s.Exp(u), m.MatMul(A, B)), "EXP(IF(MMULT(A_,B_)>709,709,MMULT(A_,B_)))"),
    (rule(s.Maximum((zero, u)), A), "IF(A_>0,A_,0)"),
    (rule(s.Maximum((u, v, one)), A, B), "IF(IF(A_>B_,A_,B_)>1,IF(A_>B_,A_,B_),1)"),
    (rule(one, A), "1+0*A_"),  # a bare 1 would fill one cell of Google Sheets
    (rule(s.Product((u, one)), ROW, A), "row_*1+0*A_"),
    (ACTIVATIONS["sigmoid"].apply(A, 0.0), "1/(1+EXP(IF(-A_>709,709,-A_)))"),
    (ACTIVATIONS["leaky_relu"].apply(A, 0.25), "IF(A_>0,A_,0.25*A_)"),
    (ACTIVATIONS["softplus"].apply(A, 0.0), "IF(A_>0,A_,0)+LN(1+EXP(-ABS(A_)))"),
    (ACTIVATIONS["linear"].slopes(A, B, 0.0, 0), "1+0*A_"),
    (SOFTMAX(ROW, 0.0), "EXP(row_-MAX(row_))/SUM(EXP(row_-MAX(row_)))"),
    (row_of(SOFTMAX(A, 0.0), 1), "EXP(A2:B2-MAX(A2:B2))/SUM(EXP(A2:B2-MAX(A2:B2)))"),
    (m.total(loss("half_squared_error")), "SUM((B_-A_)^2)"),
    (loss("cross_entropy", "gradient"), "-(B_/A_)"),
]  # fmt: skip


@pytest.mark.parametrize(("matrix", "expected"), MATRICES)
def test_a_matrix_is_one_array_formula(matrix: m.Matrix, expected: str) -> None:
    assert to_matrix_formula(matrix, Names()) == expected


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        (SOFTMAX(A, 0.0), "the maxima over the columns of A"),
        (m.Reduce("max", A, "rows"), "the maxima over the rows of A"),
        (m.multiply(NUMBER, m.Stack((ROW, ROW))), "every row is made in its own way"),
    ],
)
def test_what_has_no_array_formula_is_refused(matrix: m.Matrix, says: str) -> None:
    with pytest.raises(ExportError, match=says):
        to_matrix_formula(matrix, Names())


@given(made=expressions())
def test_a_row_of_an_expression_is_that_row_of_its_value(made: Made) -> None:
    whole = evaluate(made.expression, made.values)
    largest = sizes(made.expression, made.values, EXPRESSION_SIZES)
    for index in range(len(whole)):
        row = row_of(made.expression, index)
        assert row.shape == (1, whole.shape[1])
        expected, size = whole[index : index + 1], largest[index : index + 1]
        assert_agrees(evaluate(row, made.values), expected, size, row)
