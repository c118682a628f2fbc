"""Marked sheets in other languages: every word of ours from the catalogue, numbers with the language's decimal mark."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.marking import document, mark, with_rule, worked
from tests.unit.judging.test_programs import right
from tests.unit.presentation.test_theme import Texts, written
from tests.worksheets import strange_language, unworded
from tracer.answers.key import key_of
from tracer.answers.reading import read_content
from tracer.classroom.feedback_page import render_feedback
from tracer.classroom.findings import Reveal
from tracer.classroom.marked_workbook import write_marked_workbook
from tracer.classroom.overrides import Override, Overrides
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers
from tracer.judging.own_work import own_trace
from tracer.presentation.theme import Theme, theme_of
from tracer.problem.reading import load_any

PROBLEM = document()
RIGHT = worked(PROBLEM, remembers=2.0)
NO_BIAS = worked(PROBLEM, with_rule(PROBLEM, "Z1", lambda m: m["X"] @ m["W1"]))
SOFTMAX = {"output": "softmax", "loss": "cross_entropy"}
REVEALS: tuple[Reveal, ...] = ("none", "hint", "key")


def of_a_program() -> MarkedSheet:
    texts = {each: [list(row) for row in rows] for each, rows in right("rnn-paper").items()}
    third = list(texts)[3]
    texts[third] = [[cell and "9.9" for cell in row] for row in texts[third]]
    return mark_answers(read_content("a.json", json.dumps(texts).encode()), Conventions(key_of(load_any("rnn-paper"))))


def adjusted() -> MarkedSheet:
    found = mark(PROBLEM, NO_BIAS, student={"name": "Ada"})
    return Overrides({"ada": [Override("Ada", "Z1", 0.5, "", "")]}).applied(found)


def sheet(kind: str) -> MarkedSheet:
    """A marked sheet of each kind that something else is said of."""
    odd = RIGHT | {"Z1": [[None, "??", "0"], *RIGHT["Z1"][1:]], "Q": [["1"]], "d": [["3"]]}
    made: dict[str, Any] = {
        "right": lambda: mark(PROBLEM, RIGHT),
        "slip": lambda: mark(PROBLEM, NO_BIAS),
        "wrong": lambda: mark(PROBLEM, {each: [["7.77" for _ in row] for row in rows] for each, rows in RIGHT.items()}),
        "odd": lambda: mark(PROBLEM, odd, problem_sha256="0" * 64, student={"notes": {"note why 3": "42"}}),
        "blank": lambda: mark(PROBLEM, {"Z1": [[None] * 3] * 3}),
        "nothing": lambda: mark(PROBLEM, {}),
        "other": lambda: mark(document(**SOFTMAX, convention={"error": "target - output"}),
                              worked(document(**SOFTMAX), remembers=2.0)),
        "adjusted": adjusted,
        "program": of_a_program,
    }  # fmt: skip
    found = made[kind]()
    assert isinstance(found, MarkedSheet)
    return found


KINDS = ("right", "slip", "wrong", "odd", "blank", "nothing", "other", "adjusted", "program")


def foreign(texts: list[str], marked: MarkedSheet) -> set[str]:
    """The words that neither a catalogue nor the problem nor the learner has."""
    answers = marked.sheet.answers
    steps = " ".join(each.title for each in marked.sheet.key.program.steps if each.phase == "forward")
    known = re.findall(r"\w+", " ".join((answers.file, steps, *(answers.student or {}).values())))
    return unworded(texts, own_trace(marked.sheet)) - set(known)


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_of_a_feedback_page_comes_from_the_catalogue(tmp_path: Path, kind: str) -> None:
    theme, marked = theme_of("xx", strange_language(tmp_path)), sheet(kind)
    for reveal in REVEALS:
        page = render_feedback(marked, reveal, theme)
        assert '<html lang="xx">' in page
        assert foreign(Texts(page).found, marked) == set(), reveal
    english = Texts(render_feedback(marked, "hint")).found
    assert {"Points", "points"} <= foreign(english, marked)  # the search finds what is left


def book_texts(marked: MarkedSheet, reveal: Reveal, folder: Path, language: Theme) -> list[str]:
    """What a reader sees of a marked workbook: cells, notes and the names of its sheets."""
    path = folder / "ada.marked.xlsx"
    write_marked_workbook(marked, reveal, path, language)
    with zipfile.ZipFile(path) as package:
        parts = [package.read(each).decode() for each in package.namelist() if re.match("xl/(work|comments)", each)]
        notes = [package.read(each).decode() for each in package.namelist() if "comment" in each]
    authors = re.compile(r"<author>[^<]*</author>")
    return written(authors.sub("", "\n".join([*parts, *notes])))


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_of_a_marked_workbook_comes_from_the_catalogue(tmp_path: Path, kind: str) -> None:
    theme, marked = theme_of("xx", strange_language(tmp_path)), sheet(kind)
    for reveal in REVEALS:
        assert foreign(book_texts(marked, reveal, tmp_path, theme), marked) == set(), reveal
    english = book_texts(marked, "hint", tmp_path, theme_of())
    assert {"Marked", "Marks", "points"} <= foreign(english, marked)  # the search finds what is left


def with_commas(answers: Any) -> Any:
    return {each: [[cell.replace(".", ",") for cell in row] for row in rows] for each, rows in answers.items()}


def test_a_spanish_page_says_it_all_in_spanish_with_decimal_commas() -> None:
    page = render_feedback(mark(PROBLEM, with_commas(NO_BIAS)), "key", theme_of("es"))
    seen = " ".join(Texts(page).found)
    assert '<html lang="es">' in page and "Empieza en Z1[1,1]; " in seen and "se siguen correctamente de ella." in seen
    assert "Una sola cosa explica las 9 celdas que no cuentan" in seen and "18 de 19 puntos" in seen
    assert "Después la fórmula de Z1 tiene algo más: ¿qué añade cada unidad por su cuenta?" in seen
    assert "was not added" not in seen and "?." not in seen
    assert re.findall(r"\d\.\d", seen) == [] and "error reconocido" in seen


def test_other_conventions_are_named_in_spanish() -> None:
    seen = " ".join(Texts(render_feedback(sheet("other"), "hint", theme_of("es"))).found)
    assert "Correcto con otra convención: salida − objetivo." in seen


def test_a_spanish_workbook_says_it_all_in_spanish_with_decimal_commas(tmp_path: Path) -> None:
    texts = book_texts(mark(PROBLEM, with_commas(NO_BIAS)), "key", tmp_path, theme_of("es"))
    seen = " ".join(texts)
    assert {"Corregida", "Puntuación"} <= set(texts) and "Corregida: small" in texts
    assert "Una sola cosa explica las 9 celdas que no cuentan: mira la hoja Puntuación." in seen
    assert "Error reconocido: Tus productos y sumas son correctos." in seen, "a note"
    assert "¿qué añade cada unidad por su cuenta? Se esperaba 0,070" in seen
    assert "was not added" not in seen and "?." not in seen
    assert re.findall(r"\d\.\d", re.sub(r"SUM\(.*?\)", "", seen)) == []


def test_every_word_of_a_cover_comes_from_the_catalogue(tmp_path: Path) -> None:
    run = own_trace(sheet("right").sheet)
    ada = {"name": "Ada", "id": "7", "group": "9b"}
    covers = [{"student": each, "variant": "183a4c54", "number": 1} for each in (ada, None)]
    for theme, left in (
        (theme_of("xx", strange_language(tmp_path)), {"Ada"}),
        (theme_of(), {"Ada", "Group", "Variant"}),
    ):
        found = unworded(Texts(theme.render("cover.html.j2", problem=run.problem, covers=covers)).found, run)
        assert found == left if theme.language == "xx" else found >= left
