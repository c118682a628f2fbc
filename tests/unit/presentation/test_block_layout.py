"""The picture of a program: every step a box, an arrow where one hands something on, one back for the gradient."""

from itertools import combinations

import pytest

from tests.programs import SAMPLES
from tracer.presentation.block_layout import HEIGHT, WIDTH, describe_blocks, lay_out_blocks
from tracer.problem.program_problem import program_from_document
from tracer.program.program import Program


def program(sample: str) -> Program:
    return program_from_document(SAMPLES[sample].document(), sample, sample).program


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_boxes_overlap_and_all_lies_within_the_picture(sample: str) -> None:
    layout = lay_out_blocks(program(sample))
    for one, other in combinations(layout.boxes, 2):
        assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT, (one, other)
    points = [point for arrow in layout.arrows for point in arrow.points]
    points += [(box.x + WIDTH, box.y + HEIGHT) for box in layout.boxes]
    assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in points)


def test_arrows_go_from_step_to_step_and_back_where_a_gradient_does() -> None:
    layout = lay_out_blocks(program("perceptron"))
    assert [box.number for box in layout.boxes] == [1, 2, 3, 4]
    ends = {(arrow.start, arrow.end, arrow.back) for arrow in layout.arrows}
    assert ends == {(1, 2, False), (2, 1, True), (2, 3, False), (3, 2, True), (3, 4, False), (4, 3, True)}


def test_the_picture_is_told_in_words() -> None:
    assert "Step 1, Z1, takes from what is given; step 2, A1, takes from Z1;" in describe_blocks(program("perceptron"))
