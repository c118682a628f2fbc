"""What a run did to the outputs, in numbers and in words: did it help, whom did it not help, and why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from tracer.expression.arrays import Array
from tracer.expression.digits import decimals_for
from tracer.lesson.build import build
from tracer.presentation.live_words import LiveNumber, Words, choose, joined, words
from tracer.problem.convention import CROSS_ENTROPIES
from tracer.problem.problem import Problem
from tracer.problem.remarks import departures
from tracer.run.passes import AnyProblem, Of, Trace

SEEN = 1e-12  # of the numbers compared; a smaller change is none
MOST_NAMED = 4  # outputs that a sentence calls by name
LEAST_DECIMALS, MOST_DECIMALS = 3, 12


@dataclass(frozen=True)
class Losses(Generic[Of]):
    """The loss before and after the recorded epochs: all that there is to compare of a program."""

    problem: Of
    epochs: tuple[int, int]
    loss_before: float
    loss_after: float

    @property
    def finite(self) -> bool:
        """Whether float64 holds the numbers."""
        return bool(np.isfinite([self.loss_before, self.loss_after]).all())

    @property
    def loss_seen(self) -> float:
        """A smaller change of the loss is none."""
        return SEEN * max(1.0, abs(self.loss_before))

    @property
    def loss_decimals(self) -> int:
        """Decimals at which the loss can be seen to change; where it is rounded, those that it has."""
        if self.problem.carry_rounded:
            return self.problem.decimals.of(build(self.problem).loss)
        return _to_see(np.array([self.loss_after - self.loss_before]))


@dataclass(frozen=True)
class Outcome(Losses[Problem]):
    """Besides, targets and outputs of all rows (rows, outputs)."""

    targets: Array
    before: Array
    after: Array

    @property
    def finite(self) -> bool:
        return super().finite and all(bool(np.isfinite(each).all()) for each in (self.before, self.after))

    @property
    def seen(self) -> float:
        """A smaller change of an output is none."""
        return SEEN * max(1.0, float(np.abs(self.targets).max()), float(np.abs(self.before).max()))

    @cached_property
    def moved(self) -> Array:
        with np.errstate(invalid="ignore"):
            return np.abs(self.after - self.before)

    @cached_property
    def further(self) -> Array:
        """How much further from its target each output is than before."""
        with np.errstate(invalid="ignore"):
            return np.abs(self.after - self.targets) - np.abs(self.before - self.targets)

    @cached_property
    def away(self) -> NDArray[np.bool_]:
        return self.further > self.seen

    @cached_property
    def past(self) -> NDArray[np.bool_]:
        """Moved away on the other side of the target."""
        with np.errstate(invalid="ignore"):
            return self.away & ((self.before - self.targets) * (self.after - self.targets) < 0)

    @property
    def decimals(self) -> int:
        """Decimals at which the outputs can be seen to move."""
        asked = self.problem.decimals.of(self.problem.output)
        return asked if self.problem.carry_rounded else max(asked, _to_see(self.moved))

    def name(self, row: int, column: int) -> str:
        """What an output is called in a sentence."""
        sample, output = f"sample {row + 1}", f"output {column + 1}"
        if self.targets.shape[1] == 1:
            return sample if self.targets.shape[0] > 1 else "the output"
        return f"{output} of {sample}" if self.targets.shape[0] > 1 else output


def _to_see(change: Array) -> int:
    return min(max(LEAST_DECIMALS, decimals_for(change, 2)), MOST_DECIMALS)


def outcome_of(trace: Trace) -> Outcome:
    problem, output = trace.problem, trace.last.program.output
    start, end = trace.at_start, trace.at_end
    epochs = (trace.first.epoch, trace.last.epoch)
    return Outcome(
        problem, epochs, start.loss, end.loss, problem.Y, problem.laid_out(start[output]), problem.laid_out(end[output])
    )


def losses_of(trace: Trace[Of]) -> Losses[Of]:
    return Losses(trace.problem, (trace.first.epoch, trace.last.epoch), trace.before, trace.after)


@dataclass(frozen=True)
class Compared:
    """The numbers that the words go by: losses, how far any output moved, how many moved away or past."""

    before: LiveNumber
    after: LiveNumber
    rise: LiveNumber
    most_moved: LiveNumber
    away: LiveNumber
    past: LiveNumber
    names: Words


def sentence(outcome: Outcome, numbers: Compared) -> Words:
    """Whether the run helped, which outputs it did not help, and why."""
    if not outcome.finite:
        return words(_beyond_float64(outcome))
    before, after = (each.written(outcome.loss_decimals) for each in (numbers.before, numbers.after))
    lead, away = _lead(outcome), numbers.away.above(0)
    from_to = joined(" from ", before, " to ", after)
    fell = choose(
        away,
        joined(lead, " fell", from_to, ", yet ", _those_away(outcome, numbers), " ", _why_away(outcome, numbers)),
        joined(lead, " fell", from_to, ", and no output moved away from its target."),
    )
    causes = " or ".join(_causes_of_rise(outcome.problem))
    rose = joined(
        lead, " rose", from_to, f": {causes}.", choose(away, joined(" ", _those_away(outcome, numbers, True)), "")
    )
    same = choose(
        numbers.most_moved.above(outcome.seen),
        joined(lead, " stays at ", before, ", although outputs moved."),
        "Nothing changed: the updates are zero, or too small to be seen in the outputs.",
    )
    seen = outcome.loss_seen
    return choose(numbers.rise.below(-seen), fell, choose(numbers.rise.above(seen), rose, same))


def loss_sentence(outcome: Losses[AnyProblem], before: LiveNumber, after: LiveNumber, rise: LiveNumber) -> Words:
    """Whether the loss fell, and why not if it did not."""
    if not outcome.finite:
        return words(_beyond_float64(outcome))
    lead, seen = _lead(outcome), outcome.loss_seen
    from_to = joined(" from ", before.written(outcome.loss_decimals), " to ", after.written(outcome.loss_decimals))
    rose = joined(lead, " rose", from_to, f": {' or '.join(_causes_of_rise(outcome.problem))}.")
    same = "Nothing changed: the updates are zero, or too small to be seen in the loss."
    return choose(rise.below(-seen), joined(lead, " fell", from_to, "."), choose(rise.above(seen), rose, same))


def row_words(outcome: Outcome, further: LiveNumber, past: LiveNumber) -> Words:
    """What an output did."""
    away = choose(past.above(0), "went past, further away", "moved away")
    return choose(
        further.above(outcome.seen), away, choose(further.below(-outcome.seen), "came closer", "as far as before")
    )


def loss_words(outcome: Losses[AnyProblem], rise: LiveNumber) -> Words:
    seen = outcome.loss_seen
    return choose(rise.below(-seen), "fell", choose(rise.above(seen), "rose", "as before"))


def _lead(outcome: Losses[AnyProblem]) -> str:
    first, last = outcome.epochs
    rows = outcome.problem.rows
    loss = f"the loss over all {rows} samples" if rows > 1 else "the loss"
    return f"From epoch {first} to {last} {loss}" if last > first else loss.capitalize()


def _those_away(outcome: Outcome, numbers: Compared, begins: bool = False) -> Words:
    """How many moved away from their targets, and the first of them by name."""
    total = outcome.targets.size
    if total == 1:
        return words(f"{'T' if begins else 't'}he output moved away from its target.")
    count = numbers.away.written(0)
    more = choose(
        numbers.away.above(MOST_NAMED), joined(" and ", numbers.away.plus(-MOST_NAMED).written(0), " more"), ""
    )
    whose = choose(numbers.away.above(1), "their targets", "its target")
    return joined(count, f" of {total} outputs moved away from ", whose, ": ", numbers.names, more, ".")


def _why_away(outcome: Outcome, numbers: Compared) -> Words:
    several = numbers.away.above(1)
    carried = choose(several, "The step carried them past their targets.", "The step carried it past its target.")
    compromise = joined(
        _compromise(outcome.problem), choose(numbers.past.above(0), " Some were carried past their targets.", "")
    )
    return choose(numbers.past.equals(numbers.away), carried, compromise)


def _compromise(problem: Problem) -> str:
    rows, outputs = problem.rows > 1, problem.sizes[-1] > 1
    who = "samples and outputs" if rows and outputs else "samples" if rows else "outputs"
    shared, gives = ("the weights", "batch") if rows else (_shared_by_outputs(problem), "step")
    text = (
        f"All {who} share {shared}: a step lowers their loss together, and where they pull in different directions "
        f"the {gives} compromises."
    )
    if len(problem.batches()) > 1:
        text += " Each batch's step follows its own samples only."
    if departures(problem):
        text += " Besides, the step is not along the gradient of this loss."
    return text


def _shared_by_outputs(problem: Problem) -> str:
    """What ties the outputs of one sample together."""
    softmax = problem.layers[-1].activation == "softmax"
    if problem.depth == 1:
        return "the sum that softmax divides by" if softmax else "the bias"
    return "hidden weights and the sum that softmax divides by" if softmax else "hidden weights"


def _causes_of_rise(problem: AnyProblem) -> list[str]:
    causes = []
    if departures(problem):
        causes.append("the step is not along the gradient of this loss (see above)")
    if len(problem.batches()) > 1:
        causes.append("a step that helps one batch harmed the others")
    if problem.carry_rounded:
        causes.append("rounding sent the step the wrong way")
    return [*causes, "the step was too large" if causes else "the step was too large; try a smaller learning rate"]


def _beyond_float64(outcome: Losses[AnyProblem]) -> str:
    causes = _causes_of_rise(outcome.problem)
    reasons = ["the numbers are too large for float64"]
    if isinstance(outcome.problem, Problem) and outcome.problem.loss in CROSS_ENTROPIES:
        reasons.append("the loss takes the logarithm of an output that is exactly 0 or 1")
    return f"{_lead(outcome)} can no longer be computed: {' or '.join(reasons)}; {' or '.join(causes)}."
