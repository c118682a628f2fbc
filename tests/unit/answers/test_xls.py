"""Old workbooks are read as new ones are; what a reader could not bear is refused before it sees it."""

import struct
import time

import pytest

from tests import old_books as old
from tracer.answers.compound import CompoundError, CompoundFile, compound_file
from tracer.answers.key import key_of
from tracer.answers.naming import named
from tracer.answers.reading import AnswerError, read_content
from tracer.answers.xls import MOST_RECORDS, MOST_SHEETS
from tracer.problem.reading import load_problem

Z1 = [old.label(0, 0, "Z1"), *(old.number(1 + i, j, 1.5 + i + j / 4) for i in range(3) for j in range(3))]


def entries(content: bytes, matrix: str = "Z1") -> list[list[tuple[str, float]]]:
    answers = named(read_content("a.xls", content), key_of(load_problem("article")))
    return [[(each.kind, each.value) for each in row] for row in answers.matrices[matrix]]


def refused(content: bytes) -> str:
    started = time.process_time()
    with pytest.raises(AnswerError) as wrong:
        read_content("a.xls", content)
    assert time.process_time() - started < 3
    assert str(wrong.value).startswith("a.xls: ")
    return str(wrong.value)


def test_numbers_and_their_name_are_read() -> None:
    expected = [[("number", 1.5 + i + j / 4) for j in range(3)] for i in range(3)]
    assert entries(old.xls(Z1)) == expected
    assert entries(old.container(old.stream(Z1), "Book")) == expected


def test_every_kind_of_cell_is_read() -> None:
    cells = [
        old.shared(0, 0, 1), old.whole(1, 0, 7, -4), old.formula(1, 2, 0.25),
        (0x027E, struct.pack("<3Hi", 2, 0, 0, 10)), old.label(2, 1, "3/8"),
        (0x0205, struct.pack("<3H2B", 2, 2, 0, 1, 0)), old.number(3, 0, 2.0),
    ]  # fmt: skip
    rows = entries(old.xls(cells, shared=old.texts("other", "Z1")))
    assert [value for _, value in rows[0]] == [7.0, -4.0, 0.25]
    assert rows[1][:2] == [("number", 2.0), ("number", 0.375)] and rows[1][2][0] == "unreadable"
    assert rows[2][0] == ("number", 2.0) and rows[2][1][0] == "blank"


def test_texts_that_go_on_in_another_record_are_read() -> None:
    many = [f"text {k}" for k in range(400)]
    kind, data = old.texts(*many, "Z1")
    cut = 8 + sum(len(old.text(each)) for each in many[:300])
    content = old.stream(
        [old.shared(0, 0, 400), *Z1[1:]], shared=(kind, data[:cut]), before=(),
    )  # fmt: skip
    shared = old.packed([(kind, data[:cut])])
    at = content.index(shared) + len(shared)
    more = old.packed([(0x003C, data[cut:])])
    start = content.index(struct.pack("<2H", 0x0085, 10)) + 4
    moved = struct.unpack_from("<I", content, start)[0] + len(more)
    content = content[:start] + struct.pack("<I", moved) + content[start + 4 : at] + more + content[at:]
    assert entries(old.container(content))[0][0] == ("number", 1.5)


def test_a_formula_is_its_value_and_is_never_looked_at() -> None:
    odd = b"\x23\xff\xff\x00\x00" * 50  # a name that is not there
    assert entries(old.xls([Z1[0], old.formula(1, 0, 1.5, odd), *Z1[2:]]))[0][0] == ("number", 1.5)


FAR = [old.number(0, 0, 1.0), old.number(65_535, 65_535, 1.0)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (old.xls(FAR), "row 65,536 and column 65,536, too far to read"),
        (old.xls(*[[old.number(1_000, 99, 1.0)]] * 6), "row 1,001 and column 100, too far to read"),
        (old.xls([old.whole(0, 60_000, *[1] * 900), old.number(500, 0, 1.0)]), "too far to read"),
        (old.xls(*[Z1] * (MOST_SHEETS + 1)), f"more than {MOST_SHEETS} sheets"),
        (old.xls(*[[(0x0001, b"")] * 10_000] * (MOST_RECORDS // 10_000 + 1)), f"more than {MOST_RECORDS:,} records"),
        (old.xls(Z1, before=((0x002F, b"\1\0"),)), "protected by a password"),
        (old.xls(Z1, shared=old.texts("a", count=2**31 - 1)), "fewer texts than it says"),
        (
            old.xls([old.shared(k, 0, 0) for k in range(20_000)], shared=old.texts("a" * 30_000)),
            "its text is too long",
        ),
        (old.stream(Z1), "not an .xls workbook"),
        (old.container(old.stream(Z1), "WordDocument"), "no Workbook in it"),
        (old.container(old.stream(Z1)[:-4] + b"\x03\x02\xff\x7f"), "a record is cut off"),
        (old.container(old.stream(Z1), table=[old.TABLE, old.END, *range(3, 9), 2]), "has no end"),
        (old.container(old.stream(Z1), table=[old.TABLE, old.END, 70_000]), "leads nowhere"),
        (old.xls(Z1)[:600], "damaged"),
        (b"", "not an .xls workbook"),
        (b"PK\3\4", "not an .xls workbook"),
    ],
)  # fmt: skip
def test_what_no_reader_could_bear_is_refused(content: bytes, says: str) -> None:
    assert says in refused(content)


def test_parts_that_lie_over_one_another_are_refused() -> None:
    """A second sheet begins inside the first one's first cell; what is blanked out there makes that record longer."""
    cell = old.packed([old.number(0, 0, 0.0)])
    content = old.stream([old.number(0, 0, 0.0), *Z1], []).ljust(8_192, b"\0")
    entry = content.rindex(struct.pack("<2H", 0x0085, 10)) + 4
    inside = struct.pack("<I", content.index(cell) + 2)
    assert "its parts overlap" in refused(old.container(content[:entry] + inside + content[entry + 4 :]))
    assert read_content("a.xls", old.container(content))


@pytest.mark.parametrize("length", [1, 4_095, 4_096, 4_097, 9_000_000])
def test_a_container_gives_back_what_was_put_in(length: int) -> None:
    stream = b"a" * length
    assert CompoundFile(compound_file("Workbook", stream)).stream("Workbook").rstrip(b"\0") == stream


def test_a_small_stream_is_read_from_among_the_small_ones() -> None:
    content = bytearray(old.container(b"abc"))
    tables = 1
    root, entry = 512 * (1 + tables), 512 * (1 + tables) + 128
    struct.pack_into("<2I", content, root + 116, tables + 1, 4096)
    struct.pack_into("<2I", content, entry + 116, 0, 3)
    content += struct.pack("<128I", old.END, *[old.FREE] * 127)
    struct.pack_into("<2I", content, 60, len(content) // 512 - 2, 1)
    struct.pack_into("<I", content, 512 + 4 * (len(content) // 512 - 2), old.END)
    assert CompoundFile(bytes(content)).stream("Workbook") == b"abc"


def test_other_sizes_of_sectors_are_no_compound_file() -> None:
    content = bytearray(old.xls(Z1))
    content[30] = 20
    with pytest.raises(CompoundError, match="odd size"):
        CompoundFile(bytes(content))
