"""What the book of a derivation is made of: chapters, passages, sentences, and formulas that fit the page.

A formula is a chain of stages, "[…] = […] = […]"; it may break between stages, and within one between its
pieces. Matrices that are too large are cut in the middle, and lines that are too wide set smaller. How wide
a formula will be is reckoned from its markup alone, for the widest of the fonts that the book asks for;
other fonts, and a browser's finer rules, come out narrower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar, TypeAlias
from xml.etree import ElementTree as ET

from markupsafe import Markup

from tracer.expression import scalar as s
from tracer.presentation.excerpt import kept

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
        return kept(count, self.most, self.first, self.last)


CUTS = (Cut(6, 3, 1), Cut(3, 1, 1), Cut(2, 1, 1))  # the first for rows always, for columns as far as they fit


@dataclass(frozen=True, slots=True)
class BookSentence:
    """A sentence, which may hold formulas."""

    form: ClassVar[str] = "sentence"
    text: Markup


@dataclass(frozen=True, slots=True)
class Formula:
    """Stages of pieces, each piece one <math>; `scale` is the size of its type."""

    form: ClassVar[str] = "formula"
    stages: tuple[tuple[Markup, ...], ...]
    scale: float = 1.0

    @property
    def percent(self) -> int:
        return int(100 * self.scale)


@dataclass(frozen=True, slots=True)
class Figure:
    form: ClassVar[str] = "figure"
    svg: Markup


Content: TypeAlias = BookSentence | Formula | Figure
Contents: TypeAlias = Iterator[Content]


@dataclass(frozen=True, slots=True)
class Passage:
    """One idea of the derivation: what `kind` of step, and of which matrix."""

    kind: str
    of: str
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    anchor: str
    title: str
    passages: tuple[Passage, ...]


def say(text: str, **formulas: str) -> BookSentence:
    """A sentence; `formulas` are MathML, put in where they are named: "we need {slope}"."""
    return BookSentence(Markup(text).format(**{key: math(formula) for key, formula in formulas.items()}))


def spoken(word: str) -> str:
    """The name of an activation or a loss within a sentence."""
    return f"<mtext>{word.replace('_', ' ')}</mtext>"


def math(content: str) -> Markup:
    """Our own markup, in which every name is escaped."""
    return Markup(f"<math>{content}</math>")


def row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def operator(sign: str) -> str:
    return f"<mo>{sign}</mo>"


def crossed(content: str) -> str:
    """A term that is zero: struck out, with a small 0 behind it."""
    zero = '<mpadded voffset="0.9em" class="nought"><mn>0</mn></mpadded>'
    return f'<mrow><mrow class="struck">{content}</mrow>{zero}</mrow>'


# formulas

_MARKED = ("numbers", "given", "values")
LineStage: TypeAlias = tuple[str, Callable[[s.Cell], str], str]
"""The sign before it, what is written in each cell, and what the cells then hold ("symbols", "values", …)."""


def formula(*stages: Sequence[str]) -> Formula:
    """A formula of stages in pieces, all set small enough that the widest piece fits the page."""
    widest = max(em_width(piece) for stage in stages for piece in stage)
    return Formula(tuple(tuple(map(math, stage)) for stage in stages), min(1.0, PAGE / widest))


def fitted(write: Callable[[Cut], Iterable[Sequence[str]]]) -> Formula:
    """The formula that `write` makes of the first cut of columns with which it fits."""
    for cut in CUTS:
        made = formula(*write(cut))
        if made.scale >= LEAST_SCALE:
            break
    return made


def equation(cells: s.Block, stages: Sequence[LineStage], name: str = "") -> Formula:
    """A chain of matrices over the same cells, after the name of the matrix where it has one."""

    def write(cut: Cut) -> Iterable[Sequence[str]]:
        if name:
            yield (name,)
        for number, (sign, of_cell, kind) in enumerate(stages):
            first = not (number or name)
            yield ((row("" if first else operator(sign), table(cells, of_cell, kind, cut=cut))),)

    return fitted(write)


def shown_cells(cells: s.Block) -> list[s.Cell]:
    """The cells of a block that are shown at the most."""
    rows, columns = (CUTS[0].kept(size) for size in cells.shape)
    return [cells.at(r, c) for r in rows for c in columns if r is not None and c is not None]


def table(
    cells: s.Block,
    write: Callable[[s.Cell], str],
    kind: str,
    shape: tuple[int, int] | None = None,
    cut: Cut = CUTS[0],
) -> str:
    """A matrix in brackets; a block of fewer rows or columns than `shape` is repeated.

    Where there are numbers, `data-cell` says of which cell: identifier, row and column, counted from 1.
    """
    rows, columns = shape or cells.shape
    down, across = (size > 1 for size in cells.shape)

    def place(r: int | None, c: int | None) -> str:
        if r is None or c is None:
            return f"<mtd><mo>{'⋮' if c is not None else '⋱' if r is None else '⋯'}</mo></mtd>"
        cell = cells.at(r if down else 0, c if across else 0)
        mark = f' data-cell="{cell.matrix},{cell.row + 1},{cell.column + 1}"' if kind in _MARKED else ""
        return f"<mtd{mark}>{write(cell)}</mtd>"

    lines = (f"<mtr>{''.join(place(r, c) for c in cut.kept(columns))}</mtr>" for r in CUTS[0].kept(rows))
    return row(operator("["), f'<mtable data-kind="{kind}">{"".join(lines)}</mtable>', operator("]"))


# widths, in ems

LETTER, NARROW, WIDE, CAPITAL, BROAD = 0.66, 0.42, 1.05, 0.79, 0.88
_NARROW = frozenset("()[]{}|.,:;'⋮ijlt ")
_WIDE = frozenset("mwMW@%⋯∑")
_BROAD = frozenset("DGHNOQU")  # of the capitals
SLANT = 0.27  # what a single letter takes more than one within a word, being italic
SCRIPT = 0.77  # size of a subscript or superscript
_RELATION, _SIGN, _FENCE = 1.45, 1.35, 0.64
OPERATORS = {
    **dict.fromkeys("=≈><≤≥≠", _RELATION),
    **dict.fromkeys("+−×⊙", _SIGN),
    **dict.fromkeys("()[]", _FENCE),
    "·": 0.9,
    "∗": 1.1,
    ",": 0.6,
    "∂": 0.85,
    "∑": 1.5,
    "…": 1.4,
}
BETWEEN_COLUMNS = 0.95
AROUND_FRACTION = 0.2
RADICAL = 1.0  # the sign before a root


def em_width(markup: str) -> float:
    """The width of MathML (without <math>) at the size of type around it."""
    return _width(ET.fromstring(f"<mrow>{markup}</mrow>"))


def _width(element: ET.Element) -> float:
    parts = [_width(child) for child in element]
    match element.tag:
        case "mo":
            return OPERATORS.get((element.text or "").strip(), _width_of_text(element.text or ""))
        case "mi":
            return _width_of_text(element.text or "") + (SLANT if len(element.text or "") == 1 else 0.0)
        case "mn" | "mtext":
            return _width_of_text(element.text or "")
        case "mfrac":
            return max(parts) + AROUND_FRACTION
        case "msub" | "msup":
            return parts[0] + SCRIPT * parts[1]
        case "msubsup":
            return parts[0] + SCRIPT * max(parts[1:])
        case "munder":  # beside the sign where the line is too low for it, as in a fraction
            return parts[0] + SCRIPT * parts[1]
        case "mover":
            return max(parts[0], SCRIPT * parts[1])
        case "msqrt":
            return sum(parts) + RADICAL
        case "mtable":
            return _width_of_table(element)
        case _:
            return sum(parts)


def _width_of_table(table: ET.Element) -> float:
    columns = zip_longest(*([_width(cell) for cell in row] for row in table), fillvalue=0.0)
    widest = [max(column) for column in columns]
    return sum(widest) + BETWEEN_COLUMNS * len(widest)


def _width_of_text(text: str) -> float:
    return sum(map(_width_of_letter, text))


def _width_of_letter(letter: str) -> float:
    if letter in _NARROW:
        return NARROW
    if letter in _WIDE:
        return WIDE
    return BROAD if letter in _BROAD else CAPITAL if letter.isupper() else LETTER
