"""The mistakes of the publications, handed in as answers: each is named, and where it begins.

What a publication prints of a matrix is written down as a student's; cells that it does not print are blank. Of
several versions of a number the first published one is taken, with the mistakes that were corrected later.
"""

import json
from typing import Any

import pytest

from tests.golden.test_published import CASES, Item, problem_of
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers

MATRICES = {"z": "Z{}", "a": "A{}", "dA": "E{}", "dW": "dW{}", "W_after": "W{}_next"}
Grid = list[list[str | None]]


def written(item: Item) -> Grid:
    """A printed item with the digits that are printed."""
    value, decimals = item["value"], item["decimals"]
    rows = value if isinstance(value, list) else [[value]]
    digits = decimals if isinstance(decimals, list) else [[decimals] * len(row) for row in rows]
    return [
        [None if number is None else f"{number:.{places}f}" for number, places in zip(row, each, strict=True)]
        for row, each in zip(rows, digits, strict=True)
    ]


def answers_of(name: str, **others: Any) -> dict[str, Grid]:
    """The matrices that a publication prints; `others` are put in their places."""
    depth = problem_of(name).depth
    found: dict[str, Grid] = {}
    for item in CASES[name]["printed"]:
        what = item["what"].removeprefix("layer")
        layer, _, part = what.partition(".")
        if what != item["what"] and part in MATRICES:
            identifier = "E" if (part, layer) == ("dA", str(depth)) else MATRICES[part].format(layer)
            grid, known = written(item), found.get(identifier)
            found[identifier] = grid if known is None else [
                [one if other is None else other for one, other in zip(*rows, strict=True)]
                for rows in zip(grid, known, strict=True)
            ]  # fmt: skip
    return found | others


def marked(name: str, answers: dict[str, Any]) -> MarkedSheet:
    conventions = Conventions(key_of(problem_of(name)))
    return mark_answers(read_content("article.json", json.dumps(answers).encode()), conventions)


def named(sheet: MarkedSheet) -> dict[str, set[str]]:
    """The likeliest slip of each cell that has one, by matrix."""
    found: dict[str, set[str]] = {}
    for mark in sheet.marks:
        if mark.verdict == "slip":
            found.setdefault(mark.id, set()).add(mark.slips[0].slug)
    return found


def slug(sheet: MarkedSheet, identifier: str, row: int, column: int) -> str:
    (mark,) = (each for each in sheet.of(identifier) if (each.row, each.column) == (row, column))
    assert mark.verdict == "slip", mark
    return mark.slips[0].slug


def versions(name: str, what: str) -> list[Grid]:
    return [written(item) for item in CASES[name]["printed"] if item["what"] == what]


def test_softmax_without_exp_and_what_came_of_it() -> None:
    """The first version of the article; it goes on with those outputs, and loses the signs off the target."""
    sheet = marked("prakash_medium", answers_of("prakash_medium"))
    found = named(sheet)
    assert found["A3"] == {"softmax-without-exp"}
    assert found["E"] == {"bce-for-ce"}
    assert {mark.verdict for mark in sheet.of("E") if mark.column == 0} == {"carried"}
    assert {mark.verdict for mark in sheet.of("E1")} == {"not_read"}  # three matrices before it are left out


def test_logarithms_to_the_base_10() -> None:
    """The three terms that the article prints, without the slips of its digits, on its outputs without exp."""
    answers = answers_of("prakash_medium")
    (third,) = (item["value"] for item in CASES["prakash_medium"]["printed"] if item["what"] == "expr:loss_terms[0,2]")
    loss = f"{0.568958 + 0.168962 + third:.4f}"
    assert named(marked("prakash_medium", {"A3": answers["A3"], "L": loss}))["L"] == {"loss-log-base"}


def test_the_diagonal_of_the_jacobian_and_a_wrong_index() -> None:
    """The outputs as they were corrected later; column 2 has its slope twice, which no rule of ours is."""
    corrected = versions("prakash_medium", "layer3.a")[-1]
    sheet = marked("prakash_medium", answers_of("prakash_medium", A3=corrected))
    for row in range(3):
        assert slug(sheet, "dW3", row, 0) == "diagonal-jacobian"
        assert slug(sheet, "dW3", row, 2) == "jacobian-wrong-index"


@pytest.mark.parametrize(
    ("name", "identifier", "right"),
    [
        ("prakash_medium", "W3_next", {(0, 0), (0, 1), (0, 2), (1, 1), (2, 1)}),
        ("prakash_medium", "W2_next", {(i, j) for i in range(3) for j in range(3)} - {(2, 2)}),
        ("asimba_blog", "W1_next", {(0, 0)}),
    ],
)
def test_decimal_points_that_slipped(name: str, identifier: str, right: set[tuple[int, int]]) -> None:
    """Every entry but these, which follow from the gradients that are printed."""
    sheet = marked(name, answers_of(name))
    slipped = {(mark.row, mark.column) for mark in sheet.of(identifier) if mark.verdict == "slip"}
    follow = {(mark.row, mark.column) for mark in sheet.of(identifier) if mark.verdict in ("carried", "rounded")}
    assert follow == right and follow | slipped == {(i, j) for i in range(3) for j in range(3)}
    assert named(sheet)[identifier] == {"digit-slip"}


def test_the_blog_that_corrected_the_softmax() -> None:
    sheet = marked("asimba_blog", answers_of("asimba_blog"))
    found = named(sheet)
    assert "A3" not in found and {mark.verdict for mark in sheet.of("A3")} == {"rounded"}
    assert found["E"] == {"bce-for-ce"}
    assert found["E2"] == {"diagonal-jacobian"}
    assert {mark.verdict for mark in sheet.of("E1")} == {"not_read"}  # three matrices before it are left out
    (cut,) = (mark for mark in sheet.of("A2") if mark.column == 0)
    assert cut.verdict == "rounded" and [each.slug for each in cut.slips] == ["truncated"]


@pytest.mark.parametrize("name", ["mazur", "av_excel"])
def test_publications_that_are_right_have_no_slips(name: str) -> None:
    sheet = marked(name, answers_of(name))
    assert sheet.all_right
