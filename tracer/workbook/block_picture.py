"""A program as a PNG picture: its forward steps as boxes, and dashed the gradient's way back."""

from __future__ import annotations

from itertools import pairwise

from tracer.presentation.block_layout import HEIGHT, WIDTH, Arrow, lay_out_blocks
from tracer.presentation.palette import INK, NEGATIVE
from tracer.program.program import Program
from tracer.workbook.canvas import SMALL, TEXT, Canvas

LINE = 14.0
LARGEST_TITLE = 17  # letters that a box holds in larger type


def draw_blocks(program: Program) -> tuple[bytes, int, int]:
    """A PNG picture, and the width and height to show it at."""
    layout = lay_out_blocks(program)
    canvas = Canvas(layout.width, layout.height)
    for arrow in layout.arrows:
        _draw_arrow(canvas, arrow)
    for box in layout.boxes:
        canvas.box(box.x, box.y, WIDTH, HEIGHT)
        x, y = box.middle
        for k, line in enumerate(box.lines):
            size = TEXT if len(line) <= LARGEST_TITLE else SMALL
            text = line.encode("ascii", "replace").decode()
            canvas.text(x, y + (k - (len(box.lines) - 1) / 2) * LINE, text, "mm", size)
    return canvas.png(), round(layout.width), round(layout.height)


def _draw_arrow(canvas: Canvas, arrow: Arrow) -> None:
    colour = NEGATIVE if arrow.back else INK
    for k, (start, end) in enumerate(pairwise(arrow.points)):
        if not arrow.back or len(arrow.points) == 2 or k % 2 == 0:
            canvas.line(start, end, colour, 1.2, dashed=arrow.back and len(arrow.points) == 2)
    canvas.polygon(arrow.head, colour)
