"""A stranger's workbook, read from the XML of its package: every cell's number or text, and its formula as it stands.

Nothing is recalculated, no macro runs and no link to another file is followed. Sizes are bounded while parts are
unpacked, and document types and entities are refused.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from lxml import etree

from tracer.audit.tables import TABLE, BookTable, relations_part, table_of, with_cells
from tracer.errors import TracerError
from tracer.spreadsheet.columns import column_number
from tracer.zips import DAMAGED, damage

MOST_UNPACKED = 100_000_000  # bytes of the parts that are read
MOST_PARTS, MOST_SHEETS, MOST_CELLS, MOST_FORMULAS = 5_000, 200, 600_000, 60_000
MOST_FORMULA = 16_384  # letters
WORKBOOK, RELATIONS, STRINGS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "/sharedStrings"
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_ADDRESS = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NAME?", "#NULL!", "#SPILL!", "#CALC!"})

AuditedPlace: TypeAlias = tuple[int, int]
"""Row and column, from 1."""


class AuditError(TracerError):
    """The workbook cannot be audited; the message says why."""


@dataclass(frozen=True, slots=True)
class WrittenFormula:
    """A formula without its "=", as it was written at `origin`; `spread` is the range that an array formula fills."""

    text: str
    origin: AuditedPlace
    spread: tuple[int, int, int, int] | None = None


@dataclass(slots=True)
class AuditedSheet:
    """A sheet: values that are shown (numbers, texts, truth values; None for an error), and formulas."""

    name: str
    part: str
    hidden: bool
    values: dict[AuditedPlace, float | str | bool | None] = field(default_factory=dict)
    formulas: dict[AuditedPlace, WrittenFormula] = field(default_factory=dict)


@dataclass(frozen=True)
class BookCells:
    """A workbook's sheets in their order, and its defined names in lower case, each with the text that it stands for.

    Names that hold for one sheet alone are under (sheet, name). `spelled`: names as they are written.
    """

    name: str
    content: bytes
    sheets: Mapping[str, AuditedSheet]
    names: Mapping[str | tuple[str, str], str]
    spelled: Mapping[str, str] = field(default_factory=dict)


def read_book(name: str, content: bytes) -> BookCells:
    """Read a workbook. Raises AuditError where it is damaged, protected, too large, or no .xlsx."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            return _Reading(name, package).book(content)
    except DAMAGED as wrong:
        raise AuditError(f"{name}: not an .xlsx workbook, or a damaged one ({damage(wrong)})") from None
    except etree.XMLSyntaxError as wrong:
        raise AuditError(f"{name}: damaged ({damage(wrong)})") from None


class _Reading:
    """Reads the parts that hold cells, each only as large as it says."""

    def __init__(self, name: str, package: zipfile.ZipFile) -> None:
        self.name, self.package = name, package
        self.entries = {each.filename: each for each in package.infolist()}
        if len(self.entries) > MOST_PARTS:
            raise AuditError(f"{name}: has more than {MOST_PARTS:,} parts")
        if WORKBOOK not in self.entries:
            raise AuditError(f"{name}: not an .xlsx workbook (save it as .xlsx)")
        self.left = MOST_UNPACKED
        self.cells = self.formulas = 0
        self.tables: dict[str, BookTable] = {}

    def book(self, content: bytes) -> BookCells:
        workbook = etree.fromstring(self.part(WORKBOOK), _parser())
        relations = self.relations()
        strings = self.strings(relations)
        sheets = {}
        names = self.names(workbook)
        for element in _all(workbook, "sheet"):
            key = next((value for each, value in element.attrib.items() if str(each).endswith("}id")), "")
            kind, part = relations.get(str(key), ("", ""))
            if kind.endswith("/worksheet") and part in self.entries:
                title = str(element.get("name", ""))
                sheets[title] = AuditedSheet(title, part, element.get("state", "visible") != "visible")
        if not sheets or len(sheets) > MOST_SHEETS:
            raise AuditError(f"{self.name}: has {len(sheets)} sheets of cells; 1 to {MOST_SHEETS} can be read")
        for sheet in sheets.values():
            self.read_tables(sheet)
        for sheet in sheets.values():
            self.read_sheet(sheet, strings)
        spelled = {
            str(each.get("name", "")).lower(): str(each.get("name", "")) for each in _all(workbook, "definedName")
        }
        return BookCells(self.name, content, sheets, names, spelled)

    def part(self, name: str) -> bytes:
        entry = self.entries[name]
        if entry.file_size > self.left:
            raise AuditError(f"{self.name}: unpacks to more than the {MOST_UNPACKED:,} bytes that are read")
        with self.package.open(entry) as opened:
            text = opened.read(entry.file_size + 1)
        if len(text) > entry.file_size:
            raise AuditError(f"{self.name}: {name[:60]} is larger than it declares")
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise AuditError(f"{self.name}: declares a document type, which no workbook needs")
        self.left -= len(text)
        return text

    def read_tables(self, sheet: AuditedSheet) -> None:
        for kind, part in self.relations(relations_part(sheet.part), posixpath.dirname(sheet.part)).values():
            if kind.endswith(TABLE) and part in self.entries:
                element = etree.fromstring(self.part(part), _parser())
                place = _spread(str(element.get("ref", "")))
                if place is not None:
                    name, table = table_of(sheet.name, element, place)
                    self.tables[name] = table

    def relations(self, of: str = RELATIONS, folder: str = "xl") -> dict[str, tuple[str, str]]:
        if of not in self.entries:
            return {}
        found = {}
        for element in etree.fromstring(self.part(of), _parser()):
            if element.get("TargetMode") == "External":
                continue
            target = str(element.get("Target", ""))
            part = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[str(element.get("Id"))] = (str(element.get("Type", "")), part)
        return found

    def strings(self, relations: Mapping[str, tuple[str, str]]) -> list[str]:
        part = next((part for kind, part in relations.values() if kind.endswith(STRINGS)), "")
        if part not in self.entries:
            return []
        return [_text(each) for each in _all(etree.fromstring(self.part(part), _parser()), "si")]

    def names(self, workbook: etree._Element) -> dict[str | tuple[str, str], str]:
        titles = [str(each.get("name", "")) for each in _all(workbook, "sheet")]
        found: dict[str | tuple[str, str], str] = {}
        for element in _all(workbook, "definedName"):
            name, local = str(element.get("name", "")).lower(), element.get("localSheetId")
            if element.get("function") == "1" or name.startswith("_xlnm."):
                continue
            if local is None:
                found[name] = element.text or ""
            elif local.isdigit() and int(local) < len(titles):
                found[titles[int(local)], name] = element.text or ""
        return found

    def read_sheet(self, sheet: AuditedSheet, strings: list[str]) -> None:
        shared: dict[str, WrittenFormula] = {}
        row, column = 0, 0
        for event, element in etree.iterparse(
            io.BytesIO(self.part(sheet.part)),
            events=("start", "end"),
            tag=[f"{_MAIN}row", f"{_STRICT}row", f"{_MAIN}c", f"{_STRICT}c"],
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
        ):
            is_row = element.tag.endswith("}row")
            if event == "start":
                if is_row:  # some programs leave the numbers of rows and the addresses of cells out
                    row, column = int(number) if (number := element.get("r", "")).isdigit() else row + 1, 0
                continue
            if is_row:
                element.clear()
                continue
            row, column = _place(element.get("r")) or (row, column + 1)
            self.cells += 1
            if self.cells > MOST_CELLS:
                raise AuditError(f"{self.name}: has more than {MOST_CELLS:,} cells")
            value = _value(element, strings)
            if value is not None:
                sheet.values[row, column] = value
            written = element.find("{*}f")
            if written is not None:
                self.add_formula(sheet, (row, column), written, shared)
                sheet.values.setdefault((row, column), None)
            element.clear()

    def add_formula(
        self, sheet: AuditedSheet, place: AuditedPlace, written: etree._Element, shared: dict[str, WrittenFormula]
    ) -> None:
        self.formulas += 1
        text = written.text or ""
        if self.formulas > MOST_FORMULAS or len(text) > MOST_FORMULA:
            raise AuditError(
                f"{self.name}: has more than {MOST_FORMULAS:,} formulas, or one of a length that no program takes"
            )
        if self.tables and "[" in text:
            text = with_cells(text, sheet.name, place[0], self.tables)
        kind, key = written.get("t"), str(written.get("si", ""))
        if kind == "array":
            spread = _spread(str(written.get("ref", "")))
            sheet.formulas[place] = WrittenFormula(text, place, spread)
        elif kind == "shared" and not text.strip():
            if key in shared:
                sheet.formulas[place] = shared[key]
        elif kind != "dataTable" and text.strip():
            sheet.formulas[place] = WrittenFormula(text, place)
            if kind == "shared":
                shared[key] = sheet.formulas[place]


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)


def _all(element: etree._Element, tag: str) -> Iterator[etree._Element]:
    return element.iter(f"{_MAIN}{tag}", f"{_STRICT}{tag}")


def _text(element: etree._Element) -> str:
    """The text of a string; how it is to be read aloud (rPh) is none of it."""
    return "".join(
        each.text or ""
        for each in element.iter("{*}t")
        if not str(getattr(each.getparent(), "tag", "")).endswith("rPh")
    )


_TYPES = dict(zip("bens", ("truth", "error", "number", "shared"), strict=True))
"""What the letters of a cell's type stand for; its other types are words."""


def _value(element: etree._Element, strings: list[str]) -> float | str | bool | None:
    kind, inner = element.get("t", "n"), element.find("{*}v")
    kind = _TYPES.get(kind, kind)
    if kind == "inlineStr":
        return _text(element)
    text = (inner.text or "") if inner is not None else ""
    if inner is None or kind == "error" or text in _ERRORS:
        return None
    if kind == "shared":
        return strings[int(text)] if text.isdigit() and int(text) < len(strings) else None
    if kind == "truth":
        return text == "1"
    if kind in ("str", "d"):
        return text
    try:
        return float(text)
    except ValueError:
        return None


def _place(address: str | None) -> AuditedPlace | None:
    found = _ADDRESS.fullmatch(address or "")
    return (int(found[2]), column_number(found[1])) if found else None


def _spread(reference: str) -> tuple[int, int, int, int] | None:
    first, _, last = reference.partition(":")
    top, bottom = _place(first), _place(last or first)
    return (*top, *bottom) if top and bottom else None
