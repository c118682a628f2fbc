"""Steps that a worksheet printed: what follows is judged from them, and they are no answers themselves."""

import json
from functools import cache
from typing import Any

import pytest

from tracer.answers.key import Key, key_of
from tracer.answers.reading import read_content
from tracer.expression.digits import round_half_away
from tracer.expression.evaluate import compiled
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem


@cache
def conventions(asked: int = 3) -> Conventions:
    document = load_problem("article").to_document() | {"decimals": {"Z2": asked}}
    return Conventions(key_of(problem_from_document(document, "article", "article")))


def marked(document: dict[str, Any], asked: int = 3) -> MarkedSheet:
    return mark_answers(read_content("answers.json", json.dumps(document).encode()), conventions(asked))


def key() -> Key:
    return conventions().key


def exactly_from(printed: Any) -> list[list[str]]:
    """Z2 with six decimals, by a student who has A1 from the worksheet."""
    rule = key().program.assignments["Z2"].expression
    assert rule is not None
    return [[f"{value:.6f}" for value in row] for row in compiled(rule)({**key().values, "A1": printed})]


@pytest.mark.parametrize("mark", [".", ","])
def test_what_follows_is_judged_from_what_was_printed(mark: str) -> None:
    printed = round_half_away(key().values["A1"], 3)
    texts = [[f"{value:.3f}".replace(".", mark) for value in row] for row in printed]
    sheet = marked({"Z2": exactly_from(printed), "given": {"A1": texts}}, asked=6)  # more than what is printed bears
    assert {mark.id for mark in sheet.marks} == {"Z2"}
    assert {mark.verdict for mark in sheet.marks} == {"rounded"}


@pytest.mark.parametrize(
    "other", [[["0.9"] * 3] * 3, [["0.8", "0.9", "0.7"]], [[None] * 3] * 3, [["x"] * 3] * 3], ids=str
)
def test_other_numbers_than_the_problems_are_not_taken(other: Any) -> None:
    right = [[f"{value:.3f}" for value in row] for row in key().values["Z2"]]
    sheet = marked({"Z2": right, "given": {"A1": other}})
    assert sheet.all_right
    assert "given.A1: differs from this problem's numbers; recalculated" in sheet.warnings
