"""The program of a problem: the rules of the eleven steps written over its matrices, in order of time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tracer.expression import matrix as m
from tracer.lesson.network_symbols import Blackboard
from tracer.lesson.steps import TABLE, Row, in_time, loss_of_outputs
from tracer.problem.problem import Problem
from tracer.program.program import Assignment, Program, Step


def build(problem: Problem, rows: int | None = None) -> Program:
    """The program of one pass over `rows` samples (default: one batch); built once for each problem."""
    wanted = rows or problem.batch_size
    if wanted not in problem.built:
        problem.built[wanted] = _build(problem, wanted)
    program: Program = problem.built[wanted]
    return program


def by_hand(problem: Problem, program: Program) -> Program:
    """The steps as one works them by hand, to judge and to show by: a fused loss is made from the outputs too."""
    net = Blackboard(problem, program.rows)
    if not net.fused:
        return program
    told = _assignment(net, "L", loss_of_outputs(net))
    steps = ((step, [told if each.id == "L" else each for each in step.assignments]) for step in program.steps)
    return Program(tuple(replace(step, assignments=tuple(made)) for step, made in steps), program.rows)


def _build(problem: Problem, rows: int) -> Program:
    net = Blackboard(problem, rows)
    order = list(in_time(net.depth, problem.reproduce.updated_weights_sent_back))
    times = Counter(number for number, _ in order)
    steps = [_step(net, TABLE[n], layer, f"{n}.{layer}" if times[n] > 1 else str(n)) for n, layer in order]
    return Program(tuple(step for step in steps if step.assignments), net.rows)


def _step(net: Blackboard, row: Row, layer: int | None, label: str) -> Step:
    made: list[tuple[str, m.Matrix | None]] = []
    if row.once is not None:
        made.extend(row.once(net))
    elif row.each is not None:
        for each in (layer,) if layer is not None else range(net.depth, 0, -1):
            made.extend(row.each(net, each))
    assignments = tuple(_assignment(net, *pair) for pair in made)
    return Step(row.number, layer, label, row.title, row.words, row.why, assignments)


def _assignment(net: Blackboard, identifier: str, made: m.Matrix | None) -> Assignment:
    if made is None:
        return Assignment(identifier, _given_shape(net, identifier), None)
    stays = isinstance(made, m.Symbol) and identifier.endswith("_next")  # a bias that is not updated
    if net.problem.carry_rounded and not stays:
        made = m.Rounded(made, net.problem.decimals.of(identifier))
    return Assignment(identifier, made.shape, made)


def _given_shape(net: Blackboard, identifier: str) -> m.Shape:
    if identifier in ("X", "Y"):
        return (net.X if identifier == "X" else net.Y).shape
    layer = int(identifier[1:])
    parameter = net.W(layer) if identifier[0] == "W" else net.b(layer)
    assert parameter is not None
    return parameter.shape
