"""Checking sheets of programs: which slips give equal sheets, how the others are named, and honest habits."""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from benchmarks.measure import markdown
from tests.habits import HABITS, HANDED_IN
from tests.program_simulation import DRAWS, HonestSheets, Naming, programs
from tests.students import Work

SEED, EACH, MOST_LISTED = 5, 60, 12
PLAIN = {name: habit for name, habit in HABITS.items() if habit.work is Work}
"""Those that round or cut off whole matrices; the others take an eleven-step network apart."""


def _listed(counted: Counter[tuple[str, str]]) -> str:
    return ", ".join(f"{one} ({other}, {count})" for (one, other), count in counted.most_common(MOST_LISTED)) or "none"


def _equal(naming: Naming) -> str:
    """The pairs of slugs that are one rule, with how many programs have them."""
    found = Counter(" = ".join(sorted(alike)) for groups in naming.equal.values() for alike in groups)
    return "; ".join(f"{slugs} ({count})" for slugs, count in found.most_common(MOST_LISTED))


def report(each: int = EACH) -> str:
    """The section of RESULTS.md."""
    naming, random, rows = Naming(), np.random.default_rng(SEED), []
    for program in programs():
        before = (naming.shown, naming.found, naming.named, naming.first)
        naming.add(program, each, random)
        now = (naming.shown, naming.found, naming.named, naming.first)
        shown, found, named, first = (after - earlier for after, earlier in zip(now, before, strict=True))
        equal = len(naming.equal[program.problem.name])
        rows.append((program.problem.name, shown, equal, found, named, first))
    honest = HonestSheets()
    for program in programs():
        honest.add(program, PLAIN, HANDED_IN, np.random.default_rng(SEED))
    every = ("**all**", naming.shown, "", *(f"{part / naming.shown:.1%}"
                                            for part in (naming.found, naming.named, naming.first)))  # fmt: skip
    head = ("program", "sheets with a slip", "groups of equal rules", "found where made", "named", "first")
    by_habit = Counter(habit for _, habit, _, _ in honest.accused)
    words = (
        f"Of each of the {len(rows)} programs among the examples {each} wrong rules chosen by lot ({len(naming.slugs)} "
        "different slugs came up): one matrix is made by it and everything after it rightly from that, to the digits "
        f"that the worksheet asks for. Rules of one matrix that give the same on {DRAWS} draws of other numbers are "
        "one (“equal”), and so are those whose digits agree on the sheet itself. Found: the matrix is marked wrong; "
        "named: the slip is among those that are said of it; first: it is what the diagnosis says first. Sheets on "
        f"which anything else was accused: {naming.elsewhere}. Slips that change no written digit, and are no sheet: "
        f"{naming.hidden}."
    )
    accused = (
        f"{len(PLAIN)} honest habits, each handed in in five ways: {len(honest.accused)} of {honest.cells:,} cells "
        f"were called wrong or a slip ({len(honest.accused) / max(honest.cells, 1):.4%}): "
        f"{', '.join(f'{habit} ({count})' for habit, count in by_habit.most_common()) or 'none'}."
    )
    parts = (
        "## Slips of programs", words, markdown(head, [*rows, every]),
        f"Not named: {_listed(naming.missed)}. Named, but another first: {_listed(naming.later)}.",
        f"Equal in form, with the number of programs: {_equal(naming)}.", accused,
    )  # fmt: skip
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=EACH, help="wrong rules of each program")
    print(report(parser.parse_args().each))
