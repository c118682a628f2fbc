"""How fair the verdicts are: honest habits, and sheets that nobody calculated. Prints the figures."""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from benchmarks.measure import markdown
from tests.fairness import Figures, credited_though_wrong, dishonest, honest, problems
from tests.habits import APART, HABITS
from tracer.judging import work
from tracer.judging.numbers import MARGIN

SEED = 1


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


def report(by_lot: int) -> str:
    """The figures as tables."""
    documents = [document for _, document in problems(np.random.default_rng(SEED), by_lot)]
    figures = honest(documents, HABITS, np.random.default_rng(SEED))
    apart = honest(documents, APART, np.random.default_rng(SEED))
    earned = dishonest(documents, np.random.default_rng(SEED))
    rows = [
        (name, each.cells, f"{each.credited / each.cells:.1%}", f"{each.right / each.cells:.1%}",
         f"{each.unearned:+.1%}", f"{each.points / each.out_of:.1%}")
        for name, each in earned.items()
    ]  # fmt: skip
    head = ("sheet", "cells", "credited", "right by the key", "beyond", "points")
    cells, credited = credited_though_wrong(documents, np.random.default_rng(SEED))
    price = f"{credited} of {cells:,} cells that a wrong rule made, and that are not the key's, count all the same."
    accused = f"{len(figures.accused)} of {figures.cells:,} honest cells called wrong or slip: {figures.share:.5%}."
    return "\n\n".join((accused, price, _honest_table(figures), _honest_table(apart), markdown(head, rows)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--by-lot", type=int, default=8, help="problems made by lot, besides the built-in ones")
    parser.add_argument("--margin", type=float, default=MARGIN, help="of every bound")
    chosen = parser.parse_args()
    vars(work)["MARGIN"] = chosen.margin  # to see what it costs
    print(report(chosen.by_lot))
