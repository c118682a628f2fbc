"""The first units of every layer of a model that is too wide to be read; their numbers are those of the whole model.

What the other units put into a layer is given, and so is what they send back: each is added where it belongs, so that
every value and every gradient shown is the whole model's, and so is the loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tracer.errors import ProblemError
from tracer.frameworks.cellwise import ONE_CELL
from tracer.frameworks.graph import Graph, GraphOperation, Ref, Start, refs_of
from tracer.frameworks.optional import framework
from tracer.frameworks.pytorch import ExportedReading, graph_of_torch
from tracer.frameworks.torch_excerpts import function_of, target_tensor, values_of
from tracer.frameworks.torch_nodes import as_numbers
from tracer.program import naming_policy as named

_CELL_BY_CELL = {*ONE_CELL, "gelu", "elu", "celu", "leaky_relu", "softplus", "hardtanh", "clamp", "dropout", "identity",
                 "clone", "contiguous", "add", "sub", "mul", "div"}  # fmt: skip


def graph_of_units(
    model: Any, inputs: Any, targets: Any, loss: Any, masks: Mapping[str, Any], units: int, name: str
) -> Graph:
    """The graph of the first so many units of every layer. Raises ProblemError where a layer mixes units otherwise."""
    torch = framework("torch", "torch")
    if units < 1:
        raise ProblemError(name, "units", f"found {units}, expected at least 1")
    function = loss if loss is None or callable(loss) else function_of(torch, str(loss), name)
    title = str(getattr(model, "__name__", type(model).__name__))
    whole, reading = graph_of_torch(model, inputs, target_tensor(torch, targets, loss), function, masks, title, name)
    return _FirstUnits(torch, whole, reading, units, name).taken()


class _FirstUnits:
    """Writes the graph anew with fewer units."""

    def __init__(self, torch: Any, whole: Graph, reading: ExportedReading, units: int, name: str) -> None:
        self.whole, self.units, self.name = whole, units, name
        values = values_of(torch, reading)
        made = [each.name for each in whole.operations if each.kind == "linear"]
        back = torch.autograd.grad(values["loss"], [values[each] for each in made], allow_unused=True)
        self.slopes = {key: each for key, each in zip(made, back, strict=True) if each is not None}
        self.values = {key: as_numbers(each) for key, each in values.items() if torch.is_tensor(each)}
        self.widths: dict[str, int] = {}
        self.returned: list[tuple[str, str, str]] = []
        self.graph = Graph(whole.title, remarks=list(whole.remarks), loss=whole.loss)

    def taken(self) -> Graph:
        linear = [each for each in self.whole.operations if each.kind == "linear"]
        inputs = {each.arguments["input"].name for each in linear if isinstance(each.arguments["input"], Ref)}
        weights = {each.arguments[key].name for each in linear for key in ("weight", "bias")
                   if isinstance(each.arguments.get(key), Ref)}  # fmt: skip
        for key, start in self.whole.starts.items():
            cut = key in inputs and start.numbers.ndim > 1 and start.numbers.shape[-1] > self.units
            if cut:
                self.widths[key] = self.units
                start = replace(start, numbers=start.numbers[..., : self.units])
            if key not in weights:
                self.graph.starts[key] = start
        last = linear[-1].name if linear else ""
        for operation in self.whole.operations:
            if operation.kind == "linear":
                self._linear(operation, operation.name == last)
            else:
                self._other(operation)
        self._send_back()
        self.graph.remarks.append(
            f"An excerpt: the first {self.units} units of each layer. What the others put in (…_others) and send back "
            "(…_back) is given, so that every number is the whole network's."
        )
        return self.graph

    def _linear(self, operation: GraphOperation, last: bool) -> None:
        told = dict(operation.arguments)
        x, weight, bias = told["input"], told["weight"], told.get("bias")
        if not isinstance(x, Ref) or not isinstance(weight, Ref) or weight.name not in self.whole.starts:
            raise self._refused(operation)
        table = self.whole.starts[weight.name]
        out, into = table.numbers.shape
        units = out if last else min(out, self.units)
        width = self.widths[x.name] if x.name in self.widths else int(into)
        self.graph.starts[weight.name] = replace(table, numbers=table.numbers[:units, :width])
        if isinstance(bias, Ref):
            row = self.whole.starts[bias.name]
            self.graph.starts[bias.name] = replace(row, numbers=row.numbers[:units])
        if units < out:
            self.widths[operation.name] = units
            self._note_back(operation, x, table, units, width)
        if width == into:
            self.graph.operations.append(operation)
            return
        others = f"{operation.name}_others"
        hidden = self._value(x.name)[..., width:] @ table.numbers[:units, width:].T
        self.graph.starts[others] = Start(hidden, "given")
        shown = f"{operation.name}_shown"
        self.graph.operations.append(replace(operation, name=shown))
        arguments = {"self": Ref(shown), "other": Ref(others)}
        self.graph.operations.append(replace(operation, kind="add", arguments=arguments))

    def _note_back(self, operation: GraphOperation, x: Ref, table: Start, units: int, width: int) -> None:
        """What the units that are not shown send back to what is shown."""
        slope = self.slopes.get(operation.name)
        if x.name in self.whole.starts or slope is None:
            return
        back, now = f"{operation.name}_back", f"{x.name}_now"
        hidden = as_numbers(slope)[..., units:] @ table.numbers[units:, :width]
        self.graph.starts[back] = Start(hidden, "given")
        self.graph.starts[now] = Start(self._value(x.name)[..., :width], "given")
        self.returned.append((x.name, now, back))

    def _value(self, name: str) -> Any:
        start = self.whole.starts.get(name)
        return self.values[name] if start is None else start.numbers

    def _other(self, operation: GraphOperation) -> None:
        taken = [name for name in refs_of(operation) if name in self.widths]
        if taken:
            whole = [name for name in refs_of(operation) if name not in self.widths]
            several = [self._value(name) for name in whole if self._value(name).ndim]
            if operation.kind not in _CELL_BY_CELL or several or "mask" in operation.arguments:
                raise self._refused(operation)
            self.widths[operation.name] = self.units
        self.graph.operations.append(operation)

    def _refused(self, operation: GraphOperation) -> ProblemError:
        place = f"{self.name}.{operation.place}" if operation.place else self.name
        says = f"{operation.shown or operation.kind} takes all units of a layer together; take an excerpt with block="
        return ProblemError(place, "units", says)

    def _send_back(self) -> None:
        """Add to the loss what is 0 now, and whose slope is what the others send back."""
        total = self.whole.loss.name
        if not self.returned:
            return
        last = self.graph.operations.pop()
        total = "misfit"
        self.graph.operations.append(replace(last, name=total))
        for k, (value, now, back) in enumerate(self.returned):
            apart, times, one = f"{value}_apart", f"{value}_times_back", f"{value}_sent_back"
            name = named.LOSS if k == len(self.returned) - 1 else f"so_far_{k}"
            for kind, made, one_of, other in (
                ("sub", apart, value, now), ("mul", times, apart, back), ("sum", one, times, ""),
                ("add", name, total, one),
            ):  # fmt: skip
                arguments = {"self": Ref(one_of), **({"other": Ref(other)} if other else {})}
                self.graph.operations.append(GraphOperation(kind, made, arguments, shown="What the others send back"))
            total = name
        self.graph.loss = Ref(total)
