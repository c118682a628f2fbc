"""Who handed in a file, among the students of a roster: no mark goes to the wrong person.

A learning platform's own name for the file comes first: it knows who was logged in. Then what the file says, name and
id; where these are of two people, the variant that the file is of decides, and where it does not, nobody gets it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from tracer.classroom.overrides import folded
from tracer.classroom.submissions import Submission
from tracer.variation.folder import Variant
from tracer.variation.roster import Student


@dataclass(frozen=True)
class Owner:
    """A student with the variant that they have; neither where nobody is certain. `note` is for the teacher."""

    student: Student | None
    variant: Variant | None
    note: str = ""


@dataclass(frozen=True)
class Register:
    """The students of a class with their variants."""

    variants: Sequence[Variant]

    @cached_property
    def _people(self) -> list[tuple[Student, Variant]]:
        return [(each, variant) for variant in self.variants for each in variant.students]

    @cached_property
    def _by_name(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = {}
        for k, (each, _) in enumerate(self._people):
            for name in _spellings(each.name):
                found.setdefault(name, []).append(k)
        return found

    @cached_property
    def _by_id(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = {}
        for k, (each, _) in enumerate(self._people):
            if each.id:
                found.setdefault(folded(each.id), []).append(k)
        return found

    @cached_property
    def by_hash(self) -> Mapping[str, Variant]:
        """The variants by the hash of their problem, and by its first eight characters."""
        return {key: each for each in self.variants for key in (each.sha256, each.sha256[:8])}

    @cached_property
    def by_number(self) -> Mapping[int, Variant]:
        return {each.number: each for each in self.variants}

    def owner(
        self,
        hand_in: Submission,
        said: Mapping[str, str],
        stated: Variant | None,
        fitting: Callable[[Sequence[Variant]], Variant | None] = lambda variants: None,
    ) -> Owner:
        """Who handed in a file that says this of its student, and is of this variant.

        Where namesakes are left, `fitting` says by whose variant its numbers are right.
        """
        if not self._people:
            return Owner(None, stated)
        name, number = self._said(hand_in, said)
        having = {k for k, (_, variant) in enumerate(self._people) if variant == stated}
        if hand_in.from_platform:
            alike = self._named(hand_in.student.get("name", ""))
            found = _only(alike, number, name, having)
            note = self._contradicted(found, name, number, "the platform")
        elif name and number and not name & number:
            alike, found = set(), _only((name | number) & having)
            note = self._contradicted(found, name, number, "its variant")
        else:
            alike = name & number or number or name
            found, note = _only(alike or having, having), ""
        if found is None and len(alike) > 1:
            fits = fitting([self._people[k][1] for k in sorted(alike)])
            found = _only({k for k in alike if self._people[k][1] == fits})
        if found is None:
            return Owner(None, stated, _nobody(alike or name, number))
        return Owner(*self._people[found], note)

    def _said(self, hand_in: Submission, said: Mapping[str, str]) -> tuple[set[int], set[int]]:
        """Who has the name and who has the id that stand in a file, or else in what the file is called.

        The number that a platform puts behind a name is its own and nobody's id.
        """
        own = {} if hand_in.from_platform and said.get("id") == hand_in.student.get("id") else said
        name, number = self._named(own.get("name", "")), set(self._by_id.get(folded(own.get("id", "")), ()))
        if not (name or number or hand_in.from_platform):
            words = [folded(re.sub(r"[_.-]+", " ", each)) for each in PurePosixPath(hand_in.name).with_suffix("").parts]
            name = {k for each in words for k in self._named(each)}
            number = {k for each in words for token in each.split() for k in self._by_id.get(token, ())}
        return name, number

    def _contradicted(self, found: int | None, name: set[int], number: set[int], by: str) -> str:
        """A word for the teacher where the file says that somebody else wrote it."""
        if found is None or (found in (name or {found}) and found in (number or {found})):
            return ""
        return f"the file names somebody else; {by} says that it is {self._people[found][0].called}'s"

    def _named(self, name: str) -> set[int]:
        return set(self._by_name.get(folded(name), ())) if name.strip() else set()


def _only(first: set[int], *others: set[int]) -> int | None:
    """The one person that some evidence leaves, narrowed down by more that does not contradict it; None for several."""
    for each in others:
        first = first & each or first
    return min(first) if len(first) == 1 else None


def _nobody(named: set[int], number: set[int]) -> str:
    if len(named) > 1:
        return "several students have this name, and nothing in the file tells them apart"
    if named and number:
        return "its name and its id are of two students"
    return "no student of the roster has this name or id"


def _spellings(name: str) -> set[str]:
    """Ada Lovelace, also as Lovelace, Ada and Lovelace Ada."""
    plain = folded(name)
    parts = plain.split()
    turned = (
        {f"{parts[-1]}, {' '.join(parts[:-1])}", f"{parts[-1]} {' '.join(parts[:-1])}"} if len(parts) > 1 else set()
    )
    return {plain, *turned} - {""}
