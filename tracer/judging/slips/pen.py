"""Slips of the pen: the right number, wrongly written down or copied from next to it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from tracer.answers.numbers import Entry, read_number
from tracer.expression.interval import Interval

SHIFTS = (1, -1, 2, -2, 3, -3)  # places by which a decimal point moves
MOST_DIGITS = 12


@dataclass(frozen=True)
class PenSlip:
    """What may have happened to one cell; `among` is how many such things were tried, each with room of `width`."""

    slug: str
    says: str
    among: int
    width: float


def pen_slips(entry: Entry, row: int, column: int, right: Interval, tolerance: float) -> Iterator[PenSlip]:
    """What explains an answer at (row, column), given the right rule's bounds of the whole matrix."""
    low, high = float(right.low[row, column]), float(right.high[row, column])
    if not (math.isfinite(low) and math.isfinite(high)) or entry.value == 0:
        return
    yield from _moved_point(entry, low, high, tolerance)
    yield from _swapped(entry, low, high, tolerance)
    if -high - tolerance <= entry.value <= -low + tolerance:
        yield PenSlip("copied-or-sign-dropped", "the sign is reversed[: {right} belongs here]", 1, high - low)
    yield from _copied(entry.value, row, column, right, tolerance)


def _moved_point(entry: Entry, low: float, high: float, tolerance: float) -> Iterator[PenSlip]:
    for places in SHIFTS:
        scale = 10.0**places
        slack = tolerance * max(1.0, scale)
        if low * scale - slack <= entry.value <= high * scale + slack and not low <= 0 <= high:
            side = "right" if places > 0 else "left"
            count = "one place" if abs(places) == 1 else f"{abs(places)} places"
            yield PenSlip(
                "digit-slip",
                f"the decimal point moved {count} to the {side}[: {{right}}]",
                len(SHIFTS),
                (high - low) * scale,
            )


def _swapped(entry: Entry, low: float, high: float, tolerance: float) -> Iterator[PenSlip]:
    """Two digits exchanged, neighbours first."""
    text = entry.text.replace("−", "-")
    places = [k for k, letter in enumerate(text) if letter.isdigit()][:MOST_DIGITS]
    if entry.decimals is None or len(places) != sum(letter.isdigit() for letter in text):
        return
    pairs = sorted(combinations(range(len(places)), 2), key=lambda pair: pair[1] - pair[0])
    for first, second in pairs:
        one, other = text[places[first]], text[places[second]]
        if one == other:
            continue
        letters = list(text)
        letters[places[first]], letters[places[second]] = other, one
        meant = read_number("".join(letters))
        if meant.kind == "number" and low - tolerance <= meant.value <= high + tolerance:
            yield PenSlip("digit-slip", f"two digits were swapped[: {meant.text}]", len(pairs), high - low)


def _copied(value: float, row: int, column: int, right: Interval, tolerance: float) -> Iterator[PenSlip]:
    """The number of another cell in this row or column, the nearest first."""
    rows, columns = right.low.shape
    places = [(i, column) for i in range(rows) if i != row] + [(row, j) for j in range(columns) if j != column]
    for i, j in sorted(places, key=lambda place: abs(place[0] - row) + abs(place[1] - column)):
        if right.low[i, j] - tolerance <= value <= right.high[i, j] + tolerance:
            says = f"this is the value of row {i + 1}, column {j + 1}[; {{right}} belongs here]"
            yield PenSlip("copied-or-sign-dropped", says, len(places), float(right.high[i, j] - right.low[i, j]))
            return
