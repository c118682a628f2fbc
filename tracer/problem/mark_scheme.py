"""What a sheet of answers is worth: the section `[marks]` of the problem file. It changes no number and no verdict."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracer.problem.convention import FieldError, place_of, show, suggest

MOST_POINTS = 1e6
RIGHT = ("correct", "rounded", "carried")
SHARES = {verdict: float(verdict in RIGHT) for verdict in (*RIGHT, "slip", "too_coarse", "wrong")}
"""Of a cell's points, by verdict; blank and unreadable cells never have any."""

_STEP = re.compile(r"step ([0-9]{1,2}(?:\.[0-9]{1,4})?)")
_IDENTIFIER = re.compile(r"[A-Za-z]{1,2}[0-9]{0,10}(_next)?")


@dataclass(frozen=True)
class MarkScheme:
    """Points of single matrices and of steps ("8", "8.1"), and of every other matrix by default.

    The points of a step are shared evenly by those of its matrices that have none of their own, the points of a
    matrix by its cells, and `shares` says how much of a cell's a verdict earns. A matrix that the answers do not hold
    is counted only where `left_out` says so.
    """

    default: float = 1.0
    matrices: Mapping[str, float] = field(default_factory=dict)
    steps: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=SHARES.copy)
    left_out: bool = False

    def to_document(self) -> dict[str, Any]:
        """The section of the problem file, every choice written out; empty where it is as if there were none."""
        if self == MarkScheme():
            return {}
        steps = {f"step {label}": points for label, points in self.steps.items()}
        kept = {"default": self.default, "left_out": self.left_out, "verdicts": dict(self.shares)}
        return {**kept, **self.matrices, **steps}


def read_marks(value: object) -> MarkScheme:
    """`[marks]`: points by "default", identifier or "step 8", shares by verdict. Raises FieldError or ValueError."""
    if not isinstance(value, dict):
        raise ValueError("a table")
    rest = {key: entry for key, entry in value.items() if key not in ("default", "left_out", "verdicts")}
    wrong = next((key for key in rest if not (_STEP.fullmatch(key) or _IDENTIFIER.fullmatch(key))), None)
    if wrong is not None:
        hint = suggest(wrong, ("default", "left_out", "verdicts"))
        expected = 'default, verdicts, left_out, identifiers such as Z1, or steps such as "step 8"'
        raise FieldError(f"unknown key {show(wrong)}, expected {expected}{hint}")
    points = {key: _points(key, entry) for key, entry in rest.items()}
    left_out = value.get("left_out", False)
    if not isinstance(left_out, bool):
        raise FieldError(f"found {show(left_out)}, expected true or false", ".left_out")
    return MarkScheme(
        default=_points("default", value.get("default", 1.0)),
        matrices={key: each for key, each in points.items() if not _STEP.fullmatch(key)},
        steps={found[1]: each for key, each in points.items() if (found := _STEP.fullmatch(key))},
        shares={**SHARES, **_shares(value.get("verdicts", {}))},
        left_out=left_out,
    )


def _points(key: str, value: object) -> float:
    if not _is_number(value, MOST_POINTS):
        raise FieldError(f"found {show(value)}, expected points from 0 to {MOST_POINTS:,.0f}", _within(key))
    return float(value)  # type: ignore[arg-type]


def _shares(value: object) -> dict[str, float]:
    if not isinstance(value, dict):
        raise FieldError(f"found {show(value)}, expected a table", ".verdicts")
    for key, share in value.items():
        if key not in SHARES:
            expected = f"one of {', '.join(SHARES)}{suggest(key, SHARES)}"
            raise FieldError(f"unknown key {show(key)}, expected {expected}", ".verdicts")
        if not _is_number(share, 1.0):
            raise FieldError(f"found {show(share)}, expected a number from 0 to 1", _within("verdicts", key))
    return {key: float(share) for key, share in value.items()}


def _is_number(value: object, most: float) -> bool:
    # type() and not isinstance, which takes true for 1; NaN fails the comparison
    return type(value) in (int, float) and 0 <= value <= most and math.isfinite(value)  # type: ignore[operator, arg-type]


def _within(*path: str) -> str:
    return place_of(path, inside=True)


def no_such_step(scheme: MarkScheme, depth: int) -> str | None:
    """What to say of the first step that a network of so many layers does not have; None where it has them all."""
    known = list(_steps(depth))
    wrong = next((label for label in scheme.steps if label not in known), None)
    return None if wrong is None else f"unknown key 'step {wrong}', expected steps out of {', '.join(known)}"


def _steps(depth: int) -> Iterable[str]:
    for number in range(12):
        if number in (2, 3, 8, 9):  # once for each hidden layer
            yield from [str(number)] * (depth > 1)
            yield from (f"{number}.{layer}" for layer in range(1, depth))
        else:
            yield str(number)
