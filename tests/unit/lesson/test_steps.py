"""The eleven steps: in which order they stand, and what in them has a factor."""

from typing import Any

import pytest

from tests.marking import document
from tracer.api import trace
from tracer.program.program import Program


def program(of: dict[str, Any], **reproduce: Any) -> Program:
    return trace({**of, "reproduce": reproduce}).last.program


def order(of: dict[str, Any], **reproduce: Any) -> list[str]:
    return [each.label for each in program(of, **reproduce).steps]


def test_the_steps_follow_one_another_to_the_loss_and_back() -> None:
    assert order(document()) == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]
    assert order(document(), updated_weights_sent_back=True) == [
        "0", "1", "2", "3", "4", "5", "6", "7", "10.2", "8", "9", "10.1", "11",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "convention", [{"learning_rate_in": "delta"}, {"reduction": "mean"}, {"error": "target - output"}]
)
def test_a_factor_is_of_gradients_alone(convention: dict[str, Any]) -> None:
    found = program({**document(), "convention": convention}).assignments.values()
    assert {each.factor for each in found if each.role != "gradient"} == {1.0}
    assert {each.factor for each in found if each.role == "gradient"} != {1.0}
