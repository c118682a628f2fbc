"""The Python readings give what the conformance cases say, which the page's engine gives too (tests/browser)."""

import json
from typing import Any, get_args

import numpy as np
import pytest

from tests.conformance import FILE, VALUES, as_json, cases, data_of, readings
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.dependents import dependents
from tracer.expression.lower import lower, precedents

CASES = cases()


@pytest.fixture(scope="module")
def golden() -> Any:
    return json.loads(FILE.read_text(encoding="utf-8"))


def test_every_case_is_in_the_file_and_every_kind_of_expression_in_a_case(golden: Any) -> None:
    assert list(golden) == list(CASES)
    kinds = {type(part) for made in CASES.values() for part in traversal.parts(made)}
    assert kinds | {m.StableForm} == set(get_args(m.Matrix))


@pytest.mark.parametrize("name", CASES)
def test_python_reads_a_case_as_the_file_has_it(name: str, golden: Any) -> None:
    made, expected = CASES[name], golden[name]
    assert as_json(data_of(VALUES, made)) == expected["data"]
    found = as_json(readings(made))
    np.testing.assert_allclose(found.pop("values"), expected["readings"].pop("values"), rtol=1e-12, atol=1e-12)
    assert found == expected["readings"]


@pytest.mark.parametrize("name", CASES)
def test_a_marked_cell_goes_into_those_it_is_a_precedent_of(name: str) -> None:
    """One reading goes from cells to what is made of them, the other from a cell to what it is made of."""
    made = CASES[name]
    used = {place: precedents(lower(made, *place)) for place in np.ndindex(made.shape)}
    for cell in {s.Cell(letter, *place) for letter, given in VALUES.items() for place in np.ndindex(np.shape(given))}:
        marked = np.zeros(np.shape(VALUES[cell.matrix]), dtype=bool)
        marked[cell.row, cell.column] = True
        into = dependents(made, {cell.matrix: marked})
        assert {place for place in used if into[place]} == {place for place in used if cell in used[place]}
