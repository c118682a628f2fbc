"""Ways of working and of handing in that people have: a fused loss from the outputs, another pass, printed matrices."""

import json
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest

from tests.marking import document, kinds, mark, with_rule, worked
from tests.traces import example
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.judging.conventions import Conventions
from tracer.judging.marking import BY_CONVENTION, MarkedSheet, mark_answers
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.training import trace

FUSED = {
    "learning_rate": 0.1,
    "loss": "cross_entropy",
    "data": {"X": [[2.0, -1.5], [1.0, 0.5]], "Y": [[0, 1], [1, 0]]},
    "layers": [{"activation": "softmax", "weights": [[0.9, -0.6], [-0.7, 0.4]], "bias": [0.2, -0.1]}],
    "convention": {"softmax_slope": "fused"},
}


@cache
def conventions() -> Conventions:
    return Conventions(key_of(example("article").problem))


def computed() -> Sequence[str]:
    return example("article").first.program.computed


def marked(name: str, content: str) -> MarkedSheet:
    return mark_answers(read_content(name, content.encode()), conventions())


# A fused loss


def test_a_fused_loss_follows_from_the_outputs_that_were_written() -> None:
    """0.007 for 0.00703…: the logarithm of what was written down is 5.214, that of Z's softmax 5.209."""
    key = Conventions(key_of(problem_from_document(FUSED, "fused", "fused.toml")))
    answers = {"A1": [["0.993", "0.007"], ["0.777", "0.223"]], "L": [["5.214"]]}
    sheet = mark_answers(read_content("a.json", json.dumps(answers).encode()), key)
    assert sheet.all_right and sheet.marks[-1].verdict == "rounded"


def test_an_error_in_the_outputs_is_carried_by_a_fused_loss() -> None:
    problem = load_problem("logistic-regression")
    given = key_of(problem).values
    flipped = 1 / (1 + np.exp(given["Z1"]))
    loss = -np.mean(given["Y"] * np.log(flipped) + (1 - given["Y"]) * np.log(1 - flipped))
    answers = {"A1": [[f"{value:.3f}"] for (value,) in flipped.tolist()], "L": [[f"{loss:.3f}"]]}
    sheet = mark_answers(read_content("a.json", json.dumps(answers).encode()), Conventions(key_of(problem)))
    assert {each.verdict for each in sheet.of("A1")} == {"slip"} and [each.verdict for each in sheet.of("L")] == [
        "carried"
    ]


# Another pass


def test_answers_of_another_pass_are_recognised_but_not_counted() -> None:
    second = trace(example("article").problem, [1, 2]).last
    for decimals in (3, 5):
        texts = {name: [[f"{value:.{decimals}f}" for value in row] for row in second[name]] for name in computed()}
        answers = read_content("second.json", json.dumps(texts).encode())
        for accept in (False, True):
            sheet = mark_answers(answers, conventions(), accept)
            assert not sheet.all_right and sheet.other is not None
            assert sheet.other.words == ("pass 2 (--pass 2)",)
        right = mark_answers(answers, Conventions(key_of(example("article").problem, 2), 2))
        assert {each.verdict for each in right.marks} <= {"correct", "rounded", "too_coarse"}


# Numbers that were to be rounded


def test_numbers_that_were_not_rounded_are_right_at_the_digits_asked_and_otherwise_named_so() -> None:
    problem = document(carry_rounded=True, decimals=2)
    marks = mark(problem, worked(document(decimals=6)))
    named = {slip.slug for each in marks.marks for slip in each.slips}
    assert named <= {"not-rounded"} and kinds(marks, "A1") <= {"correct", "rounded"}
    assert "wrong" not in {each.verdict for each in marks.marks}
    assert mark(problem, worked(problem)).all_right


def test_who_works_with_fewer_digits_throughout_has_left_out_matrices_with_as_few() -> None:
    """0.92 · 0.08 = 0.0736 → 0.07; to three digits A1 is 0.917, and S1 0.076."""
    coarse = {
        "Z1": [[f"{value:.2f}" for value in row] for row in example("article")["Z1"]],
        "S1": [["0.15", "0.12", "0.19"], ["0.07", "0.11", "0.14"], ["0.15", "0.14", "0.17"]],
    }
    found = {each.verdict for each in marked("a.json", json.dumps(coarse)).marks}
    assert found <= {"correct", "rounded", "too_coarse"}


def test_two_factors_are_told_once_and_never_such_as_cancel_out() -> None:
    problem = document(convention={"reduction": "mean", "learning_rate_in": "delta"})
    for factor in (0.5, 1.5, 2.0):
        rules = with_rule(problem, "D2", lambda m, by=factor: by * 0.1 * m["E"] * m["S2"])
        for slip in (each for one in mark(problem, worked(problem, rules)).of("D2") for each in one.slips):
            halves = slip.says.split("; and ")
            assert len(set(halves)) == len(halves)
        says = [slip.says for slip in next(iter(mark(problem, worked(problem, rules)).of("D2"))).slips]
        assert len({frozenset(each.removeprefix("and ").split("; and ")) for each in says}) == len(says)


# Files


def cells(header: str, line: Callable[[str, int, int, str], str]) -> str:
    article = example("article")
    lines = [
        line(name, i + 1, j + 1, f"{value:.6f}")
        for name in computed()
        for (i, j), value in np.ndenumerate(article[name])
    ]
    return "\n".join((header, *lines))


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("Matrix,Row,Col,Value", lambda m, i, j, v: f"{m},{i},{j},{v}"),
        ("Matrix;Zeile;Spalte;Wert", lambda m, i, j, v: f"{m};{i};{j};{v.replace('.', ',')}"),
        ("matrix,row,column,value,comment", lambda m, i, j, v: f"{m},{i},{j},{v},easy"),
        ("value,matrix,i,j", lambda m, i, j, v: f"{v},{m},{i},{j}"),
        ("matrix,row,column,value", lambda m, i, j, v: f"{m},{i},{j},{v.replace('.', ',')}"),
    ],
    ids=["capitals", "German", "a remark", "another order", "decimal commas"],
)
def test_a_cell_a_line_may_have_other_headings(header: str, line: Callable[[str, int, int, str], str]) -> None:
    sheet = marked("a.csv", cells(header, line))
    assert sheet.all_right and len(sheet.marks) == 99 and not sheet.warnings


@pytest.mark.parametrize("header", ["what,a,b,c", "Z1,1,1,9"])
def test_a_cell_a_line_under_an_unknown_header_is_refused_and_not_marked(header: str) -> None:
    with pytest.raises(Exception, match="line 1: expected the header matrix,row,column,value"):
        marked("a.csv", cells(header, lambda m, i, j, v: f"{m},{i},{j},{v}"))


def of_r(name: str) -> str:
    head = " ".join(f"[,{j + 1}]" for j in range(example("article")[name].shape[1]))
    rows = (f"[{i + 1},] " + " ".join(f"{v:.5f}" for v in row) for i, row in enumerate(example("article")[name]))
    return "\n".join((f"> {name}" if name == "Z1" else name, f"      {head}", *rows))


def of_pandas(name: str) -> str:
    head = "  ".join(f"{j:>8}" for j in range(example("article")[name].shape[1]))
    rows = (f"{i}  " + "  ".join(f"{v:8.5f}" for v in row) for i, row in enumerate(example("article")[name]))
    return "\n".join((name, f"   {head}", *rows, ""))


def of_matlab(name: str) -> str:
    power = int(np.floor(np.log10(np.abs(example("article")[name]).max())))
    scaled = example("article")[name] / 10.0**power if power < -1 else example("article")[name]
    head = ("", f"   1.0e{power:+03d} *") if power < -1 else ()
    return "\n".join((f"{name} =", *head, "", *("   " + "   ".join(f"{v:.5f}" for v in row) for row in scaled), ""))


@pytest.mark.parametrize("write", [of_r, of_pandas, of_matlab])
def test_what_other_programs_print_is_read(write: Callable[[str], str]) -> None:
    sheet = marked("a.txt", "\n".join(map(write, computed())))
    assert len(sheet.marks) == 99, sheet.warnings
    assert {each.verdict for each in sheet.marks} <= {"correct", "rounded", "too_coarse"}


def test_a_scale_ends_with_its_matrix() -> None:
    sheet = marked("a.txt", "D2 =\n\n   1.0e-01 *\n\n  0.4\n  0.5\n  -2\n\nZ2\n1.321\n1.374\n1.321\n")
    assert [each.answer for each in sheet.of("D2")] == ["0.4e-01", "0.5e-01", "-2e-01"]
    assert {each.verdict for each in sheet.of("Z2")} == {"correct"}


@pytest.mark.parametrize(
    "extra", [{"student": "Ada Byron"}, {"student": {"name": "Ada Byron"}}], ids=["a name", "an object"]
)
def test_json_may_have_a_name_for_the_student_and_the_matrices_in_an_object(extra: dict[str, object]) -> None:
    sheet = marked("a.json", json.dumps({"answers": {"Z2": ["1.321", "≈1.374", "~1.321"]}, **extra}))
    assert sheet.all_right and len(sheet.marks) == 3
    assert sheet.sheet.answers.student == {"name": "Ada Byron"}


# Where the rate and the mean come in


@pytest.mark.parametrize(
    ("own", "other", "words"),
    [
        ({"error": "target - output"}, {"learning_rate_in": "change"}, "dW and db as the changes that are added"),
        ({}, {"learning_rate_in": "change"}, "dW and db as the changes that are added"),
        (
            {"reduction": "mean"},
            {"reduction_in": "gradient"},
            "averaged over the samples in dW and db alone",
        ),
        ({}, {"reduction": "mean", "reduction_in": "gradient"}, "averaged over the samples in dW and db alone"),
    ],
)
@pytest.mark.parametrize("left_out", [(), ("E", "S1", "S2")])
def test_changes_and_a_mean_in_the_gradients_are_recognised(
    own: dict[str, str], other: dict[str, str], words: str, left_out: tuple[str, ...]
) -> None:
    asked, written = (
        problem_from_document(document(convention=each), "p", "p.toml") for each in (own, {**own, **other})
    )
    values = key_of(written).values
    computed = key_of(asked).program.computed
    answers = {name: [[repr(x) for x in row] for row in values[name].tolist()] for name in computed}
    content = json.dumps({name: rows for name, rows in answers.items() if name not in left_out}).encode()
    sheet = mark_answers(read_content("a.json", content), Conventions(key_of(asked)), accept=True)
    assert sheet.all_right
    assert sheet.other is not None and words in sheet.other.words


# Other conventions

MEAN = document(convention={"reduction": "mean"})
SUM = document()


def test_a_convention_wins_over_the_slip_that_is_the_same_thing() -> None:
    """1/N left out throughout is the convention of a sum, and costs its first matrix only."""
    sheet = mark(MEAN, worked(SUM))
    assert sheet.other is not None and "summed over the samples" in sheet.other.words
    slips = {slip.slug for each in sheet.marks if each.verdict == "slip" for slip in each.slips}
    assert slips == {BY_CONVENTION} and not sheet.counts["wrong"]


def test_a_slip_in_one_place_is_no_convention() -> None:
    def one_sample_wrong(memory: dict[str, np.ndarray]) -> np.ndarray:
        error = (memory["A2"] - memory["Y"]) / 3
        error[0] *= 3  # 1/N forgotten for one sample
        return error

    sheet = mark(MEAN, worked(MEAN, with_rule(MEAN, "E", one_sample_wrong)))
    assert sheet.other is None and sheet.counts["slip"] + sheet.counts["wrong"] == 3
