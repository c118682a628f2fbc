"""The colours, once for workbook and page.

Yellow is what is being computed, orange what it is computed from. In greyscale yellow is nearly
white and orange a clear grey; borders and marks say the same without colour.
"""

from typing import Literal, TypeAlias

Highlight: TypeAlias = Literal["active", "input", "plain"]
"""What a matrix is to the step that is shown: computed in it, computed from, or known already."""

ACTIVE = "FFF176"  # yellow
INPUT = "F9BC7A"  # orange
FAINT_ACTIVE, FAINT_INPUT = "FFFBD6", "FDE4C8"  # beside the cells that are worked
HEADING = "ECEFF1"
LINE = "B0BEC5"
INK = "212121"
TYPED = "0000FF"  # the blue of spreadsheet modellers: a number that somebody typed
POSITIVE = "1565C0"  # a connection of positive weight, drawn solid
NEGATIVE = "C2410C"  # a connection of negative weight, drawn dashed

ACTIVE_MARK = "▶"
INPUT_MARK = "•"

LEGEND = (
    ("active", f"{ACTIVE_MARK} computed in this step"),
    ("input", f"{INPUT_MARK} computed from"),
    ("plain", "already known"),
)

RIGHT = "DCEDC8"  # behind an answer that follows from the learner's own work
AGAIN = "FFCDD2"  # behind one to look at again; ✓ and ✗ beside them say the same without colour
COARSE = "FFF9C4"  # behind one that has too few digits, or is no number
