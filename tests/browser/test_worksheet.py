"""The worksheet in a real browser, filled in as a student does."""

import json
import math
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.browser.pages import opened, wait_until
from tests.browser.test_page_axe import PHONE, complaints
from tests.conftest import require_program
from tests.worksheets import strange_language, unworded
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.expression.digits import round_half_away
from tracer.expression.evaluate import compiled
from tracer.judging.conventions import Conventions
from tracer.judging.marking import mark_answers
from tracer.presentation.shown import shown
from tracer.presentation.theme import theme_of
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.plan import Plan, make_plan

pytestmark = pytest.mark.browser

Array = NDArray[np.float64]
Texts = dict[str, list[list[str]]]

SIGNS = """() => Object.fromEntries([...document.querySelectorAll('input.box')].map(
  box => [box.dataset.keep, box.dataset.sign]))"""

FILL = """texts => {
  const boxes = [...document.querySelectorAll('input.box')];
  const filled = boxes.filter(box => box.dataset.keep.split('-')[0] in texts);
  for (const box of filled) {
    const [id, row, column] = box.dataset.keep.split('-');
    box.value = texts[id][row][column];
  }
  filled[0].dispatchEvent(new Event('change', { bubbles: true }));
}"""


@pytest.fixture(scope="module")
def article() -> Trace:
    return trace(load_problem("article"))


def plan_of(recorded: Trace, **choices: Any) -> Plan:
    return make_plan(recorded.problem, recorded.first.program, **choices)


def sheet(recorded: Trace, language: str = "en", folder: Path | None = None, **choices: Any) -> str:
    return render_worksheet(recorded, plan_of(recorded, **choices), False, theme_of(language, folder))


def printed_cells(text: str) -> dict[tuple[str, int, int], float]:
    """The cells whose numbers stand on a sheet though they are computed."""
    found = re.findall(r'data-cell="(\w+)-(\d+)-(\d+)" data-fixed="([^"]*)"', text)
    return {(key, int(row), int(column)): float(value.replace("−", "-")) for key, row, column, value in found}


def work(recorded: Trace, slips: dict[tuple[str, int, int], float] | None = None, **choices: Any) -> dict[str, Array]:
    """What a careful student writes who takes what is printed, goes on with rounded numbers, and makes these slips."""
    one, slips = recorded.first, slips or {}
    known = printed_cells(sheet(recorded, **choices))
    decimals = shown(recorded, one).decimals
    own = {each: one[each] for each in one.program.inputs}
    for each in one.program.assignments.values():
        if each.expression is not None:
            places = decimals[each.id]
            assert places is not None
            own[each.id] = round_half_away(compiled(each.expression)(own), places)
            for (key, row, column), value in known.items():
                if key == each.id:
                    own[key][row, column] = value
            for (key, row, column), off in slips.items():
                if key == each.id:
                    own[key][row, column] += off
    return own


def texts(recorded: Trace, own: dict[str, Array]) -> Texts:
    decimals = shown(recorded, recorded.first)
    return {
        key: [[decimals.text(key, float(value)) for value in row] for row in own[key]]
        for key in recorded.first.program.computed
    }


def signs(page: Any) -> dict[str, str]:
    found: dict[str, str] = page.evaluate(SIGNS)
    return found


@pytest.mark.parametrize("name", ["article", "hand", "mazur", "xor", "softmax-classifier", "logistic-regression"])
def test_every_right_number_is_marked_right(chromium: Any, name: str, tmp_path: Path) -> None:
    recorded = trace(load_problem(name))
    with opened(chromium, sheet(recorded), tmp_path) as page:
        assert set(signs(page).values()) == {""}
        page.evaluate(FILL, texts(recorded, work(recorded)))
        found = signs(page)
        assert [key for key, sign in found.items() if sign != "✓"] == []
        assert f"{len(found)} of {len(found)} boxes filled · {len(found)} ✓" == page.inner_text("#progress")
        page.evaluate(FILL, texts(recorded, dict(recorded.first.matrices)))  # by one who goes on with every digit
        assert [key for key, sign in signs(page).items() if sign != "✓"] == []


def test_an_error_is_marked_once_and_what_follows_is_right_on_it(chromium: Any, article: Trace, tmp_path: Path) -> None:
    own = work(article, {("Z1", 1, 1): 0.4})
    with opened(chromium, sheet(article), tmp_path) as page:
        page.evaluate(FILL, texts(article, own))
        found = signs(page)
        assert [key for key, sign in found.items() if sign == "✗"] == ["Z1-1-1"]
        behind = {key for key, sign in found.items() if sign == "↪"}
        assert {"A1-1-1", "D1-1-1", "dW1-0-1"} <= behind and found["W1_next-0-1"] == "✓"  # the key, after all
        assert found["A1-1-2"] == found["Z1-2-2"] == "✓"
        assert "look again" in str(page.get_attribute("[data-keep='Z1-1-1'] + .mark", "aria-label"))


@pytest.mark.parametrize("name", ["article", "hand", "mazur", "softmax-classifier"])
def test_marks_agree_with_the_checker_on_own_work(chromium: Any, name: str, tmp_path: Path) -> None:
    signs_of = {"slip": "✗", "wrong": "✗", "carried": "↪", "rounded": "✓↪"}  # ↪ with an error further back, too
    recorded = trace(load_problem(name))
    conventions = Conventions(key_of(recorded.problem))
    for key in ("Z1", "A2", "D1", "dW2"):
        rows, columns = recorded.first[key].shape
        slip = (key, rows - 1, columns - 1)
        written = texts(recorded, work(recorded, {slip: 0.25}))
        marked = mark_answers(read_content("answers.json", json.dumps(written).encode()), conventions)
        with opened(chromium, sheet(recorded), tmp_path) as page:
            page.evaluate(FILL, written)
            found = signs(page)
        for mark in marked.marks:
            sign = found.get(f"{mark.id}-{mark.row}-{mark.column}")
            if sign is not None and mark.verdict != "correct":  # correct is by the key, not by own work
                assert sign and sign in signs_of[mark.verdict], (slip, mark)
        assert [key for key, sign in found.items() if sign == "✗"] in ([], ["-".join(map(str, slip))])


def test_numbers_cut_off_are_right_as_for_the_checker(chromium: Any, article: Trace, tmp_path: Path) -> None:
    written = texts(article, work(article))
    cut = [[f"{math.floor(value * 1000) / 1000:.3f}" for value in row] for row in article.first["A1"]]
    assert cut != written["A1"]
    with opened(chromium, sheet(article, blank="A1"), tmp_path) as page:
        page.evaluate(FILL, {"A1": cut})
        assert set(signs(page).values()) == {"✓"}
        low = [[f"{float(text) - 0.001:.3f}" for text in row] for row in cut]
        page.evaluate(FILL, {"A1": low})
        assert set(signs(page).values()) == {"✗"}
    answers = json.dumps({"Z1": written["Z1"], "A1": cut}).encode()
    marked = mark_answers(read_content("a.json", answers), Conventions(key_of(article.problem)))
    assert {mark.verdict for mark in marked.of("A1")} <= {"correct", "rounded"}


def test_an_error_further_on_is_found_too(chromium: Any, article: Trace, tmp_path: Path) -> None:
    own = work(article, {("Z1", 1, 1): 0.4, ("E1", 2, 2): -0.01})
    with opened(chromium, sheet(article), tmp_path) as page:
        page.evaluate(FILL, texts(article, own))
        assert [key for key, sign in signs(page).items() if sign == "✗"] == ["Z1-1-1", "E1-2-2"]


def test_numbers_may_be_written_in_other_ways(chromium: Any, article: Trace, tmp_path: Path) -> None:
    ways = {"0.42": 0.42, "0,42": 0.42, "-.5": -0.5, "−,5": -0.5, "3/8": 0.375, "1e-3": 0.001, "=3/8": 0.375}
    document = {
        "title": "ways", "learning_rate": 0.1, "loss": "half_squared_error",
        "data": {"X": [[value] for value in (1.0, *ways.values())], "Y": [[0.0]] * (len(ways) + 1)},
        "layers": [{"activation": "linear", "weights": [[1.0]]}],
    }  # fmt: skip
    recorded = trace(problem_from_document(document, "ways", "ways"))
    with opened(chromium, sheet(recorded, feedback="cell"), tmp_path) as page:
        page.evaluate(FILL, {"Z1": [["1"], *([way] for way in ways)]})
        found = signs(page)
        assert {key: sign for key, sign in found.items() if key.startswith("Z1")} == {
            f"Z1-{row}-0": "✓" for row in range(len(ways) + 1)
        }
        page.evaluate(FILL, {"Z1": [["1"]] + [["o.4"]] * len(ways)})
        assert signs(page)["Z1-1-0"] == "?"


def test_marks_wait_for_the_step_the_end_or_nothing(chromium: Any, article: Trace, tmp_path: Path) -> None:
    right = texts(article, work(article))
    for feedback, after_cell, after_step in (("cell", "✓", "✓"), ("step", "", "✓"), ("end", "", "")):
        with opened(chromium, sheet(article, feedback=feedback), tmp_path) as page:
            page.fill("[data-keep='Z1-0-1']", right["Z1"][0][1])
            page.press("[data-keep='Z1-0-1']", "Enter")
            assert signs(page)["Z1-0-1"] == after_cell, feedback
            page.evaluate(FILL, {"Z1": right["Z1"]})
            assert signs(page)["Z1-0-1"] == after_step, feedback
    with opened(chromium, sheet(article, feedback="cell"), tmp_path) as page:
        page.fill("[data-keep='A1-0-1']", right["A1"][0][1])
        page.press("[data-keep='A1-0-1']", "Tab")
        assert signs(page)["A1-0-1"] == "…"
        page.evaluate(FILL, {"Z1": right["Z1"]})
        assert signs(page)["A1-0-1"] == "✓"
        assert page.inner_text("#aloud") != ""


def test_hints_come_after_two_tries(chromium: Any, article: Trace, tmp_path: Path) -> None:
    """First only where; of what no rule explains the formula comes second, and the rest for whoever asks."""
    with opened(chromium, sheet(article, feedback="cell"), tmp_path) as page:
        box = "[data-keep='Z1-0-1']"
        for count, wrong in enumerate(("9", "8")):
            assert page.locator(".hints button").count() == 0, count
            page.fill(box, wrong)
            page.press(box, "Enter")
            assert ("Formula" in page.inner_text(".hints >> nth=0")) is (count == 1)
            assert "look again" in page.inner_text(".hints >> nth=0")
        for shows in ("With your numbers", "The first term"):
            page.click(".hints button")
            assert shows in page.inner_text(".hints >> nth=0")
        assert page.locator(".hints button").count() == 0
        page.evaluate(FILL, {"Z1": texts(article, work(article))["Z1"]})
        assert page.inner_text(".hints >> nth=0") == ""


def test_operands_of_a_line_are_marked(chromium: Any, article: Trace, tmp_path: Path) -> None:
    with opened(chromium, sheet(article, feedback="cell"), tmp_path) as page:
        line = page.locator("input.operand[data-keep^='Z1-0-1 ']")
        # X(1,·) with the second column of the weights, two factors changed round, one weight from the wrong row
        for box, value in zip(line.all(), ["1", ".88", "0,73", "0", "1", ".18", "0", ".52", ".72"], strict=True):
            box.fill(value)
            box.press("Tab")
        found = [box.get_attribute("data-sign") for box in line.all()]
        assert found == ["✓"] * 7 + ["✗", "✓"]


def test_examples_are_worked_with_the_students_own_numbers(chromium: Any, article: Trace, tmp_path: Path) -> None:
    own = work(article, {("A1", 0, 1): 0.1})
    with opened(chromium, sheet(article), tmp_path) as page:
        example, given = (f"[data-example='{each}-0-0'] .numbers" for each in ("Z2", "Z1"))
        assert page.inner_text(example) == "" and "1.480" in page.inner_text(given)
        page.evaluate(FILL, texts(article, own))
        assert page.input_value("[data-keep='Z2-0-0']") in page.inner_text(example)
        assert page.locator(f"{example} math").count() > 3


def test_what_was_typed_is_kept_saved_and_loaded(chromium: Any, article: Trace, tmp_path: Path) -> None:
    right = texts(article, work(article))
    with opened(chromium, sheet(article), tmp_path, quiet=False) as page:
        page.fill("#name", "Ada <b>")
        page.fill("#id", "7/a")
        page.fill("[data-keep='note why 8']", "because")
        page.evaluate(FILL, {key: right[key] for key in ("Z1", "A1")})
        page.reload()
        assert page.input_value("[data-keep='A1-2-2']") == right["A1"][2][2]
        assert page.input_value("#name") == "Ada <b>" and signs(page)["A1-2-2"] == "✓"
        with page.expect_download() as caught:
            page.click("#save")
        assert caught.value.suggested_filename == "answers-7_a.json"
        saved = json.loads(Path(caught.value.path()).read_text(encoding="utf-8"))
        assert saved["Z1"] == right["Z1"] and saved["D1"][1] == [None, None, None]
        assert saved["student"]["name"] == "Ada <b>" and saved["problem_sha256"] == article.problem.sha256
        page.on("dialog", lambda dialog: dialog.accept())
        page.click("#clear")
        assert page.input_value("[data-keep='A1-2-2']") == "" == page.input_value("#name")
        page.set_input_files("#file", caught.value.path())
        wait_until(page, "document.querySelector('#saved').textContent.includes('loaded')")
        assert page.input_value("[data-keep='A1-2-2']") == right["A1"][2][2]
        assert page.input_value("[data-keep='note why 8']") == "because"
        for content, says in (('{"Z1": {"a": 1}, "student": 5}', "another problem"), ("[", "nothing was changed")):
            bad = tmp_path / "bad.json"
            bad.write_text(content, encoding="utf-8")
            page.set_input_files("#file", bad)
            wait_until(page, "says => document.querySelector('#saved').textContent.includes(says)", says)


def test_printed_steps_are_saved_with_the_answers(chromium: Any, article: Trace, tmp_path: Path) -> None:
    """A student who goes on with every digit from numbers that were printed rounded is right."""
    six = {each: article.first[each].copy() for each in article.first.program.inputs}
    six |= {key: round_half_away(article.first[key], 3) for key in ("Z1", "A1")}
    for each in article.first.program.assignments.values():
        if each.expression is not None and each.id not in six:
            six[each.id] = round_half_away(compiled(each.expression)(six), 6)
    written = {key: [[f"{value:.6f}" for value in row] for row in six[key]] for key in article.first.program.computed}
    with opened(chromium, sheet(article, give="2,3"), tmp_path, quiet=False) as page:
        page.evaluate(FILL, written)
        assert set(signs(page).values()) == {"✓"}
        with page.expect_download() as caught:
            page.click("#save")
        saved = json.loads(Path(caught.value.path()).read_text(encoding="utf-8"))
    assert saved["given"].keys() == {"Z1", "A1"} and saved["given"]["Z1"][0][0] == "1.480"
    marked = mark_answers(
        read_content("answers.json", json.dumps(saved).encode()), Conventions(key_of(article.problem))
    )
    assert {mark.verdict for mark in marked.marks} <= {"correct", "rounded"}


def test_checks_that_need_no_key_follow_what_is_typed(chromium: Any, tmp_path: Path) -> None:
    recorded = trace(load_problem("softmax-classifier"))
    with opened(chromium, sheet(recorded, blank="A2,dW2", sums=True), tmp_path) as page:
        rows, total, shape = (page.locator(f"[data-check='{kind}']").first for kind in ("rows", "sum", "shape"))
        assert "dW2 has the shape of W2: 3×3." in shape.inner_text()
        assert rows.locator("output").inner_text() == "" == total.locator("output").inner_text()
        right = texts(recorded, dict(recorded.first.matrices))["A2"]
        page.evaluate(FILL, {"A2": right})
        assert rows.locator("output").inner_text() == "✓"
        assert "sum to 5.000" in total.inner_text() and "Yours: " in total.inner_text()
        page.evaluate(FILL, {"A2": [["0.5", *right[0][1:]], *right[1:]]})
        assert re.fullmatch(r"✗ row 1: \d\.\d{3}", rows.locator("output").inner_text())


def test_a_sheet_in_spanish_reads_and_writes_commas(chromium: Any, tmp_path: Path) -> None:
    recorded = trace(load_problem("softmax-classifier"))
    right = texts(recorded, work(recorded))
    commas = {key: [[text.replace(".", ",") for text in row] for row in rows] for key, rows in right.items()}
    with opened(chromium, sheet(recorded, "es", sums=True), tmp_path) as page:
        for written in (commas, right):
            page.evaluate(FILL, written)
            assert set(signs(page).values()) == {"✓"}
        assert "suman 2,745" in page.inner_text("main") and "La tuya: 2,7" in page.inner_text("main")
        assert re.search(r"\d\.\d", page.locator(".numbers").first.inner_text()) is None
        assert page.inner_text("#progress").startswith("229 de 229 casillas rellenas")


def test_every_word_that_the_script_writes_comes_from_the_catalogue(
    chromium: Any, article: Trace, tmp_path: Path
) -> None:
    text = sheet(article, "xx", strange_language(tmp_path), feedback="cell")
    with opened(chromium, text, tmp_path, quiet=False) as page:
        said = []
        for box, wrong in (("Z1-0-1", "9"), ("Z1-0-1", "8"), ("Z1-0-2", "1"), ("A1-2-2", "1"), ("A1-2-1", "o")):
            page.fill(f"[data-keep='{box}']", wrong)
            page.press(f"[data-keep='{box}']", "Enter")
            said.append(page.inner_text("#aloud"))
        for _ in range(2):
            said.append(page.inner_text(".hints >> nth=0"))
            page.click(".hints button >> nth=0")
            said.append(page.inner_text("#aloud"))
        said.append(page.inner_text("main"))
        assert "⟦script.first_term⟧" in said[-1]
        with page.expect_download():
            page.click("#save")
        said.append(page.inner_text("#saved"))
        for content in ('{"Z1": [["1"]]}', "["):
            page.set_input_files("#file", {"name": "b.json", "mimeType": "", "buffer": content.encode()})
            wait_until(page, "old => document.querySelector('#saved').textContent !== old", said[-1])
            said.append(page.inner_text("#saved"))
        labels = "all => all.flatMap(each => [each.ariaLabel, each.title, each.placeholder])"
        found = [each for each in page.eval_on_selector_all("body *", labels) if each]
        assert unworded([page.inner_text("body"), *found, *said], article) <= {"answers", "json"}  # a file's name


def test_it_works_and_says_so_where_nothing_can_be_kept(chromium: Any, article: Trace, tmp_path: Path) -> None:
    refuse = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no'); } })"
    with opened(chromium, sheet(article), tmp_path, before=refuse) as page:
        page.evaluate(FILL, texts(article, work(article)))
        assert set(signs(page).values()) == {"✓"}
        assert "stores nothing" in page.inner_text("#unkept")


def test_keys_move_as_in_a_spreadsheet(chromium: Any, article: Trace, tmp_path: Path) -> None:
    with opened(chromium, sheet(article), tmp_path) as page:
        page.focus("[data-keep='Z1-0-1']")
        for key, lands in (
            ("Tab", "Z1-0-2"), ("Tab", "Z1-1-0"), ("Enter", "Z1-2-0"), ("Enter", "Z1-0-1"), ("ArrowDown", "Z1-1-1"),
            ("ArrowRight", "Z1-1-2"), ("ArrowUp", "Z1-0-2"), ("ArrowLeft", "Z1-0-1"), ("ArrowDown", "Z1-1-1"),
            ("Shift+Enter", "Z1-0-1"), ("Shift+Enter", "Z1-2-0"),
        ):  # fmt: skip
            page.keyboard.press(key)
            assert page.evaluate("document.activeElement.dataset.keep") == lands, key
        page.keyboard.type("1234")
        page.keyboard.press("ArrowLeft")  # within the number, not out of it
        assert page.evaluate("document.activeElement.dataset.keep") == "Z1-2-0"


def test_axe_finds_nothing(chromium: Any, article: Trace, tmp_path: Path) -> None:
    text = sheet(article, blank="3,10", feedback="cell", sums=True)
    with opened(chromium, text, tmp_path, bypass_csp=True, **PHONE) as page:
        page.evaluate(FILL, texts(article, work(article, {("A1", 1, 1): 0.1})))
        for wrong in ("7", "x", "8"):
            page.fill("[data-keep='A1-0-1']", wrong)
            page.press("[data-keep='A1-0-1']", "Enter")
        # that boxes within a formula are out of reach is what ARIA 1.2 said of formulas; it no longer does
        assert [each for each in complaints(page) if not each.startswith("nested-interactive: <math>")] == []


def test_an_exam_marks_nothing(chromium: Any, article: Trace, tmp_path: Path) -> None:
    text = sheet(article, mode="exam")
    assert "function decoded" in sheet(article) and "function decoded" not in text and '"practice":' not in text
    with opened(chromium, text, tmp_path) as page:
        page.evaluate(FILL, texts(article, work(article)))
        assert set(signs(page).values()) == {None}
        assert page.inner_text("#progress") == f"{len(signs(page))} of {len(signs(page))} boxes filled"


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_window_and_every_box_has_a_name(
    chromium: Any, article: Trace, tmp_path: Path, width: int
) -> None:
    with opened(chromium, sheet(article), tmp_path, size=(width, 800)) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        names = page.eval_on_selector_all(
            "input", "all => all.map(each => each.ariaLabel || each.labels[0]?.textContent)"
        )
        assert all(names)
        boxes = page.eval_on_selector_all("input.box", "all => all.map(each => each.ariaLabel)")
        assert len(set(boxes)) == len(boxes) and "hidden_layer_input, sample 1, unit 2" in boxes


def test_hostile_titles_do_nothing(chromium: Any, tmp_path: Path) -> None:
    name = '</style></script><script>document.title=1</script><img src=x onerror="document.title=1">" } * {'
    document = {
        "title": name, "description": name, "source": name, "learning_rate": 0.1, "loss": "half_squared_error",
        "data": {"X": [[1.0, 2.0]], "Y": [[1.0]]}, "names": {"Z1": name[:40]},
        "layers": [{"activation": "sigmoid", "weights": [[0.1], [0.2]]}],
    }  # fmt: skip
    recorded = trace(problem_from_document(document, "hostile", "hostile"))
    for mode in ("practice", "exam", "print"):
        with opened(chromium, sheet(recorded, mode=mode), tmp_path) as page:
            page.evaluate(FILL, texts(recorded, work(recorded)))
            assert page.title() == f"{name} · worksheet" and page.locator("img").count() == 0
            assert page.evaluate("getComputedStyle(document.body).color") == "rgb(33, 33, 33)"


def printed(page: Any) -> Iterator[tuple[float, float]]:
    """How large the boxes are on paper, in mm."""
    page.emulate_media(media="print")
    sizes = page.eval_on_selector_all("input.box", "all => all.map(b => [b.offsetWidth, b.offsetHeight])")
    yield from ((width * 25.4 / 96, height * 25.4 / 96) for width, height in sizes)


@pytest.mark.parametrize(
    ("language", "name", "page_of"), [("en", "Name:", "page {} of 2"), ("es", "Nombre:", "página {} de 2")]
)
def test_the_articles_sheet_to_print_is_two_pages_with_room_to_write(
    chromium: Any, article: Trace, tmp_path: Path, language: str, name: str, page_of: str
) -> None:
    program = require_program("pdftotext")
    with opened(chromium, sheet(article, language, mode="print"), tmp_path, size=(726, 1000)) as page:
        assert all(width > 17.9 and height > 8.9 for width, height in printed(page))
        # Chromium shrinks a sheet that is wider than the paper: 192 mm between the margins
        assert page.evaluate("document.documentElement.scrollWidth") <= 726
        page.pdf(path=tmp_path / "sheet.pdf", prefer_css_page_size=True)
    command = [program, "-layout", str(tmp_path / "sheet.pdf"), "-"]
    pages = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split("\f")[:-1]
    assert len(pages) == 2
    for number, text in enumerate(pages, 1):
        assert name in text and page_of.format(number) in text and article.problem.sha256[:8] in text
