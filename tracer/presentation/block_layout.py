"""The picture of a program as geometry: a box for each forward step, an arrow for what one hands on to another.

Positions are in pixels from the top left corner; what draws them, and in what format, is not known here. Steps stand
in columns by how many steps come before them, a row of columns under the other where they are many. Beside every arrow
that a gradient comes back along runs one the other way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tracer.expression import traversal
from tracer.presentation.excerpt import counted
from tracer.program.program import Program, Step

WIDTH, HEIGHT = 132.0, 46.0  # of a box
ACROSS, DOWN = 44.0, 26.0  # between boxes, room for the arrows
MARGIN = 20.0
MOST_COLUMNS = 5
LETTERS = 19  # of a line in a box
HEAD = 6.0  # of an arrow's point
APART = 5.0  # of an arrow from the one that goes back
BOW, PIECES = 0.16, 16  # of an arrow past other boxes, as a share of its length; straight pieces that it is drawn in

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class StepBox:
    """A forward step by its number, with its title in lines and the matrices that it makes."""

    number: int
    lines: tuple[str, ...]
    made: tuple[str, ...]
    x: float
    y: float

    @property
    def middle(self) -> Point:
        return self.x + WIDTH / 2, self.y + HEIGHT / 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """From step to step, by their numbers, through points; `back`: the gradient's way."""

    start: int
    end: int
    points: tuple[Point, ...]
    back: bool

    @property
    def head(self) -> tuple[Point, Point, Point]:
        """The corners of its point, the tip first."""
        (x1, y1), (x2, y2) = self.points[-2:]
        length = math.dist((x1, y1), (x2, y2)) or 1.0
        u, v = (x2 - x1) / length * HEAD, (y2 - y1) / length * HEAD
        return (x2, y2), (x2 - u - v / 2, y2 - v + u / 2), (x2 - u + v / 2, y2 - v - u / 2)


@dataclass(frozen=True, slots=True)
class BlockLayout:
    width: float
    height: float
    boxes: tuple[StepBox, ...]
    arrows: tuple[Arrow, ...]


def lay_out_blocks(program: Program) -> BlockLayout:
    """Where the forward steps of a program and the arrows between them are drawn."""
    steps = [step for step in program.steps if step.phase == "forward"]
    links = list(_links(program, steps))
    columns = _columns(steps, links)
    boxes, bottom = [], MARGIN
    for first in range(0, len(columns), MOST_COLUMNS):
        row = columns[first : first + MOST_COLUMNS]
        deep = max(map(len, row))
        for k, column in enumerate(row):
            top = bottom + (deep - len(column)) * (HEIGHT + DOWN) / 2
            x = MARGIN + k * (WIDTH + ACROSS)
            boxes += [_box(step, x, top + n * (HEIGHT + DOWN)) for n, step in enumerate(column)]
        bottom += deep * (HEIGHT + DOWN)
    at = {box.number: box for box in boxes}
    across = min(len(columns), MOST_COLUMNS)
    arrows = [arrow for link in links for arrow in _arrows(at, program, *link)]
    return BlockLayout(
        2 * MARGIN + across * (WIDTH + ACROSS) - ACROSS, bottom - DOWN + MARGIN, tuple(boxes), tuple(arrows)
    )


def describe_blocks(program: Program) -> str:
    """The picture in words, for those who cannot see it."""
    steps = [step for step in program.steps if step.phase == "forward"]
    titles = {step.number: step.title for step in steps}
    links = list(_links(program, steps))
    said = [
        f"{step.number}, {step.title}, takes from {_listed([titles[a] for a, b in links if b == step.number])}"
        for step in steps
    ]
    return (
        f"The {counted(len(steps), 'forward step')} as boxes, with arrows for what each hands on, and dashed ones for "
        f"the gradient's way back. Step {'; step '.join(said)}."
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "what is given"


def _links(program: Program, steps: Sequence[Step]) -> Iterator[tuple[int, int]]:
    """Which step hands something on to which, by their numbers."""
    home = {each.id: step.number for step in steps for each in step.assignments}
    for step in steps:
        made = (each.expression for each in step.assignments if each.expression is not None)
        used = {symbol.name for expression in made for symbol in traversal.symbols(expression)}
        yield from (
            (number, step.number) for number in sorted({home[name] for name in used & home.keys()} - {step.number})
        )


def _columns(steps: Sequence[Step], links: Sequence[tuple[int, int]]) -> list[list[Step]]:
    """Steps by how many come one after the other before them."""
    depth: dict[int, int] = {}
    for step in steps:
        depth[step.number] = max((depth[a] + 1 for a, b in links if b == step.number), default=0)
    return [[step for step in steps if depth[step.number] == k] for k in range(max(depth.values()) + 1)]


def _box(step: Step, x: float, y: float) -> StepBox:
    made = tuple(each.id for each in step.assignments)
    return StepBox(step.number, _lines(f"{step.number} {step.title}"), made, x, y)


def _lines(text: str) -> tuple[str, ...]:
    """A title in two lines at most, cut off where it is longer."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LETTERS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return tuple(_cut(line, k == 1 and len(lines) > 2) for k, line in enumerate(lines[:2]))


def _cut(line: str, goes_on: bool) -> str:
    return line[: LETTERS - 1].rstrip(" ,") + "…" if goes_on or len(line) > LETTERS else line


def _arrows(at: dict[int, StepBox], program: Program, start: int, end: int) -> Iterator[Arrow]:
    made = at[start].made
    yield Arrow(start, end, tuple(_way(at[start], at[end], -APART)), False)
    if any(name in program.gradients or name == program.loss for name in made):
        yield Arrow(end, start, tuple(reversed(list(_way(at[start], at[end], APART)))), True)


def _way(start: StepBox, end: StepBox, beside: float) -> Iterator[Point]:
    """The points of a way, straight to the next column and bowed past what stands between; `beside` its lane."""
    if start.x < end.x and abs(end.x - start.x) <= WIDTH + ACROSS + 1:
        (x1, y1), (x2, y2) = (start.x + WIDTH, start.y + HEIGHT / 2 + beside), (end.x, end.y + HEIGHT / 2 + beside)
        yield from ((x1, y1), (x2, y2))
        return
    if start.x < end.x:  # past other boxes, over their tops
        (x1, y1), (x2, y2) = (start.x + WIDTH / 2 + beside, start.y), (end.x + WIDTH / 2 + beside, end.y)
        over = (0.0, -BOW * abs(x2 - x1) + beside)
    else:  # on to the next row
        (x1, y1), (x2, y2) = (start.x + WIDTH / 2 + beside, start.y + HEIGHT), (end.x + WIDTH / 2 + beside, end.y)
        over = (0.0, 0.0)
    for k in range(PIECES + 1):
        t = k / PIECES
        bow = 4 * t * (1 - t)
        yield x1 + t * (x2 - x1) + bow * over[0], max(2.0, y1 + t * (y2 - y1) + bow * over[1])
