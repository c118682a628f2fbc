"""What the search for unnoticed changes leaves out must still be in the code."""

from collections import defaultdict
from pathlib import Path

from tests.mutation.equal import Equal, known_to_be_equal
from tests.mutation.places import places

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
