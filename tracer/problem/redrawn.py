"""The section `[variants]` of the problem file: which numbers are redrawn for a variant, and from where.

It changes no number of the problem itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracer.problem.convention import FieldError, place_of, refuse_all, show

MOST_DIGITS = 6  # decimals of a number that is redrawn
KEYS = ("matrices", "digits", "range")


@dataclass(frozen=True)
class Redrawn:
    """`matrices` are redrawn (None: every parameter), to `digits` decimals (None: as few as will do), within `range`.

    `own` has the digits and the range of single matrices. None for a range: up to the largest number in the file.
    """

    matrices: tuple[str, ...] | None = None
    digits: int | None = None
    range: tuple[float, float] | None = None
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def digits_of(self, identifier: str) -> int | None:
        """The decimals of a matrix, where they are said."""
        found: int | None = self.own.get(identifier, {}).get("digits", self.digits)
        return found

    def range_of(self, identifier: str) -> tuple[float, float] | None:
        """The least and the largest number of a matrix, where they are said."""
        found: tuple[float, float] | None = self.own.get(identifier, {}).get("range", self.range)
        return found

    def to_document(self) -> dict[str, Any]:
        """The section as a table; empty where it is as if there were none."""
        said = {"matrices": self.matrices, "digits": self.digits, "range": self.range}
        lists = {key: list(value) if isinstance(value, tuple) else value for key, value in said.items()}
        own = {
            each: {key: list(value) if isinstance(value, tuple) else value for key, value in table.items()}
            for each, table in self.own.items()
        }
        return {key: value for key, value in lists.items() if value is not None} | own


def read_redrawn(value: object) -> Redrawn:
    """`[variants]` as it is typed. Raises FieldError or ValueError."""
    if not isinstance(value, dict):
        raise ValueError("a table")
    refuse_all(_mistakes(value))
    own = {key: table for key, table in value.items() if key not in KEYS}
    matrices = value.get("matrices")
    return Redrawn(
        None if matrices is None else tuple(matrices),
        value.get("digits"),
        _as_range(value),
        {key: {**table, **({"range": _as_range(table)} if "range" in table else {})} for key, table in own.items()},
    )


def _as_range(table: Mapping[str, Any]) -> tuple[float, float] | None:
    return (float(table["range"][0]), float(table["range"][1])) if "range" in table else None


def _mistakes(value: Mapping[str, object]) -> Iterator[FieldError]:
    matrices = value.get("matrices", [""])
    if not isinstance(matrices, list) or not matrices or not all(isinstance(each, str) for each in matrices):
        yield FieldError(f'found {show(matrices)}, expected a list of identifiers (["W1", "b1"])', ".matrices")
    yield from _of_table(value, ())
    for key, table in value.items():
        if key in KEYS:
            continue
        if not isinstance(table, dict):
            yield FieldError(f"found {show(table)}, expected {{ digits = 1, range = [-0.9, 0.9] }}", _within(key))
            continue
        yield from _of_table(table, (key,))
        for other in table.keys() - {"digits", "range"}:
            yield FieldError(f"unknown key {show(other)}, expected digits or range", _within(key))


def _of_table(table: Mapping[str, object], path: tuple[str, ...]) -> Iterator[FieldError]:
    digits, bounds = table.get("digits", 0), table.get("range", [0, 1])
    if type(digits) is not int or not 0 <= digits <= MOST_DIGITS:
        says = f"found {show(digits)}, expected a whole number from 0 to {MOST_DIGITS}"
        yield FieldError(says, _within(*path, "digits"))
    if not isinstance(bounds, list) or len(bounds) != 2 or not all(map(_is_number, bounds)) or bounds[0] >= bounds[1]:
        yield FieldError(f"found {show(bounds)}, expected the least and the largest number", _within(*path, "range"))


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and abs(value) <= 1e6  # type: ignore[arg-type]


def _within(*path: str) -> str:
    return place_of(path, inside=True)
