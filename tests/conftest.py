"""Hypothesis profiles, and what a test says when a part that it needs is not here.

Import mode: pytest's default ("prepend"). `tests/` and its folders are packages, so test files of
one name may stand in two folders and everything is imported as `from tests.strategies import …`.
"""

import importlib
import os
import shutil
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


def require(name: str) -> ModuleType:
    """A spreadsheet engine that is a Python module, as `require_module`."""
    return require_module(name)


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """The last line but for pytest's counts: how many tests a missing program left out; they did not pass."""
    yield
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", []) if report.longrepr]
    names = Counter(
        reason.removeprefix("Skipped: ").removesuffix(MISSING) for reason in reasons if reason.endswith(MISSING)
    )
    if names:
        listed = ", ".join(f"{name} ({count})" for name, count in sorted(names.items()))
        terminalreporter.write_line(f"{names.total()} tests left out, for want of: {listed}", yellow=True)
