"""Answers that follow another convention throughout are recognised to the last cell, whatever they leave out."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.problem.convention import Decimals, Reproduce
from tracer.problem.problem import Problem, problem_from_document
from tracer.problem.reading import load_problem
from tracer.problem.ways import choices
from tracer.program.roles import NEW_WEIGHTS, WEIGHTS, WEIGHTS_GRADIENT, Quantity
from tracer.run.training import trace

EXAMPLES = ["article", "mazur", "softmax-classifier", "logistic-regression", "linear-regression"]
LEFT_OUT: dict[str, Callable[[str], bool]] = {
    "everything written": lambda name: False,
    "without E and S": lambda name: name == "E" or name[0] in "SJ",
    "without errors and slopes": lambda name: name[0] in "ESJ",
}


@cache
def problem(name: str) -> Problem:
    return replace(load_problem(name), reproduce=Reproduce(), decimals=Decimals(3))


@cache
def conventions(name: str) -> Conventions:
    return Conventions(key_of(problem(name)))


def others(of: Problem) -> Iterator[tuple[str, Problem]]:
    """Sign, rate and mean chosen otherwise, alone and together; the mean says nothing of a single sample."""
    told = [each for each in choices(of) if each.of in ("error", "learning_rate_in", "reduction")]
    told = [each for each in told if of.rows > 1 or each.of != "reduction"]
    for count in (1, 2, 3):
        for several in combinations(told, count):
            if len({each.of for each in several}) == count:
                changed = of
                for each in several:
                    changed = each.change(changed)
                yield " and ".join(each.words for each in several), changed


def written(of: Problem, left_out: Callable[[str], bool], turned: Callable[[Quantity], bool] | None = None) -> Any:
    one = trace(of).first.by_hand(of)
    found = {}
    for name in one.program.computed:
        if not left_out(name):
            matrix = one[name].T if turned is not None and turned(one.program.quantity(name)) else one[name]
            found[name] = [[f"{value:.8f}" for value in row] for row in matrix]
    return found


def marked(name: str, answers: Any) -> MarkedSheet:
    return mark_answers(read_content("a.json", json.dumps(answers).encode()), conventions(name), accept=True)


def accused(sheet: MarkedSheet) -> list[Any]:
    """Cells that are not right; one with too few digits is right as far as it goes."""
    return [each for each in sheet.marks if each.verdict in ("slip", "wrong", "not_read")]


@pytest.mark.parametrize("left_out", LEFT_OUT)
@pytest.mark.parametrize("name", EXAMPLES)
def test_sign_rate_and_mean_are_recognised_alone_and_together(name: str, left_out: str) -> None:
    for words, other in others(problem(name)):
        sheet = marked(name, written(other, LEFT_OUT[left_out]))
        assert not accused(sheet), (words, accused(sheet)[:3])


TURNED: dict[str, tuple[Callable[[Quantity], bool], str]] = {
    "samples as columns": (lambda what: True, ""),
    "samples as columns, W, X and Y as given": (lambda what: True, "WXYb"),
    "gradients": (lambda what: what == WEIGHTS_GRADIENT, ""),
    "gradients and new weights": (lambda what: what in (WEIGHTS_GRADIENT, NEW_WEIGHTS), ""),
    "all weights": (lambda what: what in (WEIGHTS_GRADIENT, NEW_WEIGHTS, WEIGHTS), "W"),
}


@pytest.mark.parametrize("way", TURNED)
@pytest.mark.parametrize("name", [*EXAMPLES, "hand", "xor"])
def test_matrices_the_other_way_round_are_recognised(name: str, way: str) -> None:
    turned, given = TURNED[way]
    of = problem(name)
    answers = written(of, lambda each: False, turned)
    one = trace(of).first
    for each in (*one.program.given, *one.program.parameters):
        if each[0] in given:
            answers[each] = one[each].T.tolist()
    sheet = marked(name, answers)
    assert not sheet.sheet.answers.not_read
    assert {each.id for each in sheet.marks} >= set(one.program.computed)
    assert not accused(sheet), accused(sheet)[:3]


def test_a_wrong_sheet_is_no_convention() -> None:
    """One slip in an otherwise right sheet stays one."""
    answers = written(problem("article"), lambda each: False)
    answers["D1"] = [[f"{-float(text):.8f}" for text in row] for row in answers["D1"]]
    sheet = marked("article", answers)
    assert not sheet.all_right and {each.verdict for each in sheet.of("D1")} == {"slip"}


# What people handed in (numbers kept, names taken out)


def case(document: dict[str, Any], convention: dict[str, Any]) -> Conventions:
    return Conventions(key_of(problem_from_document({**document, "convention": convention}, "case", "case.toml")))


TUTORIAL = {
    "learning_rate": 0.7,
    "loss": "half_squared_error",
    "data": {"X": [[0, 1]], "Y": [[0.9]]},
    "layers": [
        {"activation": "sigmoid", "weights": [[-0.5, -0.4], [0.1, 0.2]], "bias": [0.6, -0.3]},
        {"activation": "sigmoid", "weights": [[0.6], [-0.7]], "bias": [0.8]},
    ],
}
TUTORIAL_ANSWERS = """Z1 = [0.7, -0.1]
A1 = [0.668, 0.475]
Z2 = 0.868
A2 = 0.704
E = 0.196
D2 = 0.041
dW2 = [[0.019], [0.014]]
D1 = [0.0054, -0.007]
"""
EXAM = {
    "learning_rate": 0.01,
    "loss": "binary_cross_entropy",
    "decimals": 4,
    "data": {
        "X": [[7, -1.4142, -1.4142], [5, -0.7071, -0.7071], [6, 0, 0], [8, 0.7071, 0.7071], [4, 1.4142, 1.4142]],
        "Y": [[1], [0], [1], [1], [0]],
    },
    "layers": [{"activation": "sigmoid", "weights": [[0.1], [0.1], [0.1]], "bias": [0.1]}],
}
EXAM_ANSWERS = """Z1 = [[0.51716],[0.45858],[0.7],[1.04142],[0.78284]]
A1 = [[0.6265],[0.6127],[0.6682],[0.7391],[0.6863]]
D1 = [[-0.3735],[0.6127],[-0.3318],[-0.2609],[0.6863]]
dW1 = [[-0.17676],[0.17620],[0.17620]]
db1 = 0.06656
W1_next = [[0.10177],[0.09824],[0.09824]]
b1_next = 0.09933
"""


@pytest.mark.parametrize(
    ("document", "default", "own", "answers"),
    [
        (
            TUTORIAL,
            {"error": "target - output"},
            {"error": "target - output", "learning_rate_in": "change"},
            TUTORIAL_ANSWERS,
        ),
        (TUTORIAL, {}, {"error": "target - output", "learning_rate_in": "change"}, TUTORIAL_ANSWERS),
        (EXAM, {"reduction": "mean"}, {"reduction": "mean", "reduction_in": "gradient"}, EXAM_ANSWERS),
        (EXAM, {"reduction": "sum"}, {"reduction": "mean", "reduction_in": "gradient"}, EXAM_ANSWERS),
    ],
)
def test_public_answers_are_right_under_their_convention_and_recognised_under_another(
    document: dict[str, Any], default: dict[str, Any], own: dict[str, Any], answers: str
) -> None:
    read = read_content("a.txt", answers.encode())
    right = mark_answers(read, case(document, own))
    assert not accused(right) and right.other is None
    strict = mark_answers(read, case(document, default))
    assert accused(strict) and strict.other is not None and strict.other.all_right
    assert not accused(mark_answers(read, case(document, default), accept=True))


def test_a_bias_as_first_row_is_right_in_both_ways_of_keeping_it() -> None:
    layers = [{"activation": "tanh", "weights": [[0.3, 0.4]], "bias": [0.1, 0.2]},
              {"activation": "tanh", "weights": [[1], [-3]], "bias": [0.2]},
              {"activation": "tanh", "weights": [[2]], "bias": [1]}]  # fmt: skip
    inside = [{"activation": "tanh", "weights": [each["bias"], *each["weights"]]} for each in layers]  # type: ignore[misc, list-item]
    document = {"learning_rate": 0.1, "loss": "squared_error", "decimals": 2, "data": {"X": [[2]], "Y": [[1]]}}
    answers = """Z1 = [0.70, 1.00]
D3 = [-1.85]
D2 = [-0.69]
D1 = [-0.44, 0.88]
dW1 = [-0.44 0.88; -0.88 1.75]
dW2 = [-0.69; -0.42; -0.53]
dW3 = [-1.85; 1.67]
"""
    for made, convention in ((layers, {}), (inside, {"bias_in": "weights"})):
        sheet = mark_answers(read_content("a.txt", answers.encode()), case({**document, "layers": made}, convention))
        assert not accused(sheet) and not sheet.sheet.answers.not_read and len(sheet.marks) == 15


def test_changes_are_read_by_their_names_under_every_convention() -> None:
    answers = TUTORIAL_ANSWERS.replace("dW2 = [[0.019], [0.014]]", "Δw_Y1H1 = 0.019\nΔw_Y1H2 = 0.014")
    read = read_content("a.txt", answers.encode())
    for convention in ({"error": "target - output"}, {"error": "target - output", "learning_rate_in": "change"}):
        sheet = mark_answers(read, case(TUTORIAL, convention), accept=True)
        assert not accused(sheet) and len(list(sheet.of("dW2"))) == 2 and not sheet.sheet.answers.not_read


# Slips under the conventions that are told apart here


@pytest.mark.parametrize(
    ("convention", "matrix", "wrong", "says"),
    [
        ({"learning_rate_in": "change"}, "dW2", lambda one: one["dW2"] / 0.1, "the learning rate 0.1 was left out"),
        (
            {"learning_rate_in": "change"},
            "dW2",
            lambda one: one["dW2"] * 0.1,
            "the learning rate 0.1 was applied twice",
        ),
        ({"learning_rate_in": "change"}, "dW2", lambda one: -one["dW2"], "the sign is reversed"),
        (
            {"learning_rate_in": "change"},
            "W2_next",
            lambda one: one["W2"] + 0.1 * one["dW2"],
            "holds it already, so add that to 0.3 as it is",
        ),
        ({"learning_rate_in": "change"}, "W2_next", lambda one: one["W2"] - one["dW2"], "moved the wrong way"),
        (
            {"reduction": "mean", "reduction_in": "gradient"},
            "dW2",
            lambda one: 3 * one["dW2"],
            "multiplied by the number of samples (3); here the gradient is the mean",
        ),
    ],
)
def test_slips_are_told_in_the_words_of_the_convention(
    convention: dict[str, Any], matrix: str, wrong: Callable[[Any], Any], says: str
) -> None:
    of = problem("article")
    of = replace(of, convention=of.convention.model_copy(update=convention))
    one = trace(of).first
    values = {name: one[name] for name in one.program.computed} | {matrix: wrong(one)}
    answers = {name: [[f"{value:.5f}" for value in row] for row in rows] for name, rows in values.items()}
    sheet = mark_answers(read_content("a.json", json.dumps(answers).encode()), Conventions(key_of(of)))
    (first, *_) = sheet.of(matrix)
    assert first.verdict == "slip" and says in first.slips[0].says
