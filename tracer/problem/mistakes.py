"""What is wrong with the tables of a problem file: every mistake, in plain words.

A file with mistakes is read once more with each of them mended, so that what only shows when the
rest is read (shapes that do not fit, a matrix that the network does not have) is told in the same run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tracer.problem.convention import (
    MOST_TOLD,
    Convention,
    FieldError,
    FileSection,
    Reproduce,
    nearest,
    one_of,
    place_of,
    show,
)
from tracer.problem.hints import EXPECTED, Mistake, missing_keys
from tracer.problem.initial import DISTRIBUTIONS, Initial
from tracer.problem.mending import FieldFault, mended
from tracer.problem.optimizers import Optimizer
from tracer.problem.program_schema import RawProgram, RawStep
from tracer.problem.schema import RawData, RawLayer, RawProblem

ROUNDS = 4  # of mending: a mended table may show another mistake

SECTIONS: dict[str, type[FileSection]] = {
    "layers": RawLayer,
    "steps": RawStep,
    "optimizer": Optimizer,
    "data": RawData,
    "initial": Initial,
    "convention": Convention,
    "reproduce": Reproduce,
    **DISTRIBUTIONS,
}


@dataclass(frozen=True)
class Read:
    """The tables of a file, None if they cannot even be guessed; what is wrong with them, and how much more is.

    `spoilt` are the file's own keys that have a mistake: what `raw` has there was mended.
    """

    raw: RawProblem | None
    mistakes: tuple[Mistake, ...] = ()
    more: int = 0
    spoilt: frozenset[str | int] = frozenset()


def read_document(document: Any) -> Read:
    """The document of a TOML or JSON file, checked table by table."""
    mistakes: dict[Mistake, None] = {}
    spoilt: set[str | int] = set()
    more = 0
    for _ in range(ROUNDS):
        try:
            return Read(RawProblem.model_validate(document), tuple(mistakes), more, frozenset(spoilt))
        except ValidationError as wrong:
            errors = sorted(wrong.errors(include_url=False), key=lambda each: not _is_unknown(each))
        more += len(errors[MOST_TOLD:]) + sum(getattr(_cause(error), "more", 0) for error in errors)
        mistakes |= dict.fromkeys(_mistakes(errors[:MOST_TOLD], document))
        spoilt |= {part for error in errors for part in error["loc"][:1]}
        document = mended(document, [_fault(error, document) for error in errors]) if len(errors) <= MOST_TOLD else None
        if document is None:
            break
    return Read(None, tuple(mistakes), more)


def mistakes_in(wrong: ValidationError, document: object) -> list[Mistake]:
    """Every mistake of a program's document, unknown keys first."""
    errors = sorted(wrong.errors(include_url=False), key=lambda each: not _is_unknown(each))
    return list(_mistakes(errors, document))


def _mistakes(errors: list[ErrorDetails], document: object) -> Iterator[Mistake]:
    """What is wrong; a key that an unknown one is meant to be is not missing."""
    unknown = [error for error in errors if _is_unknown(error)]
    meant = {(*error["loc"][:-1], _meant(error, document)) for error in unknown}
    missing = [error["loc"] for error in errors if error["type"] == "missing" and error["loc"] not in meant]
    told: set[tuple[str | int, ...]] = set()
    for error in errors:
        above = error["loc"][:-1]
        if error["type"] != "missing":
            yield from _sentences(error, document)
        elif error["loc"] in missing and above not in told:
            told.add(above)
            keys = [str(place[-1]) for place in missing if place[:-1] == above]
            yield Mistake(place_of(_in_file(above)), missing_keys(keys))


def _sentences(error: ErrorDetails, document: object) -> Iterator[Mistake]:
    """The places of the mistakes in a value, and what was found and expected there."""
    cause = _cause(error)
    if isinstance(cause, FieldError):
        place = place_of(_in_file(error["loc"]))
        yield from (Mistake(place + each.within, str(each)) for each in cause.all)
    else:
        yield Mistake(*_sentence(error, document))


def _fault(error: ErrorDetails, document: object) -> FieldFault:
    cause = _cause(error)
    within = tuple(each.within for each in cause.all) if isinstance(cause, FieldError) else ("",)
    return FieldFault(error["loc"], within, _is_unknown(error), _meant(error, document))


def _is_unknown(error: ErrorDetails) -> bool:
    return error["type"] in ("extra_forbidden", "invalid_key")


def _meant(error: ErrorDetails, document: object) -> str | None:
    """The key that an unknown one is meant to be."""
    return nearest(str(error["loc"][-1]), _section(error["loc"], document).model_fields) if _is_unknown(error) else None


def _section(location: tuple[str | int, ...], document: object) -> type[FileSection]:
    top: type[FileSection] = RawProgram if isinstance(document, dict) and "steps" in document else RawProblem
    return next((SECTIONS[part] for part in reversed(location[:-1]) if part in SECTIONS), top)


def _in_file(location: Iterable[str | int]) -> list[str | int]:
    """The path in the file: pydantic puts the chosen distribution into it."""
    path = list(location)
    if path[:1] == ["initial"] and path[2:] and path[2] in DISTRIBUTIONS:
        del path[2]
    return path


def _cause(error: ErrorDetails) -> object:
    return error.get("ctx", {}).get("error")


def _sentence(error: ErrorDetails, document: object) -> tuple[str, str]:
    """The place of a mistake, and what was found and expected there."""
    kind, found, cause, location = error["type"], error["input"], _cause(error), _in_file(error["loc"])
    if _is_unknown(error):
        return place_of(location[:-1]), _unknown_key(error["loc"], document, _keys_at(document, location[:-1]))
    if kind == "union_tag_not_found":
        return place_of(location), "missing key 'distribution'"
    if kind == "union_tag_invalid":
        return place_of([*location, "distribution"]), _choice(found["distribution"], DISTRIBUTIONS)
    if kind == "literal_error":
        return place_of(location), _choice(found, re.findall("'([^']*)'", error["ctx"]["expected"]))
    expected = str(cause) if cause else EXPECTED.get(kind, error["msg"]).format(**error.get("ctx", {}))
    return place_of(location), f"found {show(found)}, expected {expected}"


def _keys_at(document: Any, location: list[str | int]) -> set[str]:
    """The keys of the table at a place of the document."""
    for part in location:
        document = document[part]
    return set(document)


def _unknown_key(location: tuple[str | int, ...], document: object, there: set[str]) -> str:
    section, key = _section(location, document), str(location[-1])
    near = nearest(key, section.model_fields)
    if near is None:
        return f"unknown key {show(key)}, expected one of {', '.join(section.model_fields)}"
    hint = f"{near!r} is there already" if near in there else f"did you mean {near!r}?"
    return f"unknown key {show(key)}; {hint}"


def _choice(found: object, options: Iterable[str]) -> str:
    try:
        return one_of(found, options)
    except FieldError as fault:
        return str(fault)
