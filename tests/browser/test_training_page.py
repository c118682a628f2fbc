"""The page of a training in a real browser: it is read on a desk, a phone, in the dark and on paper."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import require_program
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.training import train
from tracer.training_report.page import render_training

pytestmark = pytest.mark.browser

WIDE = {
    "title": "A wide network",
    "learning_rate": 0.1,
    "loss": "cross_entropy",
    "data": {"X": [[0.1, 0.2, 0.3], [1, 2, 3]], "Y": [[1, 0, 0, 0], [0, 1, 0, 0]]},
    "layers": [{"activation": "tanh", "units": 9}, {"activation": "softmax", "units": 4}],
    "reproduce": {"softmax_slope": "diagonal"},
}
CONTRAST = """
() => {
  const light = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(c => c / 255).map(
      c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (colour !== 'rgba(0, 0, 0, 0)') return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = document.querySelectorAll('h1, h2, p, dt, dd, li, th, td, caption, small, figcaption');
  return Math.min(...[...texts].map(each => {
    const [a, b] = [light(getComputedStyle(each).color), light(behind(each))].sort((p, q) => q - p);
    return (a + 0.05) / (b + 0.05);
  }));
}
"""


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    trainings = [train(load_problem(name)) for name in ("moons", "article-seed42-training")]
    trainings.append(train(problem_from_document(WIDE, "wide", "wide.json"), 5))
    return {training.problem.name: render_training(training) for training in trainings}


@pytest.fixture(params=["moons", "article-seed42-training", "wide"])
def path(request: Any, pages: dict[str, str], tmp_path: Path) -> Path:
    file = tmp_path / "page.html"
    file.write_text(pages[request.param], encoding="utf-8")
    return file


def open_page(chromium: Any, path: Path, width: int = 1200, scheme: str = "light") -> tuple[Any, list[str]]:
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("request", lambda request: noise.append(request.url))
    page.goto(path.as_uri())
    return page, [line for line in noise if not line.endswith("/page.html")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_it_is_quiet_fits_the_window_and_can_be_read(chromium: Any, path: Path, width: int, scheme: str) -> None:
    page, noise = open_page(chromium, path, width, scheme)
    assert noise == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) >= 4.5
    for picture in page.locator("figure svg").all():
        box = picture.bounding_box()
        assert 300 < box["width"] <= min(width, 760) and box["height"] > 180
        assert picture.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(255, 255, 255)"


def test_pictures_and_tables_say_what_they_are(chromium: Any, path: Path) -> None:
    page, _ = open_page(chromium, path)
    images = page.get_by_role("img")
    assert images.count() == page.locator("figure").count() > 0
    for image in images.all():
        label = image.get_attribute("aria-label")
        assert re.search(r"\d", label) and label == image.locator("xpath=../figcaption").inner_text()
    assert page.locator("table").count() == page.locator("table > caption").count() >= 4
    assert page.get_by_role("rowheader").count() == page.locator("tbody tr").count()
    assert page.locator("thead th:not([scope='col']), tbody th:not([scope='row'])").count() == 0
    assert page.locator("h1").count() == page.locator("main").count() == 1


def test_what_is_wider_than_a_phone_is_reached_by_the_keyboard(chromium: Any, path: Path) -> None:
    page, _ = open_page(chromium, path, 360)
    wider = "all => all.filter(each => each.scrollWidth > each.clientWidth).map(each => each.tabIndex)"
    assert set(page.locator(".table").evaluate_all(wider)) <= {0}


def test_paper_has_every_table_and_nothing_is_cut(chromium: Any, path: Path, tmp_path: Path) -> None:
    program = require_program("pdftotext")
    page, _ = open_page(chromium, path, scheme="dark")
    cells = page.locator("td, th").all_inner_texts()
    (tmp_path / "page.pdf").write_bytes(page.pdf(format="A4"))
    done = subprocess.run([program, "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True, check=True)
    printed = done.stdout.split()
    words = [word for cell in cells for word in cell.split()]
    missing = {word for word in words if printed.count(word) < words.count(word)}
    assert not missing
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.set_viewport_size({"width": 703, "height": 900})  # A4 without its margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
