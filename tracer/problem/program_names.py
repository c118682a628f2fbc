"""What the matrices of a program and their cells are called: by their identifiers, or by the user's own names."""

from __future__ import annotations

from tracer.expression.label import Label, Name, Ratio
from tracer.problem.program_problem import ProgramProblem
from tracer.program.naming_policy import RATE
from tracer.program.roles import Assignment

RATE_SYMBOL = "η"


class ProgramNames:
    """The names of a program's matrices; as `Names` has them. Unknown identifiers raise KeyError."""

    def __init__(self, problem: ProgramProblem) -> None:
        self._own = dict(problem.names.own)
        self._program = problem.program

    def matrix(self, identifier: str) -> Name:
        """What the whole matrix is called."""
        return self.learning_rate() if identifier == RATE else Label(self._base(identifier))

    def cell(self, identifier: str, row: int, column: int) -> Name:
        """What one cell is called; row and column count from 0 here and from 1 in the name."""
        if identifier == RATE:
            return self.learning_rate()
        alone = self._made(identifier).shape == (1, 1)
        return Label(self._base(identifier), "" if alone else f"{row + 1},{column + 1}")

    def derivative(
        self, identifier: str, place: tuple[int, int] | None = None
    ) -> tuple[tuple[str, tuple[int, int] | None], tuple[str, tuple[int, int] | None]] | None:
        """The loss and what a gradient, or one cell of it, is by; None for everything else."""
        if identifier == RATE:
            return None
        made = self._made(identifier)
        if made.role != "gradient" or made.of is None:
            return None
        return (self._program.loss, None), (made.of, place)

    def fraction(self, identifier: str, place: tuple[int, int] | None = None) -> Ratio | None:
        """The derivative that a gradient, or one cell of it, is; None for everything else."""
        parts = self.derivative(identifier, place)
        if parts is None:
            return None
        (loss, _), (of, at) = parts
        bottom = self.matrix(of) if at is None else self.cell(of, *at)
        assert isinstance(bottom, Label)
        return Ratio(Label(self._base(loss)), bottom, False, None)

    def learning_rate(self) -> Label:
        return Label(self._own.get(RATE, RATE_SYMBOL))

    def _base(self, identifier: str) -> str:
        return self._own.get(identifier) or self._made(identifier).id

    def _made(self, identifier: str) -> Assignment:
        return self._program.assignments[identifier]
