"""What the search for unnoticed changes leaves out must still be in the code."""

from collections import defaultdict
from pathlib import Path

from tests.mutation.equal import Equal, known_to_be_equal
from tests.mutation.places import places
from tests.mutation.trying import Executed

ROOT = Path(__file__).resolve().parents[2]


def test_each_change_listed_as_equal_can_be_made_today() -> None:
    """Lines that were edited since were read in another form: their entries must go."""
    listed = defaultdict(set)
    for each in known_to_be_equal():
        listed[each.path].add(each)
    for path, equal in listed.items():
        text = (ROOT / path).read_text("utf-8")
        assert equal <= {Equal.of(place, text) for place in places(path, text)}


def test_a_change_is_told_by_its_whole_lines() -> None:
    text = "a = 1\nb = (\n    2 <  3\n)\n"
    equal = {Equal.of(place, text) for place in places("x.py", text)}
    assert Equal("x.py", "2 < 3", "(2 <= 3)") in equal
    assert Equal("x.py", "a = 1", "a = 2") in equal


def test_which_test_executes_what_can_be_kept(tmp_path: Path) -> None:
    executed = Executed(
        {"tests/a.py::one": 0.5}, {"tracer/x.py": {3: ["tests/a.py::one"]}}, frozenset({"tests/b.py::page"}),
        {"tracer/x.py": ["tracer/y.py"]},
    )  # fmt: skip
    executed.keep(tmp_path / "executed.json")
    assert Executed.kept(tmp_path / "executed.json") == executed
