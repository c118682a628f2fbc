"""Modules and functions of PyTorch: `torch.export` records what they do, before anything is taken apart."""

from __future__ import annotations

import ast
import inspect
import linecache
import operator
import re
import types
import warnings
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks.graph import Graph, Operation, Ref, Start
from tracer.frameworks.objectives import LOSS, add_loss
from tracer.frameworks.optional import framework
from tracer.frameworks.rules import RULES

_IN_PLACE = re.compile(r"(?<=[a-z0-9])_$")
_RENAMED = {"copy_": "copy_", "requires_grad_": "identity", "detach_": "detach"}
_IGNORED = ("_assert_scalar", "sym_constrain_range_for_size", "_assert_async", "_assert_tensor_metadata")
_MODEL = "model"
_TAKE_BUFFERS = ("batch_norm", "instance_norm", "add", "sub", "mul", "div", "matmul", "mm", "bmm", "linear", "addmm")
MOST_TIMES = 3  # that what is not known is taken apart
_SHORT = {"scaled_dot_product_attention": "attention", "cross_entropy_loss": "cross_entropy"}


def _export(whole: Any, arguments: tuple[Any, ...], name: str) -> Any:
    torch = framework("torch", "torch")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.export(whole, arguments, strict=False)
    except Exception as wrong:
        says = f"torch.export cannot record it: {str(wrong).strip().splitlines()[0][:200]}"
        raise ProblemError(name, "", says) from wrong


def graph_of_torch(
    module: Any, inputs: Any, targets: Any, loss: Any, masks: Mapping[str, Any], title: str, name: str
) -> tuple[Graph, ExportedReading]:
    """The graph of a module or a function with its loss; and how it was read off what was recorded."""
    torch = framework("torch", "torch")
    given = _inputs(torch, module, inputs)
    whole = _whole_of(torch)(_as_forward(module), loss if callable(loss) else None)
    arguments = tuple(given.values())
    _checked(torch, whole, arguments, given, targets, loss, name)
    goal = _target(torch, targets) if callable(loss) else ()
    exported = _export(whole, (tuple(given.values()), goal), name)
    reading = ExportedReading(torch, whole, exported, list(given), masks, Graph(title))
    outputs = reading.read(given, goal)
    for _ in range(MOST_TIMES):
        exported = _taken_apart(torch, exported, reading.unknown) if reading.unknown else None
        if exported is None:
            break
        reading = ExportedReading(torch, whole, exported, list(given), masks, Graph(title))
        outputs = reading.read(given, goal)
    graph = reading.graph
    output = _first(outputs)
    if not isinstance(output, Ref):
        raise ProblemError(name, "", "what the model gives depends neither on its inputs nor on parameters")
    if loss is not None and not callable(loss):
        numbers = targets.detach().cpu().numpy() if hasattr(targets, "detach") else targets
        add_loss(graph, str(loss), output, reading.shapes[_key(output)], numbers, name)
    else:
        graph.loss = output
    if reading.dropped:
        names = ", ".join(reading.dropped)
        graph.remarks.append(f"Dropout is off here ({names}); masks= takes a mask for each.")
    return graph, reading


def _taken_apart(torch: Any, exported: Any, unknown: set[Any]) -> Any:
    """The same graph, in which PyTorch itself takes apart operations that have no rule here; None where it cannot."""
    ways = torch.export.default_decompositions()
    table = {each: ways[each] for each in unknown if each in ways}
    if not table:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return exported.run_decompositions(table)


def _key(ref: Ref) -> str:
    return ref.name if ref.part is None else f"{ref.name}[{ref.part}]"


def _first(outputs: Any) -> Any:
    while isinstance(outputs, list | tuple) and outputs:
        outputs = outputs[0]
    return outputs


def _inputs(torch: Any, module: Any, inputs: Any) -> dict[str, Any]:
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


def _target(torch: Any, targets: Any) -> tuple[Any, ...]:
    if targets is None:
        return ()
    dtype = torch.get_default_dtype()
    return tuple(_tensor(torch, each, dtype) for each in (targets if isinstance(targets, tuple) else (targets,)))


def _checked(
    torch: Any, whole: Any, arguments: tuple[Any, ...], given: dict[str, Any], targets: Any, loss: Any, name: str
) -> None:
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
            raise ProblemError(name, "inputs", f"the model does not take them: {_line(first)}") from first
        given.update({key: given[key].to(dtype) for key in whole_numbers if given[key].dtype != torch.bool})
        try:
            with torch.no_grad():
                whole(tuple(given.values()), None)
        except Exception as wrong:
            raise ProblemError(name, "inputs", f"the model does not take them: {_line(wrong)}") from wrong
    finally:
        whole.load_state_dict(saved)
        torch.random.set_rng_state(state)


def _line(wrong: Exception) -> str:
    return (str(wrong).strip().splitlines() or [type(wrong).__name__])[0][:200]


def _whole_of(torch: Any) -> Any:
    """A module of the model and its loss, so that both are recorded as one."""

    class Whole(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, model: Any, loss: Any) -> None:
            super().__init__()
            self.model = model
            if isinstance(loss, torch.nn.Module):
                self.objective = loss
            self._loss = (loss,)

        def forward(self, inputs: tuple[Any, ...], targets: tuple[Any, ...] | None) -> Any:
            made = self.model(*inputs)
            if self._loss[0] is None or targets is None:
                return _plain_output(made)
            objective = self._modules.get("objective", self._loss[0])
            return objective(made, *targets)

    return Whole


def _as_forward(model: Any) -> Any:
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


class ExportedReading:
    """Reads an exported graph node by node. What depends on no parameter and no input of broken numbers is worked out
    at once: masks, positions, sizes."""

    def __init__(
        self, torch: Any, whole: Any, exported: Any, names: Sequence[str], masks: Mapping[str, Any], graph: Graph
    ) -> None:
        self.torch, self.whole, self.exported, self.graph = torch, whole, exported, graph
        self.names, self.masks = list(names), masks
        self.values: dict[str, Any] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.dropped: list[str] = []
        self.unknown: set[Any] = set()
        self.buffers: dict[str, str] = {}
        self._leaves = {key for key, each in whole.named_modules() if not list(each.children())}
        self._nodes = [each for each in exported.graph.nodes if each.op != "placeholder"]
        self._called = _assigned_names(self._nodes, set(names))

    def read(self, given: Mapping[str, Any], goal: Sequence[Any]) -> Any:
        """The outputs of the graph, as Refs."""
        self._start(given, goal)
        for node in self._nodes:
            if node.op == "output":
                return self._filled(node.args[0])
            if node.op == "get_attr":
                self.values[node.name] = getattr(self.exported.graph_module, node.target, None)
                continue
            self._node(node)
        raise AssertionError("a graph ends in its output")

    def _start(self, given: Mapping[str, Any], goal: Sequence[Any]) -> None:
        state = {**self.exported.state_dict, **self.exported.constants}
        users = [each for each in (*given.values(), *goal)]
        names = [*self.names, *(["target"] if len(goal) == 1 else [f"target{k}" for k in range(1, len(goal) + 1)])]
        turn = iter(zip(names, users, strict=True))
        tied: dict[int, Ref] = {}
        for spec in self.exported.graph_signature.input_specs:
            kind = spec.kind.name
            if kind == "USER_INPUT":
                key, value = next(turn)
                self.values[spec.arg.name] = self._given(key, value) if hasattr(spec.arg, "name") else None
                continue
            value = state[spec.target]
            own = str(spec.target).removeprefix(f"{_MODEL}.")
            if kind == "PARAMETER":
                self.values[spec.arg.name] = self._parameter(own, value, tied)
            else:
                self.values[spec.arg.name] = value.detach().clone() if hasattr(value, "detach") else value
                self.buffers[spec.arg.name] = own

    def _given(self, key: str, value: Any) -> Any:
        if not self.torch.is_tensor(value) or not value.is_floating_point():
            return value
        learned = value.requires_grad
        self.graph.starts[key] = Start(_numbers(value), "parameter" if learned else "given")
        self.shapes[key] = tuple(value.shape)
        return Ref(key)

    def _parameter(self, own: str, value: Any, tied: dict[int, Ref]) -> Ref:
        known = tied.get(id(value))
        if known is not None:
            return known
        live = value.requires_grad
        self.graph.starts[own] = Start(_numbers(value), "parameter" if live else "given")
        self.shapes[own] = tuple(value.shape)
        tied[id(value)] = Ref(own)
        return tied[id(value)]

    def _filled(self, argument: Any) -> Any:
        if isinstance(argument, self.torch.fx.Node):
            return self.values[argument.name]
        if isinstance(argument, list | tuple):
            return [self._filled(each) for each in argument]
        return argument

    def _node(self, node: Any) -> None:
        arguments = [self._filled(each) for each in node.args]
        named = {key: self._filled(each) for key, each in node.kwargs.items()}
        if node.target is operator.getitem:
            value, part = arguments
            self.values[node.name] = Ref(value.name, part) if isinstance(value, Ref) else value[part]
            if isinstance(value, Ref):
                self._note(node, self.values[node.name])
            return
        if not _holds_ref([arguments, named]):
            self.values[node.name] = self._worked_out(node, arguments, named)
            return
        kind = _kind(_packet(node))
        if kind in _IGNORED:
            self.values[node.name] = None
            return
        made = self._operation(node, kind, arguments, named)
        self.graph.operations.append(made)
        ref = Ref(made.name)
        if _IN_PLACE.search(_packet(node)) and isinstance(node.args[0], self.torch.fx.Node):
            self._write_back(node.args[0], ref)
        self.values[node.name] = ref
        self._note(node, ref)

    def _write_back(self, node: Any, ref: Ref) -> None:
        """What was changed in place is from then on the new value, under every name that it has."""
        old = self.values[node.name]
        for key, each in self.values.items():
            if each is old or each == old and isinstance(each, Ref):
                self.values[key] = ref

    def _note(self, node: Any, ref: Ref) -> None:
        made = node.meta.get("val")
        if hasattr(made, "shape"):
            self.shapes[_key(ref)] = tuple(int(each) for each in made.shape)

    def _worked_out(self, node: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        """The value of a node that depends on nothing that is learned or given in broken numbers."""
        if node.op != "call_function":
            return None
        with self.torch.no_grad():
            try:
                return node.target(*arguments, **named)
            except Exception as wrong:
                raise ProblemError(_packet(node), self._module(node), f"cannot be worked out: {_line(wrong)}") from wrong

    def _operation(self, node: Any, kind: str, arguments: list[Any], named: dict[str, Any]) -> Operation:
        module, source = self._module(node), _source(node)
        schema = getattr(node.target, "_schema", None)
        keys = [each.name for each in schema.arguments] if schema is not None else []
        told = {**dict(zip(keys, arguments, strict=False)), **named}
        for key, each in zip(keys, node.args, strict=False):
            buffer = self.buffers.get(getattr(each, "name", ""))
            if buffer is not None and kind in _TAKE_BUFFERS and self.torch.is_tensor(told[key]):
                told[key] = self._buffer(buffer, told[key])
        told = {key: self._plain(each) for key, each in told.items() if key not in ("dtype", "memory_format")}
        kind, told = _adapted(kind, told)
        if kind == "dropout" or kind == "feature_dropout":
            kind, told = self._dropout(module or node.name, told)
        if kind == "rms_norm":
            told["precision"] = float(self.torch.finfo(node.meta["val"].dtype).eps)
        if kind not in RULES:
            self.unknown.add(node.target)
        shown = _shown(self.whole, module, kind) if kind in RULES else f"aten.{_packet(node)}"
        return Operation(kind, self._name(node, module, kind), told, module, source, shown)

    def _buffer(self, own: str, value: Any) -> Any:
        if value.ndim > 2 or not value.is_floating_point():
            return value
        self.graph.starts.setdefault(own, Start(_numbers(value), "given"))
        return Ref(own)

    def _dropout(self, module: str, told: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        train = bool(told.pop("train", False)) and float(told["p"]) > 0
        mask = self.masks.get(module)
        if mask is not None:
            train, told["mask"] = True, _numbers(self.torch.as_tensor(mask).double())
        elif train:
            self.dropped.append(module)
        return "dropout", {**told, "train": train}

    def _plain(self, value: Any) -> Any:
        """Numbers as numpy has them; whole and true or false stay as they are."""
        if isinstance(value, list | tuple):
            return [self._plain(each) for each in value]
        if not self.torch.is_tensor(value):
            return value
        return _numbers(value) if value.is_floating_point() else value.detach().cpu().numpy()

    def _module(self, node: Any) -> str:
        stack = list(node.meta.get("nn_module_stack", {}).values())
        path = str(stack[-1][0]) if stack else ""
        return path.removeprefix(_MODEL).removeprefix(".")

    def _name(self, node: Any, module: str, kind: str) -> str:
        """The module's own where it is one that holds no others, the variable's that it is assigned to, or what it is."""
        if node is self._nodes[-2] and not node.meta["val"].shape:
            return LOSS
        named = self._called.get(node.name)
        taken = {each.name for each in self.graph.operations} | set(self.graph.starts)
        whole = f"{_MODEL}.{module}" if module else _MODEL
        if whole in self._leaves and module:
            wanted = module
        elif named is not None:
            wanted = f"{module}.{named}" if module else named
        else:
            told = _SHORT.get(kind, kind).strip("_")
            wanted = f"{module}.{told}" if module else told
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}_{number}", number + 1
        return name


def _holds_ref(arguments: Any) -> bool:
    if isinstance(arguments, Ref):
        return True
    if isinstance(arguments, Mapping):
        return any(map(_holds_ref, arguments.values()))
    return isinstance(arguments, list | tuple) and any(map(_holds_ref, arguments))


def _numbers(value: Any) -> Any:
    return value.detach().cpu().double().numpy()


def _kind(packet: str) -> str:
    """The operation's name, done in place or not."""
    return _RENAMED.get(packet, _IN_PLACE.sub("", packet))


def _packet(node: Any) -> str:
    return _packet_of(node.target)


def _packet_of(target: Any) -> str:
    name = target._schema.name if hasattr(target, "_schema") else getattr(target, "__name__", str(target))
    return str(name).rpartition("::")[2]


def _shown(whole: Any, module: str, kind: str) -> str:
    """The kind of a module for its step's title, where it is one that holds no others; else what the operation is."""
    try:
        found = whole.get_submodule(f"{_MODEL}.{module}" if module else _MODEL)
    except AttributeError:
        return kind
    return type(found).__name__ if module and not list(found.children()) else kind


def _source(node: Any) -> str:
    """The last line of the model's own code that the node comes from, with its file's name."""
    frames = re.findall(r'File "([^"]+)", line (\d+), in .*', node.meta.get("stack_trace") or "")
    for file, line in reversed(frames):
        if "/torch/" in file.replace("\\", "/") or file == __file__:
            continue
        code = linecache.getline(file, int(line)).strip()
        return f"{PurePath(file).name}:{line}: {code}" if code else f"{PurePath(file).name}:{line}"
    return ""


def _assigned_names(nodes: Sequence[Any], taken: set[str]) -> dict[str, str]:
    """For the last node of a line `h = …` the variable's name, where no other line assigns it."""
    lines: dict[str, Any] = {}
    for node in nodes:
        source = _source(node) if node.op == "call_function" else ""
        if source and not (isinstance(node.target, type(operator.getitem)) and node.target is operator.getitem):
            lines[source] = node
    names: dict[str, list[str]] = {}
    for source, node in lines.items():
        name = _target_of(source.split(": ", 1)[-1])
        if name is not None:
            names.setdefault(name, []).append(node.name)
    return {found[0]: name for name, found in names.items() if len(found) == 1 and name not in taken}


def _target_of(code: str) -> str | None:
    try:
        (statement,) = ast.parse(code).body
    except (SyntaxError, ValueError):
        return None
    match statement:
        case ast.Assign([ast.Name(name)], _):
            return name
    return None


def _adapted(kind: str, told: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Names of arguments as the rules have them."""
    renames = {"mat2": "other", "vec": "other", "tensor": "other"} if kind in ("mm", "bmm", "mv", "dot") else {}
    if kind in ("dropout", "feature_dropout") and "self" in told:
        renames = {"self": "input"}
    if kind in ("cat", "stack", "concat") and "tensors" not in told:
        renames = {next(iter(told)): "tensors"}
    made = {renames.get(key, key): each for key, each in told.items()}
    return kind, made


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
        raise ProblemError(file, "optimizer", "found groups of parameters with different settings, expected one for all")
    for flag in ("amsgrad", "maximize"):
        if any(group.get(flag) for group in optimizer.param_groups):
            raise ProblemError(file, "optimizer", f"found {flag}=True, which is not known; leave it off")
    rate = float(groups[0].pop("lr"))
    table: dict[str, Any] = {"name": name}
    for key, value in groups[0].items():
        table[key] = list(map(float, value)) if key == "betas" else value if isinstance(value, bool) else float(value)
    return rate, table


