"""The picture of a network as geometry: columns of circles from left to right, and what stands by them.

Positions are in pixels from the top left corner; what draws them, and in what format, is not known
here. A layer of many units is summarised by its first units, a gap that says how many are left out,
and its last unit; so is a network of many layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tracer.presentation.excerpt import counted, kept
from tracer.problem.problem import Problem

RADIUS = 16.0
PITCH = 34.0  # from one unit to the next below
LEFT, RIGHT, TOP = 70.0, 130.0, 4.0  # margins: what goes in is written on the left, what comes out on the right
MOST_SPACING, MOST_WIDTH = 180.0, 650.0  # between two columns; of the whole picture
LINE = 15.0  # from one line of text to the next
CAPTION_LINES = 4
MOST_UNITS, FIRST_UNITS = 12, 6  # a larger layer shows its first ones and its last
MOST_COLUMNS, FIRST_COLUMNS, LAST_COLUMNS = 6, 3, 2  # of layers, the inputs among them
LEAST_STROKE, MOST_STROKE = 0.7, 3.2
FEW_EDGES = 30  # of which the widest has MOST_STROKE; more are thinner, so that they can be told apart


@dataclass(frozen=True, slots=True)
class Node:
    """A unit that is shown; layer 0 is the inputs, units count from 0."""

    layer: int
    unit: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Units of a layer, or (`layer` is None) whole layers, that are left out: how many."""

    layer: int | None
    x: float
    y: float
    count: int


@dataclass(frozen=True, slots=True)
class NetworkLayout:
    """What is shown and where; `captions_y` is the top of the text under the columns.

    `columns` has the x of every layer shown, `edges` the pairs of nodes that a weight connects.
    """

    width: float
    height: float
    captions_y: float
    columns: Mapping[int, float]
    nodes: tuple[Node, ...]
    gaps: tuple[Gap, ...]
    edges: tuple[tuple[Node, Node], ...]

    def stroke(self, weight: float, largest: float) -> float:
        """How wide a connection is drawn; `largest` is the largest absolute weight of the picture."""
        widest = max(2 * LEAST_STROKE, MOST_STROKE * min(1.0, FEW_EDGES / len(self.edges)))
        return LEAST_STROKE + (widest - LEAST_STROKE) * (abs(weight) / largest if largest else 0.0)


def lay_out_network(sizes: Sequence[int]) -> NetworkLayout:
    """Where the units of a network are drawn; `sizes` has the inputs, then the units of each layer."""
    shown = _kept_layers(len(sizes))
    spacing = min(MOST_SPACING, (MOST_WIDTH - LEFT - RIGHT) / (len(shown) - 1))
    slots = max(len(_kept_units(sizes[layer])) for layer in shown if layer is not None)
    middle = TOP + slots * PITCH / 2
    nodes: list[Node] = []
    gaps: list[Gap] = []
    columns: dict[int, float] = {}
    for place, layer in enumerate(shown):
        x = LEFT + place * spacing
        if layer is None:
            gaps.append(Gap(None, x, middle, len(sizes) - FIRST_COLUMNS - LAST_COLUMNS))
            continue
        columns[layer] = x
        units = _kept_units(sizes[layer])
        for k, unit in enumerate(units):
            y = middle + (k - (len(units) - 1) / 2) * PITCH
            if unit is None:
                gaps.append(Gap(layer, x, y, sizes[layer] - FIRST_UNITS - 1))
            else:
                nodes.append(Node(layer, unit, x, y))
    captions_y = TOP + slots * PITCH + LINE / 2
    width = LEFT + (len(shown) - 1) * spacing + RIGHT
    height = captions_y + (CAPTION_LINES + 2) * LINE  # a free line, and the key to the strokes
    return NetworkLayout(width, height, captions_y, columns, tuple(nodes), tuple(gaps), tuple(_edges(nodes, columns)))


def _kept_layers(columns: int) -> list[int | None]:
    return kept(columns, MOST_COLUMNS, FIRST_COLUMNS, LAST_COLUMNS)


def _kept_units(count: int) -> list[int | None]:
    return kept(count, MOST_UNITS, FIRST_UNITS, 1)


def _edges(nodes: Sequence[Node], columns: Mapping[int, float]) -> Iterator[tuple[Node, Node]]:
    """Every connection between neighbouring layers of which both ends are shown."""
    for before, layer in pairwise(columns):
        if layer == before + 1:
            ends = [node for node in nodes if node.layer == layer]
            yield from ((start, end) for start in nodes if start.layer == before for end in ends)


def node_name(depth: int, node: Node) -> str:
    """What stands in a circle: x1, h1 (with several hidden layers h2,1: the first unit of the second), o1."""
    if node.layer in (0, depth):
        return f"{'o' if node.layer else 'x'}{node.unit + 1}"
    return f"h{node.unit + 1}" if depth == 2 else f"h{node.layer},{node.unit + 1}"


def caption(problem: Problem, layer: int) -> tuple[str, ...]:
    """What stands under a column, line by line."""
    if layer == 0:
        return ("inputs", counted(problem.sizes[0], "value"))
    made = problem.layers[layer - 1]
    number = f" {layer}" if problem.depth > 2 else ""
    title = "output layer" if layer == problem.depth else f"hidden layer{number}"
    without = made.bias is None and not problem.convention.leading
    bias = "no bias" if without else "one shared bias" if made.shared_bias else "with bias"
    return (title, counted(made.units, "unit"), made.activation, bias)


def describe(problem: Problem) -> str:
    """The picture in words, for those who cannot see it."""
    shown = _kept_layers(len(problem.sizes))[1:]
    layers = [_layer_words(problem, each) if each else _layers_left_out(len(problem.sizes)) for each in shown]
    return (
        f"The network from left to right. {counted(problem.sizes[0], 'input')}; {'; '.join(layers)}. Every unit is "
        "connected with all units of the layer before it: a wide line is a large weight, a dashed one is negative."
    )


def _layer_words(problem: Problem, layer: int) -> str:
    title, *words = caption(problem, layer)
    return f"{title}: {', '.join(words)}"


def _layers_left_out(columns: int) -> str:
    return f"{columns - FIRST_COLUMNS - LAST_COLUMNS} more hidden layers"
