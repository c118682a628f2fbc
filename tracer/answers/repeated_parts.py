"""The matrices that a repeated step of a program makes, one for each time step or head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tracer.program.program import Program

MOST_PARTS = 60


@dataclass(frozen=True)
class Repeated:
    """The matrices that a repeated step makes, one each time, in order; `stem` is their name without its number."""

    stem: str
    members: tuple[str, ...]


def families(program: Program) -> Iterator[Repeated]:
    """The matrices of time steps, or of heads, that go together: of one shape and role, made in the same place."""
    found: dict[tuple[object, ...], tuple[str, dict[int, str]]] = {}
    for each in program.assignments.values():
        (variable, number), *more = each.block or ((None, None),)
        before, digits, after = each.id.rpartition(str(number))
        if isinstance(number, int) and digits and not more:
            stem = f"{before}{after}"
            found.setdefault((variable, stem, each.shape, each.role), (stem, {}))[1][number] = each.id
    for stem, by_number in found.values():
        if 1 < len(by_number) <= MOST_PARTS:
            yield Repeated(stem, tuple(by_number[number] for number in sorted(by_number)))
