"""What a step of a program is good to ask about, read off what its formulas do; each topic is asked about once.

The texts stand in the catalogues under [topics]: a question, or something to predict before one computes, and on the
key what might be answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from tracer.calculus.functions import FUNCTIONS
from tracer.calculus.row_functions import cross_entropy_of_logits, recognised, softmax
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.program.program import Program, Step
from tracer.program.roles import Assignment

BACK = "_back"  # behind a topic where the way back through its step is asked about
_PRODUCTS = ("mixture", "similarity", "gate")  # of which the way back is that of any product
_FORWARD = ("intermediate", "loss")


def topic_of(step: Step, program: Program) -> str | None:
    """The topic of a program's step, or none where the steps before it have asked about all that it does."""
    asked: set[str] = set()
    for each in program.steps:
        topic = next((one for one in _topics(each, program) if one not in asked), None)
        if each is step:
            return topic
        asked |= set() if topic is None else {topic}
    return None


def _topics(step: Step, program: Program) -> Iterator[str]:
    """What a step may be asked about, the most telling first."""
    match step.phase:
        case "forward":
            yield from _of_forward(step, program)
        case "backward":
            if _gathers(step, program):
                yield "shared" + BACK
            there = _of_forward(_forward(step, program), program)
            yield from (("product" if topic in _PRODUCTS else topic) + BACK for topic in there)
        case "update":
            states = any(each.role == "state" for each in program.assignments.values())
            yield "states" if states else "update"


def _forward(step: Step, program: Program) -> Step:
    return next(each for each in program.steps if each.number == step.number and each.phase == "forward")


def _gathers(step: Step, program: Program) -> bool:
    """Whether a gradient of this step is of a matrix that more than one formula takes in."""
    used = [set(_names(each.expression)) for each in program.assignments.values()
            if each.expression is not None and each.role in _FORWARD]  # fmt: skip
    gradients = (each.of for each in step.assignments if each.role == "gradient")
    return any(sum(of in names for names in used) > 1 for of in gradients)


def _names(expression: m.Matrix) -> Iterator[str]:
    return (symbol.name for symbol in traversal.symbols(expression))


def _of_forward(step: Step, program: Program) -> Iterator[str]:
    made = [each for each in step.assignments if each.expression is not None]
    for topic, does in _TOPICS.items():
        if any(does(each, program) for each in made):
            yield topic


def _any(test: Callable[[m.Matrix], bool]) -> Callable[[Assignment, Program], bool]:
    """Whether any part of a formula is as a test has it."""
    return lambda made, program: made.expression is not None and any(map(test, traversal.parts(made.expression)))


def _row_function(make: Callable[..., m.Matrix]) -> Callable[[m.Matrix], bool]:
    def is_made(part: m.Matrix) -> bool:
        found = recognised(part)
        return found is not None and found[0].make is make

    return is_made


def _normalises(made: Assignment, program: Program) -> bool:
    """The root of something that is or comes from a mean."""
    return any(
        isinstance(part, m.Apply) and isinstance(part.template, s.Function) and part.template.name == "sqrt"
        and any(map(_is_mean, _resolved(part, program)))
        for part in _parts(made)
    )  # fmt: skip


def _is_mean(part: m.Matrix) -> bool:
    match part:
        case m.Broadcast("/", m.Reduce("sum"), m.Constant()):
            return True
        case _:
            return False


def _resolved(part: m.Matrix, program: Program) -> Iterator[m.Matrix]:
    """The parts of a formula and of the formulas of the matrices in it."""
    yield from traversal.parts(part)
    yield from chain.from_iterable(_parts(program.assignments[name]) for name in _names(part))


def _parts(made: Assignment) -> Iterator[m.Matrix]:
    return iter(()) if made.expression is None else traversal.parts(made.expression)


def _made_by(operand: m.Matrix, program: Program, does: Callable[[Assignment, Program], bool]) -> bool:
    return isinstance(operand, m.Symbol) and does(program.assignments[operand.name], program)


def _gates(made: Assignment, program: Program) -> bool:
    """A product, cell by cell, with what a sigmoid has made."""
    return any(
        isinstance(part, m.Broadcast) and part.operator == "*"
        and any(_made_by(side, program, _applies("sigmoid")) for side in (part.left, part.right))
        for part in _parts(made)
    )  # fmt: skip


def _applies(*names: str) -> Callable[[Assignment, Program], bool]:
    """Whether one of these functions is taken of a matrix, cell by cell."""
    values = [FUNCTIONS[name].value for name in names]
    return _any(lambda part: isinstance(part, m.Apply) and part.template in values)


def _products(made: Assignment) -> Iterator[m.MatMul]:
    return (part for part in _parts(made) if isinstance(part, m.MatMul))


def _mixes(made: Assignment, program: Program) -> bool:
    """A product whose rows on the left are shares of 1."""
    by_softmax = _any(_row_function(softmax))
    return any(_made_by(each.left, program, by_softmax) for each in _products(made))


def _compares(made: Assignment, program: Program) -> bool:
    """A product of rows with rows, neither of them parameters."""
    return any(
        isinstance(each.right, m.Transpose) and not set(_names(each)) & set(program.parameters)
        for each in _products(made)
    )  # fmt: skip


def _weighs(made: Assignment, program: Program) -> bool:
    """A product with a matrix of parameters."""
    return any(set(_names(each)) & set(program.parameters) for each in _products(made))


def _adds(made: Assignment, program: Program) -> bool:
    """A sum of two matrices of one shape, neither of them a parameter."""
    return any(
        isinstance(part, m.Broadcast) and part.operator == "+" and part.left.shape == part.right.shape
        and not set(_names(part)) & set(program.parameters)
        for part in _parts(made)
    )  # fmt: skip


_TOPICS: dict[str, Callable[[Assignment, Program], bool]] = {
    "cross_entropy": _any(_row_function(cross_entropy_of_logits)),
    "mixture": _mixes,
    "softmax": _any(_row_function(softmax)),
    "norm": _normalises,
    "pooling": _any(lambda part: isinstance(part, m.Pool) and part.operation == "max"),
    "kernel": _any(lambda part: isinstance(part, m.Correlation)),
    "similarity": _compares,
    "gate": _gates,
    "relu": _applies("relu"),
    "activation": _applies("sigmoid", "tanh"),
    "residual": _adds,
    "weights": _weighs,
    "loss": lambda made, program: made.role == "loss",
}
"""By what a formula does, the most telling first."""
