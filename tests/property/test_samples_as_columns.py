"""A sample in each column: every matrix is the transpose of what it is with a sample in each row, in every output."""

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
from tracer.derivation.book import render_derivation
from tracer.errors import NotFiniteError, ProblemError
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.page.page import render_page
from tracer.presentation.theme import theme_of
from tracer.problem.problem import Problem, problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.plan import make_plan

Document = dict[str, Any]


def problem(document: Document) -> Problem:
    return problem_from_document(document, "drawn", "drawn.toml")


def in_columns(document: Document) -> Document:
    """The same problem, typed with a sample in each column."""
    data = {key: np.array(each, dtype=float).T.tolist() for key, each in document["data"].items()}
    layers = [{**each, "weights": np.array(each["weights"], dtype=float).T.tolist()} for each in document["layers"]]
    convention = {**document["convention"], "samples": "columns"}
    return {**document, "data": data, "layers": layers, "convention": convention}


def traced(document: Document, epochs: tuple[int, ...] = (1, 2)) -> Trace:
    try:
        return trace(problem(document), epochs)
    except NotFiniteError:
        assume(False)
        raise


@settings(max_examples=80)
@given(document=documents(most_layers=4))
def test_every_matrix_is_the_transpose(document: Document) -> None:
    rows, columns = traced(document), traced(in_columns(document))
    for one, other in zip(rows.passes, columns.passes, strict=True):
        assert list(one.matrices) == list(other.matrices)
        for name, value in one.matrices.items():
            assert other[name].shape == value.shape[::-1] == other.program.assignments[name].shape
            assert_agrees(other[name].T, value, max(1.0, float(np.abs(value).max())), name, to=1e-9)
    made = columns.problem
    again = problem(made.to_document())
    assert again == made and again.sha256 == made.sha256
    turned = columns.by_rows()
    assert turned.problem == rows.problem
    for one, other in zip(rows.passes, turned.passes, strict=True):
        assert [each.expression for each in one.program.assignments.values()] == [
            each.expression for each in other.program.assignments.values()
        ]


@settings(max_examples=12)
@given(document=documents(most_layers=3, most_rows=3), style=st.sampled_from(["matrix", "article", "hand", "mazur"]))
def test_every_output_is_written(document: Document, style: str) -> None:
    recorded = traced(in_columns(document) | {"names": {"style": style}})
    assert "In this derivation a sample stands in each row" in render_derivation(recorded)
    check_book(recorded.by_rows())
    render_page(recorded)
    for key in (False, True):
        render_worksheet(recorded, make_plan(recorded.problem, recorded.first.program), key, theme_of())


@settings(max_examples=30)
@given(document=documents(most_layers=3, most_rows=3), style=st.sampled_from(["hand", "mazur"]))
def test_units_and_weights_are_called_the_same_in_both_layouts(document: Document, style: str) -> None:
    rows = trace_names(document | {"names": {"style": style}})
    columns = trace_names(in_columns(document) | {"names": {"style": style}})
    for name, (height, width) in rows[1].items():
        for row in range(height):
            for column in range(width):
                if not name.startswith("J"):
                    assert rows[0].cell(name, row, column) == columns[0].cell(name, column, row), name


def trace_names(document: Document) -> tuple[Any, dict[str, tuple[int, int]]]:
    recorded = traced(document, (1,))
    return recorded.names, {name: value.shape for name, value in recorded.first.matrices.items()}


@pytest.mark.engine
@settings(max_examples=8)
@given(document=documents(most_layers=3, most_rows=4))
def test_the_workbook_recalculates(document: Document) -> None:
    recorded = traced(in_columns(document))
    with tempfile.TemporaryDirectory() as folder:
        write_workbook(recorded, Path(folder) / "book.xlsx")
        assert_recalculates(recorded, Path(folder) / "book.xlsx", by_cellrune)


# Marking


def marked(recorded: Trace, answers: dict[str, np.ndarray], decimals: int) -> MarkedSheet:
    texts = {name: [[f"{value:.{decimals}f}" for value in row] for row in matrix] for name, matrix in answers.items()}
    return mark_answers(read_content("a.json", json.dumps(texts).encode()), Conventions(key_of(recorded.problem)))


@settings(max_examples=40)
@given(document=documents(most_layers=3, most_rows=4, hand=True))
def test_right_answers_are_right(document: Document) -> None:
    one = (recorded := traced(in_columns(document), (1,))).first.by_hand(recorded.problem)
    assume(all(float(np.abs(value).max()) < 1e9 for value in one.matrices.values()))
    sheet = marked(recorded, {name: one[name] for name in one.program.computed}, 14)
    assert not [each for each in sheet.marks if each.verdict not in ("correct", "rounded")]


@settings(max_examples=25, deadline=None)
@given(document=documents(most_layers=3, most_rows=3, hand=True), seed=st.integers(0, 2**32 - 1))
def test_wrong_answers_get_the_same_marks_in_both_layouts(document: Document, seed: int) -> None:
    rows, columns = (traced(each, (1,)) for each in (document, in_columns(document)))
    one, random = rows.first, np.random.default_rng(seed)
    assume(all(float(np.abs(value).max()) < 1e6 for value in one.matrices.values()))
    off = {
        name: one[name] + (random.random(one[name].shape) < 0.3) * random.integers(-1, 2, one[name].shape) / 10
        for name in one.program.computed
    }
    off["Z1"] = one["X"] @ one["W1"]
    plain, turned = marked(rows, off, 4), marked(columns, {name: each.T for name, each in off.items()}, 4)
    expected = {(each.id, each.row, each.column): each.verdict for each in plain.marks}
    found = {(each.id, each.column, each.row): each.verdict for each in turned.marks}
    assert found == expected


DOCUMENT: Document = {
    "learning_rate": 0.5,
    "loss": "half_squared_error",
    "data": {"X": [[0.05, 0.3, 0.1], [0.1, -0.2, 0.7]], "Y": [[0.01, 0.99, 1]]},
    "layers": [
        {"activation": "sigmoid", "weights": [[0.15, 0.25], [0.2, 0.3], [0.1, 0.4]], "bias": [0.1, 0.2, 0.3]},
        {"activation": "sigmoid", "weights": [[0.6, 0.4, 0.45]], "bias": [0.5]},
    ],
    "convention": {"samples": "columns"},
}


def test_shapes_are_features_by_samples_and_units_by_inputs() -> None:
    one = trace(problem(DOCUMENT)).last
    shapes = {name: one[name].shape for name in ("X", "W1", "b1", "Z1", "W2", "D1", "dW1", "db1", "W1_next")}
    assert shapes == {
        "X": (2, 3), "W1": (3, 2), "b1": (3, 1), "Z1": (3, 3), "W2": (1, 3), "D1": (3, 3), "dW1": (3, 2), "db1": (3, 1),
        "W1_next": (3, 2),
    }  # fmt: skip


def test_a_slip_is_named_in_this_layout_too() -> None:
    recorded = trace(problem(DOCUMENT))
    one = recorded.last
    sheet = marked(recorded, {"Z1": one["W1"] @ one["X"]}, 4)
    assert {each.slips[0].slug for each in sheet.marks} == {"no-bias"}
    assert "the bias 0.1 was not added" in sheet.marks[0].slips[0].says


def test_a_sheet_with_a_sample_in_each_row_is_recognised() -> None:
    recorded = trace(problem(DOCUMENT))
    one = recorded.last
    sheet = marked(recorded, {name: one[name].T for name in one.program.computed}, 4)
    assert sheet.all_right or (sheet.other is not None and sheet.other.all_right)


def test_names_of_units_are_read_in_this_layout() -> None:
    document = DOCUMENT | {"data": {"X": [[0.05], [0.1]], "Y": [[0.01]]}}
    one = trace(problem(document)).last
    lines = [f"z{k + 1} = {one['Z1'][k, 0]:.4f}\nout_h{k + 1} = {one['A1'][k, 0]:.4f}" for k in range(3)]
    lines += [f"dL_dw{k + 1} = {value:.6f}" for k, value in enumerate([*one["dW1"].ravel(), *one["dW2"].ravel()])]
    read = read_content("a.txt", "\n".join(lines).encode())
    sheet = mark_answers(read, Conventions(key_of(problem(document))))
    assert {each.id for each in sheet.marks} == {"Z1", "A1", "dW1", "dW2"} and len(sheet.marks) == 15
    assert sheet.all_right and not sheet.sheet.answers.not_read


def test_what_does_not_fit_is_told_as_rows() -> None:
    layers = [DOCUMENT["layers"][0] | {"weights": [[0.15, 0.25, 0.2]] * 3}, DOCUMENT["layers"][1]]
    with pytest.raises(ProblemError, match=r"expected 2 rows.*told with a sample in each row"):
        problem(DOCUMENT | {"layers": layers})


def test_a_data_file_keeps_a_sample_a_row(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,b,y\n1,2,0\n3,4,1\n5,6,1\n")
    (tmp_path / "p.toml").write_text(
        'learning_rate = 0.1\nloss = "squared_error"\n[data]\nfile = "d.csv"\ninputs = ["a", "b"]\ntargets = ["y"]\n'
        '[[layers]]\nactivation = "tanh"\nweights = [[0.1, 0.2]]\nbias = [0.3]\n[convention]\nsamples = "columns"\n'
    )
    one = trace(load_problem(tmp_path / "p.toml")).last
    assert one["X"].tolist() == [[1, 3, 5], [2, 4, 6]] and one["Y"].tolist() == [[0, 1, 1]]
    assert one["Z1"] == pytest.approx(one["W1"] @ one["X"] + 0.3)


def test_layouts_and_the_bias_inside_go_together() -> None:
    """The bias is then the first column of W, its 1 the first row of what a layer takes in."""
    layers = [{"activation": "tanh", "weights": [[0.5, 0.1, 0.2], [0.6, 0.3, 0.4]]},
              {"activation": "linear", "weights": [[0.7, 0.8, 0.9]]}]  # fmt: skip
    document = DOCUMENT | {"layers": layers, "convention": {"samples": "columns", "bias_in": "weights"}}
    recorded = trace(problem(document))
    one = recorded.last
    assert one["X"].tolist()[0] == one["A1"].tolist()[0] == [1, 1, 1]
    assert one["Z1"] == pytest.approx(np.array([[0.1, 0.2], [0.3, 0.4]]) @ one["X"][1:] + [[0.5], [0.6]])
    assert one["dW2"].shape == (1, 3) and one["E1"].shape == (2, 3)
    again = problem(recorded.problem.to_document())
    assert again == recorded.problem
    assert marked(recorded, {name: one[name] for name in one.program.computed}, 5).all_right
    render_page(recorded)
    render_derivation(recorded)
