"""The stage: whatever formula is looked at, its matrices and worked result are in view, and Next does not scroll."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.pages import opened
from tests.programs import SAMPLES
from tracer.problem.example_groups import ELEVEN_STEPS
from tracer.problem.program_problem import program_from_document
from tracer.problem.reading import example_names, load_problem
from tracer.run.training import trace

pytestmark = pytest.mark.browser

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


def run_of(name: str) -> Any:
    if name in SAMPLES:
        return trace(program_from_document(SAMPLES[name].document(), name, name))
    return trace(load_problem(name))


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


# The built-in examples at every size, the samples at one each: the layout knows nothing but the expression.
LOOKED_AT = [(name, tuple(SIZES)) for name in example_names(ELEVEN_STEPS)]
LOOKED_AT += [(name, (list(SIZES)[k % len(SIZES)],)) for k, name in enumerate(SAMPLES)]


@pytest.mark.parametrize(("name", "sizes"), LOOKED_AT, ids=[name for name, _ in LOOKED_AT])
def test_every_formula_is_in_view_with_its_matrices(
    chromium: Any, name: str, sizes: tuple[str, ...], tmp_path: Path
) -> None:
    with opened(chromium, run_of(name), tmp_path, unfold=False) as page:
        found = {}
        for size in sizes:
            width, height = SIZES[size]
            page.emulate_media(color_scheme="dark" if size == "laptop" else "light")
            page.set_viewport_size({"width": width, "height": height})
            page.goto(page.url.partition("#")[0])
            page.reload()
            found[size] = walked(page, size == "phone")
    assert not any(found.values()), found
