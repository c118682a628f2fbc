"""A sitting: so many variants of a problem for a class, found, certified and written into a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tracer.errors import TracerError
from tracer.run.passes import AnyProblem
from tracer.variation.certificate import Certificate
from tracer.variation.draws import secret_seed
from tracer.variation.folder import Index, Variant, dealt, is_variants, read_index, write_index
from tracer.variation.handing_out import SheetChoices, hand_out
from tracer.variation.roster import Student
from tracer.variation.search import find


@dataclass(frozen=True)
class Sitting:
    """What is asked for: `count` variants (None: one for each student or group), from `seed` (None: a secret one)."""

    folder: Path
    wanted: SheetChoices
    students: Sequence[Student] = ()
    count: int | None = None
    seed: str | None = None
    number: int = 1
    ask: int | None = None

    def write(self, base: AnyProblem, advance: Callable[[], None] = lambda: None) -> Certificate:
        """Find the variants and write everything; `advance` is called after each.

        Raises TracerError where something does not fit.
        """
        index, count = self._index(base), self.hands
        known = frozenset(each.sha256 for each in index.variants)
        found = find(base, count, index.seed, self.number, known)
        start = max((each.number for each in index.variants), default=0)
        numbered = [Variant(start + k, self.number, each.sha256) for k, each in enumerate(found.variants, 1)]
        variants = dealt(numbered, self.students)
        certificate, written = hand_out(self.folder, found, variants, self.wanted, self.ask, advance)
        asked = written.asked or index.asked
        write_index(self.folder, replace(index, variants=(*index.variants, *variants), asked=asked))
        return certificate

    @property
    def hands(self) -> int:
        """How many variants there are to be. Raises TracerError where nothing says so."""
        if self.count is None and not self.students:
            raise TracerError("--count: says how many variants; or give the class with --roster")
        hands = {("group", each.group) if each.group else each for each in self.students}
        return len(hands) if self.count is None else self.count

    def _index(self, base: AnyProblem) -> Index:
        """The index of the folder as it is before this sitting. Raises TracerError where it does not fit."""
        if not is_variants(self.folder):
            if self.number > 1:
                raise TracerError(
                    f"--sitting: {self.folder} holds no earlier one; give the folder of the first with -o"
                )
            return Index(base.name, base.sha256, self.seed or secret_seed())
        index = read_index(self.folder)
        if self.number <= index.sittings:
            raise TracerError(
                f"{self.folder}: holds sitting {self.number} already; choose another folder, or make "
                f"--sitting {index.sittings + 1}"
            )
        if index.problem_sha256 != base.sha256:
            raise TracerError(
                f"{self.folder}: holds variants of another problem ({index.problem}); choose another folder"
            )
        if self.seed not in (None, index.seed):
            raise TracerError(f"--seed: {self.folder} has a seed of its own; leave the option out")
        return index
