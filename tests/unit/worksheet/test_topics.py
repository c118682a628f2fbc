"""What a program's steps are asked about: each topic has its texts, comes up once, and fits what the step does."""

from functools import cache

import pytest

from tracer.presentation.theme import theme_of
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.reading import example_names, load_any
from tracer.program.program import Program
from tracer.run.training import trace
from tracer.worksheet.told import all_words
from tracer.worksheet.topics import topics


@cache
def program_of(name: str) -> Program:
    return trace(load_any(name)).first.program


EXPECTED = {
    "self-attention-paper": {
        "1": "weights", "2": "similarity", "3": "softmax", "4": "mixture", "5": "loss", "4 back": "loss_back",
        "3 back": "product_back", "2 back": "softmax_back", "1 back": "weights_back", "6": "update",
    },
    "lstm-paper": {
        "1": "gate", "2": "activation", "3": "loss", "2 back": "product_back", "1 back": "shared_back", "4": "update",
    },
    "conv-paper": {
        "1": "kernel", "2": "relu", "3": "pooling", "4": "loss",
        "3 back": "loss_back", "2 back": "pooling_back", "1 back": "kernel_back", "5": "update",
    },
    "adam-paper": {"1": "weights", "2": "loss", "1 back": "weights_back", "3": "states"},
    "residual": {
        "1": "relu", "2": "residual", "3": "loss", "2 back": "loss_back", "1 back": "shared_back", "4": "update",
    },
    "rms-norm": {
        "1": "weights", "2": "norm", "4": "loss",
        "3 back": "loss_back", "2 back": "norm_back", "1 back": "shared_back", "5": "update",
    },
    "matrix-factorisation": {"3": "loss", "3 back": "loss_back", "1 back": "shared_back", "4": "update"},
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_a_step_is_asked_about_what_it_does(name: str) -> None:
    assert topics(program_of(name)) == EXPECTED[name]


def test_every_topic_is_asked_about_once_in_an_example_and_has_its_texts() -> None:
    every: set[str] = set()
    for name in example_names():
        if not isinstance(load_any(name), ProgramProblem):
            continue
        found = list(topics(program_of(name)).values())
        assert len(found) == len(set(found)), name
        every |= set(found)
    keys = {key.split(".")[1] for key in theme_of().messages if key.startswith("topics.")}
    assert every == keys


def test_the_words_of_a_step_hold_its_question_in_the_language_of_the_sheet() -> None:
    program, spanish = program_of("self-attention-paper"), theme_of("es")
    told = all_words(program, spanish)["3"]
    assert told.question == spanish.say("topics.softmax.question")
    assert told.question_answer == spanish.say("topics.softmax.question_answer")
