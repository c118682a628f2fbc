"""Losses by their names: which operation a name means, for the outputs of a model and the targets given."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks.graph import Graph, GraphOperation, Ref
from tracer.problem.convention import suggest
from tracer.program import naming_policy as named

LOSS = named.LOSS
SAME = {
    "mse": "mse_loss", "mean_squared_error": "mse_loss", "l1": "l1_loss", "mae": "l1_loss",
    "mean_absolute_error": "l1_loss", "bce": "binary_cross_entropy", "huber": "huber_loss", "hinge": "hinge_loss",
    "bce_with_logits": "binary_cross_entropy_with_logits", "cross_entropy_loss": "cross_entropy",
    "categorical_crossentropy": "cross_entropy", "sparse_categorical_crossentropy": "cross_entropy",
    "binary_crossentropy": "binary_cross_entropy", "smooth_l1": "smooth_l1_loss",
}  # fmt: skip
PLAIN = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div", "nll_loss", "soft_margin_loss")
PER_SAMPLE = ("half_squared_error", "squared_error", "hinge_loss")
KNOWN = sorted({*PLAIN, *PER_SAMPLE, "cross_entropy", "binary_cross_entropy", "binary_cross_entropy_with_logits"})


def add_loss(graph: Graph, name: str, output: Ref, shape: tuple[int, ...], targets: Any, file: str) -> None:
    """Add the loss of a name to a graph: PyTorch's, averaged as PyTorch does.

    `cross_entropy` takes logits unless the model ends in softmax, and labels or a row of shares for each sample;
    `binary_cross_entropy` takes logits unless it ends in sigmoid. Raises ProblemError for a name that is not known.
    """
    wanted = SAME.get(name.lower(), name.lower())
    if wanted not in KNOWN:
        says = f"found {name!r}{suggest(name, KNOWN)}, expected one of {', '.join(KNOWN)}"
        raise ProblemError(file, "loss", says)
    if targets is None:
        raise ProblemError(file, "targets", f"found none, expected what {name} compares the outputs {list(shape)} with")
    ends = "softmax" if _ends_in_shares(graph) else _last_kind(graph)
    kind, more = wanted, {}
    if wanted == "cross_entropy":
        kind = {"softmax": "cross_entropy_of_shares", "log_softmax": "nll_loss"}.get(ends, "cross_entropy_loss")
    elif wanted == "binary_cross_entropy" and ends not in ("sigmoid", "softmax"):
        kind = "binary_cross_entropy_with_logits"
    elif wanted in PER_SAMPLE:
        more = {"samples": shape[0] if shape else 1}
    numbers = np.asarray(targets)
    if kind not in ("cross_entropy_loss", "cross_entropy_of_shares", "nll_loss"):
        numbers = _like(numbers, shape, file, name)
    elif numbers.ndim == 2 and numbers.shape[1] == 1 and shape[-1:] != (1,):
        numbers = numbers[:, 0]
    if kind == "nll_loss" and numbers.ndim == len(shape):
        numbers = numbers.argmax(axis=1) if _one_hot(numbers) else numbers
    arguments = {"self": output, "target": numbers, **more}
    graph.operations.append(GraphOperation(kind, LOSS, arguments, shown=f"Loss ({wanted})"))
    graph.loss = Ref(LOSS)


def _like(numbers: Any, shape: tuple[int, ...], file: str, name: str) -> Any:
    """Targets in the shape of the outputs: a column for a list of numbers."""
    if numbers.shape == shape:
        return numbers.astype(float)
    if numbers.size == int(np.prod(shape)):
        return numbers.reshape(shape).astype(float)
    says = f"found {list(numbers.shape)}, expected {list(shape)} as the outputs that {name} compares them with"
    raise ProblemError(file, "targets", says)


def _one_hot(numbers: Any) -> bool:
    return bool(((numbers == 0) | (numbers == 1)).all() and (numbers.sum(axis=1) == 1).all())


def _ends_in_shares(graph: Graph) -> bool:
    """Whether a model ends in a sigmoid beside what is left of 1, or divides by the sum, as classifiers do."""
    last = graph.operations[-1] if graph.operations else None
    if last is not None and last.kind.endswith("Normalizer"):
        return bool(last.arguments.get("order") == 1)
    if last is not None and last.kind == "sigmoid":
        return _are_opposite(graph, last)
    parts = (last.arguments.get("inputs") or last.arguments.get("tensors")) if last is not None else None
    if last is None or not last.kind.endswith(("Concat", "cat")) or not isinstance(parts, list) or len(parts) != 2:
        return False
    made = {each.name: each for each in graph.operations}
    kinds = [made[each.name].kind if isinstance(each, Ref) and each.name in made else "" for each in parts]
    rest, share = (made.get(each.name) if isinstance(each, Ref) else None for each in parts)
    if kinds[1] != "sigmoid" or rest is None or share is None or not kinds[0].casefold().endswith("sub"):
        return False
    return Ref(share.name) in (rest.arguments.get("inputs") or list(rest.arguments.values()))


def _are_opposite(graph: Graph, sigmoid: GraphOperation) -> bool:
    """Whether a sigmoid is of two scores of which one is the other's opposite, so that both add up to 1."""
    scores = next((each for each in graph.operations if Ref(each.name) == sigmoid.arguments.get("self")), None)
    weight = scores.arguments.get("weight") if scores is not None and scores.kind == "linear" else None
    start = graph.starts.get(weight.name) if isinstance(weight, Ref) else None
    return start is not None and len(start.numbers) == 2 and bool(np.allclose(start.numbers[0], -start.numbers[1]))


def _last_kind(graph: Graph) -> str:
    """The operation that the model ends in, views left aside."""
    for operation in reversed(graph.operations):
        if operation.kind not in ("view", "reshape", "squeeze", "flatten", "identity", "dropout"):
            return operation.kind
    return ""
