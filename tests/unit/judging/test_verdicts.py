"""Each verdict by a case made by hand, and the order in which they hold."""

import json

import pytest

from tests.marking import X, counts, document, kinds, mark, slugs, verdicts, with_rule, worked
from tests.students import Answers, Array, Work, rounded
from tests.wrong_rules import Memory
from tracer.api import load, trace
from tracer.judging.marking import ANOTHERS
from tracer.presentation.theme import theme_of

PROBLEM = document()
RIGHT = worked(PROBLEM, remembers=2.0)  # every digit remembered: what is written is the key, rounded


def changed(cells: dict[tuple[str, int, int], object], answers: Answers = RIGHT) -> Answers:
    """Answers with other entries in some cells."""
    copy = json.loads(json.dumps(answers))
    for (matrix, row, column), entry in cells.items():
        copy[matrix][row][column] = entry
    return copy


def without(*matrices: str, answers: Answers = RIGHT) -> Answers:
    return {name: value for name, value in answers.items() if name not in matrices}


def test_the_key_rounded_is_correct() -> None:
    marked = mark(PROBLEM, RIGHT)
    assert set(counts(marked)) == {"correct"} and marked.all_right
    assert marked.points == (len(RIGHT), len(RIGHT))


def test_a_number_that_follows_from_the_rounded_ones_before_it_is_rounded() -> None:
    problem = document(decimals=2)
    marked = mark(problem, worked(problem))
    assert set(counts(marked)) == {"correct", "rounded"} and marked.counts["rounded"] >= 5
    off = next(each for each in marked.marks if each.verdict == "rounded")
    assert abs(float(off.answer) - off.expected) > 0.005


def test_a_slip_is_marked_once_and_what_follows_is_carried() -> None:
    b = Work(PROBLEM).given()["b1"]
    rules = with_rule(PROBLEM, "Z1", lambda m: m["X"] @ m["W1"] + 0 * b)
    marked = mark(PROBLEM, worked(PROBLEM, rules))
    assert verdicts(marked, "Z1") == [["slip"] * 3] * 3
    assert slugs(marked, "Z1") == ["no-bias"]
    later = [each.verdict for each in marked.marks if each.id != "Z1"]
    assert set(later) <= {"carried", "correct", "rounded"} and later.count("carried") > 60
    assert verdicts(marked, "A1") == [["carried"] * 3] * 3
    assert verdicts(marked, "W2_next").count(["carried"] * 3) >= 2


def test_a_number_that_follows_from_nothing_is_wrong_and_what_is_made_of_it_is_carried() -> None:
    answers = worked(PROBLEM, with_rule(PROBLEM, "E1", lambda m: m["D2"] @ m["W2"].T + [[0.0777, 0, 0]] * 3))
    marked = mark(PROBLEM, answers)
    assert [row[0] for row in verdicts(marked, "E1")] == ["wrong"] * 3
    assert {each for row in verdicts(marked, "E1") for each in row[1:]} <= {"correct", "rounded"}
    assert [row[0] for row in verdicts(marked, "D1")] == ["carried"] * 3
    assert all(row[1:] != ["wrong", "wrong"] for row in verdicts(marked, "D1"))


def test_a_copying_error_that_was_not_used_further_costs_its_cell_alone() -> None:
    marked = mark(PROBLEM, changed({("A1", 1, 2): "0.111"}))
    assert counts(marked).get("wrong", 0) + counts(marked).get("slip", 0) == 1
    assert marked.score == len(marked.marks) - 1


def test_a_given_number_is_right_as_it_stands_or_a_copying_error() -> None:
    answers = RIGHT | {"W1": [["0.42", "-0.88", "0.55"], ["0.1", "0.730", "-.68"], ["-0.6", "0.81", "0.47"]]}
    marked = mark(PROBLEM, answers)
    assert verdicts(marked, "W1") == [["correct"] * 3, ["correct"] * 3, ["correct", "wrong", "correct"]]
    assert marked.score == len(marked.marks) - 1


def test_given_numbers_written_as_printed_leave_no_more_room_than_if_they_were_not_written() -> None:
    answers = changed({("Z1", 0, 0): f"{float(RIGHT['Z1'][0][0] or 0) + 0.001:.3f}"})
    copied = {name: [[str(cell) for cell in row] for row in PROBLEM["layers"][0]["weights"]] for name in ("W1",)}
    for given in ({}, copied):
        marked = mark(PROBLEM, given | {"Z1": answers["Z1"]})
        assert verdicts(marked, "Z1") == [["wrong", "correct", "correct"], ["correct"] * 3, ["correct"] * 3]
        assert kinds(marked, "W1") <= {"correct"}


@pytest.mark.parametrize(
    ("entry", "verdict"),
    [(None, "blank"), ("", "blank"), ("about one", "unreadable"), ("1/0", "unreadable"), (True, "unreadable")],
)
def test_what_is_no_number_is_never_counted_right(entry: object, verdict: str) -> None:
    marked = mark(PROBLEM, changed({("Z1", 0, 1): entry}))
    assert verdicts(marked, "Z1")[0] == ["correct", verdict, "correct"]
    assert marked.score == len(marked.marks) - 1 and not marked.all_right


def test_too_few_digits_are_too_coarse_and_as_many_as_asked_may_end_in_zeros() -> None:
    problem = document(decimals=4)
    right = worked(problem, remembers=2.0)
    full = right["A1"][0][0]
    assert full is not None
    coarse = rounded(float(full), 1)
    marked = mark(problem, changed({("A1", 0, 0): coarse}, right))
    assert verdicts(marked, "A1")[0] == ["too_coarse", "correct", "correct"]
    assert marked.score == len(marked.marks) - 1
    assert slugs(marked, "A1") == []
    zeros = mark(problem, worked(problem, drops_zeros=True, remembers=2.0))
    assert "too_coarse" not in counts(zeros) and zeros.all_right


def test_what_is_right_at_its_own_digits_is_too_coarse_whatever_slip_fits() -> None:
    """0.5 is 0.52 with one digit, and the product without the bias, which the cell beside it is."""
    problem = {
        "learning_rate": 0.1, "loss": "half_squared_error", "decimals": 2,
        "data": {"X": [[1.0]], "Y": [[0.5, 0.5]]},
        "layers": [{"activation": "linear", "weights": [[0.5, 0.31]], "bias": [0.02, 1.0]}],
    }  # fmt: skip
    assert verdicts(mark(problem, {"Z1": [["0.5", "0.31"]]}), "Z1") == [["too_coarse", "slip"]]
    assert verdicts(mark(problem, {"Z1": [["0.5", "1.31"]]}), "Z1") == [["too_coarse", "correct"]]
    assert verdicts(mark(problem, {"Z1": [["0.50", "1.31"]]}), "Z1") == [["slip", "correct"]]


def test_a_value_cut_off_is_rounded_with_truncated_listed() -> None:
    places = [(i, j) for i in range(3) for j in range(3)]
    exact = mark(PROBLEM, RIGHT)
    keys = {(each.row, each.column): each.expected for each in exact.of("A1")}
    place = next(place for place in places if keys[place] * 1000 % 1 > 0.6)
    cut = f"{int(keys[place] * 1000) / 1000:.3f}"
    marked = mark(PROBLEM, changed({("A1", *place): cut}))
    assert verdicts(marked, "A1")[place[0]][place[1]] == "rounded"
    assert slugs(marked, "A1", *place) == ["truncated"]
    off = f"{float(cut) - 0.001:.3f}"
    assert verdicts(mark(PROBLEM, changed({("A1", *place): off})), "A1")[place[0]][place[1]] in ("wrong", "slip")


@pytest.mark.parametrize("sign", ["", "-"])
def test_what_is_made_of_the_digits_that_were_cut_off_is_carried(sign: str) -> None:
    """0.4149 without its bias is 0.3149, written as 0.31 and kept whole; ten times it is 3.149, cut to 3.14."""
    problem = {
        "learning_rate": 0.1, "loss": "half_squared_error", "decimals": 2,
        "data": {"X": [[float(f"{sign}1.0")]], "Y": [[0.5]]},
        "layers": [{"activation": "linear", "weights": [[0.3149, 0.4288]], "bias": [float(f"{sign}0.1"), 0.0]},
                   {"activation": "linear", "weights": [[10.0], [0.0]]}],
    }  # fmt: skip
    first = [[f"{sign}0.31", f"{sign}0.42"]]
    marked = mark(problem, {"Z1": first, "A1": first, "Z2": [[f"{sign}3.14"]]})
    assert verdicts(marked, "Z1") == [["slip", "rounded"]] and slugs(marked, "Z1")[0] == "no-bias"
    assert verdicts(marked, "Z2") == [["carried"]]


def test_wrong_zeros_earn_nothing_downstream_and_other_numbers_do() -> None:
    filled = with_rule(PROBLEM, "D2", lambda m: 0 * m["E"])
    marked = mark(PROBLEM, worked(PROBLEM, filled))
    assert kinds(marked, "D2") == {"wrong"}
    for name in ("dW2", "W2_next", "E1", "D1", "dW1", "W1_next"):
        assert kinds(marked, name) == {"wrong"} and not slugs(marked, name), name
    varied = with_rule(PROBLEM, "D2", lambda m: 0 * m["E"] + [[0.5, 0.4, 0.7]] * 3)
    carried = mark(PROBLEM, worked(PROBLEM, varied))
    assert verdicts(carried, "dW2") == [["carried"] * 3] * 3


def test_zeros_that_follow_from_wrong_numbers_say_nothing() -> None:
    """ReLU: numbers in Z1 that nothing explains make whole columns negative, and zeros of them."""
    problem = document("relu")
    rules = with_rule(problem, "Z1", lambda m: m["X"] @ m["W1"] - [[9.03, 8.21, 7.77]] * 3)
    marked = mark(problem, worked(problem, rules))
    assert kinds(marked, "A1") == {"wrong", "correct"}
    assert kinds(marked, "dW2") == {"wrong"}


def test_matrices_left_out_follow_from_the_learners_own_cells_not_from_the_key() -> None:
    rules = with_rule(PROBLEM, "Z1", lambda m: m["X"] @ m["W1"])
    answers = without("A1", "S1", "S2", "E", "D2", "E1", "D1", answers=worked(PROBLEM, rules))
    marked = mark(PROBLEM, answers)
    assert verdicts(marked, "Z1") == [["slip"] * 3] * 3
    assert kinds(marked, "Z2") <= {"carried", "correct"}
    later = [each.verdict for each in marked.marks if each.id != "Z1"]
    assert set(later) <= {"carried", "correct", "rounded", "not_read"} and later.count("not_read") < 0.1 * len(later)
    assert all(each.id in answers for each in marked.marks), "a matrix that is not there is not counted"


def test_a_slip_in_a_matrix_left_out_is_named_where_it_first_shows_and_later_ones_carry_it() -> None:
    rules = with_rule(PROBLEM, "A1", lambda m: m["Z1"])
    answers = without("A1", "S1", answers=worked(PROBLEM, rules))
    marked = mark(PROBLEM, answers)
    assert slugs(marked, "Z2") == ["activation-skipped"]
    says = next(marked.of("Z2")).slips[0].says
    assert says.startswith("in A1, which you left out: ")
    assert {each.verdict for each in marked.marks if each.id not in ("Z1", "Z2")} <= {"carried", "correct", "rounded"}


def test_blanks_behind_a_slip_are_mended_by_the_right_rule() -> None:
    """The learner remembers D2[1,1], which is blank, as it is without the copying error in S2[1,1]."""
    answers = worked(PROBLEM, with_rule(PROBLEM, "Z1", lambda m: m["X"] @ m["W1"]))
    marked = mark(PROBLEM, changed({("S2", 0, 0): "0.777", ("D2", 0, 0): None}, answers))
    assert verdicts(marked, "S2")[0] == ["wrong", "carried", "carried"]
    assert verdicts(marked, "D2")[0] == ["blank", "carried", "carried"]
    assert verdicts(marked, "E1")[0] == ["carried"] * 3


def test_where_a_slip_in_a_matrix_left_out_was_not_gone_on_with_all_that_follows_is_carried() -> None:
    """Z2 is made of Z1 in the place of A1, which is left out; dW2 with the right A1, and with a D2 that has a mistake.

    So no cell of dW2 is the key's, nor what is made of the right D2, nor what is made of Z1.
    """
    work = Work(PROBLEM)
    right = work.given()
    for name in work.order():
        right[name] = work.compute(name, right)

    def rules(name: str, memory: Memory) -> Array:
        match name:
            case "A1":
                return memory["Z1"]
            case "D2":
                return memory["E"] * memory["S2"] + [[0.1513, -0.1371, 0.1457], [0.0] * 3, [0.0] * 3]
            case "dW2":
                return right["A1"].T @ memory["D2"]
        return work.compute(name, memory)

    marked = mark(PROBLEM, without("A1", "S1", answers=worked(PROBLEM, rules, remembers=2.0)))
    assert slugs(marked, "Z2") == ["activation-skipped"]
    assert [set(row) <= {"wrong", "slip"} for row in verdicts(marked, "D2")] == [True, False, False]
    assert verdicts(marked, "dW2") == [["carried"] * 3] * 3


def test_numbers_of_the_learners_own_have_a_key_of_their_own() -> None:
    own = json.loads(json.dumps(PROBLEM))
    own["layers"][0]["weights"] = [[0.2, 0.5, -0.9], [0.4, -0.1, 0.3], [0.7, 0.6, -0.2]]
    answers = worked(own)
    assert not mark(PROBLEM, answers).all_right
    given = {"W1": own["layers"][0]["weights"]}
    assert mark(PROBLEM, answers, by_given=True, given=given).all_right
    marked = mark(PROBLEM, answers, given=given)
    assert (
        not marked.all_right
        and "given.W1: other numbers than this problem's; judged by the problem's own" in (marked.warnings[0])
    )
    assert marked.warnings[-1] == ANOTHERS.said(theme_of()), "a neighbour's, perhaps"
    same = mark(PROBLEM, worked(PROBLEM), given={"W1": PROBLEM["layers"][0]["weights"]})
    assert same.all_right and not same.warnings


def test_trivial_numbers_of_ones_own_earn_nothing() -> None:
    zeros = json.loads(json.dumps(PROBLEM))
    nothing = [[0.0] * 3] * 3
    zeros["data"] = {"X": nothing, "Y": [[0.5] * 3] * 3}
    zeros["layers"] = [{"activation": "sigmoid", "weights": nothing, "bias": [0.0] * 3}] * 2
    given = {"X": nothing, "Y": zeros["data"]["Y"], **dict.fromkeys(("W1", "W2"), nothing), "b1": [[0.0] * 3]}
    given["b2"] = given["b1"]
    marked = mark(PROBLEM, worked(zeros), given=given)
    assert ANOTHERS.said(theme_of()) in marked.warnings and marked.points[0] < 0.3 * marked.points[1]
    assert mark(PROBLEM, worked(zeros), by_given=True, given=given).all_right


def test_a_step_has_two_values_and_none_between() -> None:
    """Z1 = 0.004 is written 0.00: the slope of ReLU may be 0 or 1, and no 0.5."""
    problem = {
        "learning_rate": 0.1, "loss": "half_squared_error", "decimals": 2,
        "data": {"X": [[0.04]], "Y": [[0.5]]},
        "layers": [{"activation": "relu", "weights": [[0.1]]}, {"activation": "linear", "weights": [[0.7]]}],
    }  # fmt: skip
    for slope, fits in (("1", True), ("0", True), ("0.5", False)):
        marked = mark(problem, {"Z1": [["0.00"]], "S1": [[slope]]})
        assert (verdicts(marked, "S1")[0][0] in ("correct", "rounded")) is fits, slope
    for delta, fits in (("0.000", True), ("-0.350", True), ("-0.200", False)):
        marked = mark(problem, {"Z1": [["0.00"]], "E1": [["-0.350"]], "D1": [[delta]]})
        assert (verdicts(marked, "D1")[0][0] in ("correct", "rounded")) is fits, delta


def test_what_nothing_bounds_is_not_read() -> None:
    """An output written 0.00 may be anything below 0.005, so that −y/a may be anything above 200."""
    problem = {
        "learning_rate": 0.1, "loss": "binary_cross_entropy", "decimals": 2,
        "data": {"X": [[1.0]], "Y": [[1.0]]}, "layers": [{"activation": "sigmoid", "weights": [[-6.0]]}],
    }  # fmt: skip
    marked = mark(problem, {"A1": [["0.00"]], "E": [["-405.10"]]})
    assert verdicts(marked, "E") == [["not_read"]]
    assert json.dumps(marked.to_document(), allow_nan=False)


def test_bounds_are_not_cut_to_the_range_of_an_activation() -> None:
    rules = with_rule(PROBLEM, "A1", lambda m: m["Z1"] + 1.0)
    marked = mark(PROBLEM, worked(PROBLEM, rules))
    assert kinds(marked, "S1") == {"carried"}
    assert min(float(each.answer) for each in marked.of("S1")) < 0


def test_more_digits_than_asked_count_for_those_asked_and_no_more_than_twelve_are_compared() -> None:
    expected = {(each.row, each.column): each.expected for each in mark(PROBLEM, RIGHT).of("A1")}
    for digits, off, fits in ((6, 0.0, True), (6, 3e-6, False), (15, 0.0, True), (15, 3e-14, True)):
        text = f"{expected[0, 0] + off:.{digits}f}"
        marked = mark(PROBLEM, changed({("A1", 0, 0): text, ("Z1", 0, 0): repr(sum_of_first_row())}))
        assert (verdicts(marked, "A1")[0][0] == "correct") is fits, text


def sum_of_first_row() -> float:
    given = Work(PROBLEM).given()
    return float((given["X"] @ given["W1"] + given["b1"])[0, 0])


def test_what_a_publication_did_though_it_is_not_the_gradient_is_never_credited() -> None:
    problem = document(reproduce={"rate_twice": True})
    twice = worked(PROBLEM, with_rule(PROBLEM, "D2", lambda m: 0.3 * m["E"] * m["S2"]))
    marked = mark(problem, twice)
    assert slugs(marked, "D2")[0] == "rate-in-gradient" and marked.other is None
    assert mark(problem, RIGHT).all_right
    assert "not the gradient" in mark(problem, RIGHT).warnings[0].lower()


def test_a_table_written_the_other_way_round_is_read_turned_and_marked_so() -> None:
    problem = document()
    problem["data"] = {"X": X[:2], "Y": problem["data"]["Y"][:2]}
    right = worked(problem, remembers=2.0)
    turned = right | {"Z1": [list(column) for column in zip(*right["Z1"], strict=True)]}
    marked = mark(problem, turned)
    assert kinds(marked, "Z1") == {"wrong"}
    assert {each.verdict for each in marked.marks if each.id != "Z1"} == {"correct"}
    assert marked.warnings == ("Z1: found 3×2, expected 2×3",)


def test_shapes_that_do_not_fit_are_named_and_what_fits_is_marked() -> None:
    answers = RIGHT | {"Z1": [row[:2] for row in RIGHT["Z1"]], "b1_next": [[cell] for cell in RIGHT["b1_next"][0]]}
    marked = mark(PROBLEM, answers | {"Q": [["1"]]})
    assert verdicts(marked, "Z1") == [["correct", "correct", "blank"]] * 3
    assert verdicts(marked, "b1_next") == [["correct"] * 3], "a row written as a column"
    assert marked.warnings == ("Z1: found 3×2, expected 3×3",)
    assert [(each.where, each.found) for each in marked.sheet.answers.not_read] == [("Q", "a number under “Q”: 1")]


def test_the_document_of_a_sheet_is_the_contract() -> None:
    answers = changed({("Z1", 0, 1): "1.99", ("A1", 0, 0): None})
    marked = mark(PROBLEM, answers, student={"name": "Ada", "id": 7}, problem_sha256="old")
    made = json.loads(json.dumps(marked.to_document(), allow_nan=False))
    assert made["student"] == {"name": "Ada", "id": "7"} and made["answers"] == "answers.json"
    assert made["warnings"] == ["the answers were made for another version of this problem"]
    cell = next(each for each in made["cells"] if (each["id"], each["row"], each["column"]) == ("Z1", 1, 2))
    assert cell["answer"] == "1.99" and cell["verdict"] == "wrong" and cell["slips"] == []
    assert cell["expected"] == cell["on_own_work"]
    summary = made["summary"]
    assert summary["of"] == len(made["cells"]) - 1 and summary["score"] == summary["of"] - 1
    assert list(summary)[:8] == ["correct", "rounded", "carried", "slip", "wrong", "blank", "unreadable", "too_coarse"]
    assert list(summary)[8] == "not_read" and made["not_read"] == []
    assert summary["wrong"] == summary["blank"] == 1 and summary["out_of"] == len(answers)
    assert summary["points"] == pytest.approx(len(answers) - 1 / 9 - 1 / 9)


@pytest.mark.parametrize("written", ["1.3208561", "1.321", "1.32100", "1.3205"])
def test_right_to_the_decimals_asked_is_right_however_many_more_are_written(written: str) -> None:
    """Z2[1,1] of the article is 1.3208558…; single precision or a rounded step shows in digits nobody asked for."""
    problem = load("article").to_document()
    right = [f"{value:.7f}" for value in trace("article")["Z2"].ravel().tolist()]
    marked = mark(problem, {"Z2": [[written], *([each] for each in right[1:])]})
    assert {each for row in verdicts(marked, "Z2") for each in row} <= {"correct", "rounded"}


def test_an_unchanged_parameter_is_not_right_however_small_its_change() -> None:
    problem = load("article").to_document()
    old = trace("article")["W1"]
    marked = mark(problem, {"W1_next": [[f"{value:.7f}" for value in row] for row in old.tolist()]})
    assert not {"correct", "rounded"} & {each for row in verdicts(marked, "W1_next") for each in row}


@pytest.mark.parametrize(
    ("slope", "written", "verdict"),
    [("0.01", "0.0", "too_coarse"), ("0.01", "0", "slip"), ("0.01", "0.02", "wrong"), ("1", "1.0", "correct"),
     ("1", "0.9", "wrong")],
)  # fmt: skip
def test_the_slope_of_leaky_relu_may_lose_a_digit_and_its_1_may_not(slope: str, written: str, verdict: str) -> None:
    problem = document("leaky_relu", decimals=2)
    right = worked(problem, remembers=2.0)
    rows = [[float(text) for text in row] for row in right["S1"]]
    place = next((i, row.index(float(slope))) for i, row in enumerate(rows) if float(slope) in row)
    marked = mark(problem, changed({("S1", *place): written}, right))
    assert next(each.verdict for each in marked.of("S1") if (each.row, each.column) == place) == verdict
