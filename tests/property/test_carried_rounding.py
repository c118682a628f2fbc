"""`carry_rounded`: every matrix is the rounding of its rule on the rounded matrices before it."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.by_hand import exactly, rounded, rules
from tests.strategies import OUTPUTS, documents
from tests.traces import passes

DOCUMENT = {
    "learning_rate": 0.5,
    "loss": "half_squared_error",
    "carry_rounded": True,
    "data": {"X": [[3.0, -1.0]], "Y": [[1.0]]},
    "layers": [{"activation": "linear", "weights": [[0.35], [0.0]]}],
    "convention": {},
}


def decimals_of(document: dict[str, Any], key: str) -> int:
    decimals = document.get("decimals", 3)
    return decimals.get(key, 3) if isinstance(decimals, dict) else decimals


@pytest.mark.parametrize("outputs", OUTPUTS)
@settings(max_examples=5)
@given(data=st.data())
def test_every_matrix_is_rounded_half_away_from_zero_before_it_is_used(
    outputs: tuple[str, str, bool], data: st.DataObject
) -> None:
    document = data.draw(documents(outputs, carried=True, hand=True, most_layers=4, most_rows=4))
    for one in passes(document):
        exact = rules(document, one)
        assert set(exact) == set(one.program.computed)
        for key, grid in exact.items():
            if key[0] == "b" and not document["convention"].get("bias_update", True):
                continue  # it stays: see the last test
            shown = exactly(one[key])
            assert len(shown) == len(grid) and len(shown[0]) == len(grid[0]), key
            for place in np.ndindex(one[key].shape):
                value, found = grid[place[0]][place[1]], shown[place[0]][place[1]]
                assert found in rounded(value, decimals_of(document, key)), (key, place, value, found)
                assert not (found == 0 and found.is_signed()), f"{key}: a zero with a sign"


def test_a_tie_that_float64_misses_goes_away_from_zero() -> None:
    """0.35·3 is 1.0499999999999998 in float64."""
    document = DOCUMENT | {"decimals": 1}
    (one,) = passes(document)
    assert one["Z1"].tolist() == [[1.1]]
    assert exactly(one["E"]) == [[Decimal("0.1")]]
    assert one["dW1"].tolist() == [[0.3], [-0.1]]
    assert one["W1_next"].tolist() == [[0.2], [0.1]]  # 0.35 − 0.15 and 0.05, a tie
    document["layers"] = [{"activation": "linear", "weights": [[-0.35], [0.0]]}]
    assert passes(document)[0]["Z1"].tolist() == [[-1.1]]


def test_a_table_of_decimals_rounds_each_matrix_to_its_own() -> None:
    document = DOCUMENT | {"decimals": {"Z1": 0, "E": 2}}
    (one,) = passes(document)
    assert one["Z1"].tolist() == [[1.0]]
    assert one["A1"].tolist() == [[1.0]]
    assert one["E"].tolist() == [[0.0]]


def test_the_second_epoch_starts_from_the_rounded_update() -> None:
    document = DOCUMENT | {"decimals": 1}
    first, second = passes(document, (1, 2))
    assert second["W1"].tolist() == first["W1_next"].tolist() == [[0.2], [0.1]]
    assert second["Z1"].tolist() == [[0.5]]


@pytest.mark.parametrize("decimals", [1, 3])
def test_a_bias_that_stays_stays_as_it_was_typed(decimals: int) -> None:
    """Mazur's biases are never updated; a rounded copy of one would be another bias in epoch 2."""
    document = DOCUMENT | {"decimals": decimals, "convention": {"bias_update": False}}
    document["layers"] = [{"activation": "linear", "weights": [[0.5], [0.25]], "bias": [0.4375]}]
    first, second = passes(document, (1, 2))
    assert second["b1"].tolist() == first["b1"].tolist() == [[0.4375]]
