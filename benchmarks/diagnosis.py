"""How well a sheet is diagnosed: students with misconceptions who mend the first finding and hand in again."""

from __future__ import annotations

import argparse
import gzip
from collections import Counter

import numpy as np

from benchmarks.measure import markdown
from tests.golden.test_students import CASES, failing, is_named
from tests.replay import MOST_AT_ONCE, Replay, students
from tests.simulation import slip_documents
from tests.wrong_rules import RULES
from tracer.problem.reading import load_problem
from tracer.run.training import trace
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.plan import make_plan

SEED, PROBLEMS, EACH, MOST_LISTED = 11, 40, 12, 8
DECIMALS = (3, 4, 2)
PAGES = ("article", "hand", "softmax-classifier")
WORDS = (
    f"Each of {EACH} students of each of {PROBLEMS} problems made by lot, with 3, with 4 and with 2 decimals, holds "
    f"one to {MOST_AT_ONCE} of the {len(RULES)} wrong rules of the catalogue (a slip in matrices of one kind) and "
    "applies each wherever it can be. The sheet is marked, what the diagnosis says first is mended, the sheet worked "
    "and marked again, until all is right. Where something was named that the student does not hold, only the "
    "matrices that it names are put right. Recall and precision are of the first sheet; two rules that give the same "
    "numbers are one."
)


def replay(decimals: int, problems: int) -> Replay:
    random, made = np.random.default_rng(SEED), Replay()
    for student in students(random, slip_documents(random, problems, decimals), EACH):
        made.add(student)
    return made


def report(problems: int = PROBLEMS) -> str:
    """The section of RESULTS.md."""
    rows, missed, mistaken = [], Counter[str](), Counter[str]()
    for decimals in DECIMALS:
        made = replay(decimals, problems)
        rows.append((decimals, made.students, made.planted, f"{made.in_time:.1%}", f"{made.recall:.1%}",
                     f"{made.precision:.1%}"))  # fmt: skip
        missed += made.missed
        mistaken += Counter(slug for (slug, _), count in made.mistaken.items() for _ in range(count))
    head = ("decimals", "students", "misconceptions that show", "rounds ≤ misconceptions", "recall", "precision")
    rest = f"Most often missed: {_listed(missed)}. Most often named wrongly: {_listed(mistaken)}."
    parts = ("## Diagnosis of a sheet", WORDS, markdown(head, rows), rest, public_sheets(), sizes())
    return "\n\n".join(parts) + "\n"


def public_sheets() -> str:
    """How many wrong arrays of public students' sheets are named."""
    told = [is_named(*each) for name in CASES for each in failing(name)]
    return (
        f"Sheets of {len(CASES)} students who worked the eleven steps in public (`tests/golden/students`): "
        f"{len(told)} arrays fail on the student's own numbers, and {sum(told)} of them ({sum(told) / len(told):.0%}) "
        "are called by what the student did, first, mistakes in matrices that the sheet leaves out among them."
    )


def sizes() -> str:
    """How large a practice page is with its wrong rules."""
    found = []
    for name in PAGES:
        run = trace(load_problem(name))
        text = render_worksheet(run, make_plan(run.problem, run.first.program)).encode()
        found.append(f"{name} {len(text) / 1000:.0f} kB, zipped {len(gzip.compress(text)) / 1000:.0f} kB")
    return f"A practice page with its wrong rules: {'; '.join(found)}."


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{slug} ({count})" for slug, count in counted.most_common(MOST_LISTED)) or "nothing"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=PROBLEMS, help="problems made by lot")
    print(report(parser.parse_args().problems))
