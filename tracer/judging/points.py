"""What each matrix of a program is worth under the mark scheme of its problem."""

from __future__ import annotations

from collections.abc import Mapping

from tracer.expression.digits import fixed
from tracer.judging.verdicts import Mark
from tracer.problem.mark_scheme import MarkScheme
from tracer.program.program import Program, Step


def worth(scheme: MarkScheme, program: Program) -> Mapping[str, float]:
    """The points of every matrix; those of a step shared evenly by its matrices that have none of their own."""
    sharing: dict[str, list[str]] = {}
    found = {each: scheme.matrices.get(each, scheme.default) for each in program.assignments}
    for step in program.steps:
        label = _label(scheme, step)
        if label is not None:
            own = [each.id for each in step.assignments if each.id not in scheme.matrices]
            sharing.setdefault(label, []).extend(own)
    for label, matrices in sharing.items():
        found |= {each: scheme.steps[label] / len(matrices) for each in matrices}
    return found


def _label(scheme: MarkScheme, step: Step) -> str | None:
    """What a step is called where it has points: 8.1 before 8."""
    labels = (f"{step.number}.{step.layer}", str(step.number))
    return next((label for label in labels if label in scheme.steps), None)


FULL_DIGITS = 3  # significant, with which a number earns as much as one with those asked for


def share(scheme: MarkScheme, mark: Mark, repeats: bool) -> float:
    """How much of its points a cell earns, from 0 to 1; `repeats` a misconception that an earlier matrix has."""
    if mark.verdict == "too_coarse":
        if mark.empty or mark.digits == 0:
            return 0.0
        return scheme.shares["correct" if mark.digits >= FULL_DIGITS else "too_coarse"]
    if repeats and not mark.empty and scheme.repeats == "once":
        return scheme.shares["correct"]
    return scheme.shares.get(mark.verdict, 0.0)


def points_text(points: float) -> str:
    """Points with two decimals at most.

    >>> points_text(7.5), points_text(2 / 3), points_text(10.0)
    ('7.5', '0.67', '10')
    """
    return fixed(points, 2).rstrip("0").rstrip(".")
