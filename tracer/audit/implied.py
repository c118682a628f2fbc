"""Losses that a book does not hold: of output − target as a gradient the loss can be named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tracer.audit.graph import BookGraph
from tracer.expression import scalar as s

NOWHERE = ""  # the sheet of cells that no book holds
HALF_SQUARED_ERROR, CROSS_ENTROPY, BINARY_CROSS_ENTROPY, UNDER_ROOT = range(1, 5)
WORDS = {
    HALF_SQUARED_ERROR: "half the squared error of the outputs",
    CROSS_ENTROPY: "the cross-entropy of the outputs",
    BINARY_CROSS_ENTROPY: "the binary cross-entropy of the outputs",
    UNDER_ROOT: "what is under the root in the cell of its loss",
}


def under_roots(graph: BookGraph, losses: Sequence[s.Cell]) -> Iterator[tuple[s.Cell, s.Scalar]]:
    """What is under the root of losses that are one: a book may show the root of the mean square and descend that."""
    for number, loss in enumerate(losses, start=1):
        match graph.made[loss]:
            case s.Function("sqrt", inner):
                yield s.Cell(NOWHERE, UNDER_ROOT, number), inner


def implied_losses(graph: BookGraph, seeds: Sequence[tuple[s.Cell, s.Cell]]) -> Iterator[tuple[s.Cell, s.Scalar]]:
    """The losses whose gradient in an output, or in what goes into its activation, is output − target."""
    one, half = s.Number(1.0), s.Number(0.5)
    squares = [s.Product((half, s.Power(s.difference(output, target), 2.0))) for output, target in seeds]
    yield s.Cell(NOWHERE, HALF_SQUARED_ERROR, 1), s.Sum(tuple(squares))
    known = [graph.made[output] for output, _ in seeds]
    if all(isinstance(each, s.Quotient) for each in known):
        logs = [s.Negative(s.Product((target, s.Log(output)))) for output, target in seeds]
        yield s.Cell(NOWHERE, CROSS_ENTROPY, 1), s.Sum(tuple(logs))
        both = [
            s.Negative(
                s.Sum(
                    (
                        s.Product((target, s.Log(output))),
                        s.Product((s.difference(one, target), s.Log(s.difference(one, output)))),
                    )
                )
            )
            for output, target in seeds
        ]
        yield s.Cell(NOWHERE, BINARY_CROSS_ENTROPY, 1), s.Sum(tuple(both))
