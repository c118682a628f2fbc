"""Help as it is usual, and what the Tab key offers in each shell."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import require_program
from tracer.commands.shape import problem_completions
from tracer.problem.reading import example_names

COMMANDS = ["examples", "walkthrough", "trace", "train", "new", "worksheet", "variants", "check", "audit", "import"]


def tracer(*arguments: str, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "COLUMNS": "100", **environment}
    command = [sys.executable, "-m", "tracer", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=settings, check=False, timeout=60)


@pytest.mark.parametrize("command", [[], *([each] for each in COMMANDS)], ids=" ".join)
def test_help_has_capitals_for_what_is_to_be_put_in_and_nothing_behind_a_flag(command: list[str]) -> None:
    short, long = tracer(*command, "-h"), tracer(*command, "--help")
    assert short.returncode == 0 and short.stdout == long.stdout and short.stderr == ""
    assert "<" not in re.sub(r"\[default: .*?\]", "", short.stdout.replace("\n", " "), flags=re.DOTALL)
    options = re.findall(r"^  (-.*?)(?:  |$)", short.stdout, re.MULTILINE)
    assert "-h, --help" in options
    for option in options:
        assert re.fullmatch(r"(-\w, )?--[a-z-]+( ([A-Z]+|\[[a-z-]+(\|[a-z-]+)+\]))?", option), option


def test_usage_says_what_may_be_left_out() -> None:
    assert tracer("walkthrough", "-h").stdout.startswith("Usage: tracer walkthrough [OPTIONS] [PROBLEM]\n")
    assert tracer("check", "-h").stdout.startswith("Usage: tracer check [OPTIONS] PROBLEM ANSWERS...\n")
    assert "  PROBLEM     A problem file" in tracer("check", "-h").stdout
    run = tracer("check")
    assert run.returncode == 2 and "PROBLEM" in run.stderr and run.stdout == ""


def test_every_command_is_listed_with_its_whole_sentence() -> None:
    shown = tracer("-h").stdout
    assert re.findall(r"^  ([a-z]+)  ", shown, re.MULTILINE) == COMMANDS
    assert "..." not in shown.partition("Commands:")[2]


def test_version() -> None:
    assert re.fullmatch(r"tracer \d+\.\d+\.\d+\n", tracer("--version").stdout)


def test_problem_files_come_before_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mine.toml", "more.JSON", "marks.csv"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    examples = [each for each in example_names() if each.startswith("m")]
    assert problem_completions("m") == ["mine.toml", "more.JSON", *examples]
    assert problem_completions("folder/") == []  # the shell's own files


@pytest.mark.parametrize(
    ("shell", "asked"),
    [
        ("bash", {"COMP_WORDS": "tracer trace maz", "COMP_CWORD": "2"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "tracer trace maz"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "tracer trace maz", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
        ("powershell", {"_TYPER_COMPLETE_ARGS": "tracer trace maz", "_TYPER_COMPLETE_WORD_TO_COMPLETE": "maz"}),
        ("pwsh", {"_TYPER_COMPLETE_ARGS": "tracer trace maz", "_TYPER_COMPLETE_WORD_TO_COMPLETE": "maz"}),
    ],
)
def test_each_shell_gets_its_answer(shell: str, asked: dict[str, str], tmp_path: Path) -> None:
    run = tracer(folder=tmp_path, _TRACER_COMPLETE=f"complete_{shell}", **asked)
    assert run.returncode == 0 and run.stderr == ""
    assert re.findall(r"\w+", run.stdout.removeprefix("_arguments")) == ["mazur"]


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with the program `tracer` on it."""
    program = tmp_path / "bin" / "tracer"
    program.parent.mkdir()
    root = Path(__file__).parents[3]
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{root}" exec "{sys.executable}" -m tracer "$@"\n')
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


ASKED_IN_BASH = """
eval "$(tracer --show-completion)"
COMP_WORDS=(tracer walkthrough --only "") COMP_CWORD=3
_tracer_completion tracer
echo "${COMPREPLY[@]}"
complete -p tracer
"""


def test_bash_completes(path: str, tmp_path: Path) -> None:
    (tmp_path / "ask.sh").write_text(ASKED_IN_BASH)
    command = [require_program("bash"), "ask.sh"]
    run = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PATH": path}, timeout=60, check=True
    )
    assert run.stdout.splitlines() == ["xlsx html", "complete -o default -F _tracer_completion tracer"]


def test_fish_completes(path: str, tmp_path: Path) -> None:
    asked = 'tracer --show-completion | source; complete -C "tracer walkthrough --only "'
    settings = {**os.environ, "PATH": path, "HOME": str(tmp_path)}
    command = [require_program("fish"), "-c", asked]
    run = subprocess.run(command, capture_output=True, text=True, env=settings, timeout=60, check=True)
    assert run.stdout.splitlines() == ["html", "xlsx"]
