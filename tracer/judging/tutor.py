"""What a tutor says of a misconception: what is right, what was done instead, and a question that leads on.

The sentences stand in the catalogues of languages, by what an idea is called. They hold names of matrices and cells
and no number of anybody's, so that the practice page can say them too.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracer.judging.slips.context import SlipContext
from tracer.judging.verdicts import Idea
from tracer.judging.work import Work
from tracer.presentation.theme import ENGLISH, Theme, theme_of

CellPlace = tuple[str, int, int]
OTHER = ("wrong", "used", "of", "M", "pre_activation")  # words of a wrong rule that name the matrix that was taken


def tutor(work: Work, idea: Idea, first: CellPlace, others: Sequence[str] = (), theme: Theme | None = None) -> str:
    """The sentence about a misconception that shows first in a cell, and in these other matrices too.

    At most 35 words, without a right number. Raises LookupError for an idea that no sentence is written for.
    """
    theme, key = theme or theme_of(ENGLISH), work.key
    says = theme.fill(f"tutor.{idea.says}", lambda name: _called(work, idea, first, name, theme))
    match [key.called(each) for each in others]:
        case []:
            return says
        case [one]:
            return f"{says} {theme.say('tutor.same_in_one', one=one)}"
        case [one, two]:
            return f"{says} {theme.say('tutor.same_in_two', one=one, two=two)}"
    return f"{says} {theme.say('tutor.same_in_more', count=len(others))}"


def _called(work: Work, idea: Idea, first: CellPlace, name: str, theme: Theme) -> str:
    """What a placeholder stands for."""
    key = work.key
    if name == "words":
        return ", ".join(map(theme.way, idea.words[name].split(", ")))
    if name == "cell":
        return key.called(first[0], first[1:])
    return key.called(_matrix(SlipContext(idea.at, work), idea, name))


def _matrix(context: SlipContext, idea: Idea, name: str) -> str:
    """The matrix that a placeholder stands for."""
    program = context.work.key.program
    parameter = program.follows(context.id) or context.assignment.of
    match name:
        case "matrix":
            return context.id
        case "other":
            return next(idea.words[each] for each in OTHER if each in idea.words)
        case "parameter" | "gradient" if parameter is not None:
            return parameter if name == "parameter" else program.gradients[parameter]
        case named if named in idea.words:
            return idea.words[named]
    if not context.by_layers:
        return getattr(context, name).name  # type: ignore[no-any-return]
    net, layer = context.net, context.layer or context.net.depth
    match name:
        case "input":
            return net.activation(layer - 1).name
        case "next_weights" | "next_delta":
            return getattr(net, name.removeprefix("next_"))(layer + 1).name  # type: ignore[no-any-return]
    return getattr(net, name)(layer).name  # type: ignore[no-any-return]
