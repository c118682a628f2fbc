"""From a graph to a problem: the table that a person would have written, read as a file is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracer.errors import ProblemError
from tracer.frameworks.draft import TooLargeError
from tracer.frameworks.graph import Graph
from tracer.frameworks.perceptron_layers import LayeredNetwork, as_layers
from tracer.frameworks.writing import WrittenGraph, places_of, write_program
from tracer.problem.identity import Placement
from tracer.problem.problem import Problem
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.reading import problem_of_table
from tracer.program import naming_policy as named


def problem_of_graph(graph: Graph, name: str, settings: Mapping[str, Any]) -> Problem | ProgramProblem:
    """The problem of a graph; its `origin` says which matrices each parameter of the model is."""
    layered = as_layers(graph, settings)
    if layered is not None:
        found = problem_of_table(layered.document, name)
        found.origin.update(_of_layers(layered))
        return found
    written = written_program(graph, name, settings)
    found = problem_of_table(written.document, name)
    for key, start in graph.starts.items():
        if start.kind == "parameter" or key in graph.with_respect_to:
            found.origin[key] = Placement(
                tuple(start.numbers.shape), tuple(places_of(written.draft, written.values[key]))
            )
    return found


def written_program(graph: Graph, name: str, settings: Mapping[str, Any]) -> WrittenGraph:
    """The graph as a program. Raises ProblemError where it is more than a person reads, saying the sizes."""
    try:
        return write_program(graph, name, settings)
    except TooLargeError as wrong:
        sizes = sum(start.numbers.size for start in graph.starts.values() if start.kind == "parameter")
        largest = max(graph.starts.items(), key=lambda item: item[1].numbers.size)
        says = (
            f"is too large to be read by a person: {wrong}; it has {sizes:,} parameters, and {largest[0]} is "
            f"{'×'.join(map(str, largest[1].numbers.shape))}. Take an excerpt: samples=1, units=4, or block= with "
            "the name of a part of the model"
        )
        raise ProblemError(name, "", says) from None


def _of_layers(layered: LayeredNetwork) -> dict[str, Placement]:
    found = {}
    sizes = layered.document["layers"]
    for number, (each, table) in enumerate(zip(layered.layers, sizes, strict=True), start=1):
        inputs, units = len(table["weights"]), len(table["weights"][0])
        shape = (units, inputs) if each.turned else (inputs, units)
        found[each.weight] = Placement.of_matrix(named.weights(number), shape, each.turned)
        if each.bias is not None:
            found[each.bias] = Placement.of_row(named.bias(number), units)
    return found
