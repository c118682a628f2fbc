"""The wheel alone, away from the checkout: everything is inside and the main job runs."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    """What the command printed, both streams; fails with it unless the exit status is 0."""
    foreign = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={key: value for key, value in os.environ.items() if key not in foreign},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"
    return done.stdout


def build_wheel(folder: Path) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, python: Path, cwd: Path) -> None:
    try:
        run(python, "-m", "pip", "install", "--quiet", "--retries", "1", wheel, cwd=cwd)
    except AssertionError as wrong:
        if "connection broken" in str(wrong) and not os.environ.get("CI"):
            pytest.skip("no package index can be reached from here")
        raise


def carried(folder: str, *suffixes: str) -> set[str]:
    """The files of a folder of the checkout that the wheel must hold."""
    files = [path for path in (ROOT / folder).rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(ROOT).as_posix() for path in files if path.suffix in suffixes or not suffixes}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_package_templates_and_examples(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    templates = {f"tracer/{name}" for name in carried("templates")}
    examples = carried("tracer/examples", ".toml", ".csv")
    assert templates and examples
    assert inside == templates | examples | carried("tracer", ".py") | {"tracer/py.typed", "tracer/gallery/cards.toml"}


def test_the_installed_wheel_makes_the_walkthrough(wheel: Path, tmp_path: Path) -> None:
    """Everything it needs is declared, and templates are found where no checkout is near."""
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    commands = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    install(wheel, commands / "python", cwd=tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    origin = run(commands / "python", "-c", "import tracer; print(tracer.__file__)", cwd=empty)
    assert Path(origin.strip()).is_relative_to(tmp_path)
    run(commands / "tracer", "walkthrough", cwd=empty)
    written = {f"article.{kind}" for kind in ("xlsx", "html", "derivation.html")}
    assert {path.name for path in (empty / "outputs").iterdir()} == written
