"""A class of 300 with variants, handed in as Moodle packs it and marked with three kills: who gets which marks."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import markdown
from tests import importers
from tests.school import Handed, hand_in, write_roster
from tracer.variation.folder import load_variants

STUDENTS, KILLS = 300, 3
PATIENCE = 1_800  # seconds


def _tracer(*arguments: str | Path) -> tuple[float, subprocess.CompletedProcess[str]]:
    start = time.monotonic()
    command = (sys.executable, "-m", "tracer", *map(str, arguments))
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    return time.monotonic() - start, ended


def _killed(folder: Path, *arguments: str | Path) -> None:
    """The command, killed once it has written some twenty reports more."""
    before = len(list(folder.glob("*.html")))
    running = subprocess.Popen(
        (sys.executable, "-m", "tracer", *map(str, arguments)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + PATIENCE
    while len(list(folder.glob("*.html"))) < before + 20 and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    running.kill()
    running.wait()


def _files(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.suffix in (".csv", ".html", ".xlsx")}


def _misjudged(handed: Sequence[Handed], rows: dict[str, dict[str, str]]) -> dict[str, list[str]]:
    """Files by what went wrong with them: whose marks went elsewhere, and honest ones that lost points."""
    found: dict[str, list[str]] = {"to the wrong person": [], "to nobody": [], "honest, not full points": []}
    for each in handed:
        row = rows[each.file]
        if each.hostile:
            continue
        if row["id"] != each.person:
            kind = "to the wrong person" if row["points"] else "to nobody"
            found[kind].append(f"{each.file}: {row['id']}, {row['unreadable'] or row['note']}")
        elif each.honest and float(row["points"]) < float(row["out_of"]):
            found["honest, not full points"].append(f"{each.file}: {row['points']} of {row['out_of']}")
    return found


def _imported(folder: Path, command: Sequence[str | Path], handed: Sequence[Handed], out: Path) -> int:
    """How many grades Moodle's port records, none of them another's than marks.csv has."""
    numbers = {each.file.split("_")[1]: each for each in handed}
    worksheet = folder / "worksheet.csv"
    with worksheet.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("Identifier", "Full name", "Grade", "Maximum grade", "Last modified (grade)"))
        for number, each in numbers.items():
            table.writerow((f"Participant {number}", each.file.split("_")[0], "", "10.00", "-"))
    _, ended = _tracer(*command, "--gradebook", "moodle", "--into", worksheet, "--out-of", "10", "--allow-lower")
    assert ended.returncode == 1, ended.stderr
    content = (out / "moodle.csv").read_bytes()
    recorded = importers.moodle(content, dict.fromkeys(numbers, ""), 10.0, dict.fromkeys(numbers, "-"))
    with (out / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        graded = {row["file"]: row["grade"] for row in csv.DictReader(file)}
    for number, grade in recorded.items():
        own = [float(graded[each.file]) for each in handed if each.file.split("_")[1] == number and graded[each.file]]
        assert grade in own
    return len(recorded)


def run(folder: Path, students: int = STUDENTS) -> str:
    """The section of RESULTS.md; the class is made in `folder`, where it is not there already."""
    rows = []
    if not (folder / "v").exists():
        write_roster(folder / "roster.csv", students)
        seconds, ended = _tracer(
            "variants", "article", "--roster", folder / "roster.csv", "--seed", "7", "-o", folder / "v"
        )
        assert ended.returncode == 0, ended.stderr
        rows.append(
            (f"{students} certified variants, a worksheet (page and workbook) and a key each", f"{seconds:.0f} s")
        )
    handed = hand_in(folder / "v", folder / "moodle.zip")
    command = ("check", folder / "v", folder / "moodle.zip", "-o", folder / "marked")
    for _ in range(KILLS):
        _killed(folder / "marked", *command)
    seconds, ended = _tracer(*command)
    rows.append((f"marking {len(handed)} files to the end, after {KILLS} kills", f"{seconds:.0f} s"))
    seconds, _ = _tracer(*command[:-1], folder / "whole")
    rows.append(("marking them in one go, with a workbook and a page each", f"{seconds:.0f} s"))
    same = _files(folder / "marked") == _files(folder / "whole")
    with (folder / "marked" / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        found = _misjudged(handed, {row["file"]: row for row in csv.DictReader(file)})
    with (folder / "marked" / "todo.csv").open(encoding="utf-8-sig", newline="") as file:
        todo = len(list(csv.DictReader(file)))
    rows.append(("files and pages identical to a run that nobody killed", "yes" if same else "no"))
    rows += [(f"marks {what}" if "to" in what.split() else what, str(len(each))) for what, each in found.items()]
    rows.append(("lines in todo.csv", str(todo)))
    rows.append(
        ("grades that Moodle's importer (its port) records", str(_imported(folder, command, handed, folder / "marked")))
    )
    for what, files in found.items():
        print(what, *files[:10], sep="\n  ", file=sys.stderr)
    count = len(list(load_variants(folder / "v")))
    text = (
        f"A class of {count}, filled in by the simulator: pages, workbooks, CSV and text, "
        "one in five with a misconception, a tenth of them namesakes, two who swapped their ids, some who handed in "
        "twice, one who borrowed a variant, four hostile files."
    )
    return "\n\n".join(("## A class with variants", text, markdown(("what", ""), rows))) + "\n"


def report() -> str:
    """The section of RESULTS.md."""
    with TemporaryDirectory() as name:
        return run(Path(name))


if __name__ == "__main__":
    print(run(Path(sys.argv[1])) if len(sys.argv) > 1 else report())
