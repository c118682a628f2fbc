"""What opens every report: how many things explain what does not count, and what is said of each."""

from typing import Any

import pytest

from tests.marking import document, mark, with_rule, worked
from tracer.classroom.checked import Checked
from tracer.classroom.diagnosed import explained, opening
from tracer.classroom.own_numbers import OwnNumbers

PROBLEM = document()


def no_bias(m: Any) -> Any:
    return m["X"] @ m["W1"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, ""),
        ({"L": [["9.999"]]}, ""),
        ({"Z1": None}, "One thing explains all 9 cells that do not count"),
        ({"Z1": None, "L": [["9.999"]]}, "One thing explains 9 of the 10 cells that do not count"),
    ],
)
def test_how_many_things_explain_how_many_cells(changed: dict[str, Any], says: str) -> None:
    answers = worked(PROBLEM, with_rule(PROBLEM, "Z1", no_bias)) if "Z1" in changed else worked(PROBLEM)
    marked = mark(PROBLEM, answers | {name: rows for name, rows in changed.items() if rows})
    assert opening(marked) == says


def test_the_first_cell_is_worked_with_the_learners_numbers_and_not_to_the_end_in_a_hint() -> None:
    marked = mark(PROBLEM, worked(PROBLEM, with_rule(PROBLEM, "Z1", no_bias)))
    (view,) = explained(marked, "hint")
    assert view.title == "Z1[1,1] and 8 more" and view.says.startswith("Your products and sums are right.")
    hint, key = (OwnNumbers(marked, reveal).text(view.first) for reveal in ("hint", "key"))  # type: ignore[arg-type]
    assert hint.startswith("Z1[1,1] = X[1,1]·W1[1,1] + ") and hint.endswith("+ 0.46 = ?")
    assert key.endswith(" = 0.070") and "0.070" not in hint
    assert explained(marked, "none") == []


def test_terminal_and_notebook_open_with_it() -> None:
    found = Checked(mark(PROBLEM, worked(PROBLEM, with_rule(PROBLEM, "Z1", no_bias))))
    for text in (str(found), found._repr_html_()):
        plain = " ".join(text.split())
        assert plain.index("One thing explains all 9 cells") < plain.index("Z1[1,1] and 8 more") < plain.index("slip")


def test_a_sheet_of_another_variant_is_explained_by_nothing_else() -> None:
    others = document()
    others["layers"][0] = others["layers"][0] | {"weights": [[0.2, 0.5, -0.9], [0.4, -0.1, 0.3], [0.7, 0.6, -0.2]]}
    marked = mark(PROBLEM, worked(others), given={"W1": others["layers"][0]["weights"]})
    assert any("another variant" in each for each in marked.warnings) and explained(marked, "hint") == []
