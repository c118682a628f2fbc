"""An old workbook (.xls) looked through before a reader sees it: its cells, and how far they reach.

It comes from a stranger. Every record but those of cells, texts and formats is blanked out, what a reader would make
room for is bounded, and the rest is put into a fresh container, as the reader's only input.
Source: [MS-XLS], Microsoft's description of the format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tracer.answers.compound import CompoundError, CompoundFile, compound_file
from tracer.answers.extent import MOST_AREA, MOST_TEXTS
from tracer.answers.handed_in import AnswerError
from tracer.zips import damage

STREAMS = ("Workbook", "Book")  # since 1997, and before
BEGIN, FINISH, SHEET, TEXTS, MORE, PROTECTED = 0x0809, 0x000A, 0x0085, 0x00FC, 0x003C, 0x002F
CODE_PAGE, FORMAT, CELL_FORMAT, DATES = 0x0042, 0x041E, 0x00E0, 0x0022
FORMULA, NUMBER, LABEL, TRUTH, FORMULA_TEXT, SHORT, SHARED_LABEL, SHORTS = (
    0x0006, 0x0203, 0x0204, 0x0205, 0x0207, 0x027E, 0x00FD, 0x00BD,
)  # fmt: skip
CELLS = {FORMULA, NUMBER, LABEL, TRUTH, SHORT, SHARED_LABEL, SHORTS}  # which begin with row and column
READ = CELLS | {BEGIN, FINISH, SHEET, TEXTS, CODE_PAGE, FORMAT, CELL_FORMAT, DATES, FORMULA_TEXT}
NOTHING = 0x0FFF  # the kind of a record that no reader knows
MOST_SHEETS, MOST_RECORDS = 200, 1_000_000
LEAST_TEXT, LONGEST_TEXT = 3, 32_767  # bytes of a shared text at least; its characters at most
VALUE = 20  # bytes of a formula's record up to where the formula itself begins, its value among them


def checked_xls(name: str, content: bytes) -> bytes:
    """An .xls that can be read safely. Raises AnswerError where it cannot."""
    try:
        stream = bytearray(CompoundFile(content).stream(*STREAMS))
        _Records(name, stream).look_through()
        if _Records(name, stream).look_through():  # parts that lie over one another
            raise CompoundError("its parts overlap")
        return compound_file(STREAMS[0], bytes(stream))
    except (CompoundError, struct.error) as wrong:
        raise AnswerError(f"{name}: not an .xls workbook, or a damaged one ({damage(wrong)})") from None


@dataclass
class _Extent:
    """How far the cells of a sheet reach from its first one on, and how many of them are shared texts."""

    rows: int = 0
    columns: int = 0
    texts: int = 0

    def with_cell(self, row: int, column: int, shared: bool) -> None:
        self.rows, self.columns = max(self.rows, row + 1), max(self.columns, column + 1)
        self.texts += shared


class _Records:
    """The records of a workbook's stream; what is not read is blanked out in it."""

    def __init__(self, name: str, stream: bytearray) -> None:
        self.name, self.stream = name, stream
        self.left = MOST_RECORDS
        self.texts = 0  # bytes of shared texts
        self.blanked = False

    def look_through(self) -> bool:
        """Whether something had to be blanked out."""
        sheets = self._globals()
        if len(sheets) > MOST_SHEETS:
            raise AnswerError(f"{self.name}: more than {MOST_SHEETS} sheets")
        extents = [self._sheet(at) for at in sheets]
        if sum(each.rows * each.columns for each in extents) > MOST_AREA:
            far = max(extents, key=lambda each: each.rows * each.columns)
            says = f"a sheet reaches to row {far.rows:,} and column {far.columns:,}, too far to read"
            raise AnswerError(f"{self.name}: {says}")
        if sum(each.texts for each in extents) * min(self.texts, LONGEST_TEXT) > MOST_TEXTS:
            raise AnswerError(f"{self.name}: its text is too long to read; save it as .xlsx")
        return self.blanked

    def _globals(self) -> list[int]:
        """Where the sheets begin. The texts that they share may go on in further records."""
        sheets, texts, in_texts = list[int](), 0, False
        for kind, at, length in self._from(0):
            if kind == PROTECTED:
                raise AnswerError(f"{self.name}: is protected by a password; save it without one")
            if kind == SHEET:
                sheets.append(struct.unpack_from("<I", self.stream, at)[0])
            if kind == TEXTS:
                (texts,) = struct.unpack_from("<I", self.stream, at + 4)
            in_texts = kind == TEXTS or (kind == MORE and in_texts)
            self.texts += length if in_texts else 0
            if not in_texts:
                self._blank_out(kind, at)
        if texts * LEAST_TEXT > self.texts:
            raise CompoundError("fewer texts than it says")
        return sheets

    def _sheet(self, start: int) -> _Extent:
        extent = _Extent()
        for kind, at, length in self._from(start):
            if kind in CELLS:
                row, column = struct.unpack_from("<2H", self.stream, at)
                extent.with_cell(row, self._last(kind, at, length, column), kind == SHARED_LABEL)
            if kind == FORMULA:  # nothing is evaluated
                self._clear(at + VALUE, at + length)
            self._blank_out(kind, at)
        return extent

    def _last(self, kind: int, at: int, length: int, column: int) -> int:
        """The column of a record's last cell."""
        if kind != SHORTS or length < 6:
            return column
        (last,) = struct.unpack_from("<H", self.stream, at + length - 2)
        return max(column, int(last))

    def _from(self, at: int) -> Iterator[tuple[int, int, int]]:
        """Kind, place and length of the records up to the end of a part."""
        while at + 4 <= len(self.stream):
            kind, length = struct.unpack_from("<2H", self.stream, at)
            self.left -= 1
            if self.left < 0:
                raise AnswerError(f"{self.name}: more than {MOST_RECORDS:,} records")
            if at + 4 + length > len(self.stream):
                raise CompoundError("a record is cut off")
            yield kind, at + 4, length
            if kind == FINISH:
                return
            at += 4 + length

    def _blank_out(self, kind: int, at: int) -> None:
        if kind not in READ and kind != NOTHING:
            struct.pack_into("<H", self.stream, at - 4, NOTHING)
            self.blanked = True

    def _clear(self, start: int, end: int) -> None:
        if any(self.stream[start:end]):
            self.stream[start:end] = bytes(end - start)
            self.blanked = True
