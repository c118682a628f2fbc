"""Reading a problem: TOML or JSON, a built-in example by name, and its data from CSV or XLSX.

Whatever is wrong with a file ends in one ProblemError that names the problem file.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import tomllib
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from tracer.errors import ProblemError
from tracer.expression.arrays import Array
from tracer.problem.convention import show, suggest
from tracer.problem.example_groups import EXAMPLE_GROUPS
from tracer.problem.hints import MOST_DOTS, decoded, is_empty, syntax_fault, too_dotted
from tracer.problem.initial import LARGEST
from tracer.problem.problem import Problem, problem_of
from tracer.problem.program_problem import ProgramProblem, program_of
from tracer.problem.program_schema import FromFile
from tracer.problem.schema import Data, RawData

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
LARGEST_FILE = 64 * 2**20
LARGEST_UNPACKED = 512 * 2**20  # an xlsx of the largest file; more is a zip bomb
MOST_CELLS = 5_000_000
MOST_LISTED = 12  # names in one message
NEEDED = "a problem needs learning_rate, loss, [data] with X and Y, and [[layers]]: see `tracer examples article`"
Refuse: TypeAlias = Callable[[str], ProblemError]
TableRow: TypeAlias = Sequence[object]


def load_problem(source: str | Path) -> Problem:
    """The network in a .toml or .json file, or the built-in example of that name. Raises ProblemError."""
    found = load_any(source)
    if not isinstance(found, Problem):
        raise ProblemError(str(source), "steps", "found a program; this takes networks of [[layers]]")
    return found


def load_any(source: str | Path) -> Problem | ProgramProblem:
    """The network or the program in a .toml or .json file, or of a built-in example. Raises ProblemError."""
    path = Path(source)
    if path.suffix.lower() in (".toml", ".json"):
        return _read_problem(path, str(source))
    if str(source) in example_names():
        return _read_problem(EXAMPLES / f"{source}.toml", str(source))
    raise ProblemError(str(source), "", _neither_file_nor_example(path))


def problem_of_table(document: object, name: str = "problem") -> Problem | ProgramProblem:
    """The problem of a table with a problem file's keys; a data file is looked for from here. Raises ProblemError."""
    return _problem(document, Path(name), name)


def example_names(group: str | None = None) -> list[str]:
    """The built-in examples by the alphabet, or those of one of EXAMPLE_GROUPS in its order."""
    if group is not None:
        return list(EXAMPLE_GROUPS[group])
    return sorted(path.stem for path in EXAMPLES.glob("*.toml"))


def example_text(name: str) -> str:
    """The TOML of a built-in example, with its data written in it, so that it can be kept anywhere.

    Raises ProblemError where there is none of that name.
    """
    if name not in example_names():
        raise ProblemError(name, "", _neither_file_nor_example(Path(name)))
    text = (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8")
    return _FROM_FILE.sub(lambda _: _written_out(load_problem(name)), text)


_FROM_FILE = re.compile(r'^file = "[^"]*"\ninputs = .*\ntargets = .*$', re.MULTILINE)


def _written_out(problem: Problem) -> str:
    """The data as a problem file has them, a row on a line."""
    matrices = (("X", problem.X), ("Y", problem.Y))
    rows = {name: "".join(f"  {row},\n" for row in matrix.tolist()) for name, matrix in matrices}
    return "\n".join(f"{name} = [\n{lines}]" for name, lines in rows.items())


def _neither_file_nor_example(path: Path) -> str:
    accepted = "a problem file's name ends in .toml or .json"
    if _exists(path) and path.is_dir():
        return f"is a folder; {accepted}"
    if path.suffix or path.parent.name or _exists(path):
        return f"{accepted}, this one {'in ' + show(path.suffix) if path.suffix else 'has no ending'}"
    names = example_names()
    few = len(names) <= MOST_LISTED
    listed = f"there are: {', '.join(names)}" if few else f"`tracer examples` lists all {len(names)}"
    known = f"{listed}; {accepted}"
    return f"no built-in example of this name{suggest(path.name, names)} ({known})"


def _exists(path: Path) -> bool:
    try:
        return bool(path.name) and path.exists()
    except OSError:  # a name that is too long, a folder that may not be looked into
        return False


def _read_problem(path: Path, file: str) -> Problem | ProgramProblem:
    refuse = partial(ProblemError, file, "")
    content = _read_bytes(path, refuse)
    text = _decode(content, refuse)
    return _problem(_parse(text, path.suffix.lower(), refuse), path, file)


def _problem(document: object, path: Path, file: str) -> Problem | ProgramProblem:
    if isinstance(document, dict) and "steps" in document:
        return program_of(document, path.stem, file, partial(_columns_of_file, path.parent))
    return problem_of(document, path.stem, file, partial(_read_data, path.parent))


def _read_bytes(path: Path, refuse: Refuse, where: str = "") -> bytes:
    """The content of a file of bearable size."""
    try:
        if path.is_dir():
            raise refuse("is a folder, expected a file")
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise refuse("is no plain file")
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise refuse(f"no such file{where}") from None
    except (OSError, ValueError) as wrong:  # ValueError: a NUL in the name
        raise refuse(f"cannot be read: {getattr(wrong, 'strerror', None) or wrong}") from None
    if len(content) > LARGEST_FILE:
        raise refuse(f"is larger than {LARGEST_FILE >> 20} MB")
    return content


def _decode(content: bytes, refuse: Refuse) -> str:
    try:
        return decoded(content)
    except ValueError as wrong:
        raise refuse(str(wrong)) from None


def _parse(text: str, suffix: str, refuse: Refuse) -> object:
    """The document of a TOML or JSON text."""
    text = text.replace("\r\n", "\n")  # as tomllib does, which counts lines and columns afterwards
    if is_empty(text, suffix == ".toml"):
        raise refuse(f"the file is empty; {NEEDED}")
    line = too_dotted(text) if suffix == ".toml" else None
    if line:
        raise refuse(f"not TOML that can be read: line {line} has a key of more than {MOST_DOTS} parts")
    try:
        if suffix == ".toml":
            return tomllib.loads(text)
        return json.loads(text, object_pairs_hook=_without_duplicates)
    except RecursionError:
        raise refuse(f"not {suffix[1:].upper()} that can be read: nested too deep") from None
    except ValueError as wrong:  # the errors of both readers, and int() on thousands of digits
        raise refuse(f"not {suffix[1:].upper()}{syntax_fault(text, wrong)}") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON lets the last of two equal keys win, silently; TOML refuses them, and so does this."""
    table = dict(pairs)
    if len(table) < len(pairs):
        (key, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {show(key)} is given twice")
    return table


def _columns_of_file(folder: Path, wanted: FromFile, refuse: Refuse) -> Array:
    """The columns of a table file that a program has under [given]; all of them where none are named."""
    table = _table(folder, wanted.file, wanted.sheet, refuse)
    columns = None if wanted.columns is None else list(wanted.columns)
    chosen = _positions(table.names, columns, table.refuse) or list(range(len(table.names)))
    return _numbers(table.cells, table.names, chosen, table.refuse)


def _read_data(folder: Path, raw: RawData, file: str) -> Data:
    """X and Y from the columns of a table file; its first row names them."""
    assert raw.file is not None  # RawData has X and Y, or a file
    table = _table(folder, raw.file, raw.sheet, partial(ProblemError, file, "data.file"))
    inputs, targets = _columns(table.names, raw.inputs, raw.targets, table.refuse)
    X, Y = (_numbers(table.cells, table.names, columns, table.refuse) for columns in (inputs, targets))
    return Data(X, Y, table.shown)


def read_samples(path: Path, targets: Sequence[str]) -> Data:
    """X and Y of a table file (.csv, .xlsx): the columns that are targets, and all others. Raises ProblemError."""
    refuse = partial(ProblemError, str(path), "")
    table = _table(path.parent, path.name, None, refuse)
    inputs, outputs = _columns(table.names, None, list(targets), refuse)
    X, Y = (_numbers(table.cells, table.names, columns, refuse) for columns in (inputs, outputs))
    return Data(X, Y, table.shown)


class _Table(NamedTuple):
    """The columns' names and the cells below; `refuse` names the file, `shown` is its name for a message."""

    names: list[str]
    cells: list[TableRow]
    refuse: Refuse
    shown: str


def _table(folder: Path, file: str, sheet: str | None, refuse: Refuse) -> _Table:
    """A table file, its first row the columns' names."""
    path = folder / file
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise refuse(f"found {show(file)}, expected a name that ends in .csv or .xlsx")
    shown = file if file.isprintable() and len(file) <= 200 else show(file)
    refuse = partial(_refuse_table, refuse, shown)
    where = "" if Path(file).is_absolute() else " (looked for from the problem file's folder)"
    content = _read_bytes(path, refuse, where)
    if path.suffix.lower() == ".csv":
        if sheet is not None:
            raise refuse(f"found sheet {show(sheet)} for a CSV file, expected it only for .xlsx")
        rows = _csv_rows(content, refuse)
    else:
        rows = _xlsx_rows(content, sheet, refuse)
    header, *cells = rows
    names = ["" if name is None else str(name).strip() for name in header]
    if all(_number(name) is not None for name in names if name):
        raise refuse("row 1: expected the columns' names")
    return _Table(names, cells, refuse, shown)


def _refuse_table(refuse: Refuse, name: str, says: str) -> ProblemError:
    return refuse(f"{name}: {says}")


def _bounded(rows: Iterable[TableRow], refuse: Refuse) -> list[TableRow]:
    """Header and at least one row, without the blank ones at the end."""
    kept: list[TableRow] = []
    total = 0
    for row in rows:
        total += max(len(row), 1)
        if total > MOST_CELLS:
            raise refuse(f"has more than {MOST_CELLS} cells")
        kept.append(row)
    while kept and all(_is_blank(cell) for cell in kept[-1]):
        kept.pop()
    if len(kept) < 2:
        raise refuse("expected a row with the columns' names and at least one row of numbers")
    return kept


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _csv_rows(content: bytes, refuse: Refuse) -> list[TableRow]:
    """Rows of text; a header without a comma may be divided by semicolons or tabs.

    Beside semicolons a comma is a decimal comma, as spreadsheets in half of Europe save it.
    """
    text = _decode(content, refuse)
    header = text.partition("\n")[0]
    delimiter = next((mark for mark in ",;\t" if mark in header), ",")
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        if delimiter == ";":
            return _bounded(([cell.replace(",", ".") for cell in row] for row in rows), refuse)
        return _bounded(rows, refuse)
    except csv.Error as wrong:
        raise refuse(f"not CSV: {wrong}") from None


def _xlsx_rows(content: bytes, sheet: str | None, refuse: Refuse) -> list[TableRow]:
    """Rows of values of one worksheet, the first unless named."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
        if unpacked > LARGEST_UNPACKED:
            raise refuse(f"unpacks to more than {LARGEST_UNPACKED >> 20} MB")
        return _worksheet_rows(content, sheet, refuse)
    except ProblemError:
        raise
    except Exception as wrong:  # openpyxl lets through whatever its zip and XML readers raise
        says = " ".join(str(wrong).split())[:100]
        raise refuse(f"not a workbook that can be read ({type(wrong).__name__}: {says})") from None


def _worksheet_rows(content: bytes, sheet: str | None, refuse: Refuse) -> list[TableRow]:
    import openpyxl  # slow to import, and rarely needed

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and validations, which data have no use for
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        titles = {worksheet.title: worksheet for worksheet in book.worksheets}
        if sheet is not None and sheet not in titles:
            raise refuse(f"has no sheet {show(sheet)}{suggest(sheet, titles)} (there are: {', '.join(titles)})")
        worksheet = titles[sheet] if sheet is not None else book.worksheets[0]
        worksheet.reset_dimensions()  # what a file says of its size may be the whole sheet
        return _bounded(worksheet.iter_rows(values_only=True), refuse)


def _columns(
    names: list[str], inputs: list[str] | None, targets: list[str] | None, refuse: Refuse
) -> tuple[list[int], list[int]]:
    """Positions of the inputs and targets. Left out, one is what the other leaves, or the target the last."""
    if targets is None and inputs is None:
        targets = [next(name for name in reversed(names) if name)] if any(names) else []
    given = [_positions(names, wanted, refuse) for wanted in (inputs, targets)]
    for k, other in ((0, given[1]), (1, given[0])):
        rest = [place for place, name in enumerate(names) if name and place not in (other or [])]
        given[k] = rest if given[k] is None else given[k]
    if not given[0] or not given[1]:
        raise refuse(f"no column is left for the {'targets' if given[0] else 'inputs'}")
    return given[0], given[1]


def _positions(names: list[str], wanted: list[str] | None, refuse: Refuse) -> list[int] | None:
    if wanted is None:
        return None
    for name in wanted:
        if names.count(name.strip()) != 1 or wanted.count(name) > 1:
            how = "twice the" if name.strip() in names else "no"
            raise refuse(f"{how} column {show(name)}{suggest(name, set(names) - {name})} (there are: {_listed(names)})")
    return [names.index(name.strip()) for name in wanted]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(show, names[:MOST_LISTED])) + (", …" if len(names) > MOST_LISTED else "")


def _numbers(rows: Sequence[TableRow], names: Sequence[str], columns: Sequence[int], refuse: Refuse) -> Array:
    """The numbers of some columns as float64, or a refusal that names the row and column."""
    matrix = np.empty((len(rows), len(columns)))
    for r, row in enumerate(rows):
        if len(row) > len(names) and not all(map(_is_blank, row[len(names) :])):
            raise refuse(f"row {r + 2}: found {len(row)} cells, expected {len(names)} as in the header")
        for c, column in enumerate(columns):
            cell = row[column] if column < len(row) else None
            number = _number(cell)
            if number is None:
                found = "a blank cell" if _is_blank(cell) else show(cell)
                says = f"found {found}, expected a finite number up to 1e100"
                raise refuse(f"row {r + 2}, column {show(names[column])}: {says}")
            matrix[r, c] = number
    return matrix


def _number(cell: object) -> float | None:
    """The number in a cell of CSV text or of a workbook; None if it holds none."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return None
    if isinstance(cell, str) and ("_" in cell or not cell.isascii()):  # float() takes 1_0 and other digits
        return None
    try:
        value = float(cell)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) and abs(value) <= LARGEST else None
