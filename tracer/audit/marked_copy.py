"""A copy of the audited book with the wrong cells coloured, and a sheet that says what is wrong.

Nothing is saved anew but the parts that the marks are in: charts, pictures, macros and formulas stay byte for byte.
"""

from __future__ import annotations

import copy
import io
import string
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from lxml import etree

from tracer.audit.graph import name_of
from tracer.audit.package import RELATIONS, WORKBOOK, AuditError
from tracer.audit.report import Audit
from tracer.audit.words import report
from tracer.files import replace_file
from tracer.presentation import palette
from tracer.spreadsheet.columns import address

TITLE = "Audit"
STYLES, TYPES = "xl/styles.xml", "[Content_Types].xml"
_NS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
Parts: TypeAlias = dict[str, bytes]


def write_marked_copy(audit: Audit, path: Path) -> None:
    """Write the copy. Raises AuditError where it would take the place of what was audited."""
    with zipfile.ZipFile(io.BytesIO(audit.graph.book.content)) as package:
        entries = package.infolist()
        parts = {each.filename: package.read(each) for each in entries}
    changed = _marked(audit, parts)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as copied:
        for entry in entries:
            copied.writestr(entry, changed.pop(entry.filename, parts[entry.filename]))
        for name, content in changed.items():
            copied.writestr(name, content)
    replace_file(path, lambda file: file.write(buffer.getvalue()))


def _marked(audit: Audit, parts: Parts) -> Parts:
    """The parts that the marks change, and the new sheet."""
    if not {STYLES, TYPES, RELATIONS} <= parts.keys():
        raise AuditError(f"{audit.file}: lacks the parts that a copy is marked in")
    marks: dict[str, dict[str, str]] = {}
    for finding in audit.wrong:
        for cells, colour in ((finding.follow, palette.COARSE), (finding.cells, palette.AGAIN)):
            for cell in cells:
                marks.setdefault(audit.graph.book.sheets[cell.matrix].part, {})[address(cell.row, cell.column)] = colour
    styles = _parse(parts[STYLES])
    changed = {part: _coloured(parts[part], places, styles) for part, places in marks.items()}
    changed[STYLES] = _written(styles)
    return changed | _with_sheet(audit, parts)


def _coloured(part: bytes, places: Mapping[str, str], styles: etree._Element) -> bytes:
    sheet = _parse(part)
    made: dict[tuple[int, str], int] = {}
    for cell in sheet.iter(f"{{{_NS}}}c"):
        colour = places.get(str(cell.get("r")))
        if colour is not None:
            key = int(cell.get("s", "0")), colour
            if key not in made:
                made[key] = _style(styles, *key)
            cell.set("s", str(made[key]))
    return _written(sheet)


def _style(styles: etree._Element, base: int, colour: str) -> int:
    """A style like another but for what is behind the number; its place."""
    fills, forms = styles.find(f"{{{_NS}}}fills"), styles.find(f"{{{_NS}}}cellXfs")
    if fills is None or forms is None:
        raise AuditError("a book without styles cannot be marked")
    fill = etree.SubElement(etree.SubElement(fills, f"{{{_NS}}}fill"), f"{{{_NS}}}patternFill", patternType="solid")
    etree.SubElement(fill, f"{{{_NS}}}fgColor", rgb=f"FF{colour}")
    form = copy.deepcopy(forms[base])
    form.set("fillId", str(len(fills) - 1))
    form.set("applyFill", "1")
    forms.append(form)
    fills.set("count", str(len(fills)))
    forms.set("count", str(len(forms)))
    return len(forms) - 1


def _with_sheet(audit: Audit, parts: Parts) -> Parts:
    """The workbook with one sheet more, which has the report."""
    workbook, relations, types = (_parse(parts[each]) for each in (WORKBOOK, RELATIONS, TYPES))
    sheets = workbook.find(f"{{{_NS}}}sheets")
    if sheets is None:
        raise AuditError(f"{audit.file}: lacks the parts that a copy is marked in")
    titles = {str(each.get("name", "")).lower() for each in sheets}
    title = next(each for each in (TITLE, *(f"{TITLE} {k}" for k in range(2, 300))) if each.lower() not in titles)
    number = max(int(each.get("sheetId", "0")) for each in sheets) + 1
    part = next(f"xl/worksheets/audit{k}.xml" for k in range(1, 300) if f"xl/worksheets/audit{k}.xml" not in parts)
    etree.SubElement(sheets, f"{{{_NS}}}sheet", {"name": title, "sheetId": str(number), f"{{{_REL}}}id": "rIdAudit"})
    namespace = etree.QName(relations).namespace
    etree.SubElement(
        relations,
        f"{{{namespace}}}Relationship",
        Id="rIdAudit",
        Type=f"{_REL}/worksheet",
        Target=part.removeprefix("xl/"),
    )
    override = f"{{{etree.QName(types).namespace}}}Override"
    etree.SubElement(types, override, PartName=f"/{part}", ContentType=_SHEET_TYPE)
    return {
        WORKBOOK: _written(workbook), RELATIONS: _written(relations), TYPES: _written(types), part: _report_sheet(audit)
    }  # fmt: skip


def _report_sheet(audit: Audit) -> bytes:
    sheet = etree.Element(f"{{{_NS}}}worksheet", nsmap={None: _NS})  # type: ignore[dict-item]
    whole = etree.SubElement(sheet, f"{{{_NS}}}sheetPr")
    etree.SubElement(whole, f"{{{_NS}}}pageSetUpPr", fitToPage="1")
    columns = etree.SubElement(sheet, f"{{{_NS}}}cols")
    for number, width in ((1, 24), (2, 100)):
        etree.SubElement(columns, f"{{{_NS}}}col", min=str(number), max=str(number), width=str(width), customWidth="1")
    data = etree.SubElement(sheet, f"{{{_NS}}}sheetData")
    for number, (place, text) in enumerate(_lines(audit), start=1):
        row = etree.SubElement(data, f"{{{_NS}}}row", r=str(number))
        for column, each in zip(string.ascii_uppercase, (place, text), strict=False):
            if each:
                cell = etree.SubElement(row, f"{{{_NS}}}c", r=f"{column}{number}", t="inlineStr")
                etree.SubElement(etree.SubElement(cell, f"{{{_NS}}}is"), f"{{{_NS}}}t").text = each
    etree.SubElement(sheet, f"{{{_NS}}}pageSetup", orientation="landscape", fitToWidth="1", fitToHeight="0")
    return _written(sheet)


def _lines(audit: Audit) -> Iterator[tuple[str, str]]:
    yield from (("", line.strip()) for line in report(audit))
    yield "", ""
    yield "Cell", "Verdict"
    for finding in audit.wrong:
        for cell in finding.cells:
            yield name_of(cell), finding.says
        for cell in finding.follow:
            yield name_of(cell), f"follows from {name_of(finding.cell)}"


def _parse(part: bytes) -> etree._Element:
    return etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


def _written(element: etree._Element) -> bytes:
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8", standalone=True)
