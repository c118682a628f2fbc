"""What a slip is called, and why some count as one, in the words of a language."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tracer.expression.label import label_text
from tracer.judging.slips.forms import SlipForm
from tracer.presentation.theme import Theme
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.names import Names, names_of
from tracer.program.program import Program
from tracer.run.passes import AnyProblem
from tracer.variation.telling import FARTHEST, Reason, SlipGroup

_SIGNS = re.compile(r"[\d./]+|a²|a|1 − a")  # what reads the same in every language


@dataclass(frozen=True)
class SlipWords:
    """The words of a problem's slips in the theme's language."""

    problem: AnyProblem
    program: Program
    theme: Theme

    @cached_property
    def names(self) -> Names:
        return names_of(self.problem)

    def matrix(self, identifier: str) -> str:
        """What a matrix is called."""
        return label_text(self.names.matrix(identifier))

    def slip(self, form: SlipForm) -> str:
        """A slip in a few words, and in brackets what tells its form from others."""
        name = self.theme.say(f"slip_names.{form.slug}")
        told = ", ".join(dict.fromkeys(self._told(form)))
        return f"{name} ({told})" if told else name

    def _told(self, form: SlipForm) -> Iterator[str]:
        """English words in English alone; matrices, functions and numbers everywhere."""
        for key, text in form.words.items():
            if text in self.program.assignments:
                yield self.matrix(text)
            elif key != "idea" and (self._is_plain(text) or self.theme.is_english):
                yield text

    @staticmethod
    def _is_plain(text: str) -> bool:
        return text.replace(" ", "_") in ACTIVATIONS or _SIGNS.fullmatch(text) is not None

    def together(self, group: SlipGroup) -> str:
        """Slips that count as one, and why."""
        counted = Counter(map(self.slip, group.forms))
        forms = " = ".join(f"{name} ×{count}" if count > 1 else name for name, count in counted.items())
        return f"{self.matrix(group.first.matrix)}: {forms} ({self.reasons(group.why)})"

    def alone(self, key: str, form: SlipForm, drawings: int = 0) -> str:
        """A slip that gives the right matrix, in a sentence of the certificate."""
        matrix = self.matrix(form.matrix)
        return self.theme.say(f"certificate.{key}", matrix=matrix, slip=self.slip(form), count=drawings)

    def reasons(self, reasons: Sequence[Reason]) -> str:
        """Why slips count as one."""
        far = self.theme.number(f"{FARTHEST:g}")
        return "; ".join(
            self.theme.say(f"certificate.{each.key}", far=far, count=each.drawings) for each in dict.fromkeys(reasons)
        )
