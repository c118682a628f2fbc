"""What students write in words: predictions, and answers to “why”. It is kept and shown, never marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from tracer.presentation.theme import Theme, languages, theme_of

MOST_KEPT, MOST_WORDS = 60, 2_000  # answers, and characters of one
QuestionKind = Literal["predict", "why"]

_LABEL = r"[0-9.]{1,8}(?: ←)?"  # of a step, or of the way back through it
_NOTE = re.compile(rf"note (predict|why) ({_LABEL})")
_ASKED: Mapping[str, QuestionKind] = {"predict": "predict", "question": "why"}  # by the last part of a message's key


@dataclass(frozen=True)
class InWords:
    """An answer in words: the step, what was asked there, and what was written."""

    step: str
    kind: QuestionKind
    text: str

    def asked(self, theme: Theme) -> str:
        """The question in short, in the language of a theme."""
        return theme.say("report.predict" if self.kind == "predict" else "report.question", label=self.step)

    def to_document(self) -> dict[str, str]:
        return {"step": self.step, "kind": self.kind, "text": self.text}


def of_notes(notes: Any) -> tuple[InWords, ...]:
    """The answers that a worksheet page saved: {"note why 3": "…"}."""
    return tuple(_kept(notes))[:MOST_KEPT] if isinstance(notes, Mapping) else ()


def _kept(notes: Mapping[str, Any]) -> Iterator[InWords]:
    for key, text in notes.items():
        found = _NOTE.fullmatch(key[:40])
        if found is not None and isinstance(text, str) and text.strip():
            yield InWords(found[2], "predict" if found[1] == "predict" else "why", text.strip()[:MOST_WORDS])


@cache
def questions() -> Mapping[str, QuestionKind]:
    """The questions of worksheets in every language."""
    found: dict[str, QuestionKind] = {}
    for language in languages():
        for key, text in theme_of(language).messages.items():
            asked = _ASKED.get(key.rpartition(".")[2])
            if asked is not None and key.startswith(("steps.", "topics.")):
                found[text] = asked
    return found


@cache
def _titles() -> tuple[re.Pattern[str], ...]:
    """The line over a step in a worksheet's workbook, in every language."""
    says = (re.escape(theme_of(language).say("book.step_title", label="\0", title="")) for language in languages())
    return tuple(re.compile(f"{each.replace(re.escape(chr(0)), f'({_LABEL})')}.*") for each in says)


def step_titled(text: str) -> str | None:
    """The label of the step that a line stands over; None where it is no such line."""
    found = (title.fullmatch(text) for title in _titles())
    return next((each[1] for each in found if each is not None), None)
