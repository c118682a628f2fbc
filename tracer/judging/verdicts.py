"""What a cell can be judged, and the mark that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal[
    "correct", "rounded", "carried", "slip", "too_coarse", "wrong", "blank", "unreadable", "not_read"
]
VERDICTS: tuple[Verdict, ...] = (
    "correct", "rounded", "carried", "slip", "wrong", "blank", "unreadable", "too_coarse", "not_read",
)  # fmt: skip
NOT_OF: frozenset[Verdict] = frozenset({"blank", "unreadable", "not_read"})  # nothing that could be judged
COUNTS: frozenset[Verdict] = frozenset({"correct", "rounded", "carried"})


class SlipExtent(IntEnum):
    """How much of its matrix an explanation is of, the plainest first."""

    THROUGHOUT = 0  # every cell that fails, and no other cell contradicts it
    PARTLY = 1
    IN_A_CELL = 2
    OF_THE_PEN = 3


@dataclass(frozen=True, slots=True)
class Idea:
    """A wrong rule as a learner holds it, in whatever matrix it shows: two of one `key` are the same.

    `says` is what the tutor's sentence of it is called, `at` the matrix that it was made in, `words` fill the sentence.
    """

    slug: str
    key: str
    says: str = field(compare=False)
    at: str = field(compare=False)
    words: Mapping[str, str] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Slip:
    """A wrong rule that explains a cell, and a sentence about it with the learner's numbers.

    `hint` is the sentence as far as it holds no right number. `apart` names the further cell that would tell it from
    the next likely one, where two fit. `ideas` are the wrong rules in it (two, where both were used at once), `score`
    is how much speaks for it in this cell.
    """

    slug: str
    says: str
    hint: str
    apart: str = ""
    ideas: tuple[Idea, ...] = ()
    extent: SlipExtent = SlipExtent.THROUGHOUT
    score: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Whether it explains its whole matrix."""
        return self.extent is SlipExtent.THROUGHOUT


@dataclass(frozen=True, slots=True)
class Mark:
    """The verdict on a cell; rows and columns count from 0, `on_own_work` is the right rule on the learner's cells.

    `digits` are the significant ones that were written; `empty`: it says nothing, or what it is made of.
    """

    id: str
    row: int
    column: int
    answer: str
    verdict: Verdict
    expected: float
    on_own_work: float
    slips: tuple[Slip, ...] = ()
    digits: int = 0
    empty: bool = False
