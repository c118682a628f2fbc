"""What a PyTorch model is run on, and the model with its loss as one module, so that both are recorded together."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks.torch_recording import first_line


def named_inputs(torch: Any, module: Any, inputs: Any) -> dict[str, Any]:
    """The inputs by the names of the arguments that they are."""
    if isinstance(inputs, Mapping):
        given = dict(inputs)
    else:
        values = list(inputs) if isinstance(inputs, tuple) else [inputs]
        given = dict(zip(_argument_names(torch, module, len(values)), values, strict=True))
    dtype = next((p.dtype for p in _parameters(module)), torch.get_default_dtype())
    return {key: _tensor(torch, each, dtype) for key, each in given.items()}


def _parameters(module: Any) -> list[Any]:
    return list(module.parameters()) if hasattr(module, "parameters") else []


def _argument_names(torch: Any, module: Any, count: int) -> list[str]:
    called = module.forward if isinstance(module, torch.nn.Module) else module
    try:
        found = inspect.signature(called).parameters.values()
    except (TypeError, ValueError):
        found = ()  # type: ignore[assignment]
    names = [each.name for each in found if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    if names[:1] == ["input"] or len(names) < count:
        names = ["x"] if count == 1 else [f"x{k}" for k in range(1, count + 1)]
    return names[:count]


def _tensor(torch: Any, value: Any, dtype: Any) -> Any:
    """A tensor of the model's own precision; whole numbers stay whole."""
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, bool | str) or value is None:
        return value
    made = torch.as_tensor(np.asarray(value))
    return made.to(dtype) if made.is_floating_point() else made


def target_tensors(torch: Any, targets: Any) -> tuple[Any, ...]:
    if targets is None:
        return ()
    dtype = torch.get_default_dtype()
    return tuple(_tensor(torch, each, dtype) for each in (targets if isinstance(targets, tuple) else (targets,)))


def check_inputs(torch: Any, whole: Any, given: dict[str, Any], name: str) -> None:
    """Whole numbers are made broken ones where the model takes no others. Raises ProblemError where it does not run."""
    whole_numbers = [key for key, each in given.items() if torch.is_tensor(each) and not each.is_floating_point()]
    dtype = next((p.dtype for p in _parameters(whole)), torch.get_default_dtype())
    with _left_as_it_was(torch, whole), torch.no_grad():
        try:
            whole(tuple(given.values()), None)
        except Exception as first:
            if not whole_numbers:
                raise ProblemError(name, "inputs", f"the model does not take them: {first_line(first)}") from first
            given.update({key: given[key].to(dtype) for key in whole_numbers if given[key].dtype != torch.bool})
            try:
                whole(tuple(given.values()), None)
            except Exception as wrong:
                raise ProblemError(name, "inputs", f"the model does not take them: {first_line(wrong)}") from wrong


@contextmanager
def _left_as_it_was(torch: Any, whole: Any) -> Iterator[None]:
    """Running averages and random numbers are afterwards what they were before."""
    saved = {key: each.clone() for key, each in whole.state_dict().items()}
    state = torch.random.get_rng_state()
    try:
        yield
    finally:
        whole.load_state_dict(saved)
        torch.random.set_rng_state(state)


def refuse_own_slopes(torch: Any, whole: Any, given: Any, goal: tuple[Any, ...], name: str) -> None:
    """Refuse a `torch.autograd.Function`: what is recorded is its forward pass, and its own backward is not.

    Raises ProblemError with its name.
    """
    with _left_as_it_was(torch, whole), torch.enable_grad():
        try:
            made = whole(tuple(given.values()), goal)
        except Exception:  # what does not run is said by whoever records it
            return
    waiting = [each.grad_fn for each in _tensors(torch, made) if each.grad_fn is not None]
    seen = set(waiting)
    while waiting:
        step = waiting.pop()
        if isinstance(step, torch.autograd.function.BackwardCFunction) and not _recomputes(step):
            own = type(step).__name__.removesuffix("Backward")
            says = f"{own} is a torch.autograd.Function with a backward of its own, which cannot be taken over; "
            raise ProblemError(name, own, says + "write it with PyTorch's operations, and .detach() where it stops")
        following = {each for each, _ in step.next_functions if each is not None} - seen
        seen |= following
        waiting += following


def _recomputes(step: Any) -> bool:
    """Whether it is checkpointing, which only saves memory."""
    return type(step).__module__.startswith("torch.utils.checkpoint")


def _tensors(torch: Any, value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [found for each in value for found in _tensors(torch, each)]
    return [value] if torch.is_tensor(value) else []


def whole_of(torch: Any) -> Any:
    """A module of the model and its loss, so that both are recorded as one."""

    class Whole(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, model: Any, loss: Any, names: tuple[str, ...]) -> None:
            super().__init__()
            self.model, self._names = model, names
            if isinstance(loss, torch.nn.Module):
                self.objective = loss
            self._loss = (loss,)

        def forward(self, inputs: tuple[Any, ...], targets: tuple[Any, ...] | None) -> Any:
            made = self.model(**dict(zip(self._names, inputs, strict=True))) if self._names else self.model(*inputs)
            if self._loss[0] is None or targets is None:
                return _plain_output(made)
            objective = self._modules.get("objective", self._loss[0])
            return objective(made, *targets)

    return Whole


def as_forward(model: Any) -> Any:
    """A function under the name of which PyTorch keeps the lines that operations come from."""
    if not inspect.isfunction(model):
        return model
    code = model.__code__.replace(co_name="forward")
    made = types.FunctionType(code, model.__globals__, "forward", model.__defaults__, model.__closure__)
    made.__kwdefaults__ = model.__kwdefaults__
    return made


def _plain_output(made: Any) -> Any:
    """What the loss takes of an output that is an object: its loss, or its logits."""
    if isinstance(made, Mapping):
        made = made.get("loss", made.get("logits", next(iter(made.values()))))
    for attribute in ("loss", "logits"):
        if not isinstance(made, list | tuple) and getattr(made, attribute, None) is not None:
            return getattr(made, attribute)
    return made
