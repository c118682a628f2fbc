"""Mistakes taken out of a problem file, so that the rest of it can be looked at."""

import copy
from typing import Any

import pytest

from tracer.problem.mending import FieldFault, mended
from tracer.problem.mistakes import read_document

DOCUMENT: dict[str, Any] = {
    "learning_rate": 0.5,
    "loss": "squared_error",
    "data": {"X": [[1, "a"], [2, 3]], "Y": [[1], [0]]},
    "layers": [{"activation": "tanh", "slope": 1, "weights": [[1], [None]], "bias": [["b"]]}],
}
LAYER = DOCUMENT["layers"][0]


@pytest.mark.parametrize(
    ("fault", "becomes"),
    [
        (FieldFault(("loss",)), {"loss": "half_squared_error"}),
        (FieldFault(("epochs",)), {}),
        (FieldFault(("initial", "weights", "low")), {}),
        (FieldFault(("data", "X")), {"data": {"X": [[0.0, 0.0]] * 2, "Y": [[1], [0]]}}),
        (FieldFault(("layers", 0, "weights")), {"layers": [LAYER | {"weights": [[0.0], [0.0]]}]}),
        (FieldFault(("layers", 0, "bias")), {"layers": [LAYER | {"bias": [0.0]}]}),
        (FieldFault(("layers", 0), (".slope",)), {"layers": [{k: v for k, v in LAYER.items() if k != "slope"}]}),
    ],
)
def test_a_mistake_is_taken_out_and_the_rest_stays(fault: FieldFault, becomes: dict[str, Any]) -> None:
    before = copy.deepcopy(DOCUMENT)
    assert mended(DOCUMENT, [fault]) == DOCUMENT | becomes
    assert before == DOCUMENT


def test_a_key_is_renamed_before_it_is_missed() -> None:
    document = {"lr": 2.0, **{key: value for key, value in DOCUMENT.items() if key != "learning_rate"}}
    faults = [FieldFault(("learning_rate",)), FieldFault(("lr",), unknown=True, meant="learning_rate")]
    assert mended(document, faults[1:]) == DOCUMENT | {"learning_rate": 2.0}
    assert "lr" not in (mended(document, faults) or {"lr": 0})


@pytest.mark.parametrize(
    "place", [(), ("data",), ("layers",), ("data", "inputs"), ("layers", 0), ("layers", 0, "units")]
)
def test_what_nobody_can_guess_is_given_up(place: tuple[str | int, ...]) -> None:
    assert mended(DOCUMENT, [FieldFault(place)]) is None


def test_what_was_read_says_where_it_was_mended() -> None:
    read = read_document(DOCUMENT)
    assert read.raw is not None and read.spoilt == {"data", "layers"}
    assert [each.place for each in read.mistakes] == [
        "data.X[0][1]",
        "layers[0].weights[1][0]",
        "layers[0].bias[0]",
        "layers[0].slope",
    ]


def test_a_key_that_nobody_can_have_meant_is_left_out() -> None:
    assert mended(DOCUMENT | {"lamps": 3}, [FieldFault(("lamps",), unknown=True)]) == DOCUMENT
