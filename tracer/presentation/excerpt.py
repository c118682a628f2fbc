"""What is shown where there is too much: the first and the last of many, and how many there are in words."""

from __future__ import annotations


def kept(count: int, most: int, first: int, last: int) -> list[int | None]:
    """The places that are shown of so many, from 0; None stands for those left out.

    >>> kept(3, 5, 2, 1), kept(9, 5, 2, 1)
    ([0, 1, 2], [0, 1, None, 8])
    """
    return [*range(count)] if count <= most else [*range(first), None, *range(count - last, count)]


def counted(number: int, one: str, several: str = "") -> str:
    """The number with its word.

    >>> counted(1, "epoch"), counted(2, "pass", "passes"), counted(2000, "value")
    ('1 epoch', '2 passes', '2,000 values')
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
