"""A folder of variants: what is in it for students, what is the teacher's, and its index.

students/LABEL/…      worksheet as page and workbook, a cover: no key, no seed, nobody else's name
teacher/              index, certificate, problems/, keys/, covers.html, merge.csv
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tracer.errors import TracerError
from tracer.files import write_text
from tracer.problem.problem import problem_from_document
from tracer.problem.program_problem import program_from_document
from tracer.run.passes import AnyProblem
from tracer.variation.roster import Student

STUDENTS, TEACHER, INDEX, PROBLEMS, KEYS = "students", "teacher", "index.json", "problems", "keys"
KIND = "tracer variants 1"  # of an index


@dataclass(frozen=True)
class Variant:
    """A variant of a sitting, and who has it. `number` counts from 1 through all sittings."""

    number: int
    sitting: int
    sha256: str
    students: tuple[Student, ...] = ()

    @property
    def label(self) -> str:
        """What its files in the teacher's folder are called."""
        return f"{self.number:03}"

    def to_document(self) -> dict[str, Any]:
        who = [{"name": each.name, "id": each.id, "group": each.group} for each in self.students]
        return {"number": self.number, "sitting": self.sitting, "problem_sha256": self.sha256, "students": who}


@dataclass(frozen=True)
class Index:
    """What the teacher's folder says of all sittings; `asked` are the cells of a short quiz."""

    problem: str
    problem_sha256: str
    seed: str
    variants: tuple[Variant, ...] = ()
    asked: tuple[tuple[str, int, int], ...] = ()

    @property
    def sittings(self) -> int:
        return max((each.sitting for each in self.variants), default=0)

    def to_document(self) -> dict[str, Any]:
        return {
            "kind": KIND,
            "problem": self.problem,
            "problem_sha256": self.problem_sha256,
            "seed": self.seed,
            "asked": [[name, row + 1, column + 1] for name, row, column in self.asked],
            "variants": [each.to_document() for each in self.variants],
        }


def is_variants(folder: Path) -> bool:
    """Whether a folder is one that `tracer variants` wrote."""
    return (folder / TEACHER / INDEX).is_file()


def read_index(folder: Path) -> Index:
    """The index of a folder. Raises TracerError where it is none."""
    path = folder / TEACHER / INDEX
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["kind"] != KIND:
            raise ValueError(document["kind"])
        return Index(
            document["problem"], document["problem_sha256"], document["seed"],
            tuple(map(_variant, document["variants"])),
            tuple((name, row - 1, column - 1) for name, row, column in document["asked"]),
        )  # fmt: skip
    except OSError as wrong:
        raise TracerError(f"{path}: cannot be read: {wrong.strerror or wrong}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise TracerError(f"{path}: is no index of variants ({type(wrong).__name__}: {str(wrong)[:80]})") from None


def _variant(table: Mapping[str, Any]) -> Variant:
    students = tuple(Student(each["name"], each["id"], each["group"]) for each in table["students"])
    return Variant(int(table["number"]), int(table["sitting"]), str(table["problem_sha256"]), students)


def write_index(folder: Path, index: Index) -> None:
    """Write the index. Raises ExportError where it cannot be written."""
    write_text(folder / TEACHER / INDEX, json.dumps(index.to_document(), ensure_ascii=False, indent=1) + "\n")


def problem_path(folder: Path, variant: Variant) -> Path:
    return folder / TEACHER / PROBLEMS / f"{variant.label}.json"


def load_variants(folder: Path) -> Iterator[tuple[Variant, AnyProblem]]:
    """The variants of a folder with their problems. Raises TracerError where one is missing or is another."""
    index = read_index(folder)
    for variant in index.variants:
        path = problem_path(folder, variant)
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as wrong:
            raise TracerError(f"{path}: cannot be read ({str(wrong)[:80]})") from None
        read = program_from_document if isinstance(document, dict) and "steps" in document else problem_from_document
        problem: AnyProblem = read(document, index.problem, str(path))
        if problem.sha256 != variant.sha256:
            raise TracerError(f"{path}: has other numbers than the index says; take the file back as it was")
        yield variant, problem


def dealt(variants: Sequence[Variant], students: Sequence[Student]) -> list[Variant]:
    """A variant for each student, in the order of the roster; a group has one together.

    Raises TracerError where there are too few.
    """
    hands: dict[tuple[str, str], list[Student]] = {}
    for number, each in enumerate(students):
        hands.setdefault(("group", each.group) if each.group else ("alone", str(number)), []).append(each)
    if len(hands) > len(variants):
        raise TracerError(
            f"--count: found {len(variants)}, expected at least {len(hands)}, one for each student or group"
        )
    return [
        replace(variant, students=tuple(hand))
        for variant, hand in zip(variants, [*hands.values(), *[[]] * (len(variants) - len(hands))], strict=True)
    ]
