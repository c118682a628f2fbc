"""The grade of each student: of the files that they handed in the one that counts, on the scale that is wanted."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from tracer.classroom.class_marks import MarksLine
from tracer.classroom.overrides import folded
from tracer.expression.digits import fixed

Attempt: TypeAlias = Literal["last", "best"]
_PLATFORM = re.compile(r"(?P<name>.+?)_(?P<id>[0-9]{1,20})_assignsubmission_(?:file|onlinetext).*", re.ASCII)


@dataclass(frozen=True)
class GradeScale:
    """Points as a gradebook takes them: out of `out_of` (None: as they are), to the nearest multiple of `step`."""

    out_of: float | None = None
    step: float | None = None

    def grade(self, points: float, out_of: float) -> float:
        """A grade; half-way goes up.

        >>> GradeScale(10, 0.5).grade(13.1, 19), GradeScale().grade(13.1, 19)
        (7.0, 13.1)
        """
        found = points if self.out_of is None else (points / out_of * self.out_of if out_of else 0.0)
        if self.step is None:
            return found
        return math.floor(found / self.step + 0.5 + 1e-9) * self.step

    def maximum(self, out_of: float) -> float:
        return out_of if self.out_of is None else self.out_of


@dataclass(frozen=True)
class Grade:
    """What counts for one student. `platform` is the platform's own number and `folder` its folder for the file."""

    name: str
    id: str
    points: float
    grade: float
    maximum: float
    file: str
    platform: str = ""
    folder: str = ""
    parts: Mapping[str, float] | None = None

    @property
    def text(self) -> str:
        """With two decimals at most, and a point."""
        return number_text(self.grade)


def number_text(value: float) -> str:
    """A number with two decimals at most, and a point; ties go away from zero.

    >>> number_text(7.0), number_text(2.345)
    ('7', '2.35')
    """
    return fixed(value, 2).replace("−", "-").rstrip("0").rstrip(".") if "." in fixed(value, 2) else fixed(value, 2)


def grades(
    lines: Iterable[MarksLine], scale: GradeScale, attempt: Attempt, times: Mapping[str, float]
) -> Iterator[Grade]:
    """A grade for everybody whose work could be read, in the order in which what counts was handed in.

    `lines` is gone through twice. `times` has when each file was last changed; of two with one time the later by name
    counts. A file of which nobody knows whose it is, and one that could not be read, gives none.
    """
    counting = counting_files(lines, attempt, times)
    return (_grade(line, scale) for line in lines if line.file in counting)


def counting_files(lines: Iterable[MarksLine], attempt: Attempt, times: Mapping[str, float]) -> set[str]:
    """The files that count: of everybody the last, or the best."""
    chosen: dict[str, tuple[float, float, Sequence[tuple[int, str]], str]] = {}
    for line in lines:
        who = person_of(line)
        if who and not line.fault and line.judged:
            points = line.total[0] if attempt == "best" else 0.0
            own = (points, times.get(line.file, 0.0), _natural(line.file), line.file)
            chosen[who] = max(own, chosen.get(who, own))
    return {file for *_, file in chosen.values()}


def person_of(line: MarksLine) -> str:
    """Who handed a file in, as one key: of a roster, else by the platform's number, the id or the name."""
    if line.person:
        return f"person {line.person}"
    platform = platform_of(line.file)
    if platform:
        return f"platform {platform[1]}"
    student_id, name = line.student.get("id", ""), line.student.get("name", "")
    return f"id {folded(student_id)}" if student_id else f"name {folded(name)}" if name else ""


def platform_of(file: str) -> tuple[str, str, str] | None:
    """Folder, name and number in the folder that Moodle makes for a file."""
    for part in PurePosixPath(file).parts:
        if found := _PLATFORM.fullmatch(part):
            return part, found["name"], found["id"]
    return None


def _natural(name: str) -> Sequence[tuple[int, str]]:
    """A name as people count: work-2 before work-10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]{1,15})", name.casefold())]


def _grade(line: MarksLine, scale: GradeScale) -> Grade:
    points, out_of = line.total
    platform = platform_of(line.file) or ("", "", "")
    student_id = line.student.get("id", "")
    return Grade(
        line.student.get("name", "") or platform[1],
        "" if student_id == platform[2] else student_id,
        points, scale.grade(points, out_of), scale.maximum(out_of), line.file, platform[2], platform[0], line.points,
    )  # fmt: skip
