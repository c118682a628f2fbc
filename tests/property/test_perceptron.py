"""The perceptron's rule: every pass against plain numpy and PyTorch, its workbook, and answers to every pattern."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from tests.agreement import assert_agrees
from tests.book_checks import check_book
from tests.books import read_book
from tests.engine.recalculate import by_cellrune, by_ironcalc
from tests.engine.test_workbooks import assert_recalculates
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.derivation.book import render_derivation
from tracer.errors import ProblemError
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.presentation.theme import theme_of
from tracer.problem.problem import problem_from_document
from tracer.run.passes import Pass
from tracer.run.training import of_pass, trace
from tracer.workbook.workbook import write_workbook
from tracer.worksheet.files import write_worksheets
from tracer.worksheet.plan import make_plan

AND: dict[str, Any] = {
    "learning_rate": 0.5,
    "rule": "perceptron",
    "batch_size": 1,
    "data": {"X": [[0, 0], [0, 1], [1, 0], [1, 1]], "Y": [[0], [0], [0], [1]]},
    "layers": [{"activation": "step", "weights": [[0.3], [-0.1]], "bias": [0.2]}],
}


def problem(document: dict[str, Any]) -> Any:
    return problem_from_document(document, "and", "and.toml")


@st.composite
def perceptrons(draw: st.DrawFn) -> dict[str, Any]:
    """Perceptrons with numbers of one decimal, so that sums are often exactly 0."""
    low, output = draw(st.sampled_from([(0.0, "step"), (-1.0, "sign")]))
    rows, inputs, units = (draw(st.integers(1, most)) for most in (5, 3, 2))

    def matrix(height: int, width: int, cells: st.SearchStrategy[float]) -> list[list[float]]:
        return draw(st.lists(st.lists(cells, min_size=width, max_size=width), min_size=height, max_size=height))

    tenths = st.integers(-10, 10).map(lambda k: k / 10)
    layer: dict[str, Any] = {"activation": output, "weights": matrix(inputs, units, tenths)}
    if draw(st.booleans()):
        layer["bias"] = matrix(1, units, tenths)[0]
    choices = {
        "error": ["output - target", "target - output"],
        "learning_rate_in": ["update", "delta", "change"],
        "reduction": ["sum", "mean"],
        "reduction_in": ["error", "gradient"],
        "bias_update": [True, False],
    }
    return {
        "learning_rate": draw(st.sampled_from([0.1, 0.5, 1.0])),
        "rule": "perceptron",
        "batch_size": draw(st.integers(1, rows)),
        "data": {
            "X": matrix(rows, inputs, tenths),
            "Y": matrix(rows, units, st.sampled_from([low, 1.0])),
        },
        "layers": [layer],
        "convention": {key: draw(st.sampled_from(ways)) for key, ways in choices.items()},
    }


def assert_is_the_rule(document: dict[str, Any], one: Pass) -> None:
    """Rosenblatt's rule by hand, and the gradient of Σ(a − y)·z with a held fixed by PyTorch."""
    convention, rate = document["convention"], document["learning_rate"]
    sign = 1.0 if convention["error"] == "output - target" else -1.0
    mean = convention["reduction"] == "mean"
    X, Y, W = one["X"], one["Y"], one["W1"]
    b = one["b1"] if "b1" in one else np.zeros((1, W.shape[1]))
    low = 0.0 if document["layers"][0]["activation"] == "step" else -1.0
    assert_agrees(one["Z1"], X @ W + b, 4.0)
    A = np.where(one["Z1"].round(9) >= 0, 1.0, low)  # tenths often come to 0, but for the rounding
    weights, bias = (torch.tensor(each, requires_grad=True) for each in (W, b))
    loss = ((torch.tensor(A) - torch.tensor(Y)) * (torch.tensor(X) @ weights + bias)).sum()
    (loss / len(X) if mean else loss).backward()
    assert one["A1"].tolist() == A.tolist()
    assert_agrees(one["L"].item(), loss.item() / (len(X) if mean else 1), 10.0)
    assert_agrees(one["E"], sign * (A - Y) / (len(X) if mean and convention["reduction_in"] == "error" else 1), 2.0)
    factor = {"update": sign, "delta": sign * rate, "change": -rate}[convention["learning_rate_in"]]
    assert_agrees(one["dW1"], factor * weights.grad.numpy(), 10.0)  # type: ignore[union-attr]
    assert_agrees(one["W1_next"], W - rate * weights.grad.numpy(), 10.0)  # type: ignore[union-attr]
    if "b1" in one:
        moved = rate * bias.grad.numpy() if convention["bias_update"] else 0.0  # type: ignore[union-attr]
        assert_agrees(one["b1_next"], b - moved, 10.0)


@settings(max_examples=60)
@given(document=perceptrons())
def test_every_pass_is_the_rule(document: dict[str, Any]) -> None:
    made = problem(document)
    for one in trace(made, (1, 2)).passes:
        assert_is_the_rule(document, one)
        assert "S1" not in one and one.program.assignments["E"].of == "Z1"
    again = problem(made.to_document())
    assert again == made and again.sha256 == made.sha256


def test_a_sum_that_is_0_but_for_rounding_is_0() -> None:
    layer = {"activation": "step", "weights": [[0.1], [0.2]], "bias": [-0.3]}
    one = trace(problem(AND | {"layers": [layer], "data": {"X": [[1, 1]], "Y": [[1]]}})).first
    other = trace(
        problem(AND | {"layers": [layer | {"bias": [-0.30000000000000016]}], "data": {"X": [[1, 1]], "Y": [[1]]}})
    ).first
    assert one["A1"].item() == other["A1"].item() == 1.0 and other["Z1"].item() < 0


def test_and_is_learnt() -> None:
    found = trace(problem(AND), (1, 20)).at_end
    assert found["A1"].ravel().tolist() == [0, 0, 0, 1] and found.loss == 0


@pytest.mark.engine
@settings(max_examples=6, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(document=perceptrons())
@pytest.mark.parametrize("engine", [by_ironcalc, by_cellrune])
def test_the_workbook_recalculates(engine: Any, document: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        recorded = trace(problem(document), (1, 2))
        write_workbook(recorded, Path(folder) / "book.xlsx")
        assert_recalculates(recorded, Path(folder) / "book.xlsx", engine)


# Marking


def marked(number: int, answers: dict[str, Any], document: dict[str, Any] = AND) -> MarkedSheet:
    content = json.dumps(answers).encode()
    return mark_answers(read_content("a.json", content), Conventions(key_of(problem(document), number), number))


def by_hand(number: int, document: dict[str, Any] = AND) -> dict[str, Any]:
    one = list(trace(problem(document)).passes)[number - 1]
    return {name: [[f"{value:.3f}" for value in row] for row in one[name]] for name in one.program.computed}


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_right_answers_to_each_pattern_are_right(number: int) -> None:
    assert marked(number, by_hand(number)).all_right


def test_a_step_in_place_of_a_sign_is_named() -> None:
    document = AND | {
        "batch_size": 4,
        "data": {"X": AND["data"]["X"], "Y": [[-1], [-1], [-1], [1]]},
        "layers": [AND["layers"][0] | {"activation": "sign", "bias": [-0.25]}],
    }
    answers = by_hand(1, document)
    sheet = marked(1, {"Z1": answers["Z1"], "A1": [["0"], ["0"], ["1"], ["0"]]}, document)
    found = {each.slips[0].slug for each in sheet.of("A1") if each.verdict == "slip"}
    assert found == {"wrong-activation"}


def test_an_output_that_jumped_the_wrong_way_is_wrong_and_so_is_the_zero_behind_it() -> None:
    answers = by_hand(1) | {"A1": [["0"]], "L": [["0"]], "E": [["0"]], "D1": [["0"]]}
    verdicts = {each.id: each.verdict for each in marked(1, answers).marks}
    assert verdicts["Z1"] == "correct" and verdicts["A1"] in ("wrong", "slip")
    assert verdicts["E"] == "wrong"  # a 0 that follows from a wrong number earns nothing (line 5 of the table)


def test_the_sheet_of_a_pass_is_of_its_pattern_and_marked_as_that_pass(tmp_path: Path) -> None:
    recorded = of_pass(problem(AND), 2)
    plan = replace(make_plan(recorded.problem, recorded.first.program), number=2)
    paths = write_worksheets(recorded, [plan], tmp_path, theme_of())
    assert {path.name.partition(".pass-2.")[0] for path in paths} == {"and"}
    page = (tmp_path / "and.pass-2.worksheet.html").read_text()
    assert "Samples 2 to 2 of 4, with the weights and biases as they are by then." in page
    content = (tmp_path / "and.pass-2.key.xlsx").read_bytes()
    keys = [Conventions(key_of(problem(AND), number), number) for number in (2, 3)]
    right, other = (mark_answers(read_content("key.xlsx", content), each) for each in keys)
    assert right.all_right and len(right.marks) == 11 and not other.all_right


# Told


@settings(max_examples=15)
@given(document=perceptrons(), style=st.sampled_from(["matrix", "article", "hand", "mazur"]))
def test_the_derivation_holds(document: dict[str, Any], style: str) -> None:
    recorded = trace(problem(document | {"names": {"style": style}}))
    assume(all(value == 0 or abs(value) > 1e-9 for value in recorded.first["Z1"].ravel()))  # else letters say ≥ 0
    book = read_book(render_derivation(recorded))
    check_book(recorded)
    assert "held fixed" in book.text


@pytest.mark.parametrize(
    ("changes", "place", "says"),
    [
        ({"loss": "hinge"}, "loss", "found 'hinge' beside rule = 'perceptron', which has a loss of its own"),
        ({"rule": "adaline"}, "rule", "found 'adaline', expected 'perceptron'"),
        ({"rule": None, "loss": "perceptron"}, "loss", 'write rule = "perceptron" at the top in its place'),
        ({"rule": None, "loss": "hinge"}, "layers[0].activation", "found step, which has no slope to learn by"),
        ({"convention": {"softmax_slope": "fused"}}, "convention.softmax_slope", "expected it only with a loss"),
        ({"reproduce": {"rate_twice": True}}, "reproduce", "expected it only with a loss"),
        ({"data": {"X": [[0, 0]], "Y": [[-1]]}, "batch_size": 1}, "data.Y[0]", "expected targets 0 or 1 for step"),
        ({"layers": AND["layers"] * 2}, "rule", "found it with 2 layers, expected a single layer"),
        (
            {"layers": [AND["layers"][0] | {"activation": "sigmoid"}]},
            "layers[0].activation",
            "found sigmoid with rule = 'perceptron', expected step or sign",
        ),
    ],
)
def test_what_does_not_go_together_is_said(changes: dict[str, Any], place: str, says: str) -> None:
    with pytest.raises(ProblemError) as caught:
        problem(AND | changes)
    told = [(caught.value.place, caught.value.says), *((each.place, each.says) for each in caught.value.others)]
    assert any(where == place and says in sentence for where, sentence in told), told


def test_other_names_of_the_units_are_known() -> None:
    assert problem(AND | {"layers": [AND["layers"][0] | {"activation": "heaviside"}]}).layers[0].activation == "step"
    with pytest.raises(ProblemError, match="did you mean 'sign'"):
        problem(AND | {"layers": [AND["layers"][0] | {"activation": "hardlims"}]})
