"""The same passes in PyTorch with hooks, in TorchLens and in micrograd, keeping every tensor of a pass."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
import torchlens
from micrograd.nn import MLP
from torch import nn

from tracer.problem.problem import Problem

Run = Callable[[], object]


class Network(nn.Module):
    """The layers of a problem in float64; its output is the loss, half the squared error."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for layer in problem.layers:
            linear = nn.Linear(*layer.weights.shape, dtype=torch.float64)
            linear.weight.data, linear.bias.data = torch.tensor(layer.weights.T), torch.tensor(layer.bias[0])
            layers += [linear, nn.Sigmoid()]
        self.layers = nn.Sequential(*layers)
        self.X, self.Y, self.rate = torch.tensor(problem.X), torch.tensor(problem.Y), problem.learning_rate

    def forward(self, X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
        return 0.5 * ((self.layers(X) - Y) ** 2).sum()

    def update(self) -> list[torch.Tensor | None]:
        """New parameters in place of the old ones, which stay as they were; the gradients."""
        gradients = [parameter.grad for parameter in self.parameters()]
        for parameter in self.parameters():
            parameter.data = parameter.data - self.rate * parameter.grad
            parameter.grad = None
        return gradients


def pytorch(problem: Problem, passes: int, threads: int) -> Run:
    """Forward and backward hooks on every layer keep its tensors and their gradients."""
    network, kept = Network(problem), []
    warnings.filterwarnings("ignore", "Full backward hook is firing", UserWarning)  # X needs no gradient
    for layer in network.layers:
        layer.register_forward_hook(lambda module, given, output: kept.append((given, output)))
        layer.register_full_backward_hook(lambda module, given, output: kept.append((given, output)))

    def run() -> None:
        torch.set_num_threads(threads)
        kept.clear()
        for _ in range(passes):
            loss = network(network.X, network.Y)
            loss.backward()
            kept.append((loss, network.update()))

    return run


def in_torchlens(problem: Problem, passes: int) -> Run:
    """From its first call on, TorchLens slows every other use of PyTorch in the process."""
    network = Network(problem)
    options = torchlens.options.CaptureOptions(save_grads=True)

    def run() -> list[Any]:
        torch.set_num_threads(1)
        kept = []
        for _ in range(passes):
            recorded = torchlens.trace(network, [network.X, network.Y], capture=options)
            kept.append((recorded.log_backward(recorded[-1].out), network.update()))
        return kept

    return run


def in_micrograd(problem: Problem, passes: int) -> Run:
    """A network of the same size, with the ReLU that micrograd has."""
    sizes = [layer.weights.shape[1] for layer in problem.layers]
    network = MLP(problem.X.shape[1], sizes)
    samples = list(zip(problem.X.tolist(), problem.Y[:, 0].tolist(), strict=True))

    def run() -> None:
        for _ in range(passes):
            loss = sum((network(x) - y) ** 2 for x, y in samples) * 0.5
            network.zero_grad()
            loss.backward()
            for parameter in network.parameters():
                parameter.data -= problem.learning_rate * parameter.grad

    return run
