"""How the command line is laid out: help in the usual capitals, and what the Tab key offers.

Typer's own help calls a flag `<bool>` and an argument `problem <str>`; here an argument stands in
capitals, an option has its placeholder behind it, and a flag has none.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

PROBLEM_FILES = (".toml", ".json")


class Command(TyperCommand):
    """A command whose usage line and help are spelled as is usual."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return ["[OPTIONS]", *(_in_usage(each) for each in self.get_params(ctx) if _is_argument(each))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        _write_parameters(self.get_params(ctx), ctx, formatter)


class Group(TyperGroup):
    """The command line as a whole: its options, then its commands."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        _write_parameters(self.get_params(ctx), ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.commands[name].help or "") for name in self.list_commands(ctx)])


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _spelled(argument: Any) -> str:
    """PROBLEM, or ANSWERS... for several."""
    name = argument.metavar or argument.name.upper()
    return f"{name}..." if argument.nargs != 1 else str(name)


def _in_usage(argument: Any) -> str:
    return _spelled(argument) if argument.required else f"[{_spelled(argument)}]"


def _write_parameters(parameters: list[Any], ctx: Any, formatter: Any) -> None:
    """Two lists: the arguments, and the options as "--json" or "-o, --output DIR"."""
    rows: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for each in parameters:
        says = each.get_help_record(ctx)[1]  # with its default, its range, or that it is required
        names = ", ".join(sorted(each.opts + each.secondary_opts, key=len))
        if _is_argument(each):
            rows["Arguments"].append((_spelled(each), says))
        else:
            placeholder = "" if each.is_flag else f" {each.metavar or each.name.upper()}"
            rows["Options"].append((names + placeholder, says))
    for title, listed in rows.items():
        if listed:
            with formatter.section(title):
                formatter.write_dl(listed)


def choices(options: type[StrEnum]) -> str:
    """The placeholder of an option that takes one of a few words: [xlsx|html]."""
    return f"[{'|'.join(options)}]"


def example_completions(incomplete: str) -> list[str]:
    """The built-in examples that begin so."""
    from tracer.problem.reading import example_names

    return [each for each in example_names() if each.startswith(incomplete)]


def problem_completions(incomplete: str) -> list[str]:
    """Problem files of this folder and built-in examples; where there is none the shell offers its files."""
    files = sorted(each.name for each in Path().iterdir() if each.suffix.lower() in PROBLEM_FILES)
    return [each for each in files if each.startswith(incomplete)] + example_completions(incomplete)
