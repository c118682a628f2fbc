"""Workbooks recalculated by real spreadsheet engines, none of which may see a cached value."""

import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import unescape

from python_calamine import CalamineWorkbook

from tests.conftest import require_module, require_program

Values = dict[tuple[str, str], object]
"""(sheet, address) -> what the cell holds."""

_CELL = re.compile(r'<c r="([A-Z]+\d+)"[^>]*?(?:/>|>(.*?)</c>)')
_SHEET = re.compile(r'<sheet [^>]*name="([^"]*)"')
PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item></oor:items>
"""


def cells(path: Path) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """(sheet, address) -> (formula, cached value) of every cell that has either."""
    found = {}
    with zipfile.ZipFile(path) as package:
        titles = [unescape(each) for each in _SHEET.findall(package.read("xl/workbook.xml").decode())]
        for number, title in enumerate(titles, start=1):
            text = package.read(f"xl/worksheets/sheet{number}.xml").decode()
            for address, inside in _CELL.findall(text):
                formula, value = (re.search(f"<{tag}>(.*?)</{tag}>", inside) for tag in "fv")
                if formula or value:
                    parts = (unescape(part[1]) if part else None for part in (formula, value))
                    found[title, address] = tuple(parts)
    return found  # type: ignore[return-value]


WRONG = b"12345.678"


def with_wrong_cached_values(path: Path, target: Path) -> Path:
    """A copy whose formulas all claim one wrong value, so that an engine that believes it is caught."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name.startswith("xl/worksheets/"):
                content = re.sub(rb"</f><v>[^<]*</v>", b"</f><v>" + WRONG + b"</v>", content)
            new.writestr(name, content)
    return target


def by_ironcalc(path: Path, wanted: Iterable[tuple[str, str]]) -> Values:
    ironcalc = require_module("ironcalc")
    model = ironcalc.load_from_xlsx(str(path))
    model.evaluate()
    sheets = {each["name"]: k for k, each in enumerate(model.get_worksheets_properties())}
    return {key: model.get_cell_value(sheets[key[0]], *_place(key[1])) for key in wanted}


def by_cellrune(path: Path, wanted: Iterable[tuple[str, str]]) -> Values:
    cellrune = require_module("cellrune")
    book = cellrune.Workbook.open_path(path)
    book.recalculate(mode="full")
    found: Values = {}
    for sheet in {sheet for sheet, _ in wanted}:
        places = {address: _place(address) for title, address in wanted if title == sheet}
        last_row, last_column = (max(place[k] for place in places.values()) for k in (0, 1))
        rows = book.read_values(sheet, "A1", f"{_letters(last_column)}{last_row}")
        for address, (row, column) in places.items():
            found[sheet, address] = rows[row - 1][column - 1].get("value")
    return found


def by_libreoffice(paths: list[Path], folder: Path, kind: str = "xlsx") -> list[Path]:
    """The workbooks as LibreOffice writes them again, everything recalculated on load (15 digits)."""
    soffice = require_program("soffice")
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(PROFILE)
    out = folder / "recalculated"
    command = [soffice, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", kind]
    subprocess.run([*command, "--outdir", out, *paths], check=True, capture_output=True, timeout=300)
    shutil.rmtree(profile)
    return [out / path.with_suffix(f".{kind}").name for path in paths]


def by_file(path: Path, wanted: Iterable[tuple[str, str]]) -> Values:
    """The cached values of a workbook that another program wrote."""
    sheets = values_of(path)
    return {(sheet, address): sheets[sheet].get(address) for sheet, address in wanted}


def values_of(path: Path, *titles: str) -> dict[str, dict[str, object]]:
    """What the cells of some sheets hold, or of all, by sheet and address; a blank cell is not there."""
    book = CalamineWorkbook.from_path(path)
    return {
        title: {
            f"{_letters(column)}{row}": value
            for row, cells in enumerate(book.get_sheet_by_name(title).to_python(skip_empty_area=False), 1)
            for column, value in enumerate(cells, 1)
            if value != ""
        }
        for title in titles or book.sheet_names
    }


def _place(address: str) -> tuple[int, int]:
    letters, digits = re.fullmatch(r"([A-Z]+)(\d+)", address).groups()  # type: ignore[union-attr]
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - 64
    return int(digits), column


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
