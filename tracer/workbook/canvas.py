"""What pictures of a workbook are drawn on: larger than they are shown, in few colours, the same bytes each time.

Pillow's own font holds little more than ASCII.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

from PIL import Image, ImageColor, ImageDraw, ImageFont

from tracer.presentation.palette import HEADING, INK, NEGATIVE, POSITIVE

SCALE = 2  # pixels of the picture for one of the layout, so that it is crisp in print
SMOOTH = 2  # drawn larger by this and made smaller again, since Pillow draws no smooth lines
SHADES = 16  # of a colour, from itself to white
TEXT, SMALL = 12.0, 10.0  # sizes of type
DASH = 5.0


class Canvas:
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

    def box(self, x: float, y: float, width: float, height: float) -> None:
        corners = [each * self.scale for each in (x, y, x + width, y + height)]
        self.draw.rounded_rectangle(corners, 6 * self.scale, "white", f"#{INK}", self.scale)

    def polygon(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        self.draw.polygon([(x * self.scale, y * self.scale) for x, y in points], f"#{colour}")

    def text(self, x: float, y: float, text: str, anchor: str, size: float = TEXT, halo: float = 0.0) -> None:
        at, around = (x * self.scale, y * self.scale), halo * self.scale
        self.draw.text(at, text, f"#{INK}", self.fonts[size], anchor, stroke_width=around, stroke_fill="white")

    def connection(self, start: tuple[float, float], end: tuple[float, float], weight: float, width: float) -> None:
        """A line in the colour of the weight's sign, dashed where it is negative."""
        self.line(start, end, POSITIVE if weight >= 0 else NEGATIVE, width, dashed=weight < 0)

    def line(
        self, start: tuple[float, float], end: tuple[float, float], colour: str, width: float, dashed: bool = False
    ) -> None:
        colour, length = f"#{colour}", math.dist(start, end)
        pieces = max(1, 2 * round(length / DASH / 2) - 1) if dashed else 1
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
