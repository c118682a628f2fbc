"""The program of a problem: the rules of the eleven steps written over its matrices, in order of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.expression.transposed import transposed
from tracer.lesson.conventions import samples_as_columns
from tracer.lesson.forward import loss_of_outputs
from tracer.lesson.network_symbols import NetworkSymbols
from tracer.lesson.steps import TABLE, MadeInStep, NetworkPass, StepRow, added_why, in_time
from tracer.problem.losses import RULES
from tracer.problem.problem import Problem
from tracer.problem.program_problem import ProgramProblem
from tracer.program.program import Program, Step
from tracer.program.roles import Assignment


def build(problem: Problem | ProgramProblem, rows: int | None = None) -> Program:
    """The program of one pass over `rows` samples (default: one batch); built once for each problem."""
    if isinstance(problem, ProgramProblem):
        return problem.program
    wanted = rows or problem.batch_size
    if wanted not in problem.built:
        made = _build(problem, wanted)
        problem.built[wanted] = samples_as_columns(made) if problem.convention.turned else made
    program: Program = problem.built[wanted]
    return program


def by_hand(problem: Problem, program: Program) -> Program:
    """The steps as one works them by hand, to judge and to show by: a fused loss is made from the outputs too."""
    net = NetworkSymbols(problem, program.rows)
    if not net.fused or problem.loss in RULES:
        return program
    told = _rounded(net, replace(program.assignments[program.loss], expression=_as_laid_out(net, loss_of_outputs(net))))
    steps = ((step, [told if each.id == told.id else each for each in step.assignments]) for step in program.steps)
    return Program(tuple(replace(step, assignments=tuple(made)) for step, made in steps), program.rows, program.turned)


def _as_laid_out(net: NetworkSymbols, made: m.Matrix) -> m.Matrix:
    turned = transposed(made) if net.problem.convention.turned else made
    assert turned is not None  # no rule of the eleven steps places cells anew
    return turned


def _build(problem: Problem, rows: int) -> Program:
    net = NetworkSymbols(problem, rows)
    one = NetworkPass(net)
    order = list(in_time(net.depth, problem.reproduce.updated_weights_sent_back))
    times = Counter(number for number, _ in order)
    reproduced: set[str] = set()
    steps = []
    for number, layer in order:
        row, label = TABLE[number], f"{number}.{layer}" if times[number] > 1 else str(number)
        assignments = tuple(_inherited(each, reproduced) for each in _made(one, row, layer))
        if assignments:
            steps.append(
                Step(number, layer, label, row.title, row.words, row.why + added_why(net, number), assignments)
            )
    return Program(tuple(steps), net.rows)


def _made(one: NetworkPass, row: StepRow, layer: int | None) -> MadeInStep:
    """What a step assigns, of one layer or of all that have it."""
    if row.once is not None:
        made: Iterable[Assignment] = row.once(one)
    else:
        layers = (layer,) if layer is not None else range(one.net.depth, 0, -1)
        made = (each for n in layers if row.each is not None for each in row.each(one, n))
    return (_rounded(one.net, each) for each in made)


def _inherited(assignment: Assignment, reproduced: set[str]) -> Assignment:
    """What is made from something that is not the gradient is no gradient either; `reproduced` collects them."""
    if assignment.expression is None:
        return assignment
    if assignment.reproduced or not reproduced.isdisjoint(
        each.name for each in traversal.symbols(assignment.expression)
    ):
        reproduced.add(assignment.id)
        return replace(assignment, reproduced=True)
    return assignment


def _rounded(net: NetworkSymbols, assignment: Assignment) -> Assignment:
    """The assignment as by hand, rounded before it is used, where the problem asks for that."""
    made = assignment.expression
    stays = isinstance(made, m.Symbol) and assignment.role == "updated"  # a bias that is not updated
    if made is None or stays or not net.problem.carry_rounded:
        return assignment
    return replace(assignment, expression=m.Rounded(made, net.problem.decimals.of(assignment.id)))
