"""What a cell can be judged, and the mark that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal[
    "correct", "rounded", "carried", "slip", "too_coarse", "wrong", "blank", "unreadable", "not_read"
]
VERDICTS: tuple[Verdict, ...] = (
    "correct", "rounded", "carried", "slip", "wrong", "blank", "unreadable", "too_coarse", "not_read",
)  # fmt: skip
NOT_OF: frozenset[Verdict] = frozenset({"blank", "unreadable", "not_read"})  # nothing that could be judged
COUNTS: frozenset[Verdict] = frozenset({"correct", "rounded", "carried"})


@dataclass(frozen=True, slots=True)
class Slip:
    """A wrong rule that explains a cell, and a sentence about it with the learner's numbers.

    `hint` is the sentence as far as it holds no right number. `apart` names the further cell that would tell it from
    the next likely one, where two fit.
    """

    slug: str
    says: str
    hint: str
    apart: str = ""


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
