"""What a report may say: with no right number in it until the key may be seen."""

import re
from collections.abc import Iterator

import numpy as np

from tests.marking import document, mark, with_rule, worked
from tests.students import Answers, Document, Work
from tests.wrong_rules import wrong_values
from tracer.classroom.class_marks import line_of
from tracer.classroom.findings import expected, findings, headline, place, sentences
from tracer.judging.marking import MarkedSheet
from tracer.judging.slips.table import SINGLE, WHOLE
from tracer.judging.verdicts import COUNTS

PROBLEM = document()
RIGHT = worked(PROBLEM, remembers=2.0)
NO_BIAS = worked(PROBLEM, with_rule(PROBLEM, "Z1", lambda m: m["X"] @ m["W1"]))
SIGN = worked(PROBLEM, with_rule(PROBLEM, "A1", lambda m: 1 / (1 + np.exp(m["Z1"]))))


def copied(answers: Answers, matrix: str, row: int, column: int, text: str | None) -> Answers:
    """The answers with one cell changed."""
    grid = [list(each) for each in answers[matrix]]
    grid[row][column] = text
    return answers | {matrix: grid}


def test_the_headline_says_where_to_start_and_what_follows() -> None:
    assert headline(mark(PROBLEM, {})) == "no cells of this problem's matrices were found"
    assert headline(mark(PROBLEM, RIGHT)) == "all 139 cells are right"
    assert re.fullmatch(r"start at Z1\[1,1\]; \d+ later cells follow correctly.*", headline(mark(PROBLEM, NO_BIAS)))
    assert headline(mark(PROBLEM, copied(RIGHT, "D2", 2, 0, "9"))) == "all right up to D2[3,1]: start there"
    assert headline(mark(PROBLEM, SIGN)).startswith("all right up to A1[1,1]: start there; ")


def test_cells_that_fail_for_one_reason_are_one_finding() -> None:
    (one,) = findings(mark(PROBLEM, NO_BIAS), "hint")
    assert (one.title, len(one.marks)) == ("Z1[1,1] and 8 more", 9)
    mixed = copied(copied(RIGHT, "Z1", 0, 0, None), "Z1", 1, 1, "x")
    assert [each.title for each in findings(mark(PROBLEM, mixed), "hint")] == ["Z1[1,1]", "Z1[2,2]"]


def test_verdicts_alone_are_shown_where_nothing_is_revealed() -> None:
    (one,) = findings(mark(PROBLEM, NO_BIAS), "none")
    assert one.says == ()


def test_a_given_number_miscopied_does_not_have_to_follow_from_anything() -> None:
    given = {"W1": [["9", *row[1:]] if k == 0 else row for k, row in enumerate(PROBLEM["layers"][0]["weights"])]}
    (one,) = findings(mark(PROBLEM, given), "hint")
    assert (one.title, one.says) == ("W1[1,1]", ("not the number given",))


def test_a_cell_that_is_no_number_says_what_it_is() -> None:
    mixed = copied(RIGHT, "Z1", 1, 1, "3/0")
    assert [each.says for each in findings(mark(PROBLEM, mixed), "hint")] == [("a division by zero",)]


def test_a_hint_names_the_slip_and_the_key_adds_the_number() -> None:
    marked = mark(PROBLEM, SIGN)
    first = marked.first_wrong
    assert first is not None
    (hint,), (key,) = (findings(marked, reveal)[0].says for reveal in ("hint", "key"))
    assert hint == "the exponent has the wrong sign"
    assert key.startswith("the exponent has the wrong sign: at z = ")
    assert key.endswith(f"the activation is {expected(marked, first)}")


def test_a_hint_has_the_name_of_a_cell_that_was_left_out_and_not_its_number() -> None:
    relu = worked(PROBLEM, with_rule(PROBLEM, "A1", lambda m: np.maximum(m["Z1"], 0)))
    marked = mark(PROBLEM, {each: grid for each, grid in relu.items() if each != "Z1"})
    first = marked.first_wrong
    assert first is not None
    (hint, *_), (key, *_) = (list(sentences(marked, first, reveal)) for reveal in ("hint", "key"))
    assert hint.startswith(f"this is relu of Z1[{first.row + 1},{first.column + 1}], not")
    assert re.match(r"this is relu of −?\d", key)


def test_no_sentence_of_the_table_holds_the_right_number_outside_of_brackets() -> None:
    told = [rule.slug for rule in (*WHOLE, *SINGLE) if "{right}" in re.sub(r"\[[^\]]*\]", "", rule.says)]
    assert not told
    assert all(rule.says.count("[") == rule.says.count("]") <= 1 for rule in (*WHOLE, *SINGLE))
    assert sum("{right}" in rule.says for rule in (*WHOLE, *SINGLE)) > 20


def slipped() -> Iterator[tuple[Document, str, MarkedSheet]]:
    """Sheets with a slip in a matrix, one for each rule and matrix of two networks."""
    for problem in (PROBLEM, document(output="softmax", loss="cross_entropy")):
        work = Work(problem)
        for slug in ("exponent-sign", "error-sign", "sum-for-mean", "half-factor", "slope-missing", "not-updated",
                     "change-for-value", "one-sample-only", "bias-mean-or-total", "loss-log-base"):  # fmt: skip
            for matrix in ("A1", "L", "E", "S1", "D2", "dW1", "db1", "W1_next"):
                yield from _slipped(problem, work, slug, matrix)


def _slipped(problem: Document, work: Work, slug: str, matrix: str) -> Iterator[tuple[Document, str, MarkedSheet]]:
    memory = work.given()
    for each in work.order():
        if each == matrix:
            break
        memory[each] = work.compute(each, memory)
    values = wrong_values(slug, work, matrix, memory) if matrix in list(work.order()) else []
    for value in values[:1]:
        yield problem, matrix, mark(problem, worked(problem, with_rule(problem, matrix, lambda m, v=value: v)))


def test_no_hint_holds_a_right_number() -> None:
    """Neither the key's nor that on the learner's own work, but where the learner wrote just that somewhere."""
    looked_at = 0
    for problem, matrix, marked in slipped():
        written = {entry.text for grid in marked.sheet.written.values() for row in grid.entries for entry in row}
        given = re.findall(r"[0-9.]+", str(problem))
        for each in marked.marks:
            if each.verdict in COUNTS:
                continue
            right = {f"{abs(value):.{d}f}" for value in (each.expected, each.on_own_work) for d in (3, 4, 5, 6)}
            right -= {text.lstrip("-") for text in written} | set(given)
            for says in sentences(marked, each, "hint"):
                looked_at += 1
                numbers = set(re.findall(r"\d+\.\d+", says))
                assert not numbers & right, (matrix, place(marked, each), says, right)
    assert looked_at > 100


def test_a_cell_and_every_matrix_of_a_sentence_are_called_as_the_problem_calls_them() -> None:
    problem = document(names={"style": "article"})
    rules = with_rule(problem, "E1", lambda m: m["D2"] @ m["W2"])
    marked = mark(problem, worked(problem, rules, remembers=2.0))
    found = findings(marked, "hint")[0]
    assert found.title == "Error_at_hidden_layer[1,1] and 8 more"
    assert headline(marked).startswith("all right up to Error_at_hidden_layer[1,1]: start there")
    assert found.says[0].startswith("wout must be transposed here (woutᵀ): ")
    assert line_of(marked).first_wrong == "E1[1,1]"  # marks.csv is for machines
