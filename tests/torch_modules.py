"""Modules of PyTorch to be taken over, with inputs, targets and loss; made when they are asked for, in float64."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

Tensor = torch.Tensor


@dataclass
class Case:
    """A module with what it is run on; `loss` by name, or anything that takes outputs and targets."""

    module: nn.Module
    inputs: Any
    targets: Any
    loss: Any = "cross_entropy"

    def run(self) -> Tensor:
        """The loss that PyTorch gives."""
        inputs = self.inputs if isinstance(self.inputs, tuple) else (self.inputs,)
        loss = getattr(F, self.loss) if isinstance(self.loss, str) else self.loss
        return loss(self.module(*inputs), self.targets)


@contextmanager
def precise() -> Iterator[None]:
    """Everything in float64, from the same seed."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(20)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


class Recurrent(nn.Module):
    """A recurrent layer whose last output is judged."""

    def __init__(self, layer: nn.Module, units: int) -> None:
        super().__init__()
        self.layer, self.head = layer, nn.Linear(units, 2)

    def forward(self, x: Tensor) -> Tensor:
        outputs, _ = self.layer(x)
        last = outputs[:, -1]
        return self.head(last)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(4, 4, bias=False) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        mixed = F.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x), is_causal=True)
        return mixed.mean(dim=1)


class Mean(nn.Module):
    """A module over a sequence, its outputs averaged over the places."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        outputs = self.layer(x, x, x)[0] if isinstance(self.layer, nn.MultiheadAttention) else self.layer(x)
        return outputs.mean(dim=1)


def labels(*values: int) -> Tensor:
    return torch.tensor(values)


def _dense(*between: nn.Module) -> Case:
    module = nn.Sequential(nn.Linear(3, 4), *between, nn.Linear(4, 2))
    return Case(module, torch.randn(3, 3), labels(0, 1, 1))


def _image(*layers: nn.Module, **more: Any) -> Case:
    return Case(nn.Sequential(*layers), torch.randn(2, 1, 4, 4), **more)


FIFTEEN: dict[str, Callable[[], Case]] = {
    "mlp": lambda: _dense(nn.Tanh()),
    "activations": lambda: Case(
        nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.LeakyReLU(0.1), nn.Linear(4, 4), nn.ELU(),
                      nn.Linear(4, 4), nn.GELU(), nn.Linear(4, 3), nn.SiLU(), nn.Linear(3, 2), nn.GELU("tanh")),
        torch.randn(3, 3), torch.randn(3, 2), "mse_loss",
    ),
    "cnn with max pool": lambda: _image(
        nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2), targets=labels(0, 1)
    ),
    "average pool": lambda: _image(
        nn.Conv2d(1, 2, 3), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), targets=labels(0, 1)
    ),
    "batch norm": lambda: _dense(nn.BatchNorm1d(4), nn.ReLU()),
    "layer norm": lambda: _dense(nn.LayerNorm(4), nn.ReLU()),
    "rms norm": lambda: _dense(nn.RMSNorm(4)),
    "rnn": lambda: Case(Recurrent(nn.RNN(3, 2, batch_first=True), 2), torch.randn(2, 3, 3), labels(0, 1)),
    "lstm": lambda: Case(Recurrent(nn.LSTM(3, 2, batch_first=True), 2), torch.randn(2, 3, 3), labels(0, 1)),
    "gru": lambda: Case(Recurrent(nn.GRU(3, 2, batch_first=True), 2), torch.randn(2, 3, 3), labels(0, 1)),
    "embedding": lambda: Case(
        nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(6, 5)), torch.tensor([[0, 1], [3, 1]]), labels(2, 4)
    ),
    "attention": lambda: Case(Attention(), torch.randn(2, 3, 4), labels(0, 1)),
    "multihead attention": lambda: Case(
        Mean(nn.MultiheadAttention(4, 2, batch_first=True)), torch.randn(2, 3, 4), labels(0, 1)
    ),
    "transformer encoder layer": lambda: Case(
        Mean(nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, batch_first=True)), torch.randn(2, 3, 4), labels(0, 1)
    ),
    "transposed convolution": lambda: _image(
        nn.Conv2d(1, 1, 2, stride=2), nn.ConvTranspose2d(1, 2, 3, stride=2, padding=1, output_padding=1),
        targets=torch.randn(2, 2, 4, 4), loss="mse_loss",
    ),
}  # fmt: skip


class Residual(nn.Module):
    """In place, with batch norm in evaluation and a buffer of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(2, 2, 3, padding=1, bias=False), nn.BatchNorm2d(2), nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        out = self.norm(self.conv(x))
        out += x
        F.relu_(out)
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(out, 1), 1))


class TiedLanguage(nn.Module):
    """Causal heads by hand, a mask as a buffer, and the table of embeddings used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.places = nn.Embedding(5, 4), nn.Embedding(3, 4)
        self.mix, self.head = nn.Linear(4, 12), nn.Linear(4, 5, bias=False)
        self.head.weight = self.table.weight
        self.register_buffer("mask", torch.tril(torch.ones(3, 3)).view(1, 1, 3, 3))

    def forward(self, words: Tensor) -> Tensor:
        batch, length = words.shape
        x = self.table(words) + self.places(torch.arange(length))
        q, k, v = (part.view(batch, length, 2, 2).transpose(1, 2) for part in self.mix(x).split(4, dim=2))
        scores = (q @ k.transpose(-2, -1) / 2**0.5).masked_fill(self.mask[:, :, :length, :length] == 0, float("-inf"))
        mixed = (F.softmax(scores, dim=-1) @ v).transpose(1, 2).contiguous().view(batch, length, 4)
        return self.head(x + mixed).view(-1, 5)


class Pieces(nn.Module):
    """Slices, joins, einsum, statistics and a scalar parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.first = nn.Parameter(torch.tensor(1.5)), nn.Linear(4, 4)
        self.experts = nn.ModuleList(nn.Linear(2, 2) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.first(x).chunk(2, dim=-1)
        both = torch.stack([expert(part) for expert, part in zip(self.experts, (a, b), strict=True)], dim=1)
        share = torch.softmax(a * self.scale, dim=0)
        mixed = torch.einsum("be,beo->bo", share, both)
        level = (mixed - mixed.mean(0, keepdim=True)) / (mixed.std(0, keepdim=True) + 1e-3)
        return F.normalize(torch.cat([level, both.permute(0, 2, 1).flatten(1)], dim=1), dim=1)


OTHERS: dict[str, Callable[[], Case]] = {
    "residual": lambda: Case(Residual().eval(), torch.randn(2, 2, 3, 3), labels(0, 1)),
    "tied language": lambda: Case(TiedLanguage(), torch.tensor([[0, 1, 2], [3, 2, 1]]), labels(1, 2, 3, 4, 0, 1)),
    "pieces": lambda: Case(Pieces(), torch.randn(3, 4), torch.randn(3, 6), "mse_loss"),
    "two layers both ways": lambda: Case(
        Recurrent(nn.LSTM(2, 2, num_layers=2, bidirectional=True, batch_first=True), 4), torch.randn(2, 2, 2),
        labels(0, 1),
    ),
    "odd windows": lambda: Case(
        nn.Sequential(nn.Conv2d(2, 3, (2, 3), padding=(0, 1), stride=(1, 2)), nn.MaxPool2d((2, 1), padding=(1, 0)),
                      nn.Conv2d(3, 2, 2, dilation=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        torch.randn(1, 2, 4, 6), labels(1),
    ),
    "weighted, smoothed loss": lambda: Case(
        nn.Sequential(nn.Linear(3, 4), nn.PReLU(), nn.GroupNorm(2, 4), nn.Linear(4, 3)), torch.randn(4, 3),
        labels(0, 2, 1, 1), nn.CrossEntropyLoss(torch.tensor([1.0, 2.0, 0.5]), ignore_index=2),
    ),
    "bilinear": lambda: Case(
        nn.Sequential(nn.Linear(3, 4), nn.Unflatten(1, (2, 2)), nn.Flatten(), nn.Hardtanh(), nn.Softplus(2.0)),
        torch.randn(3, 3), torch.rand(3, 4), nn.SmoothL1Loss(),
    ),
}  # fmt: skip
