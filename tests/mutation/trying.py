"""Copies of the project to make changes in, the tests that execute a line, and whether they notice a change."""

import ast
import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from tests.mutation.places import Place

FIRST, WIDER = 15.0, 240.0  # seconds of tests that a change is tried on at first, and then
LONGEST = 900.0  # seconds for the wider tests, which are given by name
MOST_MEMORY = 6 << 30  # a change may well ask for all there is
UNCOPIED = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "build", "dist")


@dataclass
class Copy:
    """The project in a folder of its own, where one file at a time is changed."""

    root: Path
    written: float = 0.0

    @classmethod
    def of(cls, project: Path, root: Path) -> "Copy":
        shutil.copytree(project, root, ignore=UNCOPIED)
        return cls(root)

    def write(self, path: str, text: str) -> None:
        """A time of its own for each version, or what was compiled of the one before may be taken for it."""
        file = self.root / path
        self.written = max(self.written, file.stat().st_mtime) + 2
        file.write_text(text, encoding="utf-8", newline="")
        os.utime(file, (self.written, self.written))

    def pytest(self, *arguments: str, limit: float | None = None, **environment: str) -> int:
        """Run the tests here; what hangs is stopped with all that it has started, and has failed."""
        env = os.environ | {"PYTHONPATH": str(self.root), "CI": "true"} | environment  # hypothesis draws alike in CI
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        started = subprocess.Popen(
            command, cwd=self.root, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, preexec_fn=_with_little_memory,
        )  # fmt: skip
        try:
            return started.wait(limit)
        except subprocess.TimeoutExpired:
            return 1
        finally:
            _stop(started)

    def fails_on(self, tests: Sequence[str]) -> bool:
        """Whether any of these files of tests fails here, those about the gallery's bytes apart."""
        return self.pytest("-x", "-m", "not gallery", *tests, limit=LONGEST) != 0


def _with_little_memory() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))


def _stop(started: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()


@dataclass
class Executed:
    """The tests that pass, with their seconds, and the lines that each executes."""

    seconds: Mapping[str, float]
    by_line: Mapping[str, Mapping[int, Sequence[str]]]
    of_pages: frozenset[str] = frozenset()
    imported_by: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def keep(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self) | {"of_pages": sorted(self.of_pages)}), encoding="utf-8")

    @classmethod
    def kept(cls, file: Path) -> "Executed":
        known = json.loads(file.read_text(encoding="utf-8"))
        lines = {path: {int(line): names for line, names in of.items()} for path, of in known["by_line"].items()}
        return cls(known["seconds"], lines, frozenset(known["of_pages"]), known["imported_by"])

    @classmethod
    def by(cls, copy: Copy, source: str, folder: Path, tests: Sequence[str], jobs: int) -> "Executed":
        """Run the tests once, but for those that compare with what the code made before, and would notice anything."""
        import coverage

        folder.mkdir()
        copy.pytest(
            "-p", "tests.mutation.executed", "-m", "not gallery", "-n", str(jobs), "--dist", "worksteal", *tests,
            MUTANTS_FOLDER=str(folder), MUTANTS_SOURCE=str(copy.root / source),
        )  # fmt: skip
        known = json.loads((folder / "tests.json").read_text(encoding="utf-8"))
        passing = {name: each["seconds"] for name, each in known.items() if each["passed"]}
        combined = coverage.Coverage(data_file=str(folder / "lines"), config_file=False)
        combined.combine([str(folder)])
        data = combined.get_data()
        by_line = {
            Path(file).relative_to(copy.root).as_posix(): {
                line: [name for name in names if name in passing]
                for line, names in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        pages = frozenset(name for name in passing if "browser" in known[name]["marks"])
        return cls(passing, by_line, pages, importers(copy.root, source))

    def likely(self, place: Place) -> tuple[list[str], list[str]]:
        """Tests to be tried at once, and further ones: those that execute the line, then those of the same files."""
        if not place.path.endswith(".py"):
            return self._within(sorted(self.of_pages), FIRST), self._within(sorted(self.of_pages), WIDER)
        near = self._of_lines(place) or self._of_file(place.path)
        files = {_file(name) for name in near}
        beside = [name for name in self.seconds if _file(name) in files] if files else list(self.seconds)
        first = self._within(near or beside, FIRST)
        return first, self._within([*near, *beside], WIDER, set(first))

    def _of_lines(self, place: Place) -> list[str]:
        """Of a statement over several lines not each one counts as executed."""
        lines = self.by_line.get(place.path, {})
        return next((names for line in place.lines if (names := list(lines.get(line, ())))), [])

    def _of_file(self, path: str) -> list[str]:
        """For what is executed while the module is imported: the tests of it, and of those that import it."""
        return list(
            dict.fromkeys(
                name
                for each in (path, *self.imported_by.get(path, ()))
                for names in self.by_line.get(each, {}).values()
                for name in names
            )
        )

    def _within(self, names: Iterable[str], seconds: float, without: set[str] | None = None) -> list[str]:
        """The quickest of the tests that fit in the time, at least one; those of a file together."""
        chosen: list[str] = []
        for name in sorted(set(names) - (without or set()), key=lambda each: (self._cost[each], each)):
            seconds -= self._cost[name]
            if chosen and seconds < 0:
                break
            chosen.append(name)
        place = {file: k for k, file in reversed(list(enumerate(map(_file, chosen))))}
        return sorted(chosen, key=lambda each: place[_file(each)])

    @cached_property
    def _cost(self) -> Mapping[str, float]:
        return {name: each + 0.01 for name, each in self.seconds.items()}  # pytest's own time for a test


def _file(name: str) -> str:
    return name.partition("::")[0]


def importers(root: Path, source: str) -> dict[str, list[str]]:
    """For each module's file those of the modules that import it by name."""
    found: dict[str, list[str]] = {}
    for file in sorted((root / source).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = (node.module, *(f"{node.module}.{each.name}" for each in node.names))
                for path in (f"{name.replace('.', '/')}.py" for name in names):
                    if (root / path).is_file():
                        found.setdefault(path, []).append(file.relative_to(root).as_posix())
    return found


def is_noticed(copy: Copy, place: Place, executed: Executed, wider: Sequence[str] = ()) -> bool:
    """Whether a test fails, or hangs, with the change made: one of those that execute it, or of the wider ones."""
    text = (copy.root / place.path).read_text(encoding="utf-8")
    copy.write(place.path, place.applied(text))
    try:
        near = any(names and _fails(copy, names, executed) for names in executed.likely(place))
        return near or (bool(wider) and copy.fails_on(wider))
    finally:
        copy.write(place.path, text)


def _fails(copy: Copy, names: Sequence[str], executed: Executed) -> bool:
    listed = copy.root / "chosen-tests.txt"
    listed.write_text("\n".join(names), encoding="utf-8")
    limit = 60 + 4 * sum(executed.seconds[name] for name in names)
    return copy.pytest("-x", f"@{listed}", limit=limit) != 0
