"""What students write in words: predictions, and answers to “why”. It is kept and shown, never marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from tracer.presentation.theme import Theme, languages, theme_of

MOST_KEPT, MOST_WORDS = 60, 2_000  # answers, and characters of one
STEPS = range(1, 12)
_NOTE = re.compile(r"note (predict|why) ([0-9.]{1,8})")

QuestionKind = Literal["predict", "why"]


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
def questions() -> Mapping[str, tuple[str, QuestionKind]]:
    """The questions of worksheets in every language, with their step."""
    found: dict[str, tuple[str, QuestionKind]] = {}
    for language in languages():
        for step in STEPS:
            words = theme_of(language).section(f"steps.{step}")
            if "predict" in words:
                found[words["predict"]] = (str(step), "predict")
            if "question" in words:
                found[words["question"]] = (str(step), "why")
    return found
