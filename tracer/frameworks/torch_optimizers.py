"""Optimizers of `torch.optim` as the section `[optimizer]`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks.graph import Graph
from tracer.problem.problem import Problem
from tracer.program import naming_policy as named
from tracer.run.passes import AnyProblem

_STATES = {
    "sgd": {"momentum_buffer": "velocity"},
    "adagrad": {"sum": "squares"},
    "rmsprop": {"square_avg": "squares", "grad_avg": "mean", "momentum_buffer": "velocity"},
    "adam": {"exp_avg": "mean", "exp_avg_sq": "squares"},
    "adamw": {"exp_avg": "mean", "exp_avg_sq": "squares"},
}
"""What torch.optim keeps of a parameter, and what that is called here."""


def optimizer_table(optimizer: Any, file: str) -> tuple[float, dict[str, Any]]:
    """The learning rate and the `[optimizer]` of an optimizer of `torch.optim`. Raises ProblemError."""
    name = type(optimizer).__name__.lower()
    if name == "adam" and all(group.get("decoupled_weight_decay") for group in optimizer.param_groups):
        name = "adamw"
    keys = {
        "sgd": ("momentum", "dampening", "nesterov", "weight_decay"),
        "adagrad": ("lr_decay", "initial_accumulator_value", "eps", "weight_decay"),
        "rmsprop": ("alpha", "eps", "momentum", "centered", "weight_decay"),
        "adam": ("betas", "eps", "weight_decay"),
        "adamw": ("betas", "eps", "weight_decay"),
    }  # fmt: skip
    if name not in keys:
        says = f"found {type(optimizer).__name__}, expected SGD, Adagrad, RMSprop, Adam or AdamW of torch.optim"
        raise ProblemError(file, "optimizer", says)
    groups = [{key: group.get(key) for key in ("lr", *keys[name])} for group in optimizer.param_groups]
    if any(group != groups[0] for group in groups):
        raise ProblemError(
            file, "optimizer", "found groups of parameters with different settings, expected one for all"
        )
    for flag in ("amsgrad", "maximize"):
        if any(group.get(flag) for group in optimizer.param_groups):
            raise ProblemError(file, "optimizer", f"found {flag}=True, which is not known; leave it off")
    rate = float(groups[0].pop("lr"))
    table: dict[str, Any] = {"name": name}
    for key, value in groups[0].items():
        table[key] = list(map(float, value)) if key == "betas" else value if isinstance(value, bool) else float(value)
    return rate, table


def states_of(optimizer: Any, model: Any, problem: AnyProblem) -> dict[str, Any]:
    """What an optimizer that has stepped already keeps, by the names of a problem's states; nothing before that."""
    kinds = _STATES[problem.optimizer.name]
    shapes = problem.optimizer.start({name: each for name, each in _parameters(problem).items()})
    found: dict[str, Any] = {}
    for key, parameter in getattr(model, "named_parameters", dict)():
        kept = optimizer.state.get(parameter, {})
        before = 1.0 if kept.get("momentum_buffer") is not None else 0.0  # SGD does not count, but for the first
        step = float(kept.get("step", before))
        if step and problem.optimizer.counts:
            found[named.PASSES] = step
        for theirs, ours in kinds.items():
            value = kept.get(theirs)
            if value is None or ("step" in kept and not step) or key not in problem.origin:
                continue
            shown = value[tuple(map(slice, problem.origin[key].shape))]  # of an excerpt the first units
            flat = shown.detach().cpu().double().numpy().ravel()
            for matrix, of_tensor, of_matrix in problem.origin[key].parts:
                name = named.state(matrix, ours)
                if name in shapes:
                    array = found.setdefault(name, np.zeros(shapes[name].shape))
                    array.ravel()[of_matrix] = flat[of_tensor]
    return {name: each.tolist() if hasattr(each, "tolist") else each for name, each in found.items()}


def hold_others(optimizer: Any, model: Any, graph: Graph) -> None:
    """Keep what an optimizer was not given as it is: its gradient is there, and no step changes it."""
    own = {id(each) for group in optimizer.param_groups for each in group["params"]}
    held = []
    for key, parameter in getattr(model, "named_parameters", dict)():
        start = graph.starts.get(key)
        if start is not None and start.kind == "parameter" and id(parameter) not in own:
            graph.starts[key] = replace(start, kind="given")
            held.append(key)
    if held:
        graph.with_respect_to += held
        graph.remarks.append(f"The optimizer was not given {', '.join(held)}: no step changes that.")


def _parameters(problem: AnyProblem) -> dict[str, Any]:
    if isinstance(problem, Problem):
        return {name: problem.starting[name] for name in problem.trained}
    return dict(problem.initial)
