"""The examples for pencil and paper, written in PyTorch: each takes what the file gives and returns the loss."""

from types import SimpleNamespace as Tensors

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F  # noqa: N812 - as everybody calls it


def half(output: Tensor, target: Tensor) -> Tensor:
    return 0.5 * F.mse_loss(output, target, reduction="sum")


def mlp_paper(t: Tensors) -> Tensor:
    hidden = torch.sigmoid(F.linear(t.X, t.W1.T, t.b1[0]))
    return half(torch.sigmoid(F.linear(hidden, t.W2.T, t.b2[0])), t.Y)


def perceptron(t: Tensors) -> Tensor:
    """The sum of (output − target)·z, the output held fixed."""
    z = F.linear(t.X, t.W1.T, t.b1[0])
    output = torch.where(z >= 0, 1.0, -1.0)
    return ((output - t.Y) * z).sum()


def adaline(t: Tensors) -> Tensor:
    return half(F.linear(t.X, t.W1.T, t.b1[0]), t.Y)


def softmax(t: Tensors) -> Tensor:
    return F.cross_entropy(F.linear(t.X, t.W.T, t.b[0]), torch.tensor([0, 2]))


def conv_paper(t: Tensors) -> Tensor:
    features = F.relu(F.conv2d(t.X[None, None], t.K[None, None], t.b[0]))
    return half(F.max_pool2d(features, 2).flatten(1), t.Y)


def self_attention_paper(t: Tensors) -> Tensor:
    mixed = F.scaled_dot_product_attention(*((t.X @ W)[None, None] for W in (t.Wq, t.Wk, t.Wv)))
    return half(mixed[0, 0], t.Y)


def rnn_paper(t: Tensors) -> Tensor:
    weights = {"weight_ih": t.w, "weight_hh": t.u, "bias_ih": t.b[0], "bias_hh": torch.zeros(1, dtype=torch.float64)}
    cell, h = nn.RNNCell(1, 1), t.h0
    for x in (t.x1, t.x2, t.x3):
        h = functional_call(cell, weights, (x, h))
    return half(h, t.y)


def lstm_paper(t: Tensors) -> Tensor:
    order = "ifgo"  # of the four blocks in PyTorch's weights
    weights = {
        "weight_ih": torch.cat([getattr(t, f"w{gate}") for gate in order]),
        "weight_hh": torch.cat([getattr(t, f"u{gate}") for gate in order]),
        "bias_ih": torch.cat([getattr(t, f"b{gate}")[0] for gate in order]),
        "bias_hh": torch.zeros(4, dtype=torch.float64),
    }
    cell, state = nn.LSTMCell(1, 1), (t.h0, t.c0)
    for x in (t.x1, t.x2):
        state = functional_call(cell, weights, (x, state))
    return half(state[0], t.y)


def line(t: Tensors) -> Tensor:
    return half(t.X @ t.w, t.Y)


def batch_norm_paper(t: Tensors) -> Tensor:
    """PyTorch's own asks for an ε."""
    deviation, mean = torch.std_mean(t.x, correction=0)
    return half(t.gamma * (t.x - mean) / deviation + t.beta, t.y)


def skip_gram_paper(t: Tensors) -> Tensor:
    centre, others = F.embedding(torch.tensor([2]), t.E), F.embedding(torch.tensor([3, 0, 4]), t.U)
    scores = (centre * others).sum(1)
    return -F.logsigmoid(scores[0]) - F.logsigmoid(-scores[1:]).sum()


def graph(t: Tensors) -> Tensor:
    return half(torch.sigmoid(t.w * ((t.x + t.y) * t.z) + t.v * t.x + t.b), t.t)


def dropout(t: Tensors) -> Tensor:
    kept = torch.where(t.M > 0, F.relu(t.X @ t.W) / 0.5, 0.0)
    return half(kept @ t.V, t.Y)


MODELS = {
    "mlp-paper": mlp_paper, "perceptron": perceptron, "adaline": adaline, "softmax": softmax,
    "conv-paper": conv_paper, "self-attention-paper": self_attention_paper, "rnn-paper": rnn_paper,
    "momentum-paper": line, "adam-paper": line, "lstm-paper": lstm_paper, "batch-norm-paper": batch_norm_paper,
    "skip-gram-paper": skip_gram_paper, "graph": graph, "dropout": dropout,
}  # fmt: skip
