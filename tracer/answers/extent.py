"""How far the cells of a sheet reach, and how long its texts are: what a reader of sheets would need in memory."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.parsers import expat

from tracer.answers.handed_in import AnswerError
from tracer.spreadsheet.columns import column_number
from tracer.zips import damage

MOST_AREA = 500_000  # cells in the rectangles that the cells of the sheets span
MOST_TEXTS = 200_000_000  # characters, were every cell to hold the longest shared text

SMALL_SHEETS = 5  # of at most 1,000 rows and 78 columns: within MOST_AREA
_FAR = re.compile(rb'<c (?!r="[AB]?[A-Z][1-9][0-9]{0,2}")')
_PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")


def is_small(sheets: Sequence[bytes], texts: int) -> bool:
    """Whether every cell plainly says that it is near, and texts of so many bytes cannot add up.

    Where this cannot be seen at once, Extent goes through all of them.
    """
    cells = sum(sheet.count(b"<c ") for sheet in sheets)
    plain = all(b":c" not in sheet and not _FAR.search(sheet) for sheet in sheets)
    others = sum(sheet.count(b"<c") - sheet.count(b"<col") for sheet in sheets) - cells
    return len(sheets) <= SMALL_SHEETS and cells * texts <= MOST_TEXTS and plain and not others


class Extent:
    """Goes through parts without keeping them. Raises AnswerError for what is too large."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cells = self.area = self.longest = 0
        self.rows = self.columns = self.row = self.column = self.length = 0
        self.parser = expat.ParserCreate()

    def through(self, part: bytes) -> None:
        """A sheet, or the texts of all."""
        self.rows = self.columns = self.row = self.column = 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        try:
            self.parser.Parse(part, True)
        except expat.ExpatError as wrong:
            raise AnswerError(f"{self.name}: damaged ({damage(wrong)})") from None
        self.area += self.rows * self.columns
        self._check()

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        match tag.rpartition(":")[2]:
            case "c":
                self._cell(attributes.get("r", ""))
            case "row":
                self.row, self.column = _number(attributes.get("r"), self.row + 1), 0
                self.rows = max(self.rows, self.row)
            case "si":
                self.length = 0
                self._listen(True)

    def _listen(self, on: bool) -> None:
        """Hear of texts and ends only where they count: most of a part is neither."""
        self.parser.EndElementHandler = self._end if on else None
        self.parser.CharacterDataHandler = self._characters if on else None

    def _cell(self, at: str) -> None:
        place = _PLACE.fullmatch(at)
        if place is not None:
            self.row, self.column = int(place[2]), column_number(place[1])
        elif at:
            raise AnswerError(f"{self.name}: has a cell at {at[:20]!r}, which is no address")
        else:
            self.column += 1
        self.cells += 1
        self.rows, self.columns = max(self.rows, self.row), max(self.columns, self.column)
        if self.rows * self.columns > MOST_AREA:
            self._check()

    def _end(self, tag: str) -> None:
        if tag.rpartition(":")[2] == "si":
            self.longest = max(self.longest, self.length)
            self._listen(False)

    def _characters(self, text: str) -> None:
        self.length += len(text)

    def _check(self) -> None:
        if self.area > MOST_AREA or self.rows * self.columns > MOST_AREA:
            says = f"a sheet reaches to row {self.rows:,} and column {self.columns:,}, too far to read"
            raise AnswerError(f"{self.name}: {says}")
        if self.cells * self.longest > MOST_TEXTS:
            raise AnswerError(f"{self.name}: its text is too long to read")


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 9 else otherwise
