"""The chapters of a program's book: the program, its steps forward and back, the chain rule, the update."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import escape

from tracer.derivation.cells import Cells
from tracer.derivation.functions import function_name, functions
from tracer.derivation.matrices import cell_by_cell, given, rule, worked
from tracer.derivation.paths import chains
from tracer.derivation.program_back import BackwardChapters
from tracer.derivation.typeset import BookSentence, Chapter, Content, Contents, Figure, Passage, formula, say, spoken
from tracer.expression.digits import as_typed
from tracer.presentation.block_svg import block_svg
from tracer.problem.optimizers import Optimizer
from tracer.problem.program_problem import ProgramProblem
from tracer.program.program import Step
from tracer.run.passes import Trace


def chapters(trace: Trace[ProgramProblem]) -> Iterator[Chapter]:
    """One pass of a program, from what is given to the new parameters."""
    cells = Cells(trace, trace.first)
    steps = cells.program.steps
    yield _given(trace.problem, cells)
    yield from (_forward(cells, trace.problem, step) for step in steps if step.phase == "forward")
    yield functions(cells)
    way_back = BackwardChapters(cells)
    yield from (way_back.chapter(step) for step in steps if step.phase == "backward")
    chain = chains(cells)
    if chain is not None:
        yield chain
    yield from (_update(cells, trace.problem, step) for step in steps if step.phase == "update")


def _given(problem: ProgramProblem, cells: Cells) -> Chapter:
    """The picture of the steps, and everything that is given."""
    program = cells.program
    passages = [Passage("picture", "", (say(_PICTURE), Figure(block_svg(program))))]
    if program.given:
        passages.append(
            Passage("data", program.given[0], (say("What is given:"), *(given(cells, each) for each in program.given)))
        )
    rate = formula((cells.rate(),), (f"<mo>=</mo><mn>{as_typed(problem.learning_rate)}</mn>",))
    if program.parameters:
        words = say("The parameters, which training changes, and the learning rate:")
        numbers = (given(cells, each) for each in program.parameters)
        passages.append(Passage("parameters", program.parameters[0], (words, *numbers, rate)))
    return Chapter("program", "The program", tuple(passages))


_PICTURE = (
    "Each box is a step forward. A solid arrow hands on what a step has made; the gradient comes back along the dashed "
    "ones."
)


def _forward(cells: Cells, problem: ProgramProblem, step: Step) -> Chapter:
    passages = []
    for number, made in enumerate(step.assignments):
        opening = " ".join(filter(None, (step.words, step.why))) if number == 0 else ""
        passages.append(Passage("forward", made.id, tuple(_made(cells, problem, made.id, opening))))
    return Chapter(f"forward-{step.number}", f"Step {step.number} forward: {step.title}", tuple(passages))


def _made(cells: Cells, problem: ProgramProblem, identifier: str, opening: str) -> Contents:
    """One matrix of a forward step."""
    if opening:
        yield BookSentence(escape(opening))
    name = function_name(cells, identifier)
    part = ", a part of the formula" if identifier in problem.forward.parts else ""
    loss = ", the loss" if identifier == cells.program.loss else ""
    by = "; the function is {name}:" if name else ":"
    if part or loss or name:
        yield say(f"{{matrix}}{part}{loss}{by}", matrix=cells.matrix(identifier), name=spoken(name))
    yield rule(cells, identifier)
    yield from worked(cells, identifier)


def _update(cells: Cells, problem: ProgramProblem, step: Step) -> Chapter:
    """The optimizer's states, then the new value of every parameter."""
    states = [
        each.id for each in cells.program.assignments.values() if each.role == "state" and each.expression is None
    ]
    passages = []
    plain = problem.optimizer == Optimizer()
    words = say(_STEP, rate=cells.rate()) if plain else say(problem.optimizer.in_words())
    before: list[Content] = [given(cells, each) for each in states]
    passages.append(Passage("rule", "", (words, *(say("Before this pass:") for _ in before[:1]), *before)))
    for made in step.assignments:
        kind = "update" if made.id in cells.program.updated.values() else "state"
        passages.append(Passage(kind, made.id, tuple(_new(cells, made.id))))
    return Chapter("update", "The update", tuple(passages))


_STEP = "The loss increases along the gradient, so each parameter takes a step against it, {rate} times as long:"


def _new(cells: Cells, identifier: str) -> Contents:
    yield rule(cells, identifier)
    alone = cells.program.assignments[identifier].shape == (1, 1) or not cells.varies(identifier)
    if alone:
        yield from worked(cells, identifier)
    else:
        yield cell_by_cell(cells, identifier)
