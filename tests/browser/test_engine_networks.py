"""The page's engine on random networks: every cell, text, worked line and name is what Python says."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.browser.asking import (
    ASK,
    Document,
    ask,
    assert_lines,
    by_cell,
    cells_of,
    plain,
    random_documents,
    recorded,
    text,
    turned_round,
)
from tests.engine.test_program_workbooks import OPTIMIZERS
from tests.unit.problem.test_layer_optimizers import document as with_optimizer
from tracer.expression.label import Name, label_mathml, label_text
from tracer.expression.lower import lower
from tracer.page.script_data import STYLES, script_data, written
from tracer.presentation.shown import shown
from tracer.problem.names import names_of
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace

pytestmark = pytest.mark.browser


@settings(max_examples=60)
@given(document=random_documents(), seed=st.integers(0, 2**32 - 1))
def test_every_cell_of_a_random_network_is_read_as_in_python(page: Any, document: Document, seed: int) -> None:
    assert_read_as_in_python(page, recorded(document), seed)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_cell_of_an_optimizer_is_read_as_in_python(page: Any, name: str) -> None:
    problem = problem_from_document(with_optimizer(OPTIMIZERS[name], {"error": "target - output"}), name, name)
    run = trace(problem, (1, 2))
    assert_read_as_in_python(page, run, 0)
    found = ask(page, ASK, data=script_data(run, run.last), cells=[], style="matrix")["values"]
    for each in run.last.program.computed:
        assert np.allclose(found[each], run.last[each], rtol=1e-12, atol=1e-15), each


def assert_read_as_in_python(page: Any, run: Trace, seed: int) -> None:
    one, decimals, style = run.last, shown(run, run.last), run.problem.names.style
    made = {key: each.expression for key, each in one.program.assignments.items() if each.expression is not None}
    lowered = {(key, *at): lower(rule, *at) for key, rule in made.items() for at in np.ndindex(rule.shape)}
    random = np.random.default_rng(seed)
    asked = [cell for cell in lowered if random.random() < max(0.1, 25 / len(lowered))]
    found = ask(page, ASK, data=script_data(run, one), cells=asked, style=style)

    for (key, row, column), shown_as in by_cell(found["texts"]).items():
        assert shown_as == decimals.text(key, float(one[key][row, column]))
    sources = by_cell(found["precedents"])
    assert sources == {cell: cells_of(lowered.get(cell)) for cell in sources}
    structures = by_cell(found["expressions"])
    assert {cell: structures[cell] for cell in lowered} == {k: plain(written(x)) for k, x in lowered.items()}
    assert by_cell(found["dependents"]) == turned_round(sources)

    for cell, worked in zip(asked, found["worked"], strict=True):
        names = names_of(run.problem)
        expected = decimals.work(one, cell[0], lowered[cell])
        assert worked["name"] == label_mathml(names.cell(*cell))
        assert_lines(worked, expected, lambda c: label_mathml(names.cell(c.matrix, c.row, c.column)), cell)  # noqa: B023


TIES = """({data}) => {
  const engine = TracerEngine.open(data), found = [];
  for (const [id, rows] of Object.entries(engine.values)) rows.forEach((row, i) => row.forEach((_, k) => {
    const [tied, bare] = [{ties: true}, {}].map((how) => engine.worked(id, i, k, {style: "matrix", ...how}));
    if (tied) found.push([tied, bare, engine.precedents(id, i, k)]);
  }));
  return found;
}"""


@pytest.mark.parametrize("name", ["article", "hand", "mazur", "linear-regression"])
def test_letters_and_numbers_can_be_tied_to_their_cells(page: Any, name: str) -> None:
    run = trace(load_problem(name))
    found = ask(page, TIES, data=script_data(run, run.last))
    assert found
    tie = re.compile(r'<mrow data-matrix="(\w+)" data-row="(\d+)" data-column="(\d+)">')
    for tied, bare, used in found:
        cells = {(cell["matrix"], cell["row"], cell["column"]) for cell in used}
        for line, same in zip(tied["lines"], bare["lines"], strict=True):
            assert list(map(text, line["terms"])) == list(map(text, same["terms"]))
        for line in tied["lines"][:2]:
            assert {(key, int(i), int(k)) for term in line["terms"] for key, i, k in tie.findall(term)} == cells


def test_decimals_can_be_chosen(page: Any) -> None:
    run = trace(load_problem("article"))
    choose = """({data}) => {
      const engine = TracerEngine.open(data);
      for (const id of Object.keys(engine.decimals)) engine.decimals[id] = 1;
      return [engine.text("Z1", 0, 1), engine.was("W1", 3, 0), engine.worked("Z1", 0, 1, {style: "matrix"})];
    }"""
    shown_as, was, worked = ask(page, choose, data=script_data(run, run.last))
    assert (shown_as, was) == ("1.8", "0.9")
    assert [" ".join(map(text, line["terms"])) for line in worked["lines"][1:]] == [
        "(1.0)(0.9) +(0.0)(0.7) +(1.0)(0.2) +(0.0)(0.1) +0.7",
        "0.880 +0.0 +0.180 +0.0 +0.7",
        "1.8",
    ]


WHOLE = """({data, styles}) => {
  const engine = TracerEngine.open(data), ids = Object.keys(engine.values);
  const each = (id, read) => engine.values[id].map((row, i) => row.map((_, k) => read(id, i, k)));
  return styles.map((style) => ids.map((id) => ({
    id,
    matrix: [engine.matrixName(id, style), engine.matrixWords(id, style), engine.fraction(id, style)],
    cells: each(id, (...cell) => [engine.cellName(...cell, style), engine.cellWords(...cell, style)]),
    fractions: each(id, (_, i, k) => engine.fraction(id, style, i, k)),
  })));
}"""


@settings(max_examples=60)
@given(document=random_documents())
def test_every_name_in_every_style_is_that_of_names(page: Any, document: Document) -> None:
    run = recorded(document)
    found = ask(page, WHOLE, data=script_data(run, run.last), styles=STYLES)
    for style, named in zip(STYLES, found, strict=True):
        names = names_of(replace(run.problem, names=replace(run.problem.names, style=style)))
        for each in named:
            key = each["id"]
            assert each["matrix"] == [*spelled(names.matrix(key)), markup(names.fraction(key))]
            for place in np.ndindex(run.last[key].shape):
                row, column = place
                assert each["cells"][row][column] == spelled(names.cell(key, *place))
                assert each["fractions"][row][column] == markup(names.fraction(key, place))


def spelled(name: Name) -> list[str]:
    return [label_mathml(name), label_text(name)]


def markup(name: Name | None) -> str | None:
    return None if name is None else label_mathml(name)
