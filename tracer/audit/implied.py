"""Losses that a book does not hold: of output − target as a gradient the loss can be named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tracer.audit.graph import BookGraph
from tracer.expression import scalar as s

NOWHERE = ""  # the sheet of cells that no book holds
HALF_SQUARED_ERROR, CROSS_ENTROPY, BINARY_CROSS_ENTROPY = range(1, 4)
WORDS = {
    HALF_SQUARED_ERROR: "half the squared error of the outputs",
    CROSS_ENTROPY: "the cross-entropy of the outputs",
    BINARY_CROSS_ENTROPY: "the binary cross-entropy of the outputs",
}


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
