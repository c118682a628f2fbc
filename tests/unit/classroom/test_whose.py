"""Who handed in a file: no mark goes to the wrong person."""

from pathlib import Path

import pytest

from tracer.classroom.submissions import Submission
from tracer.classroom.whose import Register
from tracer.variation.folder import Variant
from tracer.variation.roster import Student

ADA, OTHER_ADA, BO = Student("Ada Lovelace", "s1"), Student("Ada Lovelace", "s2"), Student("Bo García", "s3")
VARIANTS = [Variant(k, 1, str(k) * 64, (student,)) for k, student in enumerate((ADA, OTHER_ADA, BO), 1)]
REGISTER = Register(VARIANTS)


@pytest.mark.parametrize(
    ("file", "said", "stated", "expected", "noted"),
    [
        ("x.json", {"name": "Bo García", "id": "s3"}, None, BO, False),
        ("x.json", {"name": " bo  GARCÍA "}, None, BO, False),
        ("x.json", {"name": "García, Bo"}, None, BO, False),
        ("x.json", {"id": "S3"}, None, BO, False),
        ("x.json", {"name": "Ada Lovelace"}, None, None, True),  # which of the two
        ("x.json", {"name": "Ada Lovelace", "id": "s2"}, None, OTHER_ADA, False),
        ("x.json", {"name": "Ada Lovelace"}, 2, OTHER_ADA, False),
        ("x.json", {"name": "Bo García", "id": "s1"}, None, None, True),  # of two people
        ("x.json", {"name": "Bo García", "id": "s1"}, 3, BO, True),  # its variant decides
        ("x.json", {"name": "Bo García", "id": "s1"}, 2, None, True),  # or says a third
        ("x.json", {}, 3, BO, False),
        ("x.json", {}, None, None, True),
        ("Bo García.json", {}, None, BO, False),
        ("hand-in/s2_work.json", {}, None, OTHER_ADA, False),
        ("Bo García_70_assignsubmission_file_/x.json", {"name": "Ada Lovelace", "id": "s1"}, 1, BO, True),
        ("Bo García_70_assignsubmission_file_/x.json", {"name": "Bo García", "id": "70"}, None, BO, False),
        ("Ada Lovelace_71_assignsubmission_file_/x.json", {"name": "Ada Lovelace", "id": "s2"}, None, OTHER_ADA, False),
        ("Ada Lovelace_71_assignsubmission_file_/x.json", {"name": "Ada Lovelace", "id": "71"}, None, None, True),
        ("Cy Young_72_assignsubmission_file_/x.json", {"name": "Bo García", "id": "s3"}, 3, None, True),
    ],
)
def test_a_file_goes_to_its_student_or_to_nobody(
    file: str, said: dict[str, str], stated: int | None, expected: Student | None, noted: bool
) -> None:
    variant = None if stated is None else VARIANTS[stated - 1]
    found = REGISTER.owner(Submission(file, Path("x.json")), said, variant)
    assert found.student == expected
    assert bool(found.note) == noted, found.note
    assert found.variant == (variant if expected is None else VARIANTS[(ADA, OTHER_ADA, BO).index(expected)])


def test_of_namesakes_the_one_whose_variant_the_numbers_fit() -> None:
    file = Submission("Ada Lovelace_71_assignsubmission_file_/x.csv", Path("x.csv"))
    found = REGISTER.owner(file, {"name": "Ada Lovelace", "id": "71"}, None, lambda those: those[-1])
    assert found.student == OTHER_ADA
    assert REGISTER.owner(file, {"name": "Ada Lovelace"}, None, lambda those: None).student is None
