"""Excerpts of models that are too large to be read whole; their numbers are those of the whole model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks.graph import Graph, GraphOperation, Ref, Start, refs_of
from tracer.frameworks.objectives import SAME
from tracer.frameworks.optional import framework
from tracer.frameworks.pytorch import ExportedReading, graph_of_torch, key_of
from tracer.frameworks.torch_recording import user_outputs
from tracer.program import naming_policy as named

MOST_NAMED = 12  # modules in a message


def first_samples(inputs: Any, targets: Any, count: int) -> tuple[Any, Any]:
    """The first samples of everything that has as many rows as the first input."""
    first = (
        next(iter(inputs.values()))
        if isinstance(inputs, Mapping)
        else inputs[0]
        if isinstance(inputs, tuple)
        else inputs
    )
    rows = len(first)

    def cut(value: Any) -> Any:
        has_rows = hasattr(value, "__len__") and not isinstance(value, str) and len(value) == rows
        return value[:count] if has_rows else value

    if isinstance(inputs, Mapping):
        return {key: cut(each) for key, each in inputs.items()}, cut(targets)
    return (tuple(map(cut, inputs)) if isinstance(inputs, tuple) else cut(inputs)), cut(targets)


def graph_of_block(
    model: Any, inputs: Any, targets: Any, loss: Any, masks: Mapping[str, Any], block: str, name: str
) -> Graph:
    """The graph of one part of a module: what comes in is given, and so is what comes back to its outputs.

    Its loss adds up the outputs times the gradients that the whole model sends back to them, so that every gradient
    within is the whole model's. Raises ProblemError for a part that there is not.
    """
    torch = framework("torch", "torch")
    function = loss if loss is None or callable(loss) else function_of(torch, str(loss), name)
    whole, reading = graph_of_torch(model, inputs, target_tensor(torch, targets, loss), function, masks, "", name)
    inside = [each for each in whole.operations if each.module == block or each.module.startswith(f"{block}.")]
    if not inside:
        modules = dict.fromkeys(each.module for each in whole.operations if each.module)
        listed = ", ".join(list(modules)[:MOST_NAMED]) + (", …" if len(modules) > MOST_NAMED else "")
        raise ProblemError(name, "block", f"found {block!r}, expected a part of the model: {listed}")
    return _part(torch, whole, reading, inside, block)


def function_of(torch: Any, loss: str, name: str) -> Any:
    """The loss of a name as a function. Raises ProblemError."""
    found = getattr(torch.nn.functional, SAME.get(loss, loss), None)
    if found is None:
        raise ProblemError(
            name, "loss", f"found {loss!r}, expected for an excerpt one of torch.nn.functional, or a function"
        )
    return found


def target_tensor(torch: Any, targets: Any, loss: Any) -> Any:
    """Targets as a loss of PyTorch takes them."""
    if targets is None or torch.is_tensor(targets) or callable(loss):
        return targets
    return torch.as_tensor(np.asarray(targets))


def _part(torch: Any, whole: Graph, reading: ExportedReading, inside: list[GraphOperation], block: str) -> Graph:
    own = {each.name for each in inside}
    taken = [name for each in inside for name in refs_of(each) if name not in own]
    outside = [each for each in whole.operations if each.name not in own]
    outputs = [ref for each in outside for ref in _all_refs(each) if ref.name in own]
    outputs = list(dict.fromkeys(outputs)) or [Ref(inside[-1].name)]
    tensors = values_of(torch, reading)
    found = Graph(block, remarks=list(whole.remarks))
    for name in dict.fromkeys(taken):
        start = whole.starts.get(name)
        found.starts[name] = start if start is not None else Start(_array(tensors[name]), "given")
    back = torch.autograd.grad(tensors["loss"], [tensors[key_of(ref)] for ref in outputs], allow_unused=True)
    found.operations = list(inside)
    total: Ref | None = None
    for k, (ref, gradient) in enumerate(zip(outputs, back, strict=True)):
        if gradient is None:
            continue
        found.starts[f"back_{k}" if len(outputs) > 1 else "back"] = Start(_array(gradient), "given")
        total = _added(found, ref, list(found.starts)[-1], total, k)
    if total is None:
        raise ProblemError(block, "", "no gradient comes back to this part")
    found.loss = total
    found.remarks.append(
        f"An excerpt: {block} alone. What comes in, and the gradient that comes back to its outputs (back), are "
        "those of the whole model, and so is every number here but the loss."
    )
    return found


def _added(graph: Graph, output: Ref, back: str, total: Ref | None, number: int) -> Ref:
    """The outputs times what comes back to them, added up and to what there was before."""
    product, one = f"outputs_times_back_{number}", named.LOSS if total is None else f"sum_{number}"
    graph.operations.append(
        GraphOperation("mul", product, {"self": output, "other": Ref(back)}, shown="What comes back")
    )
    graph.operations.append(GraphOperation("sum", one, {"self": Ref(product)}, shown="What comes back"))
    if total is None:
        return Ref(one)
    name = f"{named.LOSS}_{number}"
    graph.operations.append(GraphOperation("add", name, {"self": total, "other": Ref(one)}, shown="What comes back"))
    return Ref(name)


def _all_refs(operation: GraphOperation) -> list[Ref]:
    found: list[Ref] = []

    def look(argument: Any) -> None:
        if isinstance(argument, Ref):
            found.append(argument)
        elif isinstance(argument, list | tuple):
            for each in argument:
                look(each)

    look(list(operation.arguments.values()))
    return found


def _array(tensor: Any) -> Any:
    return tensor.detach().cpu().double().numpy()


def values_of(torch: Any, reading: ExportedReading) -> dict[str, Any]:
    """The tensors of a run of the whole model by the graph's names, and its "loss"."""

    class Keeper(torch.fx.Interpreter):  # type: ignore[misc]
        def __init__(self, module: Any) -> None:
            super().__init__(module)
            self.made: dict[str, Any] = {}

        def run_node(self, n: Any) -> Any:
            made = super().run_node(n)
            self.made[n.name] = made
            return made

    keeper = Keeper(reading.exported.graph_module)
    result = keeper.run(*reading.arguments)
    result = user_outputs(reading.exported, result)
    while isinstance(result, list | tuple):
        result = result[0]
    found = {key: keeper.made[node] for key, node in reading.nodes.items()}
    return {**found, "loss": result}
