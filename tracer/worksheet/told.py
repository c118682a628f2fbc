"""The words of a worksheet's steps: in the language of the sheet, a program's forward steps in that of its author."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tracer.presentation.board import Band
from tracer.presentation.headings import band_title
from tracer.presentation.theme import Theme
from tracer.problem.problem import Problem
from tracer.program.program import Program, Step
from tracer.run.passes import AnyProblem, Trace
from tracer.worksheet.topics import topics


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


def all_words(program: Program, theme: Theme) -> dict[str, StepWords]:
    """The words of every step by its label, with what a program's steps are asked about."""
    found, asked = {each.label: words_of(each, program, theme) for each in program.steps}, topics(program)
    return found | {label: replace(found[label], **theme.section(f"topics.{asked[label]}")) for label in asked}


def _forward(step: Step, program: Program) -> Step:
    """The step that this is the way back through."""
    return next(each for each in program.steps if each.number == step.number and each.phase == "forward")


def title_of_band(trace: Trace[AnyProblem], band: Band, theme: Theme) -> str:
    """The title of a band of the first pass's board, in the language of the sheet."""
    problem, one = trace.problem, trace.first
    if not isinstance(problem, Problem):
        return _of_steps(one.program, band, theme)
    layer = band.layer
    if layer == 0:
        first, last, rows = one.start + 1, one.stop, problem.rows
        taken = str(last) if first == 1 else f"{first}–{last}" if first < last else f"{last}"
        return theme.say("book.data", samples=rows if last - first + 1 == rows else f"{taken} / {rows}")
    made = problem.layers[layer - 1]
    kind = "output" if layer == problem.depth else "hidden"
    return theme.say(f"book.{kind}", layer=layer, units=made.units, activation=made.activation)


def title_over(trace: Trace[AnyProblem], band: Band, theme: Theme) -> str:
    """… of a report's board: in English as every page of the program has it."""
    return band_title(trace.problem, band, trace.first) if theme.is_english else title_of_band(trace, band, theme)


def _of_steps(program: Program, band: Band, theme: Theme) -> str:
    """The forward steps of a program that a band is of."""
    ids = {each for stack in band.stacks for each in stack}
    steps = [each for each in program.steps if each.phase == "forward" and ids & {made.id for made in each.assignments}]
    if not steps:
        return theme.say("sheet.given_step")
    label = steps[0].label if len(steps) == 1 else f"{steps[0].label}–{steps[-1].label}"
    name = theme.say("book.step", label=label)
    return f"{name[:1].upper()}{name[1:]} · {'; '.join(each.title for each in steps)}"
