"""A program as SVG markup: its forward steps, and the gradient's way back, which the page lights up step by step."""

from __future__ import annotations

from markupsafe import Markup, escape

from tracer.presentation.block_layout import HEIGHT, WIDTH, Arrow, BlockLayout, StepBox, describe_blocks, lay_out_blocks
from tracer.program.program import Program

LINE = 14.0


def block_svg(program: Program) -> Markup:
    """The picture; each box says its step's number (data-number), each arrow the two that it connects."""
    layout: BlockLayout = lay_out_blocks(program)
    parts = [*map(_arrow, layout.arrows), *map(_box, layout.boxes)]
    return Markup(
        f'<svg class="network blocks" viewBox="0 0 {layout.width:g} {layout.height:g}" role="img" '
        f'style="--wide: {layout.width:g}" aria-label="{escape(describe_blocks(program))}">\n{{}}\n</svg>'
    ).replace("{}", Markup("\n").join(parts))


def _box(box: StepBox) -> Markup:
    x, y = box.middle
    texts = [
        Markup('<text x="{}" y="{}">{}</text>').format(f"{x:g}", f"{y + (k - (len(box.lines) - 1) / 2) * LINE:g}", line)
        for k, line in enumerate(box.lines)
    ]
    rectangle = f'<rect x="{box.x:g}" y="{box.y:g}" width="{WIDTH:g}" height="{HEIGHT:g}" rx="6"/>'
    return Markup(f'<g class="block" data-number="{box.number}">{rectangle}') + Markup().join(texts) + Markup("</g>")


def _arrow(arrow: Arrow) -> Markup:
    points, head = (" ".join(f"{x:.1f},{y:.1f}" for x, y in each) for each in (arrow.points, arrow.head))
    kind = "back" if arrow.back else "on"
    return Markup(
        f'<g class="arrow {kind}" data-from="{arrow.start}" data-to="{arrow.end}"><polyline points="{points}"/>'
        f'<polygon points="{head}"/></g>'
    )
