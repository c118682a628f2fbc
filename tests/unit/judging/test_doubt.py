"""How much has to speak for a wrong rule: where digits or matrices are missing, and where a rule is known already."""

import numpy as np

from tests.marking import document, mark, slugs, verdicts, worked
from tests.students import Document, Work
from tests.wrong_rules import Memory

XOR: Document = {
    "learning_rate": 0.5,
    "loss": "half_squared_error",
    "decimals": 5,
    "data": {"X": [[0, 0], [0, 1], [1, 0], [1, 1]], "Y": [[0], [1], [1], [0]]},
    "layers": [
        {"activation": "sigmoid", "weights": [[0.3, -0.2], [0.5, 0.4]]},
        {"activation": "sigmoid", "weights": [[0.6], [-0.7]]},
    ],
}
TWO_BY_TWO: Document = {
    "learning_rate": 1.0,
    "loss": "half_squared_error",
    "decimals": 2,
    "data": {"X": [[0.5, 0.3]], "Y": [[0.23, -0.07]]},
    "layers": [
        {"activation": "sigmoid", "weights": [[0.2, -0.4], [0.5, 0.6]]},
        {"activation": "sigmoid", "weights": [[0.1, -0.5], [-0.3, 0.8]]},
    ],
}


def test_a_number_with_too_few_digits_is_wrong_and_no_rule_is_named_for_it() -> None:
    marked = mark(XOR, {"W2_next": [["0.57"], ["-0.70"]]})  # 0.60094, -0.69934
    assert verdicts(marked, "W2_next") == [["wrong"], ["too_coarse"]]
    assert not marked.diagnosis


def test_zeros_and_numbers_of_one_decimal_by_lot_show_hardly_any_rule() -> None:
    problem, random = document(), np.random.default_rng(4)
    shapes = {name: value.shape for name, value in trace_of(problem).items()}
    assert found_in({name: np.zeros(shape) for name, shape in shapes.items()}) == 0
    by_lot = [{name: random.integers(-9, 10, shape) / 10 for name, shape in shapes.items()} for _ in range(4)]
    assert sum(map(found_in, by_lot)) <= 2  # of 400 cells


def found_in(numbers: Memory) -> int:
    """How many wrong rules are named for numbers that nobody calculated."""
    sheet = {name: [[f"{each:g}" for each in row] for row in value.tolist()] for name, value in numbers.items()}
    return len(mark(document(), sheet).diagnosis)


def trace_of(problem: Document) -> Memory:
    """Every matrix that is asked for, by the right rules."""
    work, memory = Work(problem), Work(problem).given()
    names = list(work.order())
    for name in names:
        memory[name] = work.compute(name, memory)
    return {name: memory[name] for name in names}


def sent_back() -> Memory:
    """Two by two with the gradients of the outgoing weights sent back in place of delta times weight."""
    work, memory = Work(TWO_BY_TWO), Work(TWO_BY_TWO).given()
    names = [each for each in work.order() if each not in ("dW2", "W2_next")]
    at = names.index("E1")
    for name in [*names[:at], "dW2", "W2_next", *names[at:]]:
        memory[name] = memory["dW2"].sum(axis=1)[None] if name == "E1" else work.compute(name, memory)
    return memory


def test_a_rule_that_tells_of_a_whole_matrix_is_named_where_the_bounds_are_too_wide() -> None:
    memory = sent_back()
    handed_in = ("A1", "A2", "dW2", "W2_next", "dW1", "W1_next")
    answers = {name: [[f"{each:.5f}" for each in row] for row in memory[name].tolist()] for name in handed_in}
    marked = mark(TWO_BY_TWO, answers)
    assert verdicts(marked, "dW1") == [["slip"] * 2] * 2
    assert slugs(marked, "dW1") == ["gradient-sent-back"]
    assert {each for row in verdicts(marked, "W1_next") for each in row} <= {"carried", "rounded"}


def test_where_the_bounds_are_too_wide_numbers_of_no_rule_are_not_read() -> None:
    memory = sent_back()
    answers = {name: [[f"{each:.5f}" for each in row] for row in memory[name].tolist()] for name in ("A1", "A2", "dW2")}
    answers["dW1"] = [["0.03458", "0.00104"], ["-0.01875", "0.04782"]]
    assert verdicts(mark(TWO_BY_TWO, answers), "dW1") == [["not_read"] * 2] * 2


def test_a_known_rule_is_tried_in_the_left_out_matrices_of_its_kind() -> None:
    """σ mistyped in both layers, of which the second is left out: what comes after has one more mistake of its own."""
    problem = document(decimals=4)
    work = Work(problem)

    def rules(name: str, memory: Memory) -> object:
        if name in ("A1", "A2"):
            return 1 / (1 + 2 ** -memory[f"Z{name[1:]}"])
        if name == "D1":
            return memory["E1"] @ memory["S1"]
        return work.compute(name, memory)

    answers = worked(problem, rules)
    left_out = ("A2", "L", "E", "D2", "E1", "dW2", "W2_next", "db2", "b2_next")
    marked = mark(problem, {name: rows for name, rows in answers.items() if name not in left_out})
    assert [each.idea.slug for each in marked.diagnosis] == ["log-base", "matrix-product"]
