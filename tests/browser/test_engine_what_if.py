"""Numbers that are changed on the page: everything after them is what a fresh trace has."""

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.agreement import assert_agrees
from tests.browser.asking import Document, Place, ask, largest, random_documents, recorded
from tests.reference import forward, is_worked, parameters_of
from tracer.expression.lower import lower, precedents
from tracer.page import script_data as scripts
from tracer.page.script_data import script_data
from tracer.problem.reading import load_problem
from tracer.run.passes import Pass
from tracer.run.training import trace

pytestmark = pytest.mark.browser

CHANGE = """({data, changes, undo}) => {
  const engine = TracerEngine.open(data), was = JSON.stringify(engine.values);
  const change = (all) => { for (const each of all) engine.set(...each); engine.recalculate(); };
  change(changes);
  const changed = engine.values;
  const differs = Object.entries(changed).flatMap(([id, rows]) =>
    rows.flatMap((row, i) => row.flatMap((_, k) => engine.differs(id, i, k) ? [[id, i, k]] : [])));
  change(undo);
  const undone = JSON.stringify(engine.values) === was;
  change(changes);
  engine.reset();
  return {changed, differs, undone, restored: JSON.stringify(engine.values) === was};
}"""


def put(document: Document, key: str, row: int, column: int, number: float) -> None:
    """Write a number into a problem document; a shared bias stands there alone."""
    if key in ("X", "Y"):
        document["data"][key][row][column] = number
    elif key == "learning_rate":
        document[key] = number
    else:
        layer = document["layers"][int(key[1:]) - 1]
        if key[0] == "W":
            layer["weights"][row][column] = number
        elif isinstance(layer["bias"], list):
            layer["bias"][column] = number
        else:
            layer["bias"] = number


def followers(one: Pass, changed: set[Place]) -> set[Place]:
    """The cells that depend on changed ones, directly or not, and these."""
    found = set(changed)
    for key, each in one.program.assignments.items():
        for place in np.ndindex(each.shape):
            used = () if each.expression is None else precedents(lower(each.expression, *place))
            if any((c.matrix, c.row, c.column) in found for c in used):
                found.add((key, *place))
    return found


@settings(max_examples=60)
@given(document=random_documents(), data=st.data())
def test_what_if_gives_the_numbers_of_a_fresh_trace(page: Any, document: Document, data: st.DataObject) -> None:
    run = recorded(document)
    one, changed = run.first, copy.deepcopy(document)
    changes: dict[Place, float] = {}
    for key in data.draw(st.lists(st.sampled_from(one.program.inputs), min_size=1, max_size=3, unique=True)):
        if key == "Y" and document["loss"] == "cross_entropy":  # whose rows sum to 1
            continue
        place = data.draw(st.sampled_from(list(np.ndindex(one[key].shape))))
        changes[key, *place] = data.draw(st.sampled_from([0.3, 0.75, 0.05]))
        put(changed, key, *place, changes[key, *place])
    assume(is_worked(changed, forward(changed, np.array(changed["data"]["X"]), parameters_of(changed))))
    expected = recorded(changed).first
    undo = [(key, *place, float(one[key][tuple(place)])) for key, *place in changes]
    what = {"changes": [(*cell, number) for cell, number in changes.items()], "undo": undo}
    found = ask(page, CHANGE, data=script_data(run, one), **what)
    assert found["undone"] and found["restored"]
    most = largest(expected)
    for key in one:
        assert_agrees(found["changed"][key], expected[key], most, key)
    differs = {tuple(cell) for cell in found["differs"]}
    moved = {(key, *at) for key in one for at in np.ndindex(one[key].shape)
             if abs(one[key][at] - expected[key][at]) > 1e-9 * most}  # fmt: skip
    assert moved <= differs <= followers(one, set(changes))


def test_a_run_that_is_not_shipped_is_worked_out(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trace(load_problem("softmax-classifier"))
    monkeypatch.setattr(scripts, "MOST_SHIPPED", 10)
    data = script_data(run, run.last)
    assert data and not any("value" in each for each in data["computed"])
    found = ask(page, "({data}) => TracerEngine.open(data).original", data=data)
    for key in run.last:
        assert_agrees(found[key], run.last[key], largest(run.last), key)


def test_only_given_numbers_can_be_changed(page: Any) -> None:
    run = trace(load_problem("article"))
    says = "({data}) => { try { TracerEngine.open(data).set('Z1', 0, 0, 1); } catch (wrong) { return wrong.message; } }"
    assert ask(page, says, data=script_data(run, run.last)) == "Z1 is computed"


def test_the_pass_after_is_the_same_rules_over_the_updated_parameters(page: Any) -> None:
    run = trace(load_problem("article"))
    after = """({data}) => {
      const engine = TracerEngine.open(data), next = {};
      for (const id of ["W1", "b1", "W2", "b2"]) next[id] = engine.values[`${id}_next`];
      return [engine.run(next).L[0][0], engine.values === engine.original];
    }"""
    loss, untouched = ask(page, after, data=script_data(run, run.last))
    assert loss == pytest.approx(run.after, rel=1e-12) and untouched
