"""How worksheets are worded and dressed: a message catalogue for each language, and a teacher's own over ours.

templates/languages/ has a catalogue for each language. Its keys are those of the English one, in which the texts of
steps, conventions and departures are those that the program has for every surface. A folder of a teacher's own may
hold catalogues (languages/en.toml with what is worded otherwise, or a whole language) and templates.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from tracer.errors import ExportError
from tracer.expression.notation import Notation
from tracer.lesson.steps import TABLE
from tracer.presentation.templates import render, templates_folder
from tracer.problem.problem import Problem
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.remarks import CONVENTIONS, DEPARTURES, conventions, conventions_chosen
from tracer.problem.ways import WAYS

LANGUAGES = "languages"  # the folder of the catalogues
ENGLISH = "en"
TEMPLATES = ("worksheet.html.j2", "worksheet.css")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
MOST_NAMED = 5  # keys in one message

Messages = Mapping[str, str]


@dataclass(frozen=True)
class Theme:
    """The messages of a language, by keys with dots ("page.save"), and the folder of templates laid over ours."""

    language: str
    messages: Messages
    folder: Path | None = None

    def say(self, key: str, **values: object) -> str:
        """A message with its placeholders filled in. Raises LookupError for one that there is not."""
        return self.fill(key, lambda name: str(values[name]))

    def fill(self, key: str, value: Callable[[str], str]) -> str:
        """The same, with each placeholder's value worked out where it stands."""
        if key not in self.messages:
            raise LookupError(f"there is no message {key}")
        return PLACEHOLDER.sub(lambda found: value(found[1]), self.messages[key])

    def section(self, name: str) -> dict[str, str]:
        """The messages whose keys begin with a name and a dot, by what comes after it."""
        start = f"{name}."
        return {key.removeprefix(start): text for key, text in self.messages.items() if key.startswith(start)}

    @cached_property
    def notation(self) -> Notation:
        """How numbers and formulas are written."""
        return Notation(**self.section("notation"))

    def number(self, text: str) -> str:
        """A number that was written with a point, with the decimal mark of the language."""
        return self.notation.number(text)

    def whole(self, count: int) -> str:
        """A large whole number, in groups of three digits."""
        return f"{count:,}".replace(",", "," if self.is_english else "\N{NARROW NO-BREAK SPACE}")

    @property
    def is_english(self) -> bool:
        """Whether what the program says in English alone may be said too."""
        return self.language == ENGLISH

    def way(self, words: str) -> str:
        """A way of a convention, from what it is called in English."""
        key = next((each for each, english in WAYS.items() if english == words), None)
        return words if key is None else self.say(f"ways.{key}")

    def conventions(self, problem: Problem | ProgramProblem) -> list[str]:
        """The conventions of a problem, a sentence each; in English with the settings of its optimizer."""
        chosen = [self.say(f"conventions.{each}") for each in conventions_chosen(problem)]
        return conventions(problem) if self.is_english else chosen

    def render(self, template: str, **values: Any) -> str:
        """A template filled in. Raises ExportError for a mistake in one of the teacher's own."""
        return render(template, self.folder, theme=self, say=self.say, **values)


@cache
def theme_of(language: str = ENGLISH, folder: Path | None = None) -> Theme:
    """The theme of worksheets in a language. Raises ExportError for what is unknown, missing or cannot be read."""
    if folder is not None:
        _check(folder)
    found = languages(folder)
    if language not in found:
        raise ExportError(f"--language: found {language[:40]!r}, expected one of {', '.join(sorted(found))}")
    english = _english()
    messages = dict(english) if language == ENGLISH else {}
    for path in found[language]:
        own = dict(read_catalogue(path))
        _compare(path, own, english)
        messages |= own
    missing = [key for key in english if key not in messages]
    if missing:
        raise ExportError(f"{found[language][-1]}: these messages are missing: {_listed(missing)}")
    return Theme(language, messages, folder)


def languages(folder: Path | None = None) -> dict[str, list[Path]]:
    """The catalogues of each language: ours, then the one that is laid over it."""
    found: dict[str, list[Path]] = {}
    for place in filter(None, (templates_folder(), folder)):
        for path in sorted((place / LANGUAGES).glob("*.toml")):
            found.setdefault(path.stem, []).append(path)
    return found


def read_catalogue(path: Path) -> Iterator[tuple[str, str]]:
    """The messages of a file by key. Raises ExportError where it is no catalogue."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as wrong:
        raise ExportError(f"{path}: cannot be read ({wrong})") from None
    for key, value in _flat(document):
        if not isinstance(value, str):
            raise ExportError(f"{_at(path, key)}: {key}: expected a text, found {value!r}")
        yield key, value


def _english() -> Messages:
    """All keys, with the texts that the rest of the program has and those of the English catalogue."""
    steps = {f"steps.{row.number}.{part}": getattr(row, part) for row in TABLE for part in ("title", "words", "why")}
    shared = {f"{name}.{key}": text for name, texts in _SHARED.items() for key, text in texts.items()}
    return {**steps, **shared, **dict(read_catalogue(templates_folder() / LANGUAGES / f"{ENGLISH}.toml"))}


_SHARED = {"conventions": CONVENTIONS, "departures": DEPARTURES, "ways": WAYS}


def _flat(document: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _compare(path: Path, own: Messages, english: Messages) -> None:
    """Refuse keys and placeholders that nothing asks for."""
    for key, text in own.items():
        if key not in english:
            raise ExportError(f"{_at(path, key)}: there is no message {key}")
        found, expected = (set(PLACEHOLDER.findall(each)) for each in (text, english[key]))
        if found != expected:
            wanted = " ".join(f"{{{each}}}" for each in sorted(expected)) or "none"
            raise ExportError(f"{_at(path, key)}: {key}: expected the placeholders {wanted}, found {text!r}")


def _at(path: Path, key: str) -> str:
    """A file with the line that a key stands on."""
    section, _, last = key.rpartition(".")
    inside = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if found := re.match(r"\s*\[([\w.-]+)\]", line):
            inside = found[1]
        elif inside == section and re.match(rf"\s*{re.escape(last)}\s*=", line):
            return f"{path}:{number}"
    return str(path)


def _check(folder: Path) -> None:
    """Refuse a folder that holds nothing of ours, or files that are no text."""
    if not folder.is_dir():
        raise ExportError(f"--templates: {folder} is not a folder")
    here = [folder / name for name in TEMPLATES if (folder / name).is_file()]
    if not here and not list((folder / LANGUAGES).glob("*.toml")):
        raise ExportError(f"--templates: {folder} holds none of {', '.join(TEMPLATES)}, {LANGUAGES}/….toml")
    for path in here:
        try:
            path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError) as wrong:
            raise ExportError(f"{path}: cannot be read ({wrong})") from None


def _listed(keys: list[str]) -> str:
    more = len(keys) - MOST_NAMED
    return ", ".join(keys[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
