"""Tables of single numbers: a column for each name and a row for each epoch or sample, or units across and what they
have down (net, out, delta). The cells that they take are no part of any other block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tracer.answers.cells import GridPlace
from tracer.answers.handed_in import AnswerPage, Grid
from tracer.answers.identifiers import unit_name
from tracer.answers.numbers import Entry

MOST_ROWS = 2_000


@dataclass(frozen=True)
class Column:
    """Numbers under each other with one name, and the cells that they and the name take."""

    name: str
    grid: Grid
    place: GridPlace
    cells: frozenset[GridPlace]


def crossed(page: AnswerPage) -> Iterator[Column]:
    """Units across (h1, h2), quantities down (net, out): each number has the name of both, out_h1."""
    for row, cells in enumerate(page.rows):
        heads = {column: cell.text for column, cell in enumerate(cells) if cell.is_words and _is_unit(cell.text)}
        if not heads or min(heads) == 0:
            continue
        label = min(heads) - 1
        for below in range(row + 1, min(row + MOST_ROWS, len(page.rows))):
            line = page.rows[below]
            quantity = line[label].text if label < len(line) and line[label].is_words else ""
            if below in page.assigned or not _is_quantity(quantity):
                break
            for column, unit in heads.items():
                if column < len(line) and line[column].kind == "number":
                    taken = frozenset({(below, column), (below, label), (row, column), (row, label)})
                    yield Column(f"{quantity.strip()}_{unit.strip()}", ((line[column],),), (below, column), taken)


def _is_unit(text: str) -> bool:
    """Whether a head names a unit by its layer: h1, o2."""
    found = unit_name(text)
    return found is not None and found.stem in ("h", "o", "hidden", "k") and len(found.numbers) == 1


def _is_quantity(text: str) -> bool:
    found = unit_name(text)
    return found is not None and not found.numbers and not found.tags


def heads(page: AnswerPage) -> dict[GridPlace, bool]:
    """The cells of rows that are heads of columns: names of units side by side, each over numbers of its own."""
    found: dict[GridPlace, bool] = {}
    for row, cells in enumerate(page.rows):
        if row in page.assigned or row + 1 >= len(page.rows) or row + 1 in page.assigned:
            continue
        below = page.rows[row + 1]
        over = [k for k, cell in enumerate(cells) if cell.is_words and _is_number(below, k) and _alone(cells, below, k)]
        units = [column for column in over if (name := unit_name(cells[column].text)) is not None and name.numbers]
        plain = [column for column in over if unit_name(cells[column].text) is not None]
        if len(units) > 1 or (len(plain) > 1 and len(plain) >= len(over) - 1):
            found.update({(row, column): True for column in over})
    return found


def _alone(cells: Sequence[Entry], below: Sequence[Entry], column: int) -> bool:
    """Whether a name stands over a single column: beside it are others, or no numbers below."""
    beside = (each for each in (column - 1, column + 1) if each >= 0)
    return not any(_is_number(below, each) and (each >= len(cells) or cells[each].kind == "blank") for each in beside)


def _is_number(cells: Sequence[Entry], column: int) -> bool:
    return column < len(cells) and cells[column].kind == "number"


def column_under(page: AnswerPage, place: GridPlace, free: set[GridPlace]) -> Column | None:
    """The numbers under a head, as far as they are free and stand together."""
    row, column = place
    entries: list[Entry] = []
    taken = {place}
    for below in range(row + 1, min(row + MOST_ROWS, len(page.rows))):
        if (below, column) not in free or page.rows[below][column].kind != "number":
            break
        entries.append(page.rows[below][column])
        taken.add((below, column))
    if not entries:
        return None
    return Column(page.rows[row][column].text, tuple((each,) for each in entries), place, frozenset(taken))
