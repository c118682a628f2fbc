"""The marks of a class: a line for each file, `marks.csv`, and the commonest slips."""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tracer.classroom.findings import headline, printable
from tracer.classroom.own_numbers import OwnNumbers
from tracer.files import replace_file
from tracer.judging.marking import MarkedSheet
from tracer.judging.points import points_text
from tracer.judging.verdicts import COUNTS, NOT_OF, Mark
from tracer.presentation.theme import Theme, theme_of

MARKS = "marks.csv"
HEAD = ("file", "name", "id", "points", "out_of")  # then the matrices
MOST_NAMED = 5  # slips that are told of a class
TO_DEFUSE = re.compile(r"(^|[;|\t])(?=[\s\"']*[=+\-@＝＋－＠]|[\t\r\n])")  # before what would be a formula


@dataclass(frozen=True)
class MarksLine:
    """What a class's marks say of one file; `fault` where it could not be read.

    `judged` says whether anything was. `points` are of single matrices, `slips` how many cells each has, counted by
    the likeliest. `person` is who handed it in, as a roster has them, `variant` what they had, `note` what a teacher
    should look at. `ideas` are the misconceptions of the sheet: slug, a tutor's sentence, a cell worked. `worth` has
    the points of each matrix, `missed` the cells that do not count, `unexplained` what stands in wrong ones that
    nothing explains.
    """

    file: str
    student: Mapping[str, str]
    says: str = ""
    points: Mapping[str, float] = field(default_factory=dict)
    total: tuple[float, float] = (0.0, 0.0)
    first_wrong: str = ""
    slips: Mapping[str, int] = field(default_factory=dict)
    all_right: bool = False
    judged: bool = True
    fault: str = ""
    variant: str = ""
    person: str = ""
    note: str = ""
    ideas: Sequence[Sequence[str]] = ()
    worth: Mapping[str, float] = field(default_factory=dict)
    missed: Sequence[str] = ()
    unexplained: Mapping[str, str] = field(default_factory=dict)


def line_of(marked: MarkedSheet, theme: Theme | None = None) -> MarksLine:
    """The line of a marked sheet; what a tutor says of it in the language of a theme."""
    first, answers = marked.first_wrong, marked.sheet.answers
    return MarksLine(
        file=answers.file,
        student=dict(answers.student or {}),
        says=headline(marked),
        points={each: earned for each, (earned, _) in marked.points_of.items()},
        total=marked.points,
        first_wrong="" if first is None else _cell(first),
        slips=Counter(mark.slips[0].slug for mark in marked.marks if mark.verdict == "slip"),
        all_right=marked.all_right or (not marked.marks and answers.copied and not answers.not_read),
        judged=bool(marked.marks) or answers.copied,
        ideas=list(_ideas(marked, theme)),
        worth={each: most for each, (_, most) in marked.points_of.items()},
        missed=[_cell(mark) for mark in marked.marks if mark.verdict not in COUNTS and mark.verdict not in NOT_OF],
        unexplained={_cell(mark): mark.answer for mark in marked.marks if mark.verdict == "wrong" and not mark.empty},
    )


def _ideas(marked: MarkedSheet, theme: Theme | None) -> Iterator[tuple[str, str, str]]:
    own = OwnNumbers(marked, "hint", (theme or theme_of()).notation) if marked.diagnosis else None
    for each in marked.diagnosis:
        worked = own.text(each.first) if own else ""
        yield each.idea.slug, marked.tutor(each, theme=theme), worked


def _cell(mark: Mark) -> str:
    """A cell as marks.csv and todo.csv have it; rows and columns count from 1."""
    return f"{mark.id}[{mark.row + 1},{mark.column + 1}]"


def commonest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The slips that most files show, and how many do."""
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:MOST_NAMED]


def is_marks(path: Path) -> bool:
    """Whether a file is one that `write_marks` wrote."""
    head = (BOM_UTF8 + ",".join(HEAD).encode()) if path.name == MARKS else b""
    try:
        with path.open("rb") as file:
            return bool(head) and file.read(len(head)) == head
    except OSError:
        return False


def write_marks(
    lines: Iterable[MarksLine], order: Iterable[str], path: Path, grade: Callable[[MarksLine], str] | None = None
) -> None:
    """Write `marks.csv`: a line a file, the matrices in `order`. Raises ExportError where it cannot be written.

    The lines are gone through twice. Variants, notes and a `grade` have columns where there are any.
    """
    with_points, with_more = set[str](), False
    for line in lines:
        with_points.update(line.points)
        with_more = with_more or bool(line.variant or line.note)
    matrices = [each for each in order if each in with_points]
    text = io.StringIO(newline="")
    table = csv.writer(text)
    more = ["variant", "note"] if with_more else []
    graded = ["grade"] if grade else []
    table.writerow([*HEAD, *matrices, "first_wrong", "commonest_slip", "unreadable", *more, *graded])
    for line in lines:
        own = [line.variant, as_text(line.note)] if with_more else []
        table.writerow([*_row(line, matrices), *own, *([grade(line)] if grade else [])])
    replace_file(path, lambda file: file.write(text.getvalue().encode("utf-8-sig")))  # Excel asks for the mark


def _row(line: MarksLine, matrices: Sequence[str]) -> list[str]:
    commonest = max(line.slips, key=lambda slug: line.slips[slug], default="")
    numbers = [points_text(each) for each in line.total] if not line.fault else ["", ""]
    shares = [points_text(line.points[each]) if each in line.points else "" for each in matrices]
    texts = map(as_text, (line.file, line.student.get("name", ""), line.student.get("id", "")))
    return [*texts, *numbers, *shares, line.first_wrong, commonest, as_text(line.fault)]


def as_text(text: str) -> str:
    """A stranger's text for a cell of a CSV, which no spreadsheet takes for a formula.

    Nor where a semicolon separates its cells, as it does in half of Europe.

    >>> as_text("=1+1"), as_text("Ada;=1+1"), as_text("Ada")
    ("'=1+1", "Ada;'=1+1", 'Ada')
    """
    return printable(TO_DEFUSE.sub(r"\1'", text))
