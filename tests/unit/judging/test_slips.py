"""Every slip of the catalogue is named by a case made by hand, with the learner's numbers in its sentence."""

import json
import re
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.marking import document, mark, slugs, verdicts, with_rule, worked
from tests.reference import activate
from tests.students import Answers, Array, Document, Work, rounded, split
from tests.wrong_rules import IN_A_CELL, RULES, Memory, wrong_cells, wrong_values
from tracer.answers.numbers import read_number
from tracer.expression.interval import Interval
from tracer.judging.judging import TRUNCATED, turned
from tracer.judging.marking import BY_CONVENTION
from tracer.judging.slips import cells
from tracer.judging.slips.pen import pen_slips
from tracer.judging.slips.table import SINGLE, WHOLE
from tracer.problem.problem import problem_from_document

PUBLISHED = Path(__file__).parents[2] / "golden" / "published"
SIGMOID, RELU = document(), document("relu", "linear", "mean_squared_error")
TANH = document("tanh", "sigmoid", "binary_cross_entropy", convention={"reduction": "mean"})
SOFTMAX = document("softplus", "softmax", "cross_entropy")
FUSED = document("leaky_relu", "softmax", "cross_entropy", convention={"softmax_slope": "fused"})
THREE = Work(SIGMOID)
PROBLEMS = (SIGMOID, RELU, TANH, SOFTMAX, FUSED)
CATALOGUE = """
not-rounded no-bias bias-subtracted bias-per-term wrong-bias weights-transposed elementwise-product activation-skipped
exponent-sign missing-brackets log-base wrong-activation softmax-without-exp softmax-not-normalised softmax-wrong-axis
exp-of-sum sigmoid-for-softmax loss-log-base loss-sign sum-for-mean half-factor no-one-hot-mask log-of-mean bce-for-ce
error-sign extra-slope slope-missing stopped-at-loss diagonal-jacobian slope-of-activation slope-of-z slope-of-error
half-slope wrong-slope relu-mask-missing relu-mask-misplaced no-transpose updated-weights raw-error-sent-back
wrong-layer-weights wrong-left-factor error-for-delta outer-of-sums one-sample-only times-parameter
gradient-transposed bias-summed-over-units bias-mean-or-total wrong-direction rate-missing-twice-divided
rate-scales-weights change-for-value not-updated rate-in-gradient truncated digit-slip copied-or-sign-dropped
next-layer-sum-missing jacobian-wrong-index divided-for-multiplied wrong-row-or-target operand-used-twice
term-dropped-or-doubled softmax-twice stale-value fraction-without-square matrix-product bias-not-summed
formula-mistyped transposed-operand-missing jacobian-row-summed gradient-sent-back neighbour-in-slope term-sign-lost
weight-misread change-scaled
"""  # but for early-rounding, which is no mistake
OF_PROGRAMS = """
causal-mask-missing mask-after-softmax scaling-missing residual-missing gain-and-shift-exchanged gates-exchanged
time-steps-exchanged wrong-parameter variance-n-minus-1 epsilon-outside-root root-missing kernel-flipped
stride-ignored padding-ignored mean-for-max pool-gradient-everywhere pool-gradient-misplaced residual-path-missing
mean-path-missing variance-path-missing path-missing gradient-of-one-use bias-correction-missing
epsilon-inside-root momentum-sign state-forgotten shares-exchanged gradient-not-squared weight-decay-coupled
weight-decay-missing plain-descent
"""


def test_the_table_has_every_slip_of_the_catalogue_and_no_other() -> None:
    tables = {rule.slug for rule in (*WHOLE, *SINGLE)} | {TRUNCATED.slug, turned("W1").slug, "copied-or-sign-dropped"}
    catalogue = re.findall(r"[a-z-]+", CATALOGUE)
    of_programs = re.findall(r"[a-z0-9-]+", OF_PROGRAMS)
    assert tables == {*catalogue, *of_programs} and len(catalogue) == 76 and len(of_programs) == 31


def with_slip(slug: str, kind: str, problem: Document) -> tuple[str, Answers] | None:
    """Answers with the first form of a slip in the first matrix in which it can happen, and that matrix."""
    work = Work(problem)
    for matrix in work.order():
        if split(matrix)[0] != kind:
            continue
        forms: list[int] = []

        def value(memory: Memory, matrix: str = matrix, forms: list[int] = forms) -> Array:
            made = wrong_values(slug, work, matrix, memory)
            forms.append(len(made))
            return made[0] if made else work.compute(matrix, memory)

        answers = worked(problem, with_rule(problem, matrix, value))
        if forms[0]:
            return matrix, answers
    return None


@pytest.mark.parametrize(("slug", "kind"), RULES, ids=lambda part: part)
def test_a_slip_is_named_in_every_cell_that_it_spoils_on_every_problem_that_has_a_place_for_it(
    slug: str, kind: str
) -> None:
    shown = 0
    for problem in PROBLEMS:
        made = with_slip(slug, kind, problem)
        if made is None:
            continue
        matrix, answers = made
        marked = mark(problem, answers)
        failing = [each for each in marked.of(matrix) if each.verdict in ("slip", "wrong")]
        named = BY_CONVENTION if marked.other else slug  # such as the loss shown as a sum
        assert all(named in [slip.slug for slip in each.slips] for each in failing), failing
        assert not [each for each in marked.marks if each.verdict == "wrong" and each.id != matrix]
        for slip in (slip for each in failing for slip in each.slips):
            assert slip.says and "{" not in slip.says and "NaN" not in slip.says and "nan" not in slip.says
        shown += bool(failing)
    assert shown


def one_wrong_cell(slug: str, matrix: str, which: int, work: Work = THREE) -> Callable[[Memory], Array]:
    """The right rule, with a slip of one cell in one of the ways in which it can happen."""

    def value(memory: Memory) -> Array:
        made = work.compute(matrix, memory)
        i, j, wrong = wrong_cells(slug, work, matrix, memory)[which]
        made[i, j] = wrong
        return made

    return value


@pytest.mark.parametrize("slug", IN_A_CELL)
def test_a_slip_of_one_cell_is_named_there_alone(slug: str) -> None:
    marked = mark(SIGMOID, worked(SIGMOID, with_rule(SIGMOID, "Z2", one_wrong_cell(slug, "Z2", 3))))
    spoilt = [each for each in marked.marks if each.verdict in ("slip", "wrong")]
    assert [(each.id, each.verdict) for each in spoilt] == [("Z2", "slip")]
    assert slug in [slip.slug for slip in spoilt[0].slips]


@pytest.mark.parametrize("slug", IN_A_CELL)
@pytest.mark.parametrize("matrix", ["Z1", "Z2"])
def test_a_slip_of_one_cell_is_named_in_every_way_where_there_is_one_other_sample_unit_and_term(
    slug: str, matrix: str
) -> None:
    """The fewest that there can be of each: two samples through a 2-2-2 network."""
    problem = document(decimals=4)
    problem["data"] = {name: [row[:2] for row in rows[:2]] for name, rows in problem["data"].items()}
    for layer in problem["layers"]:
        layer |= {"weights": [row[:2] for row in layer["weights"][:2]], "bias": layer["bias"][:2]}
    work = Work(problem)
    ways = len(list(wrong_cells(slug, work, matrix, remembered(work, matrix))))
    for which in range(ways):
        marked = mark(problem, worked(problem, with_rule(problem, matrix, one_wrong_cell(slug, matrix, which, work))))
        (spoilt,) = (each for each in marked.marks if each.verdict in ("slip", "wrong"))
        assert slug in [slip.slug for slip in spoilt.slips], which
    assert ways >= 8


def remembered(work: Work, matrix: str) -> Memory:
    """All that is known when a matrix comes to be computed."""
    memory = work.given()
    for name in takewhile(lambda each: each != matrix, work.order()):
        memory[name] = work.compute(name, memory)
    return memory


def test_a_slip_of_one_cell_in_a_matrix_left_out_is_looked_for_in_that_cell_alone() -> None:
    """Of A1[1,1] taken from the row below a whole row of Z2 is wrong, and no other."""

    def value(memory: Memory) -> Array:
        made = Work(SIGMOID).compute("A1", memory)
        made[0, 0] = made[1, 0]
        return made

    answers = worked(SIGMOID, with_rule(SIGMOID, "A1", value), remembers=2.0)
    marked = mark(SIGMOID, {name: grid for name, grid in answers.items() if name not in ("A1", "S1")})
    assert verdicts(marked, "Z2") == [["slip"] * 3, ["correct"] * 3, ["correct"] * 3]
    first = next(marked.of("Z2")).slips[0]
    assert first.slug == "wrong-row-or-target" and first.says.startswith("in A1, which you left out: ")


@pytest.mark.parametrize(
    ("matrix", "slug", "rival"),
    [
        ("Z1", "wrong-row-or-target", "copied-or-sign-dropped"),
        ("Z2", "wrong-row-or-target", "copied-or-sign-dropped"),
    ],
)
def test_of_what_fits_one_cell_alike_a_rule_comes_before_the_pen(matrix: str, slug: str, rival: str) -> None:
    """Few other cells could have been taken; there are more ways to copy a number wrongly."""
    marked = mark(SIGMOID, worked(SIGMOID, with_rule(SIGMOID, matrix, one_wrong_cell(slug, matrix, 0))))
    (spoilt,) = [each for each in marked.of(matrix) if each.verdict == "slip"]
    assert [slip.slug for slip in spoilt.slips] == [slug, rival]


@pytest.mark.parametrize(
    ("z", "a", "named"),
    [
        ("0.70", "0.62", ["formula-mistyped", "log-base"]),  # σ(z²) and 1/(1 + 2^−z); students mistyped the formula
        ("1.00", "0.27", ["exponent-sign", "formula-mistyped"]),  # σ(−z) has one form, the mistyped one several
        ("0.60", "0.59", ["formula-mistyped", "activation-skipped", "wrong-activation"]),
    ],
)
def test_of_what_fits_a_number_alike_the_commoner_and_the_simpler_come_first(z: str, a: str, named: list[str]) -> None:
    problem = {
        "learning_rate": 0.2, "loss": "half_squared_error", "decimals": 2, "data": {"X": [[1.0]], "Y": [[1.0]]},
        "layers": [{"activation": "sigmoid", "weights": [[float(z)]]}],
    }  # fmt: skip
    marked = mark(problem, {"Z1": [[z]], "A1": [[a]]})
    assert slugs(marked, "A1") == named


@pytest.mark.parametrize("slug", IN_A_CELL)
def test_slips_of_one_cell_are_tried_up_to_a_number_of_numbers(slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Z2 each comes in 6 or 3 forms, of 9 cells and 3 or 6 numbers each: 162. A sign is lost in 3 ways, not 6."""
    answers = worked(SIGMOID, with_rule(SIGMOID, "Z2", one_wrong_cell(slug, "Z2", 3)))
    enough = 81 if slug == "term-sign-lost" else 162
    for most, tried in ((enough, True), (enough - 1, False)):
        monkeypatch.setattr(cells, "MOST_NUMBERS", most)
        named = {slip.slug for each in mark(SIGMOID, answers).of("Z2") for slip in each.slips}
        assert (slug in named) is tried, most


def test_digits_that_were_swapped_are_looked_for_in_numbers_of_up_to_twelve() -> None:
    for digits, named in (("123456789021", True), ("1234567890321", False)):
        right = Interval.exactly(np.array([[float(f"0.{digits}"[:-2] + digits[-1] + digits[-2])]]))
        entry = read_number(f".{digits}")
        assert any(slip.says.startswith("two digits") for slip in pen_slips(entry, 0, 0, right, 1e-14)) is named


# By hand, with numbers that can be checked in the head

ONE = {
    "learning_rate": 0.2, "loss": "half_squared_error", "decimals": 4,
    "data": {"X": [[2.0, 1.0]], "Y": [[1.0]]},
    "layers": [{"activation": "sigmoid", "weights": [[0.3], [-0.5]], "bias": [0.1]}],
}  # fmt: skip
Z, A = 0.2, 0.5498  # 0.6 − 0.5 + 0.1 and its sigmoid


@pytest.mark.parametrize(
    ("matrix", "entry", "slug", "says"),
    [
        ("Z1", "0.1000", "no-bias", "the bias 0.1 was not added: 0.1000 is the sum of the products alone"),
        ("Z1", "0.0000", "bias-subtracted", "the bias 0.1 was subtracted; add it"),
        ("Z1", "0.7000", "term-dropped-or-doubled", "term 2 of the sum was left out"),  # of a sum of two terms
        ("A1", "0.4502", "exponent-sign", "at z = 0.2000 the activation is 0.5498"),
        ("A1", "1.8187", "missing-brackets", "brackets"),
        ("A1", "0.2000", "activation-skipped", "0.2000 is Z1 itself"),
        ("A1", "0.6131", "log-base", "10 was used as the base"),
        ("A1", "0.1974", "wrong-activation", "this is tanh of 0.2000"),
        ("A1", "0.5948", "digit-slip", "two digits were swapped: 0.5498"),
        ("A1", "5.4980", "digit-slip", "the decimal point moved one place to the right: 0.5498"),
        ("L", "0.2027", "half-factor", "twice this problem's loss, which is 0.1013"),
        ("E", "0.4502", "error-sign", "y = 1 and a = 0.5498, so the error is −0.4502"),
        ("S1", "0.2320", "slope-of-activation", "applied again, to 0.5498"),
        ("S1", "0.1600", "slope-of-z", "0.2000 was put in for a"),
        ("S1", "0.4502", "half-slope", "only 1 − a with a = 0.5498"),
        ("D1", "-0.4502", "slope-missing", "1 was used instead of the slope"),
        ("D1", "0.1114", "error-sign", "with the error −0.4502 it is −0.1114"),
        ("W1_next", [["0.5228"], ["-0.3886"]], "rate-missing-twice-divided", "the learning rate 0.2 was left out"),
        ("W1_next", [["0.2554"], ["-0.5223"]], "wrong-direction", "0.3 moved the wrong way"),
        ("W1_next", [["0.0446"], ["0.0223"]], "change-for-value", "this is the change alone"),
    ],
)
def test_by_hand(matrix: str, entry: Any, slug: str, says: str) -> None:
    right = {
        "Z1": [["0.2000"]], "A1": [["0.5498"]], "E": [["-0.4502"]], "S1": [["0.2475"]], "D1": [["-0.1114"]],
        "dW1": [["-0.2228"], ["-0.1114"]],
    }  # fmt: skip
    marked = mark(ONE, right | {matrix: entry if isinstance(entry, list) else [[entry]]})
    first = next(marked.of(matrix))
    assert first.verdict == "slip"
    named = next(slip for slip in first.slips if slip.slug == slug)
    assert says in named.says, named.says


def test_biases_of_many_units_in_another_order_are_wrong_biases() -> None:
    """Of 5 units not every order is tried, but those that are moved along."""
    problem = {
        "learning_rate": 0.2, "loss": "half_squared_error", "decimals": 3, "data": {"X": [[1.0]], "Y": [[0.5] * 5]},
        "layers": [{"activation": "sigmoid", "weights": [[0.3, -0.8, 0.5, 1.1, -0.4]],
                    "bias": [0.11, 0.27, -0.38, 0.53, -0.64]}],
    }  # fmt: skip
    for by in range(1, 5):
        rules = with_rule(problem, "Z1", lambda m, by=by: m["X"] @ m["W1"] + np.roll(m["b1"], by, axis=1))
        marked = mark(problem, worked(problem, rules))
        assert verdicts(marked, "Z1") == [["slip"] * 5]
        assert {each.slips[0].slug for each in marked.of("Z1")} == {"wrong-bias"}
    says = next(marked.of("Z1")).slips[0].says
    assert says == "the biases in another order were added; the bias here is 0.11"


@pytest.mark.parametrize("other", ["tanh", "softplus", "sigmoid"])
def test_another_activation_in_the_place_of_softmax_is_named(other: str) -> None:
    """The sigmoid is a slip of its own, with a sentence of its own."""
    layer = {"activation": other}
    answers = worked(SOFTMAX, with_rule(SOFTMAX, "A2", lambda m: activate(layer, m["Z2"])))
    named = {slip.slug for each in mark(SOFTMAX, answers).of("A2") for slip in each.slips}
    assert ("wrong-activation" in named) is (other != "sigmoid")
    assert ("sigmoid-for-softmax" in named) is (other == "sigmoid")


def test_a_value_of_the_pass_before_is_stale() -> None:
    """In the second pass A1 of the first is taken for dW2."""
    problem = document(decimals=6)
    first = Work(problem)
    memory = first.given()
    for name in first.order():
        memory[name] = first.compute(name, memory)
    second = json.loads(json.dumps(problem))
    for number, layer in enumerate(second["layers"], start=1):
        layer["weights"], layer["bias"] = memory[f"W{number}_next"].tolist(), memory[f"b{number}_next"][0].tolist()
    old = memory["A1"]
    answers = worked(second, with_rule(second, "dW2", lambda m: old.T @ m["D2"]), remembers=2.0)
    marked = mark(problem, answers, number=2)
    assert {each.verdict for each in marked.marks if each.id not in ("dW2", "W2_next")} == {"correct"}
    failing = [each for each in marked.of("dW2") if each.verdict == "slip"]
    assert failing and all(each.slips[0].slug == "stale-value" for each in failing)
    assert "A1 of the previous pass was used" in failing[0].slips[0].says
    assert not mark(problem, answers).all_right


def test_two_slips_in_one_matrix_are_named_together() -> None:
    """Another activation's slope, and the sign turned."""
    rules = with_rule(SIGMOID, "D1", lambda m: -m["E1"] * (1 - m["A1"] ** 2))
    marked = mark(SIGMOID, worked(SIGMOID, rules))
    named = {slug for row in range(3) for slug in slugs(marked, "D1", row, 1)}
    assert any(set(slug.split(" + ")) == {"wrong-slope", "error-sign"} for slug in named), named


def test_a_rule_is_claimed_only_where_it_differs_from_the_right_one() -> None:
    """With a bias of 0 in one unit, forgetting the biases does not show there."""
    problem = document()
    problem["layers"][0]["bias"] = [0.46, 0.0, 0.13]
    marked = mark(problem, worked(problem, with_rule(problem, "Z1", lambda m: m["X"] @ m["W1"])))
    assert verdicts(marked, "Z1") == [["slip", "correct", "slip"]] * 3


def test_where_two_slips_fit_the_further_cell_is_named() -> None:
    """With 2 samples, half the delta and its mean over the samples are one; a learning rate of 0.5 is a half too."""
    problem = document(learning_rate=0.5)
    problem["data"] = {"X": problem["data"]["X"], "Y": problem["data"]["Y"]}
    answers = worked(problem, with_rule(problem, "D2", lambda m: 0.5 * m["E"] * m["S2"]))
    marked = mark(problem, answers)
    assert {"half-factor", "rate-in-gradient"} <= set(slugs(marked, "D2"))
    coarse = document(decimals=2)
    b = coarse["layers"][0]["bias"] = [0.46, -0.27, 0.13]
    W = np.array(coarse["layers"][0]["weights"])
    X = np.array(coarse["data"]["X"])
    partly = [[rounded(float(v), 2) for v in row] for row in (X @ W).tolist()]
    blank = [[partly[0][0], None, None], [None] * 3, [None] * 3]
    marked = mark(coarse, {"Z1": blank})
    first = next(marked.of("Z1"))
    assert first.slips[0].slug == "no-bias" and b
    for slip in first.slips[:-1]:
        if slip.apart:
            assert re.match(
                r"to tell these apart, give (more digits of )?Z1\[\d,\d\]: −?[\d.]+ by this reason, "
                r"−?[\d.]+ by the next$",
                slip.apart,
            )
    assert any(slip.apart for slip in first.slips) or len(first.slips) == 1


# What publications got wrong

PARTS = {"z": "Z{}", "a": "A{}", "dA": "E{}", "dW": "dW{}", "W_after": "W{}_next"}


def published(name: str) -> tuple[Document, Answers]:
    """A publication's network, and its printed numbers as answers; of two versions the later one."""
    case = json.loads((PUBLISHED / f"{name}.json").read_text(encoding="utf-8"))
    layers = zip(case["layers"], case["weights"], case["biases"], strict=True)
    problem = {
        "learning_rate": case["learning_rate"],
        "loss": "binary_cross_entropy",
        "data": {"X": case["X"], "Y": case["y"]},
        "layers": [{"activation": one["activation"], "weights": W, "bias": b} for one, W, b in layers],
        "convention": {"bias_update": False},
    }
    answers: Answers = {}
    for item in case["printed"]:
        layer, _, part = item["what"].removeprefix("layer").partition(".")
        if item["what"].startswith("layer") and part in PARTS and item.get("where") is None:
            matrix = PARTS[part].format(layer).replace(f"E{len(case['layers'])}", "E")
            shape = np.shape(item["value"])
            decimals = np.broadcast_to(item["decimals"], shape)
            grid = answers.setdefault(matrix, [[None] * shape[1] for _ in range(shape[0])])
            for i, j in np.ndindex(shape):
                if item["value"][i][j] is not None:
                    grid[i][j] = rounded(item["value"][i][j], int(decimals[i, j]))
    return problem, answers


def first_slugs(problem: Document, answers: Answers, matrix: str) -> set[str]:
    """The likeliest slip of each cell that has one."""
    return {each.slips[0].slug for each in mark(problem, answers).of(matrix) if each.verdict == "slip"}


def test_a_published_softmax_without_exp_is_named() -> None:
    problem, answers = published("prakash_medium")
    marked = mark(problem, answers)
    assert verdicts(marked, "A3") == [["slip"] * 3]
    assert [each.slips[0].slug for each in marked.of("A3")] == ["softmax-without-exp"] * 3
    assert "1.8658 was divided by the sum of its row" in next(marked.of("A3")).slips[0].says


def test_published_logarithms_to_base_10_are_named() -> None:
    """The term printed as 0.22753, −log10(1 − 0.4078), as the loss of one output with the target 0."""
    z = float(np.log(0.4078 / (1 - 0.4078)))
    problem = {
        "learning_rate": 0.01, "loss": "binary_cross_entropy", "decimals": 5,
        "data": {"X": [[1.0]], "Y": [[0.0]]}, "layers": [{"activation": "sigmoid", "weights": [[z]]}],
    }  # fmt: skip
    first = next(mark(problem, {"A1": [["0.40780"]], "L": [["0.22753"]]}).of("L"))
    assert first.verdict == "slip" and first.slips[0].slug == "loss-log-base"
    assert "to base 10" in first.slips[0].says


@pytest.mark.parametrize("name", ["asimba_blog", "prakash_medium"])
def test_published_gradients_with_lost_signs_and_a_single_path_are_named(name: str) -> None:
    problem, answers = published(name)
    assert first_slugs(problem, answers, "E") == {"bce-for-ce"}
    assert {each.verdict for each in mark(problem, answers).of("E1")} == {"not_read"}, "three matrices are left out"


def test_a_published_jacobian_of_which_only_the_diagonal_is_used_is_named() -> None:
    problem, answers = published("asimba_blog")
    alone = {name: answers[name] for name in ("Z3", "A3", "E", "A2", "dW3")}
    marked = mark(problem, alone)
    columns = [[each for each in marked.of("dW3") if each.column == k] for k in (0, 2)]
    for column in columns:
        assert all(each.slips[0].slug == "diagonal-jacobian" for each in column), column
    assert "in D3, which you left out" in columns[0][0].slips[0].says


@pytest.mark.parametrize(("name", "matrix", "count"), [
    ("asimba_blog", "W2_next", 3), ("asimba_blog", "W1_next", 8), ("prakash_medium", "W3_next", 4),
])  # fmt: skip
def test_published_decimal_points_that_moved_are_named(name: str, matrix: str, count: int) -> None:
    problem, answers = published(name)
    marked = mark(problem, answers)
    slipped = [each for each in marked.of(matrix) if each.verdict == "slip"]
    assert len(slipped) == count and {each.slips[0].slug for each in slipped} == {"digit-slip"}
    assert {each.verdict for each in marked.of(matrix)} <= {"slip", "carried", "rounded"}


def test_problems_of_publications_are_problems() -> None:
    for name in ("asimba_blog", "prakash_medium"):
        assert problem_from_document(published(name)[0], name, name).depth == 3
