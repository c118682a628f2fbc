"""A class marked on a Dask cluster: the same files as on one machine, also where workers are killed in the middle."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.marking import document, worked
from tracer import cli

distributed = pytest.importorskip("distributed")
PROBLEM = document()
RIGHT = worked(PROBLEM, remembers=2.0)
STUDENTS = 40


@pytest.fixture
def school(tmp_path: Path) -> Path:
    (tmp_path / "small.json").write_text(json.dumps(PROBLEM))
    (tmp_path / "class").mkdir()
    for k in range(STUDENTS):
        (tmp_path / "class" / f"s{k:02}.json").write_text(json.dumps({**RIGHT, "student": {"id": str(k)}}))
    (tmp_path / "class" / "bad.json").write_text("{")
    return tmp_path


def check(school: Path, out: str, monkeypatch: pytest.MonkeyPatch, *more: str) -> dict[str, bytes]:
    arguments = [str(school / "small.json"), str(school / "class"), "-o", str(school / out), "--only", "html", *more]
    monkeypatch.setattr(sys, "argv", ["tracer", "check", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    return {each.name: each.read_bytes() for each in (school / out).glob("*.html")}


@pytest.mark.filterwarnings("ignore")
def test_workers_killed_in_the_middle_lose_nothing(
    school: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = check(school, "here", monkeypatch)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        pids = [worker.process.pid for worker in cluster.workers.values()]

        def kill() -> None:
            deadline = time.monotonic() + 60
            while not list((school / "there").glob("*.html")) and time.monotonic() < deadline:
                time.sleep(0.01)
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
                time.sleep(0.5)

        killer = threading.Thread(target=kill)
        killer.start()
        there = check(school, "there", monkeypatch, "--scheduler", cluster.scheduler_address)
        killer.join()
    assert len(here) == STUDENTS and there == here
    assert "bad.json: not JSON" in capsys.readouterr().err


def test_a_scheduler_that_is_not_there_is_one_message(
    school: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tracer.cluster.dask_cluster.CONNECTS", "1s")
    arguments = [str(school / "small.json"), str(school / "class"), "-o", str(school / "out")]
    monkeypatch.setattr(sys, "argv", ["tracer", "check", *arguments, "--scheduler", "tcp://127.0.0.1:9"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert (
        ended.value.code == 2 and "--scheduler tcp://127.0.0.1:9: no cluster answers there" in capsys.readouterr().err
    )


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_and_a_worker_as_processes_on_the_loopback_address(
    school: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    start, place = (sys.executable, "-m", "distributed.cli.dask_scheduler"), tmp_path / "scheduler.json"
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(place))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen((*start, *options), **quiet)  # type: ignore[call-overload]
    try:
        deadline = time.monotonic() + 60
        while not place.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        address = json.loads(place.read_text())["address"]
        start = (sys.executable, "-m", "distributed.cli.dask_worker")
        more = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path))
        worker = subprocess.Popen((*start, address, *more), **quiet)  # type: ignore[call-overload]
        try:
            there = check(school, "there", monkeypatch, "--scheduler", address)
        finally:
            worker.terminate()
            worker.wait(20)
    finally:
        scheduler.terminate()
        scheduler.wait(20)
    assert len(there) == STUDENTS
