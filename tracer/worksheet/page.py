"""The worksheet as a page: boxes to fill in, one step after the other, and its key.

One file without a request to anywhere. In practice it marks itself: each mark is worked out in the page from
the student's own earlier cells by the step's expression, so that the file holds no answer that is not given.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from tracer.errors import ExportError
from tracer.judging.numbers import LIMITS
from tracer.page.script import to_json
from tracer.page.script_data import Rules, bundled, script_data
from tracer.presentation.shown import asked, shown
from tracer.presentation.theme import Theme, theme_of
from tracer.problem.remarks import conventions_chosen, departures_chosen
from tracer.program.naming_policy import RATE
from tracer.run.passes import AnyProblem, Trace
from tracer.worksheet.plan import VARIANT, Plan
from tracer.worksheet.planting import Planted
from tracer.worksheet.slips import slips
from tracer.worksheet.views import WorksheetViews

RULES = (
    "digits",
    "numeral",
    "label",
    "matrix",
    "scalar",
    "lower",
    "picking",
    "first_order",
    "worked",
    "mathml",
)  # of the engine, for the marks
PRACTICE = ("worksheet", "worksheet_judge", "worksheet_marks", "worksheet_slips", "worksheet_help", "worksheet_end")
FIND = ("worksheet_find", "worksheet_judge")


@dataclass(frozen=True)
class Script:
    """`data` is JSON, `text` the script, `hash` what the content security policy calls it."""

    data: Markup
    text: Markup
    hash: str


def render_worksheet(
    trace: Trace[AnyProblem],
    plan: Plan,
    key: bool = False,
    theme: Theme | None = None,
    planted: Planted | None = None,
) -> str:
    """The worksheet of a trace's first pass as HTML; the key is the same sheet filled in, and without a script.

    `planted` has the numbers and slips of a sheet that is worked to the end.
    """
    trace, theme = trace.by_hand(), theme or theme_of()
    views = WorksheetViews(trace, trace.first, plan, key, theme, planted)
    problem = trace.problem
    return theme.render(
        "worksheet.html.j2",
        problem=problem,
        plan=plan,
        first=trace.first.start + 1,
        last=trace.first.stop,
        key=key,
        steps=list(views.steps()),
        rate=views.rate(),
        css=css_text,
        sheet=f"{problem.title} · {plan.variant}",
        script=None if key else _script(trace, plan, theme, planted),
        planted=list(planted.told(theme, views.headings)) if planted else [],
        conventions=[theme.say(f"conventions.{each}") for each in conventions_chosen(problem)],
        departures=[theme.say(f"departures.{each}") for each in departures_chosen(problem)],
        given=[each.id for each in trace.first.program.assignments.values() if each.id in plan.given],
    )


def css_text(text: str) -> Markup:
    """A text for a string of a style sheet: whatever could end it, or the sheet, is escaped.

    >>> css_text('a"b')
    Markup('a\\\\22 b')
    """
    return Markup("".join(each if each.isascii() and each.isalnum() else f"\\{ord(each):x} " for each in text))


def _script(trace: Trace[AnyProblem], plan: Plan, theme: Theme, planted: Planted | None) -> Script:
    words = theme.section("find" if planted else "script") | {
        each: theme.say(f"sheet.{each}") for each in ("name", "id")
    }
    data = {
        "problem_sha256": plan.problem_sha256,
        "plan": _plan_hash(plan, planted),
        "feedback": plan.feedback,
        "words": words,
        **({"practice": _practice(trace, plan, theme, planted)} if plan.marks else {}),
        **({"find": {"slips": len(planted.slips)}} if planted else {}),
    }
    marks = (
        *(f"engine/{name}.js" for name in RULES),
        "worksheet_base.js",
        *(f"{name}.js" for name in (FIND if planted else PRACTICE)),
    )
    text = bundled(marks if plan.marks else ("engine/numeral.js", "worksheet_base.js", "worksheet.js"))
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Script(Markup(to_json(data)), Markup(text), f"sha256-{digest}")


def _plan_hash(plan: Plan, planted: Planted | None) -> str:
    """Tells sheets of one problem apart, so that each keeps its own numbers."""
    numbers = [[planted.texts(each) for each in planted.values]] if planted else []
    choices = json.dumps(
        [plan.mode, sorted(plan.blank), sorted(plan.given), *([plan.number] if plan.number > 1 else []), *numbers]
    )
    return hashlib.sha256(choices.encode()).hexdigest()[:VARIANT]


def _practice(trace: Trace[AnyProblem], plan: Plan, theme: Theme, planted: Planted | None) -> dict[str, Any]:
    """What the marks are worked out with: what is given, and the rules. No value of a computed cell is in it.

    `asked`: the decimals that each matrix is asked for; `halves`: what a printed number may be off as it is shown;
    `updates`: the parameter that each updated one comes from; `slips`: the wrong rules; `kinds`: what each matrix is.
    """
    problem, one, rules = trace.problem, trace.first, Rules()
    data = script_data(trace, one, rules)
    if data is None:
        raise ExportError("a problem of this size is too large for a worksheet that marks itself")
    decimals = shown(trace, one)
    style = "matrix" if problem.names.style == "article" else problem.names.style
    return {
        **{name: data[name] for name in ("given", "rules", "decimals", "derivatives")},
        "computed": [{name: each[name] for name in ("id", "shape", "rule")} for each in data["computed"]],
        "style": style,
        "labels": {style: data["labels"][style]},
        "asked": asked(trace, one),
        "notation": theme.section("notation"),
        "marks": theme.section("marks"),
        "checks": {each: theme.messages[f"checks.{each}"] for each in ("own_sum", "own_row")},
        "halves": {each: decimals.half(each) for each in (*one, RATE) if plan.prints(each, one.program)},
        "updates": {each.id: each.of for each in one.program.assignments.values() if each.role == "updated"},
        "limits": LIMITS,
        "slips": planted.choices_told(rules, theme) if planted else slips(problem, plan, rules, theme),
        "kinds": {each: " ".join(filter(None, one.program.quantity(each))) for each in one.program.computed},
        "loss": one.program.loss,
        "rate": RATE,
    }
