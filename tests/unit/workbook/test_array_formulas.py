"""Which array formulas a matrix has; their text is tested with to_matrix_formula."""

import pytest

from tracer.expression.scalar import Block, Cell
from tracer.lesson.build import build
from tracer.presentation.board import lay_out
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.program.naming_policy import defined_names
from tracer.program.program import Program
from tracer.workbook import array_formulas as array_formulas_module
from tracer.workbook.addresses import SheetAddresses
from tracer.workbook.array_formulas import MatrixAddresses, array_formulas
from tracer.workbook.book import TOP


def article() -> Program:
    return build(load_problem("article"))


def classifier() -> Program:
    return build(load_problem("softmax-classifier"))


def changed(name: str, **changes: object) -> Program:
    problem = problem_from_document(load_problem(name).to_document() | changes, "changed", "changed")
    return build(problem, problem.rows)


def formulas(made: Program, identifier: str, named: bool = True, elsewhere: dict[str, str] | None = None) -> list[str]:
    expression = made.assignments[identifier].expression
    assert expression is not None
    names = defined_names((*made.assignments, "learning_rate")) if named else {}
    return array_formulas(expression, MatrixAddresses(lay_out(made), TOP, elsewhere or {}, names))


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("Z1", "MMULT(X_,W1_)+b1_"),
        ("L", "0.5*SUM((Y_-A2_)^2)"),
        ("W2_next", "W2_+learning_rate*dW2_"),
        ("db1", "MMULT({1,1,1},D1_)"),
    ],
)
def test_a_matrix_goes_by_its_name_where_the_names_are_of_this_pass(identifier: str, expected: str) -> None:
    assert formulas(article(), identifier) == [expected]


def test_a_matrix_goes_by_its_range_where_they_are_not() -> None:
    at = SheetAddresses(lay_out(article()))
    X, W, b = at.block(Block("X", 0, 0, 3, 4)), at.block(Block("W1", 0, 0, 4, 3)), at.block(Block("b1", 0, 0, 1, 3))
    assert formulas(article(), "Z1", named=False) == [f"MMULT({X},{W})+{b}"]
    single = [at.cell(Cell(each, 0, 0)) for each in ("b2", "learning_rate", "db2")]
    assert formulas(article(), "b2_next", named=False) == ["{}+{}*{}".format(*single)]


@pytest.mark.parametrize("identifier", ["A2", "D2"])
def test_a_softmax_has_a_formula_for_each_sample(identifier: str) -> None:
    found = formulas(classifier(), identifier)
    assert len(found) == len(set(found)) == classifier().assignments[identifier].shape[0] == 5


def test_a_row_of_a_large_matrix_lies_on_the_sheet_where_it_stands_in_full() -> None:
    row = SheetAddresses(lay_out(classifier())).block(Block("A2", 0, 0, 1, 3))
    (found,) = formulas(classifier(), "J1", elsewhere={"A2": "Step 4"})
    assert found == f"TRANSPOSE('Step 4'!{row})*({{1,0,0;0,1,0;0,0,1}}-'Step 4'!{row})"


def test_a_fused_loss_of_several_samples_has_none() -> None:
    assert formulas(changed("softmax-classifier", convention={"softmax_slope": "fused"}), "L") == []


def test_a_formula_longer_than_a_cell_takes_is_none() -> None:
    """The column sums of 5,000 samples are a row of as many ones; of 4,000 they still have a formula."""
    for rows, count in ((4000, 1), (5000, 0)):
        data = {"X": [[0.5, 0.5]] * rows, "Y": [[1.0]] * rows}
        layers = [{"activation": "tanh", "weights": [[0.1, 0.2]] * 2, "bias": [0.1, 0.2]}, *_layer(2, 1)]
        assert len(formulas(changed("article", data=data, layers=layers, names={}), "db1")) == count


def test_a_matrix_too_wide_for_one_formula_has_one_for_each_row() -> None:
    """The identity of 80 outputs alone takes 12,800 characters."""
    data = {"X": [[0.5]], "Y": [[1.0] + [0.0] * 79]}
    layers = [{"activation": "softmax", "weights": [[0.01] * 80], "bias": [0.1] * 80}]
    found = formulas(changed("softmax-classifier", data=data, layers=layers, batch_size=1), "J1")
    assert len(found) == 80 and max(map(len, found)) < 400


def test_a_formula_may_be_as_long_as_a_cell_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = formulas(article(), "Z1")
    monkeypatch.setattr(array_formulas_module, "MOST_FORMULA", len(whole))
    assert formulas(article(), "Z1") == [whole]
    monkeypatch.setattr(array_formulas_module, "MOST_FORMULA", len(whole) - 1)
    assert formulas(article(), "Z1") == []


def _layer(inputs: int, units: int) -> list[dict[str, object]]:
    return [{"activation": "sigmoid", "weights": [[0.1] * units] * inputs, "bias": [0.1] * units}]
