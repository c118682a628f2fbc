"""Which sample, and which cell of a matrix, is worked where one is: the first from which one can learn the rule.

Where all that comes in is 0, or a unit is silent, a worked line shows zeros and hides what is added up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import TypeAlias

import numpy as np

from tracer.expression import scalar as s
from tracer.expression.evaluate import evaluate_cell
from tracer.expression.lower import lower
from tracer.program import roles
from tracer.program.program import Program
from tracer.run.passes import Pass

CellValue: TypeAlias = Callable[[s.Cell], float]
ENOUGH = 2  # terms of a sum that are not 0: then it can be seen that they add up
LOOKED_AT = 8  # rows and columns, from the first on: as many as every table shows


def of_samples(program: Program, identifier: str) -> bool:
    """Whether every row of a matrix (every column, where it is turned) is a sample; of a program nobody knows."""
    if not program.by_layers:
        return False
    what = program.quantity(identifier)
    alone = what in (roles.JACOBIAN, roles.LOSS, roles.LEARNING_RATE) or identifier in program.of_optimizer
    return not alone and what.kind not in ("weights", "bias")


def example_sample(one: Pass) -> int:
    """The first sample with two inputs that are not 0, or else with the most; counted from 0."""
    inputs = one[one.program.layer(1).inputs]
    inputs = (inputs.T if one.program.turned else inputs)[:LOOKED_AT]
    return int(np.count_nonzero(inputs, axis=1).clip(max=ENOUGH).argmax())


def example_cell(one: Pass, identifier: str) -> s.Cell:
    """The first cell, of the example's sample if it can be, that is not 0 and whose sum has two such terms."""
    expression = one.program.assignments[identifier].expression
    assert expression is not None  # only what is computed is worked
    best, most = s.Cell(identifier, 0, 0), -1
    for cell in _candidates(one, identifier):
        made = lower(expression, cell.row, cell.column)
        taught = _taught(one, cell, made)
        if taught > most:
            best, most = cell, taught
        if most == 1 + _most_terms(made):
            break
    return best


def _candidates(one: Pass, identifier: str) -> Iterator[s.Cell]:
    rows, columns = (range(min(size, LOOKED_AT)) for size in one.program.assignments[identifier].shape)
    sample = example_sample(one) if of_samples(one.program, identifier) else 0
    if one.program.turned:
        order = sorted(columns, key=lambda column: column != sample)
        return (s.Cell(identifier, row, column) for column, row in product(order, rows))
    order = sorted(rows, key=lambda row: row != sample)
    return (s.Cell(identifier, row, column) for row, column in product(order, columns))


def _taught(one: Pass, cell: s.Cell, made: s.Scalar) -> int:
    """0 of a cell that is 0; else one more than the terms of its sums that are not, up to ENOUGH."""
    if one[cell.matrix][cell.row, cell.column] == 0:
        return 0
    return 1 + _terms(made, lambda each: float(one[each.matrix][each.row, each.column]))


def _most_terms(expression: s.Scalar) -> int:
    """How many terms its largest sum has, ENOUGH at most: more than these no cell can teach."""
    return _terms(expression, lambda each: 1.0, lambda term, value: True)


def _is_not_zero(term: s.Scalar, value: CellValue) -> bool:
    return evaluate_cell(term, value) != 0


def _terms(expression: s.Scalar, value: CellValue, counts: Callable[[s.Scalar, CellValue], bool] = _is_not_zero) -> int:
    """How many terms of its largest sum count, which are those that are not 0; at most ENOUGH.

    A sum in a sum is not one term: its own are added up with the others.
    """
    if not isinstance(expression, s.Fold | s.Sum):
        return max((_terms(each, value, counts) for each in s.children(expression)), default=0)
    found = 0
    for term in expression.terms() if isinstance(expression, s.Fold) else expression.terms:
        found += _terms(term, value, counts) if isinstance(term, s.Fold | s.Sum) else counts(term, value)
        if found >= ENOUGH:
            return ENOUGH
    return found
