"""No file takes more of the machine than it is worth, and its limit ends with it."""

import json
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from tracer.answers.handed_in import Answers
from tracer.classroom import limits
from tracer.classroom.limits import TOO_LARGE, TOO_LONG, limited
from tracer.classroom.many import Marker
from tracer.classroom.submissions import Submission
from tracer.limits import LimitError
from tracer.problem.reading import load_problem

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
on_linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size of a process, as Linux says it")


def work() -> None:
    until = time.process_time() + 10
    while time.process_time() < until:
        pass


class Working(Submission):
    """A file whose reading does not end."""

    def read(self) -> Answers:
        try:
            work()
        except Exception:  # as a reader might that takes every error for damage
            work()
        raise AssertionError("not reached")


class Growing(Submission):
    """A file whose reading takes all memory there is."""

    def read(self) -> Answers:
        pieces = [bytearray(50_000_000) for _ in range(1_000)]
        raise AssertionError(f"not reached with {len(pieces)}")


@pytest.fixture
def marker() -> Marker:
    marker = Marker(load_problem("article"))
    _ = marker.conventions
    return marker


def test_a_file_that_takes_too_long_is_named_and_the_next_is_marked(
    marker: Marker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_SECONDS", 0.2)
    (tmp_path / "b.json").write_text(json.dumps({"L": "0.354"}))
    before = signal.getsignal(signal.SIGVTALRM)
    started = time.process_time()
    assert marker.mark(Working("a", tmp_path), "a").line.fault == TOO_LONG
    assert time.process_time() - started < 3
    assert not marker.mark(Submission("b.json", tmp_path / "b.json"), "b").line.fault
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


@on_linux
def test_a_file_that_takes_too_much_memory_is_named(marker: Marker, tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    assert marker.mark(Growing("a", tmp_path), "a").line.fault == TOO_LARGE
    assert resource.getrlimit(resource.RLIMIT_AS) == before


@on_linux
def test_memory_within_the_limit_is_there() -> None:
    with limited():
        assert len(bytearray(200_000_000)) == 200_000_000
    with pytest.raises(LimitError, match="500 MB"), limited():
        bytearray(2 * limits.MOST_MEMORY)


def test_in_another_thread_the_work_goes_on_without_a_signal() -> None:
    done = []

    def body() -> None:
        with limited():
            done.append(1)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert done == [1]
