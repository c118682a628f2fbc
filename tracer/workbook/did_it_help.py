"""Did it help? Every output before and after the recorded epochs beside its target, the losses, and a sentence.

What comes afterwards is computed again on a sheet of its own (forward_sheet.py), so that table and
sentence follow when a number is changed. Where that sheet would be too large, or epochs between the
recorded ones are missing, it is given as recorded, and says so.
"""

from __future__ import annotations

import numpy as np

from tracer.expression.digits import fixed
from tracer.presentation.live_words import LiveNumber, Words
from tracer.presentation.outcome import (
    Compared,
    Outcome,
    loss_sentence,
    loss_words,
    losses_of,
    outcome_of,
    row_words,
    sentence,
)
from tracer.run.passes import Trace
from tracer.workbook.book import Book
from tracer.workbook.comparison import AWAY, FURTHER, MOVED, PAST, Comparison
from tracer.workbook.flow import Flow
from tracer.workbook.forward_sheet import (
    AddressOf,
    Lookup,
    by_sample,
    recorded,
    why_not_live,
    write_after,
    write_before,
)

MOST_ROWS = 12  # of the table
MOST_CHARACTERS, LARGEST = 13, 1e9  # of a number in it
SAMPLE, OUTPUT, TARGET, FIRST, LAST, WHAT = 2, 4, 5, 6, 7, 9  # columns


class DidTheLossFall:
    """The losses of a program before and after the recorded epochs, and the sentence."""

    def __init__(self, book: Book) -> None:
        self.book, self.outcome = book, losses_of(book.trace)
        self.why_not = why_not_live(book.trace)

    def write(self, flow: Flow) -> None:
        loss, live = self.book.trace.last.program.loss, self.why_not is None
        where = (recorded(self.book, self.book.trace.first), write_after(self.book)) if live else (None, None)
        values = self.outcome.loss_before, self.outcome.loss_after
        before, after = (
            LiveNumber(cells(loss)(0, 0) if cells else "", value) for cells, value in zip(where, values, strict=True)
        )
        rise = LiveNumber(f"({after.formula}-{before.formula})", after.value - before.value)
        words = loss_sentence(self.outcome, before, after, rise)
        if live:
            flow.live(words)
        else:
            flow.text(f"{words.text} These numbers stay as recorded, whatever is changed: {self.why_not}.")


class DidItHelp:
    """The table and the sentence; the sheets that they need are added to the book."""

    def __init__(self, book: Book, trace: Trace) -> None:
        self.book, self.problem = book, trace.problem
        self.outcome: Outcome = outcome_of(trace)
        self.why_not = why_not_live(book.trace)
        self.live = self.why_not is None
        self.name = book.trace.last.program.output
        self.targets = self._by_rows(by_sample(book, book.trace.last.program.targets))
        self.comparison = Comparison(book, self.outcome, self.live)
        self.before, self.after = self._lookups()
        if self.before and self.after:
            outputs = (self._by_rows(where(self.name)) for where in (self.before, self.after))
            self.comparison.write(self.targets, *outputs)

    def _by_rows(self, cells: AddressOf) -> AddressOf:
        """The cells of a matrix by sample and output, whichever way it is written."""
        return lambda sample, output: cells(*self.problem.placed(sample, output))

    def _lookups(self) -> tuple[Lookup | None, Lookup | None]:
        """Where the outputs before and after stand; None where they are only recorded."""
        if self.live:
            return write_before(self.book), write_after(self.book)
        first = self.book.trace.first
        return recorded(self.book, first) if first.program.rows == self.problem.rows else None, None

    def write(self, flow: Flow) -> None:
        pairs = (self.before, self.outcome.loss_before), (self.after, self.outcome.loss_after)
        losses = [
            LiveNumber(where(self.book.trace.last.program.loss)(0, 0) if where else "", value) for where, value in pairs
        ]
        rise = LiveNumber(f"({losses[1].formula}-{losses[0].formula})", losses[1].value - losses[0].value)
        words = sentence(self.outcome, self._compared(losses[0], losses[1], rise))
        if self.live:
            flow.live(words)
        else:
            which = "What comes after the update stays" if self.before else "These numbers stay"
            flow.text(f"{words.text} {which} as recorded, whatever is changed: {self.why_not}.")
        self._header(flow)
        outputs = self.problem.sizes[-1]
        for k in self.comparison.rows[:MOST_ROWS]:
            self._output(flow, k, *divmod(k, outputs))
        if len(self.comparison.rows) > MOST_ROWS:
            flow.text(f"… and {len(self.comparison.rows) - MOST_ROWS:,} more outputs")
        self._loss(flow, losses, rise)

    def _compared(self, before: LiveNumber, after: LiveNumber, rise: LiveNumber) -> Compared:
        table = self.comparison
        return Compared(
            before, after, rise, table.largest(MOVED), table.total(AWAY), table.total(PAST), table.all_names()
        )

    def _header(self, flow: Flow) -> None:
        first, last = self.outcome.epochs
        several = last > first or first > 1
        before, after = (f"before epoch {first}", f"after epoch {last}") if several else ("before", "after")
        texts = ("sample", "", "output", "target", before, after, "", "so it")
        for k, text in enumerate(texts, start=SAMPLE):
            flow.data.text(flow.row, k, text, flow.styles.heading("plain", True))
        flow.row += 1

    def _output(self, flow: Flow, k: int, sample: int, output: int) -> None:
        outcome, decimals = self.outcome, self.outcome.decimals
        flow.data.text(flow.row, SAMPLE, f"sample {sample + 1}", flow.styles.plain)
        flow.data.text(flow.row, OUTPUT, f"output {output + 1}", flow.styles.plain)
        numbers = (
            (TARGET, self.targets, outcome.targets, None),
            (FIRST, self.before and self._by_rows(self.before(self.name)), outcome.before, decimals),
            (LAST, self.after and self._by_rows(self.after(self.name)), outcome.after, decimals),
        )
        for column, cells, values, places in numbers:
            quantity = LiveNumber(cells(sample, output) if cells else "", float(values[sample, output]))
            self._number(flow, column, quantity, places)
        if outcome.finite:
            self._what(flow, row_words(outcome, self.comparison.cell(FURTHER, k), self.comparison.cell(PAST, k)))
        flow.row += 1

    def _loss(self, flow: Flow, losses: list[LiveNumber], rise: LiveNumber) -> None:
        rows = self.problem.rows
        text = f"loss, {self.problem.loss_shown} over {rows} samples" if rows > 1 else "loss"
        flow.data.text(flow.row, SAMPLE, text, flow.styles.plain)
        for column, loss in zip((FIRST, LAST), losses, strict=True):
            self._number(flow, column, loss, self.outcome.loss_decimals)
        if self.outcome.finite:
            self._what(flow, loss_words(self.outcome, rise))
        flow.row += 1

    def _number(self, flow: Flow, column: int, quantity: LiveNumber, decimals: int | None) -> None:
        """A cell of the table: live where the number stands on a sheet."""
        if not np.isfinite(quantity.value):
            flow.data.text(flow.row, column, "not a number" if np.isnan(quantity.value) else "∞", flow.styles.plain)
            return
        if decimals is not None and not _fits(quantity.value, decimals):
            decimals = None  # as many digits as there is room for
        style = flow.styles.value("plain", decimals, False)
        value = np.array([[quantity.value]])
        if quantity.formula:
            flow.data.formulas(flow.row, column, value, style, lambda *_: quantity.formula)
        else:
            flow.data.numbers(flow.row, column, value, style)

    def _what(self, flow: Flow, words: Words) -> None:
        if self.live:
            flow.data.live_text(flow.row, WHAT, words.formula, words.text, flow.styles.plain)
        else:
            flow.data.text(flow.row, WHAT, words.text, flow.styles.plain)


def _fits(value: float, decimals: int) -> bool:
    return abs(value) < LARGEST and len(fixed(value, decimals)) <= MOST_CHARACTERS
