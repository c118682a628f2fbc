"""A class is marked to its end, whatever one file does to the process that marks it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tracer.answers.handed_in import Answers
from tracer.classroom import crew, many
from tracer.classroom.class_marks import MarksLine
from tracer.classroom.many import FileResult, Marker, mark_all
from tracer.classroom.submissions import Submission, collect
from tracer.problem.reading import load_problem
from tracer.processes import can_copy

NAMES = [f"{letter}.json" for letter in "abcdefgh"]


@dataclass(frozen=True, eq=False)
class Troubled(Marker):
    """Something else than marking happens with some files, in whichever process, however that was started."""

    names: frozenset[str] = frozenset()
    happens: Callable[[], object] = int

    def mark(self, hand_in: Submission, label: str) -> FileResult:
        if hand_in.name in self.names:
            self.happens()
        return super().mark(hand_in, label)


def troubled(happens: Callable[[], object], *names: str, **more: bool) -> Troubled:
    return Troubled(load_problem("article"), names=frozenset(names), happens=happens, **more)  # type: ignore[arg-type]


@pytest.fixture
def marker() -> Marker:
    return Marker(load_problem("article"))


@pytest.fixture
def hand_ins(tmp_path: Path) -> list[Submission]:
    for name in NAMES:
        (tmp_path / name).write_text(json.dumps({"L": "0.354"}))
    return collect([tmp_path])


def faults(marker: Marker, hand_ins: list[Submission]) -> dict[str, str]:
    found = list(mark_all(marker, hand_ins, [each.name for each in hand_ins], lambda: None))
    assert [each.line.file for each in found] == NAMES
    return {each.line.file: each.line.fault for each in found if each.line.fault}


@dataclass(frozen=True)
class Raising(Submission):
    """A file that cannot be read, for a reason that nobody foresaw."""

    wrong: Exception | None = None

    def read(self) -> Answers:
        assert self.wrong is not None
        raise self.wrong


@pytest.mark.parametrize("sheets", [False, True])
def test_a_file_that_ends_its_process_is_named_and_the_rest_is_marked(hand_ins: list[Submission], sheets: bool) -> None:
    marker = troubled(partial(os._exit, 3), "b.json", "c.json", "h.json", sheets=sheets)
    assert faults(marker, hand_ins) == dict.fromkeys(("b.json", "c.json", "h.json"), crew.ENDED)


def test_a_file_that_takes_too_long_is_named(hand_ins: list[Submission], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "LONGEST", 0.5 if can_copy() else 10.0)  # a process that is no copy takes time to start
    marker = troubled(partial(time.sleep, 60), "d.json")
    assert faults(marker, hand_ins) == {"d.json": crew.TOO_LONG}


@pytest.mark.parametrize("wrong", [OverflowError("too large"), RecursionError(), KeyError("a"), ZeroDivisionError()])
def test_an_error_that_nobody_foresaw_is_the_fault_of_its_file(
    marker: Marker, hand_ins: list[Submission], wrong: Exception
) -> None:
    hand_ins[0] = Raising(hand_ins[0].name, hand_ins[0].path, wrong=wrong)
    (fault,) = faults(marker, hand_ins).values()
    assert fault.startswith(f"cannot be marked ({type(wrong).__name__}: ")


def test_over_several_processes_the_order_is_kept(hand_ins: list[Submission], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "PAYS", 2)
    monkeypatch.setattr(many, "cores", lambda: 3)
    assert faults(troubled(partial(os._exit, 3), "e.json"), hand_ins) == {"e.json": crew.ENDED}


class Slow(Marker):
    """Says which process marks, and takes its time."""

    def mark(self, hand_in: Submission, label: str) -> FileResult:
        print(os.getpid(), flush=True)
        time.sleep(60)
        return FileResult(MarksLine(label, {}))


SCRIPT = """
from tests.unit.classroom.test_crew import Slow
from tracer.classroom.crew import Crew
from tracer.classroom.submissions import Submission
from tracer.problem.reading import load_problem
from pathlib import Path
if __name__ == "__main__":
    marker = Slow(load_problem("article"))
    list(Crew(marker, 1, marker.unmarked).marked([Submission("a", Path("a"))], ["a"]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="signals of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_is_killed_leaves_none_behind(sent: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.send_signal(sent)
        parent.wait()
        until = time.monotonic() + 5
        while Path(f"/proc/{worker}").exists() and _runs(worker):
            assert time.monotonic() < until, "still there"
            time.sleep(0.05)


def _runs(process: int) -> bool:
    """Whether a process runs; one that nobody waits for may stay as a name."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
