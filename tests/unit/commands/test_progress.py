"""The bar that long work shows: nothing for others than a terminal, and as far as the work has come."""

from typing import Any
from unittest.mock import patch

import pytest
import rich.progress

from tracer.commands import common


def told(monkeypatch: pytest.MonkeyPatch, patience: float, total: int = 3) -> list[Any]:
    """What a terminal is told of work that takes longer than `patience` seconds, or not."""
    monkeypatch.setattr(common.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(common, "PATIENCE", patience)
    with (
        patch.object(rich.progress.Progress, "update", autospec=True) as update,
        common.progress("marking", total) as on,
    ):
        for _ in range(total):
            on()
    return [call.kwargs["completed"] for call in update.call_args_list]


def test_the_bar_is_as_far_as_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, patience=-1.0) == [1, 2, 3]


def test_short_work_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, patience=60.0) == []
