"""The book of any program: its numbers are the trace's, and the paths of every parameter add up to its gradient."""

import numpy as np
from hypothesis import assume, given, settings

from tests.book_checks import assert_equal_signs_hold, assert_every_number_is_the_traces
from tests.books import read_book
from tests.property.test_programs import Writer, document, programs
from tracer.api import trace
from tracer.derivation.book import render_derivation
from tracer.derivation.cells import Cells
from tracer.derivation.links import ChainLinks
from tracer.derivation.paths import paths_of
from tracer.errors import NotFiniteError
from tracer.expression import scalar as s

EXAMPLES = 20


@given(programs())
@settings(max_examples=EXAMPLES)
def test_the_book_of_any_program(made: Writer) -> None:
    try:
        run = trace(document(made))
    except NotFiniteError:
        return
    largest = max(float(np.abs(each).max()) for each in run.last.matrices.values())
    assume(largest < 1e6)
    book = read_book(render_derivation(run))
    assert_every_number_is_the_traces(run, book)
    assert_equal_signs_hold(book)
    links, program = ChainLinks(Cells(run, run.first)), run.first.program
    for parameter in program.parameters:
        gradient = program.gradients[parameter]
        for place, expected in np.ndenumerate(run.first[gradient]):
            found = paths_of(links, s.Cell(gradient, *place))
            assert found is None or np.isclose(sum(found.values), expected, rtol=1e-9, atol=1e-11 * max(1.0, largest))
