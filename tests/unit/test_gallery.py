"""outputs/ holds what the code makes today; after a change, `make gallery` brings it up to date."""

import re
import zipfile
from pathlib import Path

import pytest

from tests.gallery import BOOKS, BY_HAND, OUTPUTS, PICTURE, TRAINED, make, practised
from tracer.problem.reading import example_names

pytestmark = pytest.mark.gallery


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    make(folder)
    return folder


def assert_in_step(new: object, old: object) -> None:
    """An assertion on them would take pytest minutes to say how such long texts differ."""
    if new != old:
        pytest.fail("outputs/ is not what the code makes today: run make gallery", pytrace=False)


@pytest.mark.parametrize("name", BOOKS)
def test_the_workbook_is_in_step(name: str, made: Path) -> None:
    """Part by part: compression may differ from one Python to the next, contents may not."""
    parts = []
    for folder in (made, OUTPUTS):
        with zipfile.ZipFile(folder / f"{name}.xlsx") as package:
            parts.append({each: package.read(each) for each in package.namelist()})
    assert_in_step(*parts)


def pages() -> list[str]:
    """The pages that are the same on every machine."""
    sheets = [f"{name}.worksheet" for name in filter(practised, example_names())]
    return ["index", *example_names(), *sheets, *(f"{name}.derivation" for name in BY_HAND)]


def test_the_pages_are_in_step(made: Path) -> None:
    different = [
        name for name in pages() if (made / f"{name}.html").read_bytes() != (OUTPUTS / f"{name}.html").read_bytes()
    ]
    assert not different, "outputs/ is not what the code makes today: run make gallery"


@pytest.mark.parametrize("name", TRAINED)
def test_the_page_of_a_training_is_in_step(name: str, made: Path) -> None:
    """But for its curves, which each version of matplotlib draws a little differently."""
    old, new = (
        re.sub(r"<svg.*?</svg>", "", (folder / f"{name}.training.html").read_text(encoding="utf-8"), flags=re.DOTALL)
        for folder in (OUTPUTS, made)
    )
    if name == "moons":  # its last epochs depend on the last bit of a machine's matrix products
        old, new = (re.sub(r"−?\d[\d.,]*", "#", text) for text in (old, new))
    assert_in_step(new, old)


def test_nothing_else_is_there() -> None:
    expected = {f"{name}.html" for name in pages()} | {f"{name}.xlsx" for name in BOOKS} | {PICTURE.name}
    expected |= {f"{name}.training.html" for name in TRAINED}
    assert {path.name for path in OUTPUTS.iterdir()} == expected
