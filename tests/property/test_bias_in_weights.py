"""The bias inside W: the same numbers as with a bias of its own, put together; and every output of them."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.agreement import assert_agrees
from tests.book_checks import check_book
from tests.documents import documents
from tests.engine.recalculate import by_cellrune
from tests.engine.test_workbooks import assert_recalculates
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.errors import NotFiniteError, ProblemError
from tracer.expression.label import Label, Ratio
from tracer.judging.conventions import Conventions
from tracer.judging.marking import mark_answers
from tracer.page.page import render_page
from tracer.presentation.theme import theme_of
from tracer.problem.problem import Problem, problem_from_document
from tracer.run.passes import Pass, Trace
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.plan import make_plan

Document = dict[str, Any]


def problem(document: Document) -> Problem:
    return problem_from_document(document, "drawn", "drawn.toml")


@st.composite
def biased(draw: st.DrawFn, **sizes: int) -> Document:
    """Documents in which every layer has a bias for each unit, all of them updated."""
    document = draw(documents(**sizes))  # type: ignore[arg-type]
    for layer in document["layers"]:
        units = len(layer["weights"][0])
        layer["bias"] = draw(st.lists(st.integers(-100, 100).map(lambda k: k / 100), min_size=units, max_size=units))
    document["convention"].pop("bias_update", None)
    return document


def inside(document: Document, bias_input: int) -> Document:
    """The same network with the bias as the first row of its weights."""
    layers = [
        {
            **{key: each[key] for key in each if key != "bias"},
            "weights": [_times(bias_input, each["bias"]), *each["weights"]],
        }
        for each in document["layers"]
    ]
    convention = {**document["convention"], "bias_in": "weights", "bias_input": bias_input}
    return {**document, "layers": layers, "convention": convention}


def _times(factor: int, row: list[float]) -> list[float]:
    return [factor * each for each in row]


def traced(document: Document) -> Trace:
    try:
        return trace(problem(document), (1, 2))
    except NotFiniteError:
        assume(False)
        raise


def put_together(one: Pass, depth: int, bias_input: int) -> dict[str, np.ndarray]:
    """The matrices of a pass with biases of their own, as they are with the bias inside."""
    found = dict(one.matrices)
    outer = {f"A{layer}" for layer in range(1, depth)} | {"X"}
    for name in outer:
        found[name] = np.insert(found[name], 0, bias_input, axis=1)
    for layer in range(1, depth + 1):
        for name in (f"{{}}{layer}", f"d{{}}{layer}", f"{{}}{layer}_next"):
            found[name.format("W")] = np.vstack([bias_input * found.pop(name.format("b")), found[name.format("W")]])
    return found


@settings(max_examples=60)
@given(document=biased(most_layers=4), bias_input=st.sampled_from([1, -1]))
def test_the_numbers_are_those_of_a_bias_of_its_own(document: Document, bias_input: int) -> None:
    apart, together = traced(document), traced(inside(document, bias_input))
    for one, other in zip(apart.passes, together.passes, strict=True):
        expected = put_together(one, len(document["layers"]), bias_input)
        assert set(expected) == set(other.matrices)
        for name, value in expected.items():
            assert_agrees(other[name], value, max(1.0, float(np.abs(value).max())), name, to=1e-9)
    made = together.problem
    again = problem(made.to_document())
    assert again == made and again.sha256 == made.sha256


@settings(max_examples=10)
@given(document=biased(most_layers=3, most_rows=3), bias_input=st.sampled_from([1, -1]))
def test_every_output_is_written(document: Document, bias_input: int) -> None:
    style = {"names": {"style": ["matrix", "article", "hand"][len(str(document)) % 3]}}
    recorded = traced(inside(document, bias_input) | style)
    check_book(recorded)
    render_page(recorded)
    for key in (False, True):
        render_worksheet(recorded, make_plan(recorded.problem, recorded.first.program), key, theme_of())


@pytest.mark.engine
@settings(max_examples=8)
@given(document=biased(most_layers=3, most_rows=4), bias_input=st.sampled_from([1, -1]))
def test_the_workbook_recalculates(document: Document, bias_input: int) -> None:
    recorded = traced(inside(document, bias_input))
    with tempfile.TemporaryDirectory() as folder:
        write_workbook(recorded, Path(folder) / "book.xlsx")
        assert_recalculates(recorded, Path(folder) / "book.xlsx", by_cellrune)


@settings(max_examples=40)
@given(document=biased(most_layers=3, most_rows=4, hand=True), bias_input=st.sampled_from([1, -1]))
def test_right_answers_are_right(document: Document, bias_input: int) -> None:
    recorded = traced(inside(document, bias_input))
    one = recorded.first
    assume(all(float(np.abs(value).max()) < 1e9 for value in one.matrices.values()))
    answers = {name: [[f"{value:.14f}" for value in row] for row in one[name]] for name in one.program.computed}
    sheet = mark_answers(read_content("a.json", json.dumps(answers).encode()), Conventions(key_of(recorded.problem)))
    assert not [each for each in sheet.marks if each.verdict not in ("correct", "rounded")]


@settings(max_examples=25)
@given(document=biased(most_layers=3, most_rows=3, hand=True), seed=st.integers(0, 2**32 - 1))
def test_wrong_answers_are_marked(document: Document, seed: int) -> None:
    """Each matrix is off in a way of its own: cells moved, rows exchanged, the bias forgotten."""
    recorded, random = traced(inside(document, 1)), np.random.default_rng(seed)
    one = recorded.first
    assume(all(float(np.abs(value).max()) < 1e9 for value in one.matrices.values()))
    off = {name: one[name] + random.integers(-1, 2, one[name].shape) / 10 for name in one.program.computed}
    off["Z1"] = one["X"][:, 1:] @ one["W1"][1:]
    answers = {name: [[f"{value:.4f}" for value in row] for row in matrix] for name, matrix in off.items()}
    sheet = mark_answers(read_content("a.json", json.dumps(answers).encode()), Conventions(key_of(recorded.problem)))
    assert {each.id for each in sheet.marks} == set(off)


DOCUMENT: Document = {
    "learning_rate": 0.5,
    "loss": "half_squared_error",
    "data": {"X": [[0.05, 0.1]], "Y": [[0.01]]},
    "layers": [
        {"activation": "sigmoid", "weights": [[0.35, 0.2], [0.15, 0.25], [0.2, 0.3]]},
        {"activation": "sigmoid", "weights": [[0.6], [0.4], [0.45]]},
    ],
    "convention": {"bias_in": "weights"},
}


def changed(**changes: Any) -> Document:
    return DOCUMENT | changes


@pytest.mark.parametrize(
    ("document", "place", "says"),
    [
        (
            changed(layers=[DOCUMENT["layers"][0] | {"bias": [1, 1]}, DOCUMENT["layers"][1]]),
            "layers[0].bias",
            "expected the bias as the first row of weights",
        ),
        (
            changed(layers=[DOCUMENT["layers"][0], DOCUMENT["layers"][1] | {"weights": [[0.4], [0.45]]}]),
            "layers[1].weights",
            "found 2×1, expected 3 rows: the units of layers[0]",
        ),
        (changed(convention={"bias_input": -1}), "convention.bias_input", "found it without bias_in = 'weights'"),
        (
            changed(convention={"bias_in": "weights", "bias_update": False}),
            "convention.bias_update",
            "where biases are weights too",
        ),
        (
            changed(convention={"bias_in": "weights", "bias_input": 0}),
            "convention.bias_input",
            "found 0, expected 1 or -1",
        ),
        (changed(names={"b1": "bias"}), "names", "unknown key 'b1'"),
        (changed(names={"style": "mazur"}), "names.style", "it numbers the biases apart from the weights"),
    ],
)
def test_what_does_not_fit_is_said(document: Document, place: str, says: str) -> None:
    with pytest.raises(ProblemError) as caught:
        problem(document)
    told = [(caught.value.place, caught.value.says), *((each.place, each.says) for each in caught.value.others)]
    assert any(where == place and says in sentence for where, sentence in told), told


def test_drawn_weights_have_a_row_for_the_bias() -> None:
    document = changed(layers=[{"activation": "sigmoid", "units": 2}, {"activation": "sigmoid", "units": 1}])
    assert [layer.weights.shape for layer in problem(document).layers] == [(3, 2), (3, 1)]
    assert trace(problem(document)).last["A1"].tolist()[0][0] == 1.0


def test_the_bias_counts_as_unit_0() -> None:
    names = trace(problem(changed(names={"style": "hand"}))).names
    label = [names.cell("W1", 0, 0), names.cell("A1", 0, 0), names.cell("E1", 0, 0)]
    assert label[:2] == [Label("W", "i0j1"), Label("h1", "out0")]
    assert isinstance(label[2], Ratio) and label[2].bottom == Label("h1", "out1")


def test_a_bias_that_was_left_out_is_named() -> None:
    made = problem(DOCUMENT)
    answers = {"Z1": [["0.0275", "0.0425"]]}
    sheet = mark_answers(read_content("a.json", json.dumps(answers).encode()), Conventions(key_of(made)))
    assert [each.slips[0].slug for each in sheet.marks] == ["no-bias", "no-bias"]
    assert "the bias 0.35 was not added" in sheet.marks[0].slips[0].says


def test_names_of_units_are_read_past_the_bias() -> None:
    one = trace(problem(DOCUMENT)).last
    lines = [f"z{k + 1} = {one['Z1'][0, k]:.4f}\nout_h{k + 1} = {one['A1'][0, k + 1]:.4f}" for k in range(2)]
    read = read_content("a.txt", "\n".join(lines).encode())
    sheet = mark_answers(read, Conventions(key_of(problem(DOCUMENT))))
    assert [(each.id, each.row, each.column, each.verdict) for each in sheet.marks if each.answer] == [
        ("Z1", 0, 0, "correct"), ("Z1", 0, 1, "correct"), ("A1", 0, 1, "correct"), ("A1", 0, 2, "correct"),
    ]  # fmt: skip
