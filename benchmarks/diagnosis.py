"""How well a sheet is diagnosed: students with misconceptions who mend the first finding and hand in again."""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from benchmarks.measure import markdown
from tests.replay import MOST_AT_ONCE, Replay, students
from tests.simulation import slip_documents
from tests.wrong_rules import RULES

SEED, PROBLEMS, EACH, MOST_LISTED = 11, 60, 12, 8
DECIMALS = (3, 4, 2)
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
    return "\n\n".join(("## Diagnosis of a sheet", WORDS, markdown(head, rows), rest)) + "\n"


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{slug} ({count})" for slug, count in counted.most_common(MOST_LISTED)) or "nothing"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=PROBLEMS, help="problems made by lot")
    print(report(parser.parse_args().problems))
