"""Pages: how fast they are rendered, how large they are, and how soon they answer in headless Chromium.

Run as a process of its own with one BLAS thread; what the browser takes is its own clock's time.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import ONE_THREAD, ROUNDS, Goal, by_turns, child, goals, markdown, spread, table
from benchmarks.problems import made_problem
from tracer.page.page import render_page
from tracer.page.tables import axes, table_body
from tracer.presentation.board import lay_out
from tracer.presentation.shown import shown
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace

ARTICLE, SMALL, MIDDLE, LARGE = "the article's example", "10,000 cells", "20-20-10, 50 samples", "100,000 cells"
MADE = {SMALL: ((8, 8, 7), 8), MIDDLE: ((20, 20, 10), 50), LARGE: ((14, 14, 14, 14, 14, 10), 14)}
PAGES = (ARTICLE, SMALL, MIDDLE, LARGE)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
BODIES = "the rows of its tables (table_body)"
READY = "performance.getEntriesByName('ready')[0].startTime"
# A weight is typed and confirmed at the last step; the time until all is laid out anew, in milliseconds.
EDIT = """async () => {
  const moments = [];
  for (let k = 0; k < 22; k++) {
    ask({matrix: 'W1', row: 0, column: 0}, {pinned: true});
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    document.querySelector('#asked-number').value = String(0.1 + k / 100);
    const start = performance.now();
    document.querySelector('#asked-edit').requestSubmit();
    fitAll(); // what waits for the next frame
    document.body.getBoundingClientRect();
    moments.push((performance.now() - start) / 1000);
  }
  return moments.slice(2);
}"""
Seconds = Mapping[str, Sequence[float]]


def recorded(name: str) -> Trace:
    return trace(load_problem("article") if name == ARTICLE else made_problem(*MADE[name]))


def cells(text: str) -> int:
    """Table cells of a page, headings among them."""
    return text.count("<td") + text.count("<th ")


def rendering(name: str) -> dict[str, Any]:
    """Seconds for the whole page and for the rows of its tables, with how many cells each has."""
    run = recorded(name)
    one, decimals = run.first, shown(run, run.first)
    places = lay_out(one.program).places

    def bodies() -> list[Any]:
        return [table_body(one, decimals, place, axes(one.program, key)).markup for key, place in places.items()]

    text = render_page(run)
    seconds = by_turns({"page": lambda: render_page(run), BODIES: bodies})
    sizes = {"page": cells(text), BODIES: sum(map(cells, bodies()))}
    return {"seconds": seconds, "cells": sizes, "bytes": [len(text.encode()), len(gzip.compress(text.encode()))]}


def opening(name: str) -> dict[str, list[float]]:
    """Seconds from navigation until the page answers, and for a changed weight to be laid out."""
    with _written(render_page(recorded(name))) as (browser, path):
        ready = _ready(browser, path)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(path.as_uri())
        page.click(".rail a >> nth=-1")
        edits = page.evaluate(EDIT)
    return {"ready": ready, "edit": edits}


def seconds_to_answer(text: str) -> list[float]:
    """Seconds from navigation until a page answers."""
    with _written(text) as written:
        return _ready(*written)


@contextmanager
def _written(text: str) -> Iterator[tuple[Any, Path]]:
    """A browser, and the file of a page."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "page.html"
        path.write_text(text, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser, path
        browser.close()


def _ready(browser: Any, path: Path) -> list[float]:
    ready = []
    for _ in range(ROUNDS + 1):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(path.as_uri())
        ready.append(page.evaluate(READY) / 1000)
        page.close()
    return ready[1:]  # the first one warms the browser


def _rendering_section(found: Mapping[str, Any]) -> str:
    rows = []
    for name, each in found.items():
        for what in ("page", BODIES):
            median, *others = spread(each["seconds"][what])
            rate = f"{each['cells'][what] / median / 1e6:.2f} million"
            times = (f"{1e3 * value:.1f} ms" for value in (median, *others))
            rows.append((f"{name}: {what}", f"{each['cells'][what]:,}", *times, rate))
    sizes = [(name, *(f"{size / 1000:,.0f} kB" for size in each["bytes"])) for name, each in found.items()]
    return "\n\n".join(
        (
            markdown(("what", "cells", "median", "min", "max", "cells a second"), rows),
            markdown(("page", "size", "gzipped"), sizes),
        )
    )


def _seconds_section(found: Mapping[str, Seconds], what: str, head: str) -> str:
    return f"{head}\n\n" + table({name: found[name][what] for name in found}, ARTICLE)


def _goals(rendered: Mapping[str, Any], opened: Mapping[str, Seconds]) -> str:
    def milliseconds(name: str, what: str) -> float:
        return 1000 * spread(opened[name][what])[0]

    def rate(what: str) -> float:
        return float(rendered[LARGE]["cells"][what] / spread(rendered[LARGE]["seconds"][what])[0])

    size, packed = rendered[ARTICLE]["bytes"]
    return goals(
        [
            Goal("table cells rendered a second", 2e6, rate(BODIES)),
            Goal("table cells rendered a second, with all else on the page", 2e6, rate("page")),
            Goal("default page, kB", 300, size / 1000, most=True),
            Goal("default page gzipped, kB", 60, packed / 1000, most=True),
            Goal("default page answers, ms", 150, milliseconds(ARTICLE, "ready"), most=True),
            Goal("10,000 cells answer, ms", 400, milliseconds(SMALL, "ready"), most=True),
            Goal("100,000 cells answer, ms", 800, milliseconds(LARGE, "ready"), most=True),
            Goal("a weight changed, default page, ms", 16, milliseconds(ARTICLE, "edit"), most=True),
            Goal("a weight changed, 20-20-10 with 50 samples, ms", 100, milliseconds(MIDDLE, "edit"), most=True),
        ]
    )


def report() -> str:
    """The section of RESULTS.md."""
    rendered = {name: child("pages", "rendering", name, **ONE_THREAD) for name in PAGES}
    opened = {name: child("pages", "opening", name, **ONE_THREAD) for name in PAGES}
    return (
        "\n\n".join(
            (
                "## Pages\n\nOne file each, as `walkthrough` writes it, in headless Chromium with software rendering.",
                _rendering_section(rendered),
                _seconds_section(opened, "ready", "From navigation until the page answers:"),
                _seconds_section(opened, "edit", "A changed weight, until everything is laid out anew:"),
                _goals(rendered, opened),
            )
        )
        + "\n"
    )


if __name__ == "__main__":
    what, argument = sys.argv[1:]
    measures: dict[str, Callable[[str], object]] = {"rendering": rendering, "opening": opening}
    print(json.dumps(measures[what](argument)))
