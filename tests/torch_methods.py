"""The examples of one layer, of pairs, of learning by other means, and of optimizers, written in PyTorch."""

from types import SimpleNamespace as Tensors

import torch
from torch import Tensor
from torch.distributions import Categorical
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

from tests.torch_paper import half
from tests.torch_sequences import classes


def siamese(t: Tensors) -> Tensor:
    U, V = (torch.tanh(F.linear(X, t.W.T, t.b[0])) for X in (t.X1, t.X2))
    distance = torch.linalg.vector_norm(U - V, dim=1)
    together, apart = distance[0] ** 2, torch.clamp(t.margin[0, 0] - distance[1], min=0) ** 2
    return (together + apart) / 2


def clip(t: Tensors) -> Tensor:
    scores = F.normalize(t.X @ t.Wx) @ F.normalize(t.T @ t.Wt).T * t.t.exp()
    return (F.cross_entropy(scores, classes(0, 1, 2)) + F.cross_entropy(scores.T, classes(0, 1, 2))) / 2


def graph_conv(t: Tensors) -> Tensor:
    roots = torch.diag(t.A.sum(1) ** -0.5)
    mixing = roots @ t.A @ roots
    scores = mixing @ F.relu(mixing @ t.X @ t.W1) @ t.W2
    return F.cross_entropy(scores[[0, 3]], classes(0, 1))


def mixture_of_experts(t: Tensors) -> Tensor:
    share, chosen = F.softmax(t.X @ t.Wg, dim=1).max(dim=1)
    answers = [s * torch.tanh(x @ t.A[:, [k]]) for s, x, k in zip(share, t.X, chosen.tolist(), strict=True)]
    return half(torch.stack(answers), t.Y)


def matrix_factorisation(t: Tensors) -> Tensor:
    there = t.M.bool()
    error = half((t.U @ t.V.T)[there], t.R[there])
    return error + 0.1 / 2 * (t.U.square().sum() + t.V.square().sum())


def logistic_l2(t: Tensors) -> Tensor:
    return F.binary_cross_entropy_with_logits(t.X @ t.w + t.b, t.Y) + 0.1 * t.w.square().sum()


def softmax_regression(t: Tensors) -> Tensor:
    return F.cross_entropy(F.linear(t.X, t.W.T, t.b[0]), classes(0, 1, 2, 2))


def svm(t: Tensors) -> Tensor:
    missing = torch.clamp(1 - t.Y * (t.X @ t.w + t.b), min=0)
    return missing.mean() + 0.1 * t.w.square().sum()


def rbf(t: Tensors) -> Tensor:
    distances = torch.cdist(t.X, torch.cat([t.c1, t.c2, t.c3]), compute_mode="donot_use_mm_for_euclid_dist")
    return half(torch.exp(-t.gamma * distances**2) @ t.w + t.b, t.Y)


def mamba(t: Tensors) -> Tensor:
    """One channel: the discretised recurrence h ← e^(ΔA)·h + ΔB·x, y = C·h + D·x."""
    state, outputs = t.h0[0], []
    for x in (t.x1[0, 0], t.x2[0, 0], t.x3[0, 0]):
        size = F.softplus(t.wd[0, 0] * x + t.bd[0, 0])
        state = torch.exp(-size * t.a[0].exp()) * state + size * (x * t.WB[0]) * x
        outputs.append(torch.dot(x * t.WC[0], state) + t.v[0, 0] * x)
    return half(torch.stack(outputs), t.Y[:, 0])


def diffusion(t: Tensors) -> Tensor:
    mixture = t.g.sqrt() * t.X + (1 - t.g).sqrt() * t.N
    hidden = torch.tanh(F.linear(torch.cat([mixture, t.t], dim=1), t.W1.T, t.b1[0]))
    return F.mse_loss(F.linear(hidden, t.W2.T, t.b2[0]), t.N)


def reinforce(t: Tensors) -> Tensor:
    expected = t.X @ t.v
    with torch.no_grad():
        advantage = (t.G - expected)[:, 0]
    taken = Categorical(logits=t.X @ t.W).log_prob(classes(0, 1, 0))
    return F.mse_loss(expected, t.G) / 2 - (advantage * taken).mean()


def distillation(t: Tensors) -> Tensor:
    """PyTorch's divergence lacks the teacher's own entropy, which no gradient sees; the cross-entropy has it."""
    scores, teacher = F.linear(t.X, t.W.T, t.b[0]), F.softmax(t.T / 2, dim=1)
    divergence = F.kl_div(F.log_softmax(scores / 2, dim=1), teacher, reduction="batchmean")
    entropy = -(teacher * teacher.log()).sum(1).mean()
    return (4 * (divergence + entropy) + F.cross_entropy(scores, classes(0, 1, 2))) / 2


def lora(t: Tensors) -> Tensor:
    return half(t.X @ (t.W + 2 * t.A @ t.B), t.Y)


def small(t: Tensors) -> Tensor:
    """The network of all optimizers."""
    return half(F.linear(torch.tanh(F.linear(t.X, t.W1.T, t.b1[0])), t.W2.T, t.b2[0]), t.Y)


MODELS = {
    "siamese": siamese, "clip": clip, "graph-conv": graph_conv, "mixture-of-experts": mixture_of_experts,
    "matrix-factorisation": matrix_factorisation, "logistic-l2": logistic_l2,
    "softmax-regression": softmax_regression, "svm": svm, "rbf": rbf, "mamba": mamba, "diffusion": diffusion,
    "reinforce": reinforce, "distillation": distillation, "lora": lora, "momentum": small, "nesterov": small,
    "adagrad": small, "rmsprop": small, "adam": small, "adamw": small,
}  # fmt: skip
