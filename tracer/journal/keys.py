"""What decides what comes of a file, as one hash: content and name, problem, options, version of the rules."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from tracer.classroom.by_variant import VariantMarker
from tracer.classroom.many import Marker
from tracer.classroom.submissions import Submission, content
from tracer.classroom.transcription import TypedRow
from tracer.presentation.templates import templates_folder

PACKAGE = Path(__file__).resolve().parents[1]
RULES = ("judging", "answers", "classroom", "expression", "calculus", "lesson", "problem", "presentation")


@cache
def rules_version() -> str:
    """The hash of all code and wording that a mark or a report hangs on: another version marks anew."""
    digest = hashlib.sha256()
    code = (path for room in RULES for path in sorted((PACKAGE / room).rglob("*.py")))
    for path in (*code, *sorted(templates_folder().glob("feedback*")), *sorted(templates_folder().glob("languages/*"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def key_start(marker: Marker) -> str:
    """What all files of a run have in common: rules, problem and options."""
    problems = [problem for _, problem in marker.variants] if isinstance(marker, VariantMarker) else [marker.problem]
    hands = [each.to_document() for each, _ in marker.variants] if isinstance(marker, VariantMarker) else []
    options = (marker.number, marker.accept, marker.reveal, sorted(marker.reports), marker.documents, marker.given)
    language = marker.language
    decided = repr(marker.overrides) if marker.overrides else ""
    documents = [each.to_document() for each in problems]
    return _hash(rules_version(), [*options, language], hands, decided, documents)


def digest_of(hand_in: Submission) -> str:
    """The hash of what is in a file."""
    typed = repr((hand_in.cells, hand_in.who)).encode() if isinstance(hand_in, TypedRow) else b""
    return hashlib.sha256(typed or (b"" if hand_in.fault else content(hand_in))).hexdigest()


def key_of_file(start: str, hand_in: Submission, label: str, digest: str) -> str:
    """The key of one file in a run."""
    return _hash(start, hand_in.name, label, hand_in.fault, digest)


def _hash(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, default=str).encode()).hexdigest()
