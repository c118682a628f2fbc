"""The presenter sheet, recalculated for every step that can be chosen, shows what is known by then and nothing else."""

import re
import zipfile
from collections.abc import Callable, Iterator
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from tests.engine.recalculate import Values, by_cellrune, by_ironcalc, by_libreoffice, with_wrong_cached_values
from tests.presenter import presented
from tracer.expression.label import label_text
from tracer.presentation.example import example_cell
from tracer.presentation.headings import MARKS, Headings, highlights
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.program.program import Step
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.spreadsheet.sheet_data import address
from tracer.workbook.book import LEFT
from tracer.workbook.presenter_sheet import TOP
from tracer.workbook.workbook import write_workbook

pytestmark = pytest.mark.engine

STEP_CELL, TITLE, WHY, FORMULAS, WORKED = "C1", "D1", "B2", "B3", "B4"
EMPTY = (None, "")


def network(sizes: list[int], **more: Any) -> Trace:
    """A network with sigmoid layers of these sizes, all its numbers drawn."""
    random = np.random.default_rng(7)
    document = {
        "learning_rate": 0.5,
        "loss": "half_squared_error",
        "data": {"X": random.uniform(-1, 1, (3, sizes[0])).round(2).tolist(), "Y": [[0.25] * sizes[-1]] * 3},
        "layers": [
            {
                "activation": "sigmoid",
                "weights": random.uniform(-1, 1, shape).round(2).tolist(),
                "bias": random.uniform(-1, 1, shape[1]).round(2).tolist(),
            }
            for shape in pairwise(sizes)
        ],
        **more,
    }
    return trace(problem_from_document(document, "network", "network"))


TRACES: dict[str, Callable[[], Trace]] = {
    "article": lambda: trace(load_problem("article")),
    "mazur": lambda: trace(load_problem("mazur")),
    "softmax-classifier": lambda: trace(load_problem("softmax-classifier")),
    "linear-regression": lambda: trace(load_problem("linear-regression")),
    "two hidden layers": lambda: network([2, 3, 2, 1]),
    "updated weights sent back": lambda: network([2, 2, 2, 1], reproduce={"updated_weights_sent_back": True}),
    "mini-batches": lambda: network([2, 2, 2], batch_size=2),
    "an excerpt": lambda: network([2, 24, 1]),
}


def with_step(book: Path, target: Path, step: str | float) -> Path:
    """A copy of a workbook in which a step is chosen, typed as a number or as text."""
    cell = f"><v>{step!r}</v></c>" if isinstance(step, float) else f' t="inlineStr"><is><t>{step}</t></is></c>'
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet2.xml":
                chosen = rf'(<c r="{STEP_CELL}" s="\d+").*?</c>'
                text, edits = re.subn(chosen, rf"\g<1>{cell}", content.decode(), count=1)
                assert edits == 1
                content = text.encode()
            out.writestr(name, content)
    return target


def texts_of(book: Path, title: str) -> dict[str, object]:
    """The cells of one sheet as they are cached."""
    opened = openpyxl.load_workbook(book, data_only=True, read_only=True)
    sheet = opened[title]
    sheet.reset_dimensions()
    found = {cell.coordinate: cell.value for row in sheet for cell in row if cell.value is not None}
    opened.close()
    return found


def wanted(recorded: Trace) -> list[tuple[str, str]]:
    """The addresses of the head and of every cell and heading."""
    matrices = presented(recorded).values()
    headings = [(each.row, each.column) for each in matrices]
    cells = [(row, column) for each in matrices for row, column, _ in each.cells()]
    found = [TITLE, WHY, FORMULAS, WORKED, *(address(TOP + row, LEFT + column) for row, column in (*headings, *cells))]
    return [("Presenter", each) for each in found]


def assert_shows(recorded: Trace, step: Step, values: Values) -> None:
    """What is known at a step has its name with its mark and its numbers; of the others there is nothing."""
    one = recorded.first
    known, headings = highlights(one.program, step), Headings(recorded.problem, recorded.first.program)
    largest = max(1.0, *(float(np.abs(one[key]).max()) for key in one))
    for identifier, place in presented(recorded).items():
        heading = values["Presenter", address(TOP + place.row, LEFT + place.column)]
        cells = {(row, column): (values["Presenter", address(TOP + row, LEFT + column)], cell)
                 for row, column, cell in place.cells()}  # fmt: skip
        if identifier not in known:
            assert all(value in EMPTY for value in (heading, *(value for value, _ in cells.values())))
            continue
        name = headings.of(identifier, *one[identifier].shape).name
        assert str(heading).startswith(MARKS[known[identifier]] + label_text(name))
        for value, cell in cells.values():
            if cell is None:
                assert value == "⋯"
            else:
                assert abs(float(str(value)) - one[identifier][cell.row, cell.column]) <= 1e-12 * largest


def assert_says(recorded: Trace, head: dict[str, object], step: Step, values: Values) -> None:
    """The head is that of the step's own sheet, with the example's cell of its first matrix worked out."""
    for cell, own in ((TITLE, "B1"), (WHY, "B2"), (FORMULAS, "B3")):
        assert values["Presenter", cell] == head[own], step.label
    made = next((each for each in step.assignments if each.expression is not None), None)
    worked = values["Presenter", WORKED]
    if made is None:
        assert worked in EMPTY
    else:
        cell = example_cell(recorded.first, made.id)
        names = Headings(recorded.problem, recorded.first.program).names
        name = label_text(names.cell(cell.matrix, cell.row, cell.column))
        assert str(worked).startswith(f"{name} = ")
        sign, value = str(worked).split(" ")[-2:]
        assert sign in ("=", "≈")
        assert float(value) == pytest.approx(recorded.first[made.id][cell.row, cell.column], abs=5.1e-4)
    assert str(values["Presenter", TITLE]).startswith(f"Step {step.label} · ")


def titles(recorded: Trace) -> Iterator[tuple[Step, str]]:
    """The steps of the first pass with the titles of their sheets."""
    one = recorded.first
    batch = f"Epoch {one.epoch}.{one.iteration} " if len(recorded.problem.batches()) > 1 else ""
    return ((step, f"{batch}Step {step.label}") for step in one.steps)


@pytest.mark.parametrize(("name", "engine"), list(zip(TRACES, cycle([by_cellrune, by_ironcalc]), strict=False)))
def test_every_step_shows_what_is_known_by_then(name: str, engine: Any, tmp_path: Path) -> None:
    recorded = TRACES[name]()
    write_workbook(recorded, tmp_path / "book.xlsx")
    bare = with_wrong_cached_values(tmp_path / "book.xlsx", tmp_path / "bare.xlsx")
    for step, title in titles(recorded):
        chosen = with_step(bare, tmp_path / "chosen.xlsx", step.label)
        values = engine(chosen, wanted(recorded))
        assert_shows(recorded, step, values)
        assert_says(recorded, texts_of(tmp_path / "book.xlsx", title), step, values)


def test_libreoffice_shows_the_same(tmp_path: Path) -> None:
    """It starts once for the books of some steps, chosen as numbers where they are."""
    chosen = {}
    for name in ("article", "two hidden layers"):
        recorded = TRACES[name]()
        book = tmp_path / f"{recorded.problem.name}.xlsx"
        write_workbook(recorded, book)
        for step, title in list(titles(recorded))[::4]:
            typed = step.label if "." in step.label else float(step.label)
            path = with_step(book, tmp_path / f"{book.stem}-{step.label}.xlsx", typed)
            chosen[path] = (recorded, step, texts_of(book, title))
    for written, (recorded, step, head) in zip(by_libreoffice(list(chosen), tmp_path), chosen.values(), strict=True):
        shown = texts_of(written, "Presenter")
        values = {(sheet, cell): shown.get(cell) for sheet, cell in wanted(recorded)}
        assert_shows(recorded, step, values)
        assert_says(recorded, head, step, values)


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trace, Path]:
    """Ten hidden layers, so that there are both a step 2.1 and a step 2.10."""
    recorded, path = network([1] * 12), tmp_path_factory.mktemp("deep") / "book.xlsx"
    write_workbook(recorded, path)
    return recorded, path


@pytest.mark.parametrize("engine", [by_cellrune, by_ironcalc])
@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (2.1, "Step 2.1 · "),  # a number, which 2.10 would be too
        (8.1, "Step 8.1 · "),  # behind 8.10
        ("2.1", "Step 2.1 · "),
        ("2,1", "Step 2.1 · "),  # with a decimal comma
        ("2.10", "Step 2.10 · "),
        (4.0, "Step 4 · "),
        ("4", "Step 4 · "),
        ("twelve", "There is no such step; choose one from the list, 0 to 11."),
        (12.0, "There is no such step; choose one from the list, 0 to 11."),
    ],
)
def test_a_step_is_understood_however_it_is_typed(
    deep: tuple[Trace, Path], engine: Any, typed: str | float, shown: str, tmp_path: Path
) -> None:
    recorded, book = deep
    values = engine(with_step(book, tmp_path / "chosen.xlsx", typed), wanted(recorded))
    assert str(values["Presenter", TITLE]).startswith(shown)
    first = values["Presenter", address(TOP + presented(recorded)["X"].row, LEFT + presented(recorded)["X"].column)]
    assert (first in EMPTY) == shown.startswith("There is no such step")
