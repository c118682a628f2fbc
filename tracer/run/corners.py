"""Whether a rule passes one of its corners, as ReLU has at 0, while a parameter is moved by h.

Then the estimate is a mixture of the slopes to both sides, of several samples perhaps, and tells nothing of either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.arrays import Array
from tracer.expression.evaluate import evaluate
from tracer.run.differences import Estimate, Path
from tracer.run.passes import Pass


def passes_corner(one: Pass, path: Path, moved: Estimate) -> bool:
    """Whether a rule of the path is on another side of a corner at θ, θ + h or θ − h."""
    if not path.bends:
        return False
    here = {name: one[name] for name in (path.parameter, *path.ids, *path.held)}
    for by in (moved.h, -moved.h):
        there = here | path.run(one, moved.row, moved.column, by)
        for made in path.expressions.values():
            if any(not np.array_equal(*each) for each in zip(_sides(made, here), _sides(made, there), strict=True)):
                return True
    return False


def _sides(made: m.Matrix, values: Mapping[str, Array]) -> Iterator[Array]:
    """For every corner in a formula the side that each cell is on."""
    for part in _shown_parts(made):
        match part:
            case m.Apply(template, arguments):
                for difference in _differences(template):
                    yield np.sign(evaluate(m.Apply(difference, arguments), values))
            case m.Pool("max", operand, size):
                yield evaluate(m.FirstMaximum(operand, size), values)
            case m.Reduce("max", operand, _):
                found = evaluate(operand, values)
                yield found == np.broadcast_to(evaluate(part, values), found.shape)


def _shown_parts(made: m.Matrix) -> Iterator[m.Matrix]:
    """The formula and what is in it, as it is shown; what a stable form takes a maximum for has no corner."""
    shown = made.shown if isinstance(made, m.StableForm) else made
    yield shown
    for operand in traversal.operands(shown):
        yield from _shown_parts(operand)


def _differences(rule: s.Scalar) -> Iterator[s.Scalar]:
    """What changes its sign where a rule has a corner."""
    match rule:
        case s.Where(left, _, right, _, _):
            yield s.difference(left, right)
        case s.Maximum(operands):
            yield from (s.difference(operands[0], other) for other in operands[1:])
        case s.Absolute(operand):
            yield operand
    for part in (rule.shown,) if isinstance(rule, s.Stable) else s.children(rule):
        yield from _differences(part)
