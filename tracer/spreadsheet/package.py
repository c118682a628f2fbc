"""A workbook file: openpyxl's package with our own sheet data put in place of its empty ones, and alt texts.

The same workbook gives the same bytes; a write that fails leaves the old file as it was.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from openpyxl.worksheet.hyperlink import HyperlinkList
from openpyxl.xml.functions import tostring

from tracer.files import replace_file
from tracer.spreadsheet.sheet_data import SheetData

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

FAST = 1  # zlib's level for sheets: half the time of the default, a seventh more bytes
PIECE = 1 << 17  # bytes that zlib is given at once
EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest date that a zip can hold
_DIMENSION = re.compile(rb'(<dimension ref=")[^"]*(")')
_CELLS = re.compile(rb"<sheetData\s*/>|<sheetData>.*?</sheetData>", re.DOTALL)  # none but those with a note
_DRAWING = re.compile(rb'Target="/(xl/drawings/drawing[0-9]+\.xml)"')
_DRAWN = re.compile(rb'(<(?:xdr:)?cNvPr id="[0-9]+" name="[^"]*")(?: descr="[^"]*")?')
_FONT = re.compile(rb"<font>(.*?)</font>", re.DOTALL)  # of cells and of conditional formats
_OF_FONT = re.compile(rb"<([A-Za-z]+)[^>]*/>")
# Source: ECMA-376, 18.8.22
FONT_ORDER = b" b i strike condense extend outline shadow u vertAlign sz color name family charset scheme "
_STAMPS = (  # what openpyxl writes of the time and of itself
    (re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*"), rb"\g<1>1980-01-01T00:00:00Z"),
    (re.compile(rb"(<Application>)[^<]*(</Application><AppVersion>)[^<]*"), rb"\g<1>Tracer\g<2>1.0"),
)


def write_workbook_file(workbook: Workbook, sheets: Mapping[str, SheetData], path: Path) -> None:
    """Write `workbook` to `path` with the data of its sheets, by title; without any a sheet keeps its own cells.

    Raises ExportError, leaving `path` as it was, where it cannot be written.
    """
    buffer = io.BytesIO()
    links = {_part(k): _links(sheet) for k, sheet in enumerate(workbook.worksheets, start=1)}
    workbook.save(buffer)
    titles = enumerate(workbook.sheetnames, start=1)
    parts = {_part(k): sheets[title] for k, title in titles if title in sheets}
    replace_file(path, lambda target: _copy(buffer, parts, links, target))


def _part(number: int) -> str:
    return f"xl/worksheets/sheet{number}.xml"


def _links(sheet: Worksheet) -> bytes:
    """The links of a sheet, which openpyxl forgets when it finds no cells."""
    links = sheet._hyperlinks  # type: ignore[attr-defined]
    return tostring(HyperlinkList(hyperlink=links).to_tree()) if links else b""  # type: ignore[return-value]


def _copy(source: io.BytesIO, parts: Mapping[str, SheetData], links: Mapping[str, bytes], target: IO[bytes]) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        alt_texts = _alt_texts(old, parts)
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            content = old.read(name)
            if name in parts:
                _write_sheet(
                    new, entry, content.replace(b"<pageMargins", links[name] + b"<pageMargins", 1), parts[name]
                )
                continue
            if name.startswith("docProps/"):
                for pattern, fixed in _STAMPS:
                    content = pattern.sub(fixed, content)
            if name.startswith("xl/worksheets/_rels/"):  # some programs know notes by a relative path alone
                content = content.replace(b'Target="/xl/comments/', b'Target="../comments/')
            if name == "xl/styles.xml":
                content = _FONT.sub(_in_order, content)
            if name in alt_texts:
                content = _described(content, alt_texts[name])
            new.writestr(entry, content)


def _in_order(font: re.Match[bytes]) -> bytes:
    """A font with its elements in the schema's order, which openpyxl does not keep."""
    places = {FONT_ORDER.index(b" %s " % found[1]): found[0] for found in _OF_FONT.finditer(font[1])}
    return b"<font>" + b"".join(places[place] for place in sorted(places)) + b"</font>"


def _write_sheet(package: zipfile.ZipFile, entry: zipfile.ZipInfo, around: bytes, data: SheetData) -> None:
    """Put the cells into what openpyxl wrote of the sheet without them."""
    entry._compresslevel = FAST  # type: ignore[attr-defined]  # no public name before Python 3.13
    before, after = _CELLS.split(_DIMENSION.sub(rb"\g<1>%s\g<2>" % data.dimension().encode(), around))
    with io.BufferedWriter(package.open(entry, "w", force_zip64=True), PIECE) as part:
        part.write(before)
        part.writelines(data.xml())
        part.write(after)


def _alt_texts(package: zipfile.ZipFile, parts: Mapping[str, SheetData]) -> dict[str, str]:
    """The alt text of each drawing part, found as a spreadsheet finds it: by its sheet's relationships."""
    found = {}
    for name, data in parts.items():
        if data.alt_text:
            folder, _, file = name.rpartition("/")
            (drawing,) = _DRAWING.findall(package.read(f"{folder}/_rels/{file}.rels"))
            found[drawing.decode()] = data.alt_text
    return found


def _described(drawing: bytes, text: str) -> bytes:
    """A drawing part whose picture or chart has this alt text."""
    description = f'"{html.escape(text)}"'.replace("\n", "&#10;").encode()
    return _DRAWN.sub(lambda found: found[1] + b" descr=" + description, drawing)
