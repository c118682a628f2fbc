"""Sheets of students who worked the eleven steps in public: what they did is named first, and in one breath.

Each file has the problem with the student's own numbers, what was printed, and the slips of the arrays that are wrong
by themselves, as somebody found them who looked at the student's program.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.marking import mark
from tracer.judging.marking import MarkedSheet

CASES = {path.stem: json.loads(path.read_text(encoding="utf-8"))
         for path in sorted(Path(__file__).with_name("students").glob("*.json"))}  # fmt: skip
UNTOLD = {
    ("matmul", "D1"): "A2, E, D2 and E1 are left out, with two mistakes in them: bounds too wide to tell",
    ("matmul", "W2_next"): "A2 and D2 are left out, with a mistake in each",
    ("matmul", "b2_next"): "A2 and D2 are left out, with a mistake in each",
    ("slope_of_error", "W1_next"): "worked with another D1 than the one that is written",
}
LEAST = 0.75  # of the arrays that fail on the student's own numbers


def failing(name: str) -> Iterator[tuple[MarkedSheet, str, list[str]]]:
    """The arrays of a sheet that fail, each with the slips that it may be called by; what follows is no failure."""
    case: dict[str, Any] = CASES[name]
    marked = mark(case["problem"], case["answers"])
    for identifier in dict.fromkeys(each.id for each in marked.marks if each.verdict in ("slip", "wrong")):
        yield marked, identifier, case["wrong"].get(identifier, [])


def is_named(marked: MarkedSheet, identifier: str, slugs: list[str]) -> bool:
    return all(each.slips and each.slips[0].slug in slugs for each in marked.of(identifier)
               if each.verdict in ("slip", "wrong"))  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_a_student_did_is_named_first(name: str) -> None:
    for marked, identifier, slugs in failing(name):
        assert is_named(marked, identifier, slugs) is ((name, identifier) not in UNTOLD), identifier


def test_how_many_arrays_are_named() -> None:
    named = [is_named(*each) for name in CASES for each in failing(name)]
    assert len(named) == 16 and sum(named) / len(named) >= LEAST


@pytest.mark.parametrize(
    ("name", "slugs"),
    [
        ("double_sigmoid", ["slope-of-activation", "rate-in-gradient"]),
        ("relu_sigmoid_slope", ["wrong-slope", "rate-in-gradient"]),
        ("slope_of_error", ["slope-of-error", "rate-in-gradient", "matrix-product"]),
        ("hand_wout_forgotten", []),  # right to the digits that it has
    ],
)
def test_a_sheet_is_explained_by_what_the_student_did_and_nothing_else(name: str, slugs: list[str]) -> None:
    marked = mark(CASES[name]["problem"], CASES[name]["answers"])
    assert [each.idea.slug for each in marked.diagnosis] == slugs
