"""The diagnosis of a sheet: the fewest misconceptions, found once however often they show, said as a tutor would."""

import re
from typing import Any

import numpy as np
import pytest

from tests.marking import document, mark, worked
from tests.replay import Replay, students
from tests.simulation import slip_documents
from tests.students import Answers, Array, Work, split
from tests.wrong_rules import RULES, Memory, wrong_values
from tracer.judging.diagnosis import MOST_TRIED, diagnose
from tracer.judging.marking import BY_CONVENTION, MarkedSheet
from tracer.judging.slips.table import SINGLE, WHOLE
from tracer.judging.tutor import tutor
from tracer.judging.verdicts import Idea, Mark, Slip, SlipExtent
from tracer.judging.work import Work as LearnersWork
from tracer.presentation.theme import PLACEHOLDER, theme_of

PROBLEM = document(decimals=4)
PROBLEMS = (
    PROBLEM, document("relu", "linear", "mean_squared_error"),
    document("tanh", "sigmoid", "binary_cross_entropy", convention={"reduction": "mean"}),
    document("softplus", "softmax", "cross_entropy"),
    document("leaky_relu", "softmax", "cross_entropy", convention={"softmax_slope": "fused"}),
)  # fmt: skip
MOST_WORDS = 35


def with_rules(problem: Any, **wrong: Any) -> Answers:
    """Answers with wrong rules for matrices of a kind (S, Z, …) or for one matrix."""
    work = Work(problem)

    def rules(name: str, memory: Memory) -> Array:
        made = wrong.get(name) or wrong.get(split(name)[0])
        return made(memory, split(name)[1]) if made else work.compute(name, memory)

    return worked(problem, rules)


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def again(m: Memory, layer: int) -> Array:
    a = sigmoid(m[f"A{layer}"])
    return a * (1 - a)


def found(marked: MarkedSheet) -> list[tuple[str, tuple[str, ...], int]]:
    return [(each.idea.slug, each.matrices, len(each.marks)) for each in marked.diagnosis]


def test_one_wrong_rule_in_two_layers_is_one_misconception() -> None:
    marked = mark(PROBLEM, with_rules(PROBLEM, S=again))
    assert found(marked) == [("slope-of-activation", ("S2", "S1"), 18)]
    (document,) = marked.to_document()["diagnosis"]
    assert document["slug"] == "slope-of-activation" and document["first"] == ["S2", 1, 1]
    assert document["cells"] == [[name, i, j] for name in ("S2", "S1") for i in (1, 2, 3) for j in (1, 2, 3)]
    assert document["says"].endswith("The same gap is in S1.") and "or" not in document


def test_misconceptions_stand_in_the_order_in_which_they_first_show() -> None:
    answers = with_rules(
        PROBLEM,
        Z=lambda m, k: (m["X"] if k == 1 else m[f"A{k - 1}"]) @ m[f"W{k}"],
        S=again,
        W_next=lambda m, k: m[f"W{k}"] + 0.3 * m[f"dW{k}"],
    )
    assert [(slug, where) for slug, where, _ in found(mark(PROBLEM, answers))] == [
        ("no-bias", ("Z1", "Z2")), ("slope-of-activation", ("S2", "S1")), ("wrong-direction", ("W2_next", "W1_next")),
    ]  # fmt: skip


def test_the_rate_taken_twice_is_one_wherever_it_shows() -> None:
    answers = with_rules(
        PROBLEM,
        D2=lambda m, k: 0.3 * m["E"] * m["S2"],
        W_next=lambda m, k: m[f"W{k}"] - 0.09 * m[f"dW{k}"],
        b_next=lambda m, k: m[f"b{k}"] - 0.09 * m[f"db{k}"],
    )
    ((slug, where, _),) = found(mark(PROBLEM, answers))
    assert slug == "rate-in-gradient" and where == ("D2", "W2_next", "W1_next", "b2_next", "b1_next")


def test_every_slip_cell_is_explained_and_no_other() -> None:
    answers = with_rules(PROBLEM, S=again, D1=lambda m, k: m["E1"] @ m["S1"])
    answers["W2_next"] = [["9.9999"] * 3] * 3  # which no rule explains
    marked = mark(PROBLEM, answers)
    slips = {(each.id, each.row, each.column) for each in marked.marks if each.verdict == "slip"}
    told = [(each.id, each.row, each.column) for one in marked.diagnosis for each in one.marks]
    assert slips == set(told) and len(told) == len(slips)
    assert all(marked.explaining(each) is one for one in marked.diagnosis for each in one.marks)
    wrong = [each for each in marked.marks if each.verdict == "wrong"]
    assert {each.id for each in wrong} == {"W2_next"} and marked.explaining(wrong[0]) is None


def test_two_rules_used_at_once_in_a_matrix_are_two_misconceptions() -> None:
    answers = with_rules(PROBLEM, D1=lambda m, k: -m["E1"] * (1 - m["A1"] ** 2))
    assert {slug for slug, *_ in found(mark(PROBLEM, answers))} == {"wrong-slope", "error-sign"}


def test_what_a_cell_is_taken_for_stands_first_among_its_slips() -> None:
    marked = mark(PROBLEM, with_rules(PROBLEM, S=again))
    assert {each.slips[0].slug for each in marked.marks if each.verdict == "slip"} == {"slope-of-activation"}


def test_another_convention_is_one_thing() -> None:
    answers = with_rules(
        PROBLEM,
        E=lambda m, k: m["D2"] @ m["W2"].T if k else m["Y"] - m["A2"],
        W_next=lambda m, k: m[f"W{k}"] + 0.3 * m[f"dW{k}"],
        b_next=lambda m, k: m[f"b{k}"] + 0.3 * m[f"db{k}"],
    )
    marked = mark(PROBLEM, answers)
    assert marked.other is not None and [slug for slug, *_ in found(marked)] == [BY_CONVENTION]
    assert "another convention" in marked.to_document()["diagnosis"][0]["says"]


# The choice among explanations


def slip(key: str, score: float = 5.0, extent: SlipExtent = SlipExtent.THROUGHOUT) -> Slip:
    keys = key.split("+")
    return Slip(key, key, key, ideas=tuple(Idea(each, each, each, "", {}) for each in keys), extent=extent, score=score)


def cell(matrix: str, *slips: Slip, row: int = 0) -> Mark:
    return Mark(matrix, row, 0, "1", "slip", 0.0, 0.0, slips)


def chosen(*marks: Mark) -> list[str]:
    return [each.idea.key for each in diagnose(marks).found]


@pytest.mark.parametrize(
    ("marks", "keys"),
    [
        ([cell("Z1", slip("a", 9), slip("b", 5)), cell("Z2", slip("b"))], ["b"]),  # one that does for both
        ([cell("Z1", slip("a", 9), slip("b", 5)), cell("Z2", slip("c"))], ["a", "c"]),  # else the likelier
        ([cell("Z1", slip("a+b", 9), slip("c", 8)), cell("Z2", slip("c"))], ["c"]),
        ([cell("Z1", slip("a+b")), cell("Z2", slip("b"))], ["a", "b"]),
        ([cell("Z1", slip("a", 6), slip("c")), cell("Z2", slip("b", 6), slip("c"))], ["c"]),  # not the first that do
        ([cell("Z1", slip("pen", 20, SlipExtent.OF_THE_PEN), slip("a", 1, SlipExtent.IN_A_CELL))], ["a"]),
        ([cell("Z1", slip("one", 20, SlipExtent.IN_A_CELL), slip("a", 1))], ["a"]),
        ([cell("Z1", slip("one", 9, SlipExtent.IN_A_CELL), slip("a", 1, SlipExtent.PARTLY))], ["one"]),
        ([cell("Z1", slip("pen", 1, SlipExtent.OF_THE_PEN))], ["pen"]),
        ([], []),
    ],
)  # fmt: skip
def test_the_fewest_and_the_likeliest_are_chosen(marks: list[Mark], keys: list[str]) -> None:
    assert chosen(*marks) == keys


def test_another_that_fits_as_well_is_named_once_and_only_if_it_fits_everywhere() -> None:
    alike = [cell("Z1", slip("a", 5.0), slip("b", 4.9), slip("c", 4.8))]
    (one,) = diagnose(alike).found
    assert one.rival is not None and one.rival.key == "b"
    (one,) = diagnose([*alike, cell("Z2", slip("a"))]).found
    assert one.rival is None
    (one,) = diagnose([cell("Z1", slip("a", 9.0), slip("b", 1.0))]).found
    assert one.rival is None, "it is much less likely"


def test_a_sheet_of_chance_hits_is_explained_in_a_time_that_does_not_run_away() -> None:
    marks = [cell(f"M{k}", *(slip(f"{k} {n}", float(n)) for n in range(8))) for k in range(40)]
    assert len(diagnose(marks).found) == 40 and MOST_TRIED < 10_000


# The tutor's sentences


def spoken() -> list[tuple[str, MarkedSheet, str]]:
    """What is said of every wrong rule of the catalogue, made in every problem that has a place for it."""
    told = []
    for problem in PROBLEMS:
        work = Work(problem)
        for slug, kind in RULES:
            made: list[Array] = []

            def rules(name: str, memory: Memory, slug: str = slug, kind: str = kind, made: Any = made) -> Array:
                forms = wrong_values(slug, work, name, memory) if split(name)[0] == kind else []  # noqa: B023
                made += forms[:1]
                return forms[0] if forms else work.compute(name, memory)  # noqa: B023

            answers = worked(problem, rules)
            if made:
                marked = mark(problem, answers)
                told += [(slug, marked, says) for each in marked.to_document()["diagnosis"]
                         for says in (each["says"], *([each["or"]["says"]] if "or" in each else []))]  # fmt: skip
    return told


SPOKEN = spoken()


def test_a_tutor_needs_at_most_35_words() -> None:
    assert len(SPOKEN) > 150
    assert [(slug, says) for slug, _, says in SPOKEN if len(says.split()) > MOST_WORDS] == []


def test_a_tutor_asks_a_question_and_says_no_number() -> None:
    """Digits stand in names alone, in the number of the step that is asked for, and in ½."""
    for slug, marked, says in SPOKEN:
        assert says.count("?") == 1, (slug, says)
        if "another convention" in says:
            continue
        names = sorted({marked.sheet.key.called(each) for each in marked.sheet.key.values}, key=len, reverse=True)
        bare = re.sub(r"\[[\d,]+\]|of step 6|\d more matrices", "", says)
        for name in names:
            bare = bare.replace(name, "")
        assert not re.search(r"\d", bare), (slug, says)


def test_there_is_a_sentence_for_every_idea_and_every_name_in_it_can_be_told() -> None:
    ideas = {rule.idea or rule.slug for rule in (*WHOLE, *SINGLE)}
    ideas |= {"rate-missing", "rate-twice", "rate-divides", "pre-activation-in-gradient", "gradient-transposed"}
    sentences = theme_of("en").section("tutor")
    assert ideas <= sentences.keys() | {"rate-missing-twice-divided"}  # of which each form has its own
    placeholders = {each for text in sentences.values() for each in PLACEHOLDER.findall(text)}
    assert {"matrix", "cell", "other", "activation", "next_weights"} <= placeholders


def test_the_display_names_of_the_problem_are_said() -> None:
    problem = PROBLEM | {"names": {"style": "article"}}
    (each,) = mark(problem, with_rules(PROBLEM, S=again)).to_document()["diagnosis"]
    assert "output" in each["says"] and "The same gap is in slope_hidden_layer." in each["says"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_other_matrices_with_the_same_gap_are_named_or_counted(count: int) -> None:
    marked = mark(PROBLEM, with_rules(PROBLEM, S=again))
    others = ["S1", "Z1", "Z2"][:count]
    says = tutor(LearnersWork(marked.sheet), marked.diagnosis[0].idea, ("S2", 0, 0), others)
    ends = ("The same gap is in S1.", "The same gap is in S1 and Z1.", "The same gap is in 3 more matrices.")
    assert says.endswith(ends[count - 1]) and len(says.split()) <= MOST_WORDS


# Replay


def test_who_mends_the_first_finding_and_hands_in_again_needs_no_more_rounds_than_misconceptions() -> None:
    """A few of the students of `python -m benchmarks.diagnosis`, which has the figures."""
    random, replay = np.random.default_rng(3), Replay()
    for student in students(random, slip_documents(random, 5), 8):
        replay.add(student)
    assert replay.students > 25
    assert replay.in_time >= 0.9 and replay.recall >= 0.9 and replay.precision >= 0.9


def test_a_sheet_with_thousands_of_different_slips_is_diagnosed() -> None:
    marks = [cell(f"M{k}", slip(f"right{k}", 5), slip(f"other{k}", 4)) for k in range(3000)]
    assert chosen(*marks) == [f"right{k}" for k in range(3000)]
