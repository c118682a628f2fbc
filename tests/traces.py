"""The trace of a built-in example, and of a drawn problem document.

Examples are asked for within a test: a fault that one of them shows fails the tests that use it, and hides no other.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import assume

from tracer.errors import NotFiniteError
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.run.passes import Pass, Trace
from tracer.run.training import trace


@cache
def example(name: str) -> Trace:
    """The first pass of a built-in example."""
    return trace(load_problem(name))


def example_document(name: str) -> dict[str, Any]:
    """A built-in example as a problem document, to be changed."""
    return load_problem(name).to_document()


def passes(document: dict[str, Any], epochs: Sequence[int] = (1,)) -> list[Pass]:
    """All passes of the epochs.

    A document whose learning drives an output to exactly 0 or 1 under a cross-entropy, or beyond float64,
    is dropped; one that is refused in its very first pass is not.
    """
    problem = problem_from_document(document, "drawn", "drawn.toml")
    try:
        return list(trace(problem, epochs).passes)
    except NotFiniteError as refused:
        place = re.match(r"epoch (\d+), (sample|iteration) (\d+)", str(refused))
        assert place, refused
        first = problem.batch_size if place[2] == "sample" else 1
        if place[1] == "1" and int(place[3]) <= first and not problem.carry_rounded:
            raise
        assume(False)
        raise


def first_pass(document: dict[str, Any]) -> Pass:
    return passes(document)[0]
