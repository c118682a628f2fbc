"""One headless Chromium for all browser tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import require_module, require_program
from tracer.page.script_data import engine_script

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


@pytest.fixture(scope="module")
def page(chromium: Any) -> Iterator[Any]:
    """A blank page with the engine, on which nothing may be said or go wrong."""
    page = chromium.new_page()
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.add_script_tag(content=engine_script())
    yield page
    page.close()
    assert noise == []
