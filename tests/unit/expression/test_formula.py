import pytest

from tests.letters import minus, one, p, plus, q, r, times, two, u, v, value, zero
from tests.sheets import Grid
from tracer.errors import ExportError
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.formula import literal, to_formula
from tracer.expression.lower import lower
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.losses import LOSSES

LONGEST_IN_EXCEL = 8192
ADDRESSES = Grid({"P": (1, 1), "Q": (1, 1), "R": (1, 1)})  # A1, A2, A3
CELLS: list[tuple[s.Scalar, str]] = [
    (p, "A1"),
    (s.Negative(s.Power(p, 2)), "-(A1^2)"),  # =-A1^2 is (−A1)² in a spreadsheet
    (s.Power(s.Negative(p), 2), "(-A1)^2"),
    (s.Power(s.Number(-2.0), 2), "(-2)^2"),
    (s.Power(s.Power(p, 2), 3), "(A1^2)^3"),
    (s.Power(s.Exp(p, bounded=True), 2), "EXP(A1)^2"),
    (minus(one, s.Power(p, 2)), "1-A1^2"),
    (s.Negative(times(p, q)), "-(A1*A2)"),
    (s.Negative(plus(p, q)), "-(A1+A2)"),
    (s.Negative(s.Negative(p)), "-(-A1)"),
    (minus(p, minus(q, r)), "A1-(A2-A3)"),
    (minus(p, times(q, r)), "A1-A2*A3"),
    (minus(p, s.Negative(q)), "A1-(-A2)"),
    (plus(p, s.Number(-2.0)), "A1+(-2)"),
    (plus(s.Number(-2.0), p), "-2+A1"),
    (plus(p, plus(q, r)), "A1+(A2+A3)"),
    (times(p, minus(one, p)), "A1*(1-A1)"),
    (times(p, s.Negative(q)), "A1*(-A2)"),
    (times(p, s.Number(-2.0)), "A1*(-2)"),
    (s.Quotient(p, s.Quotient(q, r)), "A1/(A2/A3)"),
    (s.Quotient(p, times(q, r)), "A1/(A2*A3)"),
    (s.Quotient(p, s.Number(-2.0)), "A1/(-2)"),
    (s.Quotient(times(p, q), s.Power(r, 2)), "A1*A2/A3^2"),
    (s.Quotient(plus(p, q), minus(one, r)), "(A1+A2)/(1-A3)"),
    (s.Exp(p), "EXP(MIN(709,A1))"),
    (s.Raised(0.9, p), "0.9^A1"),
    (minus(one, s.Raised(0.999, plus(p, one))), "1-0.999^(A1+1)"),
    (s.Exp(s.Negative(p), bounded=True), "EXP(-A1)"),
    (s.Log(minus(one, p)), "LN(1-A1)"),
    (s.Tanh(plus(p, q)), "TANH(A1+A2)"),
    (s.Absolute(p), "ABS(A1)"),
    (s.Maximum((zero, p)), "MAX(0,A1)"),
    (s.Round(p, 3), "ROUND(ROUND(A1,12),3)"),
    (s.Where(p, ">", zero, one, s.Number(-0.5)), "IF(A1>0,1,-0.5)"),
    (s.Where(minus(p, q), ">=", r, p, plus(p, q)), "IF(A1-A2>=A3,A1,A1+A2)"),
    (s.Where(p, "=", q, p, q), "IF(A1=A2,A1,A2)"),
    (s.Stable(p, q), "A2"),
    (value(-0.25), "-0.25"),
    (times(two, value(0.123456789)), "2*0.123456789"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "expected"), CELLS)
def test_a_formula_has_the_precedence_of_a_spreadsheet(cell: s.Scalar, expected: str) -> None:
    assert to_formula(cell, ADDRESSES) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (2.0, "2"),
        (-2.0, "-2"),
        (0.0, "0"),
        (0.1, "0.1"),
        (1e-05, "1E-05"),
        (-2.5e300, "-2.5E+300"),
        (1e14, "100000000000000"),
        (1e15, "1000000000000000.0"),
        (1e16, "1E+16"),
        (0.1 + 0.2, "0.30000000000000004"),
    ],
)
def test_a_literal_comes_back_as_the_same_float(number: float, expected: str) -> None:
    assert literal(number) == expected
    assert float(literal(number)) == number


def first_cell(matrix: m.Matrix) -> str:
    """The formula of the first cell, its symbols one under the other in column A onwards."""
    shapes = {symbol.name: symbol.shape for symbol in traversal.symbols(matrix)}
    return to_formula(lower(matrix, 0, 0), Grid(shapes))


def product(inner: int) -> m.Matrix:
    return m.MatMul(m.Symbol("P", (1, inner)), m.Symbol("Q", (inner, 1)))


X, Y = m.Symbol("X", (9, 2)), m.Symbol("Y", (9, 2))
LONG: list[tuple[m.Matrix, str]] = [
    (product(1), "A1*A2"),
    (product(3), "A1*A2+B1*A3+C1*A4"),
    (product(8), "A1*A2+B1*A3+C1*A4+D1*A5+E1*A6+F1*A7+G1*A8+H1*A9"),
    (product(9), "SUMPRODUCT(MMULT(A1:I1,A2:A10))"),
    (m.add(product(9), m.Symbol("b", (1, 1))), "SUMPRODUCT(MMULT(A1:I1,A2:A10))+A11"),
    (m.MatMul(m.Transpose(X), Y), "SUMPRODUCT(A1:A9,A10:A18)"),
    (m.MatMul(m.Symbol("D", (1, 9)), m.Transpose(m.Symbol("W", (1, 9)))), "SUMPRODUCT(A1:I1,A2:I2)"),
    (m.column_sums(m.Symbol("D", (2, 1))), "A1+A2"),
    (m.column_sums(X), "SUM(A1:A9)"),
    (m.total(X), "SUM(A1:B9)"),
    (m.row_sums(X), "A1+B1"),
    (m.row_maxima(X), "MAX(A1:B1)"),
    (m.row_maxima(m.Symbol("Z", (1, 1))), "A1"),
    (m.Reduce("max", X, "all"), "MAX(A1:B9)"),
]


@pytest.mark.parametrize(("matrix", "expected"), LONG)
def test_short_sums_are_written_out_and_long_ones_take_ranges(matrix: m.Matrix, expected: str) -> None:
    assert first_cell(matrix) == expected


def rule_over(count: int, template: s.Scalar, *names: str) -> m.Matrix:
    pairs = zip(names, ("P", "Q"), strict=False)
    return m.total(m.Apply(template, tuple((name, m.Symbol(matrix, (count, 1))) for name, matrix in pairs)))


def test_a_rule_is_written_out_up_to_a_hundred_terms() -> None:
    template = LOSSES["half_squared_error"].value
    assert first_cell(rule_over(2, template, "y", "a")) == "(A1-A3)^2+(A2-A4)^2"
    assert first_cell(rule_over(100, template, "y", "a")).count("^2") == 100
    assert first_cell(rule_over(101, template, "y", "a")) == "SUMPRODUCT((A1:A101-A102:A202)^2)"


def test_a_maximum_with_zero_over_ranges_is_written_without_max() -> None:
    template = s.Maximum((zero, u))
    assert first_cell(rule_over(101, template, "u")) == "SUMPRODUCT((A1:A101+ABS(A1:A101))/2)"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (s.Maximum((one, u)), "a maximum within a long sum"),
        (s.Maximum((u, v, zero)), "a maximum within a long sum"),
    ],
)
def test_a_long_sum_that_no_formula_expresses_is_refused(template: s.Scalar, says: str) -> None:
    with pytest.raises(ExportError, match=says):
        first_cell(rule_over(101, template, *sorted(s.variables(template))))


def test_a_long_sum_over_a_row_and_a_column_at_once_is_refused() -> None:
    row, column = m.Symbol("P", (1, 101)), m.Transpose(m.Symbol("Q", (101, 1)))
    with pytest.raises(ExportError, match="rows and columns at once"):
        first_cell(m.total(m.Apply(s.Quotient(u, plus(one, v)), (("u", row), ("v", column)))))


def test_a_variable_without_an_address_is_refused() -> None:
    with pytest.raises(ExportError, match="variable u has no address"):
        to_formula(plus(u, one), ADDRESSES)


BENT = "TANH(0.7978845608028654*(A1+0.044715*A1^3))"
ACTIVATION_FORMULAS = {
    "sigmoid": ("1/(1+EXP(MIN(709,-A1)))", "B1*(1-B1)"),
    "tanh": ("TANH(A1)", "1-B1^2"),
    "relu": ("MAX(0,A1)", "IF(A1>0,1,0)"),
    "leaky_relu": ("IF(A1>0,A1,0.01*A1)", "IF(A1>0,1,0.01)"),
    "elu": ("IF(A1>0,A1,EXP(A1)-1)", "IF(A1>0,1,EXP(A1))"),
    "softplus": ("MAX(0,A1)+LN(1+EXP(-ABS(A1)))", "1/(1+EXP(MIN(709,-A1)))"),
    "gelu": (f"0.5*A1*(1+{BENT})", f"0.5*(1+{BENT})+0.3989422804014327*A1*(1-{BENT}^2)*(1+0.134145*A1^2)"),
    "gelu_erf": ("A1*NORMSDIST(A1)", "NORMSDIST(A1)+0.3989422804014327*A1*EXP((-0.5)*A1^2)"),
    "silu": ("A1/(1+EXP(MIN(709,-A1)))", "1/(1+EXP(MIN(709,-A1)))+B1*(1-1/(1+EXP(MIN(709,-A1))))"),
    "softsign": ("A1/(1+ABS(A1))", "(1-ABS(B1))^2"),
    "arctan": ("ATAN(A1)", "1/(1+A1^2)"),
    "linear": ("A1", "1"),
    "softmax": ("EXP(A1-A1)/EXP(A1-A1)", "B1*(1-B1)"),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_each_activation_and_slope_has_a_formula_that_cannot_overflow(name: str) -> None:
    Z, A = m.Symbol("Z", (1, 1)), m.Symbol("A", (1, 1))
    grid = Grid({"Z": (1, 1)})
    grid.corners["A"] = (1, 2)
    activation = ACTIVATIONS[name]
    rules = (activation.apply(Z, 0.01), activation.slopes(Z, A, 0.01, 0))
    assert tuple(to_formula(lower(rule, 0, 0), grid) for rule in rules) == ACTIVATION_FORMULAS[name]


@pytest.mark.parametrize("name", ["half_squared_error", "cross_entropy", "binary_cross_entropy"])
@pytest.mark.parametrize("rows", [1, 20, 33, 34, 200])
def test_the_formula_of_a_loss_is_no_longer_than_excel_takes(name: str, rows: int) -> None:
    Y, A = (m.Symbol(key, (rows, 3)) for key in "YA")
    matrix = m.total(m.Apply(LOSSES[name].value, (("y", Y), ("a", A))))
    assert len(first_cell(matrix)) < LONGEST_IN_EXCEL


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("binary_cross_entropy", 200),
        ("cross_entropy", 10),
        ("cross_entropy", 40),
    ],
)
def test_the_formula_of_a_fused_loss_is_no_longer_than_excel_takes(name: str, rows: int) -> None:
    Y, A, Z = (m.Symbol(key, (rows, 3)) for key in "YAZ")
    fused = LOSSES[name].fused_total
    assert fused is not None
    assert len(first_cell(fused(Y, A, Z))) < LONGEST_IN_EXCEL
