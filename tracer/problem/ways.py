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

WAYS: Mapping[str, str] = {
    "half_squared_error": "½ of the squared error",
    "squared_error": "the squared error without ½",
    "mean_squared_error": "the mean of the squared errors over the outputs",
    "samples_as_columns": "samples as columns",
    "samples_as_rows": "samples as rows",
    "gradients_transposed": "gradients transposed",
    "weights_transposed": "weights transposed",
    "loss_as_sum": "the loss as a sum",
    "loss_as_mean": "the loss as a mean",
    "output_minus_target": "output − target",
    "target_minus_output": "target − output",
    "rate_in_update": "the learning rate in the update",
    "rate_in_delta": "the learning rate inside delta",
    "rate_in_change": "dW and db as the changes that are added",
    "biases_updated": "biases are updated",
    "biases_stay": "biases are not updated",
    "relu_slope_0": "the slope of ReLU at 0 is 0",
    "relu_slope_1": "the slope of ReLU at 0 is 1",
    "summed": "summed over the samples",
    "averaged": "averaged over the samples",
    "averaged_in_gradient": "averaged over the samples in dW and db alone",
    "fused": "E taken together with the output activation",
    "jacobian": "E and the output's slope apart",
}
"""What each way is called in English; the catalogues of languages have the same keys."""

_LOSSES = ("half_squared_error", "squared_error", "mean_squared_error")
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
    LayoutWay(WAYS["samples_as_columns"], lambda what: True),
    LayoutWay(WAYS["samples_as_rows"], lambda what: True),
    LayoutWay(WAYS["gradients_transposed"], lambda what: what == WEIGHTS_GRADIENT),
    LayoutWay(WAYS["weights_transposed"], lambda what: what in (WEIGHTS, NEW_WEIGHTS)),
)


def layouts(problem: Problem | ProgramProblem) -> Iterator[LayoutWay]:
    """Those that a problem does not have; a program is written as its author has it."""
    if not isinstance(problem, Problem):
        return iter(())
    own = WAYS["samples_as_columns" if problem.convention.turned else "samples_as_rows"]
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
                yield Choice(name, WAYS[words], _with_convention(**{name: value}))
    for (reduction, within), words in _REDUCTIONS.items():
        if words != _REDUCTIONS.get((convention.reduction, convention.reduction_in), _REDUCTIONS["sum", "error"]):
            yield Choice("reduction", WAYS[words], _with_convention(reduction=reduction, reduction_in=within))
    if (problem.layers[-1].activation, problem.loss) in FUSED:
        other = "jacobian" if convention.softmax_slope == "fused" else "fused"
        yield Choice("softmax_slope", WAYS[other], _with_convention(softmax_slope=other))
    shown = "mean" if problem.loss_shown == "sum" else "sum"
    yield Choice("loss_shown", WAYS[f"loss_as_{shown}"], lambda each: replace(each, loss_shown=shown))  # type: ignore[arg-type]
    if problem.loss in _LOSSES:
        for loss in _LOSSES:
            if loss != problem.loss:
                yield Choice("loss", WAYS[loss], lambda each, other=loss: replace(each, loss=other))  # type: ignore[misc]


_WAYS: Mapping[str, Mapping[object, str]] = {
    "error": {"output - target": "output_minus_target", "target - output": "target_minus_output"},
    "learning_rate_in": {"update": "rate_in_update", "delta": "rate_in_delta", "change": "rate_in_change"},
    "bias_update": {True: "biases_updated", False: "biases_stay"},
    "relu_slope_at_zero": {0: "relu_slope_0", 1: "relu_slope_1"},
}  # as keys of WAYS
_REDUCTIONS = {("sum", "error"): "summed", ("mean", "error"): "averaged", ("mean", "gradient"): "averaged_in_gradient"}


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
