"""Work in a copy of the process: done once, its error told here, and nothing but files left of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tracer.processes import cores

SCRIPT = """
import os, sys, threading
from pathlib import Path
from tracer.processes import beside

def work():
    with open("work", "a") as file:
        file.write(str(os.getpid()) + " ")
    WORK

try:
    BEFORE
    with beside(work):
        Path("body").write_text(str(os.getpid()))
        BODY
except Exception as wrong:
    print(type(wrong).__name__, wrong)
print("end")
"""


def run(folder: Path, work: str = "pass", body: str = "pass", before: str = "pass") -> tuple[str, list[str], str]:
    """What was printed, the processes that did the work, and the one that the body ran in."""
    script = SCRIPT.replace("WORK", work).replace("BODY", body).replace("BEFORE", before)
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    tried = (folder / "work").read_text().split() if (folder / "work").exists() else []
    return done.stdout, tried, (folder / "body").read_text()


@pytest.mark.skipif(sys.platform != "linux" or cores() < 2, reason="no second process here")
def test_the_work_is_done_once_by_another_process(tmp_path: Path) -> None:
    printed, workers, body = run(tmp_path)
    assert len(workers) == 1 and workers[0] != body
    assert printed == "end\n"


def test_work_that_fails_is_done_again_here_and_its_error_raised(tmp_path: Path) -> None:
    printed, workers, body = run(tmp_path, work="raise ValueError('the disk is full')")
    assert workers[-1] == body and len(workers) <= 2
    assert printed == "ValueError the disk is full\nend\n"


def test_work_whose_process_is_ended_is_done_again_here(tmp_path: Path) -> None:
    first = "sys.stdout.flush(); os.kill(os.getpid(), 9) if os.getpid() != int(Path('parent').read_text()) else None"
    printed, workers, body = run(tmp_path, work=first, before="Path('parent').write_text(str(os.getpid()))")
    assert workers[-1] == body and printed.endswith("end\n")


def test_an_error_of_the_body_ends_the_work(tmp_path: Path) -> None:
    work = "import time; time.sleep(30); Path('over').touch()"
    printed, workers, _ = run(tmp_path, work=work, body="raise KeyError('the page')")
    assert printed == "KeyError 'the page'\nend\n"
    assert len(workers) <= 1 and not (tmp_path / "over").exists()


def test_an_interrupt_while_waiting_ends_the_work_too(tmp_path: Path) -> None:
    alarm = "import signal; signal.signal(signal.SIGALRM, signal.default_int_handler); signal.alarm(1)"
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run(tmp_path, before=alarm, work="import time; time.sleep(30); Path('over').touch()")
    assert failed.value.stderr.rstrip().endswith("KeyboardInterrupt") and not (tmp_path / "over").exists()
    for each in (tmp_path / "work").read_text().split():
        assert not Path(f"/proc/{each}").exists()


@pytest.mark.parametrize(
    "before",
    ["os.close(1); sys.stdout = None", "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)"],
)
def test_without_an_output_or_word_of_children_the_work_is_done_all_the_same(tmp_path: Path, before: str) -> None:
    _, workers, body = run(tmp_path, before=before)
    assert len(workers) == 1 and body


def test_beside_another_thread_it_is_done_here(tmp_path: Path) -> None:
    thread = "wait = threading.Event(); threading.Thread(target=wait.wait, daemon=True).start()"
    printed, workers, body = run(tmp_path, before=thread)
    assert workers == [body] and printed == "end\n"
