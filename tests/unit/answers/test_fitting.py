"""How well a block of numbers fits the shape that its name asks for."""

import pytest

from tracer.answers.fitting import EXACT, OTHER, PART, TRANSPOSED, TURNED, fit
from tracer.expression.matrix import Shape


@pytest.mark.parametrize(
    ("found", "wanted", "how"),
    [
        ((2, 3), (2, 3), EXACT),
        ((3, 1), (1, 3), TURNED),
        ((3, 2), (2, 3), TRANSPOSED),
        ((1, 3), (2, 3), PART),
        ((2, 2), (2, 3), PART),
        ((3, 3), (2, 3), OTHER),
        ((2, 4), (2, 3), OTHER),
        ((1, 4), (2, 3), OTHER),
    ],
)
def test_numbers_fit_a_shape_as_it_is_turned_in_part_or_not_at_all(found: Shape, wanted: Shape, how: int) -> None:
    assert fit(found, wanted) == how
    assert EXACT < TURNED < TRANSPOSED < PART < OTHER, "the best first"
