"""What every surface says in words of a problem: its conventions, and where it departs from the gradient."""

from __future__ import annotations

from collections.abc import Mapping

from tracer.problem.losses import RULES
from tracer.problem.optimizers import IN_WORDS, Optimizer
from tracer.problem.problem import Problem
from tracer.problem.program_problem import ProgramProblem

DEPARTURES: Mapping[str, str] = {
    "diagonal": "Not the gradient of this loss: step 6 keeps only the diagonal of the softmax Jacobian, "
    "as in the publication.",
    "rate_twice": "Not the gradient of this loss: the learning rate is applied in step 7 and again in steps 10 and 11, "
    "as in the publication.",
    "updated_weights": "Not the gradient of this loss: step 8 sends the error back through weights that are already "
    "updated, as in the publication.",
}
"""What `[reproduce]` can do that is not the gradient, a sentence each."""

CONVENTIONS: Mapping[str, str] = {
    "output_minus_target": "The error is output − target, so E, D, dW and db are gradients and the update "
    "subtracts them.",
    "target_minus_output": "The error is target − output, so E, D, dW and db are negative gradients and the update "
    "adds them.",
    "sum": "Gradients are summed over the samples.",
    "output_minus_target_changed": "The error is output − target, so E and D are gradients.",
    "target_minus_output_changed": "The error is target − output, so E and D are negative gradients.",
    "mean_in_gradient": "Gradients are averaged over the samples: the factor 1/N is part of dW and db alone.",
    "rate_in_change": "dW and db are the changes that are added to the parameters: −rate times the gradient.",
    "mean": "Gradients are averaged over the samples: the factor 1/N is part of E.",
    "rate_in_update": "The learning rate is applied in the update.",
    "rate_in_delta": "The learning rate is part of delta; the update does not apply it again.",
    "biases_stay": "Biases are not updated.",
    "bias_in_weights": "The bias is the first row of the weights: the 1 before the inputs, and before the outputs of a "
    "hidden layer, is its input.",
    "bias_in_weights_negative": "The threshold is the first row of the weights: the −1 before the inputs, and before "
    "the outputs of a hidden layer, is its input.",
    "samples_as_columns": "A sample stands in each column: Z = W·X + b, and every matrix is the transpose of the one "
    "with a sample in each row.",
    "fused": "Output activation and loss are taken together: E is the gradient with respect to Z.",
    "perceptron": "The rule is the perceptron's: L = Σ(a − y)·z with a held fixed, so E is the gradient with respect "
    "to Z, and there is no slope.",
    "carry_rounded": "Every matrix is rounded to the decimals shown before it is used, as by hand.",
    "program_gradients": "A matrix called d… is the gradient of the loss with respect to the matrix that it is named "
    "after; where several contributions meet, they are added up.",
    **{f"by_{rule}": f"{words}." for rule, words in IN_WORDS.items()},
}
"""What a problem can choose, a sentence each."""


def departures(problem: Problem | ProgramProblem) -> list[str]:
    """What `[reproduce]` does that is not the gradient of the loss, a sentence each; a program reproduces nothing."""
    return [DEPARTURES[each] for each in departures_chosen(problem)]


def departures_chosen(problem: Problem | ProgramProblem) -> list[str]:
    """… as keys of DEPARTURES."""
    if isinstance(problem, ProgramProblem):
        return []
    reproduce, found = problem.reproduce, []
    if reproduce.softmax_slope == "diagonal":
        found.append("diagonal")
    if reproduce.rate_twice:
        found.append("rate_twice")
    if reproduce.updated_weights_sent_back and problem.depth > 1:
        found.append("updated_weights")
    return found


def conventions(problem: Problem | ProgramProblem) -> list[str]:
    """The conventions in words, a sentence each."""
    if isinstance(problem, ProgramProblem):
        rounded = [CONVENTIONS["carry_rounded"]] if problem.carry_rounded else []
        return [CONVENTIONS["program_gradients"], problem.optimizer.in_words(), *rounded]
    rule = {f"by_{problem.optimizer.rule}": problem.optimizer.in_words()}  # with its settings
    return [rule.get(each) or CONVENTIONS[each] for each in conventions_chosen(problem)]


def conventions_chosen(problem: Problem | ProgramProblem) -> list[str]:
    """… as keys of CONVENTIONS."""
    if isinstance(problem, ProgramProblem):
        rounded = ["carry_rounded"] if problem.carry_rounded else []
        return ["program_gradients", f"by_{problem.optimizer.rule}", *rounded]
    chosen = problem.convention
    error = "output_minus_target" if chosen.sign > 0 else "target_minus_output"
    in_gradient = chosen.reduction == "mean" and chosen.reduction_in == "gradient"
    found = [
        f"{error}_changed" if chosen.learning_rate_in == "change" else error,
        "mean_in_gradient" if in_gradient else chosen.reduction,
        f"rate_in_{chosen.learning_rate_in}",
    ]
    if not chosen.bias_update:
        found.append("biases_stay")
    if chosen.turned:
        found.append("samples_as_columns")
    if chosen.leading:
        found.append("bias_in_weights" if chosen.bias_input > 0 else "bias_in_weights_negative")
    if chosen.softmax_slope == "fused":
        found.append("fused")
    if problem.loss in RULES:
        found.append(problem.loss)
    if problem.optimizer != Optimizer():
        found.append(f"by_{problem.optimizer.rule}")
    if problem.carry_rounded:
        found.append("carry_rounded")
    return found
