"""The student alone at home: when the sheet speaks, what it says, the end, and everyone's way through it."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.pages import opened
from tests.browser.test_page_axe import PHONE
from tests.browser.test_worksheet import FILL, SIGNS, Texts, sheet, texts, work
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.judging.conventions import Conventions
from tracer.judging.marking import mark_answers
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.plan import make_plan

pytestmark = pytest.mark.browser

FIRST = "[data-keep='{}-0-0']"
BYTES, ZIPPED = 450_000, 120_000


@pytest.fixture(scope="module")
def article() -> Trace:
    return trace(load_problem("article"))


@pytest.fixture(scope="module")
def right(article: Trace) -> Texts:
    return texts(article, work(article))


def slope_again(right: Texts) -> Texts:
    """The slopes of one who puts the activations through the sigmoid once more."""
    made = {}
    for slope, activation in (("S2", "A2"), ("S1", "A1")):
        a = 1 / (1 + np.exp(-np.array(right[activation], dtype=float)))
        made[slope] = [[f"{value:.3f}" for value in row] for row in a * (1 - a)]
    return made


def until(right: Texts, last: str) -> Texts:
    """What was filled in up to a matrix."""
    names = list(right)
    return {name: right[name] for name in names[: names.index(last) + 1]}


def hints(page: Any) -> list[str]:
    return [text for text in page.eval_on_selector_all(".hints", "all => all.map(each => each.innerText)") if text]


def type_into(page: Any, box: str, text: str) -> None:
    page.fill(box, text)
    page.press(box, "Enter")


def test_the_first_box_of_a_matrix_is_marked_at_once_and_the_others_with_their_row(
    chromium: Any, article: Trace, right: Texts, tmp_path: Path
) -> None:
    with opened(chromium, sheet(article), tmp_path) as page:
        for (row, column), seen in (((0, 0), "✓"), ((0, 1), ""), ((0, 2), "✓"), ((1, 0), ""), ((2, 0), "")):
            type_into(page, f"[data-keep='Z1-{row}-{column}']", right["Z1"][row][column])
            assert page.evaluate(SIGNS)[f"Z1-{row}-{column}"] == seen, (row, column)
        assert page.evaluate(SIGNS)["Z1-0-1"] == "✓"


def test_first_where_then_the_idea_then_the_formula_then_the_numbers(
    chromium: Any, article: Trace, right: Texts, tmp_path: Path
) -> None:
    """One wrong rule in both layers is one thing."""
    wrong = slope_again(right)
    with opened(chromium, sheet(article), tmp_path) as page:
        page.evaluate(FILL, until(right, "E") | wrong)
        (said,) = hints(page)
        assert said == "slope_output_layer, sample 1, output 1 and 11 more: look again."
        type_into(page, FIRST.format("S2"), "9")
        type_into(page, FIRST.format("S2"), wrong["S2"][0][0])
        (said,) = hints(page)
        assert "You applied the activation function once more, to output, which" in said
        page.click(".hints button")
        assert "With your numbers" in hints(page)[0] and "Another hint" not in hints(page)[0]


@pytest.mark.parametrize("name", ["article", "mazur", "softmax-classifier", "logistic-regression"])
def test_page_and_command_name_the_same_slips(chromium: Any, name: str, tmp_path: Path) -> None:
    """Of wrong rules that leave no choice."""
    recorded = trace(load_problem(name))
    key = key_of(recorded.problem)
    right = texts(recorded, work(recorded))
    wrongs = {
        "Z1": lambda m: m["X"] @ m["W1"],
        "A1": lambda m: m["Z1"],
        "W1_next": lambda m: 2 * m["W1"] - m["W1_next"],
    }
    for matrix, value in wrongs.items():
        made = value({each: recorded.first[each] for each in recorded.first.matrices})
        digits = max(len(text.partition(".")[2]) for row in right[matrix] for text in row)
        written = until(right, matrix) | {matrix: [[f"{each:.{digits}f}" for each in row] for row in made]}
        marked = mark_answers(read_content("a.json", json.dumps(written).encode()), Conventions(key))
        with opened(chromium, sheet(recorded, feedback="cell"), tmp_path) as page:
            page.evaluate(FILL, written)
            first = next(each for each, sign in page.evaluate(SIGNS).items() if sign == "✗")
            for again in ("77", "78", written[matrix][int(first.split("-")[1])][int(first.split("-")[2])]):
                type_into(page, f"[data-keep='{first}']", again)
            said = " ".join(hints(page))
        says = [marked.tutor(each) for each in marked.diagnosis]
        assert says and says[0].partition(" The same gap is in")[0][:40] in said, (matrix, says, said)


def test_a_line_to_complete_ends_in_dots_until_it_is_right(
    chromium: Any, article: Trace, right: Texts, tmp_path: Path
) -> None:
    with opened(chromium, sheet(article, feedback="cell"), tmp_path) as page:
        end, box = "[data-answer='Z1-0-1']", "[data-keep='Z1-0-1']"
        seen = []
        for text in ("", "9", right["Z1"][0][1]):
            type_into(page, box, text)
            seen.append(page.text_content(end))
        assert seen == ["…", "…", right["Z1"][0][1]]


def test_the_rest_may_be_filled_in_after_two_right_in_a_row_and_is_no_work_of_ones_own(
    chromium: Any, article: Trace, right: Texts, tmp_path: Path
) -> None:
    with opened(chromium, sheet(article, feedback="cell"), tmp_path, quiet=False) as page:
        type_into(page, FIRST.format("Z1"), right["Z1"][0][0])
        assert page.locator(".rest button").count() == 0
        type_into(page, "[data-keep='Z1-0-1']", right["Z1"][0][1])
        page.click(".rest button")
        assert {page.evaluate(SIGNS)[f"Z1-{i}-{j}"] for i in range(3) for j in range(3)} == {"✓"}
        with page.expect_download() as caught:
            page.click("#save")
        saved = json.loads(Path(caught.value.path()).read_text(encoding="utf-8"))
        assert saved["Z1"] == [[*right["Z1"][0][:2], None], [None] * 3, [None] * 3]
        assert saved["filled"]["Z1"][0] == [None, None, right["Z1"][0][2]]
        page.reload()
        assert page.get_attribute("[data-keep='Z1-2-2']", "data-filled") == "yes"
        type_into(page, "[data-keep='Z1-2-2']", "1")
        assert page.get_attribute("[data-keep='Z1-2-2']", "data-filled") is None
    marked = mark_answers(read_content("a.json", json.dumps(saved).encode()), Conventions(key_of(article.problem)))
    assert not marked.warnings and [each.verdict for each in marked.of("Z1")].count("blank") == 7


def test_which_rule_is_asked_once_for_each_kind_of_matrix(
    chromium: Any, article: Trace, right: Texts, tmp_path: Path
) -> None:
    with opened(chromium, sheet(article), tmp_path) as page:
        page.evaluate(FILL, until(right, "Z2"))
        assert page.locator(".which").count() == 2, "of Z1 and of A1, and not of Z2"
        said = set()
        for button in page.locator(".which >> nth=0").locator("button").all():
            button.click()
            said.add(page.inner_text(".which output >> nth=0")[:1])
        assert said == {"✓", "✗"}


def test_at_the_end_stand_the_loss_before_and_after_what_was_met_and_two_ideas_once_more(
    chromium: Any, article: Trace, right: Texts, tmp_path: Path
) -> None:
    wrong = slope_again(right)
    with opened(chromium, sheet(article), tmp_path) as page:
        assert not page.is_visible("#end")
        page.evaluate(FILL, until(right, "E") | wrong)
        for text in ("9", wrong["S2"][0][0]):
            type_into(page, FIRST.format("S2"), text)
        page.evaluate(FILL, right)
        said = page.inner_text("#end")
        assert "The loss was 0.3541" in said and "went down" in said and "applied the activation function" in said
        (box,) = page.locator(".again input").all()
        label = page.inner_text(".again span")
        a = float("".join(letter for letter in label.partition("=")[2] if letter in "0123456789."))
        again = 1 / (1 + np.exp(-a))
        for value, says in ((again * (1 - again), "applied the activation"), (a * (1 - a), "✓")):
            box.fill(f"{value:.3f}")
            box.press("Tab")
            assert says in page.inner_text(".again output")


def test_keys_alone_lead_from_the_first_box_to_saving(
    chromium: Any, article: Trace, right: Texts, tmp_path: Path
) -> None:
    with opened(chromium, sheet(article, blank="Z1,E"), tmp_path, quiet=False) as page:
        page.focus(FIRST.format("Z1"))
        filled = 0
        while (key := page.evaluate("document.activeElement.dataset.keep")) is not None and filled < 50:
            name, row, column = key.split("-")
            page.keyboard.type(right[name][int(row)][int(column)])
            page.keyboard.press("Enter")
            filled += 1
        assert page.evaluate("document.activeElement.id") == "save" and filled == 12
        with page.expect_download():
            page.keyboard.press("Enter")


def test_a_screen_reader_hears_name_and_verdict_of_a_box_and_the_count_after_a_step(
    chromium: Any, article: Trace, right: Texts, tmp_path: Path
) -> None:
    with opened(chromium, sheet(article), tmp_path) as page:
        wrong = {"E": [["9"], right["E"][1], [""]]}
        page.evaluate(FILL, until(right, "L") | wrong)
        box = FIRST.format("E")
        assert page.get_attribute(box, "aria-label") == "E, sample 1, output 1"
        described = page.get_attribute(box, "aria-describedby")
        assert page.get_attribute(f"[id='{described}']", "aria-label") == "look again"
        type_into(page, "[data-keep='E-2-0']", right["E"][2][0])
        assert page.inner_text("#aloud") == "2 of 3 right. Look first at E, sample 1, output 1."
        type_into(page, box, right["E"][0][0])
        assert page.inner_text("#aloud") == "All 3 right."


def test_a_phones_number_pad_has_a_minus(chromium: Any, article: Trace, tmp_path: Path) -> None:
    with opened(chromium, sheet(article), tmp_path, **PHONE) as page:
        box = page.locator(FIRST.format("E"))
        assert box.get_attribute("inputmode") == "decimal"
        box.focus()
        page.keyboard.type(".5")
        seen = []
        for button in ("#minus", "#minus", "#slash"):
            page.locator(button).dispatch_event("pointerdown")
            seen.append(box.input_value())
        assert seen == ["−.5", ".5", ".5/"] and page.evaluate("document.activeElement.dataset.keep") == "E-0-0"
        assert page.is_visible("#minus")


@pytest.mark.parametrize("width", [640, 360])
def test_at_twice_the_size_and_on_a_phone_nothing_is_cut_off(
    chromium: Any, article: Trace, right: Texts, tmp_path: Path, width: int
) -> None:
    """A window of 1280 × 900 at 200 % has 640 × 450 of the page's own pixels."""
    with opened(chromium, sheet(article), tmp_path, size=(width, 450)) as page:
        page.evaluate(FILL, until(right, "E") | slope_again(right))
        assert page.locator(".which").count() and page.locator(".hints > div").count()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(FILL, right)
        assert page.is_visible("#end") and page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["article", "hand", "softmax-classifier"])
def test_a_sheet_with_its_wrong_rules_is_small(name: str) -> None:
    recorded = trace(load_problem(name))
    text = render_worksheet(recorded, make_plan(recorded.problem, recorded.first.program)).encode()
    assert len(text) < BYTES and len(gzip.compress(text)) < ZIPPED
    assert text.count(b'"idea"') > 60
