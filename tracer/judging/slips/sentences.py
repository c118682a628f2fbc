"""A slip's sentence at one cell, with the learner's own numbers put in."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tracer.expression.digits import as_typed, fixed
from tracer.judging.site import Site
from tracer.judging.slips.context import MatrixKind, SlipContext

_WITH_RIGHT_NUMBER = re.compile(r"\[([^\]]*)\]")
SIGNIFICANT = 4  # digits of a number that the learner did not write down


@dataclass(frozen=True)
class Sentence:
    """Fills the braces of a sentence at a cell of a site; the slip is in the cell `at` of the matrix of `context`.

    A `hint` goes without what stands in brackets, and has the name of a cell that the learner left out.
    """

    site: Site
    context: SlipContext
    cell: tuple[int, int]
    at: tuple[int, int]
    words: Mapping[str, str]
    hint: bool = False

    def __getitem__(self, key: str) -> str:
        if key in _NAMED:
            return self._name(self.words.get(key) or getattr(self.context, key).name)
        if key in self.words:
            return self.words[key]
        if key in _SIMPLE:
            return self._simple(key)
        return self._cell(*self._named(key))

    def of(self, says: str) -> str:
        template = _WITH_RIGHT_NUMBER.sub("" if self.hint else r"\1", says)
        text = template.format_map(self).replace("-", "−")
        if self.context.id == self.site.id:
            return text
        return (
            f"in {self._name(self.context.id)}, which you left out: {text}"
            if self._left_out
            else f"in its slope: {text}"
        )

    @property
    def _left_out(self) -> bool:
        return self.site.work.left_out(self.context.id)

    def _simple(self, key: str) -> str:
        match key:
            case "answer":
                return self.site.written.entries[self.cell[0]][self.cell[1]].text
            case "right":
                return self._right()
            case "lr":
                return as_typed(self.site.work.key.problem.learning_rate)
            case "next_weights":
                return self._name(self.context.net.weights(self.context.layer + 1).name)
            case _:
                return self._taken()

    def _right(self) -> str:
        """What the right rule gives: at the cell itself, or in the left-out matrix."""
        if self.context.id != self.site.id:
            return self._cell(self.context.id, *self.at)
        row, column = self.cell
        value = float(self.site.on_own[row, column])
        decimals = self.site.written.entries[row][column].decimals
        asked = self.site.work.key.problem.decimals.of(self.site.id)
        return fixed(value, max(asked, decimals or 0)) if math.isfinite(value) else "a non-finite number"

    def _taken(self) -> str:
        """Which row or column was read, and which belongs here."""
        count, by = int(self.words["count"]), int(self.words["by"])
        rows, columns = self.context.right.shape
        by_row = count == rows and (self.words["axis"] == "row" or count != columns)
        along = self.at[0 if by_row else 1]
        here = along % count
        axis, name = self.words["axis"], self._name(self.words["M"])
        return f"{axis} {(here - by) % count + 1} of {name} was read instead of {axis} {here + 1}"

    def _name(self, identifier: str) -> str:
        """What a matrix is called to the learner."""
        return self.site.work.key.called(identifier)

    def _named(self, word: str) -> tuple[str, int, int]:
        """The cell that a word stands for."""
        context, program = self.context, self.site.work.key.program
        row, column = self.at
        if word in ("y", "a") and context.kind in (MatrixKind.ERROR, MatrixKind.JACOBIAN, MatrixKind.LOSS):
            sample = context.assignment.sample
            row, column = (row, column) if sample is None else (sample - 1, row)
            return (program.targets if word == "y" else program.output), row, column
        parameter = context.assignment.of
        if word in ("w", "g") and parameter is not None:
            return (parameter if word == "w" else program.gradients[parameter]), row, column
        if word == "bias" and context.bias is None:
            return context.weights.name, 0, column
        symbols = {"z": "pre_activation", "a": "activation", "s": "slope", "d": "delta", "e": "error", "bias": "bias"}
        return getattr(context, symbols[word]).name, row, column

    def _cell(self, identifier: str, row: int, column: int) -> str:
        """A number as the learner wrote it, or as it follows from their work."""
        work = self.site.work
        rows, columns = work.key.values[identifier].shape
        row, column = min(row, rows - 1), min(column, columns - 1)
        written = work.sheet.written.get(identifier)
        if written is not None and written.present[row, column]:
            return written.entries[row][column].text
        value = float(work.own.values[identifier][row, column])
        if work.rule(identifier) is None and len(as_typed(value)) <= SIGNIFICANT + 3:
            return as_typed(value)
        if self.hint and work.rule(identifier) is not None:
            return work.key.called(identifier, (row, column))
        return _short(value)


_SIMPLE = {"answer", "right", "lr", "next_weights", "taken"}
_NAMED = {  # matrices
    "weights", "pre_activation", "activation", "error", "delta", "wrong", "used", "P", "M", "own", "slope",
}  # fmt: skip


def _short(value: float) -> str:
    """A few significant digits.

    >>> _short(0.0123456), _short(12.0)
    ('0.01235', '12.00')
    """
    if not math.isfinite(value):
        return "a non-finite number"
    size = 0 if value == 0 else math.floor(math.log10(abs(value)))
    return fixed(value, min(max(SIGNIFICANT - 1 - size, 0), 15))


def told_apart(cell: str, first: float, second: float, more: bool = False) -> str:
    """The further cell, or the one with more digits, that would settle which of two slips it is."""
    decimals = min(15, max(0, 1 - math.floor(math.log10(abs(first - second)))))
    what = f"more digits of {cell}" if more else cell
    numbers = f"{fixed(first, decimals)} by this reason, {fixed(second, decimals)} by the next"
    return f"to tell these apart, give {what}: {numbers}"
