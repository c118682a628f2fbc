"""The words of a worksheet's steps: in the language of the sheet, a program's forward steps in that of its author."""

from __future__ import annotations

from dataclasses import dataclass

from tracer.presentation.theme import Theme
from tracer.program.program import Program, Step


@dataclass(frozen=True)
class StepWords:
    """What is said of a step; `label` is its number, with an arrow where it is the way back through it."""

    label: str
    title: str
    words: str
    why: str
    predict: str = ""
    question: str = ""
    predict_answer: str = ""
    question_answer: str = ""

    @property
    def anchor(self) -> str:
        """What the step is called in links."""
        return self.label.replace(" ←", "-back")


def words_of(step: Step, program: Program, theme: Theme) -> StepWords:
    """The words of a step of this program."""
    match step.phase:
        case None:
            return StepWords(step.label, **theme.section(f"steps.{step.number}"))
        case "given":
            return StepWords(step.label, theme.say("sheet.given_step"), "", "")
        case "forward":
            return StepWords(step.label, step.title, step.words, step.why)
        case "backward":
            title = theme.say("sheet.back_through", title=_forward(step, program).title)
            return StepWords(f"{step.number} ←", title, "", theme.say("sheet.back_why"))
        case "update":
            return StepWords(step.label, theme.say("sheet.update_step"), "", theme.say("sheet.update_why"))


def _forward(step: Step, program: Program) -> Step:
    """The step that this is the way back through."""
    return next(each for each in program.steps if each.number == step.number and each.phase == "forward")
