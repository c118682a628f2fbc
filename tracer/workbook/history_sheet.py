"""The history sheet of a book of several epochs: loss and parameters epoch by epoch, and a chart of the loss.

An epoch whose steps are in the book refers to their cells; of the others there are the numbers of
the run.
"""

from __future__ import annotations

import math

import numpy as np
from openpyxl.chart import Reference, ScatterChart, Series
from openpyxl.chart.axis import ChartLines, NumericAxis
from openpyxl.chart.data_source import NumData, NumFmt, NumVal
from openpyxl.chart.marker import Marker
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.title import title_maker
from openpyxl.drawing.line import LineProperties

from tracer.expression import scalar as s
from tracer.expression.arrays import Array
from tracer.expression.digits import decimals_for, fixed
from tracer.expression.label import label_text
from tracer.presentation.board import lay_out
from tracer.presentation.palette import INK, LINE
from tracer.run.passes import Epoch, History, Pass
from tracer.spreadsheet.merging import merge
from tracer.spreadsheet.print_setup import LEAST_SCALE, ROW, Page, choose_page, set_up
from tracer.spreadsheet.sheet_data import MOST_FORMULA, address, column_letters
from tracer.workbook.book import LEFT, NARROW, Book, link

TITLE = "History"
EPOCH, SOURCE, LOSS, PARAMETERS = range(LEFT, LEFT + 4)  # columns, the parameters from the last one on
CHART_ROW, HEADER_ROW = 4, 21
FIRST_ROW = HEADER_ROW + 1
CHART_WIDTH, CHART_HEIGHT = 17, 7.5  # centimetres
MOST_MARKERS = 30  # points of a line that are marked
MOST_COUNTED = 12  # epochs that the axis numbers one by one
SIGNIFICANT, OF_CHANGE = 6, 2  # digits of a loss, and of the change of a parameter
HEAD_COLUMNS, HEAD_WIDTH = 9, 90.0  # of the lines over the chart; the width in characters
WIDTHS = (9.0, 22.0, 14.0)  # of epoch, source and loss
MARGIN = 2.5


def write_history(book: Book) -> None:
    """Add the sheet where more than one epoch was run; a loaded trace does not know what was run."""
    history = book.trace.history
    if history is not None and len(history.losses) > 1:
        HistorySheet(book, history).fill()


class HistorySheet:
    """A row for each epoch noted."""

    def __init__(self, book: Book, history: History) -> None:
        self.book, self.history = book, history
        self.sheet = book.add_sheet(TITLE)
        self.data = book.data[TITLE]
        self.epochs = {each.number: each for each in book.trace.epochs}
        self.losses = history.losses[[number - 1 for number in history.noted]]
        self.cells = _cells(book.trace.first) if history.parameters.shape[1] else []
        self.parameters = history.parameters[:, : len(self.cells)]  # an optimizer's states come behind them
        batches = book.trace.epochs[0].iterations
        self.places = {one.program.rows: lay_out(one.program).places for one in batches}

    def fill(self) -> None:
        changes = np.diff(self.parameters, axis=0)
        of_parameters = max(3, decimals_for(changes, OF_CHANGE))
        self._head()
        self._set_columns(of_parameters)
        style = self.book.styles.value("plain", 0, False)
        self.data.numbers(FIRST_ROW, EPOCH, np.array([self.history.noted], dtype=float).T, style)
        loss_style = self.book.styles.value("plain", decimals_for(self.losses, SIGNIFICANT), False)
        parameter_style = self.book.styles.value("plain", of_parameters, False)
        for row, number in enumerate(self.history.noted, start=FIRST_ROW):
            self._row(row, number, loss_style, parameter_style)
        self.sheet.add_chart(self._chart(), address(CHART_ROW, LEFT))
        self.data.alt_text = (
            f"Line chart of the loss of {len(self.history.losses):,} epochs: it goes from "
            f"{self.losses[0]:.6g} to {self.losses[-1]:.6g}."
        )
        self._print_set_up()

    def _head(self) -> None:
        styles, many = self.book.styles, len(self.history.losses)
        says = self._says()
        for row, text, style, height in (
            (1, f"History of {many:,} epochs", styles.title, 24.0),
            (2, says, styles.note, ROW * (1 + len(says) // HEAD_WIDTH)),
        ):
            self.data.text(row, LEFT, text, style)
            self.data.heights[row] = height
            merge(self.sheet, row, LEFT, LEFT + HEAD_COLUMNS - 1)
        self.book.leave_room_for_links(self.sheet.title, 3)

    def _says(self) -> str:
        """What the numbers are, and which of them are live."""
        problem, history = self.book.problem, self.history
        taken = "added up" if problem.loss_shown == "sum" else "averaged over the samples"
        when = f"as its passes reported it, each before its own update, {taken}"
        when = when if len(problem.batches()) > 1 else "before its update"
        starts = ", and the parameters that it starts from" if self.cells else ""
        texts = [f"Each epoch's loss {when}{starts}."]
        if len(self.epochs) == len(history.noted):
            texts.append("All of them follow the cells of the steps.")
        else:
            texts.append(
                "Where a sheet is named, they follow the cells of the steps; the others were recorded when this book "
                "was written, and no longer hold once an input is changed."
            )
        if len(history.noted) < len(history.losses):
            texts.append(
                f"Here are {len(history.noted):,} of the epochs: the first, the last, evenly between, and those "
                "whose steps are in this book."
            )
        if not self.cells:
            count = sum(self.book.trace.first[each].size for each in self.book.trace.first.program.parameters)
            texts.append(f"The {count:,} parameters are too many for a row; step 1 has those of an epoch in this book.")
        return " ".join(texts)

    def _set_columns(self, decimals: int) -> None:
        names = [label_text(self.book.headings.names.cell(cell.matrix, cell.row, cell.column)) for cell in self.cells]
        columns = self.parameters.T.tolist()
        values = [max(len(fixed(value, decimals)) for value in column) for column in columns]
        widths = [*WIDTHS, *(max(len(name), width) + MARGIN for name, width in zip(names, values, strict=True))]
        self.sheet.column_dimensions[column_letters(1)].width = NARROW
        for column, (text, width) in enumerate(zip(("epoch", "from", "loss", *names), widths, strict=True), start=LEFT):
            self.sheet.column_dimensions[column_letters(column)].width = width
            self.data.text(HEADER_ROW, column, text, self.book.styles.heading("plain", True))
        if self.cells:
            self.sheet.freeze_panes = address(1, PARAMETERS)
        self.widths = widths

    def _row(self, row: int, number: int, loss_style: int, parameter_style: int) -> None:
        epoch, k = self.epochs.get(number), row - FIRST_ROW
        loss = None if epoch is None else self._loss(epoch)
        if epoch is None or loss is None:
            self.data.text(row, SOURCE, "recorded", self.book.styles.plain)
        else:
            home = self._home(epoch.iterations[0], self.book.trace.last.program.loss)
            self.data.text(row, SOURCE, home, self.book.styles.link)
            link(self.sheet, address(row, SOURCE), home)
        live = [] if epoch is None else [self._at(epoch.iterations[0], cell) for cell in self.cells]
        self._numbers(row, LOSS, self.losses[k : k + 1], loss_style, [loss] if loss else [])
        if self.cells:
            self._numbers(row, PARAMETERS, self.parameters[k], parameter_style, live)

    def _numbers(self, row: int, column: int, values: Array, style: int, formulas: list[str]) -> None:
        """A row of numbers, live where there are formulas for them."""
        if formulas:
            self.data.formulas(row, column, values[np.newaxis], style, lambda _, c: formulas[c])
        else:
            self.data.numbers(row, column, values[np.newaxis], style)

    def _loss(self, epoch: Epoch) -> str | None:
        """The loss of an epoch over the cells of its passes; None where those are too many for a formula."""
        cells = [self._at(each, s.Cell(each.program.loss, 0, 0)) for each in epoch.iterations]
        if len(cells) > 1 and self.book.problem.loss_shown == "mean":
            sizes = [each.stop - each.start for each in epoch.iterations]
            terms = (f"{size}*{cell}" for size, cell in zip(sizes, cells, strict=True))
            formula = f"({'+'.join(terms)})/{self.book.problem.rows}"
        else:
            formula = "+".join(cells)
        return formula if len(formula) <= MOST_FORMULA else None

    def _home(self, one: Pass, identifier: str) -> str:
        return self.book.home[one.epoch, one.iteration, identifier]

    def _at(self, one: Pass, cell: s.Cell) -> str:
        """The address of a cell on the sheet that computes it, or that has it as given."""
        place = self.places[one.program.rows][cell.matrix]
        at = address(self.book.top + place.row + cell.row, LEFT + place.column + cell.column)
        return f"'{self._home(one, cell.matrix)}'!{at}"

    def _chart(self) -> ScatterChart:
        """The loss over the epochs, with the points that it has now for viewers that do not calculate."""
        chart = ScatterChart()
        chart.scatterStyle, chart.legend, chart.roundedCorners = "lineMarker", None, False
        chart.width, chart.height = CHART_WIDTH, CHART_HEIGHT
        columns = [Reference(self.sheet, c, FIRST_ROW, c, HEADER_ROW + len(self.losses)) for c in (EPOCH, LOSS)]
        series = Series(columns[1], columns[0], title="loss")
        series.smooth = False
        series.graphicalProperties.line.solidFill = INK
        series.marker = Marker("circle", size=5) if len(self.losses) <= MOST_MARKERS else Marker("none")
        for source, values in ((series.xVal, self.history.noted), (series.yVal, self.losses.tolist())):
            points = [NumVal(idx=k, v=value) for k, value in enumerate(values)]
            source.numRef.numCache = NumData(formatCode="General", ptCount=len(points), pt=points)
        chart.series.append(series)
        self._axes(chart)
        return chart

    def _axes(self, chart: ScatterChart) -> None:
        many = len(self.history.losses)
        across = NumericAxis(axId=10, crossAx=20, axPos="b", majorGridlines=None, numFmt=NumFmt("#,##0"))
        across.scaling.min, across.scaling.max, across.majorUnit = 0, many, None
        if many <= MOST_COUNTED:
            across.scaling.min, across.majorUnit = 1, 1
        grid = ChartLines(spPr=GraphicalProperties(ln=LineProperties(solidFill=LINE)))
        up = NumericAxis(axId=20, crossAx=10, axPos="l", majorGridlines=grid, numFmt=NumFmt("General"))
        for axis, words in ((across, "epoch"), (up, "loss")):
            title = title_maker(words)
            title.overlay = False
            axis.title, axis.delete, axis.crosses = title, False, "min"
        chart.x_axis, chart.y_axis = across, up

    def _print_set_up(self) -> None:
        """On one page across; where the table is too wide for that, it goes over several, the losses on each."""
        last = HEADER_ROW + len(self.losses)
        width, height = sum(self.widths), self.data.heights[1] + self.data.heights[2] + ROW * last
        page, columns = choose_page((width, height)), len(self.widths)
        areas, wide = [(1, last, max(HEAD_COLUMNS, columns))], 1
        if page.scale < LEAST_SCALE:
            page = Page("landscape", LEAST_SCALE)
            areas = [(1, HEADER_ROW - 1, HEAD_COLUMNS), (HEADER_ROW, last, columns)]
            self.sheet.print_title_cols = f"{column_letters(EPOCH)}:{column_letters(LOSS)}"
            wide = math.ceil(width / (page.characters - sum(self.widths[: PARAMETERS - LEFT])))
        ranges = [f"{address(top, LEFT)}:{address(bottom, LEFT + count - 1)}" for top, bottom, count in areas]
        set_up(self.sheet, page, ranges, f"{HEADER_ROW}:{HEADER_ROW}", wide)


def _cells(one: Pass) -> list[s.Cell]:
    """The parameters in the order of a history's columns."""
    parameters = [(name, one[name].shape) for name in one.program.parameters]
    return [s.Cell(name, i, j) for name, (rows, columns) in parameters for i in range(rows) for j in range(columns)]
