"""Operations as people write them, one at a time: loss, gradients and every intermediate as PyTorch has them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

from tests.torch_modules import Case, precise
from tests.unit.frameworks.test_pytorch import CLOSE, autograd, gradients
from tracer.api import trace
from tracer.errors import TracerError
from tracer.frameworks.models import from_torch

Tensor = torch.Tensor
Written = Callable[..., Tensor]
NUMBERS, PLACES = torch.tensor([2, 0, 1]), torch.tensor([[0, 2], [1, 3], [3, 0]])
EDGES = torch.tensor([[0, 2], [0, 1], [1, 1]])


class After(nn.Module):
    """An operation on 3×4 numbers that a linear layer gives, with a module of its own where it needs one."""

    def __init__(self, written: Written, own: nn.Module | None = None) -> None:
        super().__init__()
        self.first, self.written, self.own = nn.Linear(3, 4), written, own or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        return self.written(hidden) if isinstance(self.own, nn.Identity) else self.written(hidden, self.own)


def written_over(h: Tensor) -> Tensor:
    out = torch.zeros(3, 4, dtype=h.dtype)
    out[:, 1:3] = h[:, :2]
    out[0] = h[0]
    out[:, 3].add_(h[:, 3])
    return out


def changed_in_part(h: Tensor) -> Tensor:
    h = h.clone()
    h[:, 0] += 1
    row = h[1]
    row.mul_(3)
    h[h < 0] = 0.25
    return h


def flattened_in_place(h: Tensor) -> Tensor:
    h = h * 1
    flat = h.view(-1)
    flat[1::2] *= -1
    return h + h.detach()


def without_gradient(h: Tensor) -> Tensor:
    with torch.no_grad():
        kept = torch.tanh(h)
        best = kept.max(1, keepdim=True)[0]
    return h * kept + best


def noisy(h: Tensor) -> Tensor:
    return h + 0.1 * torch.randn_like(h) + torch.rand(3, 4, dtype=h.dtype)


def distributed(h: Tensor) -> Tensor:
    means, spreads = h.chunk(2, 1)
    normal = torch.distributions.Normal(means, spreads.exp())
    standard = torch.distributions.Normal(torch.zeros_like(means), torch.ones_like(means))
    chosen = torch.distributions.Categorical(logits=h)
    return torch.distributions.kl_divergence(normal, standard).sum(1) + chosen.entropy() + chosen.log_prob(NUMBERS)


IMAGE = (3, 1, 2, 2)
OPERATIONS: dict[str, Written] = {
    "written over": written_over,
    "changed in part": changed_in_part,
    "flattened in place": flattened_in_place,
    "without gradient": without_gradient,
    "noisy": noisy,
    "distributed": distributed,
    "scatter": lambda h: torch.zeros(3, 5, dtype=h.dtype).scatter(1, PLACES, h[:, :2]),
    "scatter_add": lambda h: torch.zeros(3, 4, dtype=h.dtype).scatter_add(1, EDGES, h[:, :2]),
    "scatter_add of rows": lambda h: h.scatter_add(0, NUMBERS[:, None].expand(-1, 4) % 2, h),
    "index_add": lambda h: torch.zeros(2, 4, dtype=h.dtype).index_add(0, NUMBERS % 2, h),
    "scatter_reduce": lambda h: h.scatter_reduce(0, NUMBERS[:, None].expand(-1, 4) % 2, h, "mean"),
    "index_put": lambda h: h.index_put((NUMBERS, NUMBERS), torch.tensor(0.5, dtype=h.dtype)),
    "added by index": lambda h: torch.zeros_like(h).index_put((NUMBERS % 2,), h, accumulate=True),
    "masked_scatter": lambda h: h.masked_scatter(torch.eye(3, 4) > 0, torch.ones(3, dtype=h.dtype)),
    "unpooled": lambda h: F.max_unpool1d(h[:, None], torch.tensor([[[0, 2, 5, 7]]] * 3), 2)[:, 0],
    "folded": lambda h: F.fold(h.T[None], (2, 4), (2, 2)).reshape(2, 4),
    "windows": lambda h: h.unfold(1, 3, 1).flatten(1),
    "masked by a finite number": lambda h: torch.softmax(h.masked_fill(torch.eye(3, 4) > 0, -1e9), 1),
    "logical": lambda h: h * ((h > 0.5) | (h < -0.5)) + torch.where((h > 0) ^ (h < 0.2), h, 2 * h) + h * h.bool(),
    "larger of two": lambda h: torch.max(h, h.flip(1)) - torch.min(h, 0.3 * h),
    "biased variance": lambda h: h.var(1, unbiased=False) + torch.var_mean(h, 1, unbiased=False)[0] + h.std(1),
    "norms": lambda h: h.norm(1, dim=1) + h.norm(float("inf"), dim=1) + h.norm(3, dim=1),
    "distances": lambda h: torch.cdist(h, h + 1) + torch.cdist(h, h + 1, p=1.0),
    "products": lambda h: torch.cumprod(h, 1) + torch.logaddexp(h, -h),
    "logsumexp": lambda h: torch.logsumexp(h, (0, 1)) + torch.logsumexp(h, 1, keepdim=True),
    "einsum with dots": lambda h: torch.einsum("...i,ji->...j", h, h) + torch.einsum("ij,kj", h, h),
    "einsum's diagonal": lambda h: torch.einsum("ii->i", h[:, :3]) + torch.einsum("ii", h[:, :3]),
    "softplus's threshold": lambda h: F.softplus(3 * h, beta=2, threshold=1),
    "a number taken out": lambda h: h / h.abs().max().item(),
    "bilinear": lambda h: F.interpolate(h.view(IMAGE), size=(3, 5), mode="bilinear").flatten(1),
    "bilinear corners": lambda h: F.interpolate(h.view(IMAGE), scale_factor=2, mode="bilinear", align_corners=True),
    "linear between": lambda h: F.interpolate(h[:, None], scale_factor=1.5, mode="linear")[:, 0],
    "nearest": lambda h: F.interpolate(h[:, None], size=7) + F.interpolate(h[:, None], size=7, mode="nearest-exact"),
    "mean of what is inside": lambda h: F.avg_pool2d(h.view(3, 4, 1).transpose(0, 2)[None], 3, 2, 1, True, False),
    "mean over a number": lambda h: F.avg_pool2d(h.view(IMAGE), 2, 1, 1, divisor_override=3),
    "last window": lambda h: F.max_pool1d(h[:, None], 3, 2, ceil_mode=True),
    "uneven windows": lambda h: F.adaptive_avg_pool2d(h[None], (2, 3)) + F.adaptive_max_pool2d(h[None], (2, 3)),
}  # fmt: skip
WITH_MODULES: dict[str, tuple[Written, Callable[[], nn.Module]]] = {
    "batch norm beside writing": (lambda h, own: own(h).index_fill(1, NUMBERS[:1], 0.5), lambda: nn.BatchNorm1d(4)),
    "batch norm twice": (lambda h, own: (own(h) @ own(2 * h).T).flatten()[1:].add_(1), lambda: nn.BatchNorm1d(4)),
    "instance norm's averages": (lambda h, own: own(h[:, None])[:, 0], lambda: nn.InstanceNorm1d(
        1, track_running_stats=True).eval()),
    "transposed, dilated": (lambda h, own: own(h[None, None]), lambda: nn.ConvTranspose2d(1, 2, 2, dilation=2)),
    "transposed, two strides": (lambda h, own: own(h[None, None]), lambda: nn.ConvTranspose2d(
        1, 1, (2, 3), (1, 2), output_padding=(0, 1))),
    "bags with padding": (lambda h, own: own(torch.tensor([[1, 2, 0], [0, 0, 4]])) + h[:2, :3], lambda: nn.EmbeddingBag(
        5, 3, padding_idx=0)),
    "bags with weights": (lambda h, own: own(PLACES, per_sample_weights=h[:, :2]), lambda: nn.EmbeddingBag(
        5, 3, mode="sum")),
    "lstm with a projection": (lambda h, own: own(h[:, :3, None])[0][:, -1], lambda: nn.LSTM(
        1, 3, proj_size=2, batch_first=True)),
    "random relu, evaluated": (lambda h, own: own(h), lambda: nn.RReLU().eval()),
    "alpha dropout, evaluated": (lambda h, own: own(h), lambda: nn.AlphaDropout().eval()),
}  # fmt: skip


@pytest.mark.parametrize("name", [*OPERATIONS, *WITH_MODULES])
def test_an_operation_is_what_pytorch_does(name: str) -> None:
    with precise():
        written, own = WITH_MODULES[name] if name in WITH_MODULES else (OPERATIONS[name], lambda: None)
        module = After(written, own())
        x = torch.randn(3, 3)
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
    assert ("drawn once" in (problem.description or "")) == (name == "noisy")


LABELS = torch.tensor([0, 2, 1, 1])
WEIGHTS = (1.0, 2.0, 0.5)
LOSSES: dict[str, tuple[Callable[[], Any], Callable[[], Tensor]]] = {
    "weights, smoothing, a label ignored": (
        lambda: nn.CrossEntropyLoss(torch.tensor(WEIGHTS), label_smoothing=0.2, ignore_index=2), lambda: LABELS),
    "shares, weights, smoothing, a sum": (
        lambda: nn.CrossEntropyLoss(torch.tensor(WEIGHTS), label_smoothing=0.1, reduction="sum"),
        lambda: torch.softmax(torch.randn(4, 3), 1)),
    "each by itself": (lambda: lambda o, t: F.cross_entropy(o, t, reduction="none").pow(2).mean(), lambda: LABELS),
    "weights of positives": (
        lambda: nn.BCEWithLogitsLoss(pos_weight=torch.tensor(WEIGHTS), reduction="sum"), lambda: torch.rand(4, 3)),
    "smooth": (lambda: nn.SmoothL1Loss(beta=0.3), lambda: torch.randn(4, 3)),
    "huber": (lambda: nn.HuberLoss(delta=0.4, reduction="sum"), lambda: torch.randn(4, 3)),
    "poisson": (lambda: nn.PoissonNLLLoss(full=True), lambda: torch.randint(0, 5, (4, 3)).double()),
    "margins of embeddings": (lambda: nn.HingeEmbeddingLoss(0.6), lambda: torch.sign(torch.randn(4, 3))),
    "several margins": (lambda: nn.MultiMarginLoss(margin=0.5), lambda: LABELS),
    "several labels": (lambda: nn.MultiLabelSoftMarginLoss(), lambda: (torch.randn(4, 3) > 0).double()),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_what_pytorch_does_with_its_options(name: str) -> None:
    with precise():
        loss, targets = LOSSES[name]
        case = Case(nn.Linear(3, 3), torch.randn(4, 3), targets(), loss())
        problem = from_torch(case.module, case.inputs, case.targets, loss=case.loss)
        value, expected = autograd(case)
    run = trace(problem)
    assert abs(run.last.loss - value) < CLOSE
    for key, each in gradients(problem, run).items():
        np.testing.assert_allclose(each, expected[key], rtol=0, atol=CLOSE, err_msg=key)


class Reversed(torch.autograd.Function):
    """Passes its input on, and the gradient back with another sign."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return -gradient


def decided(h: Tensor) -> Tensor:
    if h.sum() > 0:
        h = h * 2
    return h


def packed(h: Tensor) -> Tensor:
    sequence = nn.utils.rnn.pack_padded_sequence(h[:, :, None], torch.tensor([4, 2, 1]), batch_first=True)
    return nn.GRU(1, 2, batch_first=True)(sequence)[1][-1]


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (lambda h: torch.cummax(h, 1)[0], r"aten\.cummax picks by the order of computed numbers.*gather"),
        (
            lambda h: F.max_unpool1d(*F.max_pool1d(h[:, None], 2, return_indices=True), 2)[:, 0],
            "takes the places of the largest in windows, which no formula here tells",
        ),
        (
            lambda h: h[h[:, :3].argsort(1), h.argmax(1)[:, None]],
            "computed places in several dimensions at once.*gather",
        ),
        (lambda h: h.scatter(1, h.argsort(1)[:2, :2], h[:2, :2]), "computed places of a part of a tensor"),
        (lambda h: h + h.long(), r"long \(aten\.to\) makes whole numbers of computed ones"),
        (lambda h: h - torch.floor(h), r"aten\.floor makes whole numbers"),
        (lambda h: h.half() * 2, r"computed in float16; call \.float\(\)"),
        (lambda h: torch.fft.fft(h).real, "is complex"),
        (lambda h: h[:, :3] @ torch.linalg.inv(h[:, :3]), "solves equations"),
        (lambda h: F.dropout(h, 0.5) + F.rrelu(h, training=True), "draws its slopes at random"),
        (lambda h: F.embedding(NUMBERS, h, scale_grad_by_freq=True), "has no gradient of its loss"),
        (decided, r"depends on computed numbers.*torch\.where.*if h\.sum\(\) > 0"),
        (packed, "a packed sequence leaves out what is padded; give each length a model of its own"),
        (Reversed.apply, "Reversed is a torch.autograd.Function with a backward of its own"),
    ],
)
def test_what_cannot_be_taken_over_says_why_and_where(written: Written, says: str) -> None:
    with pytest.raises(TracerError, match=says):
        from_torch(After(written), torch.randn(3, 3), (), loss=lambda out: (out**2).mean())
