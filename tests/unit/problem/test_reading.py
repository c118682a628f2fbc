"""Problem files, examples by name, and data tables."""

import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tracer.errors import ProblemError
from tracer.problem import reading
from tracer.problem.reading import example_names, load_any, load_problem

TOML = """
learning_rate = 0.1
loss = "squared_error"
[data]
X = [[0, 1], [1, 0.5]]
Y = [[1], [0]]
[[layers]]
activation = "tanh"
weights = [[0.5], [-1]]
"""
FILE = TOML.replace("X = [[0, 1], [1, 0.5]]\nY = [[1], [0]]", "{}")


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def with_data(folder: Path, data: str, **files: str | bytes) -> Path:
    for name, content in files.items():
        write(folder, name.replace("_", "."), content)
    return write(folder, "p.toml", FILE.replace("{}", data))


def workbook(path: Path, *rows: list[Any], title: str = "Data") -> Path:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "First"
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def refusal(source: str | Path) -> str:
    with pytest.raises(ProblemError) as caught:
        load_problem(source)
    assert str(caught.value).startswith(str(source))
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(str(source) + ": ")


JSON = json.dumps(
    {
        "layers": [{"weights": [[0.5], [-1.0]], "activation": "tanh"}],
        "data": {"Y": [[1.0], [0]], "X": [[0.0, 1], [1, 0.5]]},
        "loss": "squared_error",
        "title": "in JSON",
        "learning_rate": 0.1,
    }
)


def test_toml_json_csv_and_xlsx_are_the_same_problem(tmp_path: Path) -> None:
    columns = 'inputs = ["x1", "x2"]\ntargets = ["y"]'
    csv = "y,x1,note,x2\n1,0,a,1\n0,1.0,b,5e-1\n\n,,,\n"
    workbook(tmp_path / "d.xlsx", ["y", "x1", "note", "x2"], [1, 0, "a", 1], [0, 1, None, 0.5])
    toml = load_problem(write(tmp_path, "a.toml", TOML))
    others = [
        load_problem(write(tmp_path, "b.JSON", JSON)),
        load_problem(with_data(tmp_path, f'file = "d.csv"\n{columns}', d_csv=csv)),
        load_problem(with_data(tmp_path, f'file = "d.xlsx"\nsheet = "Data"\n{columns}')),
    ]
    assert toml.name == "a" and others[0].title == "in JSON"
    assert {other.sha256 for other in others} == {toml.sha256}


def test_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + TOML.replace("\n", "\r\n").encode()
    assert load_problem(str(write(tmp_path, "p.toml", content))).rows == 2


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_as_windows_powershell_writes_it(encoding: str, tmp_path: Path) -> None:
    path = with_data(tmp_path, 'file = "d.csv"', d_csv="\ufeffa,b,y\r\n1,2,3\r\n".encode(encoding))
    path.write_bytes(("\ufeff" + path.read_text().replace("\n", "\r\n")).encode(encoding))
    assert load_problem(path).Y.tolist() == [[3]]


BROKEN: list[tuple[str, str | bytes, str]] = [
    ("p.toml", b"title = '\xe4'", "not UTF-8 text: line 1 has the byte 0xe4; save it as UTF-8"),
    ("p.toml", "learning_rate 0.1", "not TOML, line 1, `learning_rate 0.1`: Expected '='"),
    ("p.toml", "a = 1\na = 2", "not TOML, line 2, `a = 2`: the key 'a' is given twice"),
    ("p.toml", "a = " + "[" * 5000, "not TOML that can be read: nested too deep"),
    ("p.json", "[" * 100_000, "not JSON that can be read: nested too deep"),
    ("p.json", "{", "not JSON, line 1, `{`: a } is missing"),
    ("p.json", "{'a': 1}", "not JSON, line 1, `{'a': 1}`: Expecting property name enclosed in double quotes"),
    ("p.json", " \n", "the file is empty; a problem needs learning_rate, loss, [data] with X and Y, and [[layers]]"),
    ("p.toml", "\ufeff", "the file is empty; a problem needs"),
    ("p.toml", "\r\n  # to be done\n", "the file is empty; a problem needs"),
    ("p.toml", b"\xff\xfea", "not text, though it begins as UTF-16; save it as UTF-8"),
    ("p.toml", b"\xef\xbb\xbfa = 1\nb = '\xe4'", "not UTF-8 text: line 2 has the byte 0xe4"),
    ("p.toml", "a = 1\n" + "a." * 50_000 + "a = 1", "line 2 has a key of more than 200 parts"),
    ("p.toml", "[" + "'a b' . " * 300 + "a]", "line 1 has a key of more than 200 parts"),
    ("p.json", "[]", "found a list of 0, expected a table"),
    ("p.json", '{"loss": 1, "loss": 2}', "not JSON: the key 'loss' is given twice"),
    ("p.json", '{"epochs": ' + "9" * 5000 + "}", "not JSON: Exceeds the limit (4300 digits)"),
    ("p.toml", f"epochs = 0x{'f' * 5000}{TOML}", "epochs: found a whole number of about 6021 digits"),
    ("p.yaml", TOML, "a problem file's name ends in .toml or .json, this one in '.yaml'"),
    ("plain", TOML, "a problem file's name ends in .toml or .json, this one has no ending"),
]


@pytest.mark.parametrize(("name", "content", "says"), BROKEN, ids=range(len(BROKEN)))
def test_files_that_are_no_problem_files(name: str, content: str | bytes, says: str, tmp_path: Path) -> None:
    assert says in refusal(write(tmp_path, name, content))


def test_dots_in_texts_and_numbers_are_no_deep_keys(tmp_path: Path) -> None:
    dots = ".".join("a" * 300)
    texts = f'title = "{dots}"\nsource = \'{dots}\'\ndescription = """\n{dots}\n\\""""""  # {dots}\n'
    p = load_problem(write(tmp_path, "p.toml", texts + TOML.replace("0.5]]", f"0.5]]  # {dots}")))
    assert p.title == dots and p.description == dots + '\n"""'
    wide = ", ".join(["0.5"] * 300)
    layer = f'weights = [[{wide}], [{wide}]]\n[[layers]]\nunits = 1\nactivation = "tanh"\n'
    assert load_problem(write(tmp_path, "q.toml", TOML.replace("weights = [[0.5], [-1]]\n", layer))).sizes == (
        2,
        300,
        1,
    )


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    assert refusal(tmp_path / "none.toml") == "no such file"
    assert refusal(tmp_path / "folder.toml") == "is a folder, expected a file"
    assert refusal(tmp_path).startswith("is a folder; ")
    assert refusal("a\0.toml") == "cannot be read: embedded null byte"
    assert refusal("x" * 5000 + ".toml") == "cannot be read: File name too long"
    assert "no built-in example" in refusal("x" * 5000)


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_FILE", 2**20)
    assert refusal(write(tmp_path, "p.toml", b"#" * (2**20 + 1))) == "is larger than 1 MB"


def test_examples_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "EXAMPLES", tmp_path)
    write(tmp_path, "xor.toml", FILE.replace("{}", 'file = "xor.csv"'))
    write(tmp_path, "xor.csv", "a,b,y\n0,1,1\n")
    write(tmp_path, "article.toml", TOML)
    assert example_names() == ["article", "xor"]
    assert load_problem("xor").name == "xor"
    assert "no built-in example of this name; did you mean 'article'? (there are: article, xor;" in refusal("artikel")


def test_every_built_in_example_can_be_read() -> None:
    for name in example_names():
        assert load_any(name).name == name


def test_columns_left_out(tmp_path: Path) -> None:
    table = "a,b,y\n1,2,3\n"
    for data in ("", 'targets = ["y"]', 'inputs = ["a", "b"]'):
        p = load_problem(with_data(tmp_path, f'file = "d.csv"\n{data}', d_csv=table))
        assert (p.X.tolist(), p.Y.tolist()) == ([[1, 2]], [[3]])


def test_a_column_without_a_name_is_passed_over(tmp_path: Path) -> None:
    p = load_problem(with_data(tmp_path, 'file = "d.csv"', d_csv="a,,b,y,\n1,note,2,3,?\n"))
    assert (p.X.tolist(), p.Y.tolist()) == ([[1, 2]], [[3]])


def test_a_column_may_be_called_by_a_number(tmp_path: Path) -> None:
    p = load_problem(with_data(tmp_path, 'file = "d.csv"', d_csv="x1,2,y\n1,2,3\n"))
    assert (p.X.tolist(), p.Y.tolist()) == ([[1, 2]], [[3]])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
def test_lines_of_a_table_may_end_in_any_way(end: str, tmp_path: Path) -> None:
    p = load_problem(with_data(tmp_path, 'file = "d.csv"', d_csv=end.join(("a,b,y", "1,2,3", "4,5,6", ""))))
    assert (p.X.tolist(), p.Y.tolist()) == ([[1, 2], [4, 5]], [[3], [6]])


def test_semicolons_bring_decimal_commas(tmp_path: Path) -> None:
    p = load_problem(with_data(tmp_path, 'file = "d.csv"', d_csv="\ufeffa;b;y\r\n0,5;1;1\r\n"))
    assert p.X.tolist() == [[0.5, 1.0]]


def test_blanks_after_commas(tmp_path: Path) -> None:
    table = '"a", "b" , "y"\n1, 2, 3\n'
    p = load_problem(with_data(tmp_path, 'file = "d.csv"\ntargets = ["b"]', d_csv=table))
    assert (p.X.tolist(), p.Y.tolist()) == ([[1, 3]], [[2]])


BAD_TABLES: list[tuple[str, str | bytes, str]] = [
    ("", "a,b,y\n1,2,3\n1,x,3\n", "d.csv: row 3, column 'b': found 'x', expected a finite number"),
    ("", "a,b,y\n1,2,3\n\n1,2,3\n", "row 3, column 'a': found a blank cell"),
    ("", "a,b,y\n1,2\n", "row 2, column 'y': found a blank cell"),
    ("", "a,b,y\n1,nan,3\n", "found 'nan'"),
    ("", "a,b,y\n1,1_0,3\n", "found '1_0'"),
    ("", "a,b,y\n1,1e101,3\n", "found '1e101'"),
    ("", "a,b,y\n1,2,3,4\n", "row 2: found 4 cells, expected 3 as in the header"),
    ("", "a,b,y\n", "expected a row with the columns' names and at least one row of numbers"),
    ("", "", "expected a row with the columns' names"),
    ("", "1,2,3\n4,5,6\n", "row 1: expected the columns' names"),
    ("", b"a,b,y\n\xff,1,2\n", "d.csv: not UTF-8 text: line 2 has the byte 0xff; save it as UTF-8"),
    ("", "a,b,y\n" + "1" * 200_000 + ",1,1", "d.csv: not CSV: field larger than field limit"),
    (
        'inputs = ["a", "bb"]',
        "a,b,y\n1,2,3\n",
        "no column 'bb'; did you mean 'b'? (there are: 'a', 'b', 'y')",
    ),
    ('inputs = ["a", "a"]', "a,b,y\n1,2,3\n", "twice the column 'a'"),
    ('inputs = ["a"]', "a,a,y\n1,2,3\n", "twice the column 'a'"),
    ('targets = ["y"]', "y\n1\n", "no column is left for the inputs"),
    ('sheet = "s"', "a,b,y\n1,2,3\n", "found sheet 's' for a CSV file"),
]


@pytest.mark.parametrize(("data", "table", "says"), BAD_TABLES, ids=range(len(BAD_TABLES)))
def test_bad_csv(data: str, table: str | bytes, says: str, tmp_path: Path) -> None:
    message = refusal(with_data(tmp_path, f'file = "d.csv"\n{data}', d_csv=table))
    assert message.startswith("data.file: d.csv: ") and says in message


def test_a_table_with_another_ending_or_none_at_all(tmp_path: Path) -> None:
    assert "data.file: found 'd.ods', expected a name that ends in .csv or .xlsx" in refusal(
        with_data(tmp_path, 'file = "d.ods"')
    )
    missing = "no such file (looked for from the problem file's folder)"
    assert refusal(with_data(tmp_path, 'file = "no.csv"')) == f"data.file: no.csv: {missing}"
    assert refusal(with_data(tmp_path, 'file = "sub/no.csv"')) == f"data.file: sub/no.csv: {missing}"
    absolute = (tmp_path / "no.csv").as_posix()
    assert refusal(with_data(tmp_path, f'file = "{absolute}"')) == f"data.file: {absolute}: no such file"
    assert refusal(with_data(tmp_path, 'file = "a\\nb.csv"')) == f"data.file: 'a\\nb.csv': {missing}"


def test_targets_in_a_table_are_named_by_row(tmp_path: Path) -> None:
    path = with_data(tmp_path, 'file = "d.csv"', d_csv="a,b,y\n1,2,1\n1,2,3\n")
    path.write_text(path.read_text().replace("squared_error", "binary_cross_entropy").replace("tanh", "sigmoid"))
    assert refusal(path).startswith("data.file: d.csv, row 3: found 3.0, expected targets from 0 to 1")


def test_bad_xlsx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = with_data(tmp_path, 'file = "d.xlsx"\nsheet = "Data"', d_xlsx=b"PK\x03\x04 nothing")
    assert "d.xlsx: not a workbook that can be read (BadZipFile:" in refusal(path)
    with zipfile.ZipFile(tmp_path / "d.xlsx", "w") as archive:
        archive.writestr("hello", "world")
    assert "d.xlsx: not a workbook that can be read (KeyError:" in refusal(path)
    workbook(tmp_path / "d.xlsx", ["a", "b", "y"], [1, True, 2], title="Dato")
    assert "has no sheet 'Data'; did you mean 'Dato'? (there are: First, Dato)" in refusal(path)
    workbook(tmp_path / "d.xlsx", ["a", "b", "y"], [1, 2, 2], [1, True, 2])
    assert "d.xlsx: row 3, column 'b': found true" in refusal(path)
    workbook(tmp_path / "d.xlsx", ["a", "b", "y"], [1, 2, "=1+1"])
    assert "row 2, column 'y': found a blank cell" in refusal(path)
    monkeypatch.setattr(reading, "MOST_CELLS", 5)
    assert "d.xlsx: has more than 5 cells" in refusal(path)
    monkeypatch.setattr(reading, "LARGEST_UNPACKED", 2**10)
    assert "d.xlsx: unpacks to more than 0 MB" in refusal(path)


def test_openpyxl_is_not_imported_for_nothing(tmp_path: Path) -> None:
    import subprocess

    code = "import sys, tracer.problem.reading; sys.exit('openpyxl' in sys.modules)"
    root = Path(reading.__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(ProblemError, match="is no plain file"):
        load_problem(tmp_path / "pipe.toml")
