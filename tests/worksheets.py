"""Worksheet workbooks filled in as a spreadsheet program would save them, and the marks that they give."""

import re
import zipfile
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter, range_boundaries

from tracer.expression.label import label_text
from tracer.presentation.theme import PLACEHOLDER, theme_of
from tracer.problem.names import names_of
from tracer.run.passes import Trace
from tracer.worksheet.plan import Plan

Cells = Mapping[str, list[list[float | str | None]]]
SHEET = "xl/worksheets/sheet1.xml"
_NAMED = re.compile(r'<definedName name="([^"]*)"[^>]*>([^<]*)<')


def addresses(path: Path, plan: Plan) -> dict[tuple[str, int, int], str]:
    """(matrix, row, column) from 0 -> the address of its cell, by the defined names."""
    with zipfile.ZipFile(path) as package:
        names = dict(_NAMED.findall(package.read("xl/workbook.xml").decode()))
    found, called = {}, listed(path)
    for identifier in plan.blank:
        name = called.get(identifier) or (identifier if identifier.endswith("_next") else f"{identifier}_")
        first, _, last = names[name].partition("!")[2].replace("$", "").partition(":")
        left, top, right, bottom = range_boundaries(f"{first}:{last or first}")
        for i, j in product(range(bottom - top + 1), range(right - left + 1)):
            found[identifier, i, j] = f"{get_column_letter(left + j)}{top + i}"
    return found


def listed(path: Path) -> dict[str, str]:
    """The defined names by identifier, where the book has a sheet of them."""
    book = openpyxl.load_workbook(path)
    if "Names" not in book.sheetnames:
        return {}
    return {str(identifier): str(name) for identifier, name, *_ in book["Names"].iter_rows(min_row=2, values_only=True)}


def mark_addresses(path: Path, plan: Plan) -> dict[tuple[str, int, int], str]:
    """(matrix, row, column) from 0 -> the address of its mark, which first asks whether the cell is blank."""
    with zipfile.ZipFile(path) as package:
        text = package.read(SHEET).decode()
    asked = re.findall(r'<c r="([A-Z]+[0-9]+)"[^>]*><f>IF\(([A-Z]+[0-9]+)=""', text)
    marks = {cell: mark for mark, cell in asked}
    return {key: marks[cell] for key, cell in addresses(path, plan).items()}


def fill(path: Path, plan: Plan, answers: Cells, target: Path) -> Path:
    """A copy with answers typed in: numbers, or texts as they stand."""
    places = addresses(path, plan)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name).decode() if name == SHEET else old.read(name)
            if isinstance(content, str):
                for (identifier, i, j), address in places.items():
                    value = answers[identifier][i][j] if identifier in answers else None
                    if value is not None:
                        content = _typed(content, address, value)
            new.writestr(name, content)
    return target


def _typed(content: str, address: str, value: float | str) -> str:
    kind, inside = ("", f"<v>{value!r}</v>") if isinstance(value, float) else (
        ' t="inlineStr"', f"<is><t>{value}</t></is>"
    )  # fmt: skip
    filled, count = re.subn(
        rf'<c r="{address}" s="([0-9]+)"/>', rf'<c r="{address}" s="\1"{kind}>{inside}</c>', content
    )
    assert count == 1, f"{address} is no blank cell"
    return filled


# A language in which every word is told from one that no catalogue has

IN_BRACKETS = re.compile(r"⟦[^⟧]*⟧")
WORD = r"[^\W\d_]{3,}"
OF_FORMULAS = {"exp", "max", "tanh", "arctan", "next"}


def strange_language(folder: Path) -> Path:
    """A folder with the language xx: every message is its key in brackets, with its placeholders between brackets."""
    sections: dict[str, list[str]] = {}
    for key, text in theme_of().messages.items():
        section, _, last = key.rpartition(".")
        inside = "".join(f"⟧{{{each}}}⟦" for each in sorted(set(PLACEHOLDER.findall(text))))
        sections.setdefault(section, []).append(f'{last} = "⟦{key}{inside}⟧"')
    sections["notation"] = [line for line in sections["notation"] if not line.startswith("decimal")] + ['decimal = ","']
    path = folder / "languages" / "xx.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(f"[{name}]\n" + "\n".join(lines) for name, lines in sections.items()), encoding="utf-8")
    return folder


def unworded(texts: list[str], run: Trace[Any]) -> set[str]:
    """The words of some texts that stand in no brackets, and that neither the problem nor its names have."""
    names = names_of(run.problem)
    known = [run.problem.sha256, run.problem.sha256[:8], run.problem.title, run.problem.description, run.problem.source]
    known += [label_text(names.matrix(each)) for each in run.first]
    known += [each.activation for each in getattr(run.problem, "layers", ())]
    allowed = set(re.findall(WORD, " ".join(filter(None, known)))) | OF_FORMULAS
    return {word for text in texts for word in re.findall(WORD, IN_BRACKETS.sub(" ", text))} - allowed
