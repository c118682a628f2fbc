"""`tracer variants`: what students get, what the teacher keeps, and a certificate that holds."""

import csv
import json
import re
import sys
import zipfile
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from tracer import cli
from tracer.answers.key import key_of
from tracer.expression.digits import fixed_texts
from tracer.expression.evaluate import compiled
from tracer.judging.slips.forms import slip_forms
from tracer.problem.problem import problem_from_document
from tracer.problem.reading import load_problem
from tracer.variation.certificate import certify
from tracer.variation.draws import Draws
from tracer.variation.folder import load_variants, read_index
from tracer.variation.search import find

SMALL = {
    "title": "Small", "learning_rate": 0.3, "loss": "half_squared_error",
    "data": {"X": [[1, 2], [0, 1], [2, -1]], "Y": [[1], [0], [1]]},
    "layers": [{"activation": "tanh", "weights": [[0.5, -0.4], [0.3, 0.8]], "bias": [0.1, -0.2]},
               {"activation": "linear", "weights": [[0.7], [-0.6]], "bias": [0.2]}],
}  # fmt: skip
ROSTER = (
    "Name,ID,Group,Email\nAda Lovelace,s1,,ada@x.example\nBo García,s2,red,bo@x.example\nCy Young,s3,red,cy@x.example\n"
)

Variants = Callable[..., tuple[object, str, str]]


@pytest.fixture
def variants(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Variants:
    (tmp_path / "small.json").write_text(json.dumps(SMALL))
    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8")

    def run(*more: object, problem: str = "small.json") -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["tracer", "variants", str(tmp_path / problem), *map(str, more)])
        status: object = 0
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code
        return (status, *capsys.readouterr())

    return run


def texts(folder: Path) -> dict[str, str]:
    """Every file of a folder as text, by its path; workbooks by the parts in them."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            found[name] = _unpacked(path) if path.suffix == ".xlsx" else path.read_bytes().decode("latin-1")
    return found


def _unpacked(path: Path) -> str:
    with zipfile.ZipFile(path) as packed:
        return "\n".join(packed.read(name).decode("latin-1") for name in packed.namelist())


def test_students_get_no_key_no_seed_and_nobody_elses_name(variants: Variants, tmp_path: Path) -> None:
    out = tmp_path / "v"
    status, said, _ = variants("--roster", tmp_path / "roster.csv", "--seed", "tulip", "--ask", 4, "-o", out)
    assert status == 0 and "2 variants" in said
    folders = {path.name for path in (out / "students").iterdir()}
    assert folders == {"Ada Lovelace s1", "Bo García s2", "Cy Young s3"}
    names = {"Ada Lovelace s1": "Ada", "Bo García s2": "Bo Garc", "Cy Young s3": "Young"}
    for folder, name in names.items():
        own = texts(out / "students" / folder)
        assert {Path(each).suffix for each in own} == {".html", ".xlsx"} and len(own) == 4
        everything = "\n".join(own.values())
        assert name in everything
        for secret in (*(each for each in names.values() if each != name), "@x.example", "tulip", "certificate"):
            assert secret not in everything, (folder, secret)
    index = read_index(out)
    assert [[each.name for each in variant.students] for variant in index.variants] == [
        ["Ada Lovelace"], ["Bo García", "Cy Young"],
    ]  # fmt: skip
    red = [(out / "students" / name / "small.worksheet.xlsx").read_bytes() for name in ("Bo García s2", "Cy Young s3")]
    assert red[0] == red[1]
    with (out / "teacher" / "merge.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["email"] for row in csv.DictReader(file)] == ["ada@x.example", "bo@x.example", "cy@x.example"]
    assert "@x.example" not in (out / "teacher" / "index.json").read_text()


def test_the_certificate_holds_by_another_way_of_counting(variants: Variants, tmp_path: Path) -> None:
    """Every form of every slip, evaluated by numpy and written down: no two texts are equal unless they are listed."""
    out = tmp_path / "v"
    assert variants("--count", 3, "--seed", 1, "-o", out)[0] == 0
    proof = json.loads((out / "teacher" / "certificate.json").read_text())
    assert proof["holds"] and proof["slips"]["invisible"] == proof["slips"]["alike"] == 0
    one = [(each["id"], set(each["forms"])) for each in proof["slips"]["one"]]
    none = {(each["id"], each["form"]) for each in proof["slips"]["none"]}
    for _, problem in load_variants(out):
        key = key_of(problem)
        written: dict[str, dict[str, list[str]]] = {}
        forms = list(slip_forms(key))
        assert len(forms) == proof["slips"]["forms"]
        for form in forms:
            own = written.setdefault(form.matrix, {"": fixed_texts(key.values[form.matrix], key.asked[form.matrix])})
            with np.errstate(all="ignore"):
                value = np.asarray(compiled(form.expression)(key.values))
            whole = np.broadcast_to(value, key.values[form.matrix].shape)
            own.setdefault(
                form.called, fixed_texts(np.nan_to_num(whole, posinf=1e9, neginf=-1e9), key.asked[form.matrix])
            )
        for matrix, own in written.items():
            for a, b in combinations(own, 2):
                if own[a] == own[b]:
                    assert (a == "" and (matrix, b) in none) or any(
                        matrix == each and {a, b} <= forms_of for each, forms_of in one
                    ), (matrix, a, b)


def test_the_same_seed_gives_the_same_files_and_another_others(variants: Variants, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        variants("--count", 2, "--seed", seed, "-o", tmp_path / name)
    a, b, c = (texts(tmp_path / name) for name in "abc")
    assert a == b and a.keys() == c.keys() and a["teacher/problems/001.json"] != c["teacher/problems/001.json"]


def test_the_numbers_of_a_seed_are_the_same_on_every_machine() -> None:
    """What SHA-256 says; any other answer would be another machine's."""
    draws = Draws("7")
    assert [draws.below(1000) for _ in range(6)] == [789, 930, 660, 317, 354, 742]
    found = find(load_problem("article"), 2, "7")
    assert [each.sha256[:8] for each in found.variants] == ["183a4c54", "10072e59"]


@pytest.mark.parametrize("name", ["mazur", "logistic-regression"])  # one sample and biases that stay; one layer
def test_other_problems_have_variants_too(name: str) -> None:
    assert certify(find(load_problem(name), 1, "1")).holds


def test_a_later_sitting_uses_no_variant_again(variants: Variants, tmp_path: Path) -> None:
    out = tmp_path / "v"
    variants("--count", 3, "-o", out)
    assert variants("--count", 3, "--sitting", 2, "-o", out)[0] == 0
    hashes = [each.sha256 for each in read_index(out).variants]
    assert len(set(hashes)) == 6 and (out / "students" / "sitting-2" / "variant-004").is_dir()
    seed = read_index(out).seed
    assert len(seed) == 32 and all(seed not in text for text in texts(out / "students").values())
    status, _, err = variants("--count", 3, "--sitting", 2, "-o", out)
    assert status == 2 and "holds sitting 2 already" in err


def test_the_effort_is_alike_and_no_unit_is_dead(variants: Variants, tmp_path: Path) -> None:
    out = tmp_path / "v"
    variants("--count", 12, "--seed", 3, "-o", out)
    proof = json.loads((out / "teacher" / "certificate.json").read_text())
    for least, most in proof["effort"].values():
        assert most <= 1.1 * least
    for _, problem in load_variants(out):
        key = key_of(problem)
        for made in key.program.layers:
            assert (np.ptp(key.values[made.activation], axis=0) > 0).all()
        for old, new in key.program.updated.items():
            unit = 10.0 ** -key.asked[new]
            assert (np.abs(key.values[new] - key.values[old]) >= unit * 0.999).all()


def test_what_is_redrawn_and_from_where_is_told(variants: Variants, tmp_path: Path) -> None:
    told = {**SMALL, "variants": {"matrices": ["X", "W1", "b1", "W2", "b2"], "digits": 2, "range": [-1.5, 1.5],
                                  "W2": {"range": [0.2, 1.8], "digits": 1}}}  # fmt: skip
    (tmp_path / "told.json").write_text(json.dumps(told))
    assert variants("--count", 2, "--seed", 1, "-o", tmp_path / "v", problem="told.json")[0] == 0
    found = [problem for _, problem in load_variants(tmp_path / "v")]
    for problem in found:
        W2 = problem.layers[1].weights
        assert ((W2 >= 0.2) & (W2 <= 1.8)).all() and np.allclose(W2, W2.round(1))
        assert (np.abs(problem.layers[0].weights) <= 1.5).all() and (problem.Y == [[1], [0], [1]]).all()
        assert problem.convention == found[0].convention and problem.learning_rate == 0.3
    assert (found[0].X != found[1].X).any()
    base = problem_from_document(told, "a", "a")
    assert base.sha256 == problem_from_document(SMALL, "a", "a").sha256
    assert problem_from_document(base.to_document(), "a", "a").variants == base.variants


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"matrices": []}, "variants.matrices: found a list of 0"),
        ({"digits": 9}, "variants.digits: found 9, expected a whole number from 0 to 6"),
        ({"range": [2, 1]}, "variants.range: found a list of 2, expected the least and the largest number"),
        ({"W1": {"digit": 1}}, "variants.W1: unknown key 'digit', expected digits or range"),
        ({"matrices": ["W9"]}, "found 'W9', expected one of X, Y, W1, b1, W2, b2"),
        ({"range": [0.1, 0.2], "digits": 1}, "no 1 sets of numbers were found"),
    ],
)
def test_a_section_that_cannot_be_is_one_message(
    variants: Variants, tmp_path: Path, section: object, says: str
) -> None:
    (tmp_path / "told.json").write_text(json.dumps({**SMALL, "variants": section}))
    status, out, err = variants("--count", 1, "--seed", 1, "-o", tmp_path / "v", problem="told.json")
    assert (status, out) == (2, "") and says in err and not (tmp_path / "v").exists()


@pytest.mark.parametrize(
    ("roster", "says"),
    [
        ("Name,ID\nAda,1\nBo,1\n", "2 students have the id '1'; each needs one of their own"),
        ("Name\nAda\nAda\n", "2 students have the name 'Ada'; an id must tell them apart"),
        ("Colour\nred\n", "row 1: found 'Colour', expected headings"),
        ("Name,ID\n", "found no students"),
        ("Name,ID\n,\n,,\n", "found no students"),
    ],
)
def test_a_roster_that_cannot_be_is_one_message(variants: Variants, tmp_path: Path, roster: str, says: str) -> None:
    (tmp_path / "bad.csv").write_text(roster)
    status, _, err = variants("--roster", tmp_path / "bad.csv", "-o", tmp_path / "v")
    assert status == 2 and says in err and err.count("\n") == 1


def test_options_that_do_not_go_together(variants: Variants, tmp_path: Path) -> None:
    assert "--count: says how many" in variants("-o", tmp_path / "v")[2]
    assert "--sitting" in variants("--count", 2, "--sitting", 2, "-o", tmp_path / "v")[2]
    assert "found both PROBLEM and --layers" in variants("--layers", "2-2-1", "-o", tmp_path / "v")[2]
    few = variants("--roster", tmp_path / "roster.csv", "--count", 1, "-o", tmp_path / "v")
    assert few[0] == 2 and "expected at least 2, one for each student or group" in few[2]
    assert not (tmp_path / "v").exists()


def test_a_quiz_has_a_page_a_table_and_a_key(variants: Variants, tmp_path: Path) -> None:
    out = tmp_path / "v"
    variants("--roster", tmp_path / "roster.csv", "--seed", 5, "--ask", 4, "-o", out)
    index = read_index(out)
    assert len(index.asked) == 4
    with (out / "teacher" / "transcription.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:3] == ["student", "id", "variant"] and len(rows[0]) == 7
    assert [row[:3] for row in rows[1:]] == [
        ["Ada Lovelace", "s1", "1"],
        ["Bo García", "s2", "2"],
        ["Cy Young", "s3", "2"],
    ]
    (_, problem), *_ = load_variants(out)
    key = key_of(problem)
    page = (out / "teacher" / "keys" / "001.exam-key.html").read_text(encoding="utf-8")
    for matrix, row, column in index.asked:
        value = key.values[matrix][row, column]
        assert f"<b>{fixed_texts(np.array([value]), key.asked[matrix])[0]}</b>" in page
    assert "then carry on with" in page
    ranges = re.findall(r"<td>([−0-9.]+) … ([−0-9.]+)</td>", page)
    for (low, high), (matrix, row, column) in zip(ranges, index.asked, strict=True):
        ends = [float(each.replace("−", "-")) for each in (low, high)]
        assert ends[0] < key.values[matrix][row, column] < ends[1]


def test_a_problem_for_diagnosis_has_its_certificate(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "d.toml"
    monkeypatch.setattr(
        sys, "argv", ["tracer", "new", "--layers", "2-2-1", "--seed", "4", "--diagnostic", "-o", str(out)]
    )
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().out.split() == [
        str(tmp_path / each) for each in ("d.toml", "d.certificate.html", "d.certificate.json")
    ]
    proof = json.loads((tmp_path / "d.certificate.json").read_text())
    assert proof["holds"] and proof["variants"] == 1
    assert load_problem(out).sha256 == proof["each"][0]["problem_sha256"]
