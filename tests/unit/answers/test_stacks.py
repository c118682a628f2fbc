"""Arrays of all time steps or heads, as programs keep them: each part is read as the matrix that it is."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from tests.unit.answers.test_program_names import key
from tracer.answers.reading import read_content
from tracer.expression.arrays import Array
from tracer.judging.conventions import Conventions
from tracer.judging.marking import MarkedSheet, mark_answers

STATES, GRADIENTS, SHARES = ["h1", "h2", "h3"], ["dh1", "dh2", "dh3"], ["P1", "P2"]
STACKS: dict[str, tuple[str, str, list[str], Callable[[Array], Array]]] = {
    "T×N×H": ("rnn", "hs", STATES, lambda parts: parts),
    "T×H": ("rnn", "h", STATES, lambda parts: parts[:, 0]),
    "H×T": ("rnn", "hidden_states", STATES, lambda parts: parts[:, 0].T),
    "with h0": ("rnn", "all_h", STATES, lambda parts: np.concatenate([np.zeros((1, 2)), parts[:, 0]])),
    "gradients": ("rnn", "dhs", GRADIENTS, lambda parts: parts),
    "gradients by their loss": ("rnn", "dL/dh", GRADIENTS, lambda parts: parts[:, 0]),
    "heads": ("causal-heads", "attn", SHARES, lambda parts: parts),
    "heads' gradients": ("causal-heads", "dattn", ["dP1", "dP2"], lambda parts: parts),
    "token by token": ("causal-heads", "attn", SHARES, lambda parts: parts.transpose(1, 0, 2)),
    "queries of each head": ("causal-heads", "q", ["Q"], lambda parts: np.stack([parts[0][:, :2], parts[0][:, 2:]])),
}


def read(program: str, name: str, numbers: Array, form: str) -> MarkedSheet:
    """The sheet of one array: as JSON, or as numpy prints it."""
    rounded = numbers.round(6)
    if form == "json":
        return mark(program, "a.json", json.dumps({name: rounded.tolist()}))
    return mark(program, "a.txt", f"{name} = {np.array2string(rounded, separator=form, precision=6)}\n")


def mark(program: str, file: str, text: str) -> MarkedSheet:
    return mark_answers(read_content(file, text.encode()), Conventions(key(program)))


@pytest.mark.parametrize("form", ["json", ", ", " "])
@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_is_read_as_its_parts(stack: str, form: str) -> None:
    program, name, members, lie = STACKS[stack]
    sheet = read(program, name, lie(np.stack([key(program).values[each] for each in members])), form)
    assert set(sheet.sheet.written) == set(members)
    assert {each.verdict for each in sheet.marks} <= {"correct", "rounded"}
    assert not sheet.sheet.answers.not_read


def test_two_stacks_stand_one_behind_the_other() -> None:
    values = key("rnn").values
    text = json.dumps(
        {"hs": [values[each].tolist() for each in STATES], "dhs": [values[each].tolist() for each in GRADIENTS]}
    )
    sheet = mark("rnn", "a.json", text)
    assert set(sheet.sheet.written) == {*STATES, *GRADIENTS} and sheet.all_right


def test_a_wrong_number_in_a_stack_is_found_where_it_is() -> None:
    parts = np.stack([key("rnn").values[each] for each in STATES])[:, 0]
    parts[1, 0] += 0.25
    sheet = read("rnn", "hs", parts, ", ")
    assert [(each.id, each.row, each.column) for each in sheet.marks if each.verdict in ("wrong", "slip")] == [
        ("h2", 0, 0)
    ]


def test_what_may_lie_in_two_ways_and_agrees_with_neither_is_not_read() -> None:
    sheet = read("causal-heads", "attn", np.arange(1, 19).reshape(2, 3, 3) / 7, "json")
    assert not sheet.marks and sheet.sheet.answers.not_read
