"""OpenDocument sheets (.ods) and Word documents (.docx) as pages: the cells of their tables, the lines of their text.

Their XML comes from a stranger: it is unpacked up to a limit, entities are refused, repeated cells are counted.
"""

from __future__ import annotations

import io
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from xml.parsers import expat

from tracer.answers.handed_in import MOST_CELLS, MOST_TEXT, AnswerError, AnswerPage
from tracer.answers.numbers import BLANK, Entry, of_float, read_number, unreadable
from tracer.zips import DAMAGED, damage

MOST_UNPACKED = 60_000_000
MOST_SHEETS, MOST_DEEP = 200, 500
MOST_REPEATED = 1_000  # cells that an empty one stands for, as far as they are kept
A_DATE = "a date, not a number; type a fraction as =3/8"


def part_of(name: str, content: bytes, part: str) -> bytes:
    """A part of a package. Raises AnswerError where it is missing, too large, or declares entities."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package, package.open(part) as opened:
            text = opened.read(MOST_UNPACKED + 1)
    except (*DAMAGED, KeyError) as wrong:
        raise AnswerError(f"{name}: damaged, or not of the kind that its name says ({damage(wrong)})") from None
    if len(text) > MOST_UNPACKED:
        raise AnswerError(f"{name}: unpacks to more than the {MOST_UNPACKED:,} bytes that are read")
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise AnswerError(f"{name}: declares a document type, which no such file needs")
    return text


class _Parsing(ABC):
    """Goes through XML; what it is for, the two below say."""

    def __init__(self, name: str) -> None:
        self.name, self.depth, self.left = name, 0, MOST_CELLS
        self.words: list[str] | None = None

    def through(self, content: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(content, True)
        except expat.ExpatError as wrong:
            raise AnswerError(f"{self.name}: damaged ({damage(wrong)})") from None

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self.depth += 1
        if self.depth > MOST_DEEP:
            raise AnswerError(f"{self.name}: nested too deeply")
        self.begin(tag.rpartition(":")[2], {key.rpartition(":")[2]: value for key, value in attributes.items()})

    def _end(self, tag: str) -> None:
        self.depth -= 1
        self.end(tag.rpartition(":")[2])

    def _characters(self, text: str) -> None:
        if self.words is not None:
            self.words.append(text)

    def taken(self) -> str:
        """The words since they were listened for."""
        words, self.words = "".join(self.words or ()), None
        return words

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise AnswerError(f"{self.name}: more than {MOST_CELLS:,} cells")

    @abstractmethod
    def begin(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    @abstractmethod
    def end(self, tag: str) -> None:
        """An element ends."""


class _Sheets(_Parsing):
    """The tables of an OpenDocument sheet."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.pages: dict[str, list[list[Entry]]] = {}
        self.rows: list[list[Entry]] = []
        self.row: list[Entry] = []
        self.cell: Mapping[str, str] = {}
        self.repeat = 1

    def begin(self, tag: str, attributes: Mapping[str, str]) -> None:
        match tag:
            case "table":
                if len(self.pages) >= MOST_SHEETS:
                    raise AnswerError(f"{self.name}: more than {MOST_SHEETS} sheets")
                self.rows = self.pages.setdefault(attributes.get("name", "")[:MOST_TEXT], [])
            case "table-row":
                self.row, self.repeat = [], _count(attributes.get("number-rows-repeated"))
            case "table-cell" | "covered-table-cell":
                self.cell, self.words = attributes, []
            case "p" if self.words:
                self.words.append(" ")
            case "annotation":
                self.words = None

    def end(self, tag: str) -> None:
        if tag in ("table-cell", "covered-table-cell"):
            entry = _entry(self.cell, self.taken())
            times = _count(self.cell.get("number-columns-repeated"))
            self.spend(times if entry.kind != "blank" else 1)
            self.row += [entry] * min(times, MOST_REPEATED)
        elif tag == "table-row":
            while self.row and self.row[-1] is BLANK:
                self.row.pop()
            self.spend(len(self.row) * (self.repeat - 1))
            self.rows += [self.row] * min(self.repeat, MOST_REPEATED if self.row else 2)


def _count(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and 0 < len(text) < 8 else 1


def _entry(cell: Mapping[str, str], words: str) -> Entry:
    match cell.get("value-type"):
        case "float" | "percentage" | "currency":
            try:
                return of_float(float(cell.get("value", "")))
            except ValueError:
                return unreadable(words)
        case "date" | "time" | "boolean":
            return unreadable(words or cell.get("date-value", ""), A_DATE)
    return read_number(words[: MOST_TEXT + 1]) if words.strip() else BLANK


class _Document(_Parsing):
    """The lines and tables of a Word document, tables as lines with tabs."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.lines: list[str] = []
        self.cells: list[str] = []
        self.in_row = 0

    def begin(self, tag: str, attributes: Mapping[str, str]) -> None:
        match tag:
            case "tr":
                self.in_row, self.cells = self.in_row + 1, []
            case "p" if not self.in_row or self.words is None:
                self.words = []
            case "tab" | "br" if self.words is not None:
                self.words.append("\t" if tag == "tab" else "\n")

    def end(self, tag: str) -> None:
        match tag:
            case "p" if not self.in_row:
                self.spend(1)
                self.lines.append(self.taken())
            case "tc":
                self.spend(1)
                self.cells.append(" ".join(self.taken().split()))
            case "tr":
                self.in_row -= 1
                self.lines.append("\t".join(self.cells))
            case "tbl":
                self.lines.append("")


def pages_of_ods(name: str, content: bytes) -> list[AnswerPage]:
    """The sheets of an .ods. Raises AnswerError where it cannot be read."""
    sheets = _Sheets(name)
    sheets.through(part_of(name, content, "content.xml"))
    return [AnswerPage(rows, name=sheet) for sheet, rows in sheets.pages.items()]


def text_of_docx(name: str, content: bytes) -> str:
    """The text of a .docx. Raises AnswerError where it cannot be read."""
    document = _Document(name)
    document.through(part_of(name, content, "word/document.xml"))
    return "\n".join(document.lines)
