"""Whole solutions as students publish them, with two or three mistakes each: what is wrong is marked, the rest is not.

Five kinds of real solutions of the eleven steps, worked here with other numbers: every mistake has its name where it is
made, and what follows from it, or comes before it, is neither wrong nor a slip.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pytest

from tests.students import Array, Document, Habit, Work, as_file, work_through
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.problem.problem import problem_from_document

Memory = dict[str, Array]
Rule = Callable[[Work, Memory], Array]

X, Y = [[1, 0, 1, 0], [1, 0, 1, 1], [0, 1, 0, 1]], [[1], [1], [0]]


def document(hidden: str = "sigmoid", output: str = "sigmoid") -> Document:
    random = np.random.default_rng(20)
    first, second = (random.uniform(0.05, 0.95, shape).round(4).tolist() for shape in ((4, 3), (3, 1)))
    return {
        "learning_rate": 0.1, "loss": "half_squared_error", "decimals": 4, "data": {"X": X, "Y": Y},
        "layers": [
            {"activation": hidden, "weights": first, "bias": [0.4123, 0.7086, 0.1532]},
            {"activation": output, "weights": second, "bias": [0.6905]},
        ],
        "convention": {"error": "target - output"},
    }  # fmt: skip


def sigmoid(values: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-values)))


def sigmoid_of_activation(layer: int, work: Work, m: Memory) -> Array:
    again = sigmoid(m[f"A{layer}"])
    return np.asarray(again * (1 - again))


def sigmoids_slope(layer: int, work: Work, m: Memory) -> Array:
    return np.asarray(m[f"A{layer}"] * (1 - m[f"A{layer}"]))


def slope_of_the_error(work: Work, m: Memory) -> Array:
    return np.asarray(m["E"] * (1 - m["E"]))


def delta_with_rate(work: Work, m: Memory) -> Array:
    return np.asarray(m["E"] * m["S2"] * work.rate)


def product_of_matrices(work: Work, m: Memory) -> Array:
    return np.asarray(m["E1"] @ m["S1"])


def one_row(work: Work, m: Memory) -> Array:
    return m["D1"][:1]


def as_it_was(work: Work, m: Memory) -> Array:
    return m["W2"]


@dataclass(frozen=True)
class Solution:
    """The rules that are wrong, and the name of the mistake by matrix."""

    rules: Mapping[str, Rule]
    slips: Mapping[str, str]
    problem: Document = field(default_factory=document)


RATE_TWICE = {"D2": delta_with_rate}
SOLUTIONS = {
    "sigmoid twice in the slope, rate twice": Solution(
        RATE_TWICE | {f"S{layer}": partial(sigmoid_of_activation, layer) for layer in (1, 2)},
        {"S2": "slope-of-activation", "S1": "slope-of-activation", "D2": "rate-in-gradient"},
    ),
    "a sigmoid's slope for ReLU, rate twice": Solution(
        RATE_TWICE | {f"S{layer}": partial(sigmoids_slope, layer) for layer in (1, 2)},
        {"S2": "wrong-slope", "S1": "wrong-slope", "D2": "rate-in-gradient"},
        document("relu", "relu"),
    ),
    "slope of the error, matrix product, bias not summed": Solution(
        {"S2": slope_of_the_error, "D1": product_of_matrices, "db1": one_row},
        {"S2": "slope-of-error", "D1": "matrix-product", "db1": "bias-not-summed"},
    ),
    "weights of the output not updated": Solution({"W2_next": as_it_was}, {"W2_next": "not-updated"}),
    "rate twice alone": Solution(RATE_TWICE, {"D2": "rate-in-gradient"}),
}


def marked(solution: Solution) -> MarkedSheet:
    work = Work(solution.problem)

    def rules(name: str, memory: Memory) -> Array:
        rule = solution.rules.get(name)
        return work.compute(name, memory) if rule is None else rule(work, memory)

    answers = work_through(work, Habit(decimals=6), np.random.default_rng(0), rules)
    conventions = Conventions(key_of(problem_from_document(solution.problem, "solution", "solution")))
    return mark_answers(read_content("solution.json", as_file(answers)), conventions)


@pytest.mark.parametrize("kind", SOLUTIONS)
def test_each_mistake_has_its_name_where_it_is_made_and_nowhere_else(kind: str) -> None:
    solution = SOLUTIONS[kind]
    sheet = marked(solution)
    found: dict[str, set[str]] = {}
    for mark in sheet.marks:
        if mark.verdict in ("slip", "wrong"):
            found.setdefault(mark.id, set()).add(mark.slips[0].slug if mark.slips else "")
    assert found == {identifier: {slug} for identifier, slug in solution.slips.items()}


@pytest.mark.parametrize("kind", SOLUTIONS)
def test_what_comes_before_is_right_and_what_follows_is_carried(kind: str) -> None:
    solution = SOLUTIONS[kind]
    sheet = marked(solution)
    order = list(Work(solution.problem).order())
    first = min(order.index(each) for each in solution.rules)
    verdicts = {each: {mark.verdict for mark in sheet.of(each)} for each in order}
    assert all(verdicts[each] <= {"correct", "rounded"} for each in order[:first])
    others = [each for each in order[first:] if each not in solution.rules]
    assert all(verdicts[each] <= {"correct", "rounded", "carried"} for each in others), verdicts
    follows = {"W2_next"} if "D2" in solution.rules else set()
    assert all("carried" in verdicts[each] for each in follows)
    assert sheet.score == sum(len(list(sheet.of(each))) for each in order) - sheet.counts["slip"]
