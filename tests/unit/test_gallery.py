"""outputs/ holds what the code makes today; after a change, `make gallery` brings it up to date."""

import re
import zipfile
from pathlib import Path

import pytest

from tests.gallery import BY_HAND, NAMES, OUTPUTS, PICTURE, TRAINED, make

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


@pytest.mark.parametrize("name", NAMES)
def test_the_workbook_is_in_step(name: str, made: Path) -> None:
    """Part by part: compression may differ from one Python to the next, contents may not."""
    parts = []
    for folder in (made, OUTPUTS):
        with zipfile.ZipFile(folder / f"{name}.xlsx") as package:
            parts.append({each: package.read(each) for each in package.namelist()})
    assert_in_step(*parts)


@pytest.mark.parametrize("name", [*NAMES, *(f"{name}.derivation" for name in BY_HAND)])
def test_the_page_is_in_step(name: str, made: Path) -> None:
    assert_in_step(*((folder / f"{name}.html").read_bytes() for folder in (made, OUTPUTS)))


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
    expected = {f"{name}.{kind}" for name in NAMES for kind in ("xlsx", "html")} | {PICTURE.name}
    expected |= {f"{name}.derivation.html" for name in BY_HAND}
    expected |= {f"{name}.training.html" for name in TRAINED}
    assert {path.name for path in OUTPUTS.iterdir()} == expected
