"""What a step of a program is good to ask about, read off what its formulas do; each topic is asked about once.

The texts stand in the catalogues under [topics]: a question, or something to predict before one computes, and on the
key what might be answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TypeAlias

from tracer.calculus.forms import function_named, mean_form, names_in, root_form, softmax_form
from tracer.calculus.row_functions import cross_entropy_of_logits, recognised
from tracer.expression import matrix as m
from tracer.expression import traversal
from tracer.program.program import Program, Step
from tracer.program.roles import Assignment

Test: TypeAlias = Callable[[m.Matrix, Program], bool]
"""Whether a part of a formula is of a topic."""

_PRODUCTS = ("mixture", "similarity", "gate")  # of which the way back is that of any product
_OF_PARAMETERS = ("weights", "kernel")  # whose way back is asked about where it comes to a parameter


def topics(program: Program) -> dict[str, str]:
    """The topics of a program's steps by their labels; a step has none where those before it ask about all it does."""
    asked: dict[str, str] = {}
    for step in program.steps:
        topic = next((each for each in _topics(step, program) if each not in asked.values()), None)
        if topic is not None:
            asked[step.label] = topic
    return asked


def _topics(step: Step, program: Program) -> Iterator[str]:
    """What a step may be asked about, the most telling first."""
    match step.phase:
        case "forward":
            parts = list(chain.from_iterable(map(_parts, step.assignments)))
            yield from (topic for topic, is_one in _TOPICS.items() if any(is_one(each, program) for each in parts))
            if any(each.role == "loss" for each in step.assignments):
                yield "loss"
        case "backward":
            yield from _of_backward(step, program)
        case "update":
            states = any(each.role == "state" for each in program.assignments.values())
            yield "states" if states else "update"


def _of_backward(step: Step, program: Program) -> Iterator[str]:
    """A gradient comes back through the formulas that take its matrix in."""
    taken_in = {each.of: _taking_in(each.of, program) for each in step.assignments if each.role == "gradient"}
    often = [formula for formulas in taken_in.values() if len(formulas) > 1 for formula in formulas]
    if any(_normalises(part, program) for made in often for part in _of_step(made, program)):
        yield "norm_back"
    if often:
        yield "shared_back"
    for topic, is_one in _TOPICS.items():
        parts = ((of, part) for of, formulas in taken_in.items() for made in formulas for part in _parts(made))
        through = {of for of, part in parts if of in names_in(part) and is_one(part, program)}
        if topic in _OF_PARAMETERS:
            if topic == "weights" and not through <= set(program.parameters):
                yield "transposed_back"
            through &= set(program.parameters)
        if through:
            yield "product_back" if topic in _PRODUCTS else f"{topic}_back"
    if any(made.role == "loss" for formulas in taken_in.values() for made in formulas):
        yield "loss_back"


def _taking_in(of: str | None, program: Program) -> list[Assignment]:
    """The forward formulas that a matrix goes into."""
    forward = (each for each in program.assignments.values() if each.role in ("intermediate", "loss"))
    return [each for each in forward if each.expression is not None and of in names_in(each.expression)]


def _parts(made: Assignment) -> Iterator[m.Matrix]:
    return iter(()) if made.expression is None else traversal.parts(made.expression)


def _of_step(made: Assignment, program: Program) -> Iterator[m.Matrix]:
    """The parts of all formulas of its step."""
    return chain.from_iterable(map(_parts, program.step_of(made.id).assignments))


def _is_softmax(part: m.Matrix, program: Program) -> bool:
    return softmax_form(part) is not None


def _is_cross_entropy(part: m.Matrix, program: Program) -> bool:
    found = recognised(part)
    return found is not None and found[0].make is cross_entropy_of_logits


def _normalises(part: m.Matrix, program: Program) -> bool:
    """The root of something that is or comes from a mean."""
    if root_form(part) is None:
        return False
    before = chain.from_iterable(_parts(program.assignments[name]) for name in names_in(part))
    return any(mean_form(each) is not None for each in chain(traversal.parts(part), before))


def _applies(*names: str) -> Test:
    """One of these functions, cell by cell."""
    return lambda part, program: function_named(part) in names


def _holds(operand: m.Matrix, program: Program, is_one: Test) -> bool:
    """Whether an operand is a matrix whose formula has such a part."""
    made = program.assignments[operand.name] if isinstance(operand, m.Symbol) else None
    return made is not None and any(is_one(part, program) for part in _parts(made))


def _gates(part: m.Matrix, program: Program) -> bool:
    """A product, cell by cell, with what a sigmoid has made."""
    if not (isinstance(part, m.Broadcast) and part.operator == "*"):
        return False
    return any(_holds(side, program, _applies("sigmoid")) for side in (part.left, part.right))


def _mixes(part: m.Matrix, program: Program) -> bool:
    """A product whose rows on the left are shares of 1."""
    return isinstance(part, m.MatMul) and _holds(part.left, program, _is_softmax)


def _compares(part: m.Matrix, program: Program) -> bool:
    """A product of rows with rows of several numbers, none of them parameters."""
    if not (isinstance(part, m.MatMul) and isinstance(part.right, m.Transpose) and part.left.shape[1] > 1):
        return False
    return not names_in(part) & set(program.parameters)


def _weighs(part: m.Matrix, program: Program) -> bool:
    """A product of what comes in with a matrix of parameters."""
    if not isinstance(part, m.MatMul):
        return False
    return bool(names_in(part.left) & set(program.parameters)) != bool(names_in(part.right) & set(program.parameters))


def _adds(part: m.Matrix, program: Program) -> bool:
    """A sum of two matrices of one shape, neither of them a parameter or a single number."""
    if not (isinstance(part, m.Broadcast) and part.operator == "+" and part.left.shape == part.right.shape):
        return False
    return part.shape != (1, 1) and not names_in(part) & set(program.parameters)


_TOPICS: dict[str, Test] = {
    "cross_entropy": _is_cross_entropy,
    "mixture": _mixes,
    "softmax": _is_softmax,
    "norm": _normalises,
    "pooling": lambda part, program: isinstance(part, m.Pool) and part.operation == "max",
    "kernel": lambda part, program: isinstance(part, m.Correlation),
    "similarity": _compares,
    "gate": _gates,
    "relu": _applies("relu"),
    "activation": _applies("sigmoid", "tanh"),
    "residual": _adds,
    "weights": _weighs,
}
"""By what a formula does, the most telling first."""
