"""The formulas of a workbook's step sheets, read back, with matrix cells in place of addresses: Z1[2,3] for H12.

Which cells are a matrix's the defined names say: the board is the same on every sheet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import column_index_from_string

Place = tuple[int, int]
STEP = re.compile(r"Step [0-9.]+")
ADDRESS = re.compile(r"(?:'[^']+'!)?\$?\b([A-Z]{1,3})\$?([0-9]+)\b(?!\()")
NAME = re.compile(r"\b([A-Za-z]+[0-9]*)_(?!\w)")  # of a whole matrix: Z1_, since Z1 is an address
SHORT = 16  # hexadecimal digits that stand for the worked lines of a matrix's other cells


@dataclass
class Read:
    """Of each sheet the matrices that are brought there; of each matrix its formulas and its worked lines."""

    brought: dict[str, str] = field(default_factory=dict)
    board: dict[str, str] = field(default_factory=dict)
    worked: dict[str, str] = field(default_factory=dict)


def read_formulas(path: Path) -> Read:
    """The formulas of a workbook of one pass."""
    book = openpyxl.load_workbook(path, read_only=True)
    cells, found = _cells_of(book), Read()
    for title in filter(STEP.fullmatch, book.sheetnames):
        on_board: dict[str, list[str]] = {}
        beside: list[str] = []
        for place, formula in _formulas(book[title]):
            named = _named(formula, cells)
            if place not in cells:
                beside.append(named)
            else:
                on_board.setdefault(cells[place].partition("[")[0], []).append("" if named == cells[place] else named)
        brought = sorted(key for key, formulas in on_board.items() if not any(formulas))  # not by place
        found.brought[title] = " ".join(brought) or "nothing"
        found.board |= {key: "; ".join(formulas) for key, formulas in on_board.items() if any(formulas)}
        found.worked |= _worked(beside)
    book.close()
    return found


def _cells_of(book: Any) -> dict[Place, str]:
    """Which cell of which matrix stands at a place of every board."""
    cells = {}
    for name, defined in book.defined_names.items():
        corners = re.findall(r"\$([A-Z]+)\$([0-9]+)", defined.attr_text)
        (top, left), (bottom, right) = (_place(*corners[k]) for k in (0, -1))
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                cells[row, column] = f"{name.removesuffix('_')}[{row - top + 1},{column - left + 1}]"
    return cells


def _place(letters: str, digits: str) -> Place:
    return int(digits), column_index_from_string(letters)


def _formulas(sheet: Any) -> Iterator[tuple[Place, str]]:
    """The formulas of a sheet in reading order."""
    for row in sheet.iter_rows():
        for cell in row:
            if cell.data_type == "f":
                formula = cell.value if isinstance(cell.value, str) else cell.value.text
                yield (cell.row, cell.column), formula.removeprefix("=")


def _named(formula: str, cells: dict[Place, str]) -> str:
    """A formula in which every address is a matrix cell; raises KeyError for one that is none."""
    pieces = formula.split('"')  # every other piece is a text
    pieces[::2] = [ADDRESS.sub(lambda found: cells[_place(found[1], found[2])], piece) for piece in pieces[::2]]
    return NAME.sub(r"\1", '"'.join(pieces))


def _worked(formulas: list[str]) -> dict[str, str]:
    """The lines of each matrix's cell on stage in full, those of its others as a hash; a line ends with its cell.

    A cell with no line before it stands on the stage itself.
    """
    lines: dict[str, list[list[str]]] = {}
    line: list[str] = []
    for formula in formulas:
        line.append(formula)
        if re.fullmatch(r"\w+\[\d+,\d+\]", formula):
            if len(line) > 1:
                lines.setdefault(formula.partition("[")[0], []).append(line)
            line = []
    assert not line, f"worked lines without a cell: {line}"
    facts = {}
    for key, (first, *others) in lines.items():
        facts[key] = " ; ".join(first)
        if others:
            facts[f"{key}, others"] = hashlib.sha256(repr(others).encode()).hexdigest()[:SHORT]
    return facts
