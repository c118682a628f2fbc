"""A marked sheet for whoever asks from Python: verdicts as objects that print and show themselves in a notebook."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from html import escape
from typing import Any

from tracer.classroom.diagnosed import explained, opening
from tracer.classroom.findings import SIGNS, entry_of, findings, named, place
from tracer.classroom.report import print_marked
from tracer.judging.marking import MarkedSheet
from tracer.judging.verdicts import Mark
from tracer.presentation.palette import AGAIN, COARSE, INK, RIGHT

COLOURS = {"✓": RIGHT, "↪": RIGHT, "✗": AGAIN, "≈": COARSE}


@dataclass(frozen=True)
class Checked:
    """What became of a sheet of answers. Iterating gives a `Mark` for each cell: id, row, column, verdict, slips."""

    marked: MarkedSheet

    @property
    def score(self) -> int:
        """Cells that count."""
        return self.marked.score

    @property
    def of(self) -> int:
        """Cells that were judged."""
        return len(self.marked.marks)

    @property
    def all_right(self) -> bool:
        return self.marked.all_right

    def __iter__(self) -> Iterator[Mark]:
        return iter(self.marked.marks)

    def __len__(self) -> int:
        return len(self.marked.marks)

    def __repr__(self) -> str:
        return f"<Checked: {self.score} of {self.of} cells count>"

    def __str__(self) -> str:
        """The report that the terminal shows."""
        with redirect_stdout(io.StringIO()) as text:
            print_marked(self.marked, "hint")
        return text.getvalue().rstrip()

    def to_document(self) -> dict[str, Any]:
        """What `tracer check --json` prints."""
        return self.marked.to_document()

    def _repr_html_(self) -> str:
        rows = "".join(map(self._row, self))
        needs = "".join(
            f"<li>{escape('; '.join((each.title, *each.says)))}</li>" for each in findings(self.marked, "hint")
        )
        head = "".join(f"<th>{each}</th>" for each in ("cell", "answer", "", "verdict"))
        listed = f"<ul>{needs}</ul>" if needs else ""
        told = "".join(f"<li>{escape(f'{each.title}: {each.says}')}</li>" for each in explained(self.marked, "hint"))
        why = f"<p>{escape(opening(self.marked))}:</p><ol>{told}</ol>" if told else ""
        return f"<p>{self.score} of {self.of} cells count</p>{why}{listed}<table><tr>{head}</tr>{rows}</table>"

    def _row(self, mark: Mark) -> str:
        sign = SIGNS[mark.verdict]
        cells = (place(self.marked, mark), entry_of(self.marked, mark).text, sign, named(mark.verdict))
        colour = COLOURS.get(sign, "")
        style = f' style="background: #{colour}; color: #{INK}"' if colour else ""
        return f"<tr{style}>{''.join(f'<td>{escape(each)}</td>' for each in cells)}</tr>"
