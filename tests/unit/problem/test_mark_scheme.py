"""The section `[marks]` of a problem file."""

from typing import Any

import pytest

from tests.marking import document
from tracer.errors import ProblemError
from tracer.problem.mark_scheme import SHARES, MarkScheme, read_marks
from tracer.problem.problem import Problem, problem_from_document


def problem(**marks: Any) -> Problem:
    return problem_from_document(document(marks=marks), "small", "small.toml")


def test_left_out_it_is_one_point_for_each_matrix_and_stands_in_no_document() -> None:
    plain = problem_from_document(document(), "small", "small.toml")
    assert plain.marks == MarkScheme() == read_marks({})
    assert "marks" not in plain.to_document()
    assert plain.marks.shares == {
        "correct": 1.0, "rounded": 1.0, "carried": 1.0, "slip": 0.0, "too_coarse": 0.5, "wrong": 0.0,
    }  # fmt: skip


def test_everything_can_be_chosen_and_is_written_out_again() -> None:
    chosen = problem(
        **{"default": 0.5, "Z1": 2, "step 8": 3, "left_out": True, "repeats": "each", "verdicts": {"slip": 0.25}}
    )
    assert chosen.marks == MarkScheme(
        0.5, {"Z1": 2.0}, {"8": 3.0}, SHARES | {"slip": 0.25}, left_out=True, repeats="each"
    )
    assert problem_from_document(chosen.to_document(), "small", "x") == chosen


def test_marks_change_nothing_that_is_computed_so_they_are_no_part_of_the_hash() -> None:
    assert problem(Z1=5).sha256 == problem().sha256
    assert problem(Z1=5) != problem()


@pytest.mark.parametrize(
    ("marks", "says"),
    [
        (3, "marks: found 3, expected a table"),
        ({"Z1": "2"}, "marks.Z1: found '2', expected points from 0 to 1,000,000"),
        ({"Z1": True}, "marks.Z1: found true, expected points from 0 to 1,000,000"),
        ({"default": -1}, "marks.default: found -1, expected points from 0 to 1,000,000"),
        ({"Z1": float("nan")}, "marks.Z1: found nan, expected points from 0 to 1,000,000"),
        ({"step 8": []}, "marks.'step 8': found a list of 0, expected points"),
        ({"Z9": 1}, "marks: unknown key 'Z9', expected an identifier of this network; did you mean 'Z"),
        ({"step 12": 1}, "marks: unknown key 'step 12', expected steps out of 0, 1, 2, 2.1, 3, 3.1, 4, 5"),
        ({"step 8.2": 1}, "marks: unknown key 'step 8.2', expected steps out of"),
        ({"defualt": 1}, "marks: unknown key 'defualt', expected default, verdicts, left_out, repeats, identifiers"),
        ({"verdicts": 1}, "marks.verdicts: found 1, expected a table"),
        ({"verdicts": {"carried": 2}}, "marks.verdicts.carried: found 2, expected a number from 0 to 1"),
        ({"verdicts": {"blank": 1}}, "marks.verdicts: unknown key 'blank', expected one of correct, rounded"),
        ({"repeats": "twice"}, 'marks.repeats: found \'twice\', expected "once" or "each"'),
        ({"left_out": 0}, "marks.left_out: found 0, expected true or false"),
    ],
)
def test_a_mistake_is_one_message_with_its_place(marks: Any, says: str) -> None:
    with pytest.raises(ProblemError) as refused:
        problem_from_document(document(marks=marks), "small", "small.toml")
    assert str(refused.value).startswith(f"small.toml: {says}")


def test_a_network_without_a_hidden_layer_has_no_step_8() -> None:
    single = document(layers=document()["layers"][1:])
    with pytest.raises(ProblemError, match="unknown key 'step 8', expected steps out of 0, 1, 4, 5, 6, 7, 10, 11"):
        problem_from_document(single | {"marks": {"step 8": 1}}, "small", "small.toml")
