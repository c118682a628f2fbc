"""The first sheet: the network, whether the epoch helped, the colours, the steps as links, the conventions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import groupby

from openpyxl.drawing.image import Image
from openpyxl.worksheet.worksheet import Worksheet

from tracer.expression.live import shown_decimals
from tracer.presentation.block_layout import describe_blocks
from tracer.presentation.excerpt import counted
from tracer.presentation.headings import place_of
from tracer.presentation.live_words import LiveNumber, Words, joined
from tracer.presentation.network_layout import describe
from tracer.presentation.palette import LEGEND
from tracer.problem.problem import Problem
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.remarks import conventions, departures
from tracer.program.naming_policy import RATE
from tracer.program.program import Step
from tracer.run.passes import Pass
from tracer.spreadsheet.sheet_data import address
from tracer.workbook.block_picture import draw_blocks
from tracer.workbook.book import Book
from tracer.workbook.did_it_help import DidItHelp, DidTheLossFall
from tracer.workbook.flow import GAP, Flow
from tracer.workbook.forward_sheet import AFTER, BEFORE, recorded
from tracer.workbook.network_picture import draw_network

WIDTHS = (24.0, GAP, 9.0, 10.0, 15.0, 15.0, GAP, 18.0)
TEXT = 4  # the column of what is said beside a link or a colour
LINKS = (2, 4, 5, 6, 7, 9)  # the columns of a row of links
POINTS = 0.75  # of a pixel
PICTURE_MARGIN = 6.0  # points below the picture
PIXELS = 7.0  # at least, of a column for each character of its width
BORDERS = {"active": "in a thick border", "input": "in a dashed border", "plain": "in a thin border"}
MOST_SHEETS = 3  # that are listed by name
OTHERS = {  # sheets that are neither a step nor a record
    "Presenter": "One board and one step cell, for a lecture: choose a step, and the colours move.",
    "History": "The loss and the parameters, epoch by epoch, and a chart of the loss.",
    BEFORE: "The forward pass over all samples with the parameters before the first update.",
    AFTER: "The forward pass over all samples with the updated parameters, and how every output moved.",
    "Gradient check": "Every gradient beside its estimate by central differences, cell by cell.",
    "Moved parameters": "The loss with each parameter moved a little: where those estimates come from.",
}
# left out of a print-out, as the records are
FOR_THE_SCREEN = ("Presenter", BEFORE, AFTER, "Gradient check", "Moved parameters")

Links = Sequence[tuple[str, Pass, Step]]


def fill_start(book: Book, sheet: Worksheet, links: Links, certified: str) -> None:
    """Write the whole sheet; `links` has the title, pass and step of every step's sheet.

    `certified` is what the certificate says now, in its cell B2.
    """
    flow = Flow(book, sheet, WIDTHS)
    _about(flow)
    _picture(flow)
    flow.heading("Did it help?")
    told = DidTheLossFall(book) if (trace := book.trace.of_network) is None else DidItHelp(book, trace)
    told.write(flow)
    _legend(flow)
    _steps(flow, links)
    _other_sheets(flow)
    _conventions(flow)
    flow.heading("Certificate: do the formulas still give the recorded run?")
    flow.link(flow.first, "Certificate", "Certificate")
    flow.live(Words("'Certificate'!B2", certified, certified), TEXT)
    _on_paper(flow)
    _programs(flow)
    flow.print_set_up()


def _about(flow: Flow) -> None:
    problem = flow.book.problem
    flow.title(problem.title)
    source = f"Source: {problem.source}" if problem.source else None
    for text in (problem.description, source, *departures(problem)):
        if text:
            flow.text(text)


def _picture(flow: Flow) -> None:
    """The network; the picture itself cannot follow a change."""
    book, first = flow.book, flow.book.trace.first
    problem = book.problem
    if isinstance(problem, ProgramProblem):
        png, width, height = draw_blocks(first.program)
        words, says = describe_blocks(first.program), _about_program(problem)
    else:
        png, width, height = draw_network(problem, first)
        words, says = describe(problem), _about_network(problem)
    room = sum(flow.widths) * PIXELS  # what is wider would be cut off on paper
    height = round(height * min(1.0, room / width))
    image = Image(io.BytesIO(png))
    image.width, image.height, image.anchor = min(width, round(room)), height, address(flow.row, flow.first)
    flow.sheet.add_image(image)
    flow.data.alt_text = words
    flow.data.heights[flow.row] = POINTS * height + PICTURE_MARGIN
    flow.row += 1
    value = problem.learning_rate
    rate = LiveNumber(recorded(book, first)(RATE)(0, 0), value).written(shown_decimals(value, None))
    flow.live(joined(says[0], rate, says[1]))


def _about_network(problem: Problem) -> tuple[str, str]:
    """What stands before and behind the learning rate."""
    samples = f"{problem.rows} sample{'s' if problem.rows > 1 else ''}"
    sizes, loss = "→".join(map(str, problem.sizes)), problem.loss.replace("_", " ")
    shown = "The picture has the first weights and sample 1 as they were recorded, and does not follow a change."
    return f"{sizes}, {samples}, {loss}, learning rate ", f". {shown}"


def _about_program(problem: ProgramProblem) -> tuple[str, str]:
    shown = "Arrows show what each step hands on, dashed ones the way back of the gradient."
    return f"{counted(len(problem.forward.steps), 'forward step')}, learning rate ", f". {shown}"


def _legend(flow: Flow) -> None:
    flow.heading("Colours")
    for role, text in LEGEND:
        flow.data.text(flow.row, flow.first, text, flow.styles.heading(role, False))
        flow.text(BORDERS[role], TEXT)
    flow.data.text(flow.row, flow.first, "blue: typed in", flow.styles.value("plain", None, True))
    flow.text(f"Edit only the blue cells, on {_typed_on(flow.book)}; everything after them updates.", TEXT)


def _typed_on(book: Book) -> str:
    """The sheets with blue cells, as far as they are few."""
    titles = [title for title in book.data if title in {book.home[key] for key in book.typed}]
    if len(titles) > MOST_SHEETS:
        return f"the sheets from {titles[0]} on"
    *others, last = titles
    return f"{', '.join(others)} and {last}" if others else last


def _steps(flow: Flow, links: Links) -> None:
    """The first pass in words; of the later ones, which do the same, the links alone."""
    flow.heading("The steps")
    for one, group in groupby(links, key=lambda each: each[1]):
        steps = [(title, step) for title, _, step in group]
        place = place_of(flow.book.trace, one)
        if place:
            flow.breaks.add(flow.row)
            flow.text(place)
        if one is flow.book.trace.first:
            for title, step in steps:
                flow.linked(title, f"{step.title}. {step.words}".rstrip(), TEXT)
            continue
        for k, (title, step) in enumerate(steps):
            flow.row += k > 0 and k % len(LINKS) == 0
            flow.link(LINKS[k % len(LINKS)], f"Step {step.label}", title)
        flow.row += 1


def _other_sheets(flow: Flow) -> None:
    titles = [title for title in OTHERS if title in flow.book.data]
    if titles:
        flow.heading("Other sheets")
    for title in titles:
        flow.linked(title, OTHERS[title], TEXT)


def _on_paper(flow: Flow) -> None:
    left_out = ", ".join((*(title for title in FOR_THE_SCREEN if title in flow.book.data), "Record"))
    flow.heading("On paper")
    flow.text(
        f"For the screen only, and left out when the book is printed: {left_out}. To print one of these sheets, clear "
        "its print area (Excel: Page Layout, Print Area; LibreOffice: Format, Print Ranges)."
    )


def _conventions(flow: Flow) -> None:
    flow.heading("Conventions")
    for text in (*conventions(flow.book.problem), *departures(flow.book.problem)):
        flow.text(text)


def _programs(flow: Flow) -> None:
    flow.heading("In other programs")
    lost = ["drops the defined names of the matrices (no formula needs one)"]
    if flow.book.matrix_formulas:
        lost = ["drops the defined names, which the array formulas need: for it, leave --matrix-formulas out"]
    lost.append("may draw dashed borders solid, where • still marks the cells")
    if "Presenter" in flow.book.data:
        lost.append("may leave the presenter's colours where they are")
    flow.text(
        "Made for Excel, LibreOffice, Google Sheets and Numbers, without macros or links to other files. "
        f"Numbers {', '.join(lost[:-1])} and {lost[-1]}. Google Sheets drops the document properties."
    )
