"""The script of a page: the data that it reads, its text, and the hash by which the page allows it and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

from markupsafe import Markup

from tracer.page.script_data import engine_script, script_data, told_roles
from tracer.page.tables import KEPT_COLUMNS, KEPT_ROWS, MOST_COLUMNS, MOST_ROWS
from tracer.presentation.headings import anchor_prefix
from tracer.presentation.templates import read_template
from tracer.run.passes import AnyProblem, Pass, Trace

MOST_DATA = 2_000_000  # characters; later passes beyond it are shown without a script
FILES = (
    "roles",
    "tables",
    "captions",
    "picture",
    "stage",
    "cells",
    "panel",
    "whatif",
    "trying",
    "help",
    "practice",
    "steps",
    "keys",
    "choices",
)
INEXACT = "≈: computed with every digit; the rounded numbers shown give a slightly different last digit."


@dataclass(frozen=True)
class PageScript:
    """`data` is JSON, `text` the script, `hash` what the content security policy calls it.

    `passes` is how many of the passes, from the first on, it can ask and change.
    """

    data: Markup
    text: Markup
    hash: str
    passes: int


def page_script(trace: Trace[AnyProblem]) -> PageScript | None:
    """The script and its data for every pass whose data the page can carry; None where it carries none."""
    passes: list[str] = []
    for data in _passes(trace):
        passes.append(to_json(data))
        if sum(map(len, passes)) > MOST_DATA:
            passes.pop()
            break
    if not passes:
        return None
    kept = {"rows": [MOST_ROWS, *KEPT_ROWS], "columns": [MOST_COLUMNS, *KEPT_COLUMNS]}
    about = f'"kept":{to_json(kept)},"inexact":{to_json(INEXACT)},"rate":{to_json(trace.first.program.rate)}'
    document = f'{{{about},"passes":[{",".join(passes)}]}}'
    text = "\n".join((engine_script(), *(read_template(f"page/{name}.js") for name in FILES)))
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return PageScript(Markup(document), Markup(text), f"sha256-{digest}", len(passes))


def _passes(trace: Trace[AnyProblem]) -> Iterator[dict[str, Any]]:
    """The data of each pass, up to one that is too large.

    `follows`: it starts from what the pass before it has made; `iteration`: passes of one number have the same samples;
    `from`: how many come before those.
    """
    for before, one in pairwise(chain([None], trace.passes)):
        assert one is not None
        data = script_data(trace, one)
        if data is None:
            return
        about = {"prefix": anchor_prefix(trace, one), "iteration": one.iteration, "from": one.start}
        about["follows"] = _follows(before, one)
        yield {**about, "depth": len(one.program.layers), "roles": told_roles(one), **data}


def _follows(before: Pass | None, one: Pass) -> bool:
    return before is not None and (one.iteration > 1 or one.epoch == before.epoch + 1)


def to_json(document: Any) -> str:
    """JSON that no name from a problem file can end early or turn into markup."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
