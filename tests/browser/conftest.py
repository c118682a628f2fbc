"""One headless Chromium for all browser tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import require_module, require_program

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    api = require_module("playwright.sync_api")
    program = require_program("chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
