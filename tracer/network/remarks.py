"""What every surface says in words of a problem: its conventions, and where it departs from the gradient."""

from __future__ import annotations

import re

from tracer.network.problem import Problem


def departures(problem: Problem) -> list[str]:
    """What `[reproduce]` does that is not the gradient of the loss, a sentence each."""
    reproduce, says = problem.reproduce, []
    if reproduce.softmax_slope == "diagonal":
        says.append("step 6 keeps only the diagonal of the softmax Jacobian")
    if reproduce.rate_twice:
        says.append("the learning rate is applied in step 7 and again in steps 10 and 11")
    if reproduce.updated_weights_sent_back and problem.depth > 1:
        says.append("step 8 sends the error back through weights that are already updated")
    return [f"Not the gradient of this loss: {each}, as a publication did." for each in says]


def is_gradient(problem: Problem, identifier: str) -> bool:
    """Whether a backward matrix is the derivative that its name says, given `[reproduce]`."""
    found = re.fullmatch(r"(S|D|E|dW|db)(\d+)", identifier)
    if found is None:
        return True
    kind, layer = found[1], int(found[2])
    if problem.reproduce.softmax_slope == "diagonal" and (kind != "S" or layer == problem.depth):
        return False
    return kind == "S" or layer == problem.depth or not problem.reproduce.updated_weights_sent_back


def conventions(problem: Problem) -> list[str]:
    """The conventions in words, a sentence each."""
    chosen = problem.convention
    plus = chosen.sign > 0
    says = [
        "The error is output − target, so E, D, dW and db are gradients and the update takes them off."
        if plus
        else "The error is target − output, so E, D, dW and db are minus the gradients and are added.",
        "Gradients are summed over the samples."
        if chosen.reduction == "sum"
        else "Gradients are averaged over the samples: the factor 1/N is part of E.",
        "The learning rate comes in at the update."
        if chosen.learning_rate_in == "update"
        else "The learning rate is part of delta; the update does not apply it again.",
    ]
    if not chosen.bias_update:
        says.append("Biases are not updated.")
    if chosen.softmax_slope == "fused":
        says.append("Output activation and loss are taken together: E is the gradient with respect to Z.")
    if problem.carry_rounded:
        says.append("Every matrix is rounded before it is used, as by hand.")
    return says
