"""The stage: whatever formula is looked at, its matrices and worked result are in view, and Next does not scroll."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.stage import SIZES, faults
from tests.programs import SAMPLES
from tracer.problem.example_groups import ELEVEN_STEPS
from tracer.problem.program_problem import program_from_document
from tracer.problem.reading import example_names, load_problem
from tracer.run.training import trace

pytestmark = pytest.mark.browser


def run_of(name: str) -> Any:
    if name in SAMPLES:
        return trace(program_from_document(SAMPLES[name].document(), name, name))
    return trace(load_problem(name))


# The built-in examples at every size, the samples at one each: the layout knows nothing but the expression.
# `python -m tests.browser.stage` walks everything at every size.
LOOKED_AT = [(name, tuple(SIZES)) for name in example_names(ELEVEN_STEPS)]
LOOKED_AT += [(name, (list(SIZES)[k % len(SIZES)],)) for k, name in enumerate(SAMPLES)]


@pytest.mark.parametrize(("name", "sizes"), LOOKED_AT, ids=[name for name, _ in LOOKED_AT])
def test_every_formula_is_in_view_with_its_matrices(
    chromium: Any, name: str, sizes: tuple[str, ...], tmp_path: Path
) -> None:
    views = [(size, "dark" if size == "laptop" else "light") for size in sizes]
    assert not faults(chromium, run_of(name), tmp_path, views)
