"""What every importer makes of a model: a list of operations over named values, each with its module and source line.

The operations are called as PyTorch calls them before anything is taken apart (`linear`, `layer_norm`, `lstm`), and so
are their arguments. `rules` write each as formulas over matrices.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tracer.frameworks.cells import NumberArray, SourceKind
from tracer.program import naming_policy as named


@dataclass(frozen=True)
class Ref:
    """A value of the graph by its name; `part` where an operation gives several."""

    name: str
    part: int | None = None


@dataclass(frozen=True)
class GraphOperation:
    """One operation: `name` is its value's, `arguments` are Refs, numbers, arrays and settings by their names.

    `module` is the part of the model that it stands in (`encoder.layer.0.q`), `source` the line of code.
    """

    kind: str
    name: str
    arguments: Mapping[str, Any]
    module: str = ""
    source: str = ""
    shown: str = ""

    @property
    def place(self) -> str:
        """Where it stands, for a message."""
        return self.module or self.name


@dataclass(frozen=True)
class Start:
    """Numbers that the graph starts from: what is given, and the parameters.

    `matrix` is the shape of the one matrix that they are where they have more dimensions.
    """

    numbers: NumberArray
    kind: SourceKind
    matrix: tuple[int, int] | None = None


@dataclass
class Graph:
    """Starts by name, operations in order, and the value that is differentiated.

    `outputs` names the model's own outputs, before the loss; `remarks` is what the reader is to know.
    """

    title: str
    starts: dict[str, Start] = field(default_factory=dict)
    operations: list[GraphOperation] = field(default_factory=list)
    loss: Ref = field(default_factory=lambda: Ref(""))
    with_respect_to: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def assigned_name(source: str) -> str | None:
    """The variable that a line of code assigns, after its file and number; None where it is no plain assignment."""
    try:
        (statement,) = ast.parse(source.split(": ", 1)[-1]).body
    except (SyntaxError, ValueError):
        return None
    match statement:
        case ast.Assign([ast.Name(name)], _):
            return name
    return None


def with_assigned_names(graph: Graph) -> Graph:
    """The graph with what a line `h = …` gives in the end called h, where no other line assigns it."""
    last = {each.source: each.name for each in graph.operations if each.source}
    targets: dict[str, list[str]] = {}
    for source, name in last.items():
        target = assigned_name(source)
        if target is not None:
            targets.setdefault(target, []).append(name)
    taken = {*graph.starts, *(each.name for each in graph.operations)}
    new = {found[0]: target for target, found in targets.items() if len(found) == 1 and target not in taken}

    if named.LOSS not in taken | set(new.values()):
        new[graph.loss.name] = named.LOSS

    def renamed(argument: Any) -> Any:
        if isinstance(argument, Ref):
            return Ref(new.get(argument.name, argument.name), argument.part)
        return [renamed(each) for each in argument] if isinstance(argument, list | tuple) else argument

    operations = []
    for each in graph.operations:
        arguments = {key: renamed(value) for key, value in each.arguments.items()}
        operations.append(replace(each, name=new.get(each.name, each.name), arguments=arguments))
    return replace(graph, operations=operations, loss=renamed(graph.loss))


def with_joined_products(graph: Graph) -> Graph:
    """The graph with x @ W + b in one operation, where W and b are numbers that it starts from."""
    made = {each.name: each for each in graph.operations}
    uses = [name for each in graph.operations for name in refs_of(each)]
    gone: set[str] = set()
    operations = []
    for each in graph.operations:
        joined = _joined(graph, made, uses, each) if each.kind == "add" else None
        if joined is not None:
            gone.add(joined.name)
            told = {"input": joined.arguments["self"], "weight": joined.arguments["other"], "bias": _bias(each, joined)}
            each = replace(each, kind="dense", arguments=told)
        operations.append(each)
    return replace(graph, operations=[each for each in operations if each.name not in gone])


def _joined(
    graph: Graph, made: Mapping[str, GraphOperation], uses: list[str], added: GraphOperation
) -> GraphOperation | None:
    """The product that a bias is added to."""
    for one, other in (("self", "other"), ("other", "self")):
        product, bias = added.arguments.get(one), added.arguments.get(other)
        if not isinstance(product, Ref) or not isinstance(bias, Ref) or bias.name not in graph.starts:
            continue
        found = made.get(product.name)
        weight = found.arguments.get("other") if found is not None and found.kind == "matmul" else None
        if not isinstance(weight, Ref) or weight.name not in graph.starts or uses.count(product.name) != 1:
            continue
        table, row = graph.starts[weight.name].numbers, graph.starts[bias.name].numbers
        if table.ndim == 2 and row.shape in ((table.shape[1],), (1, table.shape[1])):
            return found
    return None


def _bias(added: GraphOperation, product: GraphOperation) -> Any:
    return next(each for each in added.arguments.values() if each != Ref(product.name))


def refs_of(operation: GraphOperation) -> list[str]:
    """The values that an operation takes in."""
    return list(_refs(operation.arguments.values()))


def _refs(arguments: Any) -> Iterator[str]:
    for each in arguments:
        if isinstance(each, Ref):
            yield each.name
        elif isinstance(each, list | tuple):
            yield from _refs(each)
