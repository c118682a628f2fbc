"""A workbook's package looked through before anything of it is believed, and its defined names.

It comes from a stranger: sizes are bounded while it is unpacked, entities are refused, and so is whatever would take
a reader of sheets more memory than a worksheet can. What was looked at is packed anew, as the reader's only input.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias
from xml.parsers import expat

from tracer.answers.extent import Extent, is_small
from tracer.answers.handed_in import MOST_TEXT, AnswerError
from tracer.spreadsheet.columns import column_number
from tracer.zips import DAMAGED, damage

MOST_UNPACKED = 60_000_000  # bytes of all parts together
MOST_PARTS, MOST_SHEETS, MOST_NAMES = 1_000, 200, 1_000
WORKBOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
FRAME = {  # by which a reader knows what kind of workbook it is
    "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override '
    b'PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main'
    b'+xml"/></Types>',
    "_rels/.rels": b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
    b'Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    b'Target="xl/workbook.xml"/></Relationships>',
}
OTHER_FORMATS = {"xl/workbook.bin", "content.xml"}
READ = ("/worksheet", "/sharedStrings", "/styles")  # relations of a workbook to the parts that are read

Span: TypeAlias = tuple[str, int, int, int, int]
"""A sheet, and first row and column and last row and column on it, from 0."""

_CELL = r"\$?([A-Z]{1,3})\$?([0-9]{1,7})"
_REFERENCE = re.compile(rf"(?:'((?:[^']|'')+)'|([^'!]+))!{_CELL}(?::{_CELL})?")
_END_OF_CELLS = b"</sheetData>"
_FORMULA = re.compile(rb"<f(?: [^<>]*)?>[^<]*</f>")
_DECLARED = (b"<!DOCTYPE", b"<!ENTITY")
_UTF_8 = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?!\?xml[^>]{0,80}encoding=.(?!utf-8|us-ascii))", re.I)


@dataclass(frozen=True)
class Package:
    """The defined names of a workbook, and a package of no more than the parts that hold its cells."""

    names: Mapping[str, Span]
    content: bytes


def checked_package(name: str, content: bytes) -> Package:
    """A workbook that can be read safely. Raises AnswerError where it cannot."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            return _Unpacking(name, package).packed()
    except DAMAGED as wrong:
        raise AnswerError(f"{name}: not an .xlsx workbook, or a damaged one ({damage(wrong)})") from None


class _Unpacking:
    """Unpacks the parts that are read, each only as far as it is needed."""

    def __init__(self, name: str, package: zipfile.ZipFile) -> None:
        self.name, self.package = name, package
        entries = package.infolist()
        if len(entries) > MOST_PARTS or sum(each.file_size for each in entries) > MOST_UNPACKED:
            raise AnswerError(f"{name}: unpacks to more than the {MOST_UNPACKED:,} bytes that are read")
        self.entries = {each.filename: each for each in entries}
        if WORKBOOK not in self.entries or self.entries.keys() & OTHER_FORMATS:
            raise AnswerError(f"{name}: not an .xlsx workbook")
        self.left = MOST_UNPACKED

    def packed(self) -> Package:
        parts = FRAME | {each: self._part(each) for each in (WORKBOOK, RELATIONS) if each in self.entries}
        book = _BookIndex(self.name)
        for each in (WORKBOOK, RELATIONS):
            book.through(parts.get(each, b"<none/>"))
        sheets = [each for each, kind in book.parts.items() if kind == "/worksheet" and each in self.entries]
        others = [each for each, kind in book.parts.items() if kind != "/worksheet" and each in self.entries]
        parts |= {each: self._part(each) for each in others} | {each: self._cells(each) for each in sheets}
        texts = max((len(parts[each]) for each in others), default=0)
        if len(sheets) > MOST_SHEETS:
            raise AnswerError(f"{self.name}: more than {MOST_SHEETS} sheets")
        if not is_small([parts[each] for each in sheets], texts):
            extent = Extent(self.name)
            for each in (*sheets, *others):
                extent.through(parts[each])
        return Package(book.names, _packed(parts))

    def _part(self, part: str) -> bytes:
        """A part as it is. Raises AnswerError where it is larger than its entry says, or declares entities."""
        entry = self.entries[part]
        with self.package.open(entry) as opened:
            text = opened.read(entry.file_size + 1)
        return self._looked_at(part, text)

    def _cells(self, part: str) -> bytes:
        """A sheet up to the end of its cells, without formulas; what comes behind is not unpacked."""
        text = bytearray()
        with self.package.open(self.entries[part]) as opened:
            while piece := opened.read(1 << 15):
                from_ = max(0, len(text) - len(_END_OF_CELLS))
                text += piece
                end = text.find(_END_OF_CELLS, from_)
                if end >= 0:
                    cells = _FORMULA.sub(b"", bytes(text[:end]))
                    return self._looked_at(part, cells + _END_OF_CELLS + b"</worksheet>")
                if len(text) > self.left:
                    break
        return self._looked_at(part, bytes(text))

    def _looked_at(self, part: str, text: bytes) -> bytes:
        self.left -= len(text)
        if self.left < 0 or len(text) > self.entries[part].file_size + len(b"</worksheet>"):
            raise AnswerError(f"{self.name}: {part[:MOST_TEXT]} is larger than it declares")
        if not _UTF_8.match(text) or any(each in text for each in _DECLARED):
            raise AnswerError(f"{self.name}: declares a document type or another encoding, which no workbook needs")
        return text


def _packed(parts: Mapping[str, bytes]) -> bytes:
    """A package of these parts, nothing in it compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as package:
        for part, text in parts.items():
            package.writestr(zipfile.ZipInfo(part), text)
    return buffer.getvalue()


class _BookIndex:
    """The defined names of a workbook, and the parts that its cells are in."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.names: dict[str, Span] = {}
        self.parts: dict[str, str] = {}
        self.key, self.reference = "", ""

    def through(self, part: bytes) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        try:
            self.parser.Parse(part, True)
        except expat.ExpatError as wrong:
            raise AnswerError(f"{self.name}: damaged ({damage(wrong)})") from None

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        kind = tag.rpartition(":")[2]
        if kind == "definedName" and "localSheetId" not in attributes:
            self.key, self.reference = attributes.get("name", ""), ""
        elif kind == "Relationship":
            self._related(attributes.get("Type", ""), attributes.get("Target", ""))

    def _related(self, kind: str, target: str) -> None:
        kind = "/" + kind.rpartition("/")[2]
        if kind in READ:
            if not target.lower().endswith(".xml"):
                raise AnswerError(f"{self.name}: has a sheet that is not XML")
            self.parts[posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")] = kind

    def _end(self, tag: str) -> None:
        if self.key and tag.rpartition(":")[2] == "definedName":
            found = _REFERENCE.fullmatch(self.reference.strip())
            if found is not None and len(self.names) < MOST_NAMES:
                row, column = int(found[4]) - 1, column_number(found[3]) - 1
                last = (int(found[6]) - 1, column_number(found[5]) - 1) if found[5] else (row, column)
                self.names[self.key] = (found[2] or found[1].replace("''", "'"), row, column, *last)
            self.key = ""

    def _characters(self, text: str) -> None:
        if self.key and len(self.reference) < MOST_TEXT:
            self.reference += text
