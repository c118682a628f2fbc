"""What a sheet of answers is worth: the section `[marks]` of the problem file. It changes no number and no verdict."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from tracer.problem.convention import FieldError, place_of, refuse_all, show, suggest

MOST_POINTS = 1e6
RIGHT = ("correct", "rounded", "carried")
SHARES = {**dict.fromkeys(RIGHT, 1.0), "slip": 0.0, "too_coarse": 0.5, "wrong": 0.0}
"""Of a cell's points, by verdict; blank and unreadable cells, and those not read, never have any."""
REPEATS = ("once", "each")

_STEP = re.compile(r"step ([0-9]{1,2}(?:\.[0-9]{1,4})?)")
_IDENTIFIER = re.compile(r"[A-Za-z]{1,2}[0-9]{0,10}(_next)?")


@dataclass(frozen=True)
class MarkScheme:
    """Points of single matrices and of steps ("8", "8.1"), and of every other matrix by default.

    The points of a step are shared evenly by those of its matrices that have none of their own, the points of a
    matrix by its cells, and `shares` says how much of a cell's a verdict earns. A matrix that the answers do not hold
    is counted only where `left_out` says so. `repeats`: whether a misconception costs its first matrix alone, or each.
    """

    default: float = 1.0
    matrices: Mapping[str, float] = field(default_factory=dict)
    steps: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=SHARES.copy)
    left_out: bool = False
    repeats: str = "once"

    def to_document(self) -> dict[str, Any]:
        """The section of the problem file, every choice written out; empty where it is as if there were none."""
        if self == MarkScheme():
            return {}
        steps = {f"step {label}": points for label, points in self.steps.items()}
        kept = {
            "default": self.default,
            "left_out": self.left_out,
            "repeats": self.repeats,
            "verdicts": dict(self.shares),
        }
        return {**kept, **self.matrices, **steps}


def read_marks(value: object) -> MarkScheme:
    """`[marks]`: points by "default", identifier or "step 8", shares by verdict. Raises FieldError or ValueError."""
    if not isinstance(value, dict):
        raise ValueError("a table")
    rest = {key: entry for key, entry in value.items() if key not in ("default", "left_out", "repeats", "verdicts")}
    points = {"default": value.get("default", 1.0), **rest}
    left_out, shares = value.get("left_out", False), value.get("verdicts", {})
    repeats = value.get("repeats", "once")
    refuse_all(chain(_no_points(points), _no_yes_or_no(left_out), _no_repeats(repeats), _no_shares(shares)))
    return MarkScheme(
        default=float(points["default"]),
        matrices={key: float(each) for key, each in rest.items() if not _STEP.fullmatch(key)},
        steps={found[1]: float(each) for key, each in rest.items() if (found := _STEP.fullmatch(key))},
        shares={**SHARES, **{key: float(share) for key, share in shares.items()}},
        left_out=left_out,
        repeats=str(repeats),
    )


def _no_points(points: Mapping[str, object]) -> Iterator[FieldError]:
    expected = 'default, verdicts, left_out, repeats, identifiers such as Z1, or steps such as "step 8"'
    for key, value in points.items():
        if not (key == "default" or _STEP.fullmatch(key) or _IDENTIFIER.fullmatch(key)):
            hint = suggest(key, ("default", "left_out", "repeats", "verdicts"))
            yield FieldError(f"unknown key {show(key)}, expected {expected}{hint}")
        elif not _is_number(value, MOST_POINTS):
            yield FieldError(f"found {show(value)}, expected points from 0 to {MOST_POINTS:,.0f}", _within(key))


def _no_yes_or_no(left_out: object) -> Iterator[FieldError]:
    if not isinstance(left_out, bool):
        yield FieldError(f"found {show(left_out)}, expected true or false", ".left_out")


def _no_repeats(repeats: object) -> Iterator[FieldError]:
    if repeats not in REPEATS:
        yield FieldError(f'found {show(repeats)}, expected "once" or "each"', ".repeats")


def _no_shares(value: object) -> Iterator[FieldError]:
    if not isinstance(value, dict):
        yield FieldError(f"found {show(value)}, expected a table", ".verdicts")
        return
    for key, share in value.items():
        if key not in SHARES:
            expected = f"one of {', '.join(SHARES)}{suggest(key, SHARES)}"
            yield FieldError(f"unknown key {show(key)}, expected {expected}", ".verdicts")
        elif not _is_number(share, 1.0):
            yield FieldError(f"found {show(share)}, expected a number from 0 to 1", _within("verdicts", key))


def _is_number(value: object, most: float) -> bool:
    # type() and not isinstance, which takes true for 1; NaN fails the comparison
    return type(value) in (int, float) and 0 <= value <= most and math.isfinite(value)  # type: ignore[operator, arg-type]


def _within(*path: str) -> str:
    return place_of(path, inside=True)


def no_such_step(scheme: MarkScheme, depth: int) -> Iterator[str]:
    """What to say of each step that a network of so many layers does not have."""
    known = list(_steps(depth))
    for label in scheme.steps:
        if label not in known:
            yield f"unknown key 'step {label}', expected steps out of {', '.join(known)}"


def _steps(depth: int) -> Iterable[str]:
    for number in range(12):
        if number in (2, 3, 8, 9):  # once for each hidden layer
            yield from [str(number)] * (depth > 1)
            yield from (f"{number}.{layer}" for layer in range(1, depth))
        else:
            yield str(number)
