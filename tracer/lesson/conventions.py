"""Conventions that are rewrites of a whole program: here the layout, a sample in each column."""

from __future__ import annotations

from dataclasses import replace

from tracer.expression.transposed import transposed
from tracer.program.program import Program, Step
from tracer.program.roles import Assignment


def samples_as_columns(program: Program) -> Program:
    """The same program with every matrix turned over its diagonal: X features × samples, Z = W·X + b."""
    return replace(program, steps=tuple(map(_turned_step, program.steps)), turned=True)


def _turned_step(step: Step) -> Step:
    return replace(step, assignments=tuple(map(_turned, step.assignments)))


def _turned(each: Assignment) -> Assignment:
    rows, columns = each.shape
    if each.expression is None:
        return replace(each, shape=(columns, rows))
    made = transposed(each.expression)
    assert made is not None  # no rule of the eleven steps places cells anew
    return replace(each, shape=(columns, rows), expression=made)
