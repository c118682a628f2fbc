"""A program, read and checked: a forward pass written down as formulas, and the numbers that it starts from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from pydantic import ValidationError

from tracer.errors import ProblemError
from tracer.expression import matrix as m
from tracer.expression.arrays import Array
from tracer.expression.digits import round_half_away
from tracer.formulas.derived import derive, reached
from tracer.formulas.forward import Forward
from tracer.formulas.meaning import near
from tracer.formulas.parsing import misnamed
from tracer.formulas.writing import Written, clashes, forward_of
from tracer.problem.convention import Decimals, Naming, counted
from tracer.problem.hints import Mistake, problem_error
from tracer.problem.identity import Identified
from tracer.problem.initial import MOST_CELLS, draw_matrices, frozen
from tracer.problem.mark_scheme import MarkScheme
from tracer.problem.mistakes import mistakes_in
from tracer.problem.optimizers import Optimizer
from tracer.problem.program_schema import Drawn, FromFile, RawProgram, filled, not_beside_steps
from tracer.problem.redrawn import Redrawn
from tracer.program.program import Program
from tracer.program.roles import Assignment

ReadColumns: TypeAlias = Callable[[FromFile, Callable[[str], ProblemError]], Array]
MOST_NAMED = 4  # matrices in the title of a step that has none
CELLS_OF_ONE = 4  # a matrix, its gradient, and what is kept of them


@dataclass(frozen=True, eq=False)
class ProgramProblem(Identified):
    """A forward pass with the numbers it starts from. All matrices are float64 and refuse to be written to.

    Two are equal if their names and all that `to_document` says are.
    """

    name: str
    title: str
    description: str | None
    source: str | None
    learning_rate: float
    epochs: int
    decimals: Decimals
    carry_rounded: bool
    given: Mapping[str, Array]
    initial: Mapping[str, Array]
    forward: Forward
    optimizer: Optimizer
    names: Naming
    marks: MarkScheme
    variants: Redrawn
    steps: tuple[Mapping[str, Any], ...] = field(repr=False)

    loss_shown = "sum"
    excluded: tuple[float, ...] = ()

    def __repr__(self) -> str:
        return f"<ProgramProblem {self.name!r}: {counted(len(self.forward.steps), 'step')}>"

    @cached_property
    def parameters(self) -> tuple[Array, ...]:
        """The parameters and then the optimizer's states, before the first pass."""
        states = self.optimizer.start(self.initial)
        return (*self.initial.values(), *(frozen(each) for each in states.values()))

    @property
    def unused(self) -> tuple[str, ...]:
        """The parameters that the loss does not depend on."""
        return tuple(name for name in self.forward.parameters if name not in reached(self.forward))

    @property
    def rows(self) -> int:
        """A program is run over all that is given at once."""
        return 1

    def batches(self) -> list[tuple[int, int]]:
        """One pass an epoch."""
        return [(0, 1)]

    def data(self, start: int, stop: int) -> tuple[Array, ...]:
        """What is given, for the only pass."""
        return tuple(self.given.values())

    def to_document(self) -> dict[str, Any]:
        """The program as a file with every choice and number written out."""
        texts = {key: getattr(self, key) for key in ("title", "description", "source")}
        return {
            **{key: text for key, text in texts.items() if text is not None},
            "learning_rate": self.learning_rate,
            "epochs": self.epochs,
            "decimals": dict(self.decimals.table) or self.decimals.default,
            "carry_rounded": self.carry_rounded,
            "loss": self.forward.loss,
            "with_respect_to": list(self.forward.with_respect_to),
            "given": {name: each.tolist() for name, each in self.given.items()},
            "parameters": {name: each.tolist() for name, each in self.initial.items()},
            "steps": [dict(step) for step in self.steps],
            "optimizer": self.optimizer.to_document(),
            **({"names": dict(self.names.own)} if self.names.own else {}),
            **({"marks": marks} if (marks := self.marks.to_document()) else {}),
            **({"variants": variants} if (variants := self.variants.to_document()) else {}),
        }

    @property
    def program(self) -> Program:
        """The forward pass with everything that is derived from it; built once."""
        if "program" not in self.built:
            self.built["program"] = self._rounded(derive(self.forward, self.optimizer))
        program: Program = self.built["program"]
        return program

    def _rounded(self, program: Program) -> Program:
        """Every computed matrix rounded before it is used, where the problem asks for that."""
        if not self.carry_rounded:
            return program

        def rounded(each: Assignment) -> Assignment:
            made = each.expression
            return each if made is None else replace(each, expression=m.Rounded(made, self.decimals.of(each.id)))

        steps = (replace(step, assignments=tuple(map(rounded, step.assignments))) for step in program.steps)
        return Program(tuple(steps), program.rows)

    def hashed(self) -> dict[str, Any]:
        """What of the document changes a number: not titles, words, and the spaces in formulas."""
        steps = [
            {
                **({"each": step["each"]} if "each" in step else {}),
                "formulas": [re.sub(r"\s+", "", each) for each in step["formulas"]],
            }
            for step in self.steps
        ]
        return {**super().hashed(), "steps": steps}


def program_from_document(document: Any, name: str, file: str) -> ProgramProblem:
    """The program of a document with its data written in it. Raises ProblemError, naming `file`."""

    def refuse_file(wanted: FromFile, refuse: Callable[[str], ProblemError]) -> Array:
        raise refuse("found a data file, expected numbers")

    return program_of(document, name, file, refuse_file)


def program_of(document: Any, name: str, file: str, columns: ReadColumns) -> ProgramProblem:
    """The program of a document; `columns` reads those of a table file. Raises ProblemError."""
    beside = [Mistake(key, says) for key, says in not_beside_steps(document)]
    own = {key: value for key, value in document.items() if key not in {each.place for each in beside}}
    try:
        raw = RawProgram.model_validate(own)
    except ValidationError as wrong:
        raise problem_error(file, [*beside, *mistakes_in(wrong, own)]) from None
    wrong_names = [*beside, *_misnamings(raw)]
    if wrong_names:
        raise problem_error(file, wrong_names)
    given, initial = _numbers(raw, file, columns)
    forward, faults = forward_of(
        _written(raw, file), {key: each.shape for key, each in given.items()},
        {key: each.shape for key, each in initial.items()}, raw.loss, raw.with_respect_to,
    )  # fmt: skip
    if faults:
        raise problem_error(file, [Mistake(each.place, each.says) for each in faults])
    _check_size(forward, file)
    problem = ProgramProblem(
        name=name, title=name if raw.title is None else raw.title, description=raw.description, source=raw.source,
        learning_rate=raw.learning_rate, epochs=raw.epochs, decimals=raw.decimals, carry_rounded=raw.carry_rounded,
        given=given, initial=initial, forward=forward, optimizer=raw.optimizer, names=raw.names, marks=raw.marks,
        variants=raw.variants, steps=tuple(document["steps"]),
    )  # fmt: skip
    unfit = [Mistake(f"optimizer.state.{each}", says) for each, says in raw.optimizer.unfit_states(initial)]
    if unfit:
        raise problem_error(file, unfit)
    clashing = list(clashes(forward, _derived(problem)))
    if clashing:
        raise problem_error(file, [Mistake(*each) for each in clashing])
    _check_identifiers(problem, file)
    return problem


def _derived(problem: ProgramProblem) -> Iterator[Assignment]:
    """What is not written in the file but made from it."""
    for step in problem.program.steps:
        for each in step.assignments:
            if step.phase != "forward" and (each.expression is not None or each.role == "state"):
                yield each


def _check_identifiers(problem: ProgramProblem, file: str) -> None:
    """Refuse decimals, names and marks of matrices that the program does not have."""
    known = problem.program.assignments
    tables = (("decimals", problem.decimals.table), ("names", problem.names.own), ("marks", problem.marks.matrices))
    wrong = [
        Mistake(section, f"found {each[:40]!r}, expected a matrix of the program{near(each, known)}")
        for section, table in tables for each in table if each not in known
    ]  # fmt: skip
    if problem.names.style != "matrix":
        wrong.append(
            Mistake("names.style", "found a style, expected names of single matrices: styles are of [[layers]]")
        )
    if wrong:
        raise problem_error(file, wrong)


def _misnamings(raw: RawProgram) -> Iterator[Mistake]:
    for section in ("given", "parameters"):
        for name in getattr(raw, section):
            says = misnamed(name)
            if says is None and section == "parameters" and name in raw.given:
                says = "found it under [given] too, expected it in one of them"
            if says is not None:
                yield Mistake(section, says)


def _untitled(formulas: Sequence[str]) -> str:
    """A step without a title is called by what it assigns."""
    names = [each.partition("=")[0].strip() for each in formulas]
    return ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")


def _written(raw: RawProgram, file: str) -> Iterator[Written]:
    """Each formula with its place, the values of `each` put in. Raises ProblemError for a place that has none."""

    def put_in(place: str, text: str, values: Mapping[str, int | str]) -> str:
        try:
            return filled(text, values)
        except ValueError as wrong:
            raise problem_error(file, [Mistake(place, f"{wrong}\n    {text}")]) from None

    for k, step in enumerate(raw.steps):
        for values in step.values():
            places = [f"steps[{k}].formulas[{n}]" for n in range(len(step.formulas))]
            formulas = [(at, put_in(at, text, values)) for at, text in zip(places, step.formulas, strict=True)]
            title = step.title or _untitled([text for _, text in formulas])
            title, words, why = (put_in(f"steps[{k}]", text, values) for text in (title, step.words, step.why))
            yield Written(title, words, why, tuple(formulas), tuple(values.items()))


def _numbers(raw: RawProgram, file: str, columns: ReadColumns) -> tuple[dict[str, Array], dict[str, Array]]:
    """What is given and the parameters, read, typed or drawn in the order of the file."""

    def read(place: str, value: Array | FromFile) -> Array:
        if isinstance(value, FromFile):
            value = columns(value, lambda says: ProblemError(file, f"{place}.file", says))
        return frozen(value)

    given = {name: read(f"given.{name}", value) for name, value in raw.given.items()}
    shapes = [value.shape for value in raw.parameters.values() if isinstance(value, Drawn)]
    drawn = draw_matrices(raw.initial, shapes)
    initial = {}
    for name, value in raw.parameters.items():
        if isinstance(value, Drawn):
            matrix = next(drawn)
            if raw.carry_rounded:  # by hand one works with the printed numbers
                matrix = round_half_away(matrix, raw.decimals.of(name))
            initial[name] = frozen(matrix)
        else:
            initial[name] = read(f"parameters.{name}", value)
    return given, initial


def _check_size(forward: Forward, file: str) -> None:
    sizes = [np.prod(each.shape, dtype=float) for _, _, each in forward.assignments()]
    cells = CELLS_OF_ONE * float(sum(sizes))
    if cells > MOST_CELLS:
        says = f"found formulas of about {cells:.1e} cells, expected at most {MOST_CELLS:.0e}"
        raise problem_error(file, [Mistake("steps", says)])
