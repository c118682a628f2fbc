"""A class with variants, filled in by simulated students and packed as Moodle's download packs it.

Files of all kinds; one student in five has a misconception; there are namesakes, two who swapped their ids, people who
hand in twice, one who borrowed a neighbour's variant, and hostile files. `Handed.person` is who really handed each in.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests import worksheets
from tests.students import Answers, Habit, Work, work_through
from tests.wrong_rules import RULES, Memory, wrong_values
from tracer.answers.key import key_of
from tracer.problem.problem import Problem
from tracer.variation.folder import STUDENTS, Variant, load_variants
from tracer.variation.handing_out import labelled
from tracer.worksheet.plan import make_plan

FIRST = (
    "Ada", "Grace", "Alan", "Emmy", "Kurt", "Sofia", "Noether", "Omar", "Lin", "Mei", "Ravi", "Ana", "José", "Zoë",
    "Björn", "Aïcha", "Tomás", "Ines", "Yuki", "Olu",
)  # fmt: skip
LAST = (
    "Lovelace", "Hopper", "Turing", "Noether", "Gödel", "Kowalewska", "García", "Müller", "Smith", "O’Neill", "Nguyễn",
    "Østergård", "Şahin", "Wang",
)  # fmt: skip
KINDS = ("page", "workbook", "csv", "txt", "md", "json")
EVERY = 5  # one student in so many has a misconception
WRONG = ("no-bias", "slope-of-activation", "rate-missing-twice-divided", "bias-subtracted", "slope-missing")
HOSTILE = (
    ("nested.json", b'{"Z1": ' + b"[" * 200_000),
    ("numbers.txt", b"Z1 = " + b"9" * 3_000_000),
    ("bomb.xlsx", b"PK\x03\x04" + b"\x00" * 2_000),
    ("program.ipynb", b'{"cells": [{"cell_type": "code", "source": 3, "outputs": {}}]}'),
)


@dataclass(frozen=True)
class Handed:
    """A file in the zip, and the roster's id of who handed it in. `honest`: everything in it is right."""

    file: str
    person: str
    honest: bool
    hostile: bool = False
    borrowed: bool = False
    swapped: bool = False
    replaced: bool = False


def write_roster(path: Path, count: int) -> None:
    """So many students, every tenth a namesake of the one before."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("Name", "ID", "Email"))
        name = ""
        for k in range(count):
            if k % 10 != 9:
                name = f"{FIRST[k % len(FIRST)]} {LAST[(k // len(FIRST) + k) % len(LAST)]} {k // 10}"
            table.writerow((name, f"s{1000 + k}", f"s{1000 + k}@school.example"))


def hand_in(folder: Path, target: Path, seed: int = 1) -> list[Handed]:
    """Everybody's work in a zip; `folder` is what `tracer variants --roster` wrote."""
    variants = list(load_variants(folder))
    random = np.random.default_rng(seed)
    found: list[Handed] = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for k, (variant, problem) in enumerate(variants):
            for handed, content in _of_student(folder, k, variant, problem, variants, random):
                entry = zipfile.ZipInfo(handed.file, (2026, 11, 2, 10 + ("-2." in handed.file), 0, 0))
                packed.writestr(entry, content)
                found.append(handed)
    return found


def _of_student(
    folder: Path, k: int, variant: Variant, problem: Problem, all_of: Sequence[tuple[Variant, Problem]], random: Any
) -> Iterator[tuple[Handed, bytes]]:
    student, count = variant.students[0], len(all_of)
    place = f"{student.name}_{70_000 + k}_assignsubmission_file_"
    number = next((n for n, at in enumerate(_places(count, len(HOSTILE), 3)) if at == k), None)
    if number is not None:
        name, content = HOSTILE[number]
        yield Handed(f"{place}/{name}", student.id, False, hostile=True), content
        return
    borrowed, swapped = k == count // 2 // EVERY * EVERY + 1, k in (count // 3, count // 3 + 1)
    worked_variant, worked = all_of[k + 1] if borrowed else (variant, problem)
    answers, honest = _worked(worked, k, random)
    kind = "page" if borrowed or swapped else KINDS[k % len(KINDS)]
    says = worked_variant.students[0] if borrowed else student
    who = {"name": says.name, "id": says.id}
    if swapped:
        other = all_of[2 * (count // 3) + 1 - k][0].students[0]
        who = {"name": student.name, "id": other.id}
    twice = k % 17 == 5
    if twice:
        yield (
            Handed(f"{place}/work-1.json", student.id, False, replaced=True),
            json.dumps({"Z1": [["0"] * len(row) for row in answers["Z1"]], "student": who}).encode(),
        )
    suffix = "-2" if twice else ""
    name, content = _packed(folder, kind, answers, worked, worked_variant, who, suffix)
    yield Handed(f"{place}/{name}", student.id, honest and not borrowed, borrowed=borrowed, swapped=swapped), content


def _places(count: int, many: int, start: int) -> list[int]:
    return [start + n * max(1, (count - start) // many) for n in range(many)]


def _worked(problem: Problem, k: int, random: Any) -> tuple[Answers, bool]:
    key, work = key_of(problem), Work(problem.to_document())
    habit = Habit(key.problem.decimals.default, remembers=0.5 * (k % 3), asked=key.asked)
    if k % EVERY:
        return work_through(work, habit, random), True
    slug = WRONG[(k // EVERY) % len(WRONG)]

    def rules(name: str, memory: Memory) -> Any:
        kinds = [kind for each, kind in RULES if each == slug]
        if any(name.removesuffix("_next").rstrip("0123456789") in (kind, kind.removesuffix("_next")) for kind in kinds):
            made = wrong_values(slug, work, name, memory)
            if made:
                return made[0]
        return work.compute(name, memory)

    return work_through(work, habit, random, rules=rules), False


def _packed(
    folder: Path, kind: str, answers: Answers, problem: Problem, variant: Variant, who: dict[str, str], suffix: str
) -> tuple[str, bytes]:
    if kind == "workbook":
        return f"work{suffix}.xlsx", _workbook(folder, answers, problem, variant)
    if kind in ("page", "json"):
        stamp = {"problem_sha256": problem.sha256} if kind == "page" else {}
        return f"work{suffix}.json", json.dumps({**answers, "student": who, **stamp}).encode()
    lines = [f"{name} = {json.dumps(rows)}".replace('"', "") for name, rows in answers.items()]
    if kind == "csv":
        cells = [
            f"{name},{i + 1},{j + 1},{text}"
            for name, rows in answers.items() for i, row in enumerate(rows) for j, text in enumerate(row)
        ]  # fmt: skip
        return f"work{suffix}.csv", "\n".join(["matrix,row,column,value", *cells]).encode()
    return f"work{suffix}.{kind}", "\n".join(lines).encode()


def _workbook(folder: Path, answers: Answers, problem: Problem, variant: Variant) -> bytes:
    from tracer.lesson.build import build

    label = labelled([each for each, _ in load_variants(folder)])[variant.number][0]
    blank = folder / STUDENTS / label / f"{problem.name}.worksheet.xlsx"
    plan = make_plan(problem, build(problem, problem.rows))
    numbers = {name: [[float(text) for text in row] for row in rows] for name, rows in answers.items()}  # type: ignore[arg-type]
    target = folder / "filled.xlsx"
    content = worksheets.fill(blank, plan, numbers, target).read_bytes()  # type: ignore[arg-type]
    target.unlink()
    return content
