"""How well numbers fit the shape that a name asks for, and what are labels and no numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tracer.answers.names_read import NameReading
from tracer.answers.numbers import Entry
from tracer.expression import matrix as m

EXACT, TURNED, TRANSPOSED, LABELLED, PART, OTHER = range(6)  # the best first


def fit(found: m.Shape, wanted: m.Shape) -> int:
    """How well numbers of one shape fit another; a row that stands repeatedly fits as a part does."""
    if found == wanted:
        return EXACT
    if found == wanted[::-1]:
        return TURNED if 1 in wanted else TRANSPOSED
    repeated = 1 in wanted and any(a == b > 1 for a, b in zip(found, wanted, strict=True))
    return PART if repeated or (found[0] <= wanted[0] and found[1] <= wanted[1]) else OTHER


def best(readings: Iterable[NameReading], how: Callable[[NameReading], float]) -> tuple[NameReading, ...]:
    """The readings that fit best, of those the likeliest."""
    ranked = [((how(each), each.rank), each) for each in readings]
    least = min((rank for rank, _ in ranked), default=None)
    return tuple(each for rank, each in ranked if rank == least)


def are_labels(labels: Sequence[Entry], beside_others: bool = False) -> bool:
    """Whether labels are 1, 2, 3 or 0, 1, 2, or words; a single 0 is one only `beside_others`."""
    if all(each.is_words or each.kind == "blank" for each in labels):
        return True
    numbers = [each.value for each in labels if each.decimals == 0]
    starts = (0, 1) if len(labels) > 1 or beside_others else (1,)
    return any(numbers == [float(k + start) for k in range(len(labels))] for start in starts)
