"""The practice page marks as `tracer check` does, cell by cell."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.alike import MOST_UNTOLD, UNTOLD, sheets, signs
from tests.browser.pages import opened
from tests.browser.test_worksheet import FILL, SIGNS, sheet
from tests.engine.test_program_workbooks import OPTIMIZERS
from tests.fairness import problems
from tests.simulation import Teacher
from tests.students import Document
from tests.unit.problem.test_layer_optimizers import document as with_optimizer
from tracer.problem.problem import problem_from_document
from tracer.run.training import trace

pytestmark = pytest.mark.browser


def documents() -> Iterator[Document]:
    """The article's example, and three networks by lot."""
    found = list(problems(np.random.default_rng(2), 3))
    yield from (document for name, document in (found[0], *found[-3:]))


@pytest.mark.parametrize("number", range(4))
def test_page_and_command_mark_alike(chromium: Any, number: int, tmp_path: Path) -> None:
    document = next(islice(documents(), number, None))
    teacher, random = Teacher.of(document), np.random.default_rng(number)
    assert teacher is not None
    page_of = sheet(trace(problem_from_document(document, "p", "p")), feedback="cell")
    cells, untold = 0, Counter[tuple[str, str]]()
    with opened(chromium, page_of, tmp_path) as page:
        for how, answers in sheets(document, teacher, random):
            page.evaluate(FILL, answers)
            found, expected = page.evaluate(SIGNS), signs(teacher.mark(answers))
            for (identifier, row, column), (sign, verdict) in expected.items():
                theirs = found[f"{identifier}-{row}-{column}"]
                if theirs != sign:
                    assert not how.startswith("habit") and (verdict, theirs) in UNTOLD, (how, identifier, row, column)
                    untold[verdict, theirs] += 1
            cells += len(expected)
    assert cells > 1_000 and untold.total() <= MOST_UNTOLD * cells, untold


@pytest.mark.parametrize("name", ["adamw", "dampened"])
def test_right_numbers_of_an_optimizer_are_right_on_the_page(chromium: Any, name: str, tmp_path: Path) -> None:
    run = trace(problem_from_document(with_optimizer(OPTIMIZERS[name]), name, name))
    answers = {each: run.first[each].tolist() for each in run.first.program.computed}
    with opened(chromium, sheet(run, feedback="cell"), tmp_path) as page:
        page.evaluate(FILL, answers)
        assert set(page.evaluate(SIGNS).values()) == {"✓"}
