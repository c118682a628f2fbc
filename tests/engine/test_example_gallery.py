"""The workbooks of the gallery's examples, recalculated by a real engine, hold the trace's numbers."""

from pathlib import Path

import pytest

from tests.engine.recalculate import by_cellrune
from tests.engine.test_workbooks import assert_recalculates
from tracer.problem.example_groups import ELEVEN_STEPS, EXAMPLE_GROUPS
from tracer.problem.reading import load_any
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:Generating overly large repr")]

GALLERY = [name for group in EXAMPLE_GROUPS if group != ELEVEN_STEPS for name in EXAMPLE_GROUPS[group]]


@pytest.mark.parametrize("name", GALLERY)
def test_the_walkthrough_of_an_example_recalculates(name: str, tmp_path: Path) -> None:
    run = trace(load_any(name))
    write_workbook(run, tmp_path / "book.xlsx")
    assert_recalculates(run, tmp_path / "book.xlsx", by_cellrune)  # type: ignore[arg-type]
