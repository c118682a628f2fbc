"""What a notebook is given, in a real browser and in a notebook's style sheet, on light and on dark."""

import json
from pathlib import Path
from typing import Any

import pytest

from tracer.notebook.widget import SCRIPT
from tracer.page.page import render_page
from tracer.presentation.shown import shown
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace

pytestmark = pytest.mark.browser

# What Jupyter's own style sheets do to a table of an output.
JUPYTER = """
.out table { border: none; border-collapse: collapse; color: var(--ink); font-size: 12px; table-layout: fixed; }
.out tr, .out th, .out td { text-align: right; vertical-align: middle; padding: .5em; border: none; max-width: none; }
.out tbody tr:nth-child(odd) { background: var(--stripe); }
.light { --ink: #212121; --stripe: #f5f5f5; background: #fff; color: #212121; }
.dark { --ink: #e0e0e0; --stripe: #212121; background: #111; color: #e0e0e0; }
"""
READ = """
() => [...document.querySelectorAll('table[data-id]')].map(table => ({
  id: table.dataset.id,
  caption: table.caption.textContent.trim(),
  cells: [...table.rows].map(row => [...row.cells].map(cell => {
    const { backgroundColor, color, borderTopStyle } = getComputedStyle(cell);
    return { text: cell.textContent, background: backgroundColor, color, border: borderTopStyle };
  })),
}))
"""
YELLOW, ORANGE, CLEAR = "rgb(255, 241, 118)", "rgb(249, 188, 122)", "rgba(0, 0, 0, 0)"
INK = "rgb(33, 33, 33)"


@pytest.fixture(scope="module")
def run() -> Trace:
    return trace(load_problem("article"))


def open_views(chromium: Any, folder: Path, theme: str, *views: Any) -> tuple[Any, list[str]]:
    outputs = "".join(f"<div class='out'>{view._repr_html_()}</div>" for view in views)
    path = folder / "notebook.html"
    text = f"<!doctype html><meta charset='utf-8'><title>notebook</title><style>{JUPYTER}</style><body class={theme}>"
    path.write_text(text + outputs, encoding="utf-8")
    page = chromium.new_page(viewport={"width": 1000, "height": 900})
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("request", lambda request: noise.append(request.url))
    page.goto(path.as_uri())
    return page, [line for line in noise if not line.endswith("/notebook.html")]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_step_shows_the_numbers_of_the_trace_in_its_colours(
    chromium: Any, run: Trace, tmp_path: Path, theme: str
) -> None:
    page, noise = open_views(chromium, tmp_path, theme, run.step(9))
    decimals, roles = shown(run, run.last), {"D1": "active", "E1": "input", "S1": "input"}
    tables = {table["id"]: table for table in page.evaluate(READ)}
    assert noise == [] and tables.keys() == roles.keys()
    for identifier, role in roles.items():
        texts = [[decimals.text(identifier, float(value)) for value in row] for row in run[identifier]]
        cells = tables[identifier]["cells"]
        assert [[cell["text"] for cell in row] for row in cells] == texts
        looks = {(cell["background"], cell["color"], cell["border"]) for row in cells for cell in row}
        assert looks == {(YELLOW, INK, "solid") if role == "active" else (ORANGE, INK, "dashed")}
        assert tables[identifier]["caption"][0] == ("▶" if role == "active" else "•")


def test_a_cell_marks_what_it_is_computed_from_and_nothing_else(chromium: Any, run: Trace, tmp_path: Path) -> None:
    page, _ = open_views(chromium, tmp_path, "dark", run.matrix("Z1")[1, 2])
    backgrounds = {
        table["id"]: [[cell["background"] for cell in row] for row in table["cells"]] for table in page.evaluate(READ)
    }
    assert backgrounds == {
        "X": [[CLEAR] * 4, [ORANGE] * 4, [CLEAR] * 4],
        "W1": [[CLEAR, CLEAR, ORANGE]] * 4,
        "b1": [[CLEAR, CLEAR, ORANGE]],
        "Z1": [[CLEAR] * 3, [CLEAR, CLEAR, YELLOW], [CLEAR] * 3],
    }
    lines = page.locator("math").all_text_contents()
    assert lines[-3:] == ["=(1)(0.55)+(0)(0.68)+(1)(0.47)+(1)(0.52)+0.08", "=0.550+0.000+0.470+0.520+0.08", "=1.620"]


def test_the_overview_says_what_was_run(chromium: Any, run: Trace, tmp_path: Path) -> None:
    page, _ = open_views(chromium, tmp_path, "light", run)
    words = page.inner_text("body")
    assert run.problem.title in words and "4→3→1, 3 samples, learning rate 0.1; loss 0.3541 → 0.3530" in words
    assert page.locator("tbody tr").count() == len(run.last.steps)
    assert page.locator("math").count() == 19  # computed matrices, from Z1 to b1_next
    assert page.locator("math").evaluate_all("all => all.every(m => m.getBoundingClientRect().width > 10)")


def test_names_and_titles_from_a_problem_file_stay_text(chromium: Any, tmp_path: Path) -> None:
    document = load_problem("article").to_document()
    evil = "</td></table><script>alert(1)</script><img src=x>"
    document |= {"title": evil, "names": {"style": "matrix", "Z1": evil}}
    run = trace(problem_from_document(document, "evil", "evil"))
    page, noise = open_views(chromium, tmp_path, "light", run, run.step(2), run.matrix("Z1"), run.matrix("Z1")[0, 0])
    assert noise == []
    assert page.locator("script, img").count() == 0
    assert page.inner_text("body").count(evil) >= 4


def test_nothing_is_wider_than_a_narrow_notebook(chromium: Any, run: Trace, tmp_path: Path) -> None:
    blobs = trace(load_problem("blobs"))
    views = [*(run.step(step.number) for step in run.last.steps), blobs.matrix("Z1"), blobs.matrix("dW1")[0, 1]]
    page, _ = open_views(chromium, tmp_path, "light", *views)
    page.set_viewport_size({"width": 500, "height": 900})
    assert page.locator("table").count() > 20 and page.inner_text("body").count("0.") > 100
    assert page.evaluate("document.documentElement.scrollWidth") <= 500


def test_in_the_widget_the_page_can_be_stepped_through_and_its_numbers_changed(
    chromium: Any, run: Trace, tmp_path: Path
) -> None:
    """As anywidget does: the script is a module, its `render` is given the model and an element."""
    made = json.dumps({"page": render_page(run), "title": run.problem.title, "height": 700}).replace("</", "<\\/")
    script = json.dumps(SCRIPT).replace("</", "<\\/")
    cell = f"""<!doctype html><meta charset="utf-8"><title>cell</title><div id="cell"></div><script type="module">
        const values = {made};
        const {{ default: widget }} = await import("data:text/javascript," + encodeURIComponent({script}));
        widget.render({{ model: {{ get: key => values[key] }}, el: document.querySelector("#cell") }});
        </script>"""
    page = chromium.new_page(viewport={"width": 1000, "height": 900})
    noise: list[str] = []
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.route("http://notebook.test/", lambda route: route.fulfill(body=cell, content_type="text/html"))
    page.goto("http://notebook.test/")  # not a file: those may not look into their own frames
    frame = page.frame_locator("iframe")
    before = frame.locator("section:not([hidden]) h2").first.inner_text()
    frame.locator("body").press("ArrowRight")
    after = frame.locator("section:not([hidden]) h2").first.inner_text()
    assert noise == [] and before != after and page.locator("iframe").get_attribute("title") == run.problem.title
    assert frame.locator("section:not([hidden]) .worked.first").first.is_visible()
    frame.locator("body").press("ArrowLeft")
    frame.locator("section:not([hidden]) td:text-is('0.42')").locator("visible=true").first.click()
    frame.locator("#asked-number").fill("0.9")
    frame.locator("#asked-number").press("Enter")  # a form, which a frame must be allowed to send
    frame.locator("#asked-loss:has-text('now')").wait_for(timeout=5000)
    assert frame.locator("html").get_attribute("data-theme") == "light"
    page.evaluate("() => { document.body.style.background = '#111'; document.body.className = 'dark'; }")
    frame.locator("html[data-theme=dark]").wait_for(timeout=5000)  # the page follows the notebook's theme
    page.close()
