"""Learners' own backward passes: mistakes are named, and nobody who is right is accused."""

from typing import Any

import numpy as np
import pytest
import torch

import tracer
from tests.own_passes import BROKEN, RIGHT, W1, Own, problem
from tests.torch_modules import FIFTEEN, Case, precise
from tracer.errors import TracerError
from tracer.frameworks.comparing import compare


@pytest.mark.parametrize("name", BROKEN)
def test_the_first_line_names_parameter_and_mistake(name: str) -> None:
    own, parameter, says = BROKEN[name]
    found = compare(problem(), own.gradients())
    first = str(found).split("\n")[0]
    assert first.startswith(f"{parameter} is the gradient ") and says in first, first
    assert not found.all_right


@pytest.mark.parametrize("name", RIGHT)
def test_nobody_who_is_right_is_accused(name: str) -> None:
    reduction, shown = RIGHT[name]
    found = compare(problem(reduction), shown(Own().gradients()))
    assert found.all_right and str(found).startswith("every gradient is right"), str(found)


def test_a_mistake_in_a_summed_loss_is_told_apart_from_the_sum() -> None:
    own = BROKEN["mask"][0].gradients()
    found = compare(problem(), {key: each * 5 for key, each in own.items()})
    assert "dW1 is the gradient without the ReLU mask" in found.lines[0]
    assert any("5 times the derived ones" in line for line in found.lines)
    assert [each.name for each in found if each.right] == ["dW3", "db3", "dW2", "db2"]


def test_a_row_for_each_sample_is_a_missing_sum() -> None:
    found = compare(problem(), {"db1": np.ones((5, 4))})
    assert "db1 is 5×4, expected 1×4: it has a row for each sample, so the sum over the samples is missing" in str(
        found
    )


def test_what_no_single_mistake_gives_is_said_plainly_and_never_as_a_mistake_that_it_is_not() -> None:
    own = Own().gradients()
    odd = np.sin(np.arange(12.0)).reshape(3, 4)
    says = str(compare(problem(), own | {"dW1": odd}))
    assert "dW1 is not the gradient: 12 of 12 numbers differ" in says and "no single mistake" in says
    assert "dW1 is the parameter itself, and not its gradient" in str(compare(problem(), own | {"dW1": W1}))
    assert "all zeros" in str(compare(problem(), own | {"dW1": np.zeros((3, 4))}))
    assert "not finite" in str(compare(problem(), own | {"dW1": np.full((3, 4), np.nan)}))


@pytest.mark.parametrize("name", ["lstm", "cnn with max pool", "mlp", "transformer encoder layer"])
def test_the_gradients_of_a_model_are_right_under_its_own_names(name: str) -> None:
    with precise():
        case: Case = FIFTEEN[name]()
        case.run().backward()
        own = {key: each.grad for key, each in case.module.named_parameters()}
        found = compare(case.module, own, inputs=case.inputs, targets=case.targets, loss=case.loss)
    assert found.all_right and len(list(found)) == len(own)


def test_a_time_step_that_was_left_out_is_found_in_a_program() -> None:
    """Backpropagation through time cut off after the last step."""

    class Cut(torch.nn.Module):
        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.cell, self.cut = layer, False

        def forward(self, x: Any) -> Any:
            h = torch.zeros(len(x), 2, dtype=x.dtype)
            for t in range(x.shape[1]):
                h = self.cell(x[:, t], h.detach() if self.cut else h)
            return h

    with precise():
        module, x, y = Cut(torch.nn.RNNCell(2, 2)), torch.randn(2, 2, 2), torch.randn(2, 2)
        taken = tracer.from_torch(module, x, y, loss="mse_loss")
        module.cut = True
        torch.nn.functional.mse_loss(module(x), y).backward()
        found = compare(taken, {key: each.grad for key, each in module.named_parameters()})
    assert "cell.weight_ih is the gradient without what comes back through" in str(found), str(found)


def test_a_mask_that_lets_zero_through_is_named() -> None:
    X, Y = np.array([[1.0, -1.0], [0.0, 2.0]]), np.array([[1.0], [0.0]])
    W, V = np.array([[1.0, 0.5], [1.0, -0.5]]), np.array([[0.3], [-0.7]])
    network = tracer.from_arrays(X, Y, [W, V], activations=["relu", "linear"], loss="half_squared_error")
    Z = X @ W
    delta = np.maximum(Z, 0) @ V - Y
    own = {"dW1": X.T @ (delta @ V.T * (Z >= 0)), "dW2": np.maximum(Z, 0).T @ delta}
    assert "1 where Z1 is 0: ≥ in place of >" in str(tracer.compare(network, own)).splitlines()[0]
    assert "every gradient is right" in str(tracer.compare(network, own | {"dW1": X.T @ (delta @ V.T * (Z > 0))}))


def test_a_list_is_taken_in_the_order_of_the_parameters() -> None:
    own = Own().gradients()
    assert compare(problem(), [own[f"d{each}{k}"] for k in (1, 2, 3) for each in ("W", "b")]).all_right
    with pytest.raises(TracerError, match="found 1, expected one for each of dW1, db1"):
        compare(problem(), [own["dW1"]])
    assert "a number for each sample" in str(compare(problem(), own | {"db1": np.ones(5)}))


def test_names_and_things_that_are_no_parameters_are_refused() -> None:
    with pytest.raises(TracerError, match=r"gradients: dW9: there is no parameter of this name, expected dW1, db1"):
        compare(problem(), {"dW9": np.ones((3, 4))})
    with pytest.raises(TracerError, match="found str, expected an array of numbers"):
        compare(problem(), {"dW1": "3"})


def test_a_notebook_shows_the_lines() -> None:
    found = compare(problem(), BROKEN["mask"][0].gradients())
    assert repr(found) == str(found) and "<br>" in found._repr_html_()


def test_a_gradient_that_is_nought_by_its_terms_is_right_but_for_rounding() -> None:
    """A bias before a softmax down the columns changes nothing: what single precision leaves of it is no mistake."""
    torch.manual_seed(2)
    layer, x = torch.nn.Linear(3, 2, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)

    def loss(scores: Any, targets: Any) -> Any:
        return ((torch.softmax(scores, 0) - targets) ** 2).sum()

    targets = torch.randn(4, 2, dtype=torch.float64)
    loss(layer(x), targets).backward()
    assert layer.weight.grad is not None and layer.bias.grad is not None and layer.bias.grad.abs().max() < 1e-15
    for rest, right in ((1e-8, True), (1e-2, False)):
        own = {"weight": layer.weight.grad, "bias": layer.bias.grad + rest}
        found = {each.name: each.right for each in compare(layer, own, inputs=x, targets=targets, loss=loss)}
        assert found == {"weight": True, "bias": right}
