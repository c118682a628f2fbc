"""Worksheets in other languages and with templates of one's own: catalogues alike, nothing left in English."""

import re
import zipfile
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.worksheets import strange_language, unworded
from tracer.errors import ExportError
from tracer.presentation.theme import PLACEHOLDER, languages, theme_of
from tracer.problem.reading import load_problem
from tracer.run.passes import Trace
from tracer.run.training import trace
from tracer.worksheet.book import write_worksheet_book
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.plan import make_plan

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("worksheet", "class", "feedback", "cover", "exam", "certificate")
SOURCES = [
    *(ROOT / "tracer").rglob("*.py"),
    *(path for kind in KINDS for path in (ROOT / "templates").glob(f"{kind}*")),
]


@pytest.fixture(scope="module")
def softmax() -> Trace:
    return trace(load_problem("softmax-classifier"))


def page_of(run: Trace, language: str = "en", folder: Path | None = None, **choices: str) -> str:
    plan = make_plan(run.problem, run.first.program, sums=True, **choices)  # type: ignore[arg-type]
    return render_worksheet(run, plan, False, theme_of(language, folder))


def catalogue(folder: Path, text: str, language: str = "en") -> Path:
    path = folder / "languages" / f"{language}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_every_catalogue_has_the_same_messages_with_the_same_placeholders() -> None:
    english = theme_of("en").messages
    assert set(languages()) == {"en", "es"}
    for language in languages():
        found = theme_of(language).messages
        assert found.keys() == english.keys()
        for key, text in found.items():
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(english[key])), key
            assert text.strip() == text != "", key


def test_spanish_is_no_english() -> None:
    english, spanish = theme_of("en").messages, theme_of("es").messages
    same = {key for key, text in spanish.items() if text == english[key] and re.search(r"[^\W\d_]{3}", text)}
    assert same == set()


def test_every_message_is_used() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    # asked for by what a problem has
    by_problem = ("steps.", "topics.", "conventions.", "departures.", "slip_names.", "certificate.unseen_")
    whole = (*by_problem, "notation.", "marks.", "axis.")
    keys = [key for key in theme_of().messages if not key.startswith(whole)]
    assert len(keys) > 50
    assert [key for key in keys if not stands_in(text, key.partition(".")[2])] == []


def stands_in(text: str, name: str) -> bool:
    """Whether it stands there as a word; a pattern that begins with a boundary is slow to look for."""
    found = re.finditer(rf"{re.escape(name)}\b", text)
    return any(not re.match(r"\w", text[each.start() - 1]) for each in found)


class Texts(HTMLParser):
    """What a reader sees or hears of a page, and the texts in its style sheets."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.found += [value or "" for name, value in attributes if name in ("aria-label", "title", "alt")]

    def handle_data(self, data: str) -> None:
        if self.inside == "style":
            for text in re.findall(r'content: ("[^;]*);', data):
                text = re.sub(r"counter\(pages?\)", "", text)
                self.found.append(re.sub(r"\\([0-9a-f]+) ", lambda each: chr(int(each[1], 16)), text))
        elif self.inside != "script":
            self.found.append(data)


@pytest.mark.parametrize("mode", ["practice", "exam", "print"])
@pytest.mark.parametrize("name", ["softmax-classifier", "article"])
def test_every_word_of_a_page_comes_from_the_catalogue(tmp_path: Path, name: str, mode: str) -> None:
    run = trace(load_problem(name))
    page = page_of(run, "xx", strange_language(tmp_path), mode=mode, blank="2,4,10,11", feedback="end")
    assert '<html lang="xx">' in page
    assert unworded(Texts(page).found, run) == set()
    english = Texts(page_of(run, mode=mode)).found
    assert {"Input", "sample"} <= unworded(english, run)  # the search finds what is left


@pytest.mark.parametrize("mode", ["practice", "print"])
@pytest.mark.parametrize("key", [False, True])
def test_every_word_of_a_workbook_comes_from_the_catalogue(
    tmp_path: Path, mode: str, key: bool, softmax: Trace
) -> None:
    plan = make_plan(softmax.problem, softmax.first.program, mode, sums=True)  # type: ignore[arg-type]
    found = {}
    for language, folder in (("xx", strange_language(tmp_path)), ("en", None)):
        write_worksheet_book(softmax, plan, tmp_path / "sheet.xlsx", key, theme_of(language, folder))
        with zipfile.ZipFile(tmp_path / "sheet.xlsx") as package:
            parts = [package.read(each).decode() for each in package.namelist() if each.startswith("xl/work")]
        found[language] = unworded(list(written("\n".join(parts))), softmax)
    assert found["xx"] == set()
    assert {"Input", "hidden", "layer"} <= found["en"]


def written(xml: str) -> list[str]:
    """The texts of a workbook's parts: cells, texts in formulas, prompts, heads and feet of pages, sheets' names."""
    edges = re.findall(r"<odd(?:Header|Footer)>([^<]*)<", xml)
    texts = [*re.findall(r"<t[^>]*>([^<]*)</t>", xml), *(re.sub("&amp;[LRAPN]", " ", each) for each in edges)]
    texts += re.findall(r'<sheet [^>]*name="([^"]*)"', xml)
    texts += re.findall(r'(?:prompt|promptTitle|error|errorTitle)="([^"]*)"', xml)
    for formula in re.findall(r"<f>([^<]*)</f>", xml):
        texts += re.findall(r'"([^"]*)"', formula.replace("&quot;", '"'))
    return list(map(unescape, texts))


def test_spanish_has_a_decimal_comma(softmax: Trace) -> None:
    page = page_of(softmax, "es", mode="print")
    texts = "".join(Texts(page).found)
    assert "0,85" in texts and "2,745" in texts and "tasa de aprendizaje 0,3" in texts
    assert re.findall(r"\d\.\d", texts.replace("0.42", "")) == []  # it says that both marks may be typed
    assert "0.85" in "".join(Texts(page_of(softmax, mode="print")).found)


def test_prompts_fit_a_spreadsheets_bubble() -> None:
    for language in languages():
        say = theme_of(language).say
        typing = say("book.typing")
        assert "=3/8" in typing and "0,42" in typing and "0.42" in typing
        for key in ("prompt", "number_expected"):
            values = {"typing": typing} | ({"count": 15} if key == "prompt" else {})
            assert len(say(f"book.{key}", **values)) <= 255
        assert len(say("book.no_number")) <= 32


def test_a_teacher_words_one_message_otherwise(tmp_path: Path, softmax: Trace) -> None:
    catalogue(tmp_path, '[page]\nsave = "Hand in"\n')
    page = page_of(softmax, "en", tmp_path)
    assert "Hand in" in page and "Save answers" not in page and "Load answers" in page


def test_templates_of_ones_own_lie_over_ours(tmp_path: Path, softmax: Trace) -> None:
    (tmp_path / "worksheet.css").write_text('{% include "built-in/worksheet.css" %}\nh1 { color: teal; }\n')
    heading = (
        '{% extends "built-in/worksheet.html.j2" %}{% block heading %}<h1>9b · {{ problem.title }}</h1>{% endblock %}'
    )
    (tmp_path / "worksheet.html.j2").write_text(heading)
    page = page_of(softmax, "es", tmp_path)
    assert "h1 { color: teal; }" in page and ".matrix" in page
    assert "<h1>9b · Three classes" in page and "Guardar respuestas" in page
    assert "teal" not in page_of(softmax)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("worksheet.css", "a {\n{% if %}\n", "worksheet.css:2: Expected an expression"),
        ("worksheet.css", "a {}\n\n{{ colour }}", "worksheet.css:3: 'colour' is undefined"),
        ("worksheet.css", '{% include "logo.css" %}', "worksheet.css:1: there is no template logo.css"),
        ("worksheet.html.j2", "<p>\n{{ 1 / 0 }}", "worksheet.html.j2:2: division by zero"),
        ("worksheet.html.j2", "{{ say('page.sav') }}", "worksheet.html.j2:1: there is no message page.sav"),
        ("worksheet.css", b"\xff", "worksheet.css: cannot be read ('utf-8'"),
        ("languages/en.toml", "[page]\nsave = 3", "en.toml:2: page.save: expected a text, found 3"),
        ("languages/en.toml", '[page]\n\nsafe = "x"', "en.toml:3: there is no message page.safe"),
        ("languages/en.toml", "[page", "en.toml: cannot be read (Expected ']'"),
        (
            "languages/es.toml",
            '[page]\nsave = "x"\n[script]\nsaved = "ya"',
            "es.toml:4: script.saved: expected the placeholders {file}, found 'ya'",
        ),
        ("languages/en.toml", '[page]\nsave = "{x}"', "en.toml:2: page.save: expected the placeholders none, found"),
        ("languages/de.toml", '[page]\nsave = "Sichern"', "expected one of de, en, es"),
        ("other.css", "", "holds none of worksheet.html.j2, worksheet.css, languages/….toml"),
    ],
)
def test_a_mistake_is_one_message_with_its_place(
    tmp_path: Path, softmax: Trace, name: str, content: str | bytes, says: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ExportError) as wrong:
        page_of(softmax, "fr" if "de.toml" in name else path.stem if "languages" in name else "en", tmp_path)
    assert says in str(wrong.value) and str(tmp_path) in str(wrong.value) + str(tmp_path) * ("expected one of" in says)
    assert "\n" not in str(wrong.value)


def test_a_language_of_ones_own_is_whole(tmp_path: Path) -> None:
    path = catalogue(tmp_path, '[page]\nsave = "Sichern"', "de")
    with pytest.raises(ExportError, match=rf"^{re.escape(str(path))}: these messages are missing: .* and \d+ more$"):
        theme_of("de", tmp_path)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"--templates: .*/none is not a folder"):
        theme_of("en", tmp_path / "none")
