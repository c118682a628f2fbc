"""The network as a PNG picture: columns of circles, the weights as lines, the first sample's numbers.

The same pass gives the same bytes.
"""

from __future__ import annotations

from tracer.expression.digits import as_typed
from tracer.presentation.network_layout import (
    LINE,
    RADIUS,
    Gap,
    NetworkLayout,
    Node,
    caption,
    lay_out_network,
    node_name,
)
from tracer.presentation.palette import HEADING, INK
from tracer.problem.problem import Problem
from tracer.run.passes import Pass
from tracer.workbook.canvas import SMALL, TEXT, Canvas

DOT = 1.6
HALO = 3.0  # white around text that lies over lines
MOST_WRITTEN = 7  # characters of a number beside a unit
KEY = ((1.0, "positive weight"), (-1.0, "negative weight"))
KEY_SPACING, KEY_LINE = 150.0, 28.0


def draw_network(problem: Problem, one: Pass) -> tuple[bytes, int, int]:
    """A PNG picture with the weights and the first sample of a pass, and the width and height to show it at."""
    layout = lay_out_network(problem.sizes)
    canvas = Canvas(layout.width, layout.height)
    _draw_edges(canvas, layout, one)
    for gap in layout.gaps:
        _draw_gap(canvas, gap)
    for node in layout.nodes:
        _draw_node(canvas, problem, one, node)
    for layer, x in layout.columns.items():
        for k, text in enumerate(caption(problem, layer)):
            canvas.text(x, layout.captions_y + (k + 0.5) * LINE, text, "mm")
    _draw_key(canvas, layout)
    return canvas.png(), round(layout.width), round(layout.height)


def _draw_edges(canvas: Canvas, layout: NetworkLayout, one: Pass) -> None:
    weights = {edge: _weight(one, *edge) for edge in layout.edges}
    largest = max(map(abs, weights.values()))
    for (start, end), weight in weights.items():
        canvas.connection((start.x, start.y), (end.x, end.y), weight, layout.stroke(weight, largest))


def _weight(one: Pass, start: Node, end: Node) -> float:
    return float(one[one.program.layer(end.layer).weights][start.unit, end.unit])


def _draw_node(canvas: Canvas, problem: Problem, one: Pass, node: Node) -> None:
    fill = HEADING if node.layer == 0 else "FFFFFF"
    canvas.circle(node.x, node.y, RADIUS, fill)
    name = node_name(problem.depth, node)
    canvas.text(node.x, node.y, name, "mm", TEXT if len(name) <= 3 else SMALL)
    if node.layer == 0:
        canvas.text(node.x - RADIUS - 6, node.y, _written(float(one[one.program.layer(1).inputs][0, node.unit])), "rm")
    if node.layer == problem.depth:
        output, target = (float(one[key][0, node.unit]) for key in (one.program.output, one.program.targets))
        canvas.text(node.x + RADIUS + 6, node.y - LINE / 2, _written(output), "lm")
        canvas.text(node.x + RADIUS + 6, node.y + LINE / 2, f"target {_written(target)}", "lm")


def _draw_gap(canvas: Canvas, gap: Gap) -> None:
    down, across = (0.0, 7.0) if gap.layer is not None else (7.0, 0.0)
    for k in (-1, 0, 1):
        canvas.circle(gap.x + k * down, gap.y + k * across, DOT, INK)
    if gap.layer is not None:
        canvas.text(gap.x + 10, gap.y, f"{gap.count:,} more", "lm", halo=HALO)
    else:
        canvas.text(gap.x, gap.y + LINE, f"{gap.count:,} more layers", "mm")


def _draw_key(canvas: Canvas, layout: NetworkLayout) -> None:
    y = layout.height - LINE / 2
    x = (layout.width - KEY_SPACING * len(KEY)) / 2
    for weight, words in KEY:
        canvas.connection((x, y), (x + KEY_LINE, y), weight, 2.0)
        canvas.text(x + KEY_LINE + 6, y, words, "lm")
        x += KEY_SPACING


def _written(value: float) -> str:
    """A number in a few characters of ASCII."""
    text = as_typed(value)
    return (text if len(text) <= MOST_WRITTEN else f"{value:.3g}").replace("−", "-")
