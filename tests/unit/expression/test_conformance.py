"""The Python readings give what the conformance cases say, which the page's engine gives too (tests/browser)."""

import json
from typing import Any, get_args

import numpy as np
import pytest

from tests.conformance import FILE, VALUES, as_json, cases, data_of, readings
from tracer.expression import matrix as m
from tracer.expression import traversal

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
