"""Where the templates are, and the one Jinja2 environment that renders them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tracer.errors import ExportError

_PACKAGE = Path(__file__).resolve().parents[1]


def templates_folder() -> Path:
    """Inside the package where it is installed, at the top of a checkout otherwise."""
    for folder in (_PACKAGE / "templates", _PACKAGE.parent / "templates"):
        if folder.is_dir():
            return folder
    raise ExportError("the templates are missing; install the package again")


@cache
def environment() -> Environment:
    """Autoescaping; an unknown name in a template is an error."""
    loader = FileSystemLoader(templates_folder())
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def read_template(name: str) -> str:
    """The text of a file that is taken as it is: a script."""
    return (templates_folder() / name).read_text(encoding="utf-8").rstrip("\n")
