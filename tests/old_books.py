"""Old workbooks (.xls) record by record, in a container with small sectors: as programs of their time wrote them."""

import struct

Record = tuple[int, bytes]
FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
SECTOR = 512


def text(words: str) -> bytes:
    return struct.pack("<HB", len(words), 1) + words.encode("utf-16-le", "replace")


def number(row: int, column: int, value: float) -> Record:
    return 0x0203, struct.pack("<3Hd", row, column, 0, value)


def label(row: int, column: int, words: str) -> Record:
    return 0x0204, struct.pack("<3H", row, column, 0) + text(words)


def shared(row: int, column: int, index: int) -> Record:
    return 0x00FD, struct.pack("<3HI", row, column, 0, index)


def whole(row: int, column: int, *values: int) -> Record:
    """Whole numbers beside one another."""
    cells = b"".join(struct.pack("<Hi", 0, value << 2 | 2) for value in values)
    return 0x00BD, struct.pack("<2H", row, column) + cells + struct.pack("<H", (column + len(values) - 1) % 65_536)


def formula(row: int, column: int, value: float, tokens: bytes = b"\x1e\x01\x00") -> Record:
    return 0x0006, struct.pack("<3HdHIH", row, column, 0, value, 0, 0, len(tokens)) + tokens


def texts(*words: str, count: int | None = None) -> Record:
    """The texts that cells share; `count` is how many the record claims."""
    return 0x00FC, struct.pack("<2I", len(words), len(words) if count is None else count) + b"".join(map(text, words))


def packed(records: list[Record]) -> bytes:
    return b"".join(struct.pack("<2H", kind, len(data)) + data for kind, data in records)


def stream(*sheets: list[Record], shared: Record | None = None, before: tuple[Record, ...] = ()) -> bytes:
    """The stream of a workbook with these sheets."""
    begin, end = (0x0809, struct.pack("<2H12x", 0x0600, 0x0005)), (0x000A, b"")
    bodies = [packed([(0x0809, struct.pack("<2H12x", 0x0600, 0x0010)), *each, end]) for each in sheets]
    names = [f"S{k + 1}" for k in range(len(sheets))]

    def head(starts: list[int]) -> bytes:
        index = [
            (0x0085, struct.pack("<I2x2B", start, len(name), 0) + name.encode())
            for start, name in zip(starts, names, strict=True)
        ]
        return packed([begin, *before, *index, *([shared] if shared else []), end])

    at = len(head([0] * len(sheets)))
    starts = [at + sum(map(len, bodies[:k])) for k in range(len(bodies))]
    return head(starts) + b"".join(bodies)


def container(content: bytes, name: str = "Workbook", table: list[int] | None = None) -> bytes:
    """A compound file of small sectors: table, directory, stream; `table` in place of the right one."""
    content = content.ljust(max(4096, -(-len(content) // SECTOR) * SECTOR), b"\0")
    count = len(content) // SECTOR
    tables = (count + 2) // (SECTOR // 4 - 1) + 1
    right = [TABLE] * tables + [END, *range(tables + 2, tables + 1 + count), END]
    numbers = (table or right) + [FREE] * (tables * SECTOR // 4 - len(table or right))
    head = struct.pack("<8s16x5H10x", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<I", tables) + struct.pack("<2I", tables, 0) + struct.pack("<5I", 4096, END, 0, END, 0)
    head += struct.pack("<109I", *range(tables), *[FREE] * (109 - tables))
    entries = _entry("Root Entry", 5, END, 0) + _entry(name, 2, tables + 1, len(content))
    return head + struct.pack(f"<{len(numbers)}I", *numbers) + entries.ljust(SECTOR, b"\0") + content


def _entry(name: str, kind: int, start: int, length: int) -> bytes:
    letters = (name + "\0").encode("utf-16-le")
    return letters.ljust(64, b"\0") + struct.pack("<H2B3I36x2I4x", len(letters), kind, 1, FREE, FREE, 1, start, length)


def xls(*sheets: list[Record], shared: Record | None = None, before: tuple[Record, ...] = ()) -> bytes:
    return container(stream(*sheets, shared=shared, before=before))
