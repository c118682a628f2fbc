"""Everything that Tracer writes of the built-in examples, to hold two states of the code against each other.

    python -m tests.layout_snapshot write before.snapshot      # before modules are moved
    python -m tests.layout_snapshot compare before.snapshot    # after: nothing may differ, in any byte
    python -m tests.layout_snapshot compare before.snapshot article hand    # these examples only, much sooner

A snapshot is a zip with an entry for each artefact: a part of a workbook, a page, a report. The state of
one machine is compared with another state on the same machine, since the last bits of products differ between
processors; what is meant is held by tests/golden.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from tracer.answers.key import key_of

# The product's functions: nothing below this block says where one of them is.
from tracer.answers.reading import read_content
from tracer.classroom.feedback_page import render_feedback
from tracer.classroom.findings import Reveal
from tracer.classroom.marked_workbook import write_marked_workbook
from tracer.classroom.report import print_marked
from tracer.derivation.book import render_derivation
from tracer.errors import ProblemError, TracerError
from tracer.invent import invent
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.lesson.build import build
from tracer.page.page import render_page
from tracer.presentation.theme import theme_of
from tracer.problem.example_groups import ELEVEN_STEPS
from tracer.problem.problem import Problem, problem_from_document
from tracer.problem.reading import example_names, example_text, load_problem
from tracer.run.passes import Trace
from tracer.run.storage import save_trace
from tracer.run.training import Training, trace, train
from tracer.terminal import print_trace, print_training
from tracer.training_report.page import write_training
from tracer.workbook.workbook import write_workbook
from tracer.worksheet.files import write_worksheets
from tracer.worksheet.plan import make_plan, make_series

Document = dict[str, Any]
Artefacts = Iterator[tuple[str, bytes]]

LARGE = 50  # rows from which on an example is written in one form only
TRAINED = 50  # epochs of a training
VARIANTS: dict[str, Document] = {
    "as it is": {},
    "other conventions": {"convention": {"learning_rate_in": "delta", "reduction": "mean", "relu_slope_at_zero": 1}},
    "reproduced": {"reproduce": {"rate_twice": True, "updated_weights_sent_back": True}},
    "diagonal": {"reproduce": {"softmax_slope": "diagonal"}},  # of a softmax alone; of others the refusal is kept
    "carried": {"carry_rounded": True},
}
SHEETS: dict[str, Document] = {
    "practice": {},
    "exam": {"mode": "exam", "sums": True},
    "print": {"mode": "print", "language": "es"},
    "series": {"series": True, "feedback": "cell"},
    "some": {"blank": "7,10", "feedback": "end", "language": "es"},
}
REVEALED: tuple[Reveal, ...] = ("none", "hint", "key")
MOST_SHOWN = 40  # differences that are printed; all are counted
AROUND = 70  # characters shown on either side of the first difference
STAMPS = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def artefacts(examples: Sequence[str]) -> Artefacts:
    """(name, content) of everything that is written; of what is refused, or fails, why."""
    for name in examples or example_names(ELEVEN_STEPS):
        yield f"{name}/example.toml", example_text(name).encode()
        problem = load_problem(name)
        yield from of_training(name, problem)
        for variant, changes in VARIANTS.items():
            if problem.rows < LARGE or not changes:
                try:
                    yield from of_problem(f"{name}/{variant}", with_changes(problem, changes))
                except ProblemError as refused:
                    yield why_not(f"{name}/{variant}", refused)
    if not examples:
        yield "invented.toml", invent("3-4-2", 4, 7, "relu", "softmax", "cross_entropy").encode()


def with_changes(problem: Problem, changes: Document) -> Problem:
    """A problem with some keys of its file, or of their sections, changed. Raises ProblemError."""
    document = problem.to_document()
    for key, value in changes.items():
        document[key] = document.get(key, {}) | value if isinstance(value, dict) else value
    return problem_from_document(document, problem.name, problem.name) if changes else problem


def of_problem(where: str, problem: Problem) -> Artefacts:
    """Everything of a problem."""
    recorded = trace(problem)
    yield from of_trace(where, recorded)
    try:
        yield from of_checking(where, recorded)
    except Exception as wrong:  # all else is still compared
        yield why_not(f"{where}/checked", wrong)
    if problem.rows < LARGE:
        yield from of_worksheets(where, recorded)
        yield from of_notebook(where, recorded)
    if 1 < problem.rows < LARGE:
        yield from of_trace(f"{where}/batches", trace(replace(problem, batch_size=2), (1, 3)))


def of_trace(where: str, recorded: Trace) -> Artefacts:
    """What shows a recorded run: workbook, page, derivation, terminal, JSON, the saved trace."""
    for kind, matrices in (("workbook", False), ("workbook of matrices", True)):
        yield from written(f"{where}/{kind}", partial(write_book, recorded, matrices))
    yield from said(f"{where}/page.html", lambda: render_page(recorded))
    yield from said(f"{where}/derivation.html", lambda: render_derivation(recorded))
    yield from said(f"{where}/terminal.txt", lambda: printed(print_trace, recorded))
    yield from said(f"{where}/trace.json", partial(as_json, recorded))
    yield from written(f"{where}/saved", lambda folder: save_trace(recorded, folder / "trace.npz"))


def write_book(recorded: Trace, matrix_formulas: bool, folder: Path) -> None:
    write_workbook(recorded, folder / "book.xlsx", None, matrix_formulas)


def of_worksheets(where: str, recorded: Trace) -> Artefacts:
    """Blank sheets and keys, page and workbook."""
    problem, program = recorded.problem, build(recorded.problem)

    def write(chosen: Document, folder: Path) -> None:
        mode, blank, feedback = chosen.get("mode", "practice"), chosen.get("blank"), chosen.get("feedback", "step")
        plan = make_plan(problem, program, mode, blank, None, feedback, chosen.get("sums", False))
        sheets = make_series(plan, program) if chosen.get("series") else [plan]
        write_worksheets(recorded, sheets, folder, theme_of(chosen.get("language", "en")))

    for kind, chosen in SHEETS.items():
        yield from written(f"{where}/worksheet {kind}", partial(write, chosen))


def of_notebook(where: str, recorded: Trace) -> Artefacts:
    """What a notebook shows of the run, of every step, matrix and first cell."""
    yield from said(f"{where}/notebook/overview.html", recorded._repr_html_)
    for step in recorded.last.steps:
        yield from shown(f"{where}/notebook/step {step.label}", recorded.step(step.number, step.layer))
    for identifier in recorded.last:
        view = recorded.matrix(identifier)
        yield from shown(f"{where}/notebook/{identifier}", view)
        yield from shown(f"{where}/notebook/{identifier}[0, 0]", view[0, 0])


def shown(where: str, view: Any) -> Artefacts:
    yield from said(f"{where}.html", view._repr_html_)
    yield from said(f"{where}.tex", view._repr_latex_)


def of_checking(where: str, recorded: Trace) -> Artefacts:
    """The reports on a file of answers with two slips and a wrong number in it."""
    content, conventions = json.dumps(answers_of(recorded)).encode(), Conventions(key_of(recorded.problem), 1)
    for accept in (False, True):
        marked = mark_answers(read_content("answers.json", content), conventions, accept)
        name = f"{where}/checked{' under any convention' if accept else ''}"
        yield from said(f"{name}.json", partial(as_json, marked))
        for reveal in REVEALED if not accept else ("key",):
            yield from reports(f"{name} {reveal}", marked, reveal)


def reports(where: str, marked: MarkedSheet, reveal: Reveal) -> Artefacts:
    yield from said(f"{where}/terminal.txt", lambda: printed(print_marked, marked, reveal))
    yield from said(f"{where}/feedback.html", lambda: render_feedback(marked, reveal))
    yield from written(f"{where}/marked", lambda folder: write_marked_workbook(marked, reveal, folder / "marked.xlsx"))


def answers_of(recorded: Trace) -> Document:
    """What a student hands in who rounds to four decimals, turns the error around and forgets to add a product."""
    one = recorded.first
    answers = {each: np.round(one[each], 4) for each in one.program.computed}
    answers["E"] = -answers["E"]
    answers["Z1"][0, 0] -= round(float(one["X"][0, 0] * one["W1"][0, 0]), 4)
    answers["W1_next"][-1, -1] += 0.5
    return {"student": {"name": "Ada"}, **{each: (value + 0.0).tolist() for each, value in answers.items()}}


def of_training(name: str, problem: Problem) -> Artefacts:
    """The page and plots of a training, and what the terminal says of it."""
    training = train(problem, min(problem.epochs, TRAINED))
    yield from written(f"{name}/training", partial(write_training, training))
    yield from said(f"{name}/training.txt", lambda: printed(print_training, training))
    yield from said(f"{name}/training.json", partial(as_json, training))


def as_json(of: Trace | Training | MarkedSheet) -> str:
    return json.dumps(of.to_document(), ensure_ascii=False)


def printed(show: Callable[..., None], *arguments: Any) -> str:
    """What is printed on standard output."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        show(*arguments)
    return output.getvalue()


def said(where: str, text: Callable[[], str]) -> Artefacts:
    """A text, or why there is none."""
    try:
        yield where, text().encode()
    except Exception as wrong:
        yield why_not(where, wrong)


def why_not(where: str, wrong: Exception, folder: str = "…") -> tuple[str, bytes]:
    kind = "refused" if isinstance(wrong, TracerError) else "failed"
    return f"{where} ({kind})", str(wrong).replace(folder, "…").encode()


def written(where: str, write: Callable[[Path], object]) -> Artefacts:
    """The files that are written into a folder, of packages their parts; or why none are."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            write(folder)
        except Exception as wrong:
            yield why_not(where, wrong, name)
        for path in sorted(folder.rglob("*")):
            if zipfile.is_zipfile(path):
                yield from parts(f"{where}/{path.name}", path)
            elif path.is_file():
                yield f"{where}/{path.name}", path.read_bytes()


def parts(where: str, path: Path) -> Artefacts:
    """The parts of a package, without the time at which it was written."""
    with zipfile.ZipFile(path) as package:
        for part in package.namelist():
            yield f"{where}/{part}", STAMPS.sub(rb"\g<1>", package.read(part))


def write_snapshot(path: Path, examples: Sequence[str]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as snapshot:
        for name, content in artefacts(examples):
            snapshot.writestr(name, content)
        print(f"{path}: {len(snapshot.namelist())} artefacts")


def compare_snapshot(path: Path, examples: Sequence[str]) -> bool:
    """Whether everything is as in a snapshot; prints what is not, the first difference of each artefact."""
    with zipfile.ZipFile(path) as snapshot:
        known = {each for each in snapshot.namelist() if not examples or each.partition("/")[0] in examples}
        gone, different = set(known), 0
        for name, content in artefacts(examples):
            gone.discard(name)
            before = snapshot.read(name) if name in known else None
            different += before != content
            if before != content and different <= MOST_SHOWN:
                says = "  it is new" if before is None else first_difference(before, content)
                print(f"{name}\n{says}", flush=True)
    for name in sorted(gone)[:MOST_SHOWN]:
        print(f"{name}\n  it is gone")
    print(f"{len(known)} artefacts before, {different} differ or are new, {len(gone)} are gone")
    return not different and not gone


def first_difference(before: bytes, after: bytes) -> str:
    """Where two contents first differ, with what stands around it; the cell that it is in, if any."""
    pairs = enumerate(zip_longest(before, after))
    place = next(k for k, (one, other) in pairs if one != other)
    cell = re.findall(rb'<c r="([A-Z]+[0-9]+)"', before[:place])
    lines = [f"  at byte {place}" + (f", cell {cell[-1].decode()}" if cell else "")]
    for sign, content in (("-", before), ("+", after)):
        excerpt = content[max(0, place - AROUND) : place + AROUND].decode(errors="replace")
        lines.append(f"  {sign} {excerpt!r}")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    start = time.monotonic()
    match arguments:
        case ["write", path, *examples]:
            write_snapshot(Path(path), examples)
            same = True
        case ["compare", path, *examples]:
            same = compare_snapshot(Path(path), examples)
        case _:
            print((__doc__ or "").partition("\n\n")[2].partition("\n\n")[0])
            return 2
    print(f"{time.monotonic() - start:.0f} s")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
