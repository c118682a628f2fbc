"""How fairly and how fast hand calculations are marked: simulated students, honest ones and those with slips.

Run as a process of its own with one BLAS thread, since numpy reads that when it is imported.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from benchmarks.measure import ONE_THREAD, Goal, by_turns, child, goals, markdown, spread
from tests import simulation
from tests.documents import documents
from tests.simulation import Honesty, Score
from tests.students import Document, Habit, Work, as_file, random_document, work_through
from tests.wrong_rules import wrong_values
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.judging.conventions import Conventions
from tracer.judging.marking import mark_answers
from tracer.problem.reading import load_problem

SEED = 1
HONEST, DRAWN = 220, 300  # problems: made by lot, and by hypothesis
SLIPPED, PAIRED, PENNED, UNSEEN = 50, 60, 40, 20  # problems, for each slip or kind of slip
FIELDS = ("sheets", "told", "listed", "first", "level", "others")


def honest() -> dict[str, object]:
    """Verdicts on honest cells by style."""
    random, found = np.random.default_rng(SEED), Honesty()
    for _ in range(HONEST):
        found.add(random_document(random) | {"decimals": int(random.choice([2, 3, 4]))}, random)
    for document in _drawn():
        found.add(document | {"decimals": int(random.choice([2, 3, 4]))}, random)
    verdicts: dict[str, Counter[str]] = {style: Counter() for style in simulation.STYLES}
    for (style, verdict), count in found.verdicts.items():
        verdicts[style][verdict] += count
    return {"verdicts": verdicts, "misjudged": len(found.misjudged)}


def _drawn() -> list[Document]:
    """Documents of the strategy that the tests draw from, the same ones in every run."""
    found: list[Document] = []

    @settings(max_examples=DRAWN, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(documents())
    def collect(document: Document) -> None:
        found.append(document)

    collect()
    return found


def slips(what: str) -> dict[str, list[int]]:
    """Scores of sheets with slips."""
    random = np.random.default_rng(SEED)
    runs: dict[str, Callable[[], dict[str, Score]]] = {
        "alone": lambda: simulation.score_slips(random, simulation.slip_documents(random, SLIPPED)),
        "unseen": lambda: simulation.score_slips(random, simulation.slip_documents(random, UNSEEN), unseen=True),
        "pairs": lambda: simulation.score_pairs(random, simulation.slip_documents(random, PAIRED)),
        "pens": lambda: simulation.score_pens(random, simulation.slip_documents(random, PENNED)),
    }
    return {name: [getattr(score, each) for each in FIELDS] for name, score in runs[what]().items()}


def speed() -> dict[str, list[float]]:
    """Seconds a file of the article's 99 cells, read and marked, after start-up."""
    problem = load_problem("article")
    conventions = Conventions(key_of(problem))
    files = _files(problem.to_document())
    runs = {
        name: (lambda content=content: mark_answers(read_content("answers.json", content), conventions))
        for name, content in files.items()
    }
    return by_turns(runs, 50)


def _files(document: Document) -> dict[str, bytes]:
    work, random = Work(document), np.random.default_rng(SEED)

    def no_bias(name: str, memory: dict[str, np.ndarray]) -> np.ndarray:
        return wrong_values("no-bias", work, name, memory)[0] if name == "Z1" else work.compute(name, memory)

    made = {
        "all right, rounded at every step": work_through(work, Habit(3), random),
        "all right, digits remembered": work_through(work, Habit(3, remembers=0.5), random),
        "all right, matrices left out": work_through(work, Habit(3, leaves_out=0.4), random),
        "a slip: the bias of Z1 forgotten": work_through(work, Habit(3), random, rules=no_bias),
        "a wrong number that no slip explains": work_through(work, Habit(3), random),
    }
    made["a wrong number that no slip explains"]["D1"][1][1] = "0.123"
    return {name: as_file(answers) for name, answers in made.items()}


def _sum(scores: Mapping[str, Sequence[int]]) -> list[int]:
    return [sum(column) for column in zip(*scores.values(), strict=True)]


def _row(name: str, score: Sequence[int]) -> tuple[object, ...]:
    sheets, told, listed, first, level, others = score
    return (name, sheets, told, *(f"{each / told:.1%}" if told else "" for each in (listed, first, level)), others)


def _table(scores: Mapping[str, Sequence[int]], what: str) -> str:
    head = (what, "sheets", "can be told", "listed", "first", "first, or level", "with other cells marked down")
    rows = [_row(name, score) for name, score in scores.items() if score[0]]
    return markdown(head, [*rows, _row("**all**", _sum(scores))] if len(rows) > 1 else rows)


def _honest_section() -> tuple[str, list[Goal]]:
    found = child("checking", "honest", **ONE_THREAD)
    verdicts: dict[str, dict[str, int]] = found["verdicts"]
    names = sorted({name for counts in verdicts.values() for name in counts})
    rows = [
        (style, f"{sum(counts.values()):,}", *(f"{counts.get(name, 0):,}" for name in names))
        for style, counts in verdicts.items()
    ]
    cells = sum(sum(counts.values()) for counts in verdicts.values())
    text = "Cells of honest students (without the one that is miscopied), by verdict; 2, 3 or 4 decimals.\n\n"
    return text + markdown(("the student", "cells", *names), rows), [
        Goal("honest cells", 200_000, cells),
        Goal("honest cells called wrong or slip", 0, found["misjudged"], most=True),
    ]


WORDS = """Sheets with 3 decimals, 2 to 5 samples, on problems made by lot. A slip "can be told" where a cell lies
outside the right rule's rounding bounds. "Listed" and "first" are of those, in every cell that fails. "Level" is first,
or second to one that gives the same written numbers. "With other cells marked down": sheets on which a cell of another
matrix was not credited, of all sheets."""


def report() -> str:
    """The section of RESULTS.md."""
    honesty, targets = _honest_section()
    alone, unseen, pairs, pens = (
        child("checking", "slips", what, **ONE_THREAD) for what in ("alone", "unseen", "pairs", "pens")
    )
    seconds = child("checking", "speed", **ONE_THREAD)
    _, told, listed, first, _, others = _sum(alone)
    times = [(name, *(f"{1e3 * each:.1f} ms" for each in spread(values))) for name, values in seconds.items()]
    right = max(min(values) for name, values in seconds.items() if name.startswith("all right"))
    targets += [
        Goal("slips alone: listed, of those that can be told", 0.98, listed / told),
        Goal("slips alone: ranked first", 0.90, first / told),
        Goal("slips alone: sheets with another cell marked down", 0, others, most=True),
        Goal("ms for a right sheet, the best of its runs", 2.0, 1e3 * right, most=True),
    ]
    return "\n\n".join(
        (
            "## Checking", honesty, "Students with one slip:", WORDS, _table(alone, "slip"),
            "The same, in a matrix that the student left out with four others in ten; then the first matrix that "
            "fails is to name it.", _table({"all": _sum(unseen)}, "slips of matrices left out"),
            "Two slips. In one matrix a factor comes on top of a wrong rule; with three digits many such pairs equal "
            "another.", _table(pairs, "pairs"), "One number wrongly written down:", _table(pens, "slips of the pen"),
            "A file of the article's example (99 cells, JSON) read and marked, after start-up:",
            markdown(("file", "median", "min", "max"), times), goals(targets),
        )
    ) + "\n"  # fmt: skip


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    measures: dict[str, Callable[[], object]] = {
        "honest": honest,
        "slips": lambda: slips(arguments[0]),
        "speed": speed,
    }
    print(json.dumps(measures[what]()))
