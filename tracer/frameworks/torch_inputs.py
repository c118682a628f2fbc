"""What a PyTorch model is run on, and the model with its loss as one module, so that both are recorded together."""

from __future__ import annotations

import inspect
import types
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks.optional import framework


def exported(whole: Any, arguments: tuple[Any, ...], name: str) -> Any:
    torch = framework("torch", "torch")
    try:
        with warnings.catch_warnings(), _masks_as_they_are(torch):
            warnings.simplefilter("ignore")
            return torch.export.export(whole, arguments, strict=False)
    except Exception as wrong:
        says = f"torch.export cannot record it: {str(wrong).strip().splitlines()[0][:200]}"
        raise ProblemError(name, "", says) from wrong


@contextmanager
def _masks_as_they_are(torch: Any) -> Iterator[None]:
    """Transformers do not look into their masks to see whether they are causal, which only makes them faster."""
    rooms = torch.nn.modules.transformer
    before = getattr(rooms, "_detect_is_causal_mask", None)
    if before is None:
        yield
        return
    rooms._detect_is_causal_mask = lambda mask, is_causal=None, size=None: bool(is_causal)
    try:
        yield
    finally:
        rooms._detect_is_causal_mask = before


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
    saved = {key: each.clone() for key, each in whole.state_dict().items()}
    state = torch.random.get_rng_state()
    try:
        with torch.no_grad():
            whole(tuple(given.values()), None)
    except Exception as first:
        if not whole_numbers:
            raise ProblemError(name, "inputs", f"the model does not take them: {first_line(first)}") from first
        given.update({key: given[key].to(dtype) for key in whole_numbers if given[key].dtype != torch.bool})
        try:
            with torch.no_grad():
                whole(tuple(given.values()), None)
        except Exception as wrong:
            raise ProblemError(name, "inputs", f"the model does not take them: {first_line(wrong)}") from wrong
    finally:
        whole.load_state_dict(saved)
        torch.random.set_rng_state(state)


def first_line(wrong: Exception) -> str:
    return (str(wrong).strip().splitlines() or [type(wrong).__name__])[0][:200]


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
