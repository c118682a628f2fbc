"""What holds the project together outside its code: version, dependencies, files."""

import os
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT)
REQUIREMENTS = [
    *PROJECT["build-system"]["requires"],
    *PROJECT["project"]["dependencies"],
    *(one for extra in PROJECT["project"]["optional-dependencies"].values() for one in extra),
    *(one for group in PROJECT["dependency-groups"].values() for one in group),
]
LOCK_FILES = {"uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock", "package-lock.json"}

# Places of one machine. A path in the middle of another one, or behind a host, is none of these.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:root|work|home|Users)/[\w.]")
INDEX_HOST = re.compile(r"(?i)pypi\.org/simple|pythonhosted\.org|download\.pytorch\.org|index[-_]url")


def project_files() -> list[Path]:
    """What is tracked or about to be; without git, what is not in a hidden folder other than .ci."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout.decode()
        found = [ROOT / name for name in listing.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        found = [path for top in ROOT.iterdir() if visible(top) for path in (top, *top.rglob("*"))]
    return sorted({path for path in found if path.is_file() and "__pycache__" not in path.parts})


def visible(path: Path) -> bool:
    return not path.name.startswith(".") or path.name in {".ci", ".gitignore"}


def readable(path: Path) -> str:
    """A text file's text; of a file that is none, nothing."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_installed_version_is_the_projects() -> None:
    assert metadata.version("backprop-tracer") == PROJECT["project"]["version"]


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_a_dependency_has_its_reason_beside_it(requirement: str) -> None:
    lines = [line for line in PYPROJECT.splitlines() if f'"{requirement}"' in line]
    assert lines
    assert all(re.search(r"#\s*\w+", line.rpartition('"')[2]) for line in lines), lines


def test_no_lock_file() -> None:
    assert not [path for path in project_files() if path.name in LOCK_FILES]


@pytest.mark.parametrize("pattern", [MACHINE_PATH, INDEX_HOST], ids=["machine path", "index host"])
def test_no_file_names_a_place_of_one_machine(pattern: re.Pattern[str]) -> None:
    """This file, which has to spell them, is the one exception."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in project_files()
        if path != Path(__file__).resolve()
        for number, line in enumerate(readable(path).splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_the_patterns_find_what_they_are_for() -> None:
    for line in ["cd /root/x", '"/home/ada/tracer"', "file:///work/main", "(/Users/ada)"]:
        assert MACHINE_PATH.search(line), line
    for line in ["~/work/tracer", "https://example.org/home/page", "net/work/", "ab/root/c"]:
        assert not MACHINE_PATH.search(line), line
    assert INDEX_HOST.search("--extra-index-url x")


def test_ci_run_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
