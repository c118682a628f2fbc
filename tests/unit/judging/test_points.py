"""Points: by default one for each matrix, else as the problem's mark scheme has it."""

from typing import Any

import pytest

from tests.marking import document, mark, with_rule, worked
from tracer.judging.marking import MarkedSheet

RIGHT = worked(document(), remembers=2.0)
NO_BIAS = worked(document(), with_rule(document(), "Z1", lambda m: m["X"] @ m["W1"]))


def marked(answers: Any, **marks: Any) -> MarkedSheet:
    return mark(document(marks=marks), answers)


def test_a_matrix_has_its_own_points_and_a_step_shares_its_own_out() -> None:
    sheet = marked(RIGHT, **{"default": 0, "Z1": 2, "step 10": 3})
    assert sheet.points == (5.0, 5.0)
    assert sheet.points_of["Z1"] == (2.0, 2.0)
    assert {each: sheet.points_of[each] for each in ("dW1", "W1_next", "dW2", "W2_next")} == dict.fromkeys(
        ("dW1", "W1_next", "dW2", "W2_next"), (0.75, 0.75)
    )


def test_matrices_with_points_of_their_own_take_no_share_of_their_step() -> None:
    sheet = marked(RIGHT, **{"default": 0, "step 10": 3, "W1_next": 5, "dW1": 0})
    assert sheet.points_of["W1_next"] == (5.0, 5.0)
    assert sheet.points_of["dW2"] == sheet.points_of["W2_next"] == (1.5, 1.5)


def test_a_layer_of_a_step_comes_before_the_step() -> None:
    sheet = marked(RIGHT, **{"default": 0, "step 2": 4, "step 2.1": 7})
    assert sheet.points_of["Z1"] == (7.0, 7.0)


@pytest.mark.parametrize(("shares", "earned"), [({}, 0.0), ({"slip": 0.25}, 0.25), ({"slip": 1}, 1.0)])
def test_a_verdict_earns_its_share_of_a_cell(shares: Any, earned: float) -> None:
    sheet = marked(NO_BIAS, verdicts=shares)
    assert sheet.points_of["Z1"] == (earned, 1.0)
    assert sheet.points == (sheet.points[1] - 1 + earned, len(NO_BIAS))


def test_what_follows_correctly_can_be_worth_less() -> None:
    full, half = marked(NO_BIAS), marked(NO_BIAS, verdicts={"carried": 0.5})
    assert full.points_of["A1"] == (1.0, 1.0)
    assert half.points_of["A1"][0] == pytest.approx(0.5, abs=0.2) and half.points_of["A1"][0] < 1


def test_blank_and_unreadable_cells_earn_nothing() -> None:
    rows = [["abc", None, *RIGHT["Z1"][0][2:]], *RIGHT["Z1"][1:]]
    sheet = marked({"Z1": rows}, verdicts=dict.fromkeys(("slip", "too_coarse", "wrong"), 1.0))
    assert sheet.points == (pytest.approx(7 / 9), 1.0)


def test_matrices_left_out_count_only_where_the_scheme_says_so() -> None:
    answers = {"Z1": RIGHT["Z1"]}
    assert marked(answers).points == (1.0, 1.0)
    sheet = marked(answers, left_out=True)
    assert sheet.points == (1.0, len(RIGHT))
    assert sheet.points_of["A1"] == (0.0, 1.0)
    assert sheet.to_document()["summary"]["of"] == 9, "score and of count cells that were handed in"


def test_score_and_of_do_not_follow_the_scheme() -> None:
    plain, chosen = (mark(each, NO_BIAS).to_document()["summary"] for each in (document(), document(marks={"Z1": 9})))
    assert (plain["score"], plain["of"]) == (chosen["score"], chosen["of"])
    assert (plain["out_of"], chosen["out_of"]) == (len(NO_BIAS), len(NO_BIAS) + 8)
