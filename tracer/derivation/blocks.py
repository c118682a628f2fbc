"""What the book of a derivation is made of: sections, blocks, sentences, and lines that fit the page.

A line is a chain of stages, "[…] = […] = […]"; it may break between stages, and within one between its
pieces. Matrices that are too large are cut in the middle, and lines that are too wide set smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from markupsafe import Markup

from tracer.derivation.width import em_width
from tracer.expression import scalar as s

PAGE = 45.0  # ems of the book's type between the margins of A4, the narrower of the two papers
LEAST_SCALE = 0.66  # before a line is set smaller than this, its matrices lose columns
EQUALS, NEARLY = "=", "≈"


@dataclass(frozen=True, slots=True)
class Cut:
    """Up to `most` rows or columns are all shown, of more the `first` and the `last` ones."""

    most: int
    first: int
    last: int

    def kept(self, count: int) -> list[int | None]:
        """The indices that are shown; None stands for those left out."""
        if count <= self.most:
            return [*range(count)]
        return [*range(self.first), None, *range(count - self.last, count)]


CUTS = (Cut(6, 3, 1), Cut(3, 1, 1), Cut(2, 1, 1))  # the first for rows always, for columns as far as they fit


@dataclass(frozen=True, slots=True)
class Say:
    """A sentence, which may hold formulas."""

    form: ClassVar[str] = "say"
    text: Markup


@dataclass(frozen=True, slots=True)
class Line:
    """Stages of pieces, each piece one <math>; `scale` is the size of its type."""

    form: ClassVar[str] = "line"
    stages: tuple[tuple[Markup, ...], ...]
    scale: float = 1.0

    @property
    def percent(self) -> int:
        return int(100 * self.scale)


@dataclass(frozen=True, slots=True)
class Picture:
    form: ClassVar[str] = "picture"
    svg: Markup


Part: TypeAlias = Say | Line | Picture
Parts: TypeAlias = Iterator[Part]


@dataclass(frozen=True, slots=True)
class Block:
    """One idea of the derivation: what `kind` of step, and of which matrix."""

    kind: str
    of: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Section:
    anchor: str
    title: str
    blocks: tuple[Block, ...]


_MARKED = ("numbers", "given", "values")
Stage: TypeAlias = tuple[str, Callable[[s.Cell], str], str]
"""The sign before it, what is written in each cell, and what the cells then hold ("symbols", "values", …)."""


def say(text: str, **formulas: str) -> Say:
    """A sentence; `formulas` are MathML, put in where they are named: "we need {slope}"."""
    return Say(Markup(text).format(**{key: math(formula) for key, formula in formulas.items()}))


def spoken(identifier: str) -> str:
    """An activation or loss within a sentence."""
    return f"<mtext>{identifier.replace('_', ' ')}</mtext>"


def math(content: str) -> Markup:
    """Our own markup, in which every name is escaped."""
    return Markup(f"<math>{content}</math>")


def row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def operator(sign: str) -> str:
    return f"<mo>{sign}</mo>"


def line(*stages: Sequence[str]) -> Line:
    """A line of stages in pieces, all set small enough that the widest piece fits the page."""
    widest = max(em_width(piece) for stage in stages for piece in stage)
    return Line(tuple(tuple(map(math, stage)) for stage in stages), min(1.0, PAGE / widest))


def fitted(write: Callable[[Cut], Iterable[Sequence[str]]]) -> Line:
    """The line that `write` makes of the first cut of columns with which it fits."""
    for cut in CUTS:
        made = line(*write(cut))
        if made.scale >= LEAST_SCALE:
            break
    return made


def equation(cells: s.Block, stages: Sequence[Stage], name: str = "") -> Line:
    """A chain of matrices over the same cells, after the name of the matrix where it has one."""

    def write(cut: Cut) -> Iterable[Sequence[str]]:
        if name:
            yield (name,)
        for number, (sign, of_cell, kind) in enumerate(stages):
            first = not (number or name)
            yield ((row("" if first else operator(sign), table(cells, cut, of_cell, kind))),)

    return fitted(write)


def shown_cells(cells: s.Block) -> list[s.Cell]:
    """The cells of a block that are shown at the most."""
    rows, columns = (CUTS[0].kept(size) for size in cells.shape)
    return [cells.at(r, c) for r in rows for c in columns if r is not None and c is not None]


def table(
    cells: s.Block, cut: Cut, write: Callable[[s.Cell], str], kind: str, shape: tuple[int, int] | None = None
) -> str:
    """A matrix in brackets; a block of fewer rows or columns than `shape` is repeated.

    Where there are numbers, `data-cell` says of which cell: identifier, row and column, counted from 1.
    """
    rows, columns = shape or cells.shape
    down, across = (size > 1 for size in cells.shape)
    lines = []
    for r in CUTS[0].kept(rows):
        places = []
        for c in cut.kept(columns):
            if r is None or c is None:
                places.append(f"<mtd><mo>{'⋮' if c is not None else '⋱' if r is None else '⋯'}</mo></mtd>")
                continue
            cell = cells.at(r if down else 0, c if across else 0)
            mark = f' data-cell="{cell.matrix},{cell.row + 1},{cell.column + 1}"' if kind in _MARKED else ""
            places.append(f"<mtd{mark}>{write(cell)}</mtd>")
        lines.append(f"<mtr>{''.join(places)}</mtr>")
    return row(operator("["), f'<mtable data-kind="{kind}">{"".join(lines)}</mtable>', operator("]"))
