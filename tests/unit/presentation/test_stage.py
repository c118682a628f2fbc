"""How the matrices of a formula stand on the stage follows from its expression alone."""

import pytest

from tests.programs import SAMPLES
from tracer.expression import matrix as m
from tracer.lesson.build import build
from tracer.presentation.stage import InARow, MadeOf, Operand, Products, Stage, SumOf, stage_document, stage_of
from tracer.problem.program_problem import program_from_document
from tracer.problem.reading import load_problem

A, B, C = (m.Symbol(name, (2, 2)) for name in "ABC")


def staged(identifier: str, source: str = "article") -> Stage:
    problem = (
        program_from_document(SAMPLES[source].document(), source, source) if source in SAMPLES else load_problem(source)
    )
    expression = build(problem).assignments[identifier].expression
    assert expression is not None
    return stage_of(expression)


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("Z1", Products(((Operand("X"), Operand("W1")),), (Operand("b1"),))),
        ("E1", Products(((Operand("D2"), Operand("W2", turned=True)),), ())),
        ("dW1", Products(((Operand("X", turned=True), Operand("D1")),), ())),
        ("A1", MadeOf((Operand("Z1"),))),
        ("L", MadeOf((Operand("Y"), Operand("A2")))),
        ("D1", InARow((Operand("E1"), "⊙", Operand("S1")))),
        ("W1_next", InARow((Operand("W1"), "+", Operand("learning_rate"), "·", Operand("dW1")))),
        ("db1", SumOf(Operand("D1"), under=True)),
    ],
)
def test_each_step_of_a_network_has_its_layout(identifier: str, expected: Stage) -> None:
    assert staged(identifier) == expected


def test_products_that_are_added_up_share_a_scheme() -> None:
    pairs = ((Operand("x1"), Operand("Wg")), (Operand("h0"), Operand("Ug")))
    assert staged("g1_part1", "lstm") == Products(pairs, ())


def test_a_product_divided_by_a_number_stands_as_the_product() -> None:
    scores = m.divide(m.MatMul(A, m.Transpose(B)), m.Constant(2.0))
    assert stage_of(scores) == Products(((Operand("A"), Operand("B", turned=True)),), ())


def test_what_is_added_to_a_product_cell_by_cell_is_no_scheme() -> None:
    assert stage_of(m.add(A, m.MatMul(B, C))) == MadeOf((Operand("A"), Operand("B"), Operand("C")))


def test_brackets_stand_where_signs_bind_less() -> None:
    assert stage_of(m.multiply(m.subtract(A, B), C)) == InARow(
        ("(", Operand("A"), "−", Operand("B"), ")", "⊙", Operand("C"))
    )
    assert stage_of(m.subtract(A, m.subtract(B, C))) == InARow(
        (Operand("A"), "−", "(", Operand("B"), "−", Operand("C"), ")")
    )
    assert stage_of(m.subtract(m.subtract(A, B), C)) == InARow((Operand("A"), "−", Operand("B"), "−", Operand("C")))


def test_rounding_changes_nothing_of_the_layout() -> None:
    assert stage_of(m.Rounded(m.MatMul(A, B), 2)) == Products(((Operand("A"), Operand("B")),), ())


def test_a_row_with_too_many_operands_is_what_goes_in() -> None:
    long = A
    for _ in range(12):
        long = m.add(long, B)  # type: ignore[assignment]
    assert stage_of(long) == MadeOf((Operand("A"), Operand("B")))


def test_a_page_is_told_which_operands_are_turned() -> None:
    assert stage_document(staged("E1")) == {"pairs": [["D2", ["W2"]]], "rows": []}
    assert stage_document(staged("D1")) == {"items": ["E1", {"sign": "⊙"}, "S1"]}
    assert stage_document(staged("db1")) == {"sum": "D1", "under": True}
    assert stage_document(staged("A1")) == {"of": ["Z1"]}
