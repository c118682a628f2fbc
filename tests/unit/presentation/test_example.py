"""The sample and the cells that are worked: the first that show what adds up."""

from typing import Any

import pytest

from tracer.derivation.book import render_derivation
from tracer.page.page import render_page
from tracer.presentation.example import example_cell, example_sample, of_samples
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Pass
from tracer.run.training import trace


def one(document: dict[str, Any]) -> Pass:
    return trace(problem_from_document(document, "small", "small.toml")).first


def with_inputs(X: list[list[float]], **more: Any) -> Pass:
    width = len(X[0])
    layers = [
        {"activation": "relu", "weights": [[-0.5, 0.25]] * width, "bias": False},
        {"activation": "sigmoid", "weights": [[0.5], [0.25]], "bias": False},
    ]
    data = {"X": X, "Y": [[1.0]] * len(X)}
    return one({"learning_rate": 0.3, "loss": "half_squared_error", "data": data, "layers": layers} | more)


@pytest.mark.parametrize(
    ("X", "sample"),
    [
        ([[0, 0], [0, 1], [1, 0], [1, 1]], 3),  # XOR: the others have a term or none
        ([[0, 0, 0], [0, 1, 1], [1, 1, 1]], 1),  # two terms are enough
        ([[0, 0], [0, 1], [2, 0]], 1),  # the most that there are
        ([[0], [0]], 0),
        ([[0, 0]] * 9 + [[1, 1]], 0),  # a table may not show the tenth
    ],
)
def test_the_sample_is_the_first_with_two_inputs_that_are_not_zero(X: list[list[float]], sample: int) -> None:
    assert example_sample(with_inputs(X)) == sample


def test_a_cell_of_the_sample_is_worked_and_one_that_is_not_zero() -> None:
    made = with_inputs([[0, 0], [1, 1]])
    cells = [example_cell(made, each) for each in ("Z1", "A1", "S1", "E", "D1")]
    assert [(cell.row, cell.column) for cell in cells] == [(1, 0), (1, 1), (1, 1), (1, 0), (1, 1)]  # unit 1 is silent
    assert (example_cell(made, "dW1").row, example_cell(made, "dW1").column) == (0, 1)


def test_the_article_is_worked_from_its_first_sample_on() -> None:
    made = trace(load_problem("article")).first
    assert example_sample(made) == 0
    assert all(cell.row == 0 for cell in (example_cell(made, each) for each in ("Z1", "A1", "Z2", "L", "D1")))


def test_rows_are_samples_but_of_parameters_the_loss_and_jacobians() -> None:
    program = trace(load_problem("hand")).first.program
    rows = {each for each in (*program.assignments, program.rate) if of_samples(program, each)}
    assert rows == {"X", "Y", "E", *(f"{kind}{n}" for kind in "ZA" for n in (1, 2, 3))} | {
        "S2", "S1", "D3", "E2", "D2", "E1", "D1",
    }  # fmt: skip


def test_page_and_derivation_work_the_same_sample() -> None:
    made = trace(load_problem("xor"))
    assert 'data-id="Z1" data-row="3" data-column="0"' in render_page(made)
    assert "That was sample 4; for all of them" in render_derivation(made)
