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
LEAST = 0.9  # of the arrays that fail on the student's own numbers


def failing(name: str) -> Iterator[tuple[MarkedSheet, str, list[str]]]:
    """The arrays of a sheet that fail, each with the slips that it may be called by; what follows is no failure."""
    case: dict[str, Any] = CASES[name]
    marked = mark(case["problem"], case["answers"])
    for identifier in dict.fromkeys(each.id for each in marked.marks if each.verdict in ("slip", "wrong")):
        yield marked, identifier, case["wrong"].get(identifier, [])


def is_named(marked: MarkedSheet, identifier: str, slugs: list[str]) -> bool:
    """Whether the student's own mistakes are said of every cell first, and nothing else is with them."""
    first = [[idea.slug for idea in each.slips[0].ideas] if each.slips else [] for each in marked.of(identifier)
             if each.verdict in ("slip", "wrong")]  # fmt: skip
    return all(said and set(slugs).issuperset(said) for said in first)


@pytest.mark.parametrize("name", CASES)
def test_what_a_student_did_is_named_first(name: str) -> None:
    for marked, identifier, slugs in failing(name):
        assert is_named(marked, identifier, slugs), identifier


def test_how_many_arrays_are_named() -> None:
    named = [is_named(*each) for name in CASES for each in failing(name)]
    assert len(named) == 14 and sum(named) / len(named) >= LEAST


@pytest.mark.parametrize(
    ("name", "slugs"),
    [
        ("matmul", ["formula-mistyped", "slope-of-activation", "matrix-product", "rate-in-gradient"]),
        ("double_sigmoid", ["slope-of-activation", "rate-in-gradient"]),
        ("relu_sigmoid_slope", ["wrong-slope", "rate-in-gradient"]),
        ("slope_of_error", ["slope-of-error", "rate-in-gradient", "matrix-product"]),
        ("hand_wout_forgotten", []),  # right to the digits that it has
    ],
)
def test_a_sheet_is_explained_by_what_the_student_did_and_nothing_else(name: str, slugs: list[str]) -> None:
    marked = mark(CASES[name]["problem"], CASES[name]["answers"])
    assert [each.idea.slug for each in marked.diagnosis] == slugs
