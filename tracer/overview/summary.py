"""A class at a glance: what its marks say together, gathered in one pass over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import combinations

from tracer.classroom.class_marks import MarksLine

LEAST_GROUP = 5  # sheets that a number shown to a class stands for, at the least
BINS = 10
MOST_CELLS, MOST_FIRST = 12, 8
LOW = 0.7  # of the points: who has less needs a word
SHARED, MOST_SHARING = 3, 60  # wrong numbers that two sheets share; sheets with one number, more say nothing


@dataclass(frozen=True)
class CountingLines:
    """The lines of a class without those of files in whose place another one counts; `files` are those that count."""

    lines: Iterable[MarksLine]
    files: Set[str]

    def __iter__(self) -> Iterator[MarksLine]:
        return (line for line in self.lines if line.file in self.files or not _is_anybodys(line))


def _is_anybodys(line: MarksLine) -> bool:
    """Whether a line is somebody's work that could be read."""
    return bool(line.judged and not line.fault and (line.person or any(line.student.values())))


@dataclass(frozen=True)
class StudentRow:
    """A student's row in the map: shares of the points of each matrix, from 0 to 1."""

    name: str
    id: str
    file: str
    variant: str
    shares: Mapping[str, float]
    share: float
    points: float
    out_of: float
    first_wrong: str
    fault: str

    @property
    def called(self) -> str:
        return self.name or self.id or self.file


@dataclass(frozen=True)
class SharedIdea:
    """A misconception, on how many sheets it shows, and one of them: what a tutor says, and a cell worked."""

    slug: str
    count: int
    says: str
    worked: str


@dataclass
class ClassSummary:
    """Counts of a class; `matrices` are those that anybody handed in."""

    judged: int = 0
    shares: list[float] = field(default_factory=list)
    most: float = 0.0
    ideas: Counter[str] = field(default_factory=Counter)
    told: dict[str, tuple[str, str]] = field(default_factory=dict)
    missed: Counter[str] = field(default_factory=Counter)

    def add(self, line: MarksLine) -> None:
        """Count a sheet that was judged."""
        earned, out_of = line.total
        if line.fault or not line.judged or not out_of:
            return
        self.judged += 1
        self.shares.append(earned / out_of)
        self.most = max(self.most, out_of)
        for slug, says, worked in line.ideas:
            self.told.setdefault(slug, (says, worked))
        self.ideas.update({slug for slug, *_ in line.ideas})
        self.missed.update(line.missed)

    def shared_ideas(self) -> list[SharedIdea]:
        """The misconceptions that five sheets or more show, the commonest first."""
        order = sorted(self.ideas.items(), key=lambda each: (-each[1], each[0]))
        return [SharedIdea(slug, count, *self.told[slug]) for slug, count in order if count >= LEAST_GROUP]

    def hardest(self) -> list[tuple[str, int]]:
        """The cells that most sheets missed."""
        order = sorted(self.missed.items(), key=lambda each: (-each[1], each[0]))
        return [each for each in order if each[1] >= LEAST_GROUP][:MOST_CELLS]

    def bins(self) -> list[tuple[float, float, int]]:
        """How the points are spread: shares from and to, and how many sheets; neighbours together where too few."""
        counts = [0] * BINS
        for share in self.shares:
            counts[min(BINS - 1, int(share * BINS + 1e-9))] += 1
        found: list[tuple[float, float, int]] = []
        start, total = 0, 0
        for k, count in enumerate(counts):
            total += count
            if total >= LEAST_GROUP or (total == 0 and start == k):
                found.append((start / BINS, (k + 1) / BINS, total))
                start, total = k + 1, 0
        if start < BINS:
            while total and found:  # what is left joins the groups before it
                before = found.pop()
                start, total = round(before[0] * BINS), total + before[2]
                if total >= LEAST_GROUP:
                    break
            found.append((start / BINS, 1.0, total))
        return found


def rows(lines: Iterable[MarksLine]) -> Iterator[StudentRow]:
    """A row for each file."""
    for line in lines:
        earned, out_of = line.total
        shares = {each: line.points[each] / most for each, most in line.worth.items() if most and each in line.points}
        share = earned / out_of if out_of else 0.0
        yield StudentRow(
            line.student.get("name", ""), line.student.get("id", ""), line.file, line.variant, shares, share, earned,
            out_of, line.first_wrong, line.fault,
        )  # fmt: skip


def needs_a_word(found: Sequence[StudentRow]) -> list[StudentRow]:
    """Who earned least, among those who did not earn everything."""
    low = sorted((each for each in found if not each.fault and each.share < LOW), key=lambda each: each.share)
    return low[:MOST_FIRST]


def sharing(lines: Iterable[MarksLine]) -> list[tuple[str, str, list[str]]]:
    """Pairs of sheets with the same number in three cells or more that no slip and no carried error explains."""
    having: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        for cell, text in line.unexplained.items():
            having.setdefault((cell, text.strip()), []).append(_called(line))
    pairs: dict[tuple[str, str], list[str]] = {}
    for (cell, text), sheets in having.items():
        if 1 < len(sheets) <= MOST_SHARING:
            for one, other in combinations(sorted(set(sheets)), 2):
                pairs.setdefault((one, other), []).append(f"{cell} = {text}")
    found = [(one, other, sorted(cells)) for (one, other), cells in pairs.items() if len(cells) >= SHARED]
    return sorted(found, key=lambda each: (-len(each[2]), each[:2]))


def _called(line: MarksLine) -> str:
    name = ", ".join(filter(None, (line.student.get("name", ""), line.student.get("id", ""))))
    return f"{name} ({line.file})" if name else line.file
