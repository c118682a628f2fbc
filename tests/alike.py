"""Sheets by every habit, by wrong rules and by nobody, to be marked by page, workbook and command alike."""

from collections.abc import Iterator, Mapping

import numpy as np

from tests.dishonest import SHEETS
from tests.habits import APART, HABITS, HANDED_IN, worked_by
from tests.simulation import Teacher
from tests.students import Answers, Document, Habit, Work, split, work_through
from tests.wrong_rules import RULES, Memory, wrong_values
from tracer.judging.marking import MarkedSheet

Random = np.random.Generator
Cell = tuple[str, int, int]
SIGNS = {
    "correct": "✓", "rounded": "✓", "carried": "↪", "slip": "✗", "wrong": "✗", "too_coarse": "≈", "blank": "",
    "unreadable": "?", "not_read": "?",
}  # fmt: skip

MOST_UNTOLD = 0.02  # of the cells of such sheets
UNTOLD = {("carried", "✗"), ("rounded", "✗"), ("too_coarse", "✗"), ("carried", "✓"), ("slip", "?")}
"""Verdict and mark where a surface that knows no slips takes the slip before a cell for a wrong number, and the cell
for one that says nothing (line 5 of the table); what follows from that one is then right, not carried. Where there is
too little before a cell to tell, a slip that explains its whole matrix tells."""


def signs(marked: MarkedSheet) -> dict[Cell, tuple[str, str]]:
    """What `tracer check` says of each cell: as page and workbook show it, and its verdict."""
    return {(mark.id, mark.row, mark.column): (SIGNS[mark.verdict], mark.verdict) for mark in marked.marks}


def sheets(document: Document, teacher: Teacher, random: Random) -> Iterator[tuple[str, Answers]]:
    """Sheets that are filled in from the first matrix to the last, each with a word on how."""
    work, asked = Work(document), teacher.conventions.key.asked
    found = {
        f"{kind}: {name}": worked_by(habit, document, HANDED_IN["all"], asked, random)
        for kind, habits in (("habit", HABITS), ("apart", APART))
        for name, habit in habits.items()
    }
    found |= {f"nobody: {name}": make(document, random) for name, make in SHEETS.items()}
    names = list(work.order())
    for slug, kind in RULES:
        matrices = [name for name in names if split(name)[0] == kind]
        if matrices:
            matrix = str(random.choice(matrices))
            found[f"slip: {slug} in {matrix}"] = by_slip(slug, matrix, work, asked, random)
    yield from ((how, answers) for how, answers in found.items() if answers.keys() == set(names))


def by_slip(slug: str, matrix: str, work: Work, asked: Mapping[str, int], random: Random) -> Answers:
    """A sheet with one matrix by a wrong rule; nothing where it has no such form."""
    document, made = work.document, []

    def rules(name: str, memory: Memory) -> np.ndarray:
        forms = wrong_values(slug, work, matrix, memory) if name == matrix else []
        made.extend(forms[:1])
        return forms[0] if forms else work.compute(name, memory)

    answers = work_through(work, Habit(int(document["decimals"]), asked=asked), random, rules=rules)
    return answers if made else {}
