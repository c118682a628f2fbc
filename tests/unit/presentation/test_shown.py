"""To how many decimals matrices are shown."""

from typing import Any

import pytest

from tracer.presentation.shown import shown
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace


def article(**changes: Any) -> Trace:
    document = load_problem("article").to_document() | changes
    return trace(problem_from_document(document, "article", "article"), (1, 2))


@pytest.mark.parametrize(
    ("identifier", "decimals"),
    [("X", None), ("W1", None), ("Z1", 3), ("A2", 3), ("L", 3), ("E", 3), ("D2", 4), ("D1", 6), ("W1_next", 4)],
)
def test_the_articles_example(identifier: str, decimals: int | None) -> None:
    recorded = article()
    assert shown(recorded, recorded.first).decimals[identifier] == decimals


def test_every_changed_parameter_looks_changed() -> None:
    one = article().first
    decimals = shown(article(), one)
    for name in ("W1", "b1", "W2", "b2"):
        for old, new in zip(one[name].ravel(), one[f"{name}_next"].ravel(), strict=True):
            texts = [decimals.text(f"{name}_next", float(value)) for value in (old, new)]
            assert old == new or texts[0] != texts[1]


def test_parameters_of_a_later_epoch_are_not_shown_as_typed() -> None:
    recorded = article()
    assert shown(recorded, recorded.last).decimals["W1"] == 4


def test_a_matrix_can_have_decimals_of_its_own() -> None:
    recorded = article(decimals={"Z1": 2, "dW1": 6})
    found = shown(recorded, recorded.first).decimals
    assert (found["Z1"], found["dW1"], found["A1"]) == (2, 6, 3)


def test_rounded_carrying_is_shown_as_carried() -> None:
    recorded = article(carry_rounded=True, decimals=4)
    found = shown(recorded, recorded.first).decimals
    assert {found[each] for each in ("Z1", "D1", "dW1", "W1_next")} == {4}
