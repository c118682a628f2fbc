"""Tables of a workbook and the structured references to them, which are read as the cells that they stand for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from tracer.spreadsheet.columns import address

TABLE = "/table"  # the end of a relation's type
_BEGIN = re.compile(r"(?<![\w.\]])([^\W\d][\w.\\]*)\[")
_ITEM = re.compile(r"\[((?:'.|[^\[\]'])*)\]")
_ESCAPED = re.compile(r"'(.)")
THIS_ROW, ALL, HEADERS, TOTALS = "#this row", "#all", "#headers", "#totals"


@dataclass(frozen=True)
class BookTable:
    """A table's sheet and cells: data in rows `top` to `bottom`, `columns` by their headings, from column `left` on."""

    sheet: str
    top: int
    bottom: int
    left: int
    columns: tuple[str, ...]
    heads: int
    totals: int

    def range(self, first: int, last: int, special: str, row: int) -> tuple[int, int, int, int]:
        """The rows and columns of a reference to columns from `first` to `last`."""
        top, bottom = self.top, self.bottom
        if special == THIS_ROW:
            top = bottom = row
        elif special == ALL:
            top, bottom = top - self.heads, bottom + self.totals
        elif special == HEADERS:
            top, bottom = top - self.heads, top - 1
        elif special == TOTALS:
            top, bottom = bottom + 1, bottom + self.totals
        return top, self.left + first, bottom, self.left + last


def table_of(sheet: str, part: etree._Element, place: tuple[int, int, int, int]) -> tuple[str, BookTable]:
    """The table of a part, by its name in lower case; `place` is the range that it says."""
    heads, totals = int(part.get("headerRowCount", "1")), int(part.get("totalsRowCount", "0"))
    columns = tuple(_plain(str(each.get("name", ""))) for each in part.iter("{*}tableColumn"))
    top, left, bottom, _ = place
    name = str(part.get("displayName") or part.get("name", ""))
    return name.lower(), BookTable(sheet, top + heads, bottom - totals, left, columns, heads, totals)


def _plain(name: str) -> str:
    return name.replace("_x000a_", " ").casefold().strip()


def relations_part(part: str) -> str:
    """Where the relations of a part are written."""
    folder, name = posixpath.split(part)
    return f"{folder}/_rels/{name}.rels"


def with_cells(text: str, sheet: str, row: int, tables: Mapping[str, BookTable]) -> str:
    """A formula with the cells of its structured references in their place; those that are not known stay."""
    found, at = [], 0
    while match := _BEGIN.search(text, at):
        end = _closing(text, match.end())
        table = tables.get(match[1].lower())
        cells = _cells(table, text[match.end() : end - 1], row, sheet) if table and end else None
        if cells is None or text.count('"', 0, match.start()) % 2:
            found.append(text[at : match.end()])
            at = match.end()
        else:
            found.append(text[at : match.start()] + cells)
            at = end
    return "".join(found) + text[at:]


def _closing(text: str, at: int) -> int:
    """The place after the bracket that closes the one before a place; 0 where none does."""
    depth = 1
    while at < len(text):
        if text[at] == "'":
            at += 1
        elif text[at] == "[":
            depth += 1
        elif text[at] == "]":
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    return 0


def _cells(table: BookTable, inside: str, row: int, sheet: str) -> str | None:
    inside = inside.strip()
    special = THIS_ROW if inside.startswith("@") else ""
    inside = inside.removeprefix("@")
    items = [_ESCAPED.sub(r"\1", each) for each in _ITEM.findall(inside)] or ([inside] if inside else [])
    names = []
    for each in items:
        if each.startswith("#"):
            special = each.casefold().strip() if each.casefold().strip() != "#data" else special
        else:
            names.append(_plain(each))
    if any(each not in table.columns for each in names) or len(names) > 2:
        return None
    places = [table.columns.index(each) for each in names] or [0, len(table.columns) - 1]
    top, left, bottom, right = table.range(places[0], places[-1], special, row)
    prefix = "" if table.sheet == sheet else "'" + table.sheet.replace("'", "''") + "'!"
    first, last = address(top, left), address(bottom, right)
    if special == THIS_ROW:
        return prefix + (first if first == last else f"{first}:{last}")
    return prefix + f"{_fixed(top, left)}:{_fixed(bottom, right)}"


def _fixed(row: int, column: int) -> str:
    letters = address(row, column).rstrip("0123456789")
    return f"${letters}${row}"
