"""The board of random networks: nothing overlaps, and shapes stand under what they belong to."""

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import documents
from tracer.lesson.build import build
from tracer.presentation.board import HEADING_ROWS, kept_columns, kept_rows, lay_out
from tracer.problem.problem import problem_from_document
from tracer.program.naming_policy import RATE


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


@given(
    sizes=st.lists(st.sampled_from([1, 2, 20, 21, 90]), min_size=2, max_size=4),
    rows=st.sampled_from([1, 30, 31, 200]),
)
def test_a_large_matrix_has_an_excerpt_on_the_board_and_a_place_beyond_it(sizes: list[int], rows: int) -> None:
    document = {
        "learning_rate": 0.1,
        "loss": "half_squared_error",
        "data": {"X": [[0.5] * sizes[0]] * rows, "Y": [[0.5] * sizes[-1]] * rows},
        "layers": [{"activation": "sigmoid", "units": units} for units in sizes[1:]],
    }
    program = build(problem_from_document(document, "large", "large"))
    board = lay_out(program)
    assert board.columns <= 3 * 20 + 2
    taken: set[tuple[int, int]] = set()
    for identifier, assignment in program.assignments.items():
        place, shown = board.places[identifier], board.shown(identifier)
        large = assignment.shape[0] > 30 or assignment.shape[1] > 20
        assert (identifier in board.excerpts) == large
        assert (place.rows, place.columns) == assignment.shape
        assert (shown.rows, shown.columns) == (len(kept_rows(place.rows)), len(kept_columns(place.columns)))
        assert (place.column > board.columns) == large
        for each in {place, shown}:
            heading = {(each.heading_row + k, each.column) for k in range(HEADING_ROWS)}
            cells = heading | {(each.row + i, each.column + j) for i, j in each.cells()}
            assert not cells & taken
            taken |= cells
    assert board.whole[0] > max(row for row, _ in taken) and board.whole[1] > max(column for _, column in taken)
