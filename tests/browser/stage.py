"""Walking a page's stage: whether a formula's matrices and its worked result are in view, at each size.

`python -m tests.browser.stage` walks every example that is built in, light and dark, at all sizes, by Next and by link;
`python -m tests.browser.stage FILE…` the programs given. The suite walks some (test_stage.py).
"""

import shutil
import sys
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.browser.pages import opened
from tracer.problem.example_groups import EXAMPLE_GROUPS
from tracer.problem.reading import load_any
from tracer.run.training import trace

SIZES = {"desktop": (1400, 900), "laptop": (1366, 768), "phone": (390, 844)}

# What is not seen of the formula on stage: a point in the middle of each shows something else, or lies outside.
UNSEEN = """
async phone => {
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))); // a step is laid out when seen
  const seen = part => {
    const { left, right, top, bottom } = part.getBoundingClientRect();
    const found = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return found !== null && (part === found || part.contains(found));
  };
  const stage = document.querySelector('#stage');
  if (stage.hidden) return [];
  const unseen = [], asked = stage.querySelector('td.is-asked');
  if (!asked || !seen(asked)) unseen.push('the asked cell');
  if (!phone) for (const table of stage.querySelectorAll('.matrix:not(.ones) table'))
    if (![...table.querySelectorAll('td')].some(seen)) unseen.push(table.getAttribute('aria-label'));
  const lines = [...document.querySelectorAll('#asked-lines > div, .worked.first.current > div')];
  const shown = lines.filter(line => line.offsetParent);
  const result = shown[shown.length - 1];
  if (!result || !seen(result)) unseen.push('the worked result');
  return unseen;
}
"""
FOLLOW = "anchor => { history.pushState(null, '', anchor); dispatchEvent(new Event('hashchange')); }"
NEXT = "document.querySelector('#next').click()"  # a click of the driver's scrolls by itself
PLACE = "[document.querySelector('section.step:not([hidden])').id, scrollY, document.querySelector('#next').disabled]"


def walked(page: Any, phone: bool) -> list[tuple[str, str]]:
    """What is not in view, by section: by Next from the start, then by a link to each section."""
    sections, wrong = [], []
    page.evaluate(NEXT)
    at, scroll, last = page.evaluate(PLACE)
    while True:
        wrong += [(at, each) for each in page.evaluate(UNSEEN, phone)]
        sections.append(at)
        if last:
            break
        page.evaluate(NEXT)
        at, now, last = page.evaluate(PLACE)
        if now != scroll:
            wrong.append((at, f"moved by {now - scroll}"))
            scroll = now
    for section in dict.fromkeys(sections):
        page.evaluate(FOLLOW, f"#{section}")
        assert page.evaluate(PLACE)[0] == section
        wrong += [(f"#{section}", each) for each in page.evaluate(UNSEEN, phone)]
    return wrong


def faults(browser: Any, run: Any, folder: Path, views: Iterable[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """What is not in view, by size and theme; one page for all of them, opened anew for each."""
    found = {}
    with opened(browser, run, folder, unfold=False) as page:
        for size, theme in views:
            width, height = SIZES[size]
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=theme)
            page.goto(page.url.partition("#")[0])
            page.reload()
            if wrong := walked(page, size == "phone"):
                found[f"{size}, {theme}"] = wrong
    return found


def main(names: Sequence[str]) -> int:
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import FLAGS

    wrong = 0
    with sync_playwright() as driver, TemporaryDirectory() as folder:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name in names or [each for group in EXAMPLE_GROUPS.values() for each in group]:
            found = faults(browser, trace(load_any(name)), Path(folder), product(SIZES, ("light", "dark")))
            wrong += bool(found)
            print(name, found or "all in view", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
