"""Answers on pages: whose they are, with matrices that only a problem's names and shapes can tell (naming.py)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tracer.answers.handed_in import MOST_TEXT, AnswerPage, Answers
from tracer.answers.numbers import BLANK

EXPECTED = "expected blocks of numbers, each with its name (Z1, hidden_layer_input, …) above it or to its left"

_LABEL = re.compile(
    r"(?:student(?:'s)?\s+)?(?:full\s+)?(name|id|number|no\.?)|(student)|(matriculation(?:\s+n\w+\.?)?)", re.I
)


def answers_on(name: str, pages: Iterable[AnswerPage]) -> Answers:
    """The answers on some pages. Raises AnswerError, naming the file, where there are only words."""
    student: dict[str, str] = {}
    kept = tuple(_without_student(page, student) for page in pages)
    return Answers(name, {}, student=student or None, pages=kept)


def _without_student(page: AnswerPage, student: dict[str, str]) -> AnswerPage:
    """The page without the cells that say name and ID, which go into `student`."""
    rows = [list(row) for row in page.rows]
    assigned = dict(page.assigned)
    for number, row in enumerate(rows):
        if number in assigned and _LABEL.fullmatch(assigned[number].name.strip()):
            row.append(assigned.pop(number).grid[0][0])
        for column, cell in enumerate(row):
            label, mark, words = cell.text.partition(":") if cell.is_words else ("", "", "")
            found = _LABEL.fullmatch(label.strip())
            beside = row[column + 1].text if column + 1 < len(row) else ""
            says = (words if mark and words.strip() else beside).strip()
            if found is None or not says:
                continue
            key = "name" if (found[1] or found[2] or "").lower() in ("name", "student") else "id"
            student.setdefault(key, says[:MOST_TEXT])
            row[column] = BLANK
            if says == beside.strip():
                row[column + 1] = BLANK
    return replace(page, rows=rows, assigned=assigned)
