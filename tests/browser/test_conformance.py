"""The page's engine gives what the conformance cases say, as the Python readings do."""

import json
from typing import Any

import numpy as np
import pytest

from tests.browser.asking import ASK, ask
from tests.conformance import FILE

pytestmark = pytest.mark.browser

CASES = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_the_engine_reads_a_case_as_the_file_has_it(page: Any, name: str) -> None:
    data, expected = CASES[name]["data"], CASES[name]["readings"]
    places = list(expected["worked"])
    cells = [["R", *map(int, place.split(","))] for place in places]
    found = ask(page, ASK, data=data, cells=cells, style="matrix")
    np.testing.assert_allclose(found["values"]["R"], expected["values"], rtol=1e-12, atol=1e-12)
    worked = ({key: each[key] for key in ("lines", "exact")} for each in found["worked"])
    assert dict(zip(places, worked, strict=True)) == expected["worked"]
    for part in ("expressions", "precedents"):
        of_result = {key.removeprefix("R,"): what for key, what in found[part] if key.startswith("R,")}
        assert of_result == expected[part], part
