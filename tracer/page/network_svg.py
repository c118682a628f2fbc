"""The network as SVG markup: what the page shows, lights up step by step and writes its values into."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup, escape

from tracer.expression.digits import fixed
from tracer.presentation.network_layout import (
    LEFT,
    LINE,
    RADIUS,
    RIGHT,
    Gap,
    NetworkLayout,
    Node,
    caption,
    describe,
    lay_out_network,
    node_name,
)
from tracer.problem.problem import Problem
from tracer.run.passes import Pass

DECIMALS = 2  # of a value; the board has all of them
MOST_VALUED = 8  # units of a layer; the nodes of a larger one are too small for a value inside
DOT, APART = 1.6, 7.0  # the dots that stand for what is left out
BESIDE = RADIUS + 6  # from the middle of a node to the value beside it
CUT = LEFT - BESIDE - 40, RIGHT - BESIDE - 80  # of the margins: a value, and "target" with one, need less


def network_svg(problem: Problem, one: Pass) -> Markup:
    """The picture with the weights and the first sample of a pass.

    Every edge and value carries the cell that it shows (data-cell="W1-2-3", counted from 1). data-strokes has how
    wide the thinnest and the widest edge may be.
    """
    layout = lay_out_network(problem.sizes)
    parts = [
        *_edges(problem, layout, one),
        *map(_gap, layout.gaps),
        *(_node(problem, one, node) for node in layout.nodes),
    ]
    for layer, x in layout.columns.items():
        for k, text in enumerate(caption(problem, layer)):
            parts.append(_text(x, layout.captions_y + (k + 0.5) * LINE, text))
    box = f"{CUT[0]:g} 0 {layout.width - sum(CUT):g} {layout.height - 1.5 * LINE:g}"
    strokes = f"{layout.stroke(0.0, 1.0):.2f} {layout.stroke(1.0, 1.0):.2f}"
    return Markup(
        f'<svg class="network" viewBox="{box}" data-strokes="{strokes}" role="img" '
        f'aria-label="{escape(describe(problem))}">\n{{}}\n</svg>'
    ).replace("{}", Markup("\n").join(parts))


def _edges(problem: Problem, layout: NetworkLayout, one: Pass) -> Iterator[Markup]:
    layers = one.program.layers
    places = {edge: problem.weight_at(edge[0].unit, edge[1].unit) for edge in layout.edges}
    weights = {edge: float(one[layers[edge[1].layer - 1].weights][places[edge]]) for edge in layout.edges}
    largest = max(map(abs, weights.values()))
    for (start, end), weight in weights.items():
        sign = "positive" if weight >= 0 else "negative"
        cell = _cell(layers[end.layer - 1].weights, *places[start, end])
        yield Markup(
            f'<line class="{sign}" data-cell="{cell}" x1="{start.x:g}" '
            f'y1="{start.y:g}" x2="{end.x:g}" y2="{end.y:g}" stroke-width="{layout.stroke(weight, largest):.2f}"/>'
        )


def _gap(gap: Gap) -> Markup:
    across = (0.0, APART) if gap.layer is not None else (APART, 0.0)
    dots = (f'<circle cx="{gap.x + k * across[0]:g}" cy="{gap.y + k * across[1]:g}" r="{DOT}"/>' for k in (-1, 0, 1))
    words = f"{gap.count:,} more" + ("" if gap.layer is not None else " layers")
    return Markup(f'<g class="gap">{"".join(dots)}</g>') + _text(gap.x + 30, gap.y, words)


def _node(problem: Problem, one: Pass, node: Node) -> Markup:
    x, y, layer, program = node.x, node.y, node.layer, one.program
    at = problem.output_at(layer, 0, node.unit)
    circle = f'<circle cx="{x:g}" cy="{y:g}" r="{RADIUS:g}"/>'
    texts = [_text(x, y, node_name(problem.depth, node), "name")]
    if layer == 0:
        texts.append(_value(one, program.layer(1).inputs, at, x - BESIDE, y, "end"))
    elif layer == problem.depth:
        texts.append(_value(one, program.output, at, x + BESIDE, y - LINE / 2, "start"))
        texts.append(_value(one, program.targets, at, x + BESIDE, y + LINE / 2, "start", "target "))
    elif problem.sizes[layer] <= MOST_VALUED:
        texts.append(_value(one, program.layer(layer).activation, at, x, y + LINE / 2, "middle"))
    inside = " valued" if 0 < layer < problem.depth and len(texts) > 1 else ""
    return Markup(f'<g class="node{inside}" data-layer="{layer}">{circle}') + Markup().join(texts) + Markup("</g>")


def _cell(identifier: str, row: int, column: int) -> str:
    """What a cell is called in the page's attributes; row and column from 0 here."""
    return f"{identifier}-{row + 1}-{column + 1}"


def _value(
    one: Pass, identifier: str, at: tuple[int, int], x: float, y: float, anchor: str, before: str = ""
) -> Markup:
    """A unit's value of the first sample, in a span of its own that a script may write anew."""
    number = fixed(float(one[identifier][at]), DECIMALS)
    return Markup(
        f'<text class="value" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{before}'
        f'<tspan data-cell="{_cell(identifier, *at)}">{number}</tspan></text>'
    )


def _text(x: float, y: float, text: str, kind: str = "") -> Markup:
    of = Markup(f' class="{kind}"') if kind else ""
    return Markup('<text{} x="{}" y="{}">{}</text>').format(of, f"{x:g}", f"{y:g}", text)
