"""Whatever a file holds, it is read, or refused with a line that names it. TRACER_FUZZ=20000 tries more files."""

import os
import time
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import files
from tracer.answers.key import key_of
from tracer.answers.reading import AnswerError, read_content
from tracer.errors import TracerError
from tracer.judging.conventions import Conventions
from tracer.judging.marking import mark_answers
from tracer.problem.reading import load_problem

EXAMPLES = int(os.environ.get("TRACER_FUZZ", "150"))
MOST_SECONDS = 5


@cache
def conventions(example: str) -> Conventions:
    return Conventions(key_of(load_problem(example)))


@given(files(), st.sampled_from(["article", "mazur", "hand", "linear-regression"]))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_file_is_read_or_refused(file: tuple[str, bytes], example: str) -> None:
    name, content = file
    started = time.process_time()
    try:
        marked = mark_answers(read_content(name, content), conventions(example))
    except TracerError as wrong:
        assert str(wrong).startswith(f"{name}: ") and len(str(wrong)) < 1_000
        return
    finally:
        assert time.process_time() - started < MOST_SECONDS
    document = marked.to_document()
    assert len(document["not_read"]) < 1_000 and len(marked.warnings) < 20
    assert all(mark.answer is not None for mark in marked.marks)


@pytest.mark.parametrize("length", [60_000])
@pytest.mark.parametrize(
    "piece",
    ["[", "{", "$", "\\frac{", "(1,", "'a': ", "w1 = 1 ", "Z1\n1\n", "a\n1\n", "z1\t", "= ", "\\begin{matrix}", " ",
     "1 ", "{1,", "tensor(", "[[1],", "h1\th2\nnet\t1\n", "x = [1, 2] ", ";", "|1", "\x1e", "1e", "a=b=", "['a', array("
     ],
)  # fmt: skip
def test_no_piece_over_and_over_takes_long(piece: str, length: int) -> None:
    for text in (piece * (length // len(piece)), "\n".join([piece * 50] * (length // (50 * len(piece))))):
        started = time.process_time()
        with suppress(AnswerError):
            mark_answers(read_content("a.txt", text.encode()), conventions("mazur"))
        assert time.process_time() - started < MOST_SECONDS
