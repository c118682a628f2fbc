"""The audit of our own workbooks: every built-in example as it is, and with one fault planted in it by lot."""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import tracer
from benchmarks.measure import markdown
from tests.planting import places, planted
from tracer.audit.auditing import audit_cells
from tracer.audit.graph import name_of
from tracer.audit.package import AuditError, read_book
from tracer.problem.example_groups import EXAMPLE_GROUPS

SEED, WORKERS = 21, 2
EACH, LARGE = 4, 5_000  # faults in a book; one alone in a book of more formulas


@dataclass
class AuditedExample:
    """One example: whether its book is right by the audit, how long that took, and what came of planted faults."""

    name: str
    formulas: int = 0
    gradients: int = 0
    accused: int = 0
    seconds: float = 0.0
    planted: int = 0
    noticed: int = 0
    first: int = 0
    named: int = 0
    missed: list[str] = field(default_factory=list)


def book_of(name: str) -> bytes:
    """The walkthrough workbook of a built-in example."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.xlsx"
        tracer.write_workbook(tracer.trace(name), path)
        return path.read_bytes()


def audited(name: str, count: int) -> AuditedExample | str:
    """What an audit says of a book, and of `count` copies with one fault each; a text where it is not read."""
    content = book_of(name)
    begun = time.process_time()
    try:
        audit = audit_cells(read_book(name, content))
    except AuditError as wrong:
        return str(wrong)
    found = AuditedExample(name, len(audit.graph.made), len(audit.gradients), len(audit.wrong))
    found.seconds = time.process_time() - begun
    cells = places(content, audit)
    if not cells:
        return found
    for cell, formula, book in planted(
        content, cells, np.random.default_rng(SEED + len(name)), count if found.formulas <= LARGE else 1
    ):
        wrong_ones = audit_cells(book).wrong
        found.planted += 1
        found.noticed += bool(wrong_ones)
        found.first += bool(wrong_ones) and wrong_ones[0].cell == cell
        found.named += any(cell in each.cells for each in wrong_ones)
        if not wrong_ones:
            found.missed.append(f"{name} {name_of(cell)} ={formula}")
    return found


def report(count: int = EACH) -> str:
    """The section of RESULTS.md."""
    examples = [name for names in EXAMPLE_GROUPS.values() for name in names]
    with ProcessPoolExecutor(WORKERS) as pool:
        found = list(pool.map(audited, examples, [count] * len(examples)))
    refused = [each for each in found if isinstance(each, str)]
    rows = [
        (e.name, e.formulas, e.gradients, e.accused, f"{e.seconds:.1f}", e.planted, e.noticed, e.first, e.named)
        for e in found
        if isinstance(e, AuditedExample)
    ]
    totals = [sum(row[k] for row in rows) for k in (1, 2, 3, 5, 6, 7, 8)]
    rows.append(("**all**", *totals[:3], "", *totals[3:]))
    head = ("example", "formulas", "gradients", "accused", "seconds", "planted", "noticed", "first", "named")
    missed = [text for each in found if isinstance(each, AuditedExample) for text in each.missed]
    words = (
        f"The workbook of every built-in example is audited as it is, then {totals[3]} copies of them with one fault "
        "each, in a gradient or an update by lot: a reference moved by a cell, a sign turned, a term left out, a "
        "factor of 2. Noticed: something is called wrong; first: the first wrong cell is the planted one; named: it is "
        "among those called wrong themselves. A fault in a contribution that is a gradient only with others is often "
        "found in the sum."
    )
    last = f"Not noticed: {'; '.join(missed) or 'none'}. Not read: {'; '.join(map(str, refused)) or 'none'}."
    return "\n\n".join(("## Audit", words, markdown(head, rows), last)) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=EACH, help="faults in each book")
    print(report(parser.parse_args().count))
