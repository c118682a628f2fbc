"""Where rules have a corner, as ReLU has at 0: two rules that meet, the largest of some numbers, a distance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.arrays import Array
from tracer.expression.evaluate import evaluate


def has_corner(made: m.Matrix) -> bool:
    """Whether a rule in a formula has a corner; softplus has none, whatever its stable form takes a maximum for."""
    return any(True for _ in _cornered(made))


def sides(made: m.Matrix, values: Mapping[str, Array]) -> Iterator[Array]:
    """For every corner in a formula the side that each cell is on: a sign, or whether it is the largest."""
    for part in _cornered(made):
        match part:
            case m.Apply(template, arguments):
                for difference in _differences(template):
                    yield np.sign(evaluate(m.Apply(difference, arguments), values))
            case m.Pool(_, operand, size):
                yield evaluate(m.FirstMaximum(operand, size), values)
            case m.Reduce(_, operand, _):
                found = evaluate(operand, values)
                yield found == np.broadcast_to(evaluate(part, values), found.shape)
            case _:
                yield evaluate(part, values)


def _cornered(made: m.Matrix) -> Iterator[m.Matrix]:
    """The parts of a formula, as it is shown, that have corners."""
    shown = made.shown if isinstance(made, m.StableForm) else made
    largest = isinstance(shown, m.Pool | m.Reduce) and shown.operation == "max"
    rule = isinstance(shown, m.Apply) and any(True for _ in _differences(shown.template))
    if largest or rule or isinstance(shown, m.FirstMaximum):
        yield shown
    for operand in traversal.operands(shown):
        yield from _cornered(operand)


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
