"""Optimizers of `torch.optim` as the section `[optimizer]`."""

from __future__ import annotations

from typing import Any

from tracer.errors import ProblemError


def optimizer_table(optimizer: Any, file: str) -> tuple[float, dict[str, Any]]:
    """The learning rate and the `[optimizer]` of an optimizer of `torch.optim`. Raises ProblemError."""
    name = type(optimizer).__name__.lower()
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
