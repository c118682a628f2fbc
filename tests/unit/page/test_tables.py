"""The rows of a page's tables: every shown cell with its text, dots for what is left out, headings to be read out."""

import re

import numpy as np
import pytest

from tracer.lesson.build import build
from tracer.page.tables import axes, table_body, table_columns, table_rows
from tracer.presentation.board import lay_out
from tracer.presentation.shown import shown
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.program.naming_policy import RATE
from tracer.run.passes import Trace
from tracer.run.training import trace

Rows = list[list[tuple[str, str]]]


def recorded(rows: int, units: int) -> Trace:
    random = np.random.default_rng(rows)
    document = {
        "learning_rate": 0.1,
        "loss": "half_squared_error",
        "data": {"X": random.normal(size=(rows, units)).tolist(), "Y": np.ones((rows, 1)).tolist()},
        "layers": [{"activation": "tanh", "units": units}, {"activation": "linear", "units": 1}],
    }
    return trace(problem_from_document(document, "made", "made"))


def table(run: Trace, key: str) -> Rows:
    """The cells of a table, each as its tag with attributes and its text."""
    place = lay_out(run.first.program).places[key]
    body = table_body(run.first, shown(run, run.first), place, axes(run.first.program, key))
    return [re.findall(r"<(t[dh][^>]*)>([^<]*)", row) for row in body.markup.split("\n")]


@pytest.mark.parametrize(("rows", "units"), [(1, 1), (3, 2), (14, 14), (15, 3), (3, 15), (40, 40)])
def test_every_shown_cell_has_its_text_and_the_headings_count(rows: int, units: int) -> None:
    run = recorded(rows, units)
    decimals = shown(run, run.first)
    for key in ("X", "W1", "A1", "W1_next"):
        values = run.first[key]
        head, *lines = table(run, key)
        kept = table_columns(values.shape[1])
        assert [text for _, text in head[1:]] == ["" if k is None else str(k + 1) for k in kept]
        for row, ((_, name), *cells) in zip(table_rows(len(values)), lines, strict=True):
            assert name == ("" if row is None else str(row + 1))
            expected = ["⋮" if row is None else "⋯" if k is None else decimals.text(key, values[row, k]) for k in kept]
            assert [text for _, text in cells] == expected


def test_headings_say_what_they_count() -> None:
    head, first, *_ = table(recorded(3, 2), "A1")
    assert head[2][0] == 'th scope="col" aria-label="unit 2"' and first[0][0] == 'th scope="row" aria-label="sample 1"'
    program = build(load_problem("softmax-classifier"))
    found = {each: axes(program, each) for each in ("X", "W1", "W2", "b1", "db2", "Z1", "E", "J1", "L", RATE)}
    assert found == {
        "X": ("sample", "input"),
        "W1": ("input", "unit"),
        "W2": ("unit before", "output"),
        "b1": ("", "unit"),
        "db2": ("", "output"),
        "Z1": ("sample", "unit"),
        "E": ("sample", "output"),
        "J1": ("output", "input of output"),
        "L": ("", ""),
        RATE: ("", ""),
    }
