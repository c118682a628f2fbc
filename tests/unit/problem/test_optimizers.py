"""Every optimizer against torch.optim over 20 passes, each setting of it included."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from tests.programs import SAMPLES
from tests.torch_formulas import of as torch_of
from tracer.api import trace, train

SAMPLE = SAMPLES["perceptron"]
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "sgd": [
        {}, {"weight_decay": 0.1}, {"momentum": 0.9}, {"momentum": 0.9, "dampening": 0.3},
        {"momentum": 0.5, "nesterov": True, "weight_decay": 0.01},
        {"momentum": 0.5, "dampening": 1.0},
    ],
    "adagrad": [{}, {"lr_decay": 0.1}, {"initial_accumulator_value": 0.5, "eps": 1e-3, "weight_decay": 0.1}],
    "rmsprop": [{}, {"alpha": 0.5, "eps": 1e-3}, {"momentum": 0.9}, {"centered": True, "momentum": 0.5, "eps": 0.01},
                {"centered": True, "weight_decay": 0.1, "eps": 0.01}],
    "adam": [{}, {"betas": [0.5, 0.9], "eps": 1e-3}, {"betas": [0.0, 0.99]}, {"weight_decay": 0.1}],
    "adamw": [{}, {"weight_decay": 0.0}, {"weight_decay": 0.3, "betas": [0.8, 0.9]}],
}  # fmt: skip
CLASSES = {"sgd": "SGD", "adagrad": "Adagrad", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"}
CASES = [(name, each, clip) for name, options in OPTIONS.items() for each, clip in product(options, (None, 0.4))]


def by_torch(name: str, options: dict[str, Any], clip: float | None, steps: int) -> list[dict[str, Any]]:
    """The parameters after each pass."""
    import ast

    given, numbers = SAMPLE.numbers()
    parameters = {key: torch.tensor(each, dtype=torch.float64, requires_grad=True) for key, each in numbers.items()}
    settings = {key: tuple(each) if isinstance(each, list) else each for key, each in options.items()}
    optimizer = getattr(torch.optim, CLASSES[name])(parameters.values(), lr=0.1, **settings)
    found = []
    for _ in range(steps):
        values = {key: torch.tensor(each, dtype=torch.float64) for key, each in given.items()} | parameters
        for text in SAMPLE.formulas:
            (assign,) = ast.parse(text).body
            assert isinstance(assign, ast.Assign) and isinstance(assign.targets[0], ast.Name)
            values[assign.targets[0].id] = torch_of(assign.value, values)
        optimizer.zero_grad()
        values["L"].sum().backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(parameters.values(), clip)
        optimizer.step()
        found.append({key: each.detach().numpy().copy() for key, each in parameters.items()})
    return found


@pytest.mark.parametrize(("name", "options", "clip"), CASES)
def test_twelve_passes_are_torchs(name: str, options: dict[str, Any], clip: float | None) -> None:
    table = {"name": name, **options, **({"clip_norm": clip} if clip else {})}
    run = trace(SAMPLE.document(optimizer=table), range(1, 13))
    for one, expected in zip(run.passes, by_torch(name, options, clip, 12), strict=True):
        for key, want in expected.items():
            assert np.allclose(one[f"{key}_next"], want, rtol=1e-9, atol=1e-12), (one.epoch, key)
    trained = train(SAMPLE.document(optimizer=table), 12)
    assert np.array_equal(trained.final["W1"], run.last["W1_next"])


def test_the_states_are_matrices_of_the_steps() -> None:
    run = trace(SAMPLE.document(optimizer={"name": "adam", "clip_norm": 0.1}), (1, 2))
    first, second = run.passes
    given = {each.id: each for each in first.steps[0].assignments}
    assert given["W1_mean"].role == given["step"].role == "state" and given["W1_mean"].of == "W1"
    assert first["step"].tolist() == [[0.0]] and first["step_next"].tolist() == second["step"].tolist() == [[1.0]]
    assert np.array_equal(first["W1_squares_next"], second["W1_squares"])
    made = {each.id: each for each in first.steps[-1].assignments}
    assert made["W1_next"].role == "updated" and made["W1_mean_next"].of == "W1_mean"
    assert {"dW1_clipped", "W1_mean_hat", "W1_squares_hat"} <= set(made)
    assert np.allclose(first["W1_mean_next"], 0.1 * first["dW1_clipped"])
