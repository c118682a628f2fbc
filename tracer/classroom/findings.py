"""What a report says of a marked sheet: the line that helps, and what needs a look, as far as may be shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tracer.answers.numbers import Entry
from tracer.expression.digits import as_typed, fixed
from tracer.judging.conventions import OtherConventions
from tracer.judging.marking import MarkedSheet
from tracer.judging.own_work import key_shown
from tracer.judging.verdicts import COUNTS, Mark, Slip, Verdict
from tracer.presentation.theme import Theme, theme_of

Reveal: TypeAlias = Literal["none", "hint", "key"]
"""What a report shows: verdicts alone; what went wrong, but no right number; or those too."""

_JOINERS = "\u200c\u200d"  # some scripts are not written without them

MOST_UNREAD = 8  # lines of what was not read

SIGNS: dict[Verdict, str] = {
    "correct": "✓", "rounded": "✓", "carried": "↪", "slip": "✗", "wrong": "✗", "too_coarse": "≈", "blank": "–",
    "unreadable": "?", "not_read": "?",
}  # fmt: skip
HAVE_WORDS: frozenset[Verdict] = frozenset({"wrong", "too_coarse", "not_read"})  # said where no slip explains it


@dataclass(frozen=True)
class Finding:
    """Cells of one matrix with one verdict for one reason, in order; a transposed matrix is one slip.

    `says` has what may be shown of the reason at the first cell: a sentence for each slip that fits, the likeliest
    first.
    """

    marks: tuple[Mark, ...]
    says: tuple[str, ...]
    title: str  # its cells: where to look, and how many more there are

    @property
    def first(self) -> Mark:
        return self.marks[0]


def findings(marked: MarkedSheet, reveal: Reveal, theme: Theme | None = None) -> list[Finding]:
    """What does not count, in order of time; in English where no theme is given, as everything here."""
    theme = theme or theme_of()
    alike: dict[tuple[str, ...], list[Mark]] = {}
    for mark in marked.marks:
        if mark.verdict not in COUNTS:
            reason = [slip.slug for slip in mark.slips[:1]]
            alike.setdefault((mark.id, mark.verdict, *reason), []).append(mark)
    return [
        Finding(tuple(marks), tuple(sentences(marked, marks[0], reveal, theme)), _title(marked, marks, theme))
        for marks in alike.values()
    ]


def _title(marked: MarkedSheet, marks: Sequence[Mark], theme: Theme) -> str:
    where, more = place(marked, marks[0]), len(marks) - 1
    return theme.say("report.and_more", cell=where, count=more) if more else where


def sentences(marked: MarkedSheet, mark: Mark, reveal: Reveal, theme: Theme | None = None) -> Iterator[str]:
    """What may be said of a cell beyond its verdict."""
    theme = theme or theme_of()
    if reveal == "none":
        return
    for slip in _said(marked, mark):
        if said := _sentence(slip, reveal) if theme.is_english else marked.tutor_of(mark, slip, theme).rstrip("."):
            yield printable(said)  # it quotes what was written
    if mark.verdict == "unreadable":
        yield entry_of(marked, mark).note if theme.is_english else theme.say("marks.unreadable")
    elif mark.verdict == "wrong" and marked.sheet.key.program.quantity(mark.id).role in ("given", "parameter"):
        yield theme.say("report.not_given")
    elif not mark.slips and mark.verdict in HAVE_WORDS:
        yield theme.say(f"report.{mark.verdict}")


def _said(marked: MarkedSheet, mark: Mark) -> Iterator[Slip]:
    """What the diagnosis takes a cell for, and one other slip at most: where the numbers cannot tell the two apart."""
    found = marked.explaining(mark)
    yield from mark.slips[:1]
    if found is not None and found.rival is not None:
        yield from (slip for slip in mark.slips[1:] if slip.ideas == (found.rival,))


def either(says: Sequence[str], theme: Theme) -> str:
    """Sentences about one cell of which any may be true, in one; "" for none."""
    return says[0] + "".join(theme.say("report.or_else", says=each) for each in says[1:]) if says else ""


def in_a_row(parts: Iterable[str]) -> str:
    """Sentences without their full stops, one after the other; a question keeps its mark."""
    said = [each for each in parts if each]
    return " ".join([*(each if each.endswith("?") else f"{each}." for each in said[:-1]), *said[-1:]])


def entry_of(marked: MarkedSheet, mark: Mark) -> Entry:
    """What was written in a cell."""
    return marked.sheet.written[mark.id].entries[mark.row][mark.column]


def _sentence(slip: Slip, reveal: Reveal) -> str:
    if reveal == "key":
        return slip.says + (f". {capital(slip.apart)}" if slip.apart else "")
    # what would tell two slips apart, without the numbers that it would be
    return slip.hint + (f". {capital(slip.apart.partition(':')[0])}" if slip.apart else "")


def headline(marked: MarkedSheet, theme: Theme | None = None) -> str:
    """The one line that helps: where to start."""
    theme = theme or theme_of()
    if not marked.marks:
        return _nothing(marked, theme)
    if all(mark.verdict == "blank" for mark in marked.marks):
        return theme.say("report.nothing_filled")
    first = marked.first_wrong
    if first is None:
        return theme.say("report.all_right", count=len(marked.marks))
    later = marked.counts["carried"]
    follows = [theme.say("report.follows_more" if later > 1 else "report.follows_one", count=later)] if later else []
    start = "start" if first is marked.marks[0] else "start_later"
    return "; ".join((theme.say(f"report.{start}", cell=place(marked, first)), *follows))


def _nothing(marked: MarkedSheet, theme: Theme) -> str:
    """Why no cell was judged."""
    answers = marked.sheet.answers
    if answers.not_read:
        strange = next((each.says for each in answers.not_read if not each.where and theme.is_english), "")
        return strange or theme.say("report.not_certain")
    return theme.say("report.only_given" if answers.copied else "report.none_found")


def noted(marked: MarkedSheet, theme: Theme) -> list[str]:
    """What is to be said of how the file was read; in other languages how much, where it is said in English alone."""
    if theme.is_english:
        return [*map(printable, marked.warnings), *unread(marked)]
    before, after = ([printable(each.said(theme)) for each in part] for part in marked.said_of_it)
    counted = (("remarks", len(marked.sheet.notes)), ("unread", len(marked.sheet.answers.not_read)))
    return [*before, *after, *(theme.say(f"report.{each}", count=count) for each, count in counted if count)]


def unread(marked: MarkedSheet) -> list[str]:
    """What was not read, a line each, the first of many."""
    found = marked.sheet.answers.not_read
    lines = [f"{each.where or 'all of it'}: {each.found}: not read: {each.says}" for each in found[:MOST_UNREAD]]
    more = len(found) - MOST_UNREAD
    return [*map(printable, lines), *([f"and {more:,} more places were not read"] if more > 0 else [])]


def in_words(marked: MarkedSheet, theme: Theme | None = None) -> list[str]:
    """What was written in words, a line each."""
    theme = theme or theme_of()
    return [printable(f"{each.asked(theme)}: “{each.text}”") for each in marked.sheet.answers.words]


def right_under(other: OtherConventions, theme: Theme | None = None) -> str:
    """That the answers follow other conventions, and how far."""
    theme = theme or theme_of()
    if other.another_pass and not theme.is_english:  # in which it is said how to mark it
        return theme.say("report.another_pass")
    words = ", ".join(map(theme.way, other.words))
    return theme.say("report.right_under" if other.all_right else "report.more_right_under", words=words)


def expected(marked: MarkedSheet, mark: Mark, theme: Theme | None = None) -> str:
    """The right number, to the digits that are shown of its matrix and at least those written."""
    entry = entry_of(marked, mark)
    decimals = key_shown(marked.sheet.key).decimals[mark.id]
    text = as_typed(mark.expected) if decimals is None else fixed(mark.expected, max(decimals, entry.decimals or 0))
    return (theme or theme_of()).number(text)


def place(marked: MarkedSheet, mark: Mark) -> str:
    """A cell as the problem calls it."""
    return marked.sheet.key.called(mark.id, (mark.row, mark.column))


def named(verdict: Verdict, theme: Theme | None = None) -> str:
    """A verdict as words."""
    return (theme or theme_of()).say(f"verdicts.{verdict}")


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
