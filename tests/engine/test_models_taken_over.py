"""The workbooks of models taken over, recalculated by real engines, hold the trace's numbers."""

from pathlib import Path

import pytest

from tests.engine.recalculate import by_cellrune, by_ironcalc
from tests.engine.test_workbooks import assert_recalculates
from tests.torch_modules import FIFTEEN, OTHERS, precise
from tracer.frameworks.models import from_torch
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("name", ["cnn with max pool", "tied language"])
def test_a_model_recalculates(name: str, tmp_path: Path) -> None:
    with precise():
        case = {**FIFTEEN, **OTHERS}[name]()
        problem = from_torch(case.module, case.inputs, case.targets, loss=case.loss)
    run, path = trace(problem), tmp_path / "book.xlsx"
    write_workbook(run, path)
    for engine in (by_ironcalc, by_cellrune):
        assert_recalculates(run, path, engine)  # type: ignore[arg-type]
