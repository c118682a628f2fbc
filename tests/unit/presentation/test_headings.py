"""What stands over a matrix: its symbol, the derivative that it is, and its shape."""

import pytest

from tests.traces import example, example_document
from tracer.presentation.headings import Headings, detail
from tracer.problem.problem import problem_from_document
from tracer.run.training import trace


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("article", ["Z1 · 3×3", "D1 · −∂L/∂Z1 · 3×3", "S1 · ∂A1/∂Z1 · 3×3"]),  # its own words are too long for it
        ("mazur", ["Z1 · 1×2", "D1 · 1×2", "S1 · 1×2"]),  # where the fraction is the name already
        ("softmax-classifier", ["5×3", "∂L/∂Z1 · 5×3"]),
    ],
)
def test_the_second_line_says_what_the_name_does_not(name: str, expected: list[str]) -> None:
    run = example(name)
    headings = Headings(run.problem, run.first.program)
    found = [each for each in ("Z1", "D1", "S1")[: len(expected)] if each in run.first]
    assert [detail(headings.of(each, *run.first[each].shape)) for each in found] == expected


def test_what_is_no_gradient_is_not_called_one() -> None:
    document = example_document("article") | {"reproduce": {"updated_weights_sent_back": True}}
    run = trace(problem_from_document(document, "sent back", "sent back"))
    headings = Headings(run.problem, run.first.program)
    fractions = {each: headings.of(each, 1, 1).fraction is not None for each in ("E", "D2", "dW2", "E1", "D1", "dW1")}
    assert fractions == {"E": True, "D2": True, "dW2": True, "E1": False, "D1": False, "dW1": False}
