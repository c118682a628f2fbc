"""The way from a weight to the loss as SVG, and back again: an arc for every factor of the chain rule.

As the hand-written pages draw it: one unit of every layer, then the outputs, with the names of the weights, of what
goes into a unit and comes out of it, and of the loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape

from tracer.derivation.network_cells import NetworkCells
from tracer.derivation.picture import svg_label, svg_text
from tracer.expression import scalar as s
from tracer.expression.label import Label
from tracer.presentation.excerpt import kept
from tracer.presentation.network_layout import RADIUS

PITCH = 66.0  # from one output to the next
TOP = 40.0  # above the first, for the names over it
MOST_OUTPUTS, FIRST_OUTPUTS = 4, 3
LETTER, INDEX_LETTER = 7.2, 5.4  # the widths of letters of a name, and of its index
LEAST_EDGE = 120.0  # of a connection, between the names at its ends
GAP = 8.0  # between a circle and what stands beside it
BELOW = 34.0  # under the lowest circle, for its arc and the units left out


@dataclass(frozen=True)
class _Unit:
    """A unit on the way: circle, the names over it on both sides, and where it stands."""

    layer: int
    unit: int
    x: float
    y: float
    into: Label | None
    out: Label


def draw_paths(cells: NetworkCells, layer: int) -> Markup:
    """From the first weight of a layer to the outputs, and an arc back for every derivative on the way."""
    return _Paths(cells, layer).svg()


class _Paths:
    def __init__(self, cells: NetworkCells, layer: int) -> None:
        self.cells, self.layer, self.depth = cells, layer, len(cells.program.layers)
        own = cells.program.layer(self.depth)
        self.together = bool(own.jacobians)  # every output depends on every sum
        alone = layer == self.depth and not self.together
        count = 1 if alone else cells.problem.sizes[-1]
        self.ends = kept(count, MOST_OUTPUTS, FIRST_OUTPUTS, 1)
        self.left_out = count - sum(unit is not None for unit in self.ends)
        self.middle = TOP + (len(self.ends) - 1) * PITCH / 2
        self.way = list(self._way())
        self.outputs = [self._unit(self.depth, unit, *place) for unit, place in self._places() if unit is not None]

    # where everything stands

    def _way(self) -> Iterator[_Unit]:
        """The first unit of each layer before the outputs."""
        x = GAP + RADIUS
        for layer in range(self.layer - 1, self.depth):
            unit = self._unit(layer, 0, x, self.middle)
            yield unit
            x += self._across(unit, self._unit(layer + 1, 0, 0.0, 0.0))
        self.last_x = x

    def _places(self) -> Iterator[tuple[int | None, tuple[float, float]]]:
        return ((unit, (self.last_x, TOP + k * PITCH)) for k, unit in enumerate(self.ends))

    def _unit(self, layer: int, unit: int, x: float, y: float) -> _Unit:
        if layer == 0:
            return _Unit(0, unit, x, y, None, self._out(self.cells.program.layer(1).inputs, 0, unit))
        own = self.cells.program.layer(layer)
        sums = s.Cell(own.pre_activation, self.cells.sample, unit)
        into = None if layer == self.layer - 1 else self.cells.label(sums)
        return _Unit(layer, unit, x, y, into, self._out(own.activation, layer, unit))

    def _out(self, identifier: str, layer: int, unit: int) -> Label:
        return self.cells.label(s.Cell(identifier, *self.cells.problem.output_at(layer, self.cells.sample, unit)))

    def _weight(self, start: _Unit, end: _Unit) -> Label:
        return self.cells.label(
            s.Cell(self.cells.program.layer(end.layer).weights, *self.cells.problem.weight_at(start.unit, end.unit))
        )

    def _across(self, start: _Unit, end: _Unit) -> float:
        """From one unit to the next: room for both names over the connection, and the weight's on it."""
        names = _width(start.out) + (_width(end.into) if end.into else 0.0)
        return max(LEAST_EDGE, names + 3 * GAP, _width(self._weight(start, end)) + 5 * GAP) + 2 * RADIUS

    @property
    def edges(self) -> list[tuple[_Unit, _Unit]]:
        ends = self.outputs[:1] if self.layer == self.depth else self.outputs
        return [*zip(self.way, self.way[1:], strict=False), *((self.way[-1], end) for end in ends)]

    # what is drawn

    def svg(self) -> Markup:
        after = self.last_x + RADIUS + max(_width(each.out) for each in self.outputs) + 5 * GAP
        width = round(after + max(_width(self._loss(each)) for each in self.outputs) + 3 * GAP)
        height = round(TOP + (len(self.ends) - 1) * PITCH + RADIUS + BELOW)
        title = f"From the first weight of layer {self.layer} to the loss, and back"
        parts = "\n".join(self._parts(after))
        return Markup(
            f'<svg class="paths" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
            f'aria-label="{escape(title)}">\n{parts}\n</svg>'
        )

    def _parts(self, loss_x: float) -> Iterator[str]:
        for start, end in self.edges:
            yield self._edge(start, end)
        for each in self.outputs:
            yield _line(each.x + RADIUS, each.y, loss_x - GAP / 2, each.y)
            yield svg_text(loss_x, each.y + 4, svg_label(self._loss(each)), "out")
            yield _arc((loss_x, each.y - 8), (each.x + RADIUS + 4, each.y - 5), 14.0)
        for each in (*self.way, *self.outputs):
            yield from self._circle(each)
        yield from self._gaps()
        yield from (self._weight_name(*edge) for edge in self.edges)

    def _loss(self, output: _Unit) -> Label:
        """The loss; of several outputs the part of one."""
        gradient = self.cells.names.fraction(self.cells.program.layer(self.depth).weights_gradient)
        assert gradient is not None
        return gradient.top if self.cells.problem.sizes[-1] == 1 else Label(gradient.top.base, str(output.unit + 1))

    def _edge(self, start: _Unit, end: _Unit) -> str:
        """A connection, and the arc back along it: to the unit before, or to the weight asked about."""
        (x1, y1), (x2, y2) = (start.x + RADIUS, start.y), (end.x - RADIUS, end.y)
        share = 0.5 if end.layer == self.layer else 0.12
        to = (x1 + share * (x2 - x1), y1 + share * (y2 - y1) + 8)
        return _line(x1, y1, x2, y2) + _arc((x2 - 6, y2 + 8), to, -18.0)

    def _circle(self, each: _Unit) -> Iterator[str]:
        name = svg_label(self.cells.names.unit(each.layer, each.unit))
        yield f'<circle cx="{each.x:.0f}" cy="{each.y:.0f}" r="{RADIUS:g}"/>'
        yield svg_text(each.x, each.y + 4, name, "unit")
        over = each.y - RADIUS - 4
        yield svg_text(each.x + RADIUS - 4, over, svg_label(each.out), "out over")
        if each.into is not None:
            if each.layer < self.depth or self.layer < self.depth or each.unit == 0:
                yield svg_text(each.x - RADIUS + 4, over, svg_label(each.into), "in over")
            yield self._through(each)

    def _through(self, each: _Unit) -> str:
        """The arc from what comes out of a unit to what goes into it; of softmax, into the first one."""
        start = (each.x + RADIUS - 2, each.y + RADIUS - 4)
        into = self.outputs[0] if self.layer == self.depth else each
        if into is each:
            return _arc(start, (each.x - RADIUS + 2, each.y + RADIUS - 4), -16.0)
        return _arc((each.x - RADIUS, each.y - 4), (into.x - RADIUS - 1, into.y + 5), -20.0)

    def _gaps(self) -> Iterator[str]:
        """How many units there are besides those drawn."""
        for each in self.way:
            more = self.cells.problem.sizes[each.layer] - 1
            if more and each.layer >= self.layer:
                yield _more(each.x, each.y, more)
        for unit, (x, y) in self._places():
            if unit is None:
                yield svg_text(x, y + 4, escape(f"⋮ {self.left_out:,} more"), "caption")

    def _weight_name(self, start: _Unit, end: _Unit) -> str:
        share = 0.5
        x = start.x + share * (end.x - start.x)
        y = start.y + share * (end.y - start.y)
        return svg_text(x, y + 4, svg_label(self._weight(start, end)), "over")


def _more(x: float, y: float, count: int) -> str:
    return svg_text(x, y + RADIUS + BELOW - 6, escape(f"⋮ {count:,} more"), "caption")


def _width(label: Label) -> float:
    return LETTER * len(label.base) + INDEX_LETTER * max(len(label.sub), len(label.sup))


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}"/>'


def _arc(start: tuple[float, float], end: tuple[float, float], bend: float) -> str:
    """A curve with its tip at the end, bent to the right of the way from start to end (to the left below 0)."""
    (x1, y1), (x2, y2) = start, end
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    across, down = -bend * (y2 - y1) / length, bend * (x2 - x1) / length
    control = ((x1 + x2) / 2 + 2 * across, (y1 + y2) / 2 + 2 * down)
    return f'<path class="back" d="M{x1:.0f} {y1:.0f}Q{control[0]:.0f} {control[1]:.0f} {x2:.0f} {y2:.0f}"/>'
