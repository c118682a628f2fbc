"""Sheets of programs in numbers, on a few; `python -m benchmarks.program_slips` has all programs and every habit."""

import numpy as np
import pytest

from tests.habits import HABITS
from tests.program_simulation import Alike, HonestSheets, Naming, draws, programs
from tests.program_slips import Program

FEW = ("self-attention-paper", "rnn-paper", "batch-norm-paper", "conv-paper", "adam-paper", "graph")
TRIED = ("rounds every step", "keeps every digit, writes those asked for", "three significant figures",
         "cuts off every step", "writes all that float64 has")  # fmt: skip


def named(*names: str) -> list[Program]:
    return [each for each in programs() if each.problem.name in names]


def test_slips_are_found_named_and_first() -> None:
    naming, random = Naming(), np.random.default_rng(2)
    for each in named(*FEW):
        naming.add(each, 6, random)
    assert naming.shown > 30 and naming.elsewhere == 0
    assert naming.named >= 0.98 * naming.shown, naming.missed
    assert naming.first >= 0.9 * naming.shown, naming.later


def test_honest_people_are_not_accused() -> None:
    honest = HonestSheets()
    for each in named("self-attention-paper", "rnn-paper", "batch-norm-paper", "adam-paper"):
        honest.add(each, {name: HABITS[name] for name in TRIED}, ("all", "half left out"), np.random.default_rng(3))
    assert honest.cells > 1200 and honest.accused == []


def test_two_rules_are_one_only_if_ten_draws_say_so() -> None:
    """A path that is missing in `graph` is no other slip, whatever its numbers are."""
    (graph,) = named("graph")
    assert len(draws(graph)) == 10
    found = {slip.slug: alike for slip, alike in Alike(graph).groups() if slip.at == "dx"}
    assert "path-missing" in found or "residual-path-missing" in found
    assert all(slug in alike for slug, alike in found.items())


@pytest.mark.parametrize("name", ["adam-paper", "momentum-paper"])
def test_optimizers_have_slips_of_their_own(name: str) -> None:
    (program,) = named(name)
    slugs = {each.slug for each in program.slips()}
    assert {"momentum-sign", "state-forgotten", "wrong-direction", "not-updated"} <= slugs
