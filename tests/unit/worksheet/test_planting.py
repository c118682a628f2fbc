"""Sheets with planted slips: what is printed, what the judge names, what the file says."""

import json
import re
from typing import Any

import numpy as np
import pytest

from tests.finding import FindSheet, find_sheet, marked
from tracer.errors import TracerError
from tracer.expression.digits import round_half_away
from tracer.expression.evaluate import evaluate
from tracer.presentation.theme import theme_of
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.planting import LEAST_CHOICES, named

NAMES = (
    "mlp-paper",
    "rnn-paper",
    "article",
    "self-attention-paper",
    "adam-paper",
    "softmax",
    "conv-paper",
    "lstm-paper",
)


def data_of(sheet: FindSheet, language: str = "en") -> dict[str, Any]:
    text = render_worksheet(sheet.run, sheet.plan, False, theme_of(language), sheet.planted)
    found = re.search(r'<script type="application/json" id="worksheet-data">(.*?)</script>', text, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", ["5", "6"])
def test_check_names_exactly_the_planted_slips_where_they_were_made(name: str, seed: str) -> None:
    """The sheet is read from a file, as one that is handed in."""
    sheet = find_sheet(name, 2, seed)
    assert len(sheet.planted.slips) == 2
    found = marked(sheet.planted)
    assert {each.first.id: each.idea.key for each in found.diagnosis} == {
        matrix: slip.idea.key for matrix, slip in sheet.planted.slips.items()
    }
    assert {mark.id for mark in found.marks if mark.verdict not in ("correct", "rounded", "carried")} == set(
        sheet.planted.slips
    )


@pytest.mark.parametrize("name", NAMES)
def test_all_but_the_slips_follow_from_what_is_printed(name: str) -> None:
    planted = find_sheet(name).planted
    printed = {**planted.key.values, **planted.values}
    for matrix, values in planted.values.items():
        right = planted.key.compute(matrix, printed)
        unit = 10.0 ** -planted.key.asked[matrix]
        off = np.abs(values - right).max()
        assert off > 1.5 * unit if matrix in planted.slips else off <= 0.51 * unit
        assert (round_half_away(values, planted.key.asked[matrix]) == values).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_choices_are_of_sentences_of_their_own_and_one_alone_gives_the_numbers(name: str) -> None:
    sheet = find_sheet(name)
    planted = sheet.planted
    printed = {**planted.key.values, **planted.values}
    for matrix, slip in planted.slips.items():
        says = sheet.choices(matrix)
        assert len(set(says)) == len(says) >= LEAST_CHOICES and sheet.says(matrix) in says
        for choice in planted.choices[matrix]:
            with np.errstate(all="ignore"):
                off = np.abs(evaluate(choice.rule, printed) - planted.values[matrix])
            unit = 10.0 ** -planted.key.asked[matrix]
            assert bool((off <= 0.51 * unit).all()) == (choice is slip)


def test_a_seed_says_which_slips_and_another_others() -> None:
    slips = [sorted(find_sheet("mlp-paper", 2, seed).planted.slips.items(), key=str) for seed in ("5", "5", "6", "7")]
    told = [[(matrix, slip.idea.key) for matrix, slip in each] for each in slips]
    assert told[0] == told[1] and len({str(each) for each in told}) == 3


def test_more_slips_than_can_be_told_apart_are_refused_with_how_many_there_are() -> None:
    with pytest.raises(TracerError, match=r"--slips: found 99, expected 1 to \d+: no more can be told apart"):
        find_sheet("rnn-paper", 99)


def test_the_file_says_nothing_of_where_the_slips_are() -> None:
    """Two sheets of a problem differ in the choices alone, which every matrix has; no right number is there."""
    one, other = find_sheet("mlp-paper", 2, "5"), find_sheet("mlp-paper", 2, "6")
    first, second = data_of(one), data_of(other)
    assert first.pop("plan") != second.pop("plan")
    assert set(first["practice"].pop("slips")) == set(one.planted.choices) == set(second["practice"].pop("slips"))
    assert len(first["practice"].pop("rules")) > 1 < len(second["practice"].pop("rules"))  # of the choices, too
    assert first == second
    text = render_worksheet(one.run, one.plan, False, theme_of(), one.planted)
    for matrix, values in one.planted.key.values.items():
        hidden = [value for value in values.ravel().tolist() if len(repr(abs(value))) > 8]
        assert matrix in one.planted.key.program.inputs or not [value for value in hidden if repr(abs(value)) in text]


def test_a_sheet_on_which_a_printed_cell_is_changed_has_another_slip() -> None:
    """The check that planting asks is one that can fail."""
    sheet = find_sheet("mlp-paper")
    ideas = {matrix: slip.idea for matrix, slip in sheet.planted.slips.items()}
    assert named(marked(sheet.planted), ideas)
    sheet.planted.values["Z1"][0, 0] += 0.37
    assert not named(marked(sheet.planted), ideas)


def test_the_key_says_in_its_language_what_was_planted() -> None:
    sheet = find_sheet("mlp-paper")
    for language in ("en", "es"):
        theme = theme_of(language)
        key = render_worksheet(sheet.run, sheet.plan, True, theme, sheet.planted)
        assert theme.say("book.planted") in key and "<button" not in key
        assert all(f"{sheet.called(each)}: {sheet.says(each, theme)}"[:60] in key for each in sheet.planted.slips)
