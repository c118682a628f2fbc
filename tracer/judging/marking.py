"""A marked sheet: its verdicts, how many of each, and its points."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tracer.answers.key import Key
from tracer.answers.reading import Answers
from tracer.errors import TracerError
from tracer.judging.conventions import FAILS, NEARLY_ALL, RIGHT, Conventions, OtherConventions
from tracer.judging.diagnosis import Misconception, diagnose
from tracer.judging.judging import judge
from tracer.judging.points import points_text, share, worth
from tracer.judging.sheet import Sheet, lay_beside
from tracer.judging.slips import MISCONCEPTIONS, explain
from tracer.judging.tutor import tutor
from tracer.judging.verdicts import COUNTS, NOT_OF, VERDICTS, Idea, Mark, Slip, Verdict
from tracer.judging.work import Work
from tracer.presentation.theme import Theme, theme_of

BY_CONVENTION = "other-convention"
THROUGHOUT = MISCONCEPTIONS | {BY_CONVENTION}  # what costs its first matrix only


@dataclass(frozen=True)
class Remark:
    """Something to be said of a sheet as a whole: a message ("anothers"), and what fills it; numbers are points."""

    message: str
    words: Mapping[str, str | float] = field(default_factory=dict)

    def said(self, theme: Theme) -> str:
        """The remark in the language of a theme."""
        return theme.say(f"report.{self.message}", **{key: _text(each, theme) for key, each in self.words.items()})


def _text(word: str | float, theme: Theme) -> str:
    return word if isinstance(word, str) else theme.number(points_text(word))


STALE, ANOTHERS = Remark("stale"), Remark("anothers")


@dataclass(frozen=True, eq=False)
class MarkedSheet:
    """The marks of a sheet, in order of time, and the misconceptions that explain its slips.

    `other` are conventions that it follows in place of the problem's. `adjusted` are points of matrices that a teacher
    gave, `remarks` what is to be said of the sheet besides; `of_another` says that it fits the numbers that it gives.
    """

    sheet: Sheet
    marks: Sequence[Mark]
    other: OtherConventions | None = None
    diagnosis: Sequence[Misconception] = ()
    adjusted: Mapping[str, float] = field(default_factory=dict)
    remarks: Sequence[Remark] = ()
    of_another: bool = False

    @cached_property
    def counts(self) -> Mapping[Verdict, int]:
        """How many cells have each verdict."""
        found = Counter(mark.verdict for mark in self.marks)
        return {verdict: found[verdict] for verdict in VERDICTS}

    @property
    def score(self) -> int:
        """How many cells count as right."""
        return sum(mark.verdict in COUNTS for mark in self.marks)

    @property
    def of_cells(self) -> int:
        """How many cells hold what could be judged."""
        return sum(mark.verdict not in NOT_OF for mark in self.marks)

    @property
    def all_right(self) -> bool:
        """Whether there is something, none of it is wrong, and all of it earns what there is to earn."""
        most = self.sheet.key.problem.marks.shares["correct"]
        wrong = any(mark.verdict in ("slip", "wrong") or self.share(mark) < most for mark in self.marks)
        return bool(self.marks) and not wrong

    @cached_property
    def points_of(self) -> Mapping[str, tuple[float, float]]:
        """Points of each matrix that is counted, and how many it has, in order of time."""
        key = self.sheet.key
        scheme = key.problem.marks
        points = worth(scheme, key.program)
        return {
            each: (self.adjusted.get(each, self._earned(each, points[each])), points[each])
            for each in key.program.assignments
            if each in self.sheet.written or (scheme.left_out and each in key.program.computed)
        }

    @property
    def points(self) -> tuple[float, float]:
        """Points and how many there are: one for each matrix, shared by its cells, or as the mark scheme says."""
        earned, out_of = zip(*self.points_of.values(), strict=True) if self.points_of else ((), ())
        return math.fsum(earned), math.fsum(out_of)

    def of(self, identifier: str) -> Iterator[Mark]:
        """The marks of a matrix, row by row."""
        return iter(self._by_matrix.get(identifier, ()))

    @cached_property
    def _by_matrix(self) -> Mapping[str, Sequence[Mark]]:
        found: dict[str, list[Mark]] = {each: [] for each in self.sheet.written}
        for mark in self.marks:
            found[mark.id].append(mark)
        return found

    def _earned(self, identifier: str, points: float) -> float:
        """What a matrix earns by its cells; one that was not handed in earns nothing."""
        return points * self._share(identifier) if identifier in self.sheet.written else 0.0

    def _share(self, identifier: str) -> float:
        """How much of a matrix's points its cells earn, from 0 to 1."""
        earned = [self.share(mark) for mark in self._by_matrix[identifier]]
        return math.fsum(earned) / len(earned)

    def share(self, mark: Mark) -> float:
        """How much of its points a cell earns, from 0 to 1."""
        first = self._first_seen.get(mark.slips[0].slug, mark.id) if mark.slips else mark.id
        return share(self.sheet.key.problem.marks, mark, mark.verdict == "slip" and first != mark.id)

    @cached_property
    def _first_seen(self) -> Mapping[str, str]:
        """The first matrix of each misconception; a slip of the pen or in one cell is none."""
        found: dict[str, str] = {}
        for mark in self.marks:
            if mark.verdict == "slip" and mark.slips and mark.slips[0].slug in THROUGHOUT:
                found.setdefault(mark.slips[0].slug, mark.id)
        return found

    def explaining(self, mark: Mark) -> Misconception | None:
        """The misconception that a cell is explained by first."""
        return next((each for each in self.diagnosis if any(one is mark for one in each.marks)), None)

    def tutor(self, found: Misconception, rival: bool = False, theme: Theme | None = None) -> str:
        """What a tutor says of a misconception, or of the other that explains the same cells; in English by itself."""
        idea, first = found.rival if rival and found.rival else found.idea, found.first
        shows = zip(found.marks, found.made_in, strict=True)
        left_out = {at for at in found.made_in if at and self._work.left_out(at)}
        names = list(dict.fromkeys(at if at in left_out else mark.id for mark, at in shows))
        return tutor(self._work, idea, (first.id, first.row, first.column), () if rival else names[1:], theme)

    def tutor_of(self, mark: Mark, slip: Slip, theme: Theme) -> str:
        """What a tutor says of one slip in one cell; "" where no rule of it is known."""
        place = (mark.id, mark.row, mark.column)
        return tutor(self._work, slip.ideas[0], place, theme=theme) if slip.ideas else ""

    @cached_property
    def _work(self) -> Work:
        return Work(self.sheet)

    @cached_property
    def first_wrong(self) -> Mark | None:
        """The first cell in time that does not count."""
        return next((mark for mark in self.marks if mark.verdict not in COUNTS), None)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the report should know about the answers as a whole."""
        before, after = ([each.said(theme_of()) for each in part] for part in self.said_of_it)
        return (*before, *self.sheet.notes, *after)

    @property
    def said_of_it(self) -> tuple[Sequence[Remark], Sequence[Remark]]:
        """What can be said of the answers as a whole in every language: before how they were read, and after."""
        stale = self.sheet.answers.problem_sha256 not in (None, self.sheet.key.sha256)
        return (*self.remarks, *([STALE] if stale else [])), [ANOTHERS] if self.of_another else []

    def _told(self, found: Misconception) -> dict[str, Any]:
        """A misconception as JSON has it; `or` is another that the numbers cannot tell from it."""
        rival = {"or": {"slug": found.rival.slug, "says": self.tutor(found, rival=True)}} if found.rival else {}
        cells = [_place(mark) for mark in found.marks]
        return {"slug": found.idea.slug, "says": self.tutor(found), "cells": cells, "first": cells[0], **rival}

    def to_document(self) -> dict[str, Any]:
        """What `tracer check --json` prints of one file; rows and columns count from 1."""
        points, out_of = self.points
        answers = self.sheet.answers
        return {
            "problem_sha256": self.sheet.key.sha256,
            "answers": self.sheet.answers.file,
            "student": self.sheet.answers.student,
            **({"warnings": list(self.warnings)} if self.warnings else {}),
            "not_read": [each.to_document() for each in answers.not_read],
            **({"in_words": [each.to_document() for each in answers.words]} if answers.words else {}),
            **({"right_under": list(self.other.words)} if self.other else {}),
            "cells": [
                {
                    "id": mark.id,
                    "row": mark.row + 1,
                    "column": mark.column + 1,
                    "answer": mark.answer,
                    "verdict": mark.verdict,
                    "expected": mark.expected,
                    "on_own_work": mark.on_own_work if math.isfinite(mark.on_own_work) else None,
                    "slips": [
                        {"slug": slip.slug, "says": slip.says} | ({"apart": slip.apart} if slip.apart else {})
                        for slip in mark.slips
                    ],
                }
                for mark in self.marks
            ],
            "diagnosis": [self._told(each) for each in self.diagnosis],
            "summary": {
                **self.counts,
                "score": self.score,
                "of": self.of_cells,
                "points": points,
                "out_of": out_of,
            },
        }


def _place(mark: Mark) -> list[str | int]:
    """A cell as JSON has it: rows and columns count from 1."""
    return [mark.id, mark.row + 1, mark.column + 1]


def unmarked_document(key: Key, file: str, student: Mapping[str, str], fault: str) -> dict[str, Any]:
    """What `tracer check --json` prints of a file that could not be read, among others that could."""
    return {
        "problem_sha256": key.sha256,
        "answers": file,
        "student": dict(student) or None,
        "error": fault,
        "cells": [],
        "diagnosis": [],
        "summary": {**dict.fromkeys(VERDICTS, 0), "score": 0, "of": 0, "points": 0.0, "out_of": 0.0},
    }


def mark_answers(
    answers: Answers, conventions: Conventions, accept: bool = False, by_given: bool = False
) -> MarkedSheet:
    """The marked sheet of some answers; `accept` marks them by the convention that they follow.

    `by_given` judges them by the numbers that their file gives, where these are not the problem's.
    """
    sheet = lay_beside(replace(answers, by_given=by_given), conventions.key)
    marks = judge(sheet, explain)
    of_another = bool(sheet.strange) and not by_given and _fits_its_own(sheet, marks, conventions.key)
    other = None
    if any(mark.verdict in FAILS for mark in marks):
        other = conventions.of_another_pass(sheet, marks) or conventions.recognised(sheet, marks)
    if other is not None and not other.another_pass:
        if accept:
            sheet, marks = other.sheet, judge(other.sheet, explain)
        else:
            marks = list(_told_of(marks, other))
    diagnosis = diagnose(marks)
    return MarkedSheet(sheet, diagnosis.marks, other, diagnosis.found, of_another=of_another)


def _fits_its_own(sheet: Sheet, marks: Sequence[Mark], key: Key) -> bool:
    """Whether nearly all of a sheet is right by the numbers that it gives, and less of it by the problem's."""
    try:
        read = judge(lay_beside(replace(sheet.answers, by_given=True), key))
    except TracerError:  # which leave float64
        return False
    now, before = (sum(mark.verdict in RIGHT for mark in each) for each in (read, marks))
    return now >= NEARLY_ALL * len(read) and now > before


def _told_of(marks: Sequence[Mark], other: OtherConventions) -> Iterator[Mark]:
    """The marks, with the convention in place of a slip that is the same thing said of single cells."""
    says = f"this follows another convention: {', '.join(other.words)}"
    idea = Idea(BY_CONVENTION, BY_CONVENTION, BY_CONVENTION, "", {"words": ", ".join(other.words)})
    slip = Slip(BY_CONVENTION, says, says, ideas=(idea,))
    right = {(each.id, each.row, each.column) for each in judge(other.sheet) if each.verdict in RIGHT}
    for mark in marks:
        explained = mark.verdict in ("slip", "wrong") and (mark.id, mark.row, mark.column) in right
        yield replace(mark, verdict="slip", slips=(slip,)) if explained else mark
