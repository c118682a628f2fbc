"""Modules and functions of PyTorch: `torch.export` records what they do, before anything is taken apart."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

from tracer.errors import ProblemError
from tracer.frameworks.graph import Graph, GraphOperation, Ref, Start
from tracer.frameworks.objectives import LOSS, add_loss
from tracer.frameworks.optional import framework
from tracer.frameworks.refusals import WHY
from tracer.frameworks.rules import RULES
from tracer.frameworks.torch_inputs import (
    as_forward,
    check_inputs,
    named_inputs,
    refuse_own_slopes,
    target_tensors,
    whole_of,
)
from tracer.frameworks.torch_nodes import (
    MODEL,
    adapted,
    as_numbers,
    assigned_names,
    changes_its_input,
    is_drawn,
    kind_of,
    module_of,
    packet_of,
    refuse_precision,
    shown_as,
    source_of,
)
from tracer.frameworks.torch_recording import first_line, recorded, taken_apart, user_outputs
from tracer.frameworks.writing import shape_of_value

_IGNORED = ("_assert_scalar", "sym_constrain_range_for_size", "sym_constrain_range", "_assert_async",
            "_assert_tensor_metadata")  # fmt: skip
_TAKE_BUFFERS = ("batch_norm", "instance_norm", "add", "sub", "mul", "div", "matmul", "mm", "bmm", "linear", "addmm")
_OF_SHAPE = ("zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like", "randint_like",
             "new_zeros", "new_ones", "new_full", "new_empty")  # fmt: skip
"""Operations that take of their first argument its shape alone."""
_DROPOUTS = ("dropout", "feature_dropout", "native_dropout", "alpha_dropout", "feature_alpha_dropout")
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
    refuse_own_slopes(torch, whole, given, goal, name)
    program = recorded(whole, (tuple(given.values()), goal), name)
    reading, outputs = _read(torch, whole, program, given, goal, masks, title, name)
    for _ in range(MOST_TIMES):
        program = taken_apart(torch, program, reading.unknown) if reading.unknown else None
        if program is None:
            break
        reading, outputs = _read(torch, whole, program, given, goal, masks, title, name)
    graph = reading.graph
    output = _first(outputs)
    if not isinstance(output, Ref):
        raise ProblemError(name, "", "what the model gives depends neither on its inputs nor on parameters")
    if loss is not None and not callable(loss):
        numbers = targets.detach().cpu().numpy() if hasattr(targets, "detach") else targets
        add_loss(graph, str(loss), output, _shape(reading, output, name), numbers, name)
    else:
        graph.loss = output
    if reading.dropped:
        names = ", ".join(reading.dropped)
        graph.remarks.append(f"Dropout is off here ({names}); masks= takes a mask for each.")
    if reading.drawn:
        names = ", ".join(dict.fromkeys(reading.drawn))
        graph.remarks.append(f"Random numbers ({names}) were drawn once, as the model would draw them next.")
    return graph, reading


def _read(
    torch: Any, whole: Any, program: Any, given: Mapping[str, Any], goal: Sequence[Any], masks: Mapping[str, Any],
    title: str, name: str,
) -> tuple[ExportedReading, Any]:  # fmt: skip
    """A reading of what was recorded, and its outputs; each draws the same random numbers."""
    reading = ExportedReading(torch, whole, program, list(given), masks, Graph(title), name)
    state = torch.random.get_rng_state()
    try:
        return reading, reading.read(given, goal)
    finally:
        torch.random.set_rng_state(state)


def _shape(reading: ExportedReading, output: Ref, name: str) -> tuple[int, ...]:
    found = reading.shapes.get(key_of(output))
    return shape_of_value(reading.graph, output, name) if found is None else found


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
        self, torch: Any, whole: Any, exported: Any, names: Sequence[str], masks: Mapping[str, Any], graph: Graph,
        name: str,
    ) -> None:  # fmt: skip
        self.torch, self.whole, self.exported, self.graph = torch, whole, exported, graph
        self.names, self.masks, self.name = list(names), masks, name
        self.values: dict[str, Any] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.dropped: list[str] = []
        self.drawn: list[str] = []
        self.unknown: set[Any] = set()
        self.nodes: dict[str, str] = {}
        self.arguments: list[Any] = []
        self.buffers: dict[str, str] = {}
        self._leaves = {key for key, each in whole.named_modules() if not list(each.children())}
        self._nodes = [each for each in exported.graph.nodes if each.op != "placeholder"]
        self._called = assigned_names(self._nodes, set(names))

    def read(self, given: Mapping[str, Any], goal: Sequence[Any]) -> Any:
        """The outputs of the graph, as Refs."""
        self._start(given, goal)
        for node in self._nodes:
            if node.op == "output":
                return self._filled(user_outputs(self.exported, node.args[0]))
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
            if kind == "TOKEN":  # an order of effects, and no number
                self.values[spec.arg.name] = None
                continue
            value = state[spec.target]
            self.arguments.append(value if kind == "PARAMETER" else value.detach().clone())
            own = str(spec.target).removeprefix(f"{MODEL}.")
            if kind == "PARAMETER":
                self.values[spec.arg.name] = self._parameter(own, value, tied)
            else:
                self.values[spec.arg.name] = value.detach().clone() if hasattr(value, "detach") else value
                self.buffers[spec.arg.name] = own

    def _given(self, key: str, value: Any) -> Any:
        if not self.torch.is_tensor(value) or not value.is_floating_point():
            return value
        learned = value.requires_grad
        self.graph.starts[key] = Start(as_numbers(value), "parameter" if learned else "given")
        self.shapes[key] = tuple(value.shape)
        return Ref(key)

    def _parameter(self, own: str, value: Any, tied: dict[int, Ref]) -> Ref:
        known = tied.get(id(value))
        if known is not None:
            return known
        live = value.requires_grad
        self.graph.starts[own] = Start(as_numbers(value), "parameter" if live else "given")
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
        kind = kind_of(node)
        if kind in _OF_SHAPE and isinstance(arguments[0], Ref):
            arguments[0] = self._like(node.args[0].meta["val"])
        if kind in _DROPOUTS and not _holds_ref(arguments):
            self.values[node.name] = arguments[0]
            return
        if not _holds_ref([arguments, named]):
            self.values[node.name] = self._worked_out(node, arguments, named)
            return
        if kind in _IGNORED:
            self.values[node.name] = None
            return
        refuse_precision(node, self.name)
        made = self._operation(node, kind, arguments, named)
        self.graph.operations.append(made)
        ref = Ref(made.name)
        if changes_its_input(node) and isinstance(node.args[0], self.torch.fx.Node):
            self._write_back(node.args[0], ref)
        self.values[node.name] = ref
        self._note(node, ref)

    def _like(self, value: Any) -> Any:
        """A tensor of the shape and precision that a value has."""
        return self.torch.empty(tuple(map(int, value.shape)), dtype=value.dtype)

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
            sizes = tuple(made.shape)
            if all(isinstance(each, int) for each in sizes):  # not one that depends on numbers
                self.shapes[key_of(ref)] = sizes

    def _worked_out(self, node: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        """The value of a node that depends on nothing that is learned or given in broken numbers."""
        if node.op != "call_function":
            return None
        if is_drawn(self.torch, node):
            self.drawn.append(packet_of(node))
        with self.torch.no_grad():
            try:
                return node.target(*arguments, **named)
            except Exception as wrong:
                says = f"cannot be worked out: {first_line(wrong)}"
                raise ProblemError(packet_of(node), module_of(node), says) from wrong

    def _operation(self, node: Any, kind: str, arguments: list[Any], named: dict[str, Any]) -> GraphOperation:
        module, source = module_of(node), source_of(node)
        schema = getattr(node.target, "_schema", None)
        keys = [each.name for each in schema.arguments] if schema is not None else ["self", "other"]
        told = {**dict(zip(keys, arguments, strict=False)), **named}
        for key, each in zip(keys, node.args, strict=False):
            buffer = self.buffers.get(getattr(each, "name", ""))
            if buffer is not None and kind in _TAKE_BUFFERS and self.torch.is_tensor(told[key]):
                told[key] = self._buffer(buffer, told[key])
        told = {key: self._plain(each) for key, each in told.items() if key not in ("dtype", "memory_format")}
        kind, told = adapted(node, kind, told)
        if kind in _DROPOUTS:
            kind, told = self._dropout(kind, module or node.name, told)
        elif told.get("dropout_p"):  # of attention's shares
            told["dropout_p"] = 0.0
            self.dropped.append(module or node.name)
        if told.get("training") and "running_mean" in told:  # which the batch's own take the place of
            told = {key: each for key, each in told.items() if not key.startswith("running_")}
        if kind == "rms_norm":
            told["precision"] = float(self.torch.finfo(node.meta["val"].dtype).eps)
        if kind not in RULES and kind not in WHY:
            self.unknown.add(node.target)
        shown = shown_as(self.whole, node, module, kind)
        return GraphOperation(kind, self._name(node, module, kind), told, module, source, shown)

    def _buffer(self, own: str, value: Any) -> Any:
        if value.ndim > 2 or not value.is_floating_point():
            return value
        self.graph.starts.setdefault(own, Start(as_numbers(value), "given"))
        return Ref(own)

    def _dropout(self, kind: str, module: str, told: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Off, or with its mask; of the kind that gives its mask too, both."""
        train = bool(told.pop("train", False)) and float(told["p"]) > 0
        mask = self.masks.get(module)
        if mask is not None and "alpha" in kind:
            raise ProblemError(module, "masks", "alpha dropout also shifts what it keeps; expected no mask for it")
        if mask is not None:
            train, told["mask"] = True, as_numbers(self.torch.as_tensor(mask).double())
        elif train:
            self.dropped.append(module)
        return "native_dropout" if kind == "native_dropout" else "dropout", {**told, "train": train}

    def _plain(self, value: Any) -> Any:
        """Numbers as numpy has them; whole and true or false stay as they are."""
        if isinstance(value, list | tuple):
            return [self._plain(each) for each in value]
        if not self.torch.is_tensor(value):
            return value
        return as_numbers(value) if value.is_floating_point() else value.detach().cpu().numpy()

    def _name(self, node: Any, module: str, kind: str) -> str:
        """The module's where it holds no others, the variable's that it is assigned to, or what it is."""
        if node is self._nodes[-2] and not getattr(node.meta["val"], "shape", (0,)):
            return LOSS
        named = self._called.get(node.name)
        taken = {each.name for each in self.graph.operations} | set(self.graph.starts)
        whole = f"{MODEL}.{module}" if module else MODEL
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
