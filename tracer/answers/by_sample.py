"""Work that is written down a sample at a time: a name that stands once for each sample, or a row of a unit's samples.

Both are taken for that only where the numbers agree with the key: the same names may be of two passes as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from tracer.answers.agreement import Agreement, total
from tracer.answers.counting import Counted
from tracer.answers.families import Families, NamedNumber
from tracer.answers.found import Found
from tracer.answers.identifiers import BIAS, THETA, WEIGHT, unit_name
from tracer.answers.layouts import shape_of
from tracer.answers.placing import ALONE

PARAMETERS = {WEIGHT, BIAS, THETA}
MOSTLY = 0.6  # of what the numbers could say


def once_for_each(scalars: Sequence[NamedNumber], counted: Counted, agreement: Agreement) -> list[NamedNumber]:
    """Scalars, those whose names stand once for each sample as columns, where the numbers say that they are."""
    by_name: dict[str, list[NamedNumber]] = defaultdict(list)
    for each in scalars:
        by_name[each.name.strip()].append(each)
    columns = {name: _column(several) for name, several in by_name.items() if _is_of_samples(several, counted.samples)}
    if not columns or not _agree(list(columns.values()), counted, agreement):
        return list(scalars)
    first = {id(by_name[name][0]): column for name, column in columns.items()}
    return [first.get(id(each), each) for each in scalars if each.name.strip() not in columns or id(each) in first]


def _is_of_samples(several: Sequence[NamedNumber], samples: int) -> bool:
    single = all(len(each.entries) == 1 and each.own is None for each in several)
    return len(several) == samples > 1 and single and not PARAMETERS.issuperset(several[0].unit.kinds)


def _column(several: Sequence[NamedNumber]) -> NamedNumber:
    return replace(several[0], entries=tuple(each.entries[0] for each in several))


def _agree(columns: Sequence[NamedNumber], counted: Counted, agreement: Agreement) -> bool:
    """Whether a good part of them has a place by its numbers: more than a few digits would have by chance."""
    agreed = Families(columns, counted, agreement, agreement.key.program.updated).agreed
    return agreed >= ALONE


def rows_of_units(found: Sequence[Found], counted: Counted, agreement: Agreement) -> dict[int, NamedNumber]:
    """Rows that hold what one unit has for each sample, by their order: `delta_h1 = [0.1, -0.2]`."""
    rows = [row for each in found if (row := _row_of_a_unit(each, counted)) is not None]
    could = total(tuple(row.entries for row in rows)) / max(counted.samples, 1)
    agreed = Families(rows, counted, agreement, agreement.key.program.updated).agreed
    return {row.order: row for row in rows} if agreed >= MOSTLY * could and could else {}


def _row_of_a_unit(each: Found, counted: Counted) -> NamedNumber | None:
    if each.single or counted.samples < 2 or shape_of(each.grid) != (1, counted.samples):
        return None
    unit, letter = unit_name(each.name), any(one.rank == 0 for one in each.readings)
    if unit is None or letter or not unit.numbers or not any(cell.row is None for cell in counted.cells(unit).values()):
        return None
    return NamedNumber(each.name, unit, each.grid[0], each.where, each.order)


def stacked(found: Sequence[Found], agreement: Agreement) -> list[Found]:
    """Blocks, with the rows of a name that stands once for each sample as one, where the numbers say that they are."""
    samples = agreement.key.program.rows
    by_name: dict[str, list[Found]] = defaultdict(list)
    for each in found:
        by_name[each.name.strip()].append(each)
    one: dict[int, Found] = {}
    rest: set[int] = set()
    for several in by_name.values():
        if len(several) == samples > 1 and all(shape_of(each.grid) == shape_of(several[0].grid) for each in several):
            whole = _stacked(several, agreement)
            if whole is not None:
                one[several[0].order] = whole
                rest |= {each.order for each in several[1:]}
    return [one.get(each.order, each) for each in found if each.order not in rest]


def _stacked(several: Sequence[Found], agreement: Agreement) -> Found | None:
    """Rows as one block, where that agrees with a matrix that has such a row for each sample."""
    if len(several[0].grid) != 1 or not several[0].name:
        return None
    grid = tuple(each.grid[0] for each in several)
    fits = (name for name, value in agreement.key.values.items() if value.shape == shape_of(grid))
    if max((agreement.of(grid, name) for name in fits), default=0.0) < max(ALONE, MOSTLY * total(grid)):
        return None
    return replace(several[0], grid=grid, readings=tuple(one for one in several[0].readings if one.place is None))
