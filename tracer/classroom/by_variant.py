"""A class whose students have variants: each file finds its own, and a neighbour's is said to be one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from tracer.answers.handed_in import Answers
from tracer.answers.key import Key, key_of
from tracer.classroom.many import Judged, Marker
from tracer.classroom.submissions import Submission
from tracer.classroom.transcription import TypedRow
from tracer.classroom.whose import Owner, Register
from tracer.errors import TracerError
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, Remark, mark_answers
from tracer.judging.sheet import lay_beside
from tracer.run.passes import AnyProblem
from tracer.variation.folder import Variant, load_variants

HALF = 0.5  # of a sheet's cells: less of them right, and another variant is looked for
MORE = 0.3  # of its cells, by which another variant must fit better
_NUMBER = re.compile(r"variant[ _-]?([0-9]{1,5})(?![0-9])|(?<![0-9a-f])([0-9a-f]{8})(?![0-9a-f])", re.IGNORECASE)
ANOTHERS = Remark("another_variant")


@dataclass(frozen=True, eq=False)
class VariantMarker(Marker):
    """Marks a class with variants; `problem` is one of them."""

    variants: tuple[tuple[Variant, AnyProblem], ...] = ()

    @cached_property
    def register(self) -> Register:
        return Register([variant for variant, _ in self.variants])

    @cached_property
    def _problems(self) -> Mapping[int, AnyProblem]:
        return {variant.number: problem for variant, problem in self.variants}

    @cached_property
    def conventions(self) -> Conventions:
        """Those of the first variant; the keys of all are worked out with them, so that it counts against no file."""
        for variant in self.register.variants:
            self._key_of(variant)
        return self._conventions_of(self.register.variants[0])

    @cached_property
    def _conventions(self) -> dict[int, Conventions]:
        return {}

    @cached_property
    def _keys(self) -> dict[int, Key]:
        return {}

    def judged(self, hand_in: Submission) -> Judged:
        answers = hand_in.read()
        stated = self._stated(answers, hand_in)
        owner = self.register.owner(hand_in, answers.student or {}, stated, lambda those: self._best(answers, those))
        variant = owner.variant or self._best(answers, self.register.variants)
        if variant is None:
            raise TracerError(
                f"{hand_in.name}: belongs to no variant: {owner.note or 'it says neither whose nor which'}"
            )
        named = replace(answers, student=_told(owner, answers), problem_sha256=answers.problem_sha256)
        marked = mark_answers(named, self._conventions_of(variant), self.accept, self.given)
        other = self._neighbours(marked, variant)
        remarks = (ANOTHERS,) if other else ()
        said = self.adjusted(replace(marked, remarks=remarks), hand_in)
        fits = f"fits variant {other.number} better than {variant.number}, the student's own" if other else ""
        person = owner.student.id or owner.student.name if owner.student else ""
        return replace(
            said, variant=str(variant.number), person=person, note="; ".join(filter(None, (owner.note, fits)))
        )

    def _key_of(self, variant: Variant) -> Key:
        if variant.number not in self._keys:
            self._keys[variant.number] = key_of(self._problems[variant.number], self.number)
        return self._keys[variant.number]

    def _conventions_of(self, variant: Variant) -> Conventions:
        if variant.number not in self._conventions:
            self._conventions[variant.number] = Conventions(self._key_of(variant), self.number)
        return self._conventions[variant.number]

    def _stated(self, answers: Answers, hand_in: Submission) -> Variant | None:
        """The variant that a file says it is of: by hash, else by a number in its name."""
        found = self.register.by_hash.get(answers.problem_sha256 or "")
        if found is not None:
            return found
        if isinstance(hand_in, TypedRow) and hand_in.number is not None:
            return self.register.by_number.get(hand_in.number)
        for number, short in _NUMBER.findall(hand_in.name):
            named = self.register.by_number.get(int(number)) if number else self.register.by_hash.get(short.lower())
            if named is not None:
                return named
        return None

    def _best(self, answers: Answers, those: Sequence[Variant]) -> Variant | None:
        """The one variant of some that most of a sheet's numbers are right by."""
        fits = {variant.number: self._fit(answers, variant) for variant in those}
        best = max(fits, key=lambda number: fits[number])
        rest = max((fit for number, fit in fits.items() if number != best), default=0.0)
        return self.register.by_number[best] if fits[best] >= HALF and fits[best] >= rest + MORE else None

    def _neighbours(self, marked: MarkedSheet, own: Variant) -> Variant | None:
        """The other variant that a sheet fits better, where it does."""
        answers = marked.sheet.answers.raw or marked.sheet.answers
        fit = self._fit(answers, own)
        if fit >= HALF or not marked.marks:
            return None
        best = self._best(answers, self.register.variants)
        return best if best is not None and best != own and self._fit(answers, best) >= fit + MORE else None

    def _fit(self, answers: Answers, variant: Variant) -> float:
        """The share of a sheet's numbers that are the key's, to its digits."""
        key = self._key_of(variant)
        try:
            written = lay_beside(replace(answers, given={}, printed={}), key).written
        except TracerError:
            return 0.0
        right = total = 0
        for identifier, matrix in written.items():
            if key.program.assignments[identifier].expression is None:
                continue
            unit = np.maximum(matrix.units, matrix.own)
            near = np.abs(matrix.values - key.values[identifier]) <= unit * (1 + 1e-9)
            right, total = right + int(near[matrix.present].sum()), total + int(matrix.present.sum())
        return right / total if total else 0.0


def _told(owner: Owner, answers: Answers) -> Mapping[str, str] | None:
    """Who the reports say it is: as the roster has them, where that is certain."""
    if owner.student is None:
        return answers.student
    return {key: text for key, text in (("name", owner.student.name), ("id", owner.student.id)) if text}


def variants_in(folder: Path) -> Sequence[tuple[Variant, AnyProblem]]:
    """The variants of a folder that `tracer variants` wrote. Raises TracerError where there are none."""
    found = tuple(load_variants(folder))
    if not found:
        raise TracerError(f"{folder}: holds no variants yet")
    return found
