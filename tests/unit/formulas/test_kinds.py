"""What a program's formulas tell of its matrices: activations, what goes into them, targets."""

import pytest

from tests.programs import SAMPLES
from tracer.api import trace
from tracer.problem.program_problem import ProgramProblem
from tracer.problem.reading import problem_of_table


def kinds(*formulas: str) -> dict[str, str | None]:
    document = {
        "learning_rate": 0.1,
        "given": {"X": [[1, 2], [0, 1]], "Y": [[1, 0], [0, 1]], "M": [[0.5, 1], [1, 2]]},
        "parameters": {"W": [[0.1, 0.2], [0.3, 0.4]]},
        "steps": [{"formulas": list(formulas)}],
    }
    problem = problem_of_table(document)
    assert isinstance(problem, ProgramProblem)
    found = problem.program.assignments.values()
    return {each.id: each.kind for each in found if each.role in ("given", "parameter", "intermediate", "loss")}


@pytest.mark.parametrize(
    "function",
    ["sigmoid(Z)", "tanh(Z)", "relu(Z)", "leaky_relu(Z)", "leaky_relu(Z, slope=0.3)", "elu(Z)", "softplus(Z)",
     "silu(Z)", "gelu(Z)", 'gelu(Z, form="erf")', "softmax(Z)"],
)  # fmt: skip
def test_an_activation_and_what_goes_into_it(function: str) -> None:
    found = kinds("Z = X @ W", f"A = {function}", "L = squared_error(A, Y)")
    assert (found["Z"], found["A"], found["Y"]) == ("pre_activation", "activation", "target")
    assert found["X"] is found["W"] is found["M"] is found["L"] is None


@pytest.mark.parametrize("function", ["exp(Z)", "sqrt(Z * Z + 1)", "abs(Z)", "sin(Z)", "2 * Z", "Z * M"])
def test_what_is_no_activation(function: str) -> None:
    found = kinds("Z = X @ W", f"A = {function}", "L = half_squared_error(A, Y)")
    assert found["Z"] is found["A"] is None and found["Y"] == "target"


def test_a_part_of_a_formula_and_an_activation_of_an_activation() -> None:
    found = kinds("A = tanh(X @ W)", "B = sigmoid(A)", "L = cross_entropy_of_logits(B, Y) / 2 + squared_error(M, B)")
    assert (found["A_part1"], found["A"], found["B"]) == ("pre_activation", "activation", "activation")
    assert found["Y"] == "target" and found["M"] is None


def test_an_activation_of_what_is_given_leaves_it_what_it_is() -> None:
    found = kinds("A = relu(X)", "L = sum(A @ W * M)")
    assert found["A"] == "activation" and found["X"] is found["Y"] is None


def test_they_stand_in_the_document_beside_the_roles() -> None:
    document = trace(SAMPLES["perceptron"].document()).to_document()
    steps = document["epochs"][0]["iterations"][0]["steps"]
    told = {each["id"]: each.get("kind") for step in steps for each in step["assignments"]}
    assert (told["Z1"], told["A1"], told["Y"]) == ("pre_activation", "activation", "target")
    assert told["Z2"] == "pre_activation" and told["W1"] is None


@pytest.mark.parametrize("scaled", ["2 * (X @ W)", "(X @ W) * 2", "(X @ W) / 2", "-(X @ W)"])
def test_a_product_times_a_number_stays_in_its_formula(scaled: str) -> None:
    assert set(kinds(f"Z = {scaled} + M", "L = sum(Z * Y)")) == {"X", "Y", "M", "W", "Z", "L"}
    assert "Z_part1" in kinds(f"Z = {scaled} * M", "L = sum(Z * Y)")
