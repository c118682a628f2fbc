"""A cell worked with the learner's own numbers: in letters, with the numbers put in, and to the end with the key."""

from __future__ import annotations

from collections.abc import Iterator

from tracer.classroom.findings import Reveal, entry_of
from tracer.expression import scalar as s
from tracer.expression.label import label_text
from tracer.expression.lower import lower
from tracer.expression.notation import ENGLISH, Notation
from tracer.expression.text import cell_text
from tracer.expression.worked import Worked, work
from tracer.judging.marking import MarkedSheet
from tracer.judging.own_work import key_shown, own_trace
from tracer.judging.verdicts import Mark
from tracer.presentation.headings import Headings
from tracer.presentation.shown import DEFAULT


class OwnNumbers:
    """The cells of one marked sheet, worked; with the reveal "hint" nothing that is still to be found is put in."""

    def __init__(self, marked: MarkedSheet, reveal: Reveal, notation: Notation = ENGLISH) -> None:
        self.marked, self.reveal, self.notation = marked, reveal, notation
        self.trace = own_trace(marked.sheet)
        self.one = self.trace.first
        self.program = marked.sheet.key.program
        self.headings = Headings(self.trace.problem, self.program)
        self.shown = key_shown(marked.sheet.key)

    def rule(self, mark: Mark) -> s.Scalar | None:
        """What a cell is made of; None where it is given."""
        expression = self.program.assignments[mark.id].expression
        return None if expression is None else lower(expression, mark.row, mark.column)

    def lines(self, mark: Mark) -> Iterator[s.Scalar]:
        """What stands behind the equals signs of a cell: letters, numbers, and with the key all that follows."""
        rule = self.rule(mark)
        if rule is None:
            return
        worked = self.work(mark, rule)
        yield worked.letters
        if self.reveal == "key":
            yield from (*worked.stages, worked.result)
        elif not isinstance(numbers := self.put_in(worked.letters), s.Value | s.Number | s.Cell):
            yield numbers

    def is_exact(self, mark: Mark) -> bool:
        """Whether the shown operands of a cell give its shown result."""
        rule = self.rule(mark)
        return rule is None or self.work(mark, rule).exact

    def text(self, mark: Mark) -> str:
        """A cell worked, in one line; a hint ends in a question mark."""
        names = self.headings.names
        parts = [cell_text(each, lambda cell: label_text(names.cell(cell.matrix, cell.row, cell.column)), self.notation)
                 for each in self.lines(mark)]  # fmt: skip
        if not parts:
            return ""
        open_end = ["?"] if self.reveal == "hint" and len(parts) > 1 else []
        return " = ".join((label_text(names.cell(mark.id, mark.row, mark.column)), *parts, *open_end))

    def work(self, mark: Mark, expression: s.Scalar) -> Worked:
        """The stages of a cell, to as many decimals as are shown of it or were written."""
        entry = entry_of(self.marked, mark)
        decimals = self.shown.decimals[mark.id]
        return work(expression, self._value, max(DEFAULT if decimals is None else decimals, entry.decimals or 0))

    def _value(self, cell: s.Cell) -> s.Value:
        """A number as the learner wrote it, or as it follows from their work."""
        value, decimals = float(self.one[cell.matrix][cell.row, cell.column]), self.shown.decimals[cell.matrix]
        if not self._is_own(cell):
            return s.Value(value, decimals)
        entry = self.marked.sheet.written[cell.matrix].entries[cell.row][cell.column]
        return s.Value(value, None if entry.decimals is None else min(max(entry.decimals, 0), 15))

    def _is_own(self, cell: s.Cell) -> bool:
        written = self.marked.sheet.written.get(cell.matrix)
        return written is not None and bool(written.present[cell.row, cell.column])

    def put_in(self, expression: s.Scalar) -> s.Scalar:
        """The numbers that are given or the learner's own; the name stays of a cell that is still to be found."""
        if isinstance(expression, s.Cell):
            known = expression.matrix in self.program.inputs or self._is_own(expression)
            return self._value(expression) if known else expression
        parts = s.children(expression)
        return s.rebuild(expression, tuple(map(self.put_in, parts))) if parts else expression
