"""Those who cut off what they write are judged as such: a number stands for anything up to a whole unit beyond it."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from tests.cutting import IN_FULL, cut_sheet
from tracer.answers.key import Key, key_of
from tracer.answers.numbers import read_number
from tracer.answers.reading import Answers
from tracer.judging import work
from tracer.judging.by_key import cuts_off
from tracer.judging.conventions import Conventions
from tracer.judging.marking import mark_answers
from tracer.judging.sheet import Sheet, lay_beside
from tracer.problem.reading import load_any

Texts = Mapping[str, Sequence[Sequence[str]]]


def answers(texts: Texts) -> Answers:
    return Answers("sheet", {name: tuple(tuple(map(read_number, row)) for row in rows) for name, rows in texts.items()})


def accused(key: Key, texts: Texts) -> list[str]:
    marked = mark_answers(answers(texts), Conventions(key))
    return [
        f"{mark.id}[{mark.row + 1},{mark.column + 1}]" for mark in marked.marks if mark.verdict in ("wrong", "slip")
    ]


@pytest.mark.parametrize("name", IN_FULL)
def test_nobody_is_accused_who_cuts_off_and_keeps_a_matrix_in_full(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    key, texts = cut_sheet(name)
    assert accused(key, texts) == []
    monkeypatch.setattr(work, "cuts_off", lambda sheet: False)
    assert accused(key, texts)  # as if these numbers had been rounded


def sheet_of(written: Callable[[float], str], name: str = "article") -> Sheet:
    """A sheet with what somebody writes for each number of the key."""
    key = key_of(load_any(name))
    texts = {each: [[written(value) for value in row] for row in key.values[each].tolist()]
             for each in key.program.computed}  # fmt: skip
    return lay_beside(answers(texts), key)


def cut(value: float) -> str:
    return f"{np.trunc(value * 1000) / 1000:.3f}"


def test_who_cuts_off_is_known_by_the_numbers_that_tell() -> None:
    random = np.random.default_rng(3)
    assert cuts_off(sheet_of(cut)) and cuts_off(sheet_of(cut, "softmax"))
    for others in (lambda value: f"{value:.3f}", lambda value: f"{value:.5f}", repr, lambda value: "0",
                   lambda value: f"{random.integers(-9, 10) / 10}"):  # fmt: skip
        assert not cuts_off(sheet_of(others))


def test_one_number_that_was_cut_off_or_as_many_rounded_ones_tell_nothing() -> None:
    seen: list[float] = []

    def in_turn(value: float) -> str:
        """Every other number that tells is cut off, beginning with a rounded one."""
        differs = cut(value) != f"{value:.3f}"
        seen.extend([value] * differs)
        return cut(value) if differs and len(seen) % 2 == 0 else f"{value:.3f}"

    def once(value: float) -> str:
        differs = cut(value) != f"{value:.3f}"
        seen.extend([value] * differs)
        return cut(value) if differs and len(seen) == 1 else "0"

    assert not cuts_off(sheet_of(in_turn)) and len(seen) > 10
    seen.clear()
    assert not cuts_off(sheet_of(once)) and seen
