"""What students hand in, in the forms in which they do: blocks with a name, tables, printed arrays."""

import io
from collections.abc import Callable, Sequence

import numpy as np
from openpyxl import Workbook

Rows = Sequence[Sequence[str]]
Block = tuple[str, Rows]
Random = np.random.Generator
MOST_ACROSS = 14  # columns of a board, about


def _labelled(rows: Rows, random: Random) -> list[list[str]]:
    """Rows with numbers or names of units before them and above."""
    across, down = len(rows[0]), len(rows)
    heads = [f"h{j + 1}" for j in range(across)] if random.random() < 0.5 else [str(j + 1) for j in range(across)]
    return [["", *heads], *([str(i + 1), *row] for i, row in zip(range(down), rows, strict=True))]


def _under(name: str, rows: Rows, random: Random) -> list[list[str]]:
    """A name, with the shape behind it now and then, over its rows."""
    if random.random() < 0.2:
        corner = _labelled(rows, random)
        return [[name, *corner[0][1:]], *corner[1:]]
    if random.random() < 0.2:
        return [["", name], *([str(i + 1), *row] for i, row in enumerate(rows))]
    shape = ["", f" ({len(rows)}×{len(rows[0])})", f" {len(rows)}x{len(rows[0])}", ":"][random.integers(4)]
    return [[name + shape], *(_labelled(rows, random) if random.random() < 0.3 else [list(row) for row in rows])]


def _commas(rows: Rows) -> list[list[str]]:
    return [[cell.replace(".", ",") for cell in row] for row in rows]


def csv_blocks(blocks: Sequence[Block], random: Random) -> bytes:
    lines = []
    for name, rows in blocks:
        lines += [*_under(name, rows, random), [""]]
    return "\n".join(",".join(line) for line in lines).encode()


def semicolons_and_decimal_commas(blocks: Sequence[Block], random: Random) -> bytes:
    lines = []
    for name, rows in blocks:
        lines += [[name], *_commas(rows)]  # the next name ends a block
    return "\r\n".join(";".join(line) for line in lines).encode("utf-8-sig")


def names_to_the_left(blocks: Sequence[Block], random: Random) -> bytes:
    lines = []
    for name, rows in blocks:
        lines += [[name if i == 0 else "", *row] for i, row in enumerate(_commas(rows))]
        lines += [[""]] * int(random.integers(2))
    return "\n".join("\t".join(line) for line in lines).encode("utf-16")


def board(blocks: Sequence[Block], random: Random) -> list[list[str]]:
    """One sheet: blocks side by side with a column between them, or none."""
    sheet: list[list[str]] = []
    gap, band, across = int(random.integers(2)), [], 0
    centred = gap > 0 and bool(random.integers(2))  # over numbers that touch it could be the middle of several
    for block in (*blocks, None):
        if block is None or (band and across + len(block[1][0]) > MOST_ACROSS):
            sheet += [*_side_by_side(band, gap, centred), [""]]
            band, across = [], 0
        if block is not None:
            band.append(block)
            across += len(block[1][0]) + gap
    return sheet


def _side_by_side(band: Sequence[Block], gap: int, centred: bool) -> list[list[str]]:
    lines: list[list[str]] = [[] for _ in range(1 + max((len(rows) for _, rows in band), default=0))]
    for name, rows in band:
        width = len(rows[0])
        before = (width - 1) // 2 if centred else 0
        cells = [
            [*[""] * before, name, *[""] * (width - 1 - before)],
            *rows,
            *[[""] * width] * (len(lines) - 1 - len(rows)),
        ]
        for line, row in zip(lines, cells, strict=True):
            line += [*row, *[""] * gap]
    return lines


def csv_board(blocks: Sequence[Block], random: Random) -> bytes:
    return "\n".join(",".join(line) for line in board(blocks, random)).encode()


def workbook(blocks: Sequence[Block], random: Random) -> bytes:
    """A book of one's own, in which a sheet keeps no trailing zeros."""
    book, half = Workbook(), len(blocks) // 2
    sheet = book.active
    assert sheet is not None
    for part in (blocks[:half], blocks[half:]):
        for line in board(part, random):
            sheet.append([_typed(cell) for cell in line])
        sheet = book.create_sheet("second")
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _typed(cell: str) -> float | str | None:
    try:
        return float(cell)
    except ValueError:
        return cell or None


def markdown(blocks: Sequence[Block], random: Random) -> bytes:
    text = "# My answers\n\n"
    for name, rows in blocks:
        head = [f"## {name}", f"**{name}**", f"`{name}` =", f"{name}:"][random.integers(4)]
        lines = _labelled(rows, random) if random.random() < 0.5 else [[""] * len(rows[0]), *rows]
        table = [f"| {' | '.join(line)} |" for line in lines]
        text += "\n".join([head, "", table[0], f"|{'---|' * len(lines[0])}", *table[1:], "", ""])
    return text.encode()


def _brackets(rows: Rows, comma: str, line: str) -> str:
    return "[" + line.join("[" + comma.join(row) + "]" for row in rows) + "]"


def printed(blocks: Sequence[Block], random: Random) -> bytes:
    """As numpy prints, with and without `array`, the name before or on the line above."""
    text = ""
    for name, rows in blocks:
        spaced, tight, lined = (_brackets(rows, *marks) for marks in ((", ", ",\n       "), (",", ","), ("  ", "\n ")))
        text += [
            f"{name} = array({spaced})\n",
            f"{name}:\n{lined}\n",
            f">>> {name}\narray({spaced}, dtype=float64)\n",
            f"{name} {lined}\n\n",
            f"{name} = np.array({tight})\n",
            "\n".join([name, *map(" ".join, rows), ""]),
            f"{name} = {tight};\n",
        ][random.integers(7)]
    return text.encode()


def lists(blocks: Sequence[Block], random: Random) -> bytes:
    pairs = ", ".join(f'"{name}": {_brackets(rows, ", ", ", ")}' for name, rows in blocks)
    return f"answers = {{{pairs}}}\n".encode()


FORMS: dict[str, tuple[str, Callable[[Sequence[Block], Random], bytes]]] = {
    "blocks in CSV": ("a.csv", csv_blocks),
    "semicolons and decimal commas": ("a.csv", semicolons_and_decimal_commas),
    "names to the left, tabs": ("a.tsv", names_to_the_left),
    "a board in CSV": ("a.csv", csv_board),
    "a workbook of one's own": ("a.xlsx", workbook),
    "tables in Markdown": ("a.md", markdown),
    "printed arrays": ("a.txt", printed),
    "lists": ("a.txt", lists),
}
