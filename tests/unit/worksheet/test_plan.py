"""What a worksheet asks: choices as teachers type them, bad ones refused with one message."""

from typing import Any

import pytest

from tests.traces import example
from tracer.errors import TracerError
from tracer.program.program import Program
from tracer.worksheet.plan import Mode, Plan, make_plan, make_series


def planned(mode: Mode = "practice", **choices: Any) -> Plan:
    return make_plan(example("article").problem, program(), mode, **choices)


def program() -> Program:
    return example("article").first.program


def test_everything_computed_is_blank_by_default() -> None:
    plan = planned()
    assert plan.blank == set(program().computed)
    assert not plan.given
    assert plan.problem_sha256 == example("article").problem.sha256


@pytest.mark.parametrize(
    ("blank", "expected"),
    [("2,3", {"Z1", "A1"}), (" Z1 , D2 ", {"Z1", "D2"}), ("4", {"Z2", "A2", "L"}), ("8,D1", {"E1", "D1"})],
)
def test_steps_and_matrices_are_chosen(blank: str, expected: set[str]) -> None:
    assert planned(blank=blank).blank == expected


def test_what_a_blank_matrix_is_made_from_is_printed() -> None:
    assert planned(blank="8").given == {"D2"}
    assert planned(blank="7,8").given == {"E", "S2"}


def test_given_steps_are_not_blank() -> None:
    plan = planned(give="2,3")
    assert plan.given == {"Z1", "A1"}
    assert plan.blank == set(program().computed) - plan.given


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"blank": "12"}, "--blank: found '12', expected steps out of 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"),
        ({"blank": "1"}, "--blank: found '1', expected steps out of 2"),
        ({"blank": "Z3"}, "--blank: found 'Z3', expected computed matrices out of Z1, A1"),
        ({"give": "W1"}, "--give: found 'W1', expected computed matrices"),
        ({"blank": "2,7", "give": "2"}, "--blank and --give: Z1 cannot be both"),
        ({"blank": "2", "give": "Z1"}, "--blank and --give: Z1 cannot be both"),
        ({"blank": " , "}, "--blank: names nothing"),
        ({"give": "2,3,4,5,6,7,8,9,10,11"}, "nothing is left to fill in"),
    ],
)
def test_a_bad_choice_is_one_message(choice: dict[str, str], says: str) -> None:
    with pytest.raises(TracerError) as wrong:
        planned(**choice)
    assert says in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_examples_fade_within_a_matrix() -> None:
    plan = planned()
    assert [plan.example((2, 2), i, j) for i in (0, 1) for j in (0, 1)] == ["worked", "completion", "bare", "bare"]
    assert [plan.example((3, 1), i, 0) for i in range(3)] == ["worked", "bare", "bare"]
    assert [plan.example((1, 2), 0, j) for j in range(2)] == ["worked", "bare"]
    assert plan.example((1, 1), 0, 0) == "bare"
    assert planned("exam").example((2, 2), 0, 0) == "bare"


def test_a_series_leaves_one_more_whole_step_blank_each() -> None:
    whole = planned("print")
    sheets = make_series(whole, program())
    steps = [{each.id for each in step.assignments} for step in program().steps[2:]]
    assert [sheet.blank for sheet in sheets] == [set().union(*steps[-k:]) for k in range(1, len(steps) + 1)]
    assert [sheet.given for sheet in sheets] == [whole.blank - sheet.blank for sheet in sheets]
    assert sheets[0].blank == {"dW1", "dW2", "db1", "db2", "W1_next", "W2_next", "b1_next", "b2_next"} & steps[-1]
    assert [(sheet.sheet, sheet.sheets, sheet.mode) for sheet in sheets] == [(k, 10, "print") for k in range(1, 11)]


def test_a_series_fades_within_what_is_chosen() -> None:
    sheets = make_series(planned(blank="7,8,D1"), program())
    assert [sheet.blank for sheet in sheets] == [{"D1"}, {"D1", "E1"}, {"D1", "E1", "D2"}]
    assert [sheet.given for sheet in sheets] == [
        {"S2", "S1", "E", "E1", "D2"},
        {"S2", "S1", "E", "D2"},
        {"S2", "S1", "E"},
    ]
    given = make_series(planned(give="2,3"), program())
    assert all({"Z1", "A1"} <= sheet.given for sheet in given)


@pytest.mark.parametrize("choice", [{"blank": "8"}, {"give": "2,3,4,5,6,7,8,9,10"}])
def test_a_series_of_one_sheet_is_refused(choice: dict[str, str]) -> None:
    with pytest.raises(TracerError, match=r"^--series: found one step to fill in, expected two or more; .*$"):
        make_series(planned(**choice), program())
