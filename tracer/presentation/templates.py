"""Where the templates are, and the Jinja2 environments that render them, a teacher's own laid over ours."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
)
from markupsafe import Markup

from tracer.errors import ExportError

BUILT_IN = "built-in"  # what templates of one's own call ours: {% include "built-in/worksheet.css" %}
_PACKAGE = Path(__file__).resolve().parents[1]


def templates_folder() -> Path:
    """Inside the package where it is installed, at the top of a checkout otherwise."""
    for folder in (_PACKAGE / "templates", _PACKAGE.parent / "templates"):
        if folder.is_dir():
            return folder
    raise ExportError("the templates are missing; install the package again")


@cache
def environment(own: Path | None = None) -> Environment:
    """Autoescaping; an unknown name in a template is an error. Templates in the folder `own` come before ours."""
    ours = FileSystemLoader(templates_folder())
    loaders: list[BaseLoader] = [ours, PrefixLoader({BUILT_IN: ours})]
    if own is not None:
        loaders.insert(0, FileSystemLoader(own))
    return Environment(
        loader=ChoiceLoader(loaders), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def macro(template: str, name: str) -> Callable[..., Markup]:
    """A macro of one of our templates, to be called from Python."""
    found: Callable[..., Markup] = getattr(environment().get_template(template).module, name)
    return found


def render(name: str, own: Path | None, **values: Any) -> str:
    """A template filled in. Raises ExportError, with file and line, for a mistake in one of the folder `own`."""
    try:
        return environment(own).get_template(name).render(**values)
    except TemplateSyntaxError as wrong:
        raise ExportError(f"{wrong.filename or wrong.name}:{wrong.lineno}: {wrong.message}") from wrong
    except Exception as wrong:  # a template can go wrong in as many ways as a program
        place = None if own is None else _place_in(own, wrong)
        if place is None:
            raise
        says = f"there is no template {wrong}" if isinstance(wrong, TemplateNotFound) else str(wrong)
        raise ExportError(f"{place}: {says}") from wrong


def _place_in(folder: Path, wrong: Exception) -> str | None:
    """File and line of the template in a folder that was at work last."""
    frames = traceback.extract_tb(wrong.__traceback__)
    found = [f"{each.filename}:{each.lineno}" for each in frames if Path(each.filename).is_relative_to(folder)]
    return found[-1] if found else None


def read_template(name: str) -> str:
    """The text of a file that is taken as it is: a script."""
    return (templates_folder() / name).read_text(encoding="utf-8").rstrip("\n")
