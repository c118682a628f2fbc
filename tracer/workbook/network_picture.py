"""The network as a PNG picture: columns of circles, the weights as lines, the first sample's numbers.

The same pass gives the same bytes. Pillow's own font holds little more than ASCII.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping

from PIL import Image, ImageColor, ImageDraw, ImageFont

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
from tracer.presentation.palette import HEADING, INK, NEGATIVE, POSITIVE
from tracer.problem.problem import Problem
from tracer.run.passes import Pass

SCALE = 2  # pixels of the picture for one of the layout, so that it is crisp in print
SMOOTH = 2  # drawn larger by this and made smaller again, since Pillow draws no smooth lines
SHADES = 16  # of a colour, from itself to white
TEXT, SMALL = 12.0, 10.0  # sizes of type
DASH, DOT = 5.0, 1.6
HALO = 3.0  # white around text that lies over lines
MOST_WRITTEN = 7  # characters of a number beside a unit
KEY = ((1.0, "positive weight"), (-1.0, "negative weight"))
KEY_SPACING, KEY_LINE = 150.0, 28.0


def draw_network(problem: Problem, one: Pass) -> tuple[bytes, int, int]:
    """A PNG picture with the weights and the first sample of a pass, and the width and height to show it at."""
    layout = lay_out_network(problem.sizes)
    canvas = _Canvas(layout.width, layout.height)
    _draw_edges(canvas, problem, layout, one)
    for gap in layout.gaps:
        _draw_gap(canvas, gap)
    for node in layout.nodes:
        _draw_node(canvas, problem, one, node)
    for layer, x in layout.columns.items():
        for k, text in enumerate(caption(problem, layer)):
            canvas.text(x, layout.captions_y + (k + 0.5) * LINE, text, "mm")
    _draw_key(canvas, layout)
    return canvas.png(), round(layout.width), round(layout.height)


def _draw_edges(canvas: _Canvas, problem: Problem, layout: NetworkLayout, one: Pass) -> None:
    weights = {edge: _weight(problem, one, *edge) for edge in layout.edges}
    largest = max(map(abs, weights.values()))
    for (start, end), weight in weights.items():
        canvas.connection((start.x, start.y), (end.x, end.y), weight, layout.stroke(weight, largest))


def _weight(problem: Problem, one: Pass, start: Node, end: Node) -> float:
    return float(one[one.program.layer(end.layer).weights][problem.weight_at(start.unit, end.unit)])


def _draw_node(canvas: _Canvas, problem: Problem, one: Pass, node: Node) -> None:
    fill = HEADING if node.layer == 0 else "FFFFFF"
    canvas.circle(node.x, node.y, RADIUS, fill)
    name, at = node_name(problem.depth, node), problem.output_at(node.layer, 0, node.unit)
    canvas.text(node.x, node.y, name, "mm", TEXT if len(name) <= 3 else SMALL)
    if node.layer == 0:
        canvas.text(node.x - RADIUS - 6, node.y, _written(float(one[one.program.layer(1).inputs][at])), "rm")
    if node.layer == problem.depth:
        output, target = (float(one[key][at]) for key in (one.program.output, one.program.targets))
        canvas.text(node.x + RADIUS + 6, node.y - LINE / 2, _written(output), "lm")
        canvas.text(node.x + RADIUS + 6, node.y + LINE / 2, f"target {_written(target)}", "lm")


def _draw_gap(canvas: _Canvas, gap: Gap) -> None:
    down, across = (0.0, 7.0) if gap.layer is not None else (7.0, 0.0)
    for k in (-1, 0, 1):
        canvas.circle(gap.x + k * down, gap.y + k * across, DOT, INK)
    if gap.layer is not None:
        canvas.text(gap.x + 10, gap.y, f"{gap.count:,} more", "lm", halo=HALO)
    else:
        canvas.text(gap.x, gap.y + LINE, f"{gap.count:,} more layers", "mm")


def _draw_key(canvas: _Canvas, layout: NetworkLayout) -> None:
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


class _Canvas:
    """Draws in the layout's pixels, and larger than it is shown."""

    def __init__(self, width: float, height: float) -> None:
        self.scale = SCALE * SMOOTH
        self.image = Image.new("RGB", (round(width) * self.scale, round(height) * self.scale), "white")
        self.draw = ImageDraw.Draw(self.image)
        self.fonts: Mapping[float, ImageFont.FreeTypeFont | ImageFont.ImageFont] = {
            size: ImageFont.load_default(size * self.scale) for size in (TEXT, SMALL)
        }

    def png(self) -> bytes:
        smooth = self.image.reduce(SMOOTH).quantize(palette=_palette(), dither=Image.Dither.NONE)
        file = io.BytesIO()
        smooth.save(file, "PNG")
        return file.getvalue()

    def circle(self, x: float, y: float, radius: float, fill: str) -> None:
        box = [(each - radius) * self.scale for each in (x, y)] + [(each + radius) * self.scale for each in (x, y)]
        self.draw.ellipse(box, f"#{fill}", f"#{INK}", self.scale)

    def text(self, x: float, y: float, text: str, anchor: str, size: float = TEXT, halo: float = 0.0) -> None:
        at, around = (x * self.scale, y * self.scale), halo * self.scale
        self.draw.text(at, text, f"#{INK}", self.fonts[size], anchor, stroke_width=around, stroke_fill="white")

    def connection(self, start: tuple[float, float], end: tuple[float, float], weight: float, width: float) -> None:
        """A line in the colour of the weight's sign, dashed where it is negative."""
        colour = f"#{POSITIVE if weight >= 0 else NEGATIVE}"
        length = math.dist(start, end)
        pieces = 1 if weight >= 0 else max(1, 2 * round(length / DASH / 2) - 1)
        for k in range(0, pieces, 2):
            ends = [tuple(a + (b - a) * share for a, b in zip(start, end, strict=True)) for share in _ends(k, pieces)]
            self.draw.line([(x * self.scale, y * self.scale) for x, y in ends], colour, round(width * self.scale))


def _palette() -> Image.Image:
    """The colours that are drawn in, the dark ones in their shades to white."""
    ink, positive, negative, heading = (ImageColor.getrgb(f"#{each}") for each in (INK, POSITIVE, NEGATIVE, HEADING))
    dark = (ink, positive, negative)
    shades = [[c + (255 - c) * k // (SHADES - 1) for c in colour] for colour in dark for k in range(SHADES)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for shade in (*shades, heading) for part in shade])
    return palette


def _ends(k: int, pieces: int) -> tuple[float, float]:
    return k / pieces, (k + 1) / pieces
