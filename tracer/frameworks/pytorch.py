"""Modules and functions of PyTorch: `torch.export` records what they do, before anything is taken apart."""

from __future__ import annotations

import linecache
import operator
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from tracer.errors import ProblemError
from tracer.frameworks.graph import Graph, GraphOperation, Ref, Start, assigned_name
from tracer.frameworks.objectives import LOSS, add_loss
from tracer.frameworks.optional import framework
from tracer.frameworks.rules import RULES
from tracer.frameworks.torch_inputs import (
    as_forward,
    check_inputs,
    exported,
    first_line,
    named_inputs,
    target_tensors,
    whole_of,
)

_IN_PLACE = re.compile(r"(?<=[a-z0-9])_$")
_RENAMED = {"copy_": "copy_", "requires_grad_": "identity", "detach_": "detach"}
_IGNORED = ("_assert_scalar", "sym_constrain_range_for_size", "_assert_async", "_assert_tensor_metadata")
_MODEL = "model"
_OWN_FRAME = "torch_inputs.py"  # the file that calls the model
_TAKE_BUFFERS = ("batch_norm", "instance_norm", "add", "sub", "mul", "div", "matmul", "mm", "bmm", "linear", "addmm")
MOST_TIMES = 3  # that what is not known is taken apart
_SHORT = {"scaled_dot_product_attention": "attention", "cross_entropy_loss": "cross_entropy"}


def graph_of_torch(
    module: Any, inputs: Any, targets: Any, loss: Any, masks: Mapping[str, Any], title: str, name: str
) -> tuple[Graph, ExportedReading]:
    """The graph of a module or a function with its loss; and how it was read off what was recorded."""
    torch = framework("torch", "torch")
    given = named_inputs(torch, module, inputs)
    by_name = tuple(given) if isinstance(inputs, Mapping) else ()
    whole = whole_of(torch)(as_forward(module), loss if callable(loss) else None, by_name)
    check_inputs(torch, whole, given, name)
    goal = target_tensors(torch, targets) if callable(loss) else ()
    recorded = exported(whole, (tuple(given.values()), goal), name)
    reading = ExportedReading(torch, whole, recorded, list(given), masks, Graph(title))
    outputs = reading.read(given, goal)
    for _ in range(MOST_TIMES):
        recorded = _taken_apart(torch, recorded, reading.unknown) if reading.unknown else None
        if recorded is None:
            break
        reading = ExportedReading(torch, whole, recorded, list(given), masks, Graph(title))
        outputs = reading.read(given, goal)
    graph = reading.graph
    output = _first(outputs)
    if not isinstance(output, Ref):
        raise ProblemError(name, "", "what the model gives depends neither on its inputs nor on parameters")
    if loss is not None and not callable(loss):
        numbers = targets.detach().cpu().numpy() if hasattr(targets, "detach") else targets
        add_loss(graph, str(loss), output, reading.shapes[key_of(output)], numbers, name)
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


def key_of(ref: Ref) -> str:
    return ref.name if ref.part is None else f"{ref.name}[{ref.part}]"


def _first(outputs: Any) -> Any:
    while isinstance(outputs, list | tuple) and outputs:
        outputs = outputs[0]
    return outputs


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
        self.nodes: dict[str, str] = {}
        self.arguments: list[Any] = []
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
                self.arguments.append(value)
                self.values[spec.arg.name] = self._given(key, value) if hasattr(spec.arg, "name") else None
                continue
            value = state[spec.target]
            self.arguments.append(value if kind == "PARAMETER" else value.detach().clone())
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
            if each is old or (isinstance(each, Ref) and each == old):
                self.values[key] = ref

    def _note(self, node: Any, ref: Ref) -> None:
        self.nodes.setdefault(key_of(ref), node.name)
        made = node.meta.get("val")
        if hasattr(made, "shape"):
            self.shapes[key_of(ref)] = tuple(int(each) for each in made.shape)

    def _worked_out(self, node: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        """The value of a node that depends on nothing that is learned or given in broken numbers."""
        if node.op != "call_function":
            return None
        with self.torch.no_grad():
            try:
                return node.target(*arguments, **named)
            except Exception as wrong:
                raise ProblemError(
                    _packet(node), self._module(node), f"cannot be worked out: {first_line(wrong)}"
                ) from wrong

    def _operation(self, node: Any, kind: str, arguments: list[Any], named: dict[str, Any]) -> GraphOperation:
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
        return GraphOperation(kind, self._name(node, module, kind), told, module, source, shown)

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
        """The module's where it holds no others, the variable's that it is assigned to, or what it is."""
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
        if "/torch/" in file.replace("\\", "/") or PurePath(file).name == _OWN_FRAME:
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
        name = assigned_name(source)
        if name is not None:
            names.setdefault(name, []).append(node.name)
    return {found[0]: name for name, found in names.items() if len(found) == 1 and name not in taken}


def _adapted(kind: str, told: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Names of arguments as the rules have them."""
    renames = {"mat2": "other", "vec": "other", "tensor": "other"} if kind in ("mm", "bmm", "mv", "dot") else {}
    if kind in ("dropout", "feature_dropout") and "self" in told:
        renames = {"self": "input"}
    if kind in ("cat", "stack", "concat") and "tensors" not in told:
        renames = {next(iter(told)): "tensors"}
    made = {renames.get(key, key): each for key, each in told.items()}
    return kind, made
