"""How the page is shown, which stays chosen, and what it offers to do."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.pages import asked, current, next_step, opened, read_tables, table_cell, wait_until
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace

pytestmark = pytest.mark.browser

ACTIVE = "() => document.activeElement.id"
NO_STORAGE = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('SecurityError'); }})"


@pytest.fixture(scope="module")
def article() -> Trace:
    return trace(load_problem("article"))


def choose(page: Any, **choices: str) -> None:
    page.evaluate("document.querySelector('#settings').open = true")
    for name, value in choices.items():
        page.select_option(f"#{name}", value)


def test_choices_stay(chromium: Any, tmp_path: Path, article: Trace) -> None:
    with opened(chromium, article, tmp_path, "#step-2") as page:
        choose(page, decimals="5", style="mazur", turned="yes", theme="dark", type="larger")
        for _ in range(2):
            assert asked(page) == "net(1)h1 = 1.48000" or asked(page).endswith("= 1.48000")
            texts = page.locator("#step-2 table[data-id='Z1'] tr").evaluate_all(
                "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
            )
            assert texts[1] == ["1", "1.48000", "2.40000", "1.48000"]  # unit 1 of the three samples
            heads = page.locator("#step-2 table[data-id='X'] th[scope=col]")
            assert heads.first.get_attribute("aria-label") == "sample 1"
            assert "4×3" in page.locator("#step-2 table[data-id='X'] caption").text_content()
            assert page.locator("#step-2 table[data-id='X'] caption").text_content().split("·")[0].strip() == "•\xa0i X"
            assert page.locator("#step-2 table[data-id='Y']").get_attribute("aria-label") == "target_o, Y, 1×3"
            assert page.locator("#step-2 table[data-id='learning_rate'] caption").text_content().startswith("η")
            assert page.locator("#step-2 .formula .as-columns").text_content() == "neth=w1…12·i+b1…3"
            assert "w14" in page.locator("#story").text_content()
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(24, 28, 31)"
            assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"
            page.wait_for_timeout(200)  # the browser stores what a page keeps a moment later
            page.reload()
        choose(page, decimals="", style="article", turned="", theme="", type="")
        assert read_tables(page, "step-2")["Z1", 0, 1]["text"] == "1.780"
        assert "hidden_layer_input Z1 · 3×3" in page.locator("#step-2 table[data-id='Z1'] caption").text_content()


def test_every_style_names_matrices_cells_and_formulas(chromium: Any, tmp_path: Path, article: Trace) -> None:
    with opened(chromium, article, tmp_path, "#step-8") as page:
        found = {}
        for style in ("matrix", "article", "hand", "mazur"):
            choose(page, style=style)
            caption = page.locator("#step-8 table[data-id='E1'] caption").text_content()
            formula = page.locator("#step-8 .formula .as-rows").text_content()
            found[style] = caption.removeprefix("▶\xa0"), formula, asked(page).split(" = ")[0]
        assert found["matrix"] == ("E1 −∂L∂A1 · 3×3", "E1=D2·W2T", "E11,1")
        assert found["article"] == (
            "Error_at_hidden_layer E1 · −∂L∂A1 · 3×3",
            "Error_at_hidden_layer=d_output·woutT",
            "Error_at_hidden_layer1,1",
        )
        assert found["hand"] == ("−∂E∂h1out E1 · 3×3", "−∂E∂h1out=−∂E∂Oin·WjkT", "−∂E∂h1out1(1)")
        assert found["mazur"][0].endswith("outh E1 · 3×3")


@pytest.mark.parametrize(
    "kept", ["null", "7", '"text"', "[]", "{", '{"decimals": "900", "style": "x", "everything": 3}']
)
def test_whatever_was_kept_the_page_opens(chromium: Any, tmp_path: Path, article: Trace, kept: str) -> None:
    with opened(chromium, article, tmp_path, before=f"localStorage.setItem('tracer-page', {kept!r})") as page:
        assert (current(page), asked(page)) == ("step-2", "hidden_layer_input1,1 = 1.480")


def test_where_nothing_can_be_kept_the_page_says_so(chromium: Any, tmp_path: Path, article: Trace) -> None:
    with opened(chromium, article, tmp_path, before=NO_STORAGE) as page:
        choose(page, decimals="1")
        assert asked(page).endswith("= 1.5")
        assert "stores nothing" in page.inner_text("#kept")


def test_all_steps_at_once(chromium: Any, tmp_path: Path, article: Trace) -> None:
    with opened(chromium, article, tmp_path) as page:
        page.evaluate("document.querySelector('#settings').open = true")
        page.check("#everything")
        assert page.locator("section.step:not([hidden])").count() == len(article.last.steps)
        page.click(".rail a[data-step='step-7']")
        wait_until(page, "Math.abs(document.querySelector('#step-7').getBoundingClientRect().top - 58) < 10")
        assert current(page) == "step-7"
        page.locator("#step-7 table[data-id='D2'] tr:nth-child(3) td").last.click()
        assert asked(page) == "d_output2,1 = 0.0325"
        assert page.locator("td.is-from").count() == 2
        page.reload()
        assert page.locator("section.step:not([hidden])").count() == len(article.last.steps)


# Something to do ----------------------------------------------------------------------------------


def test_hints_after_a_few_steps(chromium: Any, tmp_path: Path, article: Trace) -> None:
    with opened(chromium, article, tmp_path) as page:
        for _ in range(3):
            next_step(page)
        page.click("#hint button >> text=Change this 0.42 and watch what moves")
        assert page.evaluate(ACTIVE) == "asked-number" and asked(page) == "wh1,1 = 0.42"
        page.keyboard.type("0.9")
        page.keyboard.press("Enter")
        assert table_cell(page, "Z1-1-1").evaluate("td => td.classList.contains('changed')")


def test_try_it_yourself(chromium: Any, tmp_path: Path, article: Trace) -> None:
    with opened(chromium, article, tmp_path, "#step-2") as page:
        for _ in range(6):
            next_step(page)
        assert current(page) == "step-8"
        page.click("#hint button >> text=Try it yourself")
        assert asked(page) == "Error_at_hidden_layer1,2 = ?" and page.locator("#asked-lines").is_hidden()
        assert table_cell(page, "E1-1-2").text_content() == "?"
        assert page.locator(".board td.is-from").count() == page.locator(".stage td.is-from").count() == 2
        for wrong in ("", "7", "0.0088", "0.01051"):
            page.fill("#guess", wrong)
            page.keyboard.press("Enter")
            assert "Look again" in page.inner_text("#guess-says") and asked(page) == "Error_at_hidden_layer1,2 = ?"
        page.fill("#guess", "0,00876")
        page.keyboard.press("Enter")
        assert asked(page) == "Error_at_hidden_layer1,2 = 0.00876" and "Right." in page.inner_text("#asked-place")
        assert table_cell(page, "E1-1-2").text_content() == "0.00876"
        assert page.locator("#asked-lines").is_visible()
        page.click("#hint button")
        page.keyboard.press("Escape")
        assert table_cell(page, "E1-1-2").text_content() == "0.00876"
        page.click("#hint button")
        page.click("#give-up")
        assert asked(page) == "Error_at_hidden_layer1,2 = 0.00876" and page.locator("#asked-guess").is_hidden()
        page.click("#hint button")
        next_step(page)
        page.click("#previous")
        assert table_cell(page, "E1-1-2").text_content() == "0.00876"


def test_reduced_motion_is_respected(chromium: Any, tmp_path: Path, article: Trace) -> None:
    for motion, expected in (("reduce", "0s"), ("no-preference", "0.15s")):
        with opened(chromium, article, tmp_path, reduced_motion=motion) as page:
            assert table_cell(page, "Z1-1-1").evaluate("td => getComputedStyle(td).transitionDuration") == expected
            assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
