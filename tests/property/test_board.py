"""The board of random networks: nothing overlaps, and shapes stand under what they belong to."""

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import documents
from tracer.board import HEADING_ROWS, lay_out
from tracer.network.blackboard import RATE
from tracer.network.problem import problem_from_document
from tracer.network.program import build


@given(document=documents())
def test_no_two_matrices_or_headings_share_a_cell(document: dict[str, object]) -> None:
    program = build(problem_from_document(document, "random", "random"))
    board = lay_out(program)
    taken: dict[tuple[int, int], str] = {}
    assert set(board.places) == {*program.assignments, RATE}
    for place in board.places.values():
        assert (place.rows, place.columns) == (program.assignments[place.id].shape if place.id != RATE else (1, 1))
        heading = {(place.heading_row + k, place.column + c) for k in range(HEADING_ROWS) for c in range(board.slot)}
        values = {(place.row + i, place.column + j) for i, j in place.cells()}
        for cell in heading | values:
            assert cell not in taken, (place.id, taken[cell])
            taken[cell] = place.id
            assert 0 <= cell[0] < board.rows and 0 <= cell[1] < board.columns
            assert cell[1] not in board.gaps
    for band in board.bands:
        assert not any((band.row, column) in taken for column in range(board.columns)), "a band's title is free"


@given(document=documents(), data=st.data())
def test_a_gradient_stands_under_what_it_is_the_gradient_of(document: dict[str, object], data: st.DataObject) -> None:
    places = lay_out(build(problem_from_document(document, "random", "random"))).places
    depth = sum(1 for each in places if each[0] == "Z")
    n = data.draw(st.integers(1, depth))
    under = [(f"W{n}", f"dW{n}"), (f"W{n}", f"W{n}_next"), (f"Z{n}", f"D{n}")]
    under += [(f"A{n}", "E" if n == depth else f"E{n}")]
    under += [(f"b{n}", f"db{n}")] if f"b{n}" in places else []
    for upper, lower in under:
        assert places[upper].column == places[lower].column
        assert places[upper].row < places[lower].row
        assert (places[upper].rows, places[upper].columns) == (places[lower].rows, places[lower].columns)
