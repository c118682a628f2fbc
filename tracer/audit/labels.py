"""What stands beside and above cells: headings, and the derivative that a heading names.

People write the d of a derivative in many ways; all of them are read alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tracer.audit.package import AuditedPlace, AuditedSheet, BookCells
from tracer.expression import scalar as s

FARTHEST = 400  # rows or columns from a cell to its heading
_SIGNS = "∂𝜕𝛛𝝏𝞉𝟃δẟƌ"
_D = re.compile(rf"[{_SIGNS}]")
_NABLA = re.compile(r"[∇𝛁𝛻]")
_NAME = r"([A-Za-zα-ωΑ-Ω][\w^'′.,\[\]]*)"
_DERIVATIVES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"d\s*\(?\s*[\w'.]*\s*\)?\s*/\s*\(?\s*d\s*{_NAME}\s*\)?",  # dE/dw1
        rf"d[A-Za-z]\w*?_?d_?{_NAME}",  # dL_dw1
        rf"[A-Z]\w{{0,5}}d(?=[a-z]+\d){_NAME}",  # Edw1
        rf"d_?{_NAME}",  # dW1
        rf"(?:grad(?:ient)?|g)\s*(?:of|in|for|wrt|w\.r\.t\.)?\s*[_:(]?\s*{_NAME}\)?",
        rf"{_NAME}(?:\.|_|\s)+grad(?:ient)?",
    )
)


def plain(text: str) -> str:
    """A heading without spaces, brackets and marks, in lower case: names that are meant alike are equal."""
    text = unicodedata.normalize("NFKC", _D.sub("d", text)).strip()
    return re.sub(r"[\s_^{}\[\]().,:=*'′`\-]+", "", text).casefold()


def named_derivative(text: str) -> str | None:
    """What a heading is the derivative in: w1 of ∂E/∂w1, dL_dw1, ∇w1, w1.grad; None for other headings."""
    if len(text) > 60 or text.count("=") > 1 or "*" in text or "×" in text or "·" in text:
        return None
    text = _D.sub("d", unicodedata.normalize("NFKC", _NABLA.sub("grad ", text))).strip().strip("=:").strip()
    for pattern in _DERIVATIVES:
        found = pattern.fullmatch(text)
        if found is not None:
            return found[1]
    return None


@dataclass
class BookLabels:
    """The texts of a book as headings of its cells."""

    book: BookCells
    _heads: dict[s.Cell, tuple[str, ...]] = field(default_factory=dict)
    _found: dict[tuple[str, tuple[int, int]], dict[AuditedPlace, str | None]] = field(default_factory=dict)

    def of(self, cell: s.Cell) -> tuple[str, ...]:
        """The texts that head a cell: the nearest above it in its column, and the nearest to its left."""
        if cell not in self._heads:
            self._heads[cell] = tuple(self._look(cell))
        return self._heads[cell]

    def _look(self, cell: s.Cell) -> Iterator[str]:
        sheet = self.book.sheets.get(cell.matrix)
        if sheet is not None:
            for down, right in ((-1, 0), (0, -1)):
                text = self._nearest(sheet, (cell.row, cell.column), (down, right))
                if text is not None:
                    yield text

    def _nearest(self, sheet: AuditedSheet, place: AuditedPlace, step: tuple[int, int]) -> str | None:
        """The first text on the way from a place, before a gap; known for all places on the way afterwards."""
        known, passed = self._found.setdefault((sheet.name, step), {}), [place]
        text: str | None = None
        for _ in range(FARTHEST):
            place = place[0] + step[0], place[1] + step[1]
            value, computed = sheet.values.get(place), place in sheet.formulas
            if isinstance(value, str) and value.strip() and not computed:
                text = value.strip()
                break
            if value is None and not computed:
                break
            if place in known:
                text = known[place]
                break
            passed.append(place)
        for each in passed:
            known[each] = text
        return text

    def derivative(self, cell: s.Cell) -> str | None:
        """The name that a cell's heading says it is the derivative in."""
        return next((name for text in self.of(cell) if (name := named_derivative(text)) is not None), None)

    def cells_called(self, name: str, near: s.Cell) -> list[s.Cell]:
        """The cells under a heading on the same sheet, in the row or the column of a cell that names it."""
        found = [each for each in self.by_heading.get((near.matrix, plain(name)), ())]
        in_row = [each for each in found if each.row == near.row]
        return in_row or ([each for each in found if each.column == near.column] or (found if len(found) == 1 else []))

    @cached_property
    def by_heading(self) -> dict[tuple[str, str], list[s.Cell]]:
        found: dict[tuple[str, str], list[s.Cell]] = {}
        for title, sheet in self.book.sheets.items():
            for place, value in sheet.values.items():
                if isinstance(value, str) or (value is None and place not in sheet.formulas):
                    continue
                cell = s.Cell(title, *place)
                for text in self.of(cell):
                    if len(text) <= 40:
                        found.setdefault((title, plain(text)), []).append(cell)
        return found
