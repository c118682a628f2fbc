"""What a report says of a marked sheet: the line that helps, and what needs a look, as far as may be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tracer.answers.numbers import Entry
from tracer.expression.digits import as_typed, fixed
from tracer.judging.conventions import OtherConventions
from tracer.judging.marking import MarkedSheet
from tracer.judging.own_work import key_shown
from tracer.judging.verdicts import COUNTS, Mark, Slip, Verdict

Reveal: TypeAlias = Literal["none", "hint", "key"]
"""What a report shows: verdicts alone; what went wrong, but no right number; or those too."""

_JOINERS = "\u200c\u200d"  # some scripts are not written without them

MOST_UNREAD = 8  # lines of what was not read

SIGNS: dict[Verdict, str] = {
    "correct": "✓", "rounded": "✓", "carried": "↪", "slip": "✗", "wrong": "✗", "too_coarse": "≈", "blank": "–",
    "unreadable": "?", "not_read": "?",
}  # fmt: skip
WORDS: dict[Verdict, str] = {
    "wrong": "does not follow from the cells before it",
    "too_coarse": "right, but with fewer digits than asked for",
    "not_read": "not judged: too little before it to tell",
}


@dataclass(frozen=True)
class Finding:
    """Cells of one matrix with one verdict for one reason, in order; a transposed matrix is one slip.

    `says` has what may be shown of the reason at the first cell: a sentence for each slip that fits, the likeliest
    first.
    """

    marks: tuple[Mark, ...]
    says: tuple[str, ...]
    place: str  # what the first cell is called

    @property
    def first(self) -> Mark:
        return self.marks[0]

    @property
    def title(self) -> str:
        """Its cells: where to look, and how many more there are."""
        more = len(self.marks) - 1
        return f"{self.place} and {more} more" if more else self.place


def findings(marked: MarkedSheet, reveal: Reveal) -> list[Finding]:
    """What does not count, in order of time."""
    alike: dict[tuple[str, ...], list[Mark]] = {}
    for mark in marked.marks:
        if mark.verdict not in COUNTS:
            reason = [slip.slug for slip in mark.slips[:1]]
            alike.setdefault((mark.id, mark.verdict, *reason), []).append(mark)
    return [
        Finding(tuple(marks), tuple(sentences(marked, marks[0], reveal)), place(marked, marks[0]))
        for marks in alike.values()
    ]


def sentences(marked: MarkedSheet, mark: Mark, reveal: Reveal) -> Iterator[str]:
    """What may be said of a cell beyond its verdict."""
    if reveal == "none":
        return
    yield from (printable(_sentence(slip, reveal)) for slip in _said(marked, mark))  # they quote what was written
    if mark.verdict == "unreadable":
        yield entry_of(marked, mark).note
    elif mark.verdict == "wrong" and marked.sheet.key.program.quantity(mark.id).role in ("given", "parameter"):
        yield "not the number given"
    elif not mark.slips and mark.verdict in WORDS:
        yield WORDS[mark.verdict]


def _said(marked: MarkedSheet, mark: Mark) -> Iterator[Slip]:
    """What the diagnosis takes a cell for, and one other slip at most: where the numbers cannot tell the two apart."""
    found = marked.explaining(mark)
    yield from mark.slips[:1]
    if found is not None and found.rival is not None:
        yield from (slip for slip in mark.slips[1:] if slip.ideas == (found.rival,))


def entry_of(marked: MarkedSheet, mark: Mark) -> Entry:
    """What was written in a cell."""
    return marked.sheet.written[mark.id].entries[mark.row][mark.column]


def _sentence(slip: Slip, reveal: Reveal) -> str:
    if reveal == "key":
        return slip.says + (f". {capital(slip.apart)}" if slip.apart else "")
    # what would tell two slips apart, without the numbers that it would be
    return slip.hint + (f". {capital(slip.apart.partition(':')[0])}" if slip.apart else "")


def headline(marked: MarkedSheet) -> str:
    """The one line that helps: where to start."""
    if not marked.marks:
        return _nothing(marked)
    if all(mark.verdict == "blank" for mark in marked.marks):
        return "nothing is filled in"
    first = marked.first_wrong
    if first is None:
        return f"all {len(marked.marks)} cells are right"
    later = marked.counts["carried"]
    follows = f"; {later} later cell{'s follow' if later > 1 else ' follows'} correctly from it" if later else ""
    where = place(marked, first)
    return (f"start at {where}" if first is marked.marks[0] else f"all right up to {where}: start there") + follows


def _nothing(marked: MarkedSheet) -> str:
    """Why no cell was judged."""
    answers = marked.sheet.answers
    if answers.not_read:
        strange = next((each.says for each in answers.not_read if not each.where), "")
        return strange or "numbers were found, but not for certain which they are; nothing is judged"
    if answers.copied:
        return "only what the problem gives was found"
    return "no cells of this problem's matrices were found"


def unread(marked: MarkedSheet) -> list[str]:
    """What was not read, a line each, the first of many."""
    found = marked.sheet.answers.not_read
    lines = [f"{each.where or 'all of it'}: {each.found}: not read: {each.says}" for each in found[:MOST_UNREAD]]
    more = len(found) - MOST_UNREAD
    return [*map(printable, lines), *([f"and {more:,} more places were not read"] if more > 0 else [])]


def in_words(marked: MarkedSheet) -> list[str]:
    """What was written in words, a line each."""
    return [printable(f"{each.asked}: “{each.text}”") for each in marked.sheet.answers.words]


def right_under(other: OtherConventions) -> str:
    """That the answers follow other conventions, and how far."""
    words = ", ".join(other.words)
    return f"right under: {words}" if other.all_right else f"more cells are right under: {words}"


def expected(marked: MarkedSheet, mark: Mark) -> str:
    """The right number, to the digits that are shown of its matrix and at least those written."""
    entry = entry_of(marked, mark)
    decimals = key_shown(marked.sheet.key).decimals[mark.id]
    return as_typed(mark.expected) if decimals is None else fixed(mark.expected, max(decimals, entry.decimals or 0))


def place(marked: MarkedSheet, mark: Mark) -> str:
    """A cell as the problem calls it."""
    return marked.sheet.key.called(mark.id, (mark.row, mark.column))


def named(verdict: Verdict) -> str:
    """A verdict as words."""
    return verdict.replace("_", " ")


def capital(text: str) -> str:
    """A text that begins a sentence."""
    return text[:1].upper() + text[1:]


def printable(text: str) -> str:
    """Text of a stranger's file with nothing that a terminal would obey or XML forbids.

    >>> printable("Ada\\nKing\\x1b[31m")
    'Ada King\ufffd[31m'
    """
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(letter: str) -> str:
    if letter.isprintable() or letter in _JOINERS:
        return letter
    return " " if letter.isspace() else "\ufffd"
