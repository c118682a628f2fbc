"""What every built-in example means under every combination of conventions and `[reproduce]` that it admits.

`meaning/NAME.txt` holds steps, expressions, formulas and values of all ways, one line per assignment and
distinct fact (tests/rules.py); values to 1e-12 of the largest term, since the last bits of products differ between
processors. Of the big data sets the first rows are taken. Display names, which depend on few settings, are of the
ways that differ from the example's own in two settings at most. The workbook is read back for the example's own
way, and for a few examples with every setting the other way round: its board must have the formulas of that way;
what its sheets bring over and its worked lines stand in the golden for the own way.

A case without its golden fails, and so does a golden without its case. After a change that is meant,

    python -m tests.golden.test_meaning [NAME…]

writes the goldens anew; the commit then says what changed.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import meaning
from tests.agreement import AGREES
from tests.cell_formulas import Read, read_formulas
from tests.rules import Rule, Rules, Way, fold
from tracer.problem.example_groups import ELEVEN_STEPS
from tracer.problem.problem import Problem
from tracer.problem.reading import example_names
from tracer.run.training import trace
from tracer.workbook.workbook import write_workbook

FOLDER = Path(__file__).parent / "meaning"
EXAMPLES = example_names(ELEVEN_STEPS)
TURNED = ("article", "softmax-classifier")  # whose workbook is read with every setting the other way round too
NEAR = 2  # settings that may differ from the example's own where names are looked at
MOST_SHOWN = 12  # differences in a message
ALIKE = 1e-14  # of the largest term: values of two ways that share a line

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Value:
    """A matrix, and the largest term of its sums, which takes longer to find out than most need."""

    matrix: meaning.Array
    largest: Callable[[], float]

    def agrees(self, other: Value, to: float = AGREES) -> bool:
        if self.matrix.shape != other.matrix.shape:
            return False
        off, size = np.abs(self.matrix - other.matrix).max(), np.abs(self.matrix).max()
        return bool(off <= to * size or off <= to * self.largest())

    def text(self) -> str:
        return json.dumps((self.matrix + 0.0).tolist())


def read_value(text: str) -> Value:
    return Value(np.array(json.loads(text), dtype=np.float64), lambda: 0.0)


@cache
def admitted(example: str) -> list[tuple[Way, Problem]]:
    """The ways of an example with their problems."""
    return [(way, problem) for way, problem in meaning.ways(example) if problem is not None]


def near(example: str) -> list[tuple[Way, Problem]]:
    """The ways that differ little from an example's own."""
    own = meaning.own_way(example)
    return [each for each in admitted(example) if sum(each[0][key] != own[key] for key in own) <= NEAR]


def own(example: str) -> list[tuple[Way, Problem]]:
    return [each for each in admitted(example) if each[0] == meaning.own_way(example)]


def turned(example: str) -> tuple[Way, Problem]:
    """The way that differs most from an example's own."""
    start = meaning.own_way(example)
    return max(admitted(example), key=lambda each: sum(each[0][key] != start[key] for key in start))


def values_of(problem: Problem) -> dict[str, Value]:
    one = meaning.pass_of(problem)
    return {key: Value(one[key], cache(partial(meaning.largest_term, one, key))) for key in one}


@cache
def workbook_of(problem: Problem, matrix_formulas: bool = False) -> Read:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        write_workbook(trace(problem), path, None, matrix_formulas)
        return read_formulas(path)


Chosen = Callable[[str], list[tuple[Way, Problem]]]
# Each section of a golden: of which ways, and what it holds of each.
SECTIONS: dict[str, tuple[Chosen, Callable[[Problem], Facts]]] = {
    "steps": (admitted, meaning.steps_of),
    "expressions": (admitted, meaning.expressions_of),
    "values": (admitted, values_of),
    "formulas": (admitted, meaning.formulas_of),
    "names": (near, meaning.names_of_styles),
    "brought to the sheets": (own, lambda problem: workbook_of(problem).brought),
    "worked lines": (own, lambda problem: workbook_of(problem).worked),
}


def facts_of(example: str, section: str) -> Iterator[tuple[Way, Facts]]:
    chosen, facts = SECTIONS[section]
    return ((way, facts(problem)) for way, problem in chosen(example))


def same(one: Any, other: Any) -> bool:
    return one.agrees(other, ALIKE) if isinstance(one, Value) else one == other


def golden_text(example: str) -> str:
    """An example's golden, from how things are now."""
    lines = [f"# {example}: {len(admitted(example))} ways"]
    for section in SECTIONS:
        rules: Iterator[Rule[Any]] = fold(list(facts_of(example, section)), same)
        lines += ["", f"[{section}]", *(rule.line(_written) for rule in rules)]
    return "\n".join(lines) + "\n"


def _written(fact: Any) -> str:
    return fact.text() if isinstance(fact, Value) else fact


@cache
def golden(example: str) -> tuple[str, Mapping[str, Rules[Any]]]:
    """The first line of a golden, and the rules of its sections."""
    first, *lines = (FOLDER / f"{example}.txt").read_text(encoding="utf-8").splitlines()
    sections: dict[str, Rules[Any]] = {}
    for line in filter(None, lines):
        if line.startswith("["):
            section = line.strip("[]")
            sections[section] = Rules()
        else:
            sections[section].read(line, read_value if section == "values" else str)
    return first, sections


def differences(rules: Rules[Any], found: Iterator[tuple[Way, Facts]]) -> Iterator[str]:
    """What is not as the rules have it."""
    for way, facts in found:
        for key in {**facts, **rules.facts}:
            fact, expected = facts.get(key), rules.of(key, way)
            alike = fact.agrees(expected) if isinstance(fact, Value) and expected else fact == expected
            if not alike:
                settings = ", ".join(f"{name}={value}" for name, value in way.items())
                texts = ("nothing" if each is None else _written(each) for each in (expected, fact))
                yield "{} under {}\n  expected {}\n  found    {}".format(key, settings, *texts)
    yield from (f"{each}: no way comes to it" for each in rules.unused())


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_the_meaning_of_an_example_is_as_it_was(example: str, section: str) -> None:
    found = list(differences(golden(example)[1][section], facts_of(example, section)))
    assert not found, "\n".join([f"{len(found)} differences", *found[:MOST_SHOWN]])


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_board_of_the_workbook_has_the_formulas_of_the_program(example: str) -> None:
    pairs = own(example) + ([turned(example)] if example in TURNED else [])
    for way, problem in pairs:
        rules, board = golden(example)[1]["formulas"], workbook_of(problem).board
        assert board == {key: rules.of(key, way) for key in board}
        assert set(board) == {key for key in meaning.formulas_of(problem) if " " not in key}


@pytest.mark.parametrize("example", TURNED)
def test_the_board_of_array_formulas_has_those_of_the_program(example: str) -> None:
    way, problem = turned(example)
    rules, board = golden(example)[1]["formulas"], workbook_of(problem, matrix_formulas=True).board
    arrays = {key: rules.of(f"{key} as a matrix", way) for key in board}
    assert board == {key: rules.of(key, way) if arrays[key] == "none" else arrays[key] for key in board}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_admits_as_many_ways_as_it_did(example: str) -> None:
    first, _ = golden(example)
    assert first == f"# {example}: {len(admitted(example))} ways"
    assert len(own(example)) == 1
    assert 2**5 < len(admitted(example)) < len(list(meaning.ways(example)))


def test_every_example_has_its_golden_and_every_golden_its_example() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == EXAMPLES
    assert all(list(golden(example)[1]) == list(SECTIONS) for example in EXAMPLES)


def test_a_change_of_the_eleventh_digit_is_noticed_and_one_of_the_fifteenth_is_not() -> None:
    value = Value(np.array([[0.5, -1e-9]]), lambda: 2.0)
    for relative, noticed in ((1e-11, True), (1e-15, False)):
        other = read_value(json.dumps((value.matrix + relative * 2).tolist()))
        assert value.agrees(other) is not noticed


def write_golden(example: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    text = golden_text(example)
    (FOLDER / f"{example}.txt").write_text(text, encoding="utf-8", newline="\n")
    print(f"{example}: {len(admitted(example))} ways, {len(text.encode()) / 1000:.0f} kB")


if __name__ == "__main__":
    for name in sys.argv[1:] or EXAMPLES:
        write_golden(name)
