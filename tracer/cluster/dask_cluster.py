"""The same marker on a Dask cluster: answers travel as bytes, results come back to the one journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from tracer.answers.reading import Answers, read_content
from tracer.classroom.many import FileResult, Marker
from tracer.classroom.submissions import Submission, content
from tracer.classroom.transcription import TypedRow
from tracer.errors import TracerError
from tracer.files import replace_file
from tracer.journal.class_run import ENDINGS, MarkAll
from tracer.processes import cores

LOCAL = "local"
AHEAD = 400  # files that are with the cluster at once
RETRIES = 20  # of a file whose worker is lost
CONNECTS = "10s"


@dataclass(frozen=True)
class SentFile(Submission):
    """A file of answers with what is in it."""

    held: bytes = b""

    def read(self) -> Answers:
        if self.fault:
            return super().read()
        answers = replace(read_content(PurePosixPath(self.name).name, self.held), file=self.name)
        return self.signed(answers)


@contextmanager
def on_cluster(address: str) -> Iterator[MarkAll]:
    """Marks on the cluster at an address, or on one of this machine's own. Raises TracerError where there is none."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise TracerError('--scheduler needs dask.distributed: pip install "backprop-tracer[cluster]"') from None
    if address == LOCAL:
        with (
            LocalCluster(n_workers=cores(), threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield _Marking(client).mark_all
        return
    try:
        client = Client(address, timeout=CONNECTS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as wrong:
        raise TracerError(f"--scheduler {address}: no cluster answers there ({wrong})") from None
    with client:
        yield _Marking(client).mark_all


@dataclass(frozen=True, eq=False)
class _Marking:
    client: Any

    def mark_all(
        self, marker: Marker, submissions: Sequence[Submission], labels: Sequence[str], advance: Callable[[], None]
    ) -> Iterator[FileResult]:
        """Mark files in their order, some ahead of the one that is waited for; reports are written here."""
        folder = marker.folder
        # a task, and nothing scattered: when every worker that has it is lost it is made again
        away = self.client.submit(_itself, replace(marker.bare(), folder=None, sheets=False), retries=RETRIES)
        waiting: list[Any] = []
        left = iter(zip(submissions, labels, strict=True))
        for number in range(len(submissions)):
            for hand_in, label in left:
                waiting.append(self.client.submit(_marked, away, _sent(hand_in), label, pure=False, retries=RETRIES))
                if len(waiting) >= AHEAD:
                    break
            result, reports = self._result(waiting, marker, submissions[number])
            if folder is not None:
                _write(folder, reports)
            advance()
            yield result

    def _result(self, waiting: list[Any], marker: Marker, hand_in: Submission) -> tuple[FileResult, dict[str, bytes]]:
        """What came of the first file; where it ended every worker that had it, a line that says so."""
        from distributed import KilledWorker

        try:
            found: tuple[FileResult, dict[str, bytes]] = waiting.pop(0).result()
            return found
        except KilledWorker:
            return marker.unmarked(hand_in, "every worker that marked it ended; the file may be damaged"), {}


def _sent(hand_in: Submission) -> Submission:
    if isinstance(hand_in, TypedRow) or hand_in.fault:
        return hand_in
    return SentFile(hand_in.name, Path(hand_in.path.name), hand_in.member, hand_in.fault, content(hand_in))


def _itself(marker: Marker) -> Marker:
    return marker


def _marked(marker: Marker, hand_in: Submission, label: str) -> tuple[FileResult, dict[str, bytes]]:
    """On a worker: the result of a file, and its reports by name."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        result = replace(marker, folder=folder if marker.reports else None).mark(hand_in, label)
        names = (f"{label}{ending}" for ending in ENDINGS.values())
        return result, {name: (folder / name).read_bytes() for name in names if (folder / name).exists()}


def _write(folder: Path, reports: dict[str, bytes]) -> None:
    for name, held in reports.items():
        replace_file(folder / name, lambda file, held=held: file.write(held))  # type: ignore[misc]
