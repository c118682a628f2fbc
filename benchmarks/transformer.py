"""A transformer of two layers with two heads each: its workbook, its page, and how soon the page answers."""

from __future__ import annotations

import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Goal, by_turns, goals, markdown, spread
from benchmarks.pages import seconds_to_answer
from tracer.api import load
from tracer.page.page import render_page
from tracer.problem.program_problem import ProgramProblem
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook

TOKENS, WIDTH, HEAD, INNER, WORDS = 7, 8, 4, 16, 8
ROUNDS = 5


@cache
def recorded() -> Trace[Any]:
    problem = load({"learning_rate": 0.1, **_numbers(), "steps": [*_layer(1, "X"), *_layer(2, "X1"), LAST]})
    assert isinstance(problem, ProgramProblem)
    return trace(problem)


LAST = {"title": "Loss", "formulas": ["Z = X2 @ Wv", "L = cross_entropy_of_logits(Z, Y) / 7"]}


def _numbers() -> dict[str, Any]:
    random = np.random.default_rng(0)

    def drawn(rows: int, columns: int) -> Any:
        return random.uniform(-0.5, 0.5, (rows, columns)).round(2).tolist()

    mask = np.where(np.tri(TOKENS) > 0, 0.0, -30.0).tolist()
    parameters: dict[str, Any] = {"Wv": drawn(WIDTH, WORDS)}
    for n in (1, 2):
        parameters |= {f"W{what}{n}{head}": drawn(WIDTH, HEAD) for what in "QKV" for head in (1, 2)}
        parameters |= {f"Wo{n}": drawn(WIDTH, WIDTH), f"g{n}": [[1.0] * WIDTH], f"s{n}": [[0.0] * WIDTH]}
        parameters |= {f"U{n}": drawn(WIDTH, INNER), f"c{n}": drawn(1, INNER), f"D{n}": drawn(INNER, WIDTH)}
    return {
        "given": {"X": drawn(TOKENS, WIDTH), "Y": np.eye(TOKENS, WORDS).tolist(), "M": mask},
        "parameters": parameters,
    }


def _layer(n: int, x: str) -> list[dict[str, Any]]:
    heads = [
        {"title": f"Layer {n}, head {h}", "formulas": [
            f"Q{n}{h} = {x} @ WQ{n}{h}", f"K{n}{h} = {x} @ WK{n}{h}", f"V{n}{h} = {x} @ WV{n}{h}",
            f"P{n}{h} = softmax(Q{n}{h} @ K{n}{h}.T / 2 + M)", f"H{n}{h} = P{n}{h} @ V{n}{h}"]}
        for h in (1, 2)
    ]  # fmt: skip
    added = f"R{n} = {x} + hstack(H{n}1, H{n}2) @ Wo{n}"
    normal = f"N{n} = (R{n} - mean(R{n}, axis=1)) / sqrt(var(R{n}, axis=1) + 0.00001)"
    return [
        *heads,
        {"title": f"Layer {n}, added and normalised", "formulas": [
            added, normal, f"B{n} = g{n} * N{n} + s{n}"]},
        {"title": f"Layer {n}, feed forward", "formulas": [
            f"F{n} = gelu(B{n} @ U{n} + c{n})", f"X{n} = B{n} + F{n} @ D{n}"]},
    ]  # fmt: skip


def report() -> str:
    """The section of RESULTS.md."""
    run = recorded()
    made = [each for each in run.first.program.assignments.values() if each.expression is not None]
    computed = sum(each.shape[0] * each.shape[1] for each in made)
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder, "book.xlsx")
        seconds = by_turns({"workbook": lambda: write_workbook(run, book), "page": lambda: render_page(run)}, ROUNDS)
        formulas = _formulas(book)
    page = render_page(run)
    ready = seconds_to_answer(page)
    rows = [(what, *(f"{value:.2f} s" for value in spread(times))) for what, times in seconds.items()]
    rows.append(("page answers", *(f"{value:.2f} s" for value in spread(ready))))
    reached = goals([
        Goal("its workbook, s", 2.0, spread(seconds["workbook"])[0], most=True),
        Goal("its page, MB", 1.5, len(page.encode()) / 1e6, most=True),
        Goal("its page answers, s", 0.5, spread(ready)[0], most=True),
    ])  # fmt: skip
    head = (
        f"## A transformer\n\nTwo layers, two heads each: {len(made)} assignments of {computed:,} cells, "
        f"{formulas:,} live formulas in the workbook, references and worked lines among them."
    )
    return "\n\n".join((head, markdown(("what", "median", "min", "max"), rows), reached)) + "\n"


def _formulas(book: Path) -> int:
    with zipfile.ZipFile(book) as package:
        sheets = [name for name in package.namelist() if name.startswith("xl/worksheets/sheet")]
        return sum(package.read(name).count(b"<f>") for name in sheets)
