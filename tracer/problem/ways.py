"""The ways of being right that a problem does not have: what they are called, and what they make of the problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from tracer.problem.convention import FUSED
from tracer.problem.optimizers import Optimizer
from tracer.problem.problem import Problem
from tracer.problem.program_problem import ProgramProblem
from tracer.program.roles import NEW_WEIGHTS, WEIGHTS, WEIGHTS_GRADIENT, Quantity

_LOSSES = {
    "half_squared_error": "½ of the squared error",
    "squared_error": "the squared error without ½",
    "mean_squared_error": "the mean of the squared errors over the outputs",
}
ProblemChange = Callable[[Problem], Problem]


@dataclass(frozen=True)
class Choice:
    """One way of a convention that a problem does not have, in words, and what it makes of the problem."""

    of: str
    words: str
    change: ProblemChange


@dataclass(frozen=True)
class LayoutWay:
    """Matrices written with rows and columns exchanged."""

    words: str
    turns: Callable[[Quantity], bool]


LAYOUTS = (
    LayoutWay("samples as columns", lambda what: True),
    LayoutWay("samples as rows", lambda what: True),
    LayoutWay("gradients transposed", lambda what: what == WEIGHTS_GRADIENT),
    LayoutWay("weights transposed", lambda what: what in (WEIGHTS, NEW_WEIGHTS)),
)


def layouts(problem: Problem | ProgramProblem) -> Iterator[LayoutWay]:
    """Those that a problem does not have; a program is written as its author has it."""
    if not isinstance(problem, Problem):
        return iter(())
    own = "samples as columns" if problem.convention.turned else "samples as rows"
    return (each for each in LAYOUTS if each.words != own)


def choices(problem: Problem | ProgramProblem) -> Iterator[Choice]:
    """The ways of each convention that a problem does not have; a program has no conventions."""
    if not isinstance(problem, Problem):
        return
    convention = problem.convention
    for name, ways in _WAYS.items():
        if name == "learning_rate_in" and problem.optimizer != Optimizer():
            continue  # an optimizer applies the rate itself
        for value, words in ways.items():
            if value != getattr(convention, name):
                yield Choice(name, words, _with_convention(**{name: value}))
    for (reduction, within), words in _REDUCTIONS.items():
        if words != _REDUCTIONS.get((convention.reduction, convention.reduction_in), _REDUCTIONS["sum", "error"]):
            yield Choice("reduction", words, _with_convention(reduction=reduction, reduction_in=within))
    if (problem.layers[-1].activation, problem.loss) in FUSED:
        other = "jacobian" if convention.softmax_slope == "fused" else "fused"
        yield Choice("softmax_slope", _SLOPES[other], _with_convention(softmax_slope=other))
    shown = "mean" if problem.loss_shown == "sum" else "sum"
    yield Choice("loss_shown", f"the loss as a {shown}", lambda each: replace(each, loss_shown=shown))  # type: ignore[arg-type]
    if problem.loss in _LOSSES:
        for loss, words in _LOSSES.items():
            if loss != problem.loss:
                yield Choice("loss", words, lambda each, other=loss: replace(each, loss=other))  # type: ignore[misc]


_WAYS: Mapping[str, Mapping[object, str]] = {
    "error": {"output - target": "output − target", "target - output": "target − output"},
    "learning_rate_in": {
        "update": "the learning rate in the update",
        "delta": "the learning rate inside delta",
        "change": "dW and db as the changes that are added",
    },
    "bias_update": {True: "biases are updated", False: "biases are not updated"},
    "relu_slope_at_zero": {0: "the slope of ReLU at 0 is 0", 1: "the slope of ReLU at 0 is 1"},
}
_REDUCTIONS = {
    ("sum", "error"): "summed over the samples",
    ("mean", "error"): "averaged over the samples",
    ("mean", "gradient"): "averaged over the samples in dW and db alone",
}
_SLOPES = {"fused": "E taken together with the output activation", "jacobian": "E and the output's slope apart"}


def _with_convention(**ways: object) -> ProblemChange:
    return lambda problem: replace(problem, convention=problem.convention.model_copy(update=ways))


def together(problem: Problem | ProgramProblem) -> Iterator[tuple[Choice, ...]]:
    """Every way to choose sign, rate and mean otherwise than a problem does, alone and together."""
    kinds: dict[str, list[tuple[Choice, ...]]] = {name: [()] for name in ("error", "learning_rate_in", "reduction")}
    for each in choices(problem):
        if each.of in kinds:
            kinds[each.of].append((each,))
    for chosen in product(*kinds.values()):
        several = tuple(each for part in chosen for each in part)
        if several:
            yield several
