"""The script of a page: the data that it reads, its text, and the hash by which the page allows it and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from tracer.export.headings import anchor_prefix
from tracer.export.page_tables import KEPT_COLUMNS, KEPT_ROWS, MOST_COLUMNS, MOST_ROWS
from tracer.export.script_data import engine_script, script_data
from tracer.export.templates import read_template
from tracer.trace import Trace

MOST_DATA = 2_000_000  # characters; later passes beyond it are shown without a script
SCRIPTS = ("page_tables.js", "page_cells.js", "page_steps.js")


@dataclass(frozen=True)
class PageScript:
    """`data` is JSON, `text` the script, `hash` what the content security policy calls it."""

    data: Markup
    text: Markup
    hash: str


def page_script(trace: Trace) -> PageScript | None:
    """The script and its data for every pass whose data the page can carry; None where it carries none."""
    passes: list[dict[str, Any]] = []
    size = 0
    for one in trace.passes:
        data = script_data(trace, one)
        size += len(json.dumps(data, ensure_ascii=False))
        if data is None or size > MOST_DATA:
            break
        passes.append({"prefix": anchor_prefix(trace, one), "depth": trace.problem.depth, **data})
    if not passes:
        return None
    kept = {"rows": [MOST_ROWS, *KEPT_ROWS], "columns": [MOST_COLUMNS, *KEPT_COLUMNS]}
    text = "\n".join((engine_script(), *map(read_template, SCRIPTS)))
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return PageScript(_json({"passes": passes, "kept": kept}), Markup(text), f"sha256-{digest}")


def _json(document: Any) -> Markup:
    """JSON that no name from a problem file can end early or turn into markup."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
