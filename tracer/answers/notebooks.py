"""A notebook as text: what its cells say, and what they printed. Nothing in it is run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tracer.answers.handed_in import AnswerError

_ECHO = re.compile(r"(?:print\()?\s*([A-Za-z_]\w*)\s*\)?;?")
APART = "\n\n\n"  # so that no name reaches from one cell into the next


def text_of_notebook(name: str, text: str) -> str:
    """The lines of a notebook in their order. Raises AnswerError where it is none."""
    try:
        document = json.loads(text)
        return APART.join(_cells(document["cells"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise AnswerError(f"{name}: this is no notebook, or a damaged one") from None


def _cells(cells: list[dict[str, Any]]) -> Iterator[str]:
    for cell in cells:
        source = _lines(cell.get("source", ""))
        printed = "\n".join(_printed(each) for each in cell.get("outputs") or [])
        if cell.get("cell_type") != "code":
            yield source
            continue
        lines = [line for line in source.split("\n") if line.strip()]
        echo = _ECHO.fullmatch(lines[-1].strip()) if lines else None
        if echo is not None and printed:  # the name alone on its last line is that of what is printed
            lines[-1:] = ["", "", f"{echo[1]}\n{printed}"]
        yield "\n".join(lines)
        if echo is None and printed:
            yield printed


def _printed(output: dict[str, Any]) -> str:
    data = output.get("data") or {}
    return _lines(output.get("text") or data.get("text/plain") or "")


def _lines(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)
