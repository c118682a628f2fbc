"""The step that a network of scikit-learn would make next: its solver, and what that keeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.program import naming_policy as named
from tracer.run.passes import AnyProblem

EPSILON = (
    "scikit-learn's Adam adds epsilon before it corrects the root; epsilon is put so that the next step is the one "
    "that it makes."
)


def rate_of(own: Any) -> float:
    """The learning rate of the next step: what a schedule has made of the first one."""
    kept = getattr(own, "_optimizer", None)
    if own.solver == "sgd" and kept is not None:
        return float(kept.learning_rate)
    return float(own.learning_rate_init)


def solver_table(own: Any) -> tuple[dict[str, Any], str]:
    """The `[optimizer]` of a solver, nothing where it is no gradient descent; and what the reader is to know."""
    match own.solver:
        case "adam":
            squares = 1 - float(own.beta_2) ** (_steps(own) + 1)
            betas, eps = [float(own.beta_1), float(own.beta_2)], float(own.epsilon) / float(np.sqrt(squares))
            return {"name": "adam", "betas": betas, "eps": eps}, EPSILON
        case "sgd":
            momentum = float(own.momentum)
            nesterov = bool(own.nesterovs_momentum) and momentum > 0
            return {"name": "sgd", "momentum": momentum, "nesterov": nesterov}, ""
    return {}, f"The solver {own.solver} is no gradient descent; here one step of it is taken."


def _steps(own: Any) -> int:
    return int(getattr(getattr(own, "_optimizer", None), "t", 0) or 0)


def states_of_solver(own: Any, problem: AnyProblem) -> dict[str, Any]:
    """What a solver keeps of the steps that it has made, by the names of a problem's states."""
    kept = getattr(own, "_optimizer", None)
    if kept is None or not problem.optimizer.names:
        return {}
    lists = {"mean": getattr(kept, "ms", None), "squares": getattr(kept, "vs", None),
             "velocity": [-each / kept.learning_rate for each in getattr(kept, "velocities", ())]}  # fmt: skip
    numbers: Any = getattr(problem, "starting", None) or getattr(problem, "initial", {})
    found: dict[str, Any] = {named.PASSES: float(_steps(own))} if problem.optimizer.counts and _steps(own) else {}
    names = [f"{kind}_{k}" for kind in ("coefs", "intercepts") for k in range(len(own.coefs_))]
    for number, name in enumerate(names):
        for kind in problem.optimizer.names:
            flat = np.ravel(lists[kind][number])  # type: ignore[index]
            for matrix, of_tensor, of_matrix in problem.origin[name].parts:
                array = found.setdefault(named.state(matrix, kind), np.zeros(np.shape(numbers[matrix])))
                array.ravel()[of_matrix] = flat[of_tensor]
    return {name: each.tolist() if hasattr(each, "tolist") else each for name, each in found.items()}
