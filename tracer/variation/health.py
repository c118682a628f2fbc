"""Numbers that teach nothing: units that are dead or saturated, and changes that round away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tracer.calculus.forms import argument_of, function_named, softmax_form
from tracer.expression import matrix as m
from tracer.problem.activations import ACTIVATIONS
from tracer.program.program import Program
from tracer.variation.many import Many, exponentials_in, is_finite
from tracer.variation.telling import EDGE

Which: TypeAlias = NDArray[np.bool_]
"""Some of many variants."""

SATURATED, LEAST_SPREAD = 4.0, 1e-3  # of a pre-activation; of a unit's outputs over the samples
UNSEEN = 20.0  # below the largest of its row: a mask put it there, for softmax to leave out


@dataclass(frozen=True)
class Units:
    """A function of cells or rows: what it is taken of, and what it gives.

    `bounded`: it levels off. `rows`: softmax, for which the distance to the largest of the row counts.
    """

    argument: str
    made: str
    bounded: bool = True
    rows: bool = False


def units_of(program: Program) -> list[Units]:
    """The units of a program: its layers, or every function that its formulas take of cells and rows."""
    if program.by_layers:
        return [Units(each.pre_activation, each.activation) for each in program.layers]
    return list(_functions(program))


def _functions(program: Program) -> Iterator[Units]:
    for made in program.assignments.values():
        if made.role != "intermediate" or made.expression is None or made.id in program.of_optimizer:
            continue
        rule = made.expression.operand if isinstance(made.expression, m.Rounded) else made.expression
        argument = argument_of(rule)
        if not isinstance(argument, m.Symbol):
            continue
        form = softmax_form(rule)
        if form is not None and form.across:
            yield Units(argument.name, made.id, rows=True)
        elif form is None and function_named(rule) in ACTIVATIONS:
            yield Units(argument.name, made.id, bounded=exponentials_in(rule) > 0)


def is_healthy(many: Many, decimals: Mapping[str, int]) -> Which:
    """Whether all is finite, no unit is dead or saturated, no change of a parameter rounds away, of each variant."""
    found = is_finite(many)
    for units in units_of(many.program):
        found &= _in_range(many, units) & _alive(many, units)
    for new in many.program.updated.values():
        found &= is_seen(many, new, decimals[new])
    return found


def _in_range(many: Many, units: Units) -> Which:
    argument = many.values[units.argument]
    if units.rows:
        below = argument.max(axis=-1, keepdims=True) - argument
        return np.asarray(((below <= 2 * SATURATED - EDGE) | (below >= UNSEEN)).all(axis=(-2, -1)))
    most = SATURATED - EDGE if units.bounded else np.inf
    sizes = np.abs(argument)  # at 0, where functions jump and bend, the last digit of float64 would decide
    return np.asarray(((sizes >= EDGE) & (sizes <= most)).all(axis=(-2, -1)))


def _alive(many: Many, units: Units) -> Which:
    """Whether no unit gives the same for every sample; of a single one nothing says that it always would."""
    axis = -1 if many.program.turned else -2
    made = many.values[units.made]
    if made.shape[axis] == 1:
        return np.ones(many.count, dtype=bool)
    return np.asarray(((made.max(axis) - made.min(axis)) >= LEAST_SPREAD).all(axis=-1))


def is_seen(many: Many, updated: str, decimals: int) -> Which:
    """Whether every change of a parameter that there is moves its last digit, for each variant."""
    change = np.abs(many.values[updated] - many.values[str(many.program.assignments[updated].of)])
    seen = (change >= 10.0**-decimals * (1 - EDGE)) | (change < EDGE)
    stays = change.max() < EDGE  # in every variant: it is not updated at all
    return np.asarray(seen.all(axis=(-2, -1)) & ((change >= EDGE).any(axis=(-2, -1)) | stays))
