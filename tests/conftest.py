"""Hypothesis profiles, and what a test says when a part that it needs is not here.

Import mode: pytest's default ("prepend"). `tests/` and its folders are packages, so test files of
one name may stand in two folders and everything is imported as `from tests.strategies import …`.
"""

import importlib
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Generator
from types import ModuleType
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

CI = bool(os.environ.get("CI"))

settings.register_profile(
    "ci",
    deadline=None,  # the first call imports torch or compiles; a slow machine is no wrong number
    derandomize=CI,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci")


MISSING = " is not installed here"


def missing(name: str) -> NoReturn:
    """Fail where `CI` is set, skip elsewhere; both name what is missing."""
    says = f"{name}{MISSING}"
    if os.environ.get("CI"):
        pytest.fail(f"{says}, and a test needs it", pytrace=False)
    pytest.skip(says)


def require_module(name: str) -> ModuleType:
    """The module of that name, or a skip (a failure in CI) that names it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as wrong:
        if wrong.name != name.partition(".")[0]:  # it is here, and broken
            raise
        missing(name)


def require_program(name: str) -> str:
    """The path of the program of that name, or a skip (a failure in CI) that names it."""
    return shutil.which(name) or missing(name)


def require_font(name: str) -> None:
    """Skip (in CI, fail) where the font of that name is not installed."""
    listed = subprocess.run([require_program("fc-list"), ":", "family"], capture_output=True, text=True, check=True)
    if name not in listed.stdout:
        missing(f"the font {name}")


def require(name: str) -> ModuleType:
    """A spreadsheet engine that is a Python module, as `require_module`."""
    return require_module(name)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Below pytest's own last line: how many tests a missing program left out, since they did not pass."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")  # none in a worker of xdist
    reasons = [report.longrepr[2] for report in reporter.stats.get("skipped", [])] if reporter else []
    names = Counter(says.removeprefix("Skipped: ").removesuffix(MISSING) for says in reasons if says.endswith(MISSING))
    if names:
        listed = ", ".join(f"{name} ({count})" for name, count in sorted(names.items()))
        reporter.write_line(f"{names.total()} tests left out, for want of: {listed}", yellow=True)
