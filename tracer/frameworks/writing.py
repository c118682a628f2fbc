"""A graph written as a problem file's table: a plain multilayer perceptron as `[[layers]]`, everything else as
`[[steps]]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks import (
    cellwise,
    images,
    layers,
    losses,
    moves,
    onnx_estimators,
    onnx_layers,
    onnx_places,
    onnx_rules,
    ordering,
    pooling,
    products,
    recurrent,
    reductions,
    resizing,
    scattering,
    volumes,
)
from tracer.frameworks.cells import Held, Ids, Laid
from tracer.frameworks.draft import Draft, DraftStep
from tracer.frameworks.graph import Graph, GraphOperation, Ref
from tracer.frameworks.refusals import why_not
from tracer.frameworks.rules import RULES, Later, Untold

ROOMS = (cellwise, images, layers, losses, moves, onnx_estimators, onnx_layers, onnx_places, onnx_rules, ordering,
         pooling, products, recurrent, reductions, resizing, scattering, volumes)  # fmt: skip
"""The modules that fill the table of rules."""
_KINDS = {"given": "given", "constant": "given", "parameter": "parameters"}


@dataclass
class WrittenGraph:
    """A problem file's table, and where the values of the graph are in it: the cells of matrices."""

    document: dict[str, Any]
    draft: Draft
    values: Mapping[str, Any] = field(default_factory=dict)

    def places(self, name: str, part: int | None = None) -> list[tuple[str, Ids, Ids]]:
        """The matrices that a value is made of; for each the places in the flattened value, and in the matrix."""
        value = self.values[name] if part is None else self.values[name][part]
        return [] if isinstance(value, Later) else places_of(self.draft, value)  # which nothing asked for


def places_of(draft: Draft, value: Laid) -> list[tuple[str, Ids, Ids]]:
    """The matrices that have a tensor's cells; for each the places in the flattened tensor, and in the matrix."""
    flat = value.cells.ravel()
    owners = draft.table.owners(flat)
    found = []
    for owner in dict.fromkeys(owners[owners >= 0].tolist()):
        at = np.flatnonzero(owners == owner)
        within = draft.table.rows(flat[at]) * draft.table.shapes[owner][1] + draft.table.columns(flat[at])
        found.append((draft.table.names[owner], at, within))
    return found


def write_program(graph: Graph, name: str, settings: Mapping[str, Any]) -> WrittenGraph:
    """The graph as the table of a program file. Raises ProblemError for an operation that is not known."""
    draft, values = _run(graph, name)
    for key, start in graph.starts.items():
        if start.kind == "parameter" or key in graph.with_respect_to:
            draft.start_matrices(values[key])
    return WrittenGraph(_document(graph, draft, values, settings), draft, values)


def shape_of_value(graph: Graph, ref: Ref, name: str) -> tuple[int, ...]:
    """The shape of a value of a graph that has no loss yet."""
    _, values = _run(graph, name)
    found = value_of(values, ref)
    return found.shape if isinstance(found, Laid) else tuple(np.shape(found))


def _run(graph: Graph, name: str) -> tuple[Draft, dict[str, Any]]:
    """A draft with all operations of a graph, and the values that they gave."""
    draft = Draft(name)
    values: dict[str, Any] = {}
    for key, start in graph.starts.items():
        values[key] = draft.source(key, start.numbers, start.kind, start.matrix)
    for operation in graph.operations:
        draft.operation = operation
        values[operation.name] = _applied(draft, operation, values)
    return draft, values


def _applied(draft: Draft, operation: GraphOperation, values: Mapping[str, Any]) -> Any:
    made = RULES.get(operation.kind)
    if made is None:
        raise draft.refuse(why_not(operation.kind))
    arguments = {key: _settled(draft, _resolved(each, values)) for key, each in operation.arguments.items()}
    for each in arguments.values():
        found = next((one for one in _several(each) if isinstance(one, Untold)), None)
        if found is not None:
            raise draft.refuse(f"takes {found.what}, which no formula here tells; give them as an input")
    try:
        return made(draft, **arguments)
    except (TypeError, ValueError, IndexError) as wrong:
        raise draft.refuse(f"cannot be taken over as it is used here: {wrong}") from wrong


def _several(argument: Any) -> list[Any]:
    return argument if isinstance(argument, list) else [argument]


def _resolved(argument: Any, values: Mapping[str, Any]) -> Any:
    match argument:
        case Ref(name, None):
            return values[name]
        case Ref(name, part):
            return values[name][part]
        case list() | tuple():
            return [_resolved(each, values) for each in argument]
        case _:
            return argument


def _settled(draft: Draft, argument: Any) -> Any:
    """An argument whose formulas are there: written now, as the operation's that gives it."""
    if isinstance(argument, list):
        return [_settled(draft, each) for each in argument]
    if not isinstance(argument, Later):
        return argument
    taking, draft.operation = draft.operation, argument.operation
    try:
        return argument.made
    finally:
        draft.operation = taking


def value_of(values: Mapping[str, Any], ref: Ref) -> Held:
    """The value that a Ref means."""
    found: Held = _resolved(ref, values)
    return found


def _document(graph: Graph, draft: Draft, values: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    loss = value_of(values, graph.loss)
    if not isinstance(loss, Laid) or loss.cells.size != 1:
        shape = loss.shape if isinstance(loss, Laid) else np.shape(loss)
        says = f"found a loss of shape {list(shape)}, expected one number that depends on the parameters"
        raise ProblemError(draft.name, "loss", says)
    cells = loss.cells.reshape(1, 1)
    text = draft.text(cells)
    numbers: dict[str, dict[str, Any]] = {"given": {}, "parameters": {}}
    for kind, matrices in draft.starts.items():
        for each, values_of in matrices.items():
            numbers[_KINDS[kind]][each] = values_of.tolist()
    differentiated = [name for key in graph.with_respect_to for name, _, _ in places_of(draft, values[key])]
    document = {
        "title": graph.title,
        **({"description": " ".join(graph.remarks)} if graph.remarks else {}),
        "loss": text,
        **({"with_respect_to": differentiated} if differentiated else {}),
        **settings,
        **{key: table for key, table in numbers.items() if table},
        "steps": [step_table(each) for each in draft.steps],
    }
    return document


def step_table(step: DraftStep) -> dict[str, Any]:
    """A step of the file: what it is called says the module, why the line of code."""
    operation = step.operation
    what = operation.shown or operation.kind
    code = operation.source.split(": ", 1)[-1]
    title = f"{operation.module}: {what}" if operation.module else code[:60] or what
    title += f", {step.part}" if step.part else ""
    told = {"title": title, **({"why": operation.source} if operation.source else {})}
    return {**told, "formulas": step.formulas}
