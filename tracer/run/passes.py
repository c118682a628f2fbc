"""What a run recorded: passes, epochs and the trace of them all. training.py makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Generic, TypeAlias, cast

import numpy as np
from typing_extensions import TypeVar

from tracer import display
from tracer.expression.arrays import Array
from tracer.expression.evaluate import evaluate
from tracer.expression.label import label_text
from tracer.expression.text import matrix_text
from tracer.lesson.build import build, by_hand
from tracer.problem.names import Names, names_of
from tracer.problem.problem import Problem
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.remarks import departures
from tracer.program.naming_policy import RATE
from tracer.program.program import Program, Step


@dataclass(frozen=True, eq=False)
class Pass:
    """One forward and backward pass over a batch (an "iteration"); `start`, `stop` are its rows.

    `self["Z1"]` is the matrix; all are float64 and two-dimensional.
    """

    program: Program
    epoch: int
    iteration: int
    start: int
    stop: int
    given: tuple[Array, ...]
    computed: tuple[Array, ...]

    @cached_property
    def matrices(self) -> Mapping[str, Array]:
        """Every matrix by its identifier, in order of time."""
        values = dict(zip(self.program.inputs, self.given, strict=True))
        values.update(zip(self.program.computed, self.computed, strict=True))
        return {key: values[key] for key in self.program.assignments}

    def __getitem__(self, identifier: str) -> Array:
        if identifier == RATE:
            return self.given[-1]
        try:
            return self.matrices[identifier]
        except KeyError:
            known = ", ".join(self.matrices)
            raise KeyError(f"no matrix {identifier!r} in this trace; it has {known}") from None

    def __repr__(self) -> str:
        return f"<Pass: epoch {self.epoch}, rows {self.start + 1}–{self.stop}, loss {self.loss:.6g}>"

    def __iter__(self) -> Iterator[str]:
        return iter(self.matrices)

    @property
    def parameters(self) -> tuple[Array, ...]:
        """The parameters W1, b1, W2, … before the pass, and an optimizer's states."""
        return tuple(self[each] for each in self.program.carried)

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.program.steps

    @property
    def loss(self) -> float:
        return float(self.computed[self.program.place_of_loss].item())

    def by_hand(self, problem: Problem) -> Pass:
        """The same numbers, made as by hand; as they are where that would leave float64."""
        worked = by_hand(problem, self.program)
        made = worked.assignments[worked.loss].expression
        if made is None or worked is self.program or not np.isfinite(evaluate(made, self.matrices)).all():
            return self
        return replace(self, program=worked)

    def step(self, number: int, layer: int | None = None) -> dict[str, Array]:
        """The matrices that a step assigns, by identifier; of one layer where `layer` is given.

        Raises KeyError where the network has no such step.
        """
        steps = [each for each in self.steps if each.number == number and layer in (None, each.layer)]
        if not steps:
            known = ", ".join(each.label for each in self.steps)
            raise KeyError(f"no step {number}{'' if layer is None else f' of layer {layer}'}; there are {known}")
        return {each.id: self[each.id] for step in steps for each in step.assignments}


@dataclass(frozen=True)
class Epoch:
    """All passes of one epoch."""

    number: int
    iterations: tuple[Pass, ...]


@dataclass(frozen=True, eq=False)
class History:
    """What was kept of all epochs run, recorded or not.

    `losses` (epochs,) is before each epoch's updates, as `Training` has them. `noted` has the epochs, in
    order, that stand for all of them where there are many; `starts` the parameters W1, b1, W2, … before
    each, or none where a network has too many to keep.
    """

    losses: Array
    noted: tuple[int, ...]
    starts: Sequence[Sequence[Array]]

    @cached_property
    def parameters(self) -> Array:
        """(noted, parameters): those of `starts`, row by row."""
        return np.array([np.concatenate([np.empty(0), *each], axis=None) for each in self.starts])


AnyProblem: TypeAlias = Problem | ProgramProblem
Of = TypeVar("Of", bound=AnyProblem, default=Problem, covariant=True)


@dataclass(frozen=True, eq=False)
class Trace(Generic[Of]):
    """The recorded epochs of a problem. `trace["Z1"]` is of the last pass recorded.

    `history` is None where the trace was loaded from a file, which holds the recorded epochs alone.
    """

    problem: Of
    epochs: Sequence[Epoch]
    history: History | None = None

    def __repr__(self) -> str:
        epochs = ", ".join(str(epoch.number) for epoch in self.epochs)
        return f"<Trace of {self.problem.name!r}: epoch {epochs}, loss {self.last.loss:.6g}>"

    @property
    def first(self) -> Pass:
        return self.epochs[0].iterations[0]

    @property
    def last(self) -> Pass:
        return self.epochs[-1].iterations[-1]

    @property
    def of_network(self) -> Trace | None:
        """The same trace where it is of a network of layers, which has outputs and targets; None of a program."""
        return cast("Trace", self) if isinstance(self.problem, Problem) else None

    def by_hand(self) -> Trace[Of]:
        """The same trace with every pass made as by hand."""
        problem = self.problem
        if not isinstance(problem, Problem):
            return self
        worked = (
            replace(each, iterations=tuple(one.by_hand(problem) for one in each.iterations)) for each in self.epochs
        )
        return replace(self, epochs=tuple(worked))

    def by_rows(self) -> Trace[Of]:
        """The same numbers with a sample in each row, whichever way the problem writes its matrices."""
        problem = self.problem
        if not isinstance(problem, Problem) or not problem.convention.turned:
            return self
        rows = replace(problem, convention=problem.convention.model_copy(update={"samples": "rows"}))

        def turned(one: Pass) -> Pass:
            numbers = (tuple(each.T for each in some) for some in (one.given, one.computed))
            given, computed = numbers
            return replace(one, program=build(rows, one.program.rows), given=given, computed=computed)

        epochs = tuple(Epoch(each.number, tuple(map(turned, each.iterations))) for each in self.epochs)
        return replace(self, problem=rows, epochs=epochs)

    def only(self, one: Pass) -> Trace[Of]:
        """The same trace with one of its passes alone."""
        return replace(self, epochs=(Epoch(one.epoch, (one,)),))

    @property
    def passes(self) -> Iterator[Pass]:
        return (each for epoch in self.epochs for each in epoch.iterations)

    def __getitem__(self, identifier: str) -> Array:
        return self.last[identifier]

    def step(self, number: int, layer: int | None = None) -> dict[str, Array]:
        """The matrices of one step of the last pass, as `Pass.step` has them; a notebook shows coloured tables."""
        return display.views().step(self, number, layer)

    def matrix(self, identifier: str) -> display.MatrixView:
        """A matrix of the last pass for a notebook to show, with its formula; `[row, column]` is a cell worked out."""
        return display.views().matrix(self, identifier)

    def _repr_html_(self) -> str:
        return display.views().overview(self)

    @cached_property
    def at_start(self) -> Pass:
        """All rows with the parameters before the first pass recorded."""
        return over_all_rows(self.problem, self.first.parameters, self.first.epoch - 1)

    @cached_property
    def at_end(self) -> Pass:
        """All rows with the parameters after the last pass recorded; its numbers may have left float64."""
        parameters = [self.last[new] for new in self.last.program.carried.values()]
        return over_all_rows(self.problem, parameters, self.last.epoch)

    @property
    def before(self) -> float:
        """The loss of all rows before the first pass recorded."""
        return self.at_start.loss

    @property
    def after(self) -> float:
        """The loss of all rows after the last pass recorded; infinite where it left float64."""
        return self.at_end.loss

    @cached_property
    def names(self) -> Names:
        """The display names of the problem's style."""
        return names_of(self.problem)

    def to_document(self) -> dict[str, Any]:
        """What `tracer trace --json` prints; `not_the_gradient` is there only where it applies."""
        return {
            **document_head(self.problem),
            "epochs": [
                {"epoch": epoch.number, "iterations": [self._iteration(each) for each in epoch.iterations]}
                for epoch in self.epochs
            ],
        }

    def _iteration(self, one: Pass) -> dict[str, Any]:
        return {
            "iteration": one.iteration,
            **({"rows": list(range(one.start + 1, one.stop + 1))} if isinstance(self.problem, Problem) else {}),
            "loss": one.loss,
            "steps": [self._step(one, step) for step in one.steps],
        }

    def _step(self, one: Pass, step: Step) -> dict[str, Any]:
        assignments = [
            {
                "id": each.id,
                **each.to_document(),
                "name": self.name(each.id),
                "expression": "given" if each.expression is None else matrix_text(each.expression),
                "shape": list(each.shape),
                "value": (one[each.id] + 0.0).tolist(),  # a zero without sign
            }
            for each in step.assignments
        ]
        place = {"layer": step.layer} if step.phase is None else {"pass": step.phase}
        return {"number": step.number, **place, "title": step.title, "assignments": assignments}

    def name(self, identifier: str) -> str:
        """The display name of a matrix, as text."""
        if isinstance(self.problem, Problem):
            return label_text(names_of(self.problem).matrix(identifier))
        return self.problem.names.own.get(identifier, identifier)


def document_head(problem: AnyProblem) -> dict[str, Any]:
    """The head of a JSON document."""
    departs = departures(problem) if isinstance(problem, Problem) else []
    warning = {"not_the_gradient": departs} if departs else {}
    return {"title": problem.title, "problem_sha256": problem.sha256, **warning}


def over_all_rows(problem: AnyProblem, parameters: Sequence[Array], epochs: int) -> Pass:
    """A pass over all rows with the parameters (W1, b1, W2, …) as they are after so many epochs."""
    program = build(problem, problem.rows)
    given = (*problem.data(0, problem.rows), *parameters, np.array([[problem.learning_rate]]))
    with np.errstate(all="ignore"):
        return Pass(program, epochs + 1, 1, 0, problem.rows, given, program.numpy.run(*given))
