"""A file that is no TOML or JSON: the line at fault, and what was probably meant."""

import json
import tomllib

import pytest

from tracer.problem.hints import LONGEST_LINE, syntax_fault

TOML = [
    ("r = 0,5", 1, "write 0.5, with a point for the comma"),
    ("w = { low = 0,5, high = 1 }", 1, "write 0.5, with a point for the comma"),
    ("r = 1/3", 1, "write 1/3 as a decimal number"),
    ("t = 1\nX = [1/3, 2]", 2, "write 1/3 as a decimal number"),
    ("X = [[.3]]", 1, "write 0.3, with a digit before the point"),
    ("X = -.3", 1, "write 0.3, with a digit before the point"),
    ("X = 5.", 1, "write 5.0, with a digit after the point"),
    ("t = “a”", 1, 'quotes are straight: "…"'),
    ("X = [−1]", 1, "a minus is the - of the keyboard"),
    ("a = True", 1, "true and false are written small"),
    ("loss = squared_error", 1, 'text stands in quotes: "squared_error"'),
    ('t = "abc\nx = 1', 1, 'a closing quote (") is missing'),
    ("X = [[1, 2], [3, 4]\nY = [[1]]", 1, "a ] is missing"),
    ("X = [[1, 2], [3, 4\n# [ no bracket\n\nY = [[1]]", 1, "a ] is missing"),
    ("X = [[1, 2], [3, 4],\n[data]", 1, "a ] is missing"),
    ("X = [\n  [1],\n  [2\n]\n[[layers]]\na = 1", 1, "a ] is missing"),
    ("w = { a = 1\nb = 2", 1, "a } is missing"),
    ("[layers\na = 1", 1, "a ] is missing"),
    ("[[layers]\na = 1", 1, "a ] is missing"),
    ("X = [[1, 2]]]", 1, "a ] too many"),
    ("X = [\n  [1, 2]\n  [3, 4],\n]", 3, "a comma is missing before [3"),
    ("X = [1 2]", 1, "a comma is missing before 2"),
    ("[layers]\na = 1\n[layers]", 1, "a layer begins with [[layers]], two brackets on each side"),
    ("[layers]\na = 1\n[[layers]]", 1, "a layer begins with [[layers]], two brackets on each side"),
    ("[[layers]]\na = 1\n[layers]", 3, "a layer begins with [[layers]], two brackets on each side"),
    ("[data]\na = 1\n[data]", 3, "the table '[data]' is given twice"),
    ("lr = 1\nlr = 2", 2, "the key 'lr' is given twice"),
    ("X = 1\nX = [\n[1],\n]\n", 2, "the key 'X' is given twice"),
    ("r = {a = 1}\nr.b = 2", 2, "Cannot mutate immutable namespace ('r',)"),
    ("rate: 1", 1, "Expected '=' after a key in a key/value pair"),
    ('lo ss = "“1/3”"', 1, "Expected '=' after a key in a key/value pair"),
]
JSON = [
    ('{"a": 1,}', 1, "a comma too many before the }"),
    ('{"a": [1,\n]}', 2, "a comma too many before the ]"),
    ('{"a": 0,5, "b": 1}', 1, "write 0.5, with a point for the comma"),
    ('{"a": .3}', 1, "write 0.3, with a digit before the point"),
    ('{"a": True}', 1, "true and false are written small"),
    ('{"a": 1\n"b": 2}', 2, 'a comma is missing before "b":'),
    ('{"a" 1}', 1, "Expecting ':' delimiter"),
    ('{"a": 1}}', 1, "a } too many"),
    ('{"a": [1, 2}', 1, "Expecting ',' delimiter"),
    ('{"a": 1', 1, "a } is missing"),
]


def fault(text: str, suffix: str) -> str:
    with pytest.raises(ValueError) as caught:
        tomllib.loads(text) if suffix == "toml" else json.loads(text)
    return syntax_fault(text, caught.value)


@pytest.mark.parametrize(
    ("suffix", "text", "line", "hint"),
    [("toml", *each) for each in TOML] + [("json", *each) for each in JSON],
)
def test_the_line_and_the_hint(suffix: str, text: str, line: int, hint: str) -> None:
    assert fault(text, suffix) == f", line {line}, `{text.splitlines()[line - 1].strip()}`: {hint}"


def test_a_long_line_is_cut_around_the_fault() -> None:
    ones = ", ".join("1" * 100)
    for text in (f"X = [{ones}, .5, {ones}]", f"X = [.5, {ones}]", f"X = [{ones}, .5]"):
        shown = fault(text, "toml").split("`")[1]
        assert ".5" in shown and "…" in shown and len(shown) <= LONGEST_LINE


def test_what_cannot_be_shown_is_a_blank() -> None:
    assert fault("a\tb\x7f c", "toml").startswith(", line 1, `a b  c`: ")


def test_a_fault_without_a_place() -> None:
    assert syntax_fault("", ValueError("Exceeds the limit (4300 digits); use sys.set_int_max_str_digits()")) == (
        ": Exceeds the limit (4300 digits)"
    )
