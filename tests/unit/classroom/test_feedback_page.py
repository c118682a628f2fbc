"""The feedback page: where to start, what may be seen, and nothing of a stranger's file that is taken for markup."""

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np

from tests.marking import document, mark, with_rule, worked
from tests.students import Habit, Work, random_document, work_through
from tracer.classroom.feedback_page import render_feedback
from tracer.classroom.findings import Reveal

PROBLEM = document()
RIGHT = worked(PROBLEM, remembers=2.0)
NO_BIAS = worked(PROBLEM, with_rule(PROBLEM, "Z1", lambda m: m["X"] @ m["W1"]))


def page(answers: Any, reveal: Reveal = "hint", problem: Any = PROBLEM, **more: Any) -> str:
    return render_feedback(mark(problem, answers, **more), reveal)


def words(html: str) -> str:
    """What a reader sees of a page, without its style."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", re.sub(r"(?s)<style>.*?</style>", "", html)))


def before_the_board(html: str) -> str:
    return words(html).partition("Your answers")[0]


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_line_that_helps_comes_first_then_the_slip_with_the_learners_numbers() -> None:
    seen = words(page(NO_BIAS))
    parts = [
        "Start at Z1[1,1]; ",
        "later cells follow correctly from it.",
        "Z1[1,1] and 8 more",
        "The bias 0.46 was not added",
    ]
    places = [seen.index(part) for part in parts]
    assert places == sorted(places)
    assert "Z1=X·W1+b1" in seen.replace(" ", "")
    assert "18 of 19 points" in seen


def test_every_answer_stands_on_the_board_with_a_sign_and_failing_ones_lead_to_their_finding() -> None:
    html = page(NO_BIAS)
    tags = Tags(html).found
    signs = [each["aria-label"] for tag, each in tags if each.get("role") == "img"]
    assert len(signs) == 139 and signs.count("slip") == 9
    links = [each["href"] for tag, each in tags if tag == "a"]
    assert links == ["#look-1"] * (1 + 9), "from the diagnosis, and from the board"
    assert "look-1" in [each.get("id") for _, each in tags]
    assert sum("start" in (each.get("class") or "").split() for tag, each in tags if tag == "td") == 1


def test_an_answer_stands_on_the_board_as_it_was_written_and_a_long_one_is_cut() -> None:
    answers = RIGHT | {"A2": [["0.12345678901234567", "0.123456789012", "x"], *RIGHT["A2"][1:]]}
    on_the_board = re.findall(r'<span class="value">(.*?)</span>', page(answers))
    assert sorted(on_the_board) == sorted(
        {"0.12345678901234567": "0.12345678901…"}.get(cell, cell)
        for grid in answers.values() for row in grid for cell in row if cell is not None
    )  # fmt: skip


def test_each_cell_of_a_mistake_is_worked_the_others_folded() -> None:
    html = page(NO_BIAS)
    first, folded = html.partition("<details>")[::2]
    assert (first.count('class="worked"'), folded.count('class="worked"')) == (1, 8)
    assert "Likewise: Z1[1,2] " in words(html)
    assert "<details" not in page(NO_BIAS, "none")


def test_a_right_sheet_has_nothing_to_look_at() -> None:
    seen = words(page(RIGHT))
    assert "All 139 cells are right." in seen and "look at again" not in seen and "19 of 19 points" in seen


def test_what_may_be_seen() -> None:
    marked = mark(PROBLEM, NO_BIAS)
    first = marked.first_wrong
    assert first is not None
    right = f"{first.expected:.3f}".replace("-", "−")
    none, hint, key = (before_the_board(render_feedback(marked, reveal)) for reveal in ("none", "hint", "key"))
    assert (right in none, right in hint, right in key) == (False, False, True)
    assert ("was not added" in none, "was not added" in hint, "was not added" in key) == (False, True, True)
    assert ("b11" in none, "b11" in hint, "b11" in key) == (False, True, True)
    assert "=?" in hint and "=?" not in key
    assert all("9" in each and "slip" in each for each in (none, hint, key))


def test_the_working_of_a_hint_has_names_for_what_the_learner_left_out() -> None:
    wrong = {"A1": [["0.9"] * 3, ["0.1", "0.2", "0.3"], ["0.5"] * 3]}
    hint, key = words(page(wrong)), words(page(wrong, "key"))
    assert "Z11,1" in hint
    assert not re.search(r"e ?− ?[0-9]", hint) and re.search(r"e−?[0-9]", key.replace(" ", ""))


def test_where_the_numbers_put_in_are_the_answer_a_hint_stops_at_the_letters() -> None:
    linear = document(output="linear")
    answers = worked(linear, remembers=2.0)
    answers["A2"] = [["9.9", *answers["A2"][0][1:]], *answers["A2"][1:]]
    assert "?" not in before_the_board(page(answers, problem=linear))


def test_nothing_of_a_strangers_file_is_markup() -> None:
    evil = '<script>alert(1)</script>"&\x1b[31m\u202e'
    html = page(
        {"Z1": [[evil, "1"]], f"<b>{evil}": [["1"]]}, student={"name": evil, "id": "<img src=x onerror=alert(1)>"}
    )
    tags = {tag for tag, _ in Tags(html).found}
    assert not tags & {"script", "img", "iframe", "link", "b><script"}
    assert "\x1b" not in html and "\u202e" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_the_page_asks_nobody_for_anything() -> None:
    tags = Tags(page(NO_BIAS)).found
    (policy,) = (each["content"] for tag, each in tags if each.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'")
    assert not [each for _, each in tags if "src" in each or (each.get("href") or "#")[0] != "#"]


def test_the_same_sheet_gives_the_same_page() -> None:
    assert page(NO_BIAS, "key") == page(NO_BIAS, "key")


def test_more_mistakes_than_anybody_reads_are_folded() -> None:
    wrong = {each: [["7.77" for _ in row] for row in grid] for each, grid in RIGHT.items()}
    html = page(wrong)
    seen, folded = html.partition('<details class="others">')[::2]
    assert seen.count('<li id="look-') == 12 and folded.count('<li id="look-') > 3
    assert "which may disappear once the first ones are fixed" in html
    anchors = {each["id"] for _, each in Tags(html).found if each.get("id")}
    links = {(each["href"] or "")[1:] for tag, each in Tags(html).found if tag == "a"}
    assert links <= anchors


def test_sheets_of_all_kinds_of_students_have_a_page() -> None:
    random = np.random.default_rng(5)
    levels: list[Reveal] = ["none", "hint", "key"]
    for _ in range(4):
        problem = random_document(random)
        for reveal, habit in zip(levels, (Habit(2), Habit(3, remembers=0.5), Habit(3, leaves_out=0.5)), strict=True):
            answers: Any = work_through(Work(problem), habit, random)
            for each in list(answers)[::3]:
                answers[each][0][0] = random.choice(["", "x", "1e9", "-0.5", "1/3"])
            assert "Your answers" in page(answers, reveal, problem)
        levels = levels[1:] + levels[:1]


def test_what_follows_from_ones_own_numbers_is_told_where_it_is_not_what_was_expected() -> None:
    slipped = NO_BIAS | {"A1": [["0.1", *NO_BIAS["A1"][0][1:]], *NO_BIAS["A1"][1:]]}
    first, second = words(page(slipped, "key")).split("You wrote ")[1:3]
    assert ", on your own numbers" not in first  # nothing before Z1 is the learner's own
    assert re.match(r"0\.1; expected ([\d.]+), on your own numbers (?!\1)[\d.]+", second)
