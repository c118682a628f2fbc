"""Going through the page: by keyboard alone, by finger, by links."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.pages import asked, current, in_batches, next_step, opened, table_cell
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace

pytestmark = pytest.mark.browser

ACTIVE = "() => document.activeElement.id || document.activeElement.outerHTML.slice(0, 60)"


@pytest.fixture(scope="module")
def article() -> Trace:
    return trace(load_problem("article"))


def test_the_first_screen(chromium: Any, tmp_path: Path, article: Trace) -> None:
    with opened(chromium, article, tmp_path) as page:
        assert current(page) == "step-2"
        assert page.evaluate(ACTIVE) == "next"
        assert asked(page) == "hidden_layer_input1,1 = 1.480"
        assert "goes from 0.250 to 0.245" in page.inner_text(".story")
        for what in ("#next", ".network", ".story", "#asked-lines", ".stage td.is-asked"):
            box = page.locator(what).bounding_box()
            assert box and box["y"] >= 0 and box["y"] + box["height"] <= 900, what
        assert page.locator("#asked-lines").bounding_box()["x"] < table_cell(page, "Z1-1-1").bounding_box()["x"]
        assert not page.locator("#settings").evaluate("each => each.open")
        assert page.locator("footer").bounding_box()["y"] > 900
        assert page.locator("#hint").is_hidden()


def test_the_whole_epoch_by_keyboard(chromium: Any, tmp_path: Path, article: Trace) -> None:
    with opened(chromium, article, tmp_path) as page:
        press = page.keyboard.press
        for step in article.last.steps[3:]:
            next_step(page, lambda: press("Enter"))
            assert current(page) == f"step-{step.label}"
        while page.locator("#next").is_enabled():
            press("Enter")
        assert page.locator("#next").is_disabled() and page.evaluate(ACTIVE) == "previous"
        for _ in range(2):
            next_step(page, lambda: press("ArrowLeft"))
        assert current(page) == "step-9"
        press("ArrowRight")
        assert current(page) == "step-10"


def test_cells_by_keyboard(chromium: Any, tmp_path: Path, article: Trace) -> None:
    with opened(chromium, article, tmp_path) as page:
        press = page.keyboard.press
        stops = []
        while not page.evaluate("document.activeElement.matches('.board td')"):
            press("Tab")
            stops.append(page.evaluate(ACTIVE))
            assert len(stops) < 30
        assert any("X-1-1" in stop for stop in stops)  # the panel, before the board
        assert asked(page) == "X1,1 = 1"
        for key, cell in [("ArrowRight", "X1,2 = 0"), ("ArrowDown", "X2,2 = 0"), ("ArrowUp", "X1,2 = 0"),
                          ("ArrowUp", "X1,2 = 0"), ("ArrowLeft", "X1,1 = 1")]:  # fmt: skip
            press(key)
            assert asked(page) == cell
        assert current(page) == "step-2"  # arrows in a table do not step
        press("Tab")
        assert asked(page) == "y1,1 = 1" or asked(page) == "Y1,1 = 1"
        press("Tab")
        assert asked(page).endswith("= 0.1")
        press("Enter")
        assert page.evaluate(ACTIVE) == "asked-number"
        page.keyboard.type("0,2")
        press("Enter")
        assert asked(page).endswith("= 0.2") and page.locator("#reset").is_visible()
        press("Escape")
        assert asked(page) == "" and page.locator("td.is-from, td.is-asked, .asking").count() == 0
        assert page.evaluate("document.activeElement.matches('table[data-id=learning_rate] td')")
        page.focus("#reset")
        press("Enter")
        assert page.locator("td.changed").count() == 0 and page.evaluate(ACTIVE) == "next"


def test_a_pinned_cell_stays(chromium: Any, tmp_path: Path, article: Trace) -> None:
    with opened(chromium, article, tmp_path) as page:
        table_cell(page, "Z1-2-2").hover()
        assert asked(page) == "hidden_layer_input2,2 = 1.890"
        table_cell(page, "Z1-2-2").click()
        assert "computed from 9 cells" in page.text_content("#aloud")
        table_cell(page, "Z1-3-3").hover()
        assert asked(page) == "hidden_layer_input2,2 = 1.890"
        page.click("#let-go")
        table_cell(page, "Z1-3-3").hover()
        page.mouse.move(5, 5)
        table_cell(page, "Z1-3-2").hover()
        assert asked(page) == "hidden_layer_input3,2 = 1.560"


def test_by_finger(chromium: Any, tmp_path: Path, article: Trace) -> None:
    phone = {"size": (390, 844), "has_touch": True, "is_mobile": True}
    with opened(chromium, article, tmp_path, **phone) as page:
        swipe(page, 300, 80)
        page.wait_for_selector(".rail a[aria-current][data-step='step-3']")
        swipe(page, 80, 300)
        page.wait_for_selector(".rail a[aria-current][data-step='step-2']")
        swipe(page, 200, 170)
        assert current(page) == "step-2"
        assert page.locator("#asked").is_hidden() and page.locator(".worked.first").locator("visible=true").count() == 1
        table_cell(page, "Z1-2-3").tap()
        assert asked(page) == "hidden_layer_input2,3 = 1.620"
        panel, cell = page.locator("#asked").bounding_box(), table_cell(page, "Z1-2-3").bounding_box()
        assert panel["y"] + panel["height"] <= 845 and cell["y"] + cell["height"] <= panel["y"] + 1
        assert cell["y"] >= page.locator(".rail").bounding_box()["height"] - 1
        page.locator("#let-go").tap()
        assert page.locator("#asked").is_hidden()
        next_step(page, lambda: page.locator("#next").tap())
        assert current(page) == "step-3"


def swipe(page: Any, start: int, end: int) -> None:
    """A finger across the step's text."""
    client = page.context.new_cdp_session(page)
    page.locator("section.step:not([hidden]) h2").scroll_into_view_if_needed()
    y = page.locator("section.step:not([hidden]) h2").bounding_box()["y"] + 10
    client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": start, "y": y}]})
    for k in (1, 2, 3):
        point = {"x": start + (end - start) * k / 3, "y": y}
        client.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


# Links --------------------------------------------------------------------------------------------


def test_links_to_steps_and_cells(chromium: Any, tmp_path: Path, article: Trace) -> None:
    for anchor, step, cell in [
        ("#step-8", "step-8", "Error_at_hidden_layer1,1 = 0.01051"),
        ("#E1-2-3", "step-8", "Error_at_hidden_layer2,3 = 0.00749"),
        ("#W1_next-4-3", "step-10", "wh_new4,3 = 0.5196"),
        ("#learning_rate-1-1", "step-0", "lr = 0.1"),
        ("#L-1-1", "step-4", "L = 0.354"),
    ]:
        with opened(chromium, article, tmp_path, anchor) as page:
            assert (current(page), asked(page)) == (step, cell)


@pytest.mark.parametrize(
    "anchor",
    ["#Q7-1-1", "#Z1-9-1", "#Z1-0-1", "#Z1--1-1", "#step-99", "#%", "#%E0%A4%A", "#constructor-1-1", "#__proto__-1-1",
     "#<img src=x onerror=alert(1)>", "#'];alert(1)//", "#epoch-9-9-Z1-1-1", "#asked", "#Z1-1-99999999999999999999"],
)  # fmt: skip
def test_a_link_that_names_nothing_leads_to_the_start(
    chromium: Any, tmp_path: Path, article: Trace, anchor: str
) -> None:
    with opened(chromium, article, tmp_path, anchor) as page:
        assert (current(page), asked(page)) == ("step-2", "hidden_layer_input1,1 = 1.480")
        next_step(page)
        assert current(page) == "step-3"


def test_back_leads_to_where_one_was(chromium: Any, tmp_path: Path, article: Trace) -> None:
    with opened(chromium, article, tmp_path) as page:
        page.click(".rail a[data-step='step-10']")
        page.locator("#asked-sources a").first.click()
        assert (current(page), asked(page)) == ("step-10", "hiddenlayer_activations1,1 = 0.815")
        next_step(page)
        assert current(page) == "step-11"
        page.go_back()
        assert (current(page), asked(page)) == ("step-10", "hiddenlayer_activations1,1 = 0.815")
        page.go_back()
        assert (current(page), asked(page)) == ("step-10", "d_wout1,1 = −0.0485")
        page.go_back()
        assert current(page) == "step-2"
        page.go_forward()
        page.reload()
        assert current(page) == "step-10"


def test_links_into_several_passes(chromium: Any, tmp_path: Path) -> None:
    run = in_batches()
    with opened(chromium, run, tmp_path, "#epoch-2-1-Z1-2-1") as page:
        assert current(page) == "epoch-2-1-step-2"
        assert page.input_value("#pass") == "2"
        assert page.locator(".rail ol:not([hidden])").count() == 1
        page.locator("#asked-sources a").last.click()
        assert current(page) == "epoch-2-1-step-2" and "#epoch-2-1-b1-1-1" in page.url
        page.click(".story a")
        assert current(page) == "epoch-1-1-step-10"
        page.select_option("#pass", "3")
        assert current(page) == "epoch-2-2-step-10"
        next_step(page)
        page.click("#previous")
        page.click(".rail a:visible >> text=5")
        assert current(page) == "epoch-2-2-step-5"
