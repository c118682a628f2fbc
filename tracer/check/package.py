"""A workbook's package looked through before anything of it is believed, and its defined names.

It comes from a stranger: sizes are bounded before anything is unpacked, entities are refused, and so is whatever
would take a reader of sheets more memory than a worksheet can.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from typing import TypeAlias
from xml.parsers import expat

from tracer.check.handed_in import MOST_TEXT, AnswerError
from tracer.export.columns import column_number

MOST_UNPACKED = 60_000_000  # bytes of all parts together
MOST_PARTS, MOST_SHEETS, MOST_NAMES = 1_000, 200, 1_000
MOST_AREA = 500_000  # cells in the rectangles that the cells of the sheets span
MOST_TEXTS = 200_000_000  # characters, were every cell to hold the longest shared text
WORKBOOK = "xl/workbook.xml"
OTHER_FORMATS = {"xl/workbook.bin", "content.xml"}

Span: TypeAlias = tuple[str, int, int, int, int]
"""A sheet, and first row and column and last row and column on it, from 0."""

_CELL = r"\$?([A-Z]{1,3})\$?([0-9]{1,7})"
_REFERENCE = re.compile(rf"(?:'((?:[^']|'')+)'|([^'!]+))!{_CELL}(?::{_CELL})?")
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


def checked_package(name: str, content: bytes) -> dict[str, Span]:
    """The defined names of a workbook that can be read safely. Raises AnswerError where it cannot."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            entries = package.infolist()
            if len(entries) > MOST_PARTS or sum(each.file_size for each in entries) > MOST_UNPACKED:
                raise AnswerError(f"{name}: unpacks to more than the {MOST_UNPACKED:,} bytes that are read")
            parts = {each.filename for each in entries}
            if WORKBOOK not in parts or parts & OTHER_FORMATS:
                raise AnswerError(f"{name}: this is no workbook of the kind .xlsx")
            look = _Look(name)
            for entry in entries:
                if entry.filename.lower().endswith((".xml", ".rels")):
                    look.through(_unpacked(name, package, entry))
            return look.names
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, OSError, ValueError) as wrong:
        raise AnswerError(f"{name}: this is no workbook (.xlsx), or a damaged one ({wrong})") from None


def _unpacked(name: str, package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """One part; refused where it is larger than its entry says."""
    with package.open(entry) as part:
        text = part.read(entry.file_size + 1)
    if len(text) > entry.file_size:
        raise AnswerError(f"{name}: {entry.filename[:MOST_TEXT]} is larger than it says")
    return text


class _Look:
    """Goes through the parts without keeping them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.names: dict[str, Span] = {}
        self.sheets = self.cells = self.area = self.longest = 0
        self.rows = self.columns = self.row = self.column = self.length = 0
        self.key, self.reference = "", ""
        self.parser = expat.ParserCreate()

    def through(self, part: bytes) -> None:
        self.rows = self.columns = self.row = self.column = 0
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        try:
            self.parser.Parse(part, True)
        except expat.ExpatError as wrong:
            raise self._refused(f"damaged ({wrong})") from None
        self.area += self.rows * self.columns
        self._check()

    def _refused(self, says: str) -> AnswerError:
        return AnswerError(f"{self.name}: {says}")

    def _doctype(self, *_: object) -> None:
        raise self._refused("declares a document type, which no workbook needs")

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        match tag.rpartition(":")[2] if ":" in tag else tag:
            case "c":
                self._cell(attributes.get("r", ""))
            case "row":
                self.row, self.column = _number(attributes.get("r"), self.row + 1), 0
                self.rows = max(self.rows, self.row)
            case "si":
                self.length = 0
                self._listen(True)
            case "definedName" if "localSheetId" not in attributes:
                self.key, self.reference = attributes.get("name", ""), ""
                self._listen(True)
            case "sheet":
                self.sheets += 1
            case "Relationship" if attributes.get("Type", "").endswith("/worksheet"):
                if not attributes.get("Target", "").lower().endswith(".xml"):
                    raise self._refused("has a sheet in a part that is no XML")

    def _listen(self, on: bool) -> None:
        """Hear of texts and ends only where they count: most of a package is neither."""
        self.parser.EndElementHandler = self._end if on else None
        self.parser.CharacterDataHandler = self._characters if on else None

    def _cell(self, at: str) -> None:
        place = _PLACE.fullmatch(at)
        if place is not None:
            self.row, self.column = int(place[2]), column_number(place[1])
        else:
            self.column += 1
        self.cells += 1
        self.rows, self.columns = max(self.rows, self.row), max(self.columns, self.column)
        if self.rows * self.columns > MOST_AREA:
            self._check()

    def _end(self, tag: str) -> None:
        kind = tag.rpartition(":")[2]
        if kind == "si":
            self.longest = max(self.longest, self.length)
            self._listen(False)
        elif kind == "definedName" and self.key:
            self._named(_REFERENCE.fullmatch(self.reference.strip()))
            self.key = ""
            self._listen(False)

    def _named(self, found: re.Match[str] | None) -> None:
        if found is not None and len(self.names) < MOST_NAMES:
            row, column = int(found[4]) - 1, column_number(found[3]) - 1
            last = (int(found[6]) - 1, column_number(found[5]) - 1) if found[5] else (row, column)
            self.names[self.key] = (found[2] or found[1].replace("''", "'"), row, column, *last)

    def _characters(self, text: str) -> None:
        self.length += len(text)
        if self.key and len(self.reference) < MOST_TEXT:
            self.reference += text

    def _check(self) -> None:
        """Refuse what would take a reader too much memory."""
        if self.area > MOST_AREA or self.rows * self.columns > MOST_AREA:
            raise self._refused(f"a sheet reaches to row {self.rows:,} and column {self.columns:,}, too far to read")
        if self.sheets > MOST_SHEETS:
            raise self._refused(f"more than {MOST_SHEETS} sheets")
        if self.cells * self.longest > MOST_TEXTS:
            raise self._refused("its texts are too long to read")


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 9 else otherwise
