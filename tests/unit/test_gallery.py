"""outputs/ holds what the code makes today; after a change, `make gallery` brings it up to date."""

import zipfile
from pathlib import Path

import pytest

from tests.gallery import NAMES, OUTPUTS, PICTURE, make


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    make(folder)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_the_workbook_is_in_step(name: str, made: Path) -> None:
    """Part by part: compression may differ from one Python to the next, contents may not."""
    parts = []
    for folder in (made, OUTPUTS):
        with zipfile.ZipFile(folder / f"{name}.xlsx") as package:
            parts.append({each: package.read(each) for each in package.namelist()})
    assert parts[0] == parts[1], "run make gallery"


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_in_step(name: str, made: Path) -> None:
    assert (made / f"{name}.html").read_bytes() == (OUTPUTS / f"{name}.html").read_bytes(), "run make gallery"


def test_nothing_else_is_there() -> None:
    expected = {f"{name}.{kind}" for name in NAMES for kind in ("xlsx", "html")} | {PICTURE.name}
    assert {path.name for path in OUTPUTS.iterdir()} == expected
