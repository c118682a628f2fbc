"""What a class handed in: single files, folders of them and zips, also as Moodle packs them.

Nothing is unpacked to disk. Folders and zips come from strangers: their sizes are bounded, paths that climb out of
a zip are refused, a zip in them is not opened.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath

from tracer.answers.handed_in import MOST_TEXT, AnswerError, Answers
from tracer.answers.reading import MOST_BYTES, read_answers, read_content
from tracer.classroom.class_marks import is_marks
from tracer.files import open_regular, safe_name
from tracer.zips import DAMAGED, damage

MOST_FILES = 200_000
MOST_UNPACKED = 2_000_000_000  # bytes of all files of a zip together
MOST_LISTED, LONGEST_END = 40_000_000, 66_000  # bytes: of a zip's list of files, and of what comes after the list
JOURNAL = "journal.sqlite"
OWN_FILES = (JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm", "todo.csv", "class.html", "class-private.html", "class.xlsx")
OWN_ENDINGS = (".marked.xlsx", ".feedback.html")  # what the reports are called

_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>[0-9]{1,20})_assignsubmission_(?:file|onlinetext)_?(?P<rest>.*)", re.ASCII)
_JUNK = re.compile(r"\..*|~\$.*|__MACOSX|Thumbs\.db|desktop\.ini", re.IGNORECASE)


@dataclass(frozen=True)
class Submission:
    """One file of answers, not read yet: on disk, or a `member` of a zip. `name` is what reports call it.

    `fault` says why it cannot be read, where that is known already.
    """

    name: str
    path: Path
    member: str | None = None
    fault: str = ""

    def read(self) -> Answers:
        """The answers; who wrote them is taken from Moodle's name where the file says nothing.

        Raises AnswerError where they cannot be read.
        """
        if self.fault:
            raise AnswerError(f"{self.name}: {self.fault}")
        if self.member is None:
            answers = replace(self._on_disk(), file=self.name)
        else:
            answers = read_content(self.name, self._unpacked(self.member))
        return self.signed(answers)

    def signed(self, answers: Answers) -> Answers:
        """Answers with who wrote them, as the file's name has it where they say nothing."""
        student = {**self.student, **{key: text for key, text in (answers.student or {}).items() if text}}
        return replace(answers, student=student or None)

    @property
    def student(self) -> dict[str, str]:
        """Name and number in the name of Moodle's folder or file."""
        found = next(filter(None, map(_MOODLE.fullmatch, PurePosixPath(self.name).parts)), None)
        return {key: found[key][:MOST_TEXT] for key in ("name", "id")} if found else {}

    @property
    def from_platform(self) -> bool:
        """Whether a learning platform named it after who was logged in."""
        return any(map(_MOODLE.fullmatch, PurePosixPath(self.name).parts))

    def _on_disk(self) -> Answers:
        try:
            return read_answers(self.path)
        except AnswerError as wrong:  # names the file alone, not which one of several folders
            raise AnswerError(f"{self.name}: {str(wrong).removeprefix(f'{self.path.name}: ')}") from None

    def _unpacked(self, member: str) -> bytes:
        try:
            with _archive(self.path).open(member) as part:
                return part.read(MOST_BYTES)
        except DAMAGED as wrong:
            raise AnswerError(f"{self.name}: cannot be unpacked ({damage(wrong)})") from None


def _archive(path: Path) -> zipfile.ZipFile:
    """An open zip; a class in one is not looked up again for every student."""
    return _opened_by(os.getpid(), path)


@lru_cache(maxsize=1)
def _opened_by(process: int, path: Path) -> zipfile.ZipFile:
    """A zip that a process opened itself: copies of a process share the place in a file that is open already."""
    return zipfile.ZipFile(path)


def collect(paths: Iterable[Path], problem: Path | None = None) -> list[Submission]:
    """The files of answers in some files, folders and zips, in the order given, folders by the alphabet.

    The file of the problem, where it lies among them, is none.
    """
    found = (each for path in paths for each in _found(path))
    return [each for each in found if problem is None or not _is_same(each.path, problem)]


def _is_same(one: Path, other: Path) -> bool:
    return one.name == other.name and one.resolve() == other.resolve()


def is_many(path: Path) -> bool:
    """Whether a path may hold several files."""
    return path.is_dir() or path.suffix.lower() == ".zip"


def _found(path: Path) -> Iterator[Submission]:
    if path.is_dir():
        yield from _in_folder(path)
    elif path.suffix.lower() == ".zip":
        yield from _in_zip(path)
    else:
        yield Submission(path.name, path)


def when(hand_in: Submission) -> float:
    """When a file was last changed, in seconds, as far as is known; a zip's times have no time zone and two seconds."""
    try:
        if hand_in.member is None:
            return hand_in.path.stat().st_mtime
        return datetime(*_archive(hand_in.path).getinfo(hand_in.member).date_time, tzinfo=UTC).timestamp()
    except (*DAMAGED, KeyError, ValueError):
        return 0.0


def content(hand_in: Submission) -> bytes:
    """What is in a file, as far as it is read; nothing where it cannot be."""
    try:
        if hand_in.member is None:
            with open_regular(hand_in.path) as file:
                return file.read(MOST_BYTES + 1)
        with _archive(hand_in.path).open(hand_in.member) as part:
            return part.read(MOST_BYTES + 1)
    except DAMAGED:
        return b""


def _in_folder(folder: Path) -> Iterator[Submission]:
    faults: list[Submission] = []
    found = sorted(islice(_files(folder, faults), MOST_FILES + 1))
    for path in found[:MOST_FILES]:
        name = path.relative_to(folder)
        if not _is_no_answer(name.parts) and not is_marks(path) and not _is_ours(path):
            yield Submission(name.as_posix(), path, fault=_fault_of(name.name))
    if len(found) > MOST_FILES:
        yield Submission(folder.name, folder, fault=_rest())
    yield from faults


def _files(top: Path, faults: list[Submission]) -> Iterator[Path]:
    """The regular files in a folder and those in it; one that cannot be opened is a fault."""
    folders = [top]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif entry.is_file(follow_symlinks=False):
                        yield Path(entry.path)
        except OSError as wrong:
            name = folder.relative_to(top).as_posix() if folder != top else folder.name
            faults.append(Submission(name, folder, fault=f"this folder cannot be opened ({wrong.strerror})"))


def _rest() -> str:
    return f"holds more than {MOST_FILES:,} files; the rest is not read"


def _is_no_answer(parts: Sequence[str]) -> bool:
    """What a system left in a folder, and reports that were written there before."""
    return any(map(_JUNK.fullmatch, parts)) or parts[-1].lower().endswith(OWN_ENDINGS)


def _is_ours(path: Path) -> bool:
    """Whether it is what was written of a class, beside its journal."""
    return path.name in OWN_FILES and (path.parent / JOURNAL).exists()


def _fault_of(name: str) -> str:
    return (
        "a zip inside a folder or another zip is not opened; give it on its own"
        if name.lower().endswith(".zip")
        else ""
    )


def _in_zip(path: Path) -> Iterator[Submission]:
    try:
        if _listing(path) > MOST_LISTED:
            yield Submission(path.name, path, fault=f"lists more than {MOST_FILES:,} files")
            return
        entries = _archive(path).infolist()
    except DAMAGED as wrong:
        says = wrong.strerror if isinstance(wrong, OSError) and wrong.strerror else damage(wrong)
        yield Submission(path.name, path, fault=f"cannot be read as a zip ({says})")
        return
    if refused := _refused(entries):
        yield Submission(path.name, path, fault=refused)
        return
    counts = Counter(each.filename for each in entries)
    for entry in sorted(_archive(path).NameToInfo.values(), key=lambda each: each.filename)[:MOST_FILES]:
        parts = PurePosixPath(entry.filename).parts
        if not entry.is_dir() and parts and not _is_no_answer(parts):
            yield Submission(entry.filename, path, entry.filename, _fault_of_entry(entry))
            if counts[entry.filename] > 1:
                says = f"stands in the zip {counts[entry.filename]} times; the last one is marked"
                yield Submission(entry.filename, path, fault=says)
    if len(counts) > MOST_FILES:
        yield Submission(path.name, path, fault=_rest())


def _listing(path: Path) -> int:
    """How many bytes the list of files at a zip's end takes, as far as it says: zipfile reads all of it at once."""
    with open_regular(path) as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - LONGEST_END))
        end = file.read()
    at = end.rfind(b"PK\x05\x06")
    wide = end[at - 20 : at - 16] == b"PK\x06\x07"  # then the length before it counts, in eight bytes
    length = end[at - 36 : at - 28] if wide else end[at + 12 : at + 16]
    return int.from_bytes(length, "little") if at >= 0 else 0


def _refused(entries: Sequence[zipfile.ZipInfo]) -> str:
    """Why a zip as a whole is not read."""
    climbing = next((each.filename for each in entries if _climbs(each.filename)), None)
    if climbing is not None:
        return f"holds {climbing[:MOST_TEXT]!r}, a path that leads outside the zip"
    if sum(each.file_size for each in entries) > MOST_UNPACKED:
        return f"unpacks to more than the {MOST_UNPACKED:,} bytes that are read"
    return ""


def _climbs(name: str) -> bool:
    windows = PureWindowsPath(name)
    return ".." in windows.parts or bool(windows.drive or windows.root) or "\\" in name


def _fault_of_entry(entry: zipfile.ZipInfo) -> str:
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.file_size > MOST_BYTES:
        return f"{entry.file_size:,} bytes is too large for work done by hand (at most {MOST_BYTES:,})"
    return _fault_of(PurePosixPath(entry.filename).name)


# What the reports are called


def labels(submissions: Sequence[Submission], folder: Path) -> list[str]:
    """What the reports of each file are called: its stem, and as much more as tells it from the others.

    No report takes the place of a file of answers in `folder`.
    """
    forms = [list(_forms(each)) for each in submissions]
    counted = [Counter(_folded(each[k]) for each in forms) for k in range(len(forms[0]))] if forms else []
    taken = [each.path for each in submissions if each.name.lower().endswith(OWN_ENDINGS)]
    found: list[str] = []
    used: set[str] = set()
    for own in forms:
        label = next((form for k, form in enumerate(own) if counted[k][_folded(form)] == 1), own[-1])
        number, plain = 1, label
        while _folded(label) in used or any(
            _is_same(folder / f"{label}{end}", path) for end in OWN_ENDINGS for path in taken
        ):
            number += 1
            label = f"{plain}-{number}"
        used.add(_folded(label))
        found.append(label)
    return found


def _forms(each: Submission) -> Iterator[str]:
    """Shorter and longer names for a file's reports."""
    path = PurePosixPath(each.name)
    folders = [found["name"] + "_" + found["id"] if (found := _MOODLE.fullmatch(part)) else part for part in path.parts]
    yield safe_name(path.stem)
    yield safe_name("-".join((*folders[:-1], path.stem)))
    yield safe_name("-".join((*folders[:-1], path.name)))


def _folded(label: str) -> str:
    return label.casefold()
