"""What a publication did though it is not the gradient: exactly that, and marked as nothing else."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.agreement import assert_agrees
from tests.reference import batches_of, forward, is_worked, one_pass, parameters_of
from tests.strategies import OUTPUTS, documents
from tests.traces import first_pass
from tracer.run.passes import Pass

NEAR = 1e-11  # as in test_gradients.py


def expected_pass(document: dict[str, Any]) -> dict[str, np.ndarray]:
    X, Y = (np.array(document["data"][key], dtype=float) for key in "XY")
    rows, parameters = batches_of(document)[0], parameters_of(document)
    assume(is_worked(document, forward(document, X, parameters)))
    return one_pass(document, X[rows], Y[rows], parameters)


def assert_all_agree(found: Pass, expected: dict[str, np.ndarray]) -> None:
    largest = max(1.0, *(float(np.abs(value).max()) for value in expected.values()))
    for key, value in expected.items():
        if key != "A0":
            assert_agrees(found[key], value, largest, key, NEAR)


@pytest.mark.parametrize("outputs", OUTPUTS)
@settings(max_examples=6)
@given(data=st.data())
def test_each_flag_gives_what_its_publication_did(outputs: tuple[str, str, bool], data: st.DataObject) -> None:
    document = data.draw(documents(outputs, reproduced=True))
    expected = expected_pass(document)
    assert_all_agree(first_pass(document), expected)


@settings(max_examples=60)
@given(documents())
def test_without_a_flag_numpy_agrees_as_pytorch_does(document: dict[str, Any]) -> None:
    """Holds the reference of the test above to the gradients that test_gradients.py checks."""
    expected = expected_pass(document)
    assert_all_agree(first_pass(document), expected)


@settings(max_examples=60)
@given(documents(most_layers=3, hand=True))
def test_the_rate_twice_is_the_rate_squared_in_every_update(document: dict[str, Any]) -> None:
    document["reproduce"] = {"rate_twice": True}
    document["convention"]["learning_rate_in"] = "delta"
    document["learning_rate"] = 0.1
    expected_pass(document)
    twice = first_pass(document)
    document["reproduce"] = {}
    document["convention"]["learning_rate_in"] = "update"
    once = first_pass(document)
    for key in parameters_of(document):
        change = 0.1 * (once[f"{key}_next"] - once[key])
        assert_agrees(twice[f"{key}_next"] - twice[key], change, np.abs(once[key]) + 1.0, key, NEAR)


@settings(max_examples=60)
@given(documents(most_layers=4))
def test_updated_weights_are_made_before_the_error_that_takes_them(document: dict[str, Any]) -> None:
    document["reproduce"] = {"updated_weights_sent_back": True}
    expected_pass(document)
    order = list(first_pass(document))
    for layer in range(1, len(document["layers"])):
        assert order.index(f"W{layer + 1}_next") < order.index(f"E{layer}")


@settings(max_examples=60)
@given(documents(most_layers=4))
def test_otherwise_the_error_takes_the_weights_as_they_were(document: dict[str, Any]) -> None:
    expected_pass(document)
    found = first_pass(document)
    order = list(found)
    for layer in range(1, len(document["layers"])):
        assert order.index(f"E{layer}") < order.index(f"W{layer + 1}_next")
        # a flag that is not set may not leave a trace in the numbers
        sent = found[f"D{layer + 1}"] @ found[f"W{layer + 1}"].T
        assert_agrees(found[f"E{layer}"], sent, 1.0 + np.abs(sent).max(), f"E{layer}", NEAR)
