"""What picks by the order of computed numbers: values, gradients and places as PyTorch has them."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

from tests.torch_modules import Case, precise
from tests.unit.frameworks.test_pytorch import CLOSE, autograd, gradients
from tests.unit.frameworks.test_torch_operations import After, Written
from tracer.api import trace
from tracer.frameworks.models import from_torch

Tensor = torch.Tensor
ROWS, FOUR = torch.arange(3), torch.arange(4)


def routed(h: Tensor) -> Tensor:
    """A mixture of the two best of four experts, each of one number."""
    weights, places = torch.topk(torch.softmax(h, 1), 2)
    weights = weights / weights.sum(1, keepdim=True)
    sent = torch.zeros_like(h).scatter(1, places, weights)
    chosen = sum((places == k).to(h.dtype) * weights * (k + 1) for k in range(4))
    return (sent @ torch.ones(4, 2, dtype=h.dtype)) * h[:, :2] + chosen


def straight_through(h: Tensor) -> Tensor:
    soft = torch.softmax(h, 1)
    places = soft.max(1, keepdim=True)[1]
    hard = torch.zeros_like(h).scatter_(1, places, 1.0)
    return (hard - soft.detach() + soft) * h


def quantized(h: Tensor) -> Tensor:
    book = torch.linspace(-1, 1, 12, dtype=h.dtype).view(3, 4)
    nearest = F.embedding(torch.cdist(h, book).argmin(1), book)
    return h + (nearest - h).detach() + (nearest.detach() - h) ** 2


def best_attended(h: Tensor) -> Tensor:
    least = torch.topk(h, 2)[0][..., -1:]
    return torch.softmax(h.masked_fill(h < least, float("-inf")), 1)


ORDERS: dict[str, Written] = {
    "largest": lambda h: torch.topk(h, 2)[0],
    "smallest, down": lambda h: torch.topk(h, 2, 0, largest=False)[0],
    "sorted": lambda h: h.sort(1)[0] * FOUR + h.sort(0, descending=True).values,
    "sorted by rows": lambda h: torch.msort(h) * FOUR,
    "ranks": lambda h: h * h.argsort(1).argsort(1),
    "equal ones": lambda h: F.relu(h - 10).sort(stable=True, dim=1)[1] * h + F.relu(h - 10).argmax(1, keepdim=True),
    "place of the largest": lambda h: h.gather(1, h.max(1)[1][:, None]) + h.min(1, keepdim=True)[1] * h,
    "rows and places": lambda h: h[ROWS, h.argmax(1)] * 2 + h.max(1)[0],
    "rows in order": lambda h: h[h.sum(1).argsort()] * FOUR,
    "columns in order": lambda h: h[:, h[0].argsort()] * FOUR + h.index_select(1, h[1].topk(4)[1]),
    "one place of all": lambda h: h.flatten()[h.argmax()] + h.argmin() * h,
    "along": lambda h: torch.take_along_dim(h, h.argsort(1), 1) * FOUR,
    "middle": lambda h: h.median(1)[0] + h.median() + h.kthvalue(2, dim=1)[0],
    "shares": lambda h: torch.quantile(h, 0.3, dim=1) + torch.quantile(h, 0.5) + torch.quantile(h, 1.0, dim=1),
    "one hot": lambda h: h * F.one_hot(h.argmax(1), 4),
    "k largest in their order": lambda h: h[:, None].gather(2, h[:, None].topk(2, 2)[1].sort(2)[0]).flatten(1),
    "put and added": lambda h: torch.zeros_like(h).scatter_add(1, h.argsort(1), h) + h.scatter(1, h.argsort(1), h**2),
    "hardest": lambda h: (h**2).mean(1).topk(2)[0].mean() + torch.cdist(h, h + 1).min(1)[0],
    "classes of numbers": lambda h: h * torch.bucketize(h, torch.tensor([-0.5, 0.0, 0.5], dtype=h.dtype)),
    "any, all": lambda h: h * (h > 0.3).any(1, keepdim=True) + h * (h > -0.5).all(),
    "routed": routed,
    "straight through": straight_through,
    "hard gumbel": lambda h: F.gumbel_softmax(h, hard=True) * h,
    "quantized": quantized,
    "best attended": best_attended,
    "angles": lambda h: torch.atan(h) + torch.atan2(h, h.flip(1)) + torch.asin(torch.tanh(h)) + torch.acos(h / 9),
    "inverses": lambda h: torch.asinh(h) + torch.atanh(h / 9) + torch.acosh(2 + h**2) + torch.erf(h) - torch.erfc(h),
    "masked logarithm of sums": lambda h: torch.logsumexp(h.masked_fill(torch.eye(3, 4) > 0, -1e9), 1)
    + torch.logcumsumexp(h, 1)[:, -1],
}  # fmt: skip
VOLUMES: dict[str, Callable[[], nn.Module]] = {
    "convolution": lambda: nn.Conv3d(2, 2, (2, 3, 2), (1, 2, 1), padding=(1, 1, 0), dilation=(1, 1, 2), groups=2),
    "as large as before": lambda: nn.Conv3d(2, 1, (2, 3, 1), padding="same"),
    "pooled": lambda: nn.Sequential(nn.Conv3d(2, 1, 1), nn.ReLU(), nn.MaxPool3d((1, 2, 1)), nn.AvgPool3d((2, 1, 2), 1)),
    "largest of each": lambda: nn.Sequential(nn.Conv3d(2, 1, 1), nn.MaxPool3d(2)),
}


def held_against_autograd(module: nn.Module, x: Tensor) -> None:
    torch.manual_seed(5)
    problem = from_torch(module, x, (), loss=lambda out: (out**2).mean())
    torch.manual_seed(5)
    loss, expected = autograd(Case(module, x, None, lambda out, _: (out**2).mean()))
    run = trace(problem)
    assert abs(run.last.loss - loss) < CLOSE
    found = gradients(problem, run)
    assert found.keys() == expected.keys()
    for key, each in expected.items():
        np.testing.assert_allclose(found[key], each, rtol=0, atol=CLOSE, err_msg=key)


@pytest.mark.parametrize("name", ORDERS)
def test_what_is_picked_by_order_is_what_pytorch_picks(name: str) -> None:
    with precise():
        held_against_autograd(After(ORDERS[name]), torch.randn(3, 3))


@pytest.mark.parametrize("name", VOLUMES)
@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_volumes_are_what_pytorch_makes_of_them(name: str) -> None:
    with precise():
        held_against_autograd(VOLUMES[name](), torch.randn(1, 2, 2, 4, 3))


def test_the_picks_follow_the_numbers() -> None:
    """The same problem with other inputs picks other places: nothing is fixed when it is taken over."""
    with precise():
        module = After(routed)
        x, other = torch.randn(3, 3), torch.randn(3, 3) * 4
        problem, moved = (from_torch(module, each, (), loss=lambda out: (out**2).mean()) for each in (x, other))
    assert problem.steps == moved.steps
    assert trace(problem).last.loss != trace(moved).last.loss


def test_places_that_nothing_asks_for_are_not_written() -> None:
    with precise():
        problem = from_torch(After(lambda h: h.max(1)[0] + h.topk(1)[0][:, 0]), torch.randn(3, 3), (), loss=torch.mean)
    names = [each for step in problem.steps for each in step["formulas"]]
    assert not [each for each in names if "places" in each]
