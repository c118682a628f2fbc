"""Small changes to the code, at random, and which of them no test notices: `python -m tests.mutants` (`make mutants`).

Each change is made in a copy of the project, never here. The tests run once to see which of them execute which line;
then each change is tried on those that execute its line, the quickest first, and on more where none of them fails.
Tests that hang have noticed. Tests that compare with the gallery's bytes are left out: remaking it would hide a fault.

The exit status is 0 whatever survives, unless `--least 95` asks for so many per cent to be noticed. A change that
makes no difference counts as survived until `tests/mutation/equal.json` lists it: read what survives before you write
a test for it. `--tests` names the cheap tests of a room, `--wider` those that decide about what these let through.
"""

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from tests.mutation.equal import Equal, known_to_be_equal
from tests.mutation.places import Place, places
from tests.mutation.trying import Copy, Executed, is_noticed

ROOT = Path(__file__).resolve().parents[1]
SOURCE, SCRIPTS = "tracer", "templates"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    chosen = _arguments(arguments)
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    found = [each for path in _files(root, chosen.files) for each in places(path, (root / path).read_text("utf-8"))]
    drawn = random.Random(seed).sample(found, min(chosen.count, len(found)))
    print(f"{len(drawn)} of {len(found)} changes, --seed {seed}", flush=True)
    equal = known_to_be_equal()
    taken = [each for each in drawn if Equal.of(each, (root / each.path).read_text("utf-8")) not in equal]
    with TemporaryDirectory() as folder:
        copies = [Copy.of(root, Path(folder, f"copy-{k}")) for k in range(chosen.jobs)]
        executed = _executed(chosen, copies[0], Path(folder, "executed"))
        print(f"{len(executed.seconds)} tests pass without a change", flush=True)
        if not executed.seconds:
            print("no change can be tried on that: do these tests exist, and do they pass?")
            return 2
        if chosen.wider and copies[0].fails_on(chosen.wider):
            print("the wider tests fail without a change")
            return 2
        survived = 0
        for place in _survivors(copies, taken, executed, chosen.wider):
            survived += 1
            print(place, flush=True)
    print(f"{len(taken) - survived} noticed, {survived} survived of {len(taken)}; {len(drawn) - len(taken)} are equal")
    return int(chosen.least is not None and 100 * (len(taken) - survived) < chosen.least * len(taken))


def _executed(chosen: argparse.Namespace, copy: Copy, folder: Path) -> Executed:
    """What each test executes: worked out, or as it was kept, which holds while few lines have moved since."""
    if chosen.executed and chosen.executed.is_file():
        return Executed.kept(chosen.executed)
    executed = Executed.by(copy, SOURCE, folder, chosen.tests, chosen.jobs)
    if chosen.executed and executed.seconds:
        executed.keep(chosen.executed)
    return executed


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.mutants", description=__doc__.partition("\n\n")[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="files or folders to change (default: all code)")
    parser.add_argument("--count", type=int, default=100, help="how many changes (100)")
    parser.add_argument("--seed", type=int, help="which changes: the same seed chooses the same ones")
    parser.add_argument("--tests", nargs="+", default=["tests"], metavar="PATH", help="tests to run (all)")
    parser.add_argument("--wider", nargs="+", default=[], metavar="PATH", help="and for what survives them (none)")
    parser.add_argument("--executed", type=Path, metavar="FILE", help="keep there which test executes what, and use it")
    parser.add_argument("--least", type=float, metavar="PERCENT", help="fail where fewer are noticed")
    parser.add_argument("--jobs", type=int, default=2, help="how many to try at a time (2)")
    return parser.parse_args(arguments)


def _files(root: Path, wanted: Sequence[str]) -> list[str]:
    """Python modules and scripts of the pages, as paths from the project's folder."""
    tops = [Path(each).resolve() for each in wanted] or [root / SOURCE, root / SCRIPTS]
    found = {file for top in tops for file in ([top] if top.is_file() else top.rglob("*")) if file.is_file()}
    return sorted(file.relative_to(root).as_posix() for file in found if file.suffix in (".py", ".js"))


def _survivors(
    copies: Sequence[Copy], taken: Sequence[Place], executed: Executed, wider: Sequence[str]
) -> Iterator[Place]:
    """The changes that no test notices, as they are found."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def survives(place: Place) -> bool:
        copy = free.get()
        try:
            return not is_noticed(copy, place, executed, wider)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as workers:
        yield from (place for place, survived in zip(taken, workers.map(survives, taken), strict=True) if survived)


if __name__ == "__main__":
    sys.exit(main())
