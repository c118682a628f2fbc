"""What a node of a recorded program is: its operation, its module, its line of code."""

from __future__ import annotations

import linecache
import operator
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from tracer.errors import ProblemError
from tracer.frameworks.graph import assigned_name
from tracer.frameworks.rules import RULES
from tracer.frameworks.torch_recording import is_own_code

MODEL = "model"  # what the module that records a model with its loss calls it
WHOLE = "whole_numbers"
_IN_PLACE = re.compile(r"(?<=[a-z0-9])_$")
_RENAMED = {"requires_grad_": "identity", "item": "detach", "_local_scalar_dense": "detach", "_sparse_mm": "mm"}
_CASTS = ("to", "_to_copy", "type_as", "view_as_real")
_OF_PRODUCTS = {"mat2": "other", "vec": "other", "tensor": "other", "sparse": "self", "dense": "other"}
_RENAMED_ARGUMENTS = {
    **{kind: _OF_PRODUCTS for kind in ("mm", "bmm", "mv", "dot")},
    **{kind: {"self": "input"} for kind in ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")},
}


def kind_of(node: Any) -> str:
    """The operation's name, done in place or not."""
    packet = packet_of(node)
    return _RENAMED.get(packet, _IN_PLACE.sub("", packet))


def packet_of(node: Any) -> str:
    """The operation's name as PyTorch has it."""
    target = node.target
    name = target._schema.name if hasattr(target, "_schema") else getattr(target, "__name__", str(target))
    return str(name).rpartition("::")[2]


def changes_its_input(node: Any) -> bool:
    """Whether an operation is done in place."""
    return bool(_IN_PLACE.search(packet_of(node)))


def is_drawn(torch: Any, node: Any) -> bool:
    """Whether an operation draws random numbers."""
    return torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())


def module_of(node: Any) -> str:
    """The module that a node stands in, as the model calls it: `encoder.layer.0.q`; "" in the model itself."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    path = str(stack[-1][0]) if stack else ""
    return path.removeprefix(MODEL).removeprefix(".")


def as_numbers(value: Any) -> Any:
    """A tensor in double precision, as numpy has it."""
    whole = value.to_dense() if value.is_sparse else value
    return whole.detach().cpu().double().numpy()


def refuse_precision(node: Any, name: str) -> None:
    """Refuse numbers of half precision, which would differ in the fourth digit, and complex ones."""
    made = node.meta.get("val")
    dtype = str(getattr(made, "dtype", ""))
    if "float16" in dtype or "float8" in dtype:
        says = f"is computed in {dtype.removeprefix('torch.')}; call .float() on the model and its inputs first"
    elif "complex" in dtype:
        says = "is complex, and no formula here is; write it with sines and cosines, or leave that part out"
    else:
        return
    place = ".".join(filter(None, (name, module_of(node))))
    source = source_of(node)
    raise ProblemError(place, "", f"aten.{packet_of(node)} {says}" + (f" ({source})" if source else ""))


def adapted(node: Any, kind: str, told: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """An operation and its arguments as the rules have them."""
    renames = _RENAMED_ARGUMENTS.get(kind, {})
    if kind in ("cat", "stack", "concat") and "tensors" not in told:
        renames = {next(iter(told)): "tensors"}
    made = {renames.get(key, key): each for key, each in told.items()}
    if kind in _CASTS and _loses_its_places(node):
        return ("ne", {"self": made["self"], "other": 0}) if _is_truth(node) else (WHOLE, made)
    return kind, made


def _loses_its_places(node: Any) -> bool:
    """Whether broken numbers become whole ones."""
    before, after = (getattr(each, "meta", {}).get("val") for each in (node.args[0], node))
    if before is None or after is None or not hasattr(before, "is_floating_point"):
        return False
    return bool(before.is_floating_point() and not after.is_floating_point())


def _is_truth(node: Any) -> bool:
    return str(node.meta["val"].dtype) == "torch.bool"


def shown_as(whole: Any, node: Any, module: str, kind: str) -> str:
    """The kind of a module for its step's title, where it is one that holds no others; else what the operation is."""
    if kind not in RULES:
        return _as_called(node)
    try:
        found = whole.get_submodule(f"{MODEL}.{module}" if module else MODEL)
    except AttributeError:
        return kind
    return type(found).__name__ if module and not list(found.children()) else kind


def _as_called(node: Any) -> str:
    """An operation by its own name, and by that of the function that was called."""
    packet = packet_of(node)
    called = str((node.meta.get("torch_fn") or ("", ""))[1]).rpartition(".")[2]
    same = called.strip("_") in ("", packet.strip("_")) or called.startswith("__")
    return f"aten.{packet}" if same else f"{called} (aten.{packet})"


def source_of(node: Any) -> str:
    """The last line of the model's own code that the node comes from, with its file's name."""
    frames = re.findall(r'File "([^"]+)", line (\d+), in .*', node.meta.get("stack_trace") or "")
    for file, line in reversed(frames):
        if not is_own_code(file):
            continue
        code = linecache.getline(file, int(line)).strip()
        return f"{PurePath(file).name}:{line}: {code}" if code else f"{PurePath(file).name}:{line}"
    return ""


def assigned_names(nodes: Sequence[Any], taken: set[str]) -> dict[str, str]:
    """For the last node of a line `h = …` the variable's name, where no other line assigns it."""
    lines: dict[str, Any] = {}
    for node in nodes:
        source = source_of(node) if node.op == "call_function" else ""
        if source and not (isinstance(node.target, type(operator.getitem)) and node.target is operator.getitem):
            lines[source] = node
    names: dict[str, list[str]] = {}
    for source, node in lines.items():
        name = assigned_name(source)
        if name is not None:
            names.setdefault(name, []).append(node.name)
    return {found[0]: name for name, found in names.items() if len(found) == 1 and name not in taken}
