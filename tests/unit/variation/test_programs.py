"""Variants of programs, and of problems of several batches: the same certificate, and marks that find their own."""

import json
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.variation.test_variants import SMALL, Variants, variants  # noqa: F401
from tracer.answers.key import key_of
from tracer.errors import TracerError
from tracer.expression.digits import fixed_texts
from tracer.expression.evaluate import compiled
from tracer.judging.slips.forms import slip_forms
from tracer.problem.problem import problem_from_document
from tracer.problem.program_problem import ProgramProblem, program_from_document
from tracer.problem.reading import load_any
from tracer.run.passes import AnyProblem
from tracer.variation.certificate import Certificate, certify
from tracer.variation.folder import load_variants
from tracer.variation.search import FoundVariants, find

GATED: dict[str, Any] = {
    "title": "Gated", "learning_rate": 0.3,
    "given": {"X": [[1, 2, 0], [0, 1, 1], [2, 0, 1]], "Y": [[0, 1], [1, 0], [0, 1]],
              "M": [[0, -30, -30], [0, 0, -30], [0, 0, 0]]},
    "parameters": {"W": [[0.5, -0.4], [0.3, 0.8], [-0.2, 0.6]], "g": [[0.7, 1.2]]},
    "steps": [{"title": "Unit", "formulas": ["Z = X @ W", "A = tanh(Z)"]},
              {"title": "Gain", "formulas": ["O = A * g", "L = half_squared_error(O, Y)"]}],
}  # fmt: skip


def gated(**section: Any) -> ProgramProblem:
    return program_from_document({**GATED, "variants": section}, "gated", "gated")


def written(values: np.ndarray, decimals: int) -> list[str]:
    return fixed_texts(np.nan_to_num(values, posinf=1e9, neginf=-1e9), decimals)


def alike(problem: AnyProblem) -> set[tuple[str, str, str]]:
    """Matrix and names of two forms (the right one is "") that are written alike, by numpy."""
    key, found = key_of(problem), set()
    by_matrix: dict[str, dict[str, list[str]]] = {}
    for form in slip_forms(key):
        right = key.values[form.matrix]
        own = by_matrix.setdefault(form.matrix, {"": written(right, key.asked[form.matrix])})
        with np.errstate(all="ignore"):
            made = np.broadcast_to(compiled(form.expression)(key.values), right.shape)
        own.setdefault(form.called, written(made, key.asked[form.matrix]))
    for matrix, own in by_matrix.items():
        found |= {(matrix, one, other) for one, other in combinations(own, 2) if own[one] == own[other]}
    return found


def unlisted(certificate: Certificate) -> Iterator[tuple[str, str, str]]:
    """What is alike on a variant and the certificate does not say of."""
    proof = certificate.to_document()["slips"]
    one = [(each["id"], set(each["forms"])) for each in proof["one"]]
    none: dict[str, set[str]] = {}
    for each in (*proof["none"], *proof["unseen"]):
        none.setdefault(each["id"], {""}).add(each["form"])
    for variant in certificate.found.variants:
        for matrix, *pair in alike(variant):
            listed = any(matrix == each and set(pair) <= forms for each, forms in one)
            if not listed and not set(pair) <= none.get(matrix, set()):
                yield (matrix, pair[0], pair[1])


@pytest.mark.parametrize("make", [gated, lambda: load_any("lora"), lambda: load_any("momentum-paper")])
def test_the_certificate_holds_by_another_way_of_counting(make: Callable[[], AnyProblem]) -> None:
    certificate = certify(find(make(), 2, "3"))
    assert certificate.holds and len({each.sha256 for each in certificate.found.variants}) == 2
    assert list(unlisted(certificate)) == []


def test_what_no_drawing_tells_apart_is_listed_with_its_reason() -> None:
    """A single number is above 0 or below it: no drawing tells relu from both the step function and leaky relu."""
    single = {
        "learning_rate": 0.5, "given": {"x": 2, "y": 1}, "parameters": {"w": 0.4, "b": -0.3},
        "steps": [{"formulas": ["z = x * w + b", "a = tanh(z)", "L = half_squared_error(a, y)"]}],
    }  # fmt: skip
    told = certify(find(program_from_document(single, "single", "single"), 1, "1")).to_document()
    reasons = [each["why"] for each in told["slips"]["one"] if each["id"] == "a"]
    assert told["holds"] and any("tells these and the others apart at once" in each for each in reasons)


def of(found: FoundVariants) -> list[ProgramProblem]:
    return [each for each in found.variants if isinstance(each, ProgramProblem)]


def test_data_stay_and_a_gain_stays_positive_unless_told_otherwise() -> None:
    for variant in of(find(gated(), 4, "1")):
        for name, matrix in variant.given.items():
            assert (matrix == np.array(GATED["given"][name])).all()
        assert (variant.initial["g"] > 0).all() and variant.initial["W"].tolist() != GATED["parameters"]["W"]


def test_whole_numbers_stay_whole_and_labels_labels() -> None:
    found = of(find(gated(matrices=["X", "Y", "W", "g"]), 3, "1"))
    for variant in found:
        X, Y = variant.given["X"], variant.given["Y"]
        assert (X.round() == X).all() and X.min() >= 0 and X.max() <= 2
        assert sorted(map(tuple, Y.tolist())) == sorted(map(tuple, GATED["given"]["Y"]))
    assert len({each.given["X"].tobytes() for each in found}) > 1


def test_a_mask_is_refused() -> None:
    with pytest.raises(TracerError, match="found 'M', which is a mask: it stays as it is"):
        find(gated(matrices=["M", "W"]), 1, "1")
    with pytest.raises(TracerError, match="found 'Q', expected one of X, Y, M, W, g"):
        find(gated(matrices=["Q"]), 1, "1")


def test_the_section_is_read_back_and_changes_no_number() -> None:
    own = gated(digits=2, W={"range": [-1, 1]})
    assert own.sha256 == program_from_document(GATED, "gated", "gated").sha256
    assert program_from_document(own.to_document(), "gated", "gated").variants == own.variants
    (variant,) = of(find(own, 1, "1"))
    assert (np.abs(variant.initial["W"]) <= 1).all() and (variant.initial["W"] != variant.initial["W"].round(1)).any()


def test_the_first_batch_of_several_is_what_is_certified() -> None:
    problem = problem_from_document({**SMALL, "batch_size": 2, "epochs": 3}, "small", "small")
    certificate = certify(find(problem, 2, "1"))
    assert certificate.holds and list(unlisted(certificate)) == []
    assert {(each.epochs, key_of(each).program.rows) for each in certificate.found.variants} == {(3, 2)}


def test_a_class_with_a_program_finds_its_own(variants: Variants, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "gated.json").write_text(json.dumps(GATED))
    status, said, _ = variants("--count", 2, "--seed", 1, "--ask", 3, "-o", tmp_path / "v", problem="gated.json")
    assert status == 0 and "2 variants" in said
    pages = list((tmp_path / "v" / "students").rglob("*.exam.html"))
    assert len(pages) == 2 and all("Z = X·W" in page.read_text(encoding="utf-8") for page in pages)
    for variant, problem in load_variants(tmp_path / "v"):
        key = key_of(problem)
        assert isinstance(problem, ProgramProblem) and problem.sha256 == variant.sha256
        assert (tmp_path / "v" / "teacher" / "keys" / f"{variant.label}.key.xlsx").stat().st_size
        assert key.program.loss in key.values
