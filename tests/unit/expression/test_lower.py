import pytest

from tests.letters import NUMBER, ROW, A, B, minus, one, p, plus, q, r, times, two, u, v, zero
from tracer.errors import ShapeError
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression.lower import lower, precedents, view
from tracer.expression.scalar import Block, Cell, Fold, Sum, substitute, variables
from tracer.expression.text import cell_text
from tracer.problem.activations import ACTIVATIONS

X = m.Symbol("X", (3, 4))
W = m.Symbol("W", (4, 2))
b = m.Symbol("b", (1, 2))
shared = m.Symbol("c", (1, 1))
D = m.Symbol("D", (3, 2))
PRODUCT = times(u, v)


def named(cell: Cell) -> str:
    return f"{cell.matrix}{cell.row + 1}{cell.column + 1}"


def read(matrix: m.Matrix, row: int, column: int) -> str:
    """The cell at (row, column), counted from 1, in letters."""
    return cell_text(lower(matrix, row - 1, column - 1), named)


READINGS: list[tuple[m.Matrix, tuple[int, int], str]] = [
    (X, (2, 3), "X23"),
    (m.Constant(0.5), (1, 1), "0.5"),
    (m.Identity(3), (2, 2), "1"),
    (m.Identity(3), (2, 3), "0"),
    (m.Transpose(X), (4, 3), "X34"),
    (m.MatMul(X, W), (3, 2), "X31·W12 + X32·W22 + X33·W32 + X34·W42"),
    (m.add(m.MatMul(X, W), b), (1, 2), "X11·W12 + X12·W22 + X13·W32 + X14·W42 + b12"),
    (m.add(m.MatMul(X, W), shared), (1, 2), "X11·W12 + X12·W22 + X13·W32 + X14·W42 + c11"),
    (m.MatMul(D, m.Transpose(W)), (2, 3), "D21·W31 + D22·W32"),
    (m.MatMul(m.Transpose(X), D), (4, 1), "X14·D11 + X24·D21 + X34·D31"),
    (m.MatMul(m.Row(D, 1), m.Symbol("J2", (2, 2))), (1, 2), "D21·J212 + D22·J222"),
    (m.column_sums(D), (1, 2), "D12 + D22 + D32"),
    (m.row_sums(D), (3, 1), "D31 + D32"),
    (m.total(m.Row(D, 2)), (1, 1), "D31 + D32"),
    (m.row_maxima(D), (2, 1), "max(D21, D22)"),
    (m.multiply(NUMBER, D), (3, 1), "number11·D31"),
    (m.multiply(m.multiply(A, B), A), (1, 1), "A11·B11·A11"),
    (m.subtract(A, m.subtract(A, B)), (1, 1), "A11 + B11 − A11"),  # −(a − b) is b − a
    (m.subtract(A, m.add(A, B)), (2, 1), "A21 − B21 − A21"),
    (m.subtract(m.Identity(2), A), (1, 2), "−A12"),  # 0 − a is −a
    (m.subtract(m.Identity(2), A), (1, 1), "1 − A11"),
    (m.add(A, m.Constant(0.0)), (1, 1), "A11"),
    (m.add(m.Constant(0.0), m.Constant(0.0)), (1, 1), "0"),
    (m.divide(A, m.Constant(3.0)), (2, 2), "A22/3"),
    (m.Stack((m.Row(A, 1), ROW)), (1, 2), "A22"),
    (m.Stack((m.Row(A, 1), ROW)), (2, 1), "row11"),
    (m.Rounded(m.add(A, B), 2), (1, 1), "round(A11 + B11, 2)"),
    (ACTIVATIONS["sigmoid"].apply(D, 0.0), (3, 2), "1/(1 + exp(−D32))"),
    (ACTIVATIONS["softmax"].apply(D, 0.0), (3, 2), "exp(D32)/(exp(D31) + exp(D32))"),
    (m.Apply(times(u, v), (("u", D), ("v", b))), (3, 2), "D32·b12"),
    (m.total(m.Apply(s.Power(minus(u, v), 2), (("u", A), ("v", B)))), (1, 1),
     "(A11 − B11)² + (A12 − B12)² + (A21 − B21)² + (A22 − B22)²"),
    (m.row_sums(m.MatMul(A, B)), (1, 1), "A11·B11 + A12·B21 + (A11·B12 + A12·B22)"),
]  # fmt: skip


@pytest.mark.parametrize(("matrix", "place", "expected"), READINGS)
def test_a_cell_is_made_of_the_cells_that_make_it_by_hand(
    matrix: m.Matrix, place: tuple[int, int], expected: str
) -> None:
    assert read(matrix, *place) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (minus(p, q), minus(q, p)),
        (s.Negative(p), p),
        (p, s.Negative(p)),
        (s.Number(2.0), s.Number(-2.0)),
        (plus(p, q), Sum((s.Negative(q), s.Negative(p)))),
        (times(two, minus(p, q)), times(two, minus(q, p))),
        (times(p, q), s.Negative(times(p, q))),
        (s.Quotient(p, q), s.Negative(s.Quotient(p, q))),
    ],
)
def test_the_opposite_is_written_as_by_hand(expression: s.Scalar, expected: s.Scalar) -> None:
    assert s.negative(expression) == expected


PRECEDENTS: list[tuple[m.Matrix, tuple[int, int], str]] = [
    (m.add(m.MatMul(X, W), b), (3, 1), "X31 W11 X32 W21 X33 W31 X34 W41 b11"),
    (m.column_sums(D), (1, 1), "D11 D21 D31"),
    (m.multiply(A, A), (1, 2), "A12"),
    (m.StableForm(A, B), (1, 1), "B11"),
    (ACTIVATIONS["softmax"].apply(D, 0.0), (2, 1), "D21 D22"),
    (ACTIVATIONS["relu"].slopes(A, B, 0.0, 0), (1, 1), "A11"),
    (ACTIVATIONS["sigmoid"].slopes(A, B, 0.0, 0), (1, 1), "B11"),
    (ACTIVATIONS["linear"].slopes(A, B, 0.0, 0), (1, 1), ""),
    (m.multiply(m.Transpose(m.Row(A, 0)), m.subtract(m.Identity(2), m.Row(A, 0))), (2, 1), "A12 A11"),
]


@pytest.mark.parametrize(("matrix", "place", "expected"), PRECEDENTS)
def test_precedents_are_the_cells_that_the_value_is_computed_from(
    matrix: m.Matrix, place: tuple[int, int], expected: str
) -> None:
    found = precedents(lower(matrix, place[0] - 1, place[1] - 1))
    assert sorted(map(named, found)) == sorted(expected.split())


def test_precedents_come_in_reading_order_each_once() -> None:
    assert precedents(plus(q, p, times(q, r))) == (q, p, r)


@pytest.mark.parametrize("place", [(3, 0), (0, 2), (-1, 0), (0, -1)])
def test_a_cell_outside_the_matrix_is_refused_with_its_place(place: tuple[int, int]) -> None:
    with pytest.raises(ShapeError, match=rf"D \(3×2\) has no cell \({place[0] + 1}, {place[1] + 1}\)"):
        lower(D, *place)


def test_a_matrix_product_stays_as_small_as_one_term() -> None:
    cell = lower(m.MatMul(m.Symbol("P", (2, 500)), m.Symbol("Q", (500, 3))), 1, 2)
    assert cell == Fold("sum", PRODUCT, (("u", Block("P", 1, 0, 1, 500)), ("v", Block("Q", 0, 2, 500, 1, True))))
    assert isinstance(cell, Fold) and cell.count == 500


VIEWS: list[tuple[m.Matrix, Block | None]] = [
    (X, Block("X", 0, 0, 3, 4)),
    (m.Transpose(X), Block("X", 0, 0, 3, 4, transposed=True)),
    (m.Transpose(m.Transpose(X)), Block("X", 0, 0, 3, 4)),
    (m.Row(X, 2), Block("X", 2, 0, 1, 4)),
    (m.Row(m.Transpose(X), 1), Block("X", 0, 1, 3, 1, transposed=True)),
    (m.Transpose(m.Row(X, 1)), Block("X", 1, 0, 1, 4, transposed=True)),
    (m.add(A, B), None),
    (m.Stack((ROW, ROW)), None),
]


@pytest.mark.parametrize(("matrix", "expected"), VIEWS)
def test_a_view_is_a_block_of_cells_and_a_computation_is_none(matrix: m.Matrix, expected: Block | None) -> None:
    assert view(matrix) == expected
    if expected is not None:
        assert expected.shape == matrix.shape


def test_a_part_of_a_transposed_block_is_counted_as_read() -> None:
    block = Block("X", 0, 0, 3, 4, transposed=True)
    assert block.part(1, 0, 1, 3) == Block("X", 0, 1, 3, 1, transposed=True)
    assert [named(cell) for cell in block.part(1, 0, 1, 3).cells()] == ["X12", "X22", "X32"]


def test_a_fold_keeps_its_own_variables_when_others_are_filled() -> None:
    fold = Fold("sum", times(u, v), (("u", Block("P", 0, 0, 1, 2)),))
    filled = substitute(fold, {"u": one, "v": two})
    assert variables(fold) == {"v"}
    assert cell_text(filled, named) == "P11·2 + P12·2"
    assert variables(times(u, zero)) == {"u"}
