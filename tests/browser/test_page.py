"""The page in a real browser: what it shows, and that it asks nobody for anything."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tracer.export.page import write_page
from tracer.network.problem import problem_from_document
from tracer.network.reading import load_problem
from tracer.shown import shown
from tracer.trace import Trace
from tracer.training import trace

pytestmark = pytest.mark.browser

READ_TABLES = """
() => [...document.querySelectorAll('section.step')].map(section => ({
  id: section.id,
  tables: [...section.querySelectorAll('table')].map(table => ({
    id: table.dataset.id, role: table.className,
    rows: [...table.rows].map(row => [...row.cells].map(cell => cell.textContent)),
  })),
}))
"""


@pytest.fixture(params=["article", "hand", "mazur", "softmax-classifier"])
def recorded(request: Any) -> Trace:
    return trace(load_problem(request.param))


def open_page(chromium: Any, recorded: Trace, folder: Path, width: int = 1200) -> tuple[Any, list[str]]:
    write_page(recorded, folder / "page.html")
    page = chromium.new_page(viewport={"width": width, "height": 900})
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("request", lambda request: noise.append(request.url))
    page.goto((folder / "page.html").as_uri())
    return page, [line for line in noise if not line.endswith("/page.html")]


def test_every_step_shows_every_known_value(chromium: Any, recorded: Trace, tmp_path: Path) -> None:
    page, _ = open_page(chromium, recorded, tmp_path)
    decimals = shown(recorded, recorded.last)
    sections = page.evaluate(READ_TABLES)
    assert [section["id"] for section in sections] == [f"step-{step.label}" for step in recorded.last.steps]
    for section in sections:
        for table in section["tables"]:
            values = recorded.last[table["id"]]
            texts = [[decimals.text(table["id"], float(value)) for value in row] for row in values]
            assert table["rows"] == texts, (section["id"], table["id"])


def test_yellow_is_computed_and_orange_is_computed_from(chromium: Any, recorded: Trace, tmp_path: Path) -> None:
    page, _ = open_page(chromium, recorded, tmp_path)
    for section, step in zip(page.evaluate(READ_TABLES), recorded.last.steps, strict=True):
        active = {table["id"] for table in section["tables"] if table["role"] == "active"}
        assert active == {each.id for each in step.assignments}
        colours = page.eval_on_selector_all(
            f"[id='{section['id']}'] table.active td", "cells => cells.map(c => getComputedStyle(c).backgroundColor)"
        )
        assert set(colours) == {"rgb(255, 241, 118)"}
    assert "•" in page.inner_text("body") and "▶" in page.inner_text("body")


def test_every_step_that_computes_has_a_formula_and_a_cell_worked_out(
    chromium: Any, recorded: Trace, tmp_path: Path
) -> None:
    page, _ = open_page(chromium, recorded, tmp_path)
    for step in recorded.last.steps:
        computed = [each for each in step.assignments if each.expression is not None]
        section = f"[id='step-{step.label}']"
        later = [each for each in computed if each.id[0] == "J" and int(each.id[1:]) > 3]  # "likewise"
        assert page.locator(f"{section} .formula math").count() == len(computed) - len(later)
        assert page.locator(section).text_content().count("likewise") == bool(later)
        assert page.locator(f"{section} .worked").count() == len(computed) - len(later)
        assert (page.locator(f"{section} .worked").count() > 0) == bool(computed)
    assert page.locator(".worked math").evaluate_all("all => all.every(m => m.getBoundingClientRect().width > 0)")


def test_the_page_asks_for_nothing_and_says_nothing(chromium: Any, recorded: Trace, tmp_path: Path) -> None:
    _, noise = open_page(chromium, recorded, tmp_path)
    assert noise == []


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_is_wider_than_the_window(chromium: Any, recorded: Trace, tmp_path: Path, width: int) -> None:
    page, _ = open_page(chromium, recorded, tmp_path, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_names_from_a_problem_file_stay_text(chromium: Any, tmp_path: Path) -> None:
    document = load_problem("article").to_document()
    evil = "<script>alert(1)</script><img src=x>"
    document |= {"title": evil, "description": evil, "source": evil, "names": {"style": "matrix", "Z1": evil}}
    page, noise = open_page(chromium, trace(problem_from_document(document, "evil", "evil")), tmp_path)
    assert noise == []
    assert page.locator("script, img").count() == 0
    assert evil in page.inner_text("h1")


def test_printing_gives_every_step(chromium: Any, tmp_path: Path) -> None:
    page, _ = open_page(chromium, trace(load_problem("article")), tmp_path)
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF") and pdf.count(b"/Type /Page\n") >= 12


def test_a_large_matrix_is_cut_and_says_so(chromium: Any, tmp_path: Path) -> None:
    recorded = trace(load_problem("blobs"))
    page, _ = open_page(chromium, recorded, tmp_path)
    rows = page.locator("[id='step-0'] table[data-id='X'] tr")
    assert rows.count() < recorded["X"].shape[0]
    assert np.isclose(float(rows.nth(0).locator("td").nth(0).inner_text()), recorded["X"][0, 0], atol=1e-3)
    assert "⋮" in page.inner_text("[id='step-0'] table[data-id='X']")
