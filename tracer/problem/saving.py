"""A problem written as a file that explains itself and reads back the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tracer.errors import ProblemError
from tracer.files import write_text

WIDTH = 100
_SAID = {
    "given": "What stays as it is: data, targets, masks.",
    "parameters": "What training changes.",
    "data": "A row is a sample.",
    "optimizer": "How the parameters follow their gradients, as in torch.optim.",
    "convention": "How the backward pass is written.",
    "steps": "The forward pass; the way back through each step follows from it.",
    "layers": "Each layer's weights are inputs × units.",
}
_QUIET: dict[str, object] = {
    "carry_rounded": False,
    "epochs": 1,
    "reproduce": {"rate_twice": False, "updated_weights_sent_back": False},
}


def write_problem(document: Mapping[str, Any], path: Path) -> Path:
    """Write a problem's document as TOML or, where the name ends so, as JSON. Raises ProblemError for another name."""
    if path.suffix.lower() == ".json":
        write_text(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    elif path.suffix.lower() == ".toml":
        write_text(path, toml_of(document))
    else:
        raise ProblemError(str(path), "", "found another ending, expected a name that ends in .toml or .json")
    return path


def toml_of(document: Mapping[str, Any]) -> str:
    """A document as TOML: single values first, then a section for each table, with a word of what it is."""
    told = {key: value for key, value in document.items() if _QUIET.get(key) != value and value not in ({}, [])}
    tables = {key: value for key, value in told.items() if _is_section(value)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in told.items() if key not in tables]
    for key, value in tables.items():
        lines += ["", *([f"# {_SAID[key]}"] if key in _SAID else []), *_section(key, value)]
    return "\n".join(lines).strip() + "\n"


def _is_section(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _section(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield f"[{_key(key)}]"
        yield from _entries(value)
        return
    for number, each in enumerate(value):
        if number:
            yield ""
        yield f"[[{_key(key)}]]"
        yield from _entries(each)


def _entries(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        shape = f"  # {len(value)}×{len(value[0])}" if _is_matrix(value) else ""
        text = f"{_key(key)} = {_value(value)}"
        first, line, rest = text.partition("\n")
        yield f"{first}{shape}{line}{rest}"


def _is_matrix(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], list) and not isinstance(value[0][0], str)


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)


def _value(value: object) -> str:
    """A value as TOML has it; a list that is too long for one line has an element on each."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case list() | tuple():
            line = f"[{', '.join(map(_value, value))}]"
            if len(line) <= WIDTH or not value or isinstance(value[0], int | float):
                return line
            return "[\n" + "".join(f"  {_value(each)},\n" for each in value) + "]"
        case dict():
            return f"{{ {', '.join(f'{_key(key)} = {_value(each)}' for key, each in value.items())} }}"
        case _:
            return repr(value)


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped.replace(chr(127), chr(92) + "u007f")}"'
