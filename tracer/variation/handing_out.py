"""The files of a sitting: worksheets and covers for students, and apart from them keys, problems and the index."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tracer.files import replace_file, safe_name, unreserved, write_text
from tracer.presentation.theme import theme_of
from tracer.processes import can_copy, cores
from tracer.run.passes import AnyProblem
from tracer.run.training import of_pass
from tracer.variation.asking import AskedCell
from tracer.variation.certificate import Certificate, Proof, prove
from tracer.variation.exam import render_exam, render_exam_key, write_transcription
from tracer.variation.folder import KEYS, STUDENTS, TEACHER, Variant, problem_path
from tracer.variation.search import FoundVariants
from tracer.variation.telling import Telling
from tracer.worksheet.book import write_worksheet_book
from tracer.worksheet.page import render_worksheet
from tracer.worksheet.plan import make_plan

PAYS = 4  # variants from which on other processes are worth their start
CERTIFICATE, TRANSCRIPTION = "certificate", "transcription.csv"


@dataclass(frozen=True)
class SheetChoices:
    """What a worksheet is like, as `tracer worksheet` takes it; `asked` are the cells of a short quiz."""

    plan: Mapping[str, Any]
    language: str = "en"
    templates: Path | None = None
    asked: tuple[AskedCell, ...] = ()


@dataclass(frozen=True, eq=False)
class HandingOut:
    """Writes the variants of a sitting into a folder."""

    folder: Path
    telling: Telling
    wanted: SheetChoices

    def one(self, job: tuple[Variant, AnyProblem, Sequence[str]]) -> Proof:
        """Write a variant's files for the students of these labels, and prove it."""
        variant, problem, labels = job
        like = self.telling.lots.problem
        problem.take_over(like)
        recorded, theme = of_pass(problem, 1), theme_of(self.wanted.language, self.wanted.templates)
        plan = make_plan(problem, recorded.first.program, **self.wanted.plan)
        name, teacher = unreserved(problem.name), self.folder / TEACHER
        write_text(problem_path(self.folder, variant), json.dumps(problem.to_document(), ensure_ascii=False) + "\n")
        key = teacher / KEYS / f"{variant.label}.key"
        write_text(key.with_name(f"{key.name}.html"), render_worksheet(recorded, plan, True, theme))
        write_worksheet_book(recorded, plan, key.with_name(f"{key.name}.xlsx"), True, theme)
        page = render_worksheet(recorded, plan, False, theme)
        first: Path | None = None
        for label in labels:
            own = self.folder / STUDENTS / label
            write_text(own / f"{name}.worksheet.html", page)
            book = own / f"{name}.worksheet.xlsx"
            if first is None:
                write_worksheet_book(recorded, plan, book, False, theme)
                first = book
            else:
                replace_file(book, partial(_copy, first.read_bytes()))
            if self.wanted.asked:
                write_text(own / f"{name}.exam.html", render_exam(problem, plan.variant, self.wanted.asked, theme))
        if self.wanted.asked:
            text = render_exam_key(problem, variant.number, plan.variant, self.wanted.asked, self.telling, theme)
            write_text(teacher / KEYS / f"{variant.label}.exam-key.html", text)
        like.take_over(problem)
        return prove(problem, self.telling)


def _copy(content: bytes, file: Any) -> None:
    file.write(content)


def hand_out(
    folder: Path,
    found: FoundVariants,
    variants: Sequence[Variant],
    wanted: SheetChoices,
    ask: int | None,
    advance: Callable[[], None],
) -> tuple[Certificate, SheetChoices]:
    """Write all files of a sitting but the index; `advance` is called after each variant.

    Raises ExportError where one cannot be written.
    """
    telling = found.search.telling
    if ask is not None:
        few = Certificate(found, [Proof(each, (), (), {}) for each in found.variants])
        wanted = replace(wanted, asked=tuple(few.asked(ask)))
    labels = labelled(variants)
    jobs = [
        (variant, problem, labels[variant.number]) for variant, problem in zip(variants, found.variants, strict=True)
    ]
    certificate = Certificate(found, _proofs(HandingOut(folder, telling, wanted), jobs, advance))
    teacher, theme = folder / TEACHER, theme_of(wanted.language, wanted.templates)
    sitting = f"-{variants[0].sitting}" if variants[0].sitting > 1 else ""
    document = json.dumps(certificate.to_document(), ensure_ascii=False, indent=1) + "\n"
    write_text(teacher / f"{CERTIFICATE}{sitting}.json", document)
    write_text(teacher / f"{CERTIFICATE}{sitting}.html", certificate.render(theme))
    rendered = partial(theme.render, "cover.html.j2", problem=found.search.lots.problem)
    _covers(folder, rendered, variants, labels, sitting)
    if wanted.asked:
        write_transcription(teacher / f"{sitting.removeprefix('-')}{TRANSCRIPTION}", variants, wanted.asked)
    return certificate, wanted


def _proofs(
    writer: HandingOut, jobs: Sequence[tuple[Variant, AnyProblem, Sequence[str]]], advance: Callable[[], None]
) -> list[Proof]:
    found = []
    for proof in _written(writer, jobs):
        advance()
        found.append(proof)
    return found


def _written(writer: HandingOut, jobs: Sequence[tuple[Variant, AnyProblem, Sequence[str]]]) -> Iterator[Proof]:
    if len(jobs) < PAYS or not can_copy():
        yield from map(writer.one, jobs)
        return
    global _writer
    _writer = writer  # which the copied processes have
    with ProcessPoolExecutor(cores(), get_context("fork")) as workers:
        yield from workers.map(_one, jobs, chunksize=4)


_writer: HandingOut | None = None


def _one(job: tuple[Variant, AnyProblem, Sequence[str]]) -> Proof:
    assert _writer is not None  # set before the process was copied
    return _writer.one(job)


def labelled(variants: Sequence[Variant]) -> dict[int, list[str]]:
    """The folders of each variant's students, each name once; of a variant that nobody has its number."""
    used: set[str] = set()
    found: dict[int, list[str]] = {}
    for variant in variants:
        before = f"sitting-{variant.sitting}/" if variant.sitting > 1 else ""
        names = [safe_name(" ".join(filter(None, (each.name, each.id)))) for each in variant.students]
        own = []
        for name in names or [f"variant-{variant.label}"]:
            number, label = 1, name
            while label.casefold() in used:
                number += 1
                label = f"{name}-{number}"
            used.add(label.casefold())
            own.append(f"{before}{label}")
        found[variant.number] = own
    return found


def _covers(
    folder: Path,
    rendered: Callable[..., str],
    variants: Sequence[Variant],
    labels: Mapping[int, Sequence[str]],
    sitting: str,
) -> None:
    """A cover in each student's folder, all of them to print, and a table to mail-merge with."""
    covers = []
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(("name", "id", "group", "email", "variant", "folder"))
    for variant in variants:
        people = variant.students or (None,)
        for student, label in zip(people, labels[variant.number], strict=True):
            cover = {"student": student, "variant": variant.sha256[:8], "number": variant.number}
            covers.append(cover)
            page = rendered(covers=[cover | {"number": ""}])
            write_text(folder / STUDENTS / label / "cover.html", page)
            who = (student.name, student.id, student.group, student.email) if student else ("", "", "", "")
            table.writerow((*who, variant.number, f"{STUDENTS}/{label}"))
    teacher = folder / TEACHER
    write_text(teacher / f"covers{sitting}.html", rendered(covers=covers))
    replace_file(teacher / f"merge{sitting}.csv", partial(_copy, text.getvalue().encode("utf-8-sig")))
