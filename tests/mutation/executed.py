"""A plugin of pytest for mutants.py: which lines each test executes, and how long it takes.

What is worked out once and kept is forgotten before each file of tests, so that every file shows what it needs.
"""

import json
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest

FOLDER = Path(os.environ["MUTANTS_FOLDER"])
NOW = coverage.Coverage(
    data_file=str(FOLDER / "lines"), data_suffix=True, source=[os.environ["MUTANTS_SOURCE"]], config_file=False
)
NOW.set_option("run:disable_warnings", ["no-data-collected"])  # by the process that hands out the tests
NOW.start()  # here, and not when the session begins: what is executed while modules are imported counts too
tests: dict[str, dict[str, Any]] = {}
current: list[Path] = []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if current != [item.path]:
        current[:] = [item.path]
        for kept in set(_caches()):
            kept.cache_clear()
    NOW.switch_context(item.nodeid)
    outcome = yield
    NOW.switch_context("")
    return outcome


def _caches() -> Iterator[Any]:
    for module in [each for name, each in sys.modules.items() if name.partition(".")[0] in ("tests", "tracer")]:
        for value in list(vars(module).values()):
            owned = vars(value).values() if isinstance(value, type) else ()
            yield from (each for each in (value, *owned) if callable(getattr(type(each), "cache_clear", None)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    known = tests.setdefault(report.nodeid, {"seconds": 0.0, "passed": True, "marks": []})
    known["seconds"] += report.duration
    known["passed"] &= report.passed
    known["marks"] = sorted({"browser", "gallery"} & set(report.keywords))


def pytest_unconfigure(config: pytest.Config) -> None:
    NOW.stop()
    NOW.save()
    if not hasattr(config, "workerinput"):  # a worker of xdist knows its own tests alone
        (FOLDER / "tests.json").write_text(json.dumps(tests), encoding="utf-8")
