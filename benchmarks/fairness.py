"""How fair the verdicts are: honest habits, and sheets that nobody calculated. Prints the figures."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

import numpy as np

from benchmarks.measure import markdown
from tests.fairness import Figures, credited_though_wrong, dishonest, honest, problems
from tests.habits import APART, HABITS
from tests.students import Document
from tracer.judging import work
from tracer.judging.numbers import MARGIN

SEED, BY_LOT = 1, 8
WORDS = (
    f"{len(HABITS)} habits of people who work by the right rules, on the built-in problems that a hand can work, with "
    f"3 and with 4 decimals, and on {BY_LOT} made by lot, with 2 to 4. Each sheet is handed in in five ways: whole, "
    "half left out, backward only, without S, E and J, the updated parameters only."
)
ODD = "Rounding each product, and padding rounded numbers with zeros, which are false digits:"


def _honest_table(figures: Figures) -> str:
    total: Counter[str] = Counter()
    rows = []
    for habit, counts in figures.verdicts.items():
        total += counts
        rows.append((habit, *_figures(counts)))
    rows.append(("**all**", *_figures(total)))
    return markdown(("habit", "cells", "count", "too coarse", "not read", "slip", "wrong"), rows)


def _figures(counts: Counter[str]) -> tuple[object, ...]:
    cells, counted = counts.total(), sum(counts[each] for each in ("correct", "rounded", "carried"))
    return (f"{cells:,}", f"{counted / cells:.2%}", counts["too_coarse"], counts["not_read"],
            counts["slip"], counts["wrong"])  # fmt: skip


def _accused_at(margin: float, documents: Sequence[Document]) -> Figures:
    """The honest habits with another margin on every bound."""
    before, vars(work)["MARGIN"] = MARGIN, margin
    try:
        return honest(documents, HABITS, np.random.default_rng(SEED))
    finally:
        vars(work)["MARGIN"] = before


def report(by_lot: int = BY_LOT) -> str:
    """The section of RESULTS.md."""
    documents = [document for _, document in problems(np.random.default_rng(SEED), by_lot)]
    figures, bare = _accused_at(MARGIN, documents), _accused_at(0.0, documents)
    apart = honest(documents, APART, np.random.default_rng(SEED))
    cells, credited = credited_though_wrong(documents, np.random.default_rng(SEED))
    rows = [
        (name, each.cells, f"{each.credited / each.cells:.1%}", f"{each.right / each.cells:.1%}",
         f"{each.unearned:+.1%}", f"{each.points / each.out_of:.1%}")
        for name, each in dishonest(documents, np.random.default_rng(SEED)).items()
    ]  # fmt: skip
    head = ("sheet", "cells", "credited", "right by the key", "beyond", "points")
    accused = (
        f"Called wrong or slip: {len(figures.accused)} of {figures.cells:,} honest cells ({figures.share:.5%}); "
        f"without the margin of {MARGIN:.0%} on every bound {len(bare.accused)}. Of {cells:,} cells that a wrong rule "
        f"made, and that are not the key's, {credited} count all the same."
    )
    parts = (
        "## Fairness of the marks", WORDS, accused, _honest_table(figures), ODD, _honest_table(apart),
        "Sheets that nobody calculated; \"right by the key\" is within a unit of the decimals asked for:",
        markdown(head, rows),
    )  # fmt: skip
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--by-lot", type=int, default=BY_LOT, help="problems made by lot, besides the built-in ones")
    print(report(parser.parse_args().by_lot))
