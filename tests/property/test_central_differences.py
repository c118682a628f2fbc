"""Central differences beside the gradients: right ones agree, wrong ones do not, and the words say which is which."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.agreement import assert_agrees
from tests.documents import FEW_OUTPUTS
from tests.reference import forward, is_worked, loss_of, loss_shown, parameters_of
from tests.strategies import documents
from tests.traces import example, example_document, passes
from tracer.expression.evaluate import evaluate
from tracer.lesson.build import build
from tracer.problem.problem import Problem, problem_from_document
from tracer.program.naming_policy import RATE
from tracer.run.differences import (
    bound,
    chosen,
    compared,
    estimate,
    gradient,
    largest_term,
    passes_corner,
    path_to_loss,
    reach,
)
from tracer.run.passes import Epoch, Pass, Trace
from tracer.run.training import trace
from tracer.workbook import gradient_check
from tracer.workbook.gradient_check import MOST_RECORDED, explained
from tracer.workbook.gradient_section import BEYOND
from tracer.workbook.workbook import write_workbook

Document = dict[str, Any]


def problem_of(document: Document) -> Problem:
    return problem_from_document(document, "drawn", "drawn.toml")


def assume_worked(document: Document) -> None:
    """No cross-entropy of an output that is 0 or 1 but for rounding; kinks are wanted."""
    X = np.array(document["data"]["X"], dtype=float)
    assume(is_worked(document, forward(document, X, parameters_of(document)), -1.0))


def off_by(one: Pass, parameter: str, gradients: np.ndarray, most: int) -> list[float]:
    """How far at most so many of the gradients are off their estimates, or off the slope to a side of a corner.

    Where several corners are passed at once the estimate tells nothing.
    """
    path, found = path_to_loss(one.program, parameter), []
    for row, column in chosen(gradients, most):
        moved = estimate(one, path, row, column)
        if not passes_corner(one, path, moved):
            found.append(abs(moved.value - gradients[row, column]))
    return found or [0.0]


# The numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("outputs", FEW_OUTPUTS)
@settings(max_examples=6)
@given(data=st.data())
def test_a_right_gradient_is_never_called_wrong(outputs: tuple[str, str, bool], data: st.DataObject) -> None:
    document = data.draw(documents(outputs, reproduced=data.draw(st.booleans()), most_layers=4))
    scale = data.draw(st.sampled_from([1.0, 1.0, 30.0]))
    document["data"]["X"] = (np.array(document["data"]["X"]) * scale).tolist()
    assume_worked(document)
    problem = problem_of(document)
    for one in passes(document):
        for parameter in compared(problem, one.program):
            gradients = gradient(problem, one, parameter)
            room = bound(one, path_to_loss(one.program, parameter), float(np.abs(gradients).max()))
            assert max(off_by(one, parameter, gradients, 6)) <= 0.5 * room, (parameter, one)


def test_where_every_slope_of_a_softsign_turns_a_right_gradient_is_not_called_wrong() -> None:
    """At 0 the estimate is off by h itself: h − h² is what softsign makes of h, and h² changes its sign with h."""
    turning = [{"activation": "softsign", "weights": [[0.0]], "bias": [0.0]} for _ in range(3)]
    document: Document = {
        "learning_rate": 0.01,
        "loss": "half_squared_error",
        "data": {"X": [[0.0]], "Y": [[1.0]]},
        "layers": [*turning, {"activation": "silu", "weights": [[0.5]], "bias": [0.0]}],
    }
    document["layers"][1]["weights"] = document["layers"][2]["weights"] = [[1.0]]
    assert_agrees_with_its_estimates(document)


def test_where_a_corner_has_curved_sides_a_right_gradient_is_not_called_wrong() -> None:
    """The gradient has the slope of one side, 0.01; the estimate has half of both, bent by the loss."""
    document: Document = {
        "learning_rate": 0.01,
        "loss": "half_squared_error",
        "data": {"X": [[1.0], [-1.0]], "Y": [[0.0], [1.0]]},
        "layers": [
            {"activation": "arctan", "weights": [[0.0]]},
            {"activation": "leaky_relu", "weights": [[1.0]], "bias": [0.0]},
            {"activation": "silu", "weights": [[1.0]], "bias": [0.0]},
        ],
    }
    assert_agrees_with_its_estimates(document)


def assert_agrees_with_its_estimates(document: Document) -> None:
    problem, one = problem_of(document), passes(document)[0]
    for parameter in compared(problem, one.program):
        gradients, path = gradient(problem, one, parameter), path_to_loss(one.program, parameter)
        room = bound(one, path, float(np.abs(gradients).max()))
        assert max(off_by(one, parameter, gradients, 6)) <= 0.5 * room, (parameter, one)


@settings(max_examples=60)
@given(documents(most_layers=3))
def test_the_losses_are_those_of_plain_numpy_at_the_moved_parameter(document: Document) -> None:
    assume_worked(document)
    one = passes(document)[0]
    parameters = parameters_of(document)
    X, Y = one["X"], one["Y"]
    for parameter, value in parameters.items():
        for row, column in chosen(value, 3):
            moved = estimate(one, path_to_loss(one.program, parameter), row, column)
            expected_step = max(1.0, abs(value[row, column])) * max(
                1e-11, 1e-5 / reach(one, path_to_loss(one.program, parameter))
            )
            assert moved.h == pytest.approx(expected_step, rel=1e-12)
            for found, by in ((moved.plus, moved.h), (moved.minus, -moved.h)):
                theta = value.copy()
                theta[row, column] += by
                expected = loss_of(document, X, Y, {**parameters, parameter: theta}, loss_shown(document))
                assert_agrees(found, expected, largest_term(one), parameter)


@settings(max_examples=60)
@given(documents(most_layers=4))
def test_a_path_computed_again_without_a_move_is_the_recorded_one(document: Document) -> None:
    one = passes(document)[0]
    for parameter in parameters_of(document):
        path = path_to_loss(one.program, parameter)
        again = path.run(one, 0, 0, 0.0)
        assert list(again) == [parameter, *path.ids] and path.ids[-1] == "L"
        assert path.ids[0] == f"Z{parameter[1:]}"
        for name, value in again.items():
            assert np.array_equal(value, one[name]), name


def test_a_path_holds_what_lies_between_and_nothing_else() -> None:
    program = build(problem_of(example_document("article")))
    assert path_to_loss(program, "W1").ids == ("Z1", "A1", "Z2", "A2", "L")
    assert path_to_loss(program, "b2").ids == ("Z2", "A2", "L")
    fused = build(problem_of(example_document("softmax-classifier") | {"convention": {"softmax_slope": "fused"}}))
    assert path_to_loss(fused, "W2").ids == ("Z2", "L")
    assert path_to_loss(fused, "W1").bends and not path_to_loss(fused, "W2").bends
    assert path_to_loss(fused, "W1").multipliers == ("X", "W2", "Y")


def mistaken(one: Pass, mistake: str) -> dict[str, np.ndarray]:
    """The gradients of the first layer with a mistake: of the loss without its ½, of a ReLU without its mask."""
    values = {**one.matrices, RATE: one[RATE]}
    if mistake == "no mask":
        values["S1"] = np.ones_like(one["S1"])
    else:
        values["E"] = {"no half": 2.0, "wrong sign": -1.0, "no mean": float(len(one["E"]))}[mistake] * one["E"]
    made = one.program.assignments
    later = list(made)[list(made).index("E") + 1 :]
    for name in (name for name in later if not (mistake == "no mask" and name == "S1")):
        expression = made[name].expression
        assert expression is not None
        values[name] = evaluate(expression, values)
    return values


@pytest.mark.parametrize("mistake", ["no half", "wrong sign", "no mean", "no mask"])
@settings(max_examples=25)
@given(data=st.data())
def test_a_wrong_gradient_is_seen(mistake: str, data: st.DataObject) -> None:
    document = data.draw(documents(("half_squared_error", "sigmoid", False), most_layers=3))
    assume(len(document["layers"]) > 1 or mistake != "no mask")
    document.pop("batch_size", None)
    if mistake == "no mask":
        document["layers"][0]["activation"] = "relu"
        document["layers"][0].pop("slope", None)
    problem = problem_of(document)
    one = passes(document)[0]
    tampered = with_matrices(one, mistaken(one, mistake))
    right, wrong = gradient(problem, one, "W1"), gradient(problem, tampered, "W1")
    largest = float(np.abs(wrong).max())
    path = path_to_loss(one.program, "W1")
    room = bound(one, path, largest)
    assume(np.abs(wrong - right).max() > 2 * room)
    # where one is at its corner no other cell need be wrong
    assume(not path.bends or all(estimate(one, path, *cell).bend < 0.5 * room for cell in chosen(right, 100)))
    assert max(off_by(one, "W1", wrong, 100)) > room


def with_matrices(one: Pass, values: dict[str, np.ndarray]) -> Pass:
    return replace(one, computed=tuple(values[name] for name in one.program.computed))


@settings(max_examples=60)
@given(
    rows=st.integers(1, 30),
    columns=st.integers(1, 30),
    most=st.integers(4, 60),
    seed=st.integers(0, 99),
)
def test_of_a_large_matrix_the_largest_gradients_and_some_others_are_estimated(
    rows: int, columns: int, most: int, seed: int
) -> None:
    gradients = np.random.default_rng(seed).normal(size=(rows, columns))
    found = list(chosen(gradients, most))
    assert found == sorted(set(found)), "each once, in the order of the matrix"
    assert len(found) == min(most, rows * columns)
    if rows * columns <= most:
        return
    largest = np.sort(np.abs(gradients), axis=None)[-(most // 2) :]
    assert {abs(gradients[cell]) for cell in found} >= set(largest)
    assert found[0] == (0, 0) and found[-1] == (rows - 1, columns - 1)


# What is compared, in words -----------------------------------------------------------------------


def words_of(document: Document) -> str:
    problem = problem_of(document)
    return " ".join(explained(problem, build(problem)))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"convention": {"error": "target - output"}},
            ["dW and db are negative gradients: their negatives are compared"],
        ),
        ({"convention": {"learning_rate_in": "delta"}}, ["carries the learning rate", "they are divided by it"]),
        ({"reproduce": {"rate_twice": True}}, ["carries the learning rate", "they are divided by it"]),
        ({"convention": {"reduction": "mean"}, "loss_shown": "sum"}, ["of the mean over", "multiplied by N"]),
        ({"convention": {"reduction": "sum"}, "loss_shown": "mean"}, ["of the sum over", "divided by N"]),
        (
            {"reproduce": {"updated_weights_sent_back": True}},
            ["Not compared, because they are not gradients of this loss: dW1, db1."],
        ),
        ({"carry_rounded": True}, ["staircase"]),
    ],
)
def test_each_convention_says_what_it_does_to_the_comparison(changes: Document, says: Sequence[str]) -> None:
    plain = words_of(example_document("article") | {"convention": {}})
    found = words_of(example_document("article") | {"convention": {}} | changes)
    for each in says:
        assert each in found and each not in plain


def test_without_a_convention_that_matters_the_words_are_few() -> None:
    plain = example_document("article") | {"convention": {"bias_update": False, "reduction": "mean"}}
    plain.pop("loss_shown")
    assert words_of(plain) == "(L(θ + h) − L(θ − h)) / 2h estimates ∂L/∂θ without backpropagation."


def test_nothing_is_compared_where_only_the_diagonal_is_kept() -> None:
    document = example_document("softmax-classifier") | {"reproduce": {"softmax_slope": "diagonal"}}
    assert words_of(document) == "Not compared, because they are not gradients of this loss: dW2, dW1, db2, db1."


# The certificate ----------------------------------------------------------------------------------


KINK = "cells a function sits at its kink"
FINE = rf"agrees|agrees, but in \d+ of \d+ {KINK}|in (\d+) of \1 {KINK}"
FAINT = "too small to tell from rounding|the loss overflows float64|agrees, but in .* the loss overflows float64"
NONE_DIFFERS = "no gradient differs from its central-difference estimate"


def certified(recorded: Trace, *others: str) -> tuple[Any, ...]:
    """What the certificate says of each dW and db of each pass, by sheet and name, and of all of them.

    Then the values of other sheets by row, or None where the book has no such sheet.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_workbook(recorded, Path(folder) / "book.xlsx")
        book = openpyxl.load_workbook(Path(folder) / "book.xlsx", read_only=True, data_only=True)
        rows, *found = (
            list(book[title].iter_rows(values_only=True)) if title in book.sheetnames else None
            for title in ("Certificate", *others)
        )
        book.close()
    return {f"{row[2]} {row[1]}": row[7] for row in rows[7:] if row[1][0] == "d"}, rows[2][1], *found


@settings(max_examples=10)
@given(data=st.data())
def test_the_certificate_compares_what_it_can_and_calls_none_of_it_wrong(data: st.DataObject) -> None:
    kinds = {"reproduced": data.draw(st.booleans()), "carried": data.draw(st.integers(0, 3)) == 0}
    document = data.draw(documents(**kinds, most_layers=3, most_rows=5))
    problem = problem_of(document)
    found = passes(document)
    says, of_all = certified(Trace(problem, (Epoch(1, tuple(found)),)))
    parameters = parameters_of(document)
    assert len(says) == len(found) * len(parameters)
    comparable = {f"d{each}" for each in compared(problem, found[0].program)}
    for key, words in says.items():
        expected = f"{FINE}|{FAINT}" if key.rpartition(" ")[2] in comparable else "not compared"
        assert re.fullmatch(expected, words), (key, words)
    assert of_all == (NONE_DIFFERS if comparable else None)


@pytest.mark.parametrize("room", [gradient_check.MOST_LIVE, 0])
def test_a_gradient_that_is_wrong_in_the_book_is_named(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient_check, "MOST_LIVE", room)
    recorded = example("article")
    tampered = with_matrices(recorded.first, {**recorded.first.matrices, "dW1": 2 * recorded.first["dW1"]})
    says, of_all = certified(Trace(recorded.problem, (Epoch(1, (tampered,)),)))
    assert says == {"Step 10 dW2": "agrees", "Step 10 dW1": "differs", "Step 11 db2": "agrees", "Step 11 db1": "agrees"}
    assert of_all == "dW1 differs from its central-difference estimate"


def test_a_unit_at_its_kink_is_called_that() -> None:
    document = example_document("article") | {"convention": {}}
    document["layers"] = [dict(document["layers"][0], activation="relu"), document["layers"][1]]
    document["layers"][0].pop("bias")
    document["layers"][0]["weights"][0][0] = 0.0
    document["data"] = {"X": [[1, 0, 0, 0], [1, -0.5, 1, 0], [0, 0, 0, 1]], "Y": document["data"]["Y"]}
    says, of_all = certified(trace(problem_of(document)))
    assert says["Step 10 dW1"] == "agrees, but in 1 of 12 cells a function sits at its kink"
    assert says["Step 10 dW2"] == "agrees" and of_all == NONE_DIFFERS


def test_a_loss_that_leaves_float64_where_it_is_moved_is_called_that() -> None:
    """1/(1 + e^−z) is 1 in float64 from z = 36.7368 on, and ln(1 − a) then minus infinity."""
    document = {
        "learning_rate": 0.1,
        "loss": "binary_cross_entropy",
        "data": {"X": [[1.0, 0.0]], "Y": [[0.0]]},
        "layers": [{"activation": "sigmoid", "weights": [[36.736], [0.0]], "bias": [0.0007]}],
        "convention": {},
    }
    says, of_all = certified(trace(problem_of(document)))
    assert says["Step 10 dW1"] == "agrees, but in 1 of 2 cells the loss overflows float64"
    assert says["Step 11 db1"] in (BEYOND, "agrees") and of_all == NONE_DIFFERS


def test_each_pass_is_compared_and_live_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient_check, "MOST_LIVE", 1000)  # the first pass takes 832 cells
    says, of_all, rows = certified(
        trace(problem_of(example_document("article") | {"batch_size": 2}), (1, 2)), "Gradient check"
    )
    assert set(says.values()) == {"agrees"} and len(says) == 16 and of_all == NONE_DIFFERS
    recorded = "losses as they were when this book was written"
    assert [row[1] for row in rows if "losses" in str(row[1])] == [
        "Epoch 1, rows 1–2 · losses on the sheet Moved parameters",
        *(f"Epoch {place} · {recorded}" for place in ("1, row 3", "2, rows 1–2", "2, row 3")),
    ]


def test_of_a_large_network_some_cells_are_estimated_and_it_is_said_how_many() -> None:
    random = np.random.default_rng(5)
    document = example_document("article") | {
        "batch_size": 20,
        "data": {"X": random.uniform(0, 1, (20, 30)).round(2).tolist(), "Y": random.integers(0, 2, (20, 1)).tolist()},
        "layers": [{"activation": "tanh", "units": 25}, {"activation": "sigmoid", "units": 1, "bias": False}],
    }
    says, of_all, moved = certified(trace(problem_of(document)), "Moved parameters")
    assert says["Step 10 dW1"] == f"agrees in the {MOST_RECORDED} of 750 cells estimated"
    assert says["Step 10 dW2"] == says["Step 11 db1"] == "agrees" and "Step 11 db2" not in says
    assert of_all == NONE_DIFFERS and moved is None
