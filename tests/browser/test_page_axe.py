"""axe-core finds nothing that would keep anybody from using the page."""

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.browser.pages import in_batches, next_step, opened, table_cell
from tests.conftest import require_module
from tracer.derivation.book import render_derivation
from tracer.problem.reading import load_problem
from tracer.run.training import trace

pytestmark = pytest.mark.browser

# Every rule of WCAG 2.2 A and AA and the best practices; targets large enough for a finger are off by default.
RUN = """async () => {
  await Promise.all(document.getAnimations().map(each => each.finished));
  const found = await axe.run(document, {rules: {'target-size': {enabled: true}}, resultTypes: ['violations']});
  const said = (id, {html, failureSummary}) => `${id}: ${html.slice(0, 150)} ${failureSummary}`;
  return found.violations.flatMap(each => each.nodes.map(node => said(each.id, node)));
}"""
PHONE = {"size": (390, 844), "has_touch": True, "is_mobile": True}


def kept(**choices: str) -> str:
    return f"localStorage.setItem('tracer-page', JSON.stringify({choices}))"


def nothing(page: Any) -> None:
    pass


def pinned(page: Any) -> None:
    page.evaluate("location.hash = 'step-8'")
    page.wait_for_selector(".rail a[aria-current][data-step=step-8]")
    page.click("#step-8 table[data-id='E1'] tr:nth-child(2) > :nth-child(2)")


def chained(page: Any) -> None:
    page.click(".story a")


def changed(page: Any) -> None:
    table_cell(page, "W1-1-1").click()
    page.fill("#asked-number", "0,9")
    page.press("#asked-number", "Enter")
    page.fill("#asked-number", "x")
    page.press("#asked-number", "Enter")


def settings(page: Any) -> None:
    page.click("#settings summary")


def practising(page: Any) -> None:
    for _ in range(6):
        next_step(page)
    page.click("#hint button")


def at_the_end(page: Any) -> None:
    page.evaluate("location.hash = 'step-11'")
    page.evaluate("document.querySelector('#help-details').open = true")


def nothing_asked(page: Any) -> None:
    page.keyboard.press("Escape")


CASES: list[tuple[str, Callable[[Any], None], dict[str, Any]]] = [
    ("first screen", nothing, {}),
    ("a pinned cell", pinned, {}),
    ("the chain of a weight", chained, {}),
    ("something changed", changed, {}),
    ("nothing asked", nothing_asked, {}),
    ("settings open", settings, {}),
    ("try it yourself", practising, {}),
    ("did it help", at_the_end, {}),
    ("dark, a pinned cell", pinned, {"color_scheme": "dark"}),
    ("dark by choice, changed", changed, {"before": kept(theme="dark")}),
    ("dark, nothing asked", nothing_asked, {"color_scheme": "dark"}),
    ("larger type", pinned, {"before": kept(type="larger")}),
    ("larger type on a phone", pinned, {**PHONE, "before": kept(type="larger")}),
    ("phone", nothing, PHONE),
    ("phone, a pinned cell", pinned, PHONE),
    ("phone, changed", changed, PHONE),
    ("samples as columns", pinned, {"before": kept(turned="yes")}),
    ("all steps", pinned, {"before": kept(everything="yes")}),
]


def complaints(page: Any) -> list[str]:
    source = resources.files(require_module("axe_playwright_python")).joinpath("axe.min.js").read_text(encoding="utf-8")
    page.evaluate(source)
    return list(page.evaluate(RUN))


@pytest.mark.parametrize(("what", "act", "options"), CASES, ids=[what for what, _, _ in CASES])
def test_axe_finds_nothing(
    chromium: Any, tmp_path: Path, what: str, act: Callable[[Any], None], options: dict[str, Any]
) -> None:
    with opened(chromium, trace(load_problem("mazur")), tmp_path, bypass_csp=True, **options) as page:
        act(page)
        assert complaints(page) == []


@pytest.mark.parametrize("example", ["article", "softmax-classifier", "moons", "batches"])
def test_axe_finds_nothing_on_other_pages(chromium: Any, tmp_path: Path, example: str) -> None:
    run = in_batches(epochs=1) if example == "batches" else trace(load_problem(example))
    with opened(chromium, run, tmp_path, bypass_csp=True) as page:
        for _ in range(3):
            next_step(page)
        assert complaints(page) == []


@pytest.mark.parametrize("name", ["mazur.derivation", "moons.training"])
@pytest.mark.parametrize("options", [{}, {**PHONE, "color_scheme": "dark"}], ids=["light", "dark, phone"])
def test_axe_finds_nothing_on_the_other_kinds_of_page(
    chromium: Any, tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    example, _, kind = name.partition(".")
    text = (
        render_derivation(trace(load_problem(example)))
        if kind == "derivation"
        else (Path(__file__).parents[2] / "outputs" / f"{name}.html").read_text(encoding="utf-8")
    )
    with opened(chromium, text, tmp_path, bypass_csp=True, **options) as page:
        assert complaints(page) == []
