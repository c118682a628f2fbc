"""Opening a page as a reader does, and reading off what it shows."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tracer.page.page import write_page
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace

Cell = tuple[str, int, int]

# Every table cell of a section with its matrix and place, as the headings count them; what is cut has no number.
READ = """
section => [...section.querySelectorAll('.board table')].flatMap(table => {
  const turned = document.querySelector('#turned').value === 'yes';
  return [...table.rows].slice(1).flatMap((row, i) => [...row.cells].slice(1).map((td, j) => ({
    cell: [table.dataset.id, turned ? j : i, turned ? i : j], text: td.textContent, classes: [...td.classList],
  })));
})
"""


def wait_until(page: Any, condition: str, argument: Any = None) -> None:
    """Wait until a condition holds. Playwright's own wait polls by eval, which the pages' policy forbids."""
    deadline = time.monotonic() + 20
    while not page.evaluate(condition, argument):
        assert time.monotonic() < deadline, f"never came true: {condition}"
        page.wait_for_timeout(20)


@contextmanager
def opened(
    chromium: Any,
    recorded: Trace | str,
    folder: Path,
    anchor: str = "",
    size: tuple[int, int] = (1280, 900),
    before: str = "",
    quiet: bool = True,
    unfold: bool = True,
    **options: Any,
) -> Iterator[Any]:
    """The page of a trace (or a page's text) in a window of its own; `before` is a script that runs before the page's.

    Whatever the reader does, the page says nothing on the console and asks for nothing but itself (`quiet`).
    `unfold`: the board is open from the start.
    """
    path = folder / "page.html"
    if isinstance(recorded, str):
        path.write_text(recorded, encoding="utf-8")
    else:
        write_page(recorded, path)
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, **options)
    if before:
        context.add_init_script(before)
    page, noise = context.new_page(), []
    page.set_default_timeout(20_000)
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("request", lambda request: noise.append(request.url))
    page.goto(path.as_uri() + anchor)
    if unfold:  # the board, which most tests look at
        page.evaluate("document.querySelectorAll('.fold').forEach(fold => { fold.open = true; })")
    yield page
    context.close()
    assert not quiet or [line for line in noise if not line.partition("#")[0].endswith("/page.html")] == []


def next_step(page: Any, act: Callable[[], object] | None = None) -> None:
    """Go on, by the button or otherwise, until the formulas of the step are through and another step is shown."""
    before = current(page)
    for _ in range(30):
        if act is None:
            page.click("#next")
        else:
            act()
        if current(page) != before:
            return
    raise AssertionError(f"{before} never ends")


def in_batches(size: int = 2, epochs: int = 2) -> Trace:
    """XOR's four samples, some at a time."""
    document = load_problem("xor").to_document() | {"batch_size": size}
    return trace(problem_from_document(document, "batches", "batches"), range(1, epochs + 1))


def read_tables(page: Any, section: str) -> dict[Cell, dict[str, Any]]:
    """Text and classes of every table cell of a step, by matrix, row and column from 0."""
    found = page.eval_on_selector(f"[id='{section}']", READ)
    return {tuple(each["cell"]): each for each in found}


def section_ids(page: Any) -> list[str]:
    return list(page.eval_on_selector_all("section.step", "all => all.map(each => each.id)"))


def current(page: Any) -> str:
    """The step that is shown, by the rail, once the page has heard of a link that was followed."""
    page.evaluate("() => new Promise((heard) => setTimeout(heard))")
    return str(page.get_attribute(".rail a[aria-current=step]", "data-step"))


def table_cell(page: Any, cell: str) -> Any:
    """The table cell of the step shown, from "Z1-2-3", counted from 1."""
    matrix, row, column = cell.split("-")
    table = f"section.step:not([hidden]) table[data-id='{matrix}']"
    return page.locator(f"{table} tr:nth-child({int(row) + 1}) > :nth-child({int(column) + 1})")


def asked(page: Any) -> str:
    """What the panel shows of the cell asked about: "Z11,1 = 1.480", or "" where it is closed."""
    head = page.locator("#asked h3")
    return str(head.text_content()) if head.is_visible() else ""
