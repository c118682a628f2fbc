"""The page's script: which pass goes on from the one before it."""

import pytest

from tracer.page.script import page_script
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.training import trace


@pytest.mark.parametrize(
    ("epochs", "follows"),
    [([1, 2], [False, True, True, True]), ([1, 3], [False, True, False, True])],
)
def test_a_pass_follows_the_one_before_it_within_an_epoch_and_into_the_next(
    epochs: list[int], follows: list[bool]
) -> None:
    document = load_problem("xor").to_document() | {"batch_size": 2}
    script = page_script(trace(problem_from_document(document, "batches", "batches"), epochs))
    assert script is not None
    assert [part[:4] == "true" for part in str(script.data).split('"follows":')[1:]] == follows
