"""Changes that somebody has read and found to change nothing, so that nobody has to read them again.

`equal.json` lists for each the file, the code (whole lines) before and after, and the reason in a few words.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.places import Place

LISTED = Path(__file__).with_name("equal.json")


@dataclass(frozen=True)
class Equal:
    """A change told by its lines: a number of a line moves with every edit above it."""

    path: str
    before: str
    after: str

    @classmethod
    def of(cls, place: Place, text: str) -> "Equal":
        """What a change makes of the lines it is in, blanks aside, in a file with this text."""
        first = text.rfind("\n", 0, place.start) + 1
        last = text.find("\n", place.end)
        end = len(text) if last < 0 else last
        after = text[first : place.start] + place.new + text[place.end : end]
        return cls(place.path, _plain(text[first:end]), _plain(after))


def known_to_be_equal(listed: Path = LISTED) -> Mapping[Equal, str]:
    """The listed changes, each with its reason."""
    entries = json.loads(listed.read_text(encoding="utf-8"))
    return {Equal(each["path"], each["before"], each["after"]): each["why"] for each in entries}


def _plain(lines: str) -> str:
    return " ".join(lines.split())
