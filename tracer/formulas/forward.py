"""A forward pass as it was written: steps of assignments, each an expression over the matrices before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tracer.expression import matrix as m
from tracer.program.roles import BlockIndex


@dataclass(frozen=True)
class ForwardStep:
    """One step with its words; `block` has the values of its `each`, as (("t", 1),)."""

    title: str
    words: str
    why: str
    assignments: tuple[tuple[str, m.Matrix], ...]
    block: BlockIndex = ()


@dataclass(frozen=True)
class Forward:
    """All steps, the shapes of what is given and of the parameters, and what is differentiated with respect to what.

    `formulas` has the formula, as typed, that each matrix comes from, `places` where in the file it stands; `parts` are
    the matrices that one was taken apart into.
    """

    steps: tuple[ForwardStep, ...]
    given: Mapping[str, m.Shape]
    parameters: Mapping[str, m.Shape]
    loss: str
    with_respect_to: tuple[str, ...] = ()
    formulas: Mapping[str, str] = field(default_factory=dict)
    parts: frozenset[str] = frozenset()
    places: Mapping[str, str] = field(default_factory=dict)

    def assignments(self) -> Iterator[tuple[int, str, m.Matrix]]:
        """(number of the step from 1, identifier, expression) in order of time."""
        for number, step in enumerate(self.steps, start=1):
            for name, expression in step.assignments:
                yield number, name, expression
