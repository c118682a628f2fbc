"""Run a problem: a few epochs recorded in full, or many with their losses.

Recording keeps references to the arrays that the compiled program returns; nothing is copied.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np

from tracer.errors import NotFiniteError, TracerError
from tracer.expression.arrays import Array
from tracer.problem.losses import LOSSES
from tracer.problem.problem import Problem
from tracer.run.passes import AnyProblem, History, Of, Pass, Trace, document_head, over_all_rows
from tracer.run.recording import KeptPass, Recording, batches_of, memory_for, require_finite

Progress: TypeAlias = Callable[[int], None]
One = TypeVar("One", bound=AnyProblem)
New: TypeAlias = Callable[[tuple[int, int]], Array]

MOST_RECORDED = 100_000_000  # numbers, 800 MB
OVERHEAD = 16  # what a matrix takes besides its numbers, in numbers
MOST_EPOCHS = 100_000_000  # whose losses are kept
MOST_NOTED = 500  # epochs of a history besides those recorded
MOST_PARAMETERS = 100  # whose values a history has


@dataclass(frozen=True, eq=False)
class Training(Generic[Of]):
    """Many epochs: their losses, and where it ended.

    `losses` (epochs,) is what the passes of an epoch reported, each before its own update, added up or
    averaged over the samples as `loss_shown` says; `final` is a pass over all rows with the last parameters;
    `trace` has the epochs that were to be recorded.
    """

    problem: Of
    losses: Array
    final: Pass
    trace: Trace[Of] | None = None

    @cached_property
    def before(self) -> float:
        """The loss of all rows before the first update."""
        return over_all_rows(self.problem, self.problem.parameters, 0).loss

    def to_document(self) -> dict[str, Any]:
        """What `tracer train --json` prints.

        `loss` has the loss before the updates of each epoch, `final_loss` and `outputs` are of
        all rows with the final `parameters`.
        """
        program = self.final.program
        parameters = {name: self.final[name].tolist() for name in program.parameters}
        return {
            **document_head(self.problem),
            "epochs": len(self.losses),
            "loss": self.losses.tolist(),
            "final_loss": self.final.loss,
            "parameters": parameters,
            **({"outputs": self.final[program.output].tolist()} if isinstance(self.problem, Problem) else {}),
        }


def trace(problem: One, epochs: Collection[int] = (1,), progress: Progress | None = None) -> Trace[One]:
    """Run a problem and record the chosen epochs (counted from 1) in full.

    Raises NotFiniteError, naming epoch and sample, where the numbers leave float64 or the
    domain of the loss, and ValueError where no epoch from 1 on is chosen.
    """
    if not epochs or min(epochs) < 1:
        raise ValueError(f"epochs: found {list(epochs)[:5]}, expected numbers from 1, as in [1, 10]")
    kept, history = _run(_Runner(problem), max(epochs), epochs, progress)
    return Trace(problem, kept, history)


def of_pass(problem: One, number: int) -> Trace[One]:
    """The trace of one pass alone, by its number (1: epoch 1, iteration 1). Raises as `trace` does."""
    epoch, place = divmod(number - 1, len(problem.batches()))
    recorded = trace(problem, (epoch + 1,))
    return recorded.only(list(recorded.passes)[place])


def train(
    problem: One,
    epochs: int | None = None,
    record: Collection[int] = (),
    progress: Progress | None = None,
) -> Training[One]:
    """Run `epochs` epochs (default: the problem's), keeping every loss and the epochs in `record`.

    Raises NotFiniteError as `trace` does, for the closing pass too, and ValueError for less than one epoch.
    """
    runner = _Runner(problem)
    total = problem.epochs if epochs is None else epochs
    if total < 1:
        raise ValueError(f"epochs: found {total}, expected 1 or more")
    kept, history = _run(runner, total, record, progress)
    final = over_all_rows(problem, runner.parameters, total)
    runner.check_domain(final)
    require_finite([final])
    recorded = Trace(problem, kept, history) if kept else None
    return Training(problem, history.losses, final, recorded)


def _run(runner: _Runner, total: int, record: Collection[int], progress: Progress | None) -> tuple[Recording, History]:
    if total > MOST_EPOCHS:
        raise TracerError(f"{total:,} epochs are more than the {MOST_EPOCHS:,} whose losses can be kept")
    record = record if isinstance(record, range) else frozenset(record)  # a list would be gone through each epoch
    _check_size(runner, len(record))
    losses, kept = np.empty(total), Recording(runner.batches)
    new = memory_for(runner.batches, len(record)).new
    noted, starts = _noted(total, record), []
    few = sum(matrix.size for matrix in runner.parameters) <= MOST_PARAMETERS
    try:
        with np.errstate(under="ignore", over="call", divide="call", invalid="call", call=runner.suspect):
            for number in range(1, total + 1):
                if number in noted:
                    starts.append(runner.parameters if few else ())
                if number in record:
                    runner.suspected = False
                    kept.keep(number, runner.epoch(number, new), runner.suspected)
                else:
                    runner.advance(number)
                losses[number - 1] = runner.loss
                if progress is not None:
                    progress(number)
    except NotFiniteError:
        kept.close()  # it may have begun in an epoch that was recorded before and not looked at
        raise
    kept.close()
    return kept, History(losses, tuple(sorted(noted)), starts)


def _noted(total: int, record: Collection[int]) -> Collection[int]:
    """The epochs that stand for all in a history: first, last and evenly between, and those recorded.

    No epochs where nothing is recorded, since there is no trace then to have a history.
    """
    if not record:
        return ()
    if total <= MOST_NOTED:
        return range(1, total + 1)
    evenly = np.linspace(1, total, MOST_NOTED).round().astype(int)
    return {*evenly.tolist(), *(number for number in record if number <= total)}


class _Runner:
    """Holds the parameters between the passes, and the loss of the last epoch."""

    def __init__(self, problem: AnyProblem) -> None:
        self.problem = problem
        self.suspected = False  # that a number left float64
        self.loss = math.nan  # of the last epoch
        self.parameters: Sequence[Array] = problem.parameters
        self.rate = np.array([[problem.learning_rate]])
        self.excluded = problem.excluded
        self.batches = batches_of(problem)

    def suspect(self, what: str, flag: int) -> None:
        """Told by numpy of a number beyond float64; it may be one that a stable form does not take."""
        self.suspected = True

    def epoch(self, number: int, new: New = np.empty) -> list[KeptPass]:
        """An epoch in full, its large matrices in memory that `new` gives.

        Raises NotFiniteError where the loss cannot take an output.
        """
        parameters, rate, excluded = self.parameters, self.rate, self.excluded
        passes: list[KeptPass] = []
        losses = []
        for program, _, _, data in self.batches:
            given = (*data, *parameters, rate)
            computed = program.numpy.run(*given, new)
            parameters = program.numpy.updated_of(computed)
            passes.append((given, computed))
            losses.append(computed[program.place_of_loss].item())
            if excluded and np.isin(computed[program.place_of_output], excluded).any():
                self.refuse(number, passes)
        self.parameters, self.loss = parameters, self._of_epoch(losses)
        return passes

    def refuse(self, number: int, passes: list[KeptPass]) -> None:
        """Say what went wrong in the passes of an epoch. Raises NotFiniteError."""
        for one in Recording(self.batches[: len(passes)], [number], [passes])[0].iterations:
            self.check_domain(one)  # first: an output of 0 or 1 is why the loss is infinite
            require_finite([one])

    def advance(self, number: int) -> None:
        """An epoch of which only the loss and the parameters are kept."""
        before, losses = self.parameters, []
        for program, _, _, data in self.batches:
            kept = program.numpy.advance(*data, *self.parameters, self.rate)
            self.parameters = kept[len(kept) - len(program.carried) :]
            losses.append(kept[0].item())
            if not math.isfinite(losses[-1]) or (self.excluded and np.isin(kept[1], self.excluded).any()):
                self.parameters = before  # once more in full, to say what went wrong
                self.refuse(number, self.epoch(number))
        self.loss = self._of_epoch(losses)

    def _of_epoch(self, losses: Sequence[float]) -> float:
        """What the passes of an epoch reported, added up or averaged over the samples."""
        if len(losses) == 1:
            return losses[0]
        if self.problem.loss_shown == "sum":
            return float(sum(losses))
        return float(np.average(losses, weights=[batch.stop - batch.start for batch in self.batches]))

    def check_domain(self, one: Pass) -> None:
        """Refuse an output at which the loss's gradient would divide by zero."""
        if not isinstance(self.problem, Problem) or not self.excluded:
            return
        A = self.problem.laid_out(one[one.program.output])
        bad = np.isin(A, self.excluded)
        if not bad.any():
            return
        row, column = (int(index) for index in np.argwhere(bad)[0])
        output = self.problem.layers[-1].activation
        fused = LOSSES[self.problem.loss].fused_with == output
        advice = (
            'set softmax_slope = "fused" under [convention], which needs no division'
            if fused
            else "start from smaller weights or take a smaller learning rate"
        )
        exactly = "when it is rounded" if self.problem.carry_rounded else "in float64"
        raise NotFiniteError(
            f"epoch {one.epoch}, sample {one.start + row + 1}: output {column + 1} is exactly "
            f"{A[row, column]:g} {exactly} and {self.problem.loss} would divide by zero; {advice}"
        )


def _check_size(runner: _Runner, epochs: int) -> None:
    """Refuse to record what would not fit into memory, before anything is run."""
    programs = [batch.program for batch in runner.batches]
    values = epochs * sum(each.numpy.numbers + OVERHEAD * len(each.assignments) for each in programs)
    if values > MOST_RECORDED:
        raise TracerError(
            f"recording {epochs} epochs of {len(runner.batches)} passes would keep {values:,} numbers, "
            f"more than {MOST_RECORDED:,}; choose fewer epochs (--epochs 1,10,100)"
        )
