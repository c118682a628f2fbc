"""The reports of a class: nobody's name before the class, everybody's before the teacher."""

import io
from itertools import pairwise
from pathlib import Path

import openpyxl
import pytest

from tracer.classroom.class_marks import MarksLine
from tracer.overview.reports import write_reports
from tracer.overview.summary import ClassSummary, sharing
from tracer.presentation.theme import theme_of
from tracer.problem.reading import load_problem

ARTICLE = load_problem("article")


def line(k: int, points: float, *ideas: str, missed: tuple[str, ...] = (), **more: object) -> MarksLine:
    told = [(each, f"What of {each}?", "Z1[1,1] = ?") for each in ideas]
    who = {"name": f"Student {k}", "id": f"id{k}"}
    return MarksLine(
        f"f{k}.json", who, points={"Z1": points, "A1": 1.0}, total=(points + 1, 2.0),
        worth={"Z1": 1.0, "A1": 1.0}, ideas=told, missed=missed, first_wrong="Z1[1,1]", **more,  # type: ignore[arg-type]
    )  # fmt: skip


CLASS = [
    line(k, k / 10, *(["no-bias"] if k < 6 else []), *(["rare"] if k < 4 else []), missed=("Z1[1,1]",))
    for k in range(10)
]


def summary(lines: list[MarksLine]) -> ClassSummary:
    found = ClassSummary()
    for each in lines:
        found.add(each)
    return found


def test_no_number_before_the_class_stands_for_fewer_than_five() -> None:
    found = summary([*CLASS, MarksLine("x", {}, fault="damaged")])
    assert found.judged == 10
    assert [(each.slug, each.count) for each in found.shared_ideas()] == [("no-bias", 6)]
    assert found.hardest() == [("Z1[1,1]", 10)]
    for count in range(5, 40):
        bins = summary([line(k, (k * 7 % count) / count) for k in range(count)]).bins()
        assert all(number == 0 or number >= 5 for *_, number in bins) and sum(number for *_, number in bins) == count
        assert bins[0][0] == 0.0 and bins[-1][1] == 1.0
        assert all(one[1] == other[0] for one, other in pairwise(bins))


@pytest.mark.parametrize("language", ["en", "es"])
def test_names_are_for_the_teacher_alone(tmp_path: Path, language: str) -> None:
    lines = [*CLASS, MarksLine("bad.xlsx", {"name": "=1+1"}, fault="<b>damaged</b>")]
    write_reports(tmp_path, ARTICLE, lines, ["Z1", "A1"], theme_of(language), False)
    public, private = ((tmp_path / name).read_text(encoding="utf-8") for name in ("class.html", "class-private.html"))
    assert "Student" not in public and "id1" not in public and ".json" not in public and "rare" not in public
    assert "What of no-bias?" in public and f'lang="{language}"' in public
    assert all(f"Student {k}" in private for k in range(10)) and "&lt;b&gt;damaged" in private
    for page in (public, private):
        assert "http" not in page.replace("http-equiv", "") and "src=" not in page.replace("script-src", "")
    sheet = openpyxl.load_workbook(io.BytesIO((tmp_path / "class.xlsx").read_bytes())).active
    assert sheet is not None and sheet["A2"].value == "Student 0" and sheet.max_row == 12
    assert sheet["A12"].value == "'=1+1" and sheet.auto_filter.ref


def test_a_class_of_four_is_not_shown() -> None:
    from tracer.overview.reports import public_page

    page = public_page(ARTICLE, summary(CLASS[:4]), theme_of("en"))
    assert "Fewer than five sheets" in page and "Z1[1,1]" not in page


def test_sheets_that_share_three_numbers_that_nothing_explains() -> None:
    three = {"Z1[1,1]": "3.14", "Z1[1,2]": "2.71", "A1[1,1]": "0.77"}
    lines = [
        line(1, 0.5, unexplained=three), line(2, 0.5, unexplained={**three, "A1[2,1]": "0.1"}),
        line(3, 0.5, unexplained={**three, "A1[1,1]": "0.78"}), line(4, 0.5),
    ]  # fmt: skip
    assert sharing(lines) == [
        ("Student 1, id1 (f1.json)", "Student 2, id2 (f2.json)", ["A1[1,1] = 0.77", "Z1[1,1] = 3.14", "Z1[1,2] = 2.71"])
    ]
