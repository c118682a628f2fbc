"""Roles of cells that are not worked out but said: by a map (TOML), or by the book's own defined names."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracer.audit.graph import BookGraph, name_of
from tracer.audit.labels import named_derivative, plain
from tracer.audit.package import AuditError
from tracer.audit.parsing import Reference, UnreadFormulaError, parse
from tracer.expression import scalar as s
from tracer.files import open_regular

MOST_BYTES, MOST_CELLS = 1_000_000, 10_000  # of a map; of a range in it
KEYS = ("loss", "parameters", "gradients", "rate")
CALLED_LOSS = frozenset({"l", "loss", "cost", "error", "totalloss", "totalerror", "etotal"})


@dataclass(frozen=True)
class RoleMap:
    """`gradients`: for a cell that holds a gradient the cell that it is the gradient in."""

    loss: s.Cell | None = None
    parameters: tuple[s.Cell, ...] = ()
    gradients: Mapping[s.Cell, s.Cell] = field(default_factory=dict)
    rate: s.Cell | None = None


def read_map(path: Path, graph: BookGraph) -> RoleMap:
    """Read a map for a book. Raises AuditError, in one line, with what is wrong in it and where."""
    try:
        with open_regular(path) as file:
            document = tomllib.loads(file.read(MOST_BYTES).decode("utf-8"))
    except OSError as wrong:
        raise AuditError(f"{path}: {wrong.strerror or wrong}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as wrong:
        raise AuditError(f"{path}: not TOML ({wrong})") from None
    return _MapReading(str(path), graph, document).found()


@dataclass
class _MapReading:
    path: str
    graph: BookGraph
    document: Mapping[str, Any]

    def found(self) -> RoleMap:
        for key in self.document.keys() - set(KEYS):
            raise self.wrong(key, f"unknown; a map has {', '.join(KEYS)}")
        loss = self.one("loss")
        if loss is not None and loss not in self.graph.made:
            raise self.wrong("loss", "no formula that is read stands there")
        rate = self.one("rate")
        if rate is not None and rate not in self.graph.typed:
            raise self.wrong("rate", "no number is typed there")
        return RoleMap(loss, tuple(self.parameters()), dict(self.gradients()), rate)

    def wrong(self, key: str, text: str) -> AuditError:
        return AuditError(f"{self.path}: {key}: {text}")

    def one(self, key: str) -> s.Cell | None:
        if key not in self.document:
            return None
        cells = self.cells(key, self.document[key])
        if len(cells) != 1:
            raise self.wrong(key, f"{len(cells)} cells; a single one is needed")
        return cells[0]

    def parameters(self) -> Iterator[s.Cell]:
        ranges = self.document.get("parameters", [])
        for each in ranges if isinstance(ranges, list) else [ranges]:
            for cell in self.cells("parameters", each):
                if cell not in self.graph.typed and cell not in self.graph.made:
                    raise self.wrong("parameters", f"no number stands in {name_of(cell)}")
                yield cell

    def gradients(self) -> Iterator[tuple[s.Cell, s.Cell]]:
        table = self.document.get("gradients", {})
        if not isinstance(table, dict):
            raise self.wrong("gradients", 'a table is needed, as in "F20:G21" = "C3:D4"')
        for text, of in table.items():
            cells, others = self.cells("gradients", text), self.cells("gradients", of)
            if len(cells) != len(others):
                raise self.wrong("gradients", f"{text} has {len(cells)} cells and {of} has {len(others)}")
            for cell in cells:
                if cell not in self.graph.made:
                    raise self.wrong("gradients", f"{text} has a cell without a formula that is read")
            yield from zip(cells, others, strict=True)

    def cells(self, key: str, text: object) -> list[s.Cell]:
        """The cells of a range, row by row; of the first sheet where it names none."""
        if not isinstance(text, str):
            raise self.wrong(key, f'{text!r} is no text; a cell or range is needed, as in "Sheet1!C3:D4"')
        found = range_cells(text, next(iter(self.graph.book.sheets)))
        if not found:
            raise self.wrong(key, f"“{text}” is not a cell or range, as in Sheet1!C3:D4")
        if found[0].matrix not in self.graph.book.sheets:
            raise self.wrong(key, f"there is no sheet “{found[0].matrix}”")
        return found


def range_cells(text: str, sheet: str) -> list[s.Cell]:
    """The cells of a range, row by row; none where a text is no range, or one of too many cells."""
    try:
        node = parse(text.strip().lstrip("="))
    except (UnreadFormulaError, RecursionError):
        return []
    if not isinstance(node, Reference):
        return []
    last = node.last or node.first
    rows, columns = range(node.first.row, last.row + 1), range(node.first.column, last.column + 1)
    if len(rows) * len(columns) > MOST_CELLS:
        return []
    return [s.Cell(node.sheet or sheet, row, column) for row in rows for column in columns]


def named_roles(graph: BookGraph) -> RoleMap:
    """What the defined names of a book say: dW1 is the gradient in W1, cell by cell, and L or loss is the loss.

    A name without a cell, and one that is another's when it is read plainly, say nothing.
    """
    ranges = dict(_named_ranges(graph))
    gradients: dict[s.Cell, s.Cell] = {}
    losses = []
    for name, cells in ranges.items():
        of = named_derivative(name)
        if plain(name) in CALLED_LOSS and len(cells) == 1 and cells[0] in graph.made:
            losses.append(cells[0])
        elif of is not None:
            others = next((each for other, each in ranges.items() if plain(other) == plain(of)), [])
            if len(others) == len(cells) and all(each in graph.made for each in cells):
                gradients |= zip(cells, others, strict=True)
    return RoleMap(losses[0] if len(losses) == 1 else None, gradients=gradients)


def _named_ranges(graph: BookGraph) -> Iterator[tuple[str, list[s.Cell]]]:
    """Names and their cells; none of z and z_2, which may be z and Z where names know no capitals."""
    stripped = {each.strip("_") for each in graph.book.names if isinstance(each, str)}
    twice = {each for name in stripped if f"{name}_2" in stripped for each in (name, f"{name}_2")}
    plainly: dict[str, int] = {}
    for name in graph.book.names:
        if isinstance(name, str):
            plainly[plain(name)] = plainly.get(plain(name), 0) + 1
    for key, text in graph.book.names.items():
        if isinstance(key, str) and plainly[plain(key)] == 1 and key.strip("_") not in twice and "!" in text:
            cells = range_cells(text, "")
            if cells and cells[0].matrix in graph.book.sheets:
                yield graph.book.spelled.get(key, key).strip("_"), cells
