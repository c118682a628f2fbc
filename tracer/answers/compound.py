"""Compound files, the container of .xls: one stream taken out of a stranger's, and one put into a fresh container.

Chains of sectors are followed no further than the file is long, so that none goes round in a circle.
Source: [MS-CFB], Microsoft's description of the format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import cached_property

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD  # in the table of sectors: unused, a chain's end, the table
LAST = 0xFFFFFFFA  # the highest number of a sector
SHIFTS = (9, 12)  # sectors have 512 or 4096 bytes
ENTRY = 128  # bytes of an entry of the directory
LEAST_LARGE = 4096  # bytes from which on a stream is not kept among the small ones
IN_HEADER = 109  # numbers of sectors of the table that the header holds


class CompoundError(ValueError):
    """A container that is damaged, or none."""


class CompoundFile:
    """The streams of a compound file. Raises CompoundError where it is damaged."""

    def __init__(self, content: bytes) -> None:
        if content[:8] != SIGNATURE or len(content) < 512:
            raise CompoundError("not a compound file")
        self.content = content
        (shift, self.small_shift) = struct.unpack_from("<2H", content, 30)
        (self.directory_at,) = struct.unpack_from("<I", content, 48)
        self.cutoff, self.small_table_at = struct.unpack_from("<2I", content, 56)
        if shift not in SHIFTS or self.small_shift != 6:
            raise CompoundError("sectors of an odd size")
        self.size = 1 << shift
        self.most = len(content) // self.size + 1

    def stream(self, *names: str) -> bytes:
        """The first stream with one of these names."""
        for name in names:
            if name in self._entries:
                start, length = self._entries[name]
                return self._small(start, length) if length < self.cutoff else self._read(start)[:length]
        raise CompoundError(f"no {names[0]} in it")

    @cached_property
    def _table(self) -> list[int]:
        """The sector that follows each one."""
        numbers = list(struct.unpack_from(f"<{IN_HEADER}I", self.content, 76))
        (at,) = struct.unpack_from("<I", self.content, 68)
        for _ in range(self.most):
            if at > LAST:
                break
            more = self._numbers(self._sector(at))
            if len(more) < self.size // 4:
                raise CompoundError("its table is cut off")
            numbers += more[:-1]
            at = more[-1]
        used = [each for each in numbers if each <= LAST][: self.most]
        return [number for each in used for number in self._numbers(self._sector(each))]

    @cached_property
    def _entries(self) -> dict[str, tuple[int, int]]:
        """First sector and length of each stream by its name; the root's is that of small streams."""
        directory, found = self._read(self.directory_at), dict[str, tuple[int, int]]()
        for at in range(0, len(directory) - ENTRY + 1, ENTRY):
            (length,) = struct.unpack_from("<H", directory, at + 64)
            name = directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            start, size = struct.unpack_from("<2I", directory, at + 116)
            found.setdefault(name, (start, size))
        return found

    def _small(self, start: int, length: int) -> bytes:
        """A stream of small sectors, which lie in a stream of the root's."""
        root = self._read(self._entries.get("Root Entry", (END, 0))[0])
        table = list(self._numbers(self._read(self.small_table_at)))
        small = 1 << self.small_shift
        chain = _chain(start, table)
        return b"".join(root[each * small : (each + 1) * small] for each in chain)[:length]

    def _read(self, start: int) -> bytes:
        return b"".join(self._sector(each) for each in _chain(start, self._table))

    def _sector(self, number: int) -> bytes:
        return self.content[(number + 1) * self.size : (number + 2) * self.size]

    @staticmethod
    def _numbers(sectors: bytes) -> Sequence[int]:
        return struct.unpack(f"<{len(sectors) // 4}I", sectors[: len(sectors) // 4 * 4])


def _chain(start: int, table: list[int]) -> Iterator[int]:
    """The sectors of a chain."""
    for _ in range(len(table)):
        if start >= len(table):
            if start != END:
                raise CompoundError("a chain of sectors leads nowhere")
            return
        yield start
        start = table[start]
    if start != END:
        raise CompoundError("a chain of sectors has no end")


def compound_file(name: str, stream: bytes) -> bytes:
    """A compound file with a single stream in it; the sector of small streams is empty, but some readers ask for it."""
    size = 1 << SHIFTS[1]
    stream += bytes(-len(stream) % size)
    count = len(stream) // size
    tables = -(-(count + 2) // (size // 4 - 1))
    if tables > IN_HEADER:
        raise CompoundError("too long for one container")
    directory_at, small_at, stream_at = tables, tables + 1, tables + 2
    header = bytearray(size)
    struct.pack_into("<8s16x5H", header, 0, SIGNATURE, 0x3E, 4, 0xFFFE, SHIFTS[1], 6)
    struct.pack_into("<9I", header, 40, 1, tables, directory_at, 0, LEAST_LARGE, END, 0, END, 0)
    struct.pack_into(f"<{IN_HEADER}I", header, 76, *range(tables), *[FREE] * (IN_HEADER - tables))
    table = [*[TABLE] * tables, END, END, *range(stream_at + 1, stream_at + count), END]
    table += [FREE] * (tables * size // 4 - len(table))
    directory = _entry("Root Entry", 5, 1, small_at, size) + _entry(name, 2, FREE, stream_at, len(stream))
    directory += bytes(size - len(directory))
    return bytes(header) + struct.pack(f"<{len(table)}I", *table) + directory + bytes(size) + stream


def _entry(name: str, kind: int, child: int, start: int, length: int) -> bytes:
    entry = bytearray(ENTRY)
    letters = (name + "\0").encode("utf-16-le")
    entry[: len(letters)] = letters
    struct.pack_into("<H2B3I", entry, 64, len(letters), kind, 1, FREE, FREE, child)
    struct.pack_into("<IQ", entry, 116, start, length)
    return bytes(entry)
