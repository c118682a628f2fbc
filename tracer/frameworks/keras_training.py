"""What a Keras model was compiled with: its loss with its options, and its optimizer with what it keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks.graph import Graph, GraphOperation, Ref
from tracer.frameworks.objectives import LOSS, add_loss
from tracer.program import naming_policy as named
from tracer.run.passes import AnyProblem

_LOSSES = {
    "mse": "mse_loss", "mean_squared_error": "mse_loss", "mae": "l1_loss", "mean_absolute_error": "l1_loss",
    "categorical_crossentropy": "cross_entropy", "sparse_categorical_crossentropy": "cross_entropy",
    "binary_crossentropy": "binary_cross_entropy", "huber": "huber_loss", "huber_loss": "huber_loss",
    "hinge": "hinge", "kl_divergence": "kl_div",
}  # fmt: skip
_USUAL = {"axis": -1, "ignore_class": None, "reduction": "sum_over_batch_size"}
_MISFIT = "misfit"


def add_compiled_loss(model: Any, graph: Graph, output: Ref, shape: tuple[int, ...], targets: Any, name: str) -> None:
    """Add the loss that a model was compiled with. Raises ProblemError where it is not known."""
    called, options = _told(model, name)
    known = _LOSSES.get(called)
    if known is None:
        raise ProblemError(name, "loss", f"found {called!r}, expected one of {', '.join(_LOSSES)}")
    for key, usual in _USUAL.items():
        if key in options and options[key] != usual and not (key == "reduction" and options[key] in ("sum", "mean")):
            says = f"found {called} with {key}={options[key]!r}, expected {usual!r}; name another loss with loss="
            raise ProblemError(name, "loss", says)
    known = _of_logits(known, called, bool(options.get("from_logits")), graph, name)
    output, shape, targets = _by_place(graph, known, called, output, shape, targets)
    numbers = _smoothed(np.asarray(targets, float), known, shape, float(options.get("label_smoothing") or 0.0))
    if called == "hinge" and np.isin(numbers, (0, 1)).all():
        numbers = 2 * numbers - 1
    if known == "kl_div":
        graph.operations.append(GraphOperation("log", "logarithms", {"self": output}, shown="Loss (kl_divergence)"))
        output = Ref("logarithms")
    add_loss(graph, known, output, shape, numbers, name)
    if called.startswith("huber"):
        graph.operations[-1] = _with(graph.operations[-1], delta=float(options.get("delta", 1.0)))
    samples, units = int(np.prod(shape[:-1], dtype=int)), shape[-1] if shape else 1
    factor = {"kl_div": float(units), "hinge": 1 / units}.get(known, 1.0)
    scale_loss(graph, factor * (samples if options.get("reduction") == "sum" else 1.0))


def _by_place(
    graph: Graph, known: str, called: str, output: Ref, shape: tuple[int, ...], targets: Any
) -> tuple[Ref, tuple[int, ...], Any]:
    """Classes in a row for each place of each sample: Keras has them last, PyTorch behind the samples."""
    if known != "cross_entropy":
        return output, shape, targets
    if called.startswith("sparse"):
        targets = np.asarray(targets).ravel()
    if len(shape) < 3:
        return output, shape, targets
    rows = (int(np.prod(shape[:-1])), shape[-1])
    graph.operations.append(GraphOperation("view", "places", {"self": output, "size": list(rows)}, shown="Places"))
    return Ref("places"), rows, targets if called.startswith("sparse") else np.asarray(targets).reshape(rows)


def _told(model: Any, name: str) -> tuple[str, Mapping[str, Any]]:
    loss = getattr(model, "loss", None)
    if loss is None:
        raise ProblemError(name, "loss", "found none: compile the model with a loss, or name one with loss=")
    if len(model.outputs) > 1:
        raise ProblemError(name, "loss", "found several outputs, expected one: take over keras.Model(inputs, output)")
    if isinstance(loss, str):
        return loss, {}
    called = getattr(loss, "name", None) or getattr(loss, "__name__", "")
    told = loss.get_config() if hasattr(loss, "get_config") else {}
    return str(called), {**told, **getattr(loss, "_fn_kwargs", {})}


def _of_logits(known: str, called: str, logits: bool, graph: Graph, name: str) -> str:
    ends = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(known)
    if ends is None:
        return known
    if not logits and (not graph.operations or graph.operations[-1].kind != ends):
        says = f"found {called} of a model that does not end in {ends}; say from_logits=True, or end it in {ends}"
        raise ProblemError(name, "loss", says)
    if known == "binary_cross_entropy":
        return f"{known}_with_logits" if logits else known
    return "cross_entropy"


def _smoothed(targets: Any, known: str, shape: tuple[int, ...], smoothing: float) -> Any:
    """Targets that are nearer to each other: towards equal shares, or towards ½."""
    if not smoothing or not known.startswith(("cross_entropy", "binary")):
        return targets
    classes = shape[-1] if known == "cross_entropy" else 2
    return targets * (1 - smoothing) + smoothing / classes


def _with(operation: GraphOperation, **more: Any) -> GraphOperation:
    told = {**operation.arguments, **more}
    return GraphOperation(operation.kind, operation.name, told, operation.module, operation.source, operation.shown)


def scale_loss(graph: Graph, factor: float) -> None:
    """Multiply the loss by a number."""
    if factor == 1:
        return
    last = graph.operations.pop()
    graph.operations.append(GraphOperation(last.kind, _MISFIT, last.arguments, shown=last.shown))
    arguments = {"self": Ref(_MISFIT), "other": np.asarray(factor)}
    graph.operations.append(GraphOperation("mul", LOSS, arguments, shown="Loss"))
    graph.loss = Ref(LOSS)


_OPTIMIZERS: dict[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "SGD": ("sgd", lambda o: {"momentum": float(o.momentum), "nesterov": bool(o.nesterov)}),
    "Adam": ("adam", lambda o: {"betas": [float(o.beta_1), float(o.beta_2)], "eps": _at_this_step(o)}),
    "AdamW": ("adamw", lambda o: {"betas": [float(o.beta_1), float(o.beta_2)], "eps": _at_this_step(o)}),
    "RMSprop": (
        "rmsprop",
        lambda o: {"alpha": float(o.rho), "momentum": float(o.momentum), "centered": bool(o.centered), "eps": 0.0},
    ),
    "Adagrad": (
        "adagrad",
        lambda o: {"initial_accumulator_value": float(o.initial_accumulator_value) + float(o.epsilon), "eps": 0.0},
    ),
}
_NOT_KNOWN = ("clipnorm", "clipvalue", "use_ema", "amsgrad", "gradient_accumulation_steps", "loss_scale_factor")
EPSILON = (
    "Keras adds its epsilon elsewhere than this optimizer does; it is put so that the next step is the one that Keras "
    "makes, and later ones differ by less than the epsilon."
)


def _at_this_step(own: Any) -> float:
    """The epsilon that does at the next step what Keras does: it adds it before the squares are corrected."""
    return float(own.epsilon) / float(np.sqrt(1 - float(own.beta_2) ** (_steps(own) + 1)))


def _steps(own: Any) -> int:
    return int(np.asarray(_numbers(own.iterations)))


def _numbers(variable: Any) -> Any:
    value = getattr(variable, "value", variable)
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def optimizer_of_keras(model: Any, file: str) -> tuple[float | None, dict[str, Any]]:
    """The learning rate and the `[optimizer]` of a compiled model; none where it was not compiled."""
    own = getattr(model, "optimizer", None)
    if own is None:
        return None, {}
    kind = type(own).__name__
    if kind not in _OPTIMIZERS:
        raise ProblemError(file, "optimizer", f"found {kind}, expected one of {', '.join(_OPTIMIZERS)}")
    name, settings = _OPTIMIZERS[kind]
    table = {"name": name, **settings(own)}
    decay = float(getattr(own, "weight_decay", None) or 0.0)
    if name == "adamw":
        table["weight_decay"] = decay
    found = [each for each in _NOT_KNOWN if getattr(own, each, None)]
    found += ["weight_decay"] if decay and name != "adamw" else []
    if found:
        raise ProblemError(file, "optimizer", f"found {kind} with {', '.join(found)}, which is not known; leave it off")
    if getattr(own, "global_clipnorm", None):
        table["clip_norm"] = float(own.global_clipnorm)
    return float(_numbers(own.learning_rate)), table


_KEPT = {
    "sgd": {"velocity": "momentums"},
    "adam": {"mean": "_momentums", "squares": "_velocities"},
    "adamw": {"mean": "_momentums", "squares": "_velocities"},
    "rmsprop": {"squares": "_velocities", "mean": "_average_gradients", "velocity": "_momentums"},
    "adagrad": {"squares": "_accumulators"},
}
"""What an optimizer of Keras keeps, by what it is called here."""


def states_of_keras(model: Any, problem: AnyProblem, weights: Mapping[str, Any], rate: float) -> dict[str, Any]:
    """What an optimizer keeps, as the states of a problem; `weights` has Keras' variable for each parameter's name."""
    own, chosen = model.optimizer, problem.optimizer
    trained = {id(each): k for k, each in enumerate(getattr(own, "_trainable_variables", ()))}
    found: dict[str, Any] = {named.PASSES: float(_steps(own))} if chosen.counts and _steps(own) else {}
    for key, placed in problem.origin.items():
        number = trained.get(id(weights.get(key)))
        for kind in chosen.names:
            lists = getattr(own, _KEPT[chosen.name][kind], None) or []
            kept = _numbers(lists[number]) if number is not None and number < len(lists) else None
            flat = _converted(own, chosen.name, kind, kept, int(np.prod(placed.shape, dtype=int)), rate)
            for matrix, of_tensor, of_matrix in placed.parts if flat is not None else ():
                name = named.state(matrix, kind)
                array = found.setdefault(name, np.zeros(chosen_shape(problem, matrix)))
                array.ravel()[of_matrix] = flat[of_tensor]
    return {name: each.tolist() if hasattr(each, "tolist") else each for name, each in found.items()}


def chosen_shape(problem: AnyProblem, matrix: str) -> tuple[int, ...]:
    numbers = problem.starting if hasattr(problem, "starting") else problem.initial
    return tuple(np.shape(numbers[matrix]))


def _converted(own: Any, name: str, kind: str, kept: Any, size: int, rate: float) -> Any:
    """What is kept of a parameter in the terms used here; None where it is what an optimizer starts with."""
    if kind == "squares" and name == "rmsprop":
        before = np.zeros(size) if kept is None else kept.ravel().astype(float)
        return before + float(own.epsilon) / float(own.rho) if float(own.rho) else before
    if kept is None or not _steps(own):
        return None
    flat = kept.ravel().astype(float)
    if kind == "velocity":
        return flat / (-rate if name == "sgd" else rate)
    return flat + float(own.epsilon) if name == "adagrad" else flat
