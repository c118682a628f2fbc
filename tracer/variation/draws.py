"""Whole numbers drawn from a seed, the same on every machine and with every version of every library."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator

WORD = 2**32


class Draws:
    """A stream of whole numbers: SHA-256 of the seed and a counter, four bytes at a time.

    >>> draws = Draws("7")
    >>> [draws.below(10) for _ in range(5)]
    [9, 0, 0, 7, 4]
    """

    def __init__(self, seed: str) -> None:
        self._words = _words(seed)

    def below(self, count: int) -> int:
        """A number from 0 to count − 1, each as likely; `count` is at most 2³²."""
        fair = WORD - WORD % count  # beyond it the first numbers would come once more
        while (word := next(self._words)) >= fair:
            pass
        return word % count

    def part(self) -> float:
        """A number from 0 to 1, one of 2³²."""
        return next(self._words) / WORD

    def shuffled(self, count: int) -> list[int]:
        """The numbers from 0 to count − 1 in some order."""
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order


def _words(seed: str) -> Iterator[int]:
    counter = 0
    while True:
        digest = hashlib.sha256(f"{seed}/{counter}".encode()).digest()
        yield from (int.from_bytes(digest[k : k + 4]) for k in range(0, len(digest), 4))
        counter += 1


def secret_seed() -> str:
    """A seed that nobody guesses."""
    return secrets.token_hex(16)
