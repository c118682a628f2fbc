"""The network as SVG: all of it with every connection named, or one layer forward.

The geometry is network_layout's, stretched until the names on the connections do not touch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from math import dist

from markupsafe import Markup, escape

from tracer.derivation.network_cells import NetworkCells
from tracer.expression import scalar as s
from tracer.expression.label import Label, label_text
from tracer.presentation.network_layout import LINE, PITCH, RADIUS, TOP, Gap, Node, caption, lay_out_network

NAME_HEIGHT = 21.0  # that the name of a connection takes
MOST_STARTS, MOST_ENDS = 8, 5  # units before and behind connections that have room for their names
MOST_LETTERS, LETTER = 12, 5.0  # of such a name, and the width of one
SUMS_PITCH = 42.0  # from one unit to the next where something is written above each
ARROW = Markup(
    '<svg class="arrow" width="0" height="0" aria-hidden="true"><defs><marker id="arrow" viewBox="0 0 9 6" refX="9" '
    'refY="3" markerWidth="9" markerHeight="6" orient="auto"><path d="M0 0 9 3 0 6z"/></marker></defs></svg>'
)
"""The tip of every line, once in a page; the style sheet puts it there."""

Edge = tuple[Node, Node]


def draw(cells: NetworkCells) -> Markup:
    """The whole network; connections are named where there is room."""
    drawing = _Drawing(cells)
    return drawing.svg(drawing.layout.edges, "The network", named=True)


def draw_sums(cells: NetworkCells, layer: int) -> Markup:
    """What goes into a layer, with the names of its sums and of what comes out."""
    drawing = _Drawing(cells, SUMS_PITCH, layer)
    edges = [edge for edge in drawing.layout.edges if edge[1].layer == layer]
    return drawing.svg(edges, f"Layer {layer} forward")


class _Drawing:
    """Draws with a distance between units (None: enough for the names of all connections)."""

    def __init__(self, cells: NetworkCells, pitch: float | None = None, sums: int | None = None) -> None:
        self.cells, self.sums = cells, sums
        self.layout = lay_out_network(cells.problem.sizes)
        self.units = Counter(node.layer for node in self.layout.nodes)
        pitches = [self._pitch(layer) for layer in self.layout.columns] if pitch is None else [pitch]
        self.stretch = max(pitches) / PITCH
        self.captions_y = self.y(self.layout.captions_y - LINE / 2) + LINE / 2

    def svg(self, edges: Collection[Edge], title: str, named: bool = False) -> Markup:
        words = "; ".join(", ".join(caption(self.cells.problem, layer)) for layer in self.layout.columns)
        width, height = round(self.layout.width), round(self.captions_y + 3 * LINE)
        parts = "\n".join(self._parts(edges, named))
        return Markup(
            f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
            f'aria-label="{escape(title)}: {escape(words)}">\n{parts}\n</svg>'
        )

    def y(self, y: float) -> float:
        return TOP + (y - TOP) * self.stretch

    def _parts(self, edges: Collection[Edge], named: bool) -> Iterator[str]:
        yield from (self._edge(*edge) for edge in edges)
        if named:
            yield from (self._edge_name(*edge) for edge in edges if self._named(edge[1].layer))
        yield from map(self._node, self.layout.nodes)
        yield from map(self._gap, self.layout.gaps)
        for layer, x in self.layout.columns.items():
            for k, words in enumerate(_caption(self.cells, layer)):
                yield svg_text(x, self.captions_y + (k + 0.8) * LINE, escape(words), "caption")

    def _named(self, layer: int) -> bool:
        """Whether the connections into a layer have room for their names."""
        sizes = self.cells.problem.sizes
        if layer - 1 not in self.layout.columns:
            return False
        longest = len(label_text(self._weight(layer, sizes[layer - 1] - 1, sizes[layer] - 1)))
        return sizes[layer - 1] <= MOST_STARTS and sizes[layer] <= MOST_ENDS and longest <= MOST_LETTERS

    def _pitch(self, layer: int) -> float:
        """From one unit to the next, so that no two names of the connections into a layer are at one height."""
        return NAME_HEIGHT * (self.units[layer] + 1) if layer and self._named(layer) else PITCH

    def _weight(self, layer: int, start: int, end: int) -> Label:
        return self.cells.label(
            s.Cell(self.cells.program.layer(layer).weights, *self.cells.problem.weight_at(start, end))
        )

    def _edge(self, start: Node, end: Node) -> str:
        (x1, y1), (x2, y2) = (start.x, self.y(start.y)), (end.x, self.y(end.y))
        length = dist((x1, y1), (x2, y2))
        across, down = RADIUS * (x2 - x1) / length, RADIUS * (y2 - y1) / length
        return f'<line x1="{x1 + across:.0f}" y1="{y1 + down:.0f}" x2="{x2 - across:.0f}" y2="{y2 - down:.0f}"/>'

    def _edge_name(self, start: Node, end: Node) -> str:
        """The name on its connection, so far along that those of the next unit begin below those of this one."""
        name, share = self._weight(end.layer, start.unit, end.unit), 1 / (self.units[end.layer] + 1)
        beside = RADIUS + LETTER * len(label_text(name)) / 2
        x = start.x + max(share * (end.x - start.x), beside)
        y = self.y(start.y) + share * (self.y(end.y) - self.y(start.y))
        return svg_text(x, y + 4, svg_label(name), "over")

    def _node(self, node: Node) -> str:
        y = self.y(node.y)
        circle = f'<circle cx="{node.x:.0f}" cy="{y:.0f}" r="{RADIUS:g}"/>'
        name = svg_text(node.x, y + 4, svg_label(self.cells.names.unit(node.layer, node.unit)), "unit")
        return circle + name + "".join(self._beside(node, y))

    def _beside(self, node: Node, y: float) -> Iterator[str]:
        """What goes into a unit and what comes out, where it is shown."""
        program, one = self.cells.program, self.cells.one
        if node.layer == 0:
            inputs = program.layer(1).inputs
            at = self.cells.problem.output_at(0, self.cells.sample, node.unit)
            number = self.cells.decimals.text(inputs, float(one[inputs][at]))
            yield svg_text(node.x - RADIUS - 6, y + 4, escape(number), "in")
            return
        own = program.layer(node.layer)
        if node.layer == self.sums:
            sums = s.Cell(own.pre_activation, self.cells.sample, node.unit)
            yield self._quantity(sums, node.x - RADIUS - 10, y - 5, "in over")
        if node.layer in (self.sums, len(program.layers)):
            at = self.cells.problem.output_at(node.layer, self.cells.sample, node.unit)
            yield self._quantity(s.Cell(own.activation, *at), node.x + RADIUS + 6, y + 4, "out over")

    def _quantity(self, cell: s.Cell, x: float, y: float, side: str) -> str:
        """What goes into a unit or comes out, in the sample that is worked; nothing where the name is too long."""
        name = self.cells.label(cell)
        return svg_text(x, y, svg_label(name), side) if len(label_text(name)) <= MOST_LETTERS else ""

    def _gap(self, gap: Gap) -> str:
        words = f"⋮ {gap.count:,} more" if gap.layer is not None else "⋯"
        return svg_text(gap.x, self.y(gap.y) + 4, escape(words), "over")


def _caption(cells: NetworkCells, layer: int) -> tuple[str, ...]:
    title, *words = caption(cells.problem, layer)
    return (title, words[1]) if layer else (title,)


def svg_label(label: Label) -> Markup:
    """A name with its index set lower."""
    index = Markup('<tspan dy="3" class="index">{}</tspan>').format(label.sub) if label.sub else Markup()
    raised = -9 if label.sub else -5
    above = Markup('<tspan dy="{}" class="index">{}</tspan>').format(raised, label.sup) if label.sup else Markup()
    return escape(label.base) + index + above


def svg_text(x: float, y: float, content: Markup, kind: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}">{content}</text>'
