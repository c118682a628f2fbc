"""Quiz, assistants' key and certificate in the worksheet's language: every word of ours is the catalogue's."""

import re
from pathlib import Path

import pytest

from tests.unit.presentation.test_theme import Texts
from tests.worksheets import strange_language, unworded
from tracer.judging.slips import program_table, table
from tracer.judging.slips.context import Rule
from tracer.presentation.theme import Theme, theme_of
from tracer.problem.activations import ACTIVATIONS
from tracer.problem.reading import load_any
from tracer.run.training import of_pass
from tracer.variation.certificate import Certificate, certify
from tracer.variation.exam import render_exam, render_exam_key
from tracer.variation.search import find

NAMES_OF_FUNCTIONS = {word for each in ACTIVATIONS for word in each.split("_")} | {"exp", "max", "tanh", "erf"}


@pytest.fixture(scope="module", params=["logistic-regression", "lora"])
def certificate(request: pytest.FixtureRequest) -> Certificate:
    return certify(find(load_any(request.param), 1, "1"))


def pages(certificate: Certificate, theme: Theme) -> dict[str, str]:
    (variant,), asked = certificate.found.variants, certificate.asked(4)
    short = variant.sha256[:8]
    return {
        "exam": render_exam(variant, short, asked, theme),
        "key": render_exam_key(variant, 1, short, asked, certificate.telling, theme),
        "certificate": certificate.render(theme),
    }


def test_every_word_comes_from_the_catalogue(certificate: Certificate, tmp_path: Path) -> None:
    theme, run = theme_of("xx", strange_language(tmp_path)), of_pass(certificate.found.variants[0], 1)
    for name, page in pages(certificate, theme).items():
        assert unworded(Texts(page).found, run) - NAMES_OF_FUNCTIONS == set(), name
    english = [text for page in pages(certificate, theme_of()).values() for text in Texts(page).found]
    assert {"quiz", "accepted", "carry", "Effort"} <= unworded(english, run)  # the search finds what is left


def test_spanish_pages_have_decimal_commas(certificate: Certificate) -> None:
    for name, page in pages(certificate, theme_of("es")).items():
        assert '<html lang="es">' in page
        assert re.findall(r"(?<![\w.])\d+\.\d", " ".join(Texts(page).found)) == [], name


def test_every_slip_has_a_name_in_a_few_words() -> None:
    rules = [
        each for module in (table, program_table) for value in vars(module).values()
        if isinstance(value, tuple) for each in value if isinstance(each, Rule)
    ]  # fmt: skip
    for language in ("en", "es"):
        names = theme_of(language).section("slip_names")
        assert names.keys() == {each.slug for each in rules}
        assert len(set(names.values())) == len(names) and max(map(len, names.values())) <= 48
